"""Why a program has no solution: an irreducible set of rows, bounds and inputs that conflict, in words a planner reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import highspy
import numpy as np
from numpy.typing import NDArray

from pipeline.program.highs import check, new_solver, pass_bound, set_option
from pipeline.program.linear_program import BoundProgram, Floats, component_of
from pipeline.program.solve import SolveOptions, Status, solve

SHOWN_TERMS = 6
IRREDUCIBLE = highspy.IisStrategy.kIisStrategyFromLp.value + highspy.IisStrategy.kIisStrategyIrreducible.value


@dataclass(frozen=True)
class ConflictingRow:
    """One law at one place and interval. `lower`/`upper` are the sides that take part; inputs are already in them."""

    name: str
    device: str
    law: str
    index: str  # "17", or "f01_b02,17": places, then the interval
    expression: str
    lower: float
    upper: float
    inputs: tuple[tuple[str, float], ...]

    def __str__(self) -> str:
        limits = _limits(self.expression, self.lower, self.upper)
        given = ", ".join(f"{name} = {value:g}" for name, value in self.inputs)
        return f"{self.device}: {self.law.replace('_', ' ')} at [{self.index}]: {limits}" + (f"   (given {given})" if given else "")


@dataclass(frozen=True)
class ConflictingBound:
    """A limit of one decision that takes part."""

    name: str
    lower: float
    upper: float

    def __str__(self) -> str:
        return f"limit: {_limits(self.name, self.lower, self.upper)}"


@dataclass(frozen=True)
class Conflict:
    """`irreducible`: leaving out any one row or bound makes the rest feasible. Empty where the program is feasible."""

    rows: tuple[ConflictingRow, ...]
    bounds: tuple[ConflictingBound, ...]
    irreducible: bool

    @property
    def inputs(self) -> dict[str, float]:
        """Every input that enters one of the rows, with its value."""
        return {name: value for row in self.rows for name, value in row.inputs}

    def __str__(self) -> str:
        if not self.rows and not self.bounds:
            return "nothing conflicts: the program is feasible"
        head = "these cannot all hold" + (":" if self.irreducible else " (the set may hold more than is needed):")
        given = [str(row) for row in self.rows if row.inputs]
        parts = [*given, *_through([row for row in self.rows if not row.inputs]), *_together(self.bounds)]
        return "\n".join([head, *(f"- {part}" for part in parts), "change one of the given values, or a limit"])


def _through(rows: list[ConflictingRow]) -> list[str]:
    """Rows without inputs carry the conflict from place to place: a planner needs to know which laws, not each row."""
    alike: dict[tuple[str, str], list[ConflictingRow]] = {}
    for row in rows:
        alike.setdefault((row.device, row.law), []).append(row)
    return [
        str(group[0]) if len(group) == 1
        else f"{device}: {law.replace('_', ' ')} at [{group[0].index}] .. [{group[-1].index}], {len(group)} rows"
        for (device, law), group in alike.items()
    ]


def _together(bounds: tuple[ConflictingBound, ...]) -> list[str]:
    """One line for all bounds of a component that say the same."""
    alike: dict[tuple[str, float, float], list[ConflictingBound]] = {}
    for bound in bounds:
        alike.setdefault((component_of(bound.name), bound.lower, bound.upper), []).append(bound)
    return [
        str(group[0]) if len(group) == 1
        else f"limits: {_limits(f'each of {group[0].name} .. {group[-1].name} ({len(group)})', group[0].lower, group[0].upper)}"
        for group in alike.values()
    ]


def explain(bound: BoundProgram, *, time_limit_s: float = 60.0) -> Conflict:
    """An irreducible conflicting set of an infeasible program.

    HiGHS finds it for linear programs. Where only whole numbers conflict, laws are left out one component at a time.
    """
    rows, columns, irreducible = _from_highs(bound, time_limit_s)
    if not rows and not columns and bound.program.integer.any():
        rows, irreducible = _by_deletion(bound, time_limit_s), False
    return Conflict(
        tuple(_row(bound, row, side) for row, side in rows),
        tuple(_bound(bound, column, side) for column, side in columns),
        irreducible,
    )


_Found = list[tuple[int, str]]  # index, side: lower, upper or both


def _from_highs(bound: BoundProgram, time_limit_s: float) -> tuple[_Found, _Found, bool]:
    solver = new_solver(seed=0, threads=1)
    pass_bound(solver, bound)
    whole = np.flatnonzero(bound.program.integer).astype(np.int32)
    if whole.size:
        check(solver.changeColsIntegrality(whole.size, whole, np.zeros(whole.size, dtype=np.uint8)), "changeColsIntegrality")
    set_option(solver, "time_limit", time_limit_s)
    set_option(solver, "iis_strategy", IRREDUCIBLE)
    status, found = solver.getIis()
    check(status, "getIis")
    if not found.valid_:
        return [], [], False
    rows = [(int(i), _side(side)) for i, side in zip(found.row_index_, found.row_bound_, strict=True)]
    columns = [(int(i), _side(side)) for i, side in zip(found.col_index_, found.col_bound_, strict=True)]
    certain = all(status == highspy.IisStatus.kIisStatusInConflict for status in _statuses(found))
    return [(i, side) for i, side in rows if side], [(i, side) for i, side in columns if side], certain


def _statuses(found: Any) -> list[Any]:
    rows = [found.row_status_[i] for i in found.row_index_]
    return rows + [found.col_status_[i] for i in found.col_index_]


def _side(status: Any) -> str:
    kinds = highspy.IisBoundStatus
    code = int(getattr(status, "value", status))
    sides = {kinds.kIisBoundStatusLower: "lower", kinds.kIisBoundStatusUpper: "upper", kinds.kIisBoundStatusBoxed: "both"}
    return {kind.value: side for kind, side in sides.items()}.get(code, "")


def _by_deletion(bound: BoundProgram, time_limit_s: float) -> _Found:
    """Rows of the components that are needed for the conflict: leave one component out at a time."""
    program = bound.program
    options = SolveOptions(time_limit_s=time_limit_s)
    lower, upper = bound.row_lower.copy(), bound.row_upper.copy()
    if solve(bound, options).status is not Status.infeasible:
        return []
    needed: list[NDArray[np.int64]] = []
    for index in program.row_index.values():
        kept = lower[index].copy(), upper[index].copy()
        lower[index], upper[index] = -np.inf, np.inf
        without = BoundProgram(program, bound.inputs, np.zeros_like(bound.cost), 0.0, lower, upper)
        if solve(without, options).status is not Status.infeasible:
            lower[index], upper[index] = kept
            needed.append(index)
    return [(int(row), "both") for index in needed for row in index]


def _row(bound: BoundProgram, row: int, side: str) -> ConflictingRow:
    program, name = bound.program, bound.program.row_names[row]
    component = component_of(name)
    device, _, law = component.partition(".")
    entries = program.matrix[[row]]
    given = program.matrix_by_input[[row]]
    lower = float(bound.row_lower[row]) if side in ("lower", "both") else -np.inf
    upper = float(bound.row_upper[row]) if side in ("upper", "both") else np.inf
    return ConflictingRow(
        name=name, device=device, law=law, index=name[len(component) + 1 : -1],
        expression=_expression(entries.data, [program.column_names[i] for i in entries.indices]),
        lower=lower, upper=upper,
        inputs=tuple((program.input_names[i], float(bound.inputs[i])) for i in given.indices),
    )


def _bound(bound: BoundProgram, column: int, side: str) -> ConflictingBound:
    program = bound.program
    return ConflictingBound(
        name=program.column_names[column],
        lower=float(program.col_lower[column]) if side in ("lower", "both") else -np.inf,
        upper=float(program.col_upper[column]) if side in ("upper", "both") else np.inf,
    )


def _expression(coefficients: Floats, names: list[str]) -> str:
    parts = [f"{'-' if c < 0 else '+'} {'' if abs(c) == 1 else f'{abs(c):g} '}{name}" for c, name in zip(coefficients, names, strict=True)]
    shown = parts[:SHOWN_TERMS] + ([f"+ {len(parts) - SHOWN_TERMS} more"] if len(parts) > SHOWN_TERMS else [])
    return " ".join(shown).removeprefix("+ ")


def _limits(expression: str, lower: float, upper: float) -> str:
    if lower == upper:
        return f"{expression} = {lower:g}"
    if not np.isfinite(upper):
        return f"{expression} >= {lower:g}" if np.isfinite(lower) else expression
    below = f"{lower:g} <= " if np.isfinite(lower) else ""
    return f"{below}{expression} <= {upper:g}"
