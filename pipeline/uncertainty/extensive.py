"""Extensive form: recourse columns repeated per scenario, first-stage columns shared. Expectation over the weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from pipeline.program.linear_program import BoundProgram, Floats, Indices, LinearProgram
from pipeline.uncertainty.refusals import check_weights

Kind = TypeVar("Kind", bound=np.generic)


@dataclass(frozen=True)
class ScenarioIndex:
    """`columns[s]`: where the program's columns stand in the extensive form for scenario s, (S, n). `rows[s]`: likewise, (S, r)."""

    columns: Indices
    rows: Indices
    weights: Floats

    def slice(self, x: Floats, scenario: int) -> Floats:
        """The program's columns (n,) in one scenario."""
        return np.asarray(x[self.columns[scenario]])

    def duals(self, row_dual: Floats, scenario: int) -> Floats:
        """Row duals (r,) of one scenario, still weighted with its probability."""
        return np.asarray(row_dual[self.rows[scenario]])


def extensive_form(
    program: LinearProgram, *, first_stage: Indices, scenarios: Floats, weights: Floats,
) -> tuple[BoundProgram, ScenarioIndex]:
    """One program over all scenarios, minimising the expected cost.

    first_stage: columns shared by all scenarios, binaries included. scenarios: (S, m) inputs. weights: (S,) probabilities.
    The result has no inputs left: names carry `@s` (from 1) behind what is repeated.
    """
    scenarios = np.atleast_2d(np.asarray(scenarios, dtype=float))
    count = len(scenarios)
    weights = check_weights(weights, count)
    shared = np.unique(np.asarray(first_stage, dtype=np.int64))
    own = np.setdiff1d(np.arange(program.matrix.shape[1]), shared)
    bounds = [program.bind(inputs) for inputs in scenarios]
    index = _index(program, shared, own, count, weights)
    cost = np.concatenate([sum(w * b.cost[shared] for w, b in zip(weights, bounds, strict=True)) if shared.size else np.zeros(0),
                           *(w * b.cost[own] for w, b in zip(weights, bounds, strict=True))])
    whole = _stack(program, shared, own, count, cost)
    bound = BoundProgram(
        program=whole, inputs=np.zeros(0), cost=cost, offset=float(sum(w * b.offset for w, b in zip(weights, bounds, strict=True))),
        row_lower=np.concatenate([b.row_lower for b in bounds]), row_upper=np.concatenate([b.row_upper for b in bounds]),
    )
    return bound, index


def _index(program: LinearProgram, shared: Indices, own: Indices, count: int, weights: Floats) -> ScenarioIndex:
    rows, columns = program.matrix.shape
    place = np.empty((count, columns), dtype=np.int64)
    place[:, shared] = np.arange(shared.size)
    place[:, own] = shared.size + own.size * np.arange(count)[:, None] + np.arange(own.size)
    return ScenarioIndex(place, rows * np.arange(count)[:, None] + np.arange(rows), weights)


def _stack(program: LinearProgram, shared: Indices, own: Indices, count: int, cost: Floats) -> LinearProgram:
    rows = program.matrix.shape[0]
    common, recourse = program.matrix[:, shared], program.matrix[:, own]
    blocks = sp.block_diag([recourse] * count, format="csr")
    matrix = sp.hstack([sp.vstack([common] * count, format="csr"), blocks], format="csr") if shared.size else blocks

    def spread(values: NDArray[Kind]) -> NDArray[Kind]:
        return np.concatenate([values[shared], np.tile(values[own], count)])

    names = [program.column_names[i] for i in own]
    columns = tuple(program.column_names[i] for i in shared) + tuple(f"{name}@{s}" for s in range(1, count + 1) for name in names)
    empty = sp.csr_array((0, len(columns)))
    return LinearProgram(
        cost=cost, cost_by_input=sp.csr_array((len(columns), 0)), offset=0.0, offset_by_input=np.zeros(0),
        matrix=sp.csr_array(matrix), matrix_by_input=sp.csr_array((rows * count, 0)),
        row_lower=np.tile(program.row_lower, count), row_upper=np.tile(program.row_upper, count),
        col_lower=spread(program.col_lower), col_upper=spread(program.col_upper), integer=spread(program.integer),
        row_names=tuple(f"{name}@{s}" for s in range(1, count + 1) for name in program.row_names), column_names=columns, input_names=(),
        column_term=spread(program.column_term), terms=program.terms, readout=empty, readout_by_input=sp.csr_array((0, 0)),
        readout_offset=np.zeros(0), readout_names=(), inputs={}, positions=program.positions, step_h=program.step_h,
        rolling=program.rolling,
    )
