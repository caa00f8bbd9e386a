"""Reading Pyomo templates: a linear relation of indexed variables in symbolic positions -> terms laid over all positions.

Pyomo's own compiler expands a template row by row with generated code; over 3000 templates of 96 rows that is half the time
of a compile, so here each template is read once and its entries are laid out by numpy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyomo.environ as pyo
from pyomo.core.expr import (
    GetItemExpression,
    LinearExpression,
    MonomialTermExpression,
    NegationExpression,
    ProductExpression,
    SumExpression,
)
from pyomo.core.expr.template_expr import IndexTemplate

from pipeline.program.linear_program import Indices

Term = tuple[float, Any, tuple[Any, ...]]  # coefficient, Pyomo Var, its index in numbers and symbols

_PRODUCTS = (ProductExpression, MonomialTermExpression)
_SUMS = (SumExpression, LinearExpression)


class NotLinear(Exception):
    """The expression holds more than sums and multiples of indexed variables."""


@dataclass(frozen=True)
class Linear:
    """A formula read: the sum of its terms plus a constant."""

    terms: list[Term]
    constant: float


def read_linear(expression: Any) -> Linear:
    """Sums, differences and multiples of indexed variables, and numbers. Raises NotLinear for anything else."""
    terms: list[Term] = []
    return Linear(terms, _collect(expression, 1.0, terms))


def _collect(expression: Any, factor: float, terms: list[Term]) -> float:
    """Add the terms of factor x expression; returns its constant."""
    if isinstance(expression, (int, float)):
        return factor * expression
    if isinstance(expression, GetItemExpression):
        variable, *at = expression.args
        terms.append((factor, variable, tuple(at)))
        return 0.0
    if isinstance(expression, _SUMS):
        return sum([_collect(part, factor, terms) for part in expression.args])
    if isinstance(expression, NegationExpression):
        return _collect(expression.args[0], -factor, terms)
    if isinstance(expression, _PRODUCTS):
        one, other = expression.args
        if isinstance(one, (int, float)):
            return _collect(other, factor * one, terms)
        if isinstance(other, (int, float)):
            return _collect(one, factor * other, terms)
        raise NotLinear(f"it multiplies {_name(one)} by {_name(other)}")
    if getattr(expression, "is_variable_type", lambda: False)():
        terms.append((factor, expression.parent_component(), _as_tuple(expression.index())))
        return 0.0
    raise NotLinear(f"{expression} is no sum of multiples of indexed variables")


def _as_tuple(index: Any) -> tuple[Any, ...]:
    if index is None:
        return ()
    return index if index.__class__ is tuple else (index,)


def _name(expression: Any) -> str:
    return expression.args[0].name if isinstance(expression, GetItemExpression) else str(expression)


class Places:
    """Where the elements of indexed variables stand among columns (0..) and inputs (-1 - index)."""

    def __init__(self, first: Mapping[int, int]) -> None:
        self._first = first
        self._sizes: dict[int, list[Any]] = {}

    def of(self, term: Term, symbols: Mapping[int, Indices], count: int) -> Indices:
        """Signed places of one term for `count` rows; `symbols`: id of a symbol -> its value in every row."""
        _, variable, at = term
        first = self._first[id(variable)]
        offset: Any = np.zeros(count, dtype=np.int64)
        for ordinal, entry in zip(self._ordinals(variable), at, strict=True):
            size, numbered = ordinal
            value = _value(entry, symbols)
            offset = offset * size + (value - 1 if numbered is None else numbered[value])
        places: Indices = first + offset if first >= 0 else first - offset
        return places

    def _ordinals(self, variable: Any) -> list[Any]:
        """Per index set: its size, and the place of each member where it is not simply 1..n."""
        known = self._sizes.get(id(variable))
        if known is None:
            subsets = list(variable.index_set().subsets()) if variable.is_indexed() else []
            known = self._sizes[id(variable)] = [
                (len(s), None if isinstance(s, pyo.RangeSet) else {member: place for place, member in enumerate(s)}) for s in subsets
            ]
        return known


def _value(entry: Any, symbols: Mapping[int, Indices]) -> Any:
    """`t`, `t - 1` or a constant index."""
    if isinstance(entry, (int, str)):
        return entry
    if isinstance(entry, IndexTemplate):
        return symbols[id(entry)]
    if isinstance(entry, SumExpression):
        return sum([_value(part, symbols) for part in entry.args])
    raise NotLinear(f"{entry} is no index that can be laid over positions: use t, t - 1 or a number")
