"""The scenarios of a two-stage program side by side: rows, columns and matrix once, numbers by scenario."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from pipeline.program.linear_program import Floats, Indices
from pipeline.uncertainty.two_stage import TwoStage

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Family:
    """S scenarios, r rows, n columns. Costs are those of each scenario by itself, without its weight."""

    matrix: sp.csr_array  # (r, n)
    cost: Floats  # (S, n)
    offset: Floats  # (S,)
    row_lower: Floats  # (S, r)
    row_upper: Floats
    col_lower: Floats  # (S, n)
    col_upper: Floats
    shared: Mask  # (n,) first-stage columns: one value in all scenarios
    integer: Mask  # (n,)

    @property
    def scenarios(self) -> int:
        return len(self.offset)

    def rows(self, kept: Indices | Mask) -> Family:
        """Only these rows."""
        return replace(self, matrix=self.matrix[kept], row_lower=self.row_lower[:, kept], row_upper=self.row_upper[:, kept])


def family_of(given: TwoStage) -> Family:
    """Every scenario bound. Costs of first-stage columns are the scenario's own too."""
    program = given.program
    count, (rows, columns) = len(given.scenarios), program.matrix.shape
    cost, offset = np.empty((count, columns)), np.empty(count)
    lower, upper = np.empty((count, rows)), np.empty((count, rows))
    for s, inputs in enumerate(given.scenarios):
        bound = program.bind(inputs)
        cost[s], offset[s], lower[s], upper[s] = bound.cost, bound.offset, bound.row_lower, bound.row_upper
    shared = np.zeros(columns, dtype=bool)
    shared[given.first_stage] = True
    col_lower, col_upper = (np.tile(bound, (count, 1)) for bound in (program.col_lower, program.col_upper))
    return Family(program.matrix, cost, offset, lower, upper, col_lower, col_upper, shared, program.integer)


def columns_of(rows: Indices, matrix: sp.csr_array) -> tuple[Indices, Indices, Floats]:
    """Entries of some rows: (place among `rows`, column, value)."""
    part = matrix[rows]
    return np.repeat(np.arange(len(rows)), np.diff(part.indptr)), part.indices.astype(np.int64), part.data
