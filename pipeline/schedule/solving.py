"""Solving one day: what a run may still spend, and every scenario met with the first stage held.

A treatment of uncertainty gives the first stage and a bound. Then each scenario is met again with the first stage frozen, by warm
simplex. That gives vertices: clean set-points, exact balances and duals, and the true cost of the first stage in each scenario.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace

import numpy as np

from pipeline.core.errors import NoSchedule
from pipeline.program.linear_program import Floats
from pipeline.program.solve import LiveSolver, Solution, SolveOptions, Status, solve
from pipeline.schedule.desk import Desk
from pipeline.schedule.exclusive import BOTH_KW, Pairs, pairs_of, solve_exclusively
from pipeline.schedule.findings import Finding
from pipeline.schedule.rules import Rules
from pipeline.uncertainty.affine_policy import AffinePolicy
from pipeline.uncertainty.expectation import Recourse, mean
from pipeline.uncertainty.monolith import NoDecision
from pipeline.uncertainty.two_stage import Decision

CLOSE = 1e-6  # interior point and the vertices it leads to agree to this share: the schedule is proven optimal


@dataclass(frozen=True)
class DayAheadOptions:
    """Limits and choices of a day-ahead solve; `value_of_stochastic_solution` costs one more solve.

    explains: search for the rows that conflict where no schedule exists, which may take a minute.
    """

    time_limit_s: float = 600.0
    mip_gap_share: float = 1e-4
    seed: int = 0
    value_of_stochastic_solution: bool = True
    explains: bool = True


@dataclass
class Work:
    """One run: what it may still spend and what it found on the way."""

    desk: Desk
    options: DayAheadOptions
    findings: tuple[Finding, ...]
    started: float
    pairs: Pairs

    def left(self) -> SolveOptions:
        """What remains of the time limit."""
        asked = self.options
        return SolveOptions(time_limit_s=asked.time_limit_s, seed=asked.seed, mip_gap_share=asked.mip_gap_share).since(self.started)

    def warn(self, check: str, place: str, message: str) -> None:
        """A finding that makes the day degraded."""
        self.findings += (Finding("day_ahead", "warning", check, place, message),)

    def inform(self, check: str, place: str, message: str) -> None:
        """A finding to know of; the day stays good."""
        self.findings += (Finding("day_ahead", "info", check, place, message),)

    @property
    def status(self) -> str:
        found = {finding.check for finding in self.findings}
        return next((check for check in ("time_limit", "gap_left") if check in found), "optimal")


def work_on(desk: Desk, options: DayAheadOptions | None = None, findings: tuple[Finding, ...] = ()) -> Work:
    """A run that begins now."""
    return Work(desk, options or DayAheadOptions(), findings, time.perf_counter(), pairs_of(desk))


@dataclass(frozen=True)
class Found:
    """x (S, n) per scenario; row_dual (r,) expected; objective: expected cost, bound and gap of what the treatment minimised."""

    x: Floats
    row_dual: Floats | None
    objective: float
    bound: float
    gap: float
    status: str
    kpis: dict[str, tuple[str, float]] = field(default_factory=dict)
    decision: Decision | None = None
    policy: AffinePolicy | None = None
    rules: Rules | None = None  # the policy, as real time follows it


def checked(work: Work, solution: Solution, inputs: Floats, place: str) -> Solution:
    """The solution without simultaneous charging, flagged where time ran out. Raises NoSchedule without one."""
    if solution.x is None:
        raise no_schedule(work, solution, inputs)
    if solution.status is Status.time_limit:
        work.warn("time_limit", place or "schedule", "the solver met its time limit: its best schedule so far is used")
    better, binaries = solve_exclusively(work.desk, work.pairs, inputs, solution, work.left())
    if binaries < 0:
        work.warn("simultaneous_charging", place or "schedule", "a schedule without charging and discharging at once was not found in time")
    if better.status is Status.time_limit and solution.status is not Status.time_limit:
        work.warn("time_limit", place or "schedule", "the solver met its time limit with binaries: its best schedule so far is used")
    return better


def warn_of_end(work: Work, decision: Decision, what: str = "schedule so far is") -> None:
    """A finding where the search for a decision did not end at its gap: whether the time limit ended it, or what else."""
    if decision.status is Status.optimal:
        return
    if decision.ended:
        work.warn("gap_left", "schedule", f"{decision.ended}: the best {what} used")
    else:
        work.warn("time_limit", "schedule", f"the solver met its time limit: its best {what} used")


def no_schedule(work: Work, solution: Solution, inputs: Floats) -> NoSchedule:
    """Why there is none, with the rows and inputs that conflict."""
    case, day = work.desk.case, work.desk.day
    head = f"no day-ahead schedule of {case.name} for {day.date}"
    if solution.status is Status.infeasible and not work.options.explains:
        return NoSchedule(f"{head}: nothing meets every limit", proven=True)
    if solution.status is Status.infeasible:
        from pipeline.program.explain import explain

        return NoSchedule(f"{head}: these rows and inputs conflict\n{explain(work.desk.program.bind(inputs))}", proven=True)
    if solution.status is Status.time_limit:
        return NoSchedule(f"{head}: nothing feasible within {work.options.time_limit_s:g} s; raise settings.solver_time_limit_s")
    return NoSchedule(f"{head}: the solver ended as {solution.status.value}")


def undecided(work: Work, none: NoDecision, inputs: Floats) -> NoSchedule:
    """The same for a treatment that found no first stage: what it says, or the rows that conflict where one scenario has no schedule.

    inputs: (m,) of that scenario.
    """
    if none.status is Status.infeasible:
        alone = solve(work.desk.program.bind(inputs), work.left())
        if alone.status is Status.infeasible:
            return no_schedule(work, alone, inputs)
    return NoSchedule(f"no day-ahead schedule of {work.desk.case.name} for {work.desk.day.date}: {none}")


@dataclass(frozen=True)
class Met:
    """Every scenario with the first stage held. costs: (S,) as met; relaxed: (S,) before binaries against charging both ways."""

    x: Floats
    row_dual: Floats | None
    costs: Floats
    relaxed: Floats


def meet(work: Work, recourse: Recourse, first: Floats, scenarios: Floats, weights: Floats) -> Met:
    """Best recourse of each scenario (S, m) to first-stage values. Raises NoSchedule where one has none."""
    program, count = recourse.program, len(scenarios)
    recourse = one_way(work, recourse, first)
    x = np.empty((count, program.matrix.shape[1]))
    dual: Floats | None = np.zeros(program.matrix.shape[0])
    costs, relaxed = np.empty(count), np.empty(count)
    held = frozen_work(work, recourse)
    for s in range(count):
        inputs = np.concatenate([scenarios[s], first])
        solution = recourse.live.solve(inputs)
        relaxed[s] = solution.objective
        solution = checked(held, solution, inputs, f"scenario {s + 1}" if count > 1 else "")
        assert solution.x is not None
        x[s, recourse.first_stage], x[s, recourse.rest] = first, solution.x
        costs[s] = solution.objective
        dual = None if dual is None or solution.row_dual is None else dual + weights[s] * solution.row_dual
    work.findings = held.findings
    return Met(x, dual, costs, relaxed)


def frozen_work(work: Work, recourse: Recourse) -> Work:
    """The same run on the frozen program, whose inputs are longer and whose columns are fewer."""
    place = np.full(recourse.program.matrix.shape[1], -1, dtype=np.int64)
    place[recourse.rest] = np.arange(recourse.rest.size)
    charge, discharge = place[work.pairs.charge], place[work.pairs.discharge]
    free = (charge >= 0) & (discharge >= 0)  # a store whose powers are decided ahead has nothing left to choose
    pairs = Pairs(charge[free], discharge[free], work.pairs.mode[free])
    return replace(work, desk=replace(work.desk, program=recourse.frozen), pairs=pairs)


def one_way(work: Work, recourse: Recourse, first: Floats) -> Recourse:
    """The recourse without the partner of what was decided ahead: where a store's charging is held and moves, it cannot discharge.

    Of such a pair one column is a value and the other a decision, so that a bound excludes both at once, and no binary is needed.
    """
    held, place = np.zeros(recourse.program.matrix.shape[1]), np.full(recourse.program.matrix.shape[1], -1, dtype=np.int64)
    held[recourse.first_stage], place[recourse.rest] = first, np.arange(recourse.rest.size)
    pairs = work.pairs
    partners = np.concatenate([pairs.discharge[held[pairs.charge] > BOTH_KW], pairs.charge[held[pairs.discharge] > BOTH_KW]])
    partners = place[partners]
    barred = partners[partners >= 0]
    if not barred.size:
        return recourse
    upper = recourse.frozen.col_upper.copy()
    upper[barred] = recourse.frozen.col_lower[barred]
    frozen = replace(recourse.frozen, col_upper=upper)
    return replace(recourse, frozen=frozen, live=LiveSolver(frozen, work.left()))


def separately(work: Work, scenarios: Floats, weights: Floats) -> Found:
    """Nothing is decided before the scenario is known: every scenario on its own, whatever the treatment prices."""
    live = LiveSolver(work.desk.program, work.left())
    xs, duals, costs, bounds = [], [], np.empty(len(scenarios)), np.empty(len(scenarios))
    for s, inputs in enumerate(scenarios):
        solution = checked(work, live.solve(inputs), inputs, f"scenario {s + 1}" if len(scenarios) > 1 else "")
        assert solution.x is not None
        xs.append(solution.x)
        duals.append(solution.row_dual)
        costs[s], bounds[s] = solution.objective, solution.bound
    dual = mean(np.array(duals), weights) if all(d is not None for d in duals) else None
    objective, bound = float((weights * costs).sum()), float((weights * bounds).sum())
    gap = max(0.0, objective - bound) / max(1.0, abs(objective))
    money = work.desk.case.currency
    return Found(np.array(xs), dual, objective, bound, gap, work.status, {"value_of_stochastic_solution": (money, 0.0)})
