"""Two-stage programs small enough to be solved a hundred times: units that are switched or sized ahead, demand that is met later."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp

from pipeline.program.linear_program import Floats, InputSpec, LinearProgram
from pipeline.uncertainty.monolith import solve_scenario_program
from pipeline.uncertainty.two_stage import TwoStage

SHORTAGE_PRICE = 50.0


def program_of(cost: Floats, matrix: Floats, by_input: Floats, *, row_lower: Floats, row_upper: Floats, col_upper: Floats,
               integer: Floats | None = None, cost_by_input: Floats | None = None, offset: float = 0.0,
               names: tuple[tuple[str, ...], tuple[str, ...]] | None = None) -> LinearProgram:
    """A LinearProgram from dense arrays, columns non-negative. names: of rows and of columns."""
    matrix, by_input = np.atleast_2d(matrix), np.atleast_2d(by_input)
    (r, n), m = matrix.shape, by_input.shape[1]
    rows, columns = names or (tuple(f"a.row[{i}]" for i in range(r)), tuple(f"a.column_kw[{i}]" for i in range(n)))
    priced = np.zeros((n, m)) if cost_by_input is None else cost_by_input
    whole = np.zeros(n, dtype=bool) if integer is None else np.asarray(integer, dtype=bool)
    return LinearProgram(
        cost=np.asarray(cost, dtype=float), cost_by_input=sp.csr_array(priced), offset=offset, offset_by_input=np.zeros(m),
        matrix=sp.csr_array(matrix.astype(float)), matrix_by_input=sp.csr_array(by_input.astype(float)),
        row_lower=np.asarray(row_lower, dtype=float), row_upper=np.asarray(row_upper, dtype=float), col_lower=np.zeros(n),
        col_upper=np.asarray(col_upper, dtype=float), integer=whole,
        row_names=rows, column_names=columns, input_names=tuple(f"a.demand_kw[{i}]" for i in range(m)),
        column_term=np.zeros(n, dtype=np.int16), terms=("cost",), readout=sp.csr_array((0, n)), readout_by_input=sp.csr_array((0, m)),
        readout_offset=np.zeros(0), readout_names=(), inputs={"a.demand_kw": InputSpec("a", "demand_kw", "series")},
        positions=1, step_h=1.0, rolling=False,
    )


def units(seed: int, *, slots: int = 2, switched: bool = False, count: int = 2) -> LinearProgram:
    """`count` units, on or sized ahead (first `count` columns), produce per slot; shortage 50, surplus 5, a shared energy limit.

    Columns: size or on (count), output (slots x count), shortage, surplus (slots each). Inputs: demand (slots).
    """
    rng = np.random.default_rng(seed)
    n, width = slots * count, count + slots * count + 2 * slots
    cost = np.concatenate([rng.uniform(1, 20, count), rng.uniform(0.2, 3, n), np.full(slots, SHORTAGE_PRICE), np.full(slots, 5.0)])
    rows, lower, upper, names = [], [], [], []
    for t in range(slots):
        balance = np.zeros(width)
        balance[count + t * count: count + (t + 1) * count] = 1.0
        balance[count + n + t], balance[count + n + slots + t] = 1.0, -1.0
        rows.append(balance), lower.append(0.0), upper.append(0.0), names.append(f"a.balance[{t}]")
        for i in range(count):
            limit = np.zeros(width)
            limit[i], limit[count + t * count + i] = -(rng.uniform(4, 12) if switched else 1.0), 1.0
            rows.append(limit), lower.append(-np.inf), upper.append(0.0), names.append(f"a.limit[{t},{i}]")
    energy = np.zeros(width)
    energy[count: count + n] = 1.0
    rows.append(energy), lower.append(-np.inf), upper.append(rng.uniform(8, 20)), names.append("a.energy[0]")
    by_input = np.zeros((len(rows), slots))
    by_input[[t * (count + 1) for t in range(slots)], range(slots)] = -1.0
    col_upper = np.full(width, np.inf)
    col_upper[:count] = 1.0 if switched else 15.0
    integer = np.zeros(width)
    integer[:count] = switched
    columns = tuple(f"a.column_kw[{i}]" for i in range(width))
    return program_of(cost, np.array(rows), by_input, row_lower=lower, row_upper=upper, col_upper=col_upper, integer=integer,
                      offset=float(rng.uniform(-2, 2)), names=(tuple(names), columns))


def two_stage(seed: int, *, scenarios: int = 4, switched: bool = False, slots: int = 2) -> TwoStage:
    program = units(seed, switched=switched, slots=slots)
    rng = np.random.default_rng(seed + 1000)
    weights = rng.uniform(0.2, 1, scenarios)
    return TwoStage(program, np.arange(2), rng.uniform(1, 12, (scenarios, slots)), weights / weights.sum())


def distances(given: TwoStage) -> Floats:
    return np.abs(given.scenarios[:, None] - given.scenarios[None]).mean(axis=2)


def alone(given: TwoStage, s: int) -> TwoStage:
    """One scenario, certain."""
    return replace(given, scenarios=given.scenarios[[s]], weights=np.ones(1))


def worded_masters(monkeypatch: pytest.MonkeyPatch, module: str, raised: Callable[[int], float], words: str, *,
                   first: int = 1) -> list[int]:
    """Masters of a search by rounds say `words` of their number, from `first` on, and have their bound raised. Their numbers so far."""
    count: list[int] = []

    def solved(bound, options, **named):
        solution, way = solve_scenario_program(bound, options, **named)
        count.append(first + len(count))
        return replace(solution, bound=solution.bound + raised(count[-1]), words=words.format(count[-1])), way

    monkeypatch.setattr(f"pipeline.uncertainty.{module}.solve_scenario_program", solved)
    return count
