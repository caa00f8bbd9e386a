"""One scenario of a family as a live program: the trial, other means, and each scenario in turn start from the last basis."""

from __future__ import annotations

from typing import Any

import highspy
import numpy as np
import scipy.sparse as sp

from pipeline.program.highs import check, keep_parallel_columns, new_solver, pass_arrays, set_option
from pipeline.program.linear_program import Floats
from pipeline.uncertainty.decomposition.pricing import LITTLE, PERTURBATION


class TrialFailed(Exception):
    """One scenario alone has no optimum: carries the solver's word."""


class OneScenario:
    """Numbers change, the matrix (r, n) stays. Integrality is left out."""

    def __init__(self, matrix: sp.csr_array) -> None:
        self._matrix = matrix
        self._rows, self._columns = (np.arange(count, dtype=np.int32) for count in matrix.shape)
        self._live: Any = None

    def solve(self, cost: Floats, col_lower: Floats, col_upper: Floats, row_lower: Floats, row_upper: Floats) -> tuple[Floats, Floats]:
        """Columns (n,) and row duals (r,). Raises TrialFailed."""
        rows, columns = self._rows, self._columns
        if self._live is None:
            self._open(cost, col_lower, col_upper, row_lower, row_upper)
        else:
            check(self._live.changeColsCost(columns.size, columns, cost), "changeColsCost")
            check(self._live.changeColsBounds(columns.size, columns, col_lower, col_upper), "changeColsBounds")
            check(self._live.changeRowsBounds(rows.size, rows, row_lower, row_upper), "changeRowsBounds")
        check(self._live.run(), "run")
        status = self._live.getModelStatus()
        if status != highspy.HighsModelStatus.kOptimal:
            raise TrialFailed(f"one scenario ended as {self._live.modelStatusToString(status)}")
        found = self._live.getSolution()
        return np.array(found.col_value), np.array(found.row_dual)

    def _open(self, cost: Floats, col_lower: Floats, col_upper: Floats, row_lower: Floats, row_upper: Floats) -> None:
        self._live = new_solver(seed=0, threads=1)
        set_option(self._live, "solver", "simplex")
        keep_parallel_columns(self._live)
        set_option(self._live, PERTURBATION, LITTLE)
        pass_arrays(self._live, self._matrix, cost, (col_lower, col_upper), (row_lower, row_upper))

    def close(self) -> None:
        """Give its memory back; the next solve starts from nothing."""
        self._live = None
