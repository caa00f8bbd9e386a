"""Constraints -> rows. Templates are laid over their positions; every other row goes through Pyomo's own compiler."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyomo.environ as pyo
import scipy.sparse as sp
from pyomo.common.errors import InvalidConstraintError
from pyomo.core.base.constraint import TemplateConstraintData
from pyomo.core.expr import EqualityExpression, RangedExpression
from pyomo.repn.plugins.standard_form import LinearStandardFormCompiler

from pipeline.core.errors import InputError, Mistake
from pipeline.program.linear_program import Floats, Indices
from pipeline.program.templates import Linear, NotLinear, Places, read_linear
from pipeline.program.triplets import Triplets

Namer = Callable[[Any], dict[Any, str]]  # a component -> the name of each of its elements
REMEDY = (
    "only a price input times a decision, in the objective, can be compiled; write a coefficient as data, "
    "or a product of decisions as rows with segments or binaries"
)


@dataclass(frozen=True)
class Rows:
    """lower <= A x + B u <= upper: matrices (r, columns) and (r, inputs), bounds (r,)."""

    matrix: sp.csr_array
    by_input: sp.csr_array
    lower: Floats
    upper: Floats
    names: tuple[str, ...]


@dataclass
class _Gathered:
    names: list[str] = field(default_factory=list)
    entries: Triplets = field(default_factory=Triplets)
    limits: list[tuple[Indices, float, float]] = field(default_factory=list)
    plain: list[tuple[int, Any]] = field(default_factory=list)  # row, ConstraintData


def compile_rows(model: Any, position: dict[int, int], places: Places, namer: Namer, shape: tuple[int, int]) -> Rows:
    """All rows in the order of the model. `position`: id of a VarData -> signed place; `shape`: columns, inputs."""
    gathered = _Gathered()
    for component in model.component_objects(pyo.Constraint, active=True, descend_into=True):
        _gather(gathered, component, namer, places)
    count = len(gathered.names)
    lower, upper = np.full(count, -np.inf), np.full(count, np.inf)
    for rows, low, high in gathered.limits:
        lower[rows], upper[rows] = low, high
    _compile_plain(gathered, position, lower, upper)
    matrix, by_input = gathered.entries.split(count, shape)
    return Rows(matrix, by_input, lower, upper, tuple(gathered.names))


def _gather(gathered: _Gathered, component: Any, namer: Namer, places: Places) -> None:
    start, names = len(gathered.names), namer(component)
    keys = list(component._data)
    gathered.names += names.values() if len(keys) == len(names) else [names[key] for key in keys]
    templates: dict[int, tuple[Any, list[int]]] = {}
    for number, data in enumerate(component._data.values()):
        if data.__class__ is TemplateConstraintData:
            templates.setdefault(id(data._expr), (data._expr, []))[1].append(number)
        else:
            gathered.plain.append((start + number, data))
    if not templates:
        return
    indices = np.array(keys, dtype=np.int64).reshape(len(keys), -1)
    for (relation, symbols), numbers in templates.values():
        here = indices[numbers]
        values = {id(symbol): here[:, place] for place, symbol in enumerate(symbols)}
        try:
            _lay(gathered, relation, start + np.array(numbers, dtype=np.int64), values, places)
        except NotLinear as reason:
            raise InputError(Mistake(gathered.names[start + numbers[0]], str(reason), REMEDY)) from None


def _lay(gathered: _Gathered, relation: Any, rows: Indices, values: dict[int, Indices], places: Places) -> None:
    """One template over its rows, as lower <= terms <= upper with all variables in the middle."""
    sides, low, high = _sides(relation)
    for sign, side in sides:
        for term in side.terms:
            gathered.entries.add(rows, places.of(term, values, rows.size), sign * term[0])
    gathered.limits.append((rows, low, high))


def _sides(relation: Any) -> tuple[list[tuple[float, Linear]], float, float]:
    """`a <= b` is a - b <= 0; where a is a limit (shorter than b), b - a >= 0, as it was written: b >= a."""
    if isinstance(relation, RangedExpression):
        low, body, high = (read_linear(part) for part in relation.args)
        if low.terms or high.terms:
            raise NotLinear("a range with variables at its ends: write two laws")
        return [(1.0, body)], low.constant - body.constant, high.constant - body.constant
    left, right = (read_linear(part) for part in relation.args)
    if isinstance(relation, EqualityExpression):
        return [(1.0, left), (-1.0, right)], (limit := right.constant - left.constant), limit
    if len(left.terms) < len(right.terms):
        return [(1.0, right), (-1.0, left)], left.constant - right.constant, np.inf
    return [(1.0, left), (-1.0, right)], -np.inf, right.constant - left.constant


def _compile_plain(gathered: _Gathered, position: dict[int, int], lower: Floats, upper: Floats) -> None:
    """Rows that are no templates, by Pyomo's LinearStandardFormCompiler in mixed form; its two rows of a range become one."""
    if not gathered.plain:
        return
    rest = pyo.ConcreteModel()
    rest.rows = pyo.Constraint(pyo.RangeSet(len(gathered.plain)))
    for number, (_, data) in enumerate(gathered.plain, start=1):
        rest.rows[number] = data.expr
    rest.nothing = pyo.Objective(expr=0)
    try:
        found = LinearStandardFormCompiler().write(rest, mixed_form=True)
    except InvalidConstraintError:
        raise InputError(_nonlinear(gathered)) from None
    numbers = np.fromiter((row.constraint.index() - 1 for row in found.rows), dtype=np.int64, count=len(found.rows))
    senses = np.fromiter((row.bound_type for row in found.rows), dtype=np.int8, count=len(found.rows))  # 0 equal, 1 at most, -1 at least
    rows = np.array([row for row, _ in gathered.plain], dtype=np.int64)[numbers]
    rhs = np.asarray(found.rhs, dtype=float)
    lower[rows[senses != 1]] = rhs[senses != 1]
    upper[rows[senses != -1]] = rhs[senses != -1]
    first = np.ones(rows.size, dtype=bool)
    first[1:] = rows[1:] != rows[:-1]
    entries = sp.coo_array(sp.csr_array(found.A)[np.flatnonzero(first)])
    where = np.fromiter((position[id(v)] for v in found.columns), dtype=np.int64, count=len(found.columns))
    gathered.entries.add(rows[first][entries.coords[0]], where[entries.coords[1]], entries.data)


def _nonlinear(gathered: _Gathered) -> list[Mistake]:
    mistakes = []
    for row, data in gathered.plain:
        degree = data.body.polynomial_degree()
        if degree is None or degree > 1:
            mistakes.append(Mistake(gathered.names[row], f"it is not linear: {data.body}", REMEDY))
    return mistakes
