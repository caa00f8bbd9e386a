"""Limits of columns that follow from rows: a store without a limit of its own holds no more than what can be charged until then."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.program.linear_program import BoundProgram, Floats, Indices

ROUNDS = 100  # along a chain of rows, one further each


def implied_limits(bound: BoundProgram) -> tuple[Floats, Floats]:
    """Lower and upper limits (n,), (n,) of the columns: their own, and where there is none the tightest that a row implies.

    A limit that was found stays: what is asked is that there is one. Every feasible point keeps them, up to rounding.
    """
    program = bound.program
    lower, upper = program.col_lower.copy(), program.col_upper.copy()
    entries = _Entries(bound)
    for _ in range(ROUNDS):
        low, high = entries.limits(lower, upper)
        new_low, new_high = np.isinf(lower) & np.isfinite(low), np.isinf(upper) & np.isfinite(high)
        if not new_low.any() and not new_high.any():
            break
        lower[new_low], upper[new_high] = low[new_low], high[new_high]
    return lower, upper


class _Entries:
    """Entries of all rows: row, column and value of each."""

    def __init__(self, bound: BoundProgram) -> None:
        matrix = bound.program.matrix
        self.rows, self.columns = matrix.shape
        row, there = np.repeat(np.arange(self.rows), np.diff(matrix.indptr)), matrix.data != 0
        self.row: Indices = row[there]
        self.column, self.value = matrix.indices[there], matrix.data[there]
        self.row_lower, self.row_upper = bound.row_lower[self.row], bound.row_upper[self.row]

    def limits(self, lower: Floats, upper: Floats) -> tuple[Floats, Floats]:
        """What each row leaves to each of its columns when the others stand at their limits (n,)."""
        least = self.value * np.where(self.value > 0, lower[self.column], upper[self.column])
        most = self.value * np.where(self.value > 0, upper[self.column], lower[self.column])
        above = (self.row_upper - self._others(least, -np.inf)) / self.value
        below = (self.row_lower - self._others(most, np.inf)) / self.value
        positive = self.value > 0
        low, high = np.full(self.columns, -np.inf), np.full(self.columns, np.inf)
        np.maximum.at(low, self.column, np.where(positive, below, above))
        np.minimum.at(high, self.column, np.where(positive, above, below))
        return low, high

    def _others(self, share: Floats, beyond: float) -> Floats:
        """Sum of a row's shares less the entry's own; `beyond` where another one has no limit."""
        unlimited: NDArray[np.bool_] = ~np.isfinite(share)
        finite = np.where(unlimited, 0.0, share)
        number = np.bincount(self.row, unlimited, self.rows)[self.row] - unlimited
        total = np.bincount(self.row, finite, self.rows)[self.row] - finite
        return np.where(number > 0, beyond, total)
