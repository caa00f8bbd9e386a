"""A linear program that stays in HiGHS while rows are added and bounds of columns move: the master of a cutting-plane method."""

from __future__ import annotations

from dataclasses import dataclass

import highspy
import numpy as np

from pipeline.program.highs import check, new_solver, pass_bound, set_option
from pipeline.program.linear_program import BoundProgram, Floats, Indices
from pipeline.program.solve import SolveOptions, Status


@dataclass(frozen=True)
class Point:
    """x (n,) and its objective; x is None unless `status` is optimal."""

    status: Status
    objective: float
    x: Floats | None


class GrowingSolver:
    """Continuous; every solve starts from the last basis."""

    def __init__(self, bound: BoundProgram, options: SolveOptions) -> None:
        self._options = options
        self._solver = new_solver(seed=options.seed, threads=options.threads)
        set_option(self._solver, "solver", "simplex")
        pass_bound(self._solver, bound)
        columns = np.arange(bound.cost.size, dtype=np.int32)
        continuous = np.zeros(columns.size, dtype=np.uint8)
        check(self._solver.changeColsIntegrality(columns.size, columns, continuous), "changeColsIntegrality")

    def add_row(self, columns: Indices, values: Floats, lower: float, upper: float) -> None:
        """lower <= values @ x[columns] <= upper from now on."""
        check(self._solver.addRow(lower, upper, columns.size, columns.astype(np.int32), values), "addRow")

    def hold(self, columns: Indices, lower: Floats, upper: Floats) -> None:
        """New bounds of columns."""
        check(self._solver.changeColsBounds(columns.size, columns.astype(np.int32), lower, upper), "changeColsBounds")

    def limit(self, rows: Indices, lower: Floats, upper: Floats) -> None:
        """New bounds of rows."""
        check(self._solver.changeRowsBounds(rows.size, rows.astype(np.int32), lower, upper), "changeRowsBounds")

    def solve(self) -> Point:
        """The optimum as the program stands."""
        solver = self._solver
        set_option(solver, "time_limit", solver.getRunTime() + self._options.time_limit_s)
        if solver.run() == highspy.HighsStatus.kError:  # the last basis had become too rough to go on from
            check(solver.clearSolver(), "clearSolver")
            check(solver.run(), "run")
        status = _STATUS.get(solver.getModelStatus(), Status.failed)
        if status is not Status.optimal:
            return Point(status, np.nan, None)
        return Point(status, float(solver.getInfo().objective_function_value), np.array(solver.getSolution().col_value))


_STATUS = {
    highspy.HighsModelStatus.kOptimal: Status.optimal, highspy.HighsModelStatus.kInfeasible: Status.infeasible,
    highspy.HighsModelStatus.kUnboundedOrInfeasible: Status.infeasible, highspy.HighsModelStatus.kUnbounded: Status.unbounded,
    highspy.HighsModelStatus.kTimeLimit: Status.time_limit,
}
