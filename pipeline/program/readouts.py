"""Injections as named linear expressions that are no rows: y = R x + S u."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from pyomo.core.expr import (
    GetItemExpression,
    LinearExpression,
    MonomialTermExpression,
    NegationExpression,
    ProductExpression,
    SumExpression,
)
from pyomo.core.expr.template_expr import IndexTemplate

from pipeline.physics.block import Offer
from pipeline.program.linear_program import Floats, Indices

Term = tuple[float, Any, tuple[Any, ...]]  # coefficient, Pyomo Var, its index (one entry is the symbolic position)


@dataclass(frozen=True)
class Readouts:
    matrix: sp.csr_array
    by_input: sp.csr_array
    offset: Floats
    names: tuple[str, ...]


def compile_readouts(offers: Mapping[str, Offer], steps: Any, first: Mapping[int, int], shape: tuple[int, int]) -> Readouts:
    """Every injection of every block. A formula is read once, with a symbolic position, and laid over all positions.

    `steps`: the model's set of positions; `first`: id of a Pyomo Var -> signed position of its first element (inputs are
    -1 - index); `shape`: number of columns, number of inputs.
    """
    symbol, count = IndexTemplate(steps, 0, 0), len(steps)
    names: list[str] = []
    rows: list[Indices] = []
    places: list[Indices] = []
    data: list[Floats] = []
    for block, offer in offers.items():
        lower = "injection_lower" if offer.is_tie else "injection"
        for label, injections in ((lower, offer.injection), ("injection_upper", offer.injection_upper)):
            for carrier, injection in injections.items():
                start = len(names)
                names += [f"{block}.{label}[{carrier},{t}]" for t in range(1, count + 1)]
                for coefficient, variable, at in linear_terms(injection(symbol)):
                    rows.append(np.arange(start, start + count))
                    places.append(_places(variable, at, symbol, first[id(variable)]))
                    data.append(np.full(count, coefficient))
    row = np.concatenate(rows) if rows else np.zeros(0, dtype=np.int64)
    place = np.concatenate(places) if places else np.zeros(0, dtype=np.int64)
    value = np.concatenate(data) if data else np.zeros(0)
    chosen = place >= 0
    matrix = sp.csr_array((value[chosen], (row[chosen], place[chosen])), shape=(len(names), shape[0]))
    by_input = sp.csr_array((value[~chosen], (row[~chosen], -1 - place[~chosen])), shape=(len(names), shape[1]))
    return Readouts(matrix, by_input, np.zeros(len(names)), tuple(names))


def linear_terms(expression: Any, factor: float = 1.0) -> list[Term]:
    """Sums, differences and multiples of indexed variables; anything else is refused: an injection is no place for more."""
    kind = expression.__class__
    if kind in (int, float) and expression == 0:
        return []
    if kind is GetItemExpression or isinstance(expression, GetItemExpression):
        variable, *at = expression.args
        return [(factor, variable, tuple(at))]
    if isinstance(expression, NegationExpression):
        return linear_terms(expression.args[0], -factor)
    if isinstance(expression, (ProductExpression, MonomialTermExpression)):
        one, other = expression.args
        if isinstance(one, (int, float)):
            return linear_terms(other, factor * one)
        if isinstance(other, (int, float)):
            return linear_terms(one, factor * other)
    if isinstance(expression, (SumExpression, LinearExpression)):
        return [term for part in expression.args for term in linear_terms(part, factor)]
    raise TypeError(f"an injection is a linear expression of indexed variables; this is not: {expression}")


def _places(variable: Any, at: tuple[Any, ...], symbol: IndexTemplate, first: int) -> Indices:
    """Signed positions of variable[at] for every position, from the order of the variable's index sets."""
    place: Any = np.zeros(1, dtype=np.int64)
    for subset, entry in zip(variable.index_set().subsets(), at, strict=True):
        members = len(subset)
        offset = np.arange(members) if entry is symbol else list(subset).index(entry)
        place = place * members + offset
    return first + place if first >= 0 else first - place
