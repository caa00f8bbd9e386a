"""Solve a bound program with HiGHS. The status is a value, not an exception."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, Literal

import highspy
import numpy as np
from numpy.typing import NDArray

from pipeline.program.dual_bound import Proven, dual_bound
from pipeline.program.highs import basis_arrays, check, keep_parallel_columns, new_solver, pass_bound, set_basis, set_option
from pipeline.program.linear_program import BoundProgram, Floats, LinearProgram, dot

Basis = tuple[NDArray[np.int8], NDArray[np.int8]]  # columns, rows: 0 lower, 1 basic, 2 upper, 3 zero, 4 nonbasic


class Status(Enum):
    """`time_limit` may carry an incumbent in x."""

    optimal = "optimal"
    time_limit = "time_limit"
    infeasible = "infeasible"
    unbounded = "unbounded"
    failed = "failed"


@dataclass(frozen=True)
class SolveOptions:
    """`auto`: dual simplex; interior point is for programs too big for it (crossover off leaves no basis)."""

    method: Literal["auto", "simplex", "ipm", "hipo"] = "auto"
    crossover: bool = True
    time_limit_s: float = 600.0
    threads: int = 1
    seed: int = 0
    mip_gap_share: float = 1e-4
    presolve: bool = True
    merge_parallel: bool = True  # columns, in presolve

    def since(self, started: float) -> SolveOptions:
        """With what is left of the time limit by a clock (`time.perf_counter`) that stood at `started`."""
        return replace(self, time_limit_s=max(self.time_limit_s - (time.perf_counter() - started), 0.0))


@dataclass(frozen=True)
class Solution:
    """x (n,) is None where no feasible point is known.

    Duals are d objective / d row bound; for a MIP those of the LP with integers fixed, as is its basis. words: what `bound` takes for
    granted; empty where nothing is.
    """

    status: Status
    objective: float
    bound: float
    gap: float
    x: Floats | None
    row_dual: Floats | None
    reduced_cost: Floats | None
    basis: Basis | None
    seconds: float
    iterations: int
    words: str = ""


_STATUS = {
    highspy.HighsModelStatus.kOptimal: Status.optimal,
    highspy.HighsModelStatus.kModelEmpty: Status.optimal,
    highspy.HighsModelStatus.kInfeasible: Status.infeasible,
    highspy.HighsModelStatus.kUnbounded: Status.unbounded,
    highspy.HighsModelStatus.kTimeLimit: Status.time_limit,
    highspy.HighsModelStatus.kIterationLimit: Status.time_limit,
    highspy.HighsModelStatus.kInterrupt: Status.time_limit,
}


def solve(bound: BoundProgram, options: SolveOptions | None = None) -> Solution:
    """Solve once, cold."""
    options = options or SolveOptions()
    solver = _solver(bound.program, options)
    pass_bound(solver, bound)
    return _run(solver, bound, options)


class LiveSolver:
    """A program kept in HiGHS: each solve changes bounds and costs in place and starts from the last basis, or the one given."""

    def __init__(self, program: LinearProgram, options: SolveOptions | None = None) -> None:
        self._program = program
        self._options = options or SolveOptions()
        self._solver = _solver(program, self._options)
        self._last: BoundProgram | None = None

    def solve(self, inputs: Floats, *, basis: Basis | None = None) -> Solution:
        """Solution for these inputs. With `basis` it depends on inputs and basis alone, not on what was solved before."""
        bound = self._program.bind(inputs)
        # With a basis the model is handed over whole: HiGHS keeps scaling and weights of earlier solves through changes in place,
        # and a resumed day would differ from the uninterrupted one in its last bits.
        if self._last is None or basis is not None or self._program.integer.any():
            pass_bound(self._solver, bound)
        else:
            self._change(self._last, bound)
        self._last = bound
        if basis is not None:
            set_basis(self._solver, basis)
        return _run(self._solver, bound, self._options)

    @property
    def last(self) -> BoundProgram:
        """The program as it was last solved. Raises ValueError before the first solve."""
        if self._last is None:
            raise ValueError("nothing was solved yet")
        return self._last

    def _change(self, last: BoundProgram, bound: BoundProgram) -> None:
        """Only what moved, in one call each."""
        solver = self._solver
        rows = np.flatnonzero((bound.row_lower != last.row_lower) | (bound.row_upper != last.row_upper)).astype(np.int32)
        columns = np.flatnonzero(bound.cost != last.cost).astype(np.int32)
        check(solver.changeRowsBounds(rows.size, rows, bound.row_lower[rows], bound.row_upper[rows]), "changeRowsBounds")
        check(solver.changeColsCost(columns.size, columns, bound.cost[columns]), "changeColsCost")
        check(solver.changeObjectiveOffset(bound.offset), "changeObjectiveOffset")


def _solver(program: LinearProgram, options: SolveOptions) -> Any:
    solver = new_solver(seed=options.seed, threads=options.threads)
    method = "simplex" if options.method == "auto" else options.method
    set_option(solver, "solver", "choose" if program.integer.any() else method)
    set_option(solver, "run_crossover", "on" if options.crossover else "off")
    set_option(solver, "mip_rel_gap", options.mip_gap_share)
    set_option(solver, "presolve", "choose" if options.presolve else "off")
    if not options.merge_parallel:
        keep_parallel_columns(solver)
    return solver


def _run(solver: Any, bound: BoundProgram, options: SolveOptions) -> Solution:
    started = time.perf_counter()
    # HiGHS holds its limit against the sum of all runs of one solver.
    set_option(solver, "time_limit", solver.getRunTime() + options.time_limit_s)
    check(solver.run(), "run")
    status = _model_status(solver, options)
    found = solver.getInfo()
    iterations = int(max(0, found.simplex_iteration_count) + max(0, found.ipm_iteration_count))
    feasible = found.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible.value
    if not feasible or status not in (Status.optimal, Status.time_limit):
        return Solution(status, np.nan, -np.inf, np.inf, None, None, None, None, time.perf_counter() - started, iterations)
    solution = solver.getSolution()
    x = np.array(solution.col_value)
    best, gap = (-np.inf, np.inf) if status is Status.time_limit else (np.nan, 0.0)
    words = ""
    if bound.program.integer.any():
        best, gap = float(found.mip_dual_bound), float(found.mip_gap)
        x, solution = _fix_integers(solver, bound, x)
    objective = dot(bound.cost, x) + bound.offset
    best = objective if np.isnan(best) else best
    basis = basis_arrays(solver, bound, x)
    row_dual = np.array(solution.row_dual) if solution.dual_valid else None
    reduced_cost = bound.cost - bound.program.matrix.T @ row_dual if row_dual is not None else None
    if status is Status.optimal and basis is None and options.method in ("ipm", "hipo") and not bound.program.integer.any():
        proven = Proven(-np.inf, 0) if row_dual is None else dual_bound(bound, x, row_dual)
        best, words = min(objective, proven.value), proven.words
        gap = (objective - best) / max(abs(best), 1e-9)
    return Solution(status, objective, best, gap, x, row_dual, reduced_cost, basis, time.perf_counter() - started, iterations, words)


def _model_status(solver: Any, options: SolveOptions) -> Status:
    status = solver.getModelStatus()
    if status == highspy.HighsModelStatus.kUnboundedOrInfeasible:  # presolve cannot tell; without it HiGHS can
        set_option(solver, "presolve", "off")
        check(solver.run(), "run")
        set_option(solver, "presolve", "choose" if options.presolve else "off")
        status = solver.getModelStatus()
    if status == highspy.HighsModelStatus.kUnknown and options.method in ("ipm", "hipo"):
        # Interior point met its gap, but its dual is too rough once presolve is undone: a vertex is clean, and another run of the same
        # method, with crossover, was measured to take as long again.
        set_option(solver, "solver", "simplex")
        check(solver.run(), "run")
        set_option(solver, "solver", options.method)
        status = solver.getModelStatus()
    return _STATUS.get(status, Status.failed)


def _fix_integers(solver: Any, bound: BoundProgram, x: Floats) -> tuple[Floats, Any]:
    """Prices of a MIP are those of the LP with its integers fixed: its vertex, and HiGHS's solution with duals."""
    columns = np.flatnonzero(bound.program.integer).astype(np.int32)
    values = np.round(x[columns])
    check(solver.changeColsBounds(columns.size, columns, values, values), "changeColsBounds")
    continuous = np.zeros(columns.size, dtype=np.uint8)
    check(solver.changeColsIntegrality(columns.size, columns, continuous), "changeColsIntegrality")
    set_option(solver, "time_limit", np.inf)  # a vertex of a linear program, started from the incumbent
    check(solver.run(), "run with integers fixed")
    solution = solver.getSolution()
    if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return x, solution
    return np.array(solution.col_value), solution
