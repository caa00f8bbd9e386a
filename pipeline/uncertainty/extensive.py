"""Extensive form: recourse columns repeated per scenario, first-stage columns shared. Expectation over the weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from pipeline.program.linear_program import BoundProgram, Floats, Indices, LinearProgram
from pipeline.program.names import RepeatedNames
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
    own = np.flatnonzero(~np.isin(np.arange(program.matrix.shape[1]), shared))
    index = _index(program, shared, own, count, weights)
    rows, (size, each) = program.matrix.shape[0], (shared.size, own.size)
    cost, offset = np.zeros(size + count * each), 0.0
    row_lower, row_upper = np.empty(count * rows), np.empty(count * rows)
    for s, (weight, inputs) in enumerate(zip(weights, scenarios, strict=True)):
        bound = program.bind(inputs)
        cost[:size] += weight * bound.cost[shared]
        cost[size + s * each : size + (s + 1) * each] = weight * bound.cost[own]
        row_lower[s * rows : (s + 1) * rows], row_upper[s * rows : (s + 1) * rows] = bound.row_lower, bound.row_upper
        offset += float(weight) * bound.offset
    whole = _stack(program, shared, own, count, cost)
    return BoundProgram(whole, np.zeros(0), cost, offset, row_lower, row_upper), index


def _index(program: LinearProgram, shared: Indices, own: Indices, count: int, weights: Floats) -> ScenarioIndex:
    rows, columns = program.matrix.shape
    place = np.empty((count, columns), dtype=np.int64)
    place[:, shared] = np.arange(shared.size)
    place[:, own] = shared.size + own.size * np.arange(count)[:, None] + np.arange(own.size)
    return ScenarioIndex(place, rows * np.arange(count)[:, None] + np.arange(rows), weights)


def _stack(program: LinearProgram, shared: Indices, own: Indices, count: int, cost: Floats) -> LinearProgram:
    rows, columns = program.matrix.shape[0], shared.size + count * own.size

    def spread(values: NDArray[Kind]) -> NDArray[Kind]:
        return np.concatenate([values[shared], np.tile(values[own], count)])

    names = program.column_names
    return LinearProgram(
        cost=cost, cost_by_input=sp.csr_array((columns, 0)), offset=0.0, offset_by_input=np.zeros(0),
        matrix=repeated(program.matrix, shared, own, count), matrix_by_input=sp.csr_array((rows * count, 0)),
        row_lower=np.tile(program.row_lower, count), row_upper=np.tile(program.row_upper, count),
        col_lower=spread(program.col_lower), col_upper=spread(program.col_upper), integer=spread(program.integer),
        row_names=RepeatedNames((), tuple(program.row_names), count),
        column_names=RepeatedNames(tuple(names[i] for i in shared), tuple(names[i] for i in own), count), input_names=(),
        column_term=spread(program.column_term), terms=program.terms, readout=sp.csr_array((0, columns)),
        readout_by_input=sp.csr_array((0, 0)), readout_offset=np.zeros(0), readout_names=(), inputs={}, positions=program.positions,
        step_h=program.step_h, rolling=program.rolling,
    )


def repeated(matrix: sp.csr_array, shared: Indices, own: Indices, count: int) -> sp.csr_array:
    """[common, recourse once per scenario], laid out entry by entry: from block matrices it takes three times as long."""
    rows, columns = matrix.shape
    place = np.empty(columns, dtype=np.int32)
    place[shared], place[own] = np.arange(shared.size), shared.size + np.arange(own.size)
    one = sp.csr_array((matrix.data, place[matrix.indices], matrix.indptr), shape=matrix.shape, copy=True)
    one.sort_indices()
    entries, whole = matrix.nnz, shared.size + count * own.size
    wide = np.int32 if max(entries * count, whole) < np.iinfo(np.int32).max else np.int64
    indices, pointer = np.empty(entries * count, dtype=wide), np.empty(rows * count + 1, dtype=wide)
    step = (one.indices >= shared.size) * own.size
    pointer[0] = 0
    for s in range(count):
        indices[s * entries : (s + 1) * entries] = one.indices + step * s
        pointer[s * rows + 1 : (s + 1) * rows + 1] = one.indptr[1:] + np.int64(s * entries)
    return sp.csr_array((np.tile(one.data, count), indices, pointer), shape=(rows * count, whole))
