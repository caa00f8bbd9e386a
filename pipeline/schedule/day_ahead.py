"""The day-ahead schedule: deterministic, or two-stage over weighted representatives.

First stage: the positions of the ties (`schedule_kw`). A scenario program is solved by interior point, which gives the first
stage and a lower bound; then each scenario is met again with the first stage frozen, by warm simplex. That gives vertices:
clean set-points, exact balances and duals, and the true expected cost of the first stage.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from pipeline.cases.case import Case
from pipeline.core.clock import DeliveryDay
from pipeline.core.errors import NoSchedule
from pipeline.program.linear_program import Floats, Indices, LinearProgram
from pipeline.program.solve import LiveSolver, Solution, SolveOptions, Status, solve
from pipeline.schedule.desk import Desk, open_desk
from pipeline.schedule.exclusive import Pairs, pairs_of, solve_exclusively
from pipeline.schedule.findings import Finding
from pipeline.schedule.instructions import Instruction, unreachable
from pipeline.schedule.layout import by_position
from pipeline.schedule.outlook import Outlook, weighted_mean
from pipeline.schedule.plan import Plan
from pipeline.schedule.state import State
from pipeline.uncertainty.expectation import Recourse, expected_cost, mean, recourse_of
from pipeline.uncertainty.extensive import extensive_form
from pipeline.uncertainty.refusals import check_weights

FIRST_STAGE = ("*.schedule_kw",)
_CLOSE = 1e-6  # interior point and the vertices it leads to agree to this share: the schedule is proven optimal


@dataclass(frozen=True)
class DayAheadOptions:
    """Limits and choices of a day-ahead solve; `value_of_stochastic_solution` costs one more solve."""

    time_limit_s: float = 600.0
    mip_gap_share: float = 1e-4
    seed: int = 0
    scenario_method: str = "ipm"
    value_of_stochastic_solution: bool = True


@dataclass(frozen=True)
class DayAhead:
    """A day-ahead schedule. S scenarios (1 when deterministic), T steps, J columns and I inputs of an interval."""

    desk: Desk
    weights: Floats
    columns: Floats  # (S, T, J)
    inputs: Floats  # (S, T, I)
    costs: Floats  # (S, terms)
    row_dual: Floats | None  # (r,) expected
    state: State  # at the start of the day
    objective: float
    bound: float
    gap: float
    status: str
    seconds: float
    kpis: dict[str, tuple[str, float]] = field(default_factory=dict)  # name -> (unit, value)
    findings: tuple[Finding, ...] = ()

    @property
    def expected(self) -> Floats:
        """Probability-weighted columns, (T, J)."""
        return mean(self.columns, self.weights)

    @property
    def plan(self) -> Plan:
        return Plan(self.desk.layout.columns.labels, self.expected)


def plan_day(case: Case, day: DeliveryDay, program: LinearProgram, outlooks: Sequence[Outlook], weights: Floats, *,
             state: State | None = None, overrides: Sequence[Instruction] = (), options: DayAheadOptions | None = None) -> DayAhead:
    """Schedule a delivery day. One outlook: deterministic. Raises NoSchedule where nothing feasible was found.

    outlooks: at the program's own step, over the whole day. weights: (S,) probabilities. state: energies at the day's start
    (default: the case's). A schedule that met the time limit carries a warning.
    """
    started = time.perf_counter()
    options = options or DayAheadOptions()
    desk = open_desk(case, day, program)
    state = desk.binder.initial_state() if state is None else state
    weights = check_weights(weights, len(outlooks))
    work = _Work(desk, options, tuple(unreachable(case, overrides, stage="day_ahead")), started)
    scenarios = np.array([_bind(desk, outlook, state, overrides) for outlook in outlooks])
    if len(outlooks) == 1:
        found = _deterministic(work, scenarios[0])
    else:
        average = _bind(desk, weighted_mean(outlooks, weights), state, overrides)
        found = _stochastic(work, scenarios, weights, average)
    return _result(work, found, scenarios, weights, state)


def _bind(desk: Desk, outlook: Outlook, state: State, overrides: Sequence[Instruction]) -> Floats:
    filled = desk.binder.fill(outlook, desk.starts(), overrides=overrides)
    return desk.binder.assemble(filled, state, day_ends=True)


@dataclass
class _Work:
    """One run: what it may still spend and what it found on the way."""

    desk: Desk
    options: DayAheadOptions
    findings: tuple[Finding, ...]
    started: float

    def __post_init__(self) -> None:
        self.pairs: Pairs = pairs_of(self.desk)

    def left(self) -> SolveOptions:
        spent = time.perf_counter() - self.started
        return SolveOptions(time_limit_s=max(self.options.time_limit_s - spent, 0.0), seed=self.options.seed,
                            mip_gap_share=self.options.mip_gap_share)

    def warn(self, check: str, place: str, message: str) -> None:
        self.findings += (Finding("day_ahead", "warning", check, place, message),)


@dataclass(frozen=True)
class _Found:
    x: Floats  # (S, n)
    row_dual: Floats | None  # (r,) expected
    objective: float
    bound: float
    gap: float
    status: str
    kpis: dict[str, tuple[str, float]] = field(default_factory=dict)


def _deterministic(work: _Work, inputs: Floats) -> _Found:
    solution = solve(work.desk.program.bind(inputs), work.left())
    solution = _checked(work, solution, inputs, "")
    assert solution.x is not None
    return _Found(solution.x[None, :], solution.row_dual, solution.objective, solution.bound, solution.gap, solution.status.value)


def _checked(work: _Work, solution: Solution, inputs: Floats, place: str) -> Solution:
    """The solution without simultaneous charging, flagged where time ran out. Raises NoSchedule without one."""
    if solution.x is None:
        raise _no_schedule(work, solution, inputs)
    if solution.status is Status.time_limit:
        work.warn("time_limit", place or "schedule", "the solver met its time limit: its best schedule so far is used")
    better, binaries = solve_exclusively(work.desk, work.pairs, inputs, solution, work.left())
    if binaries < 0:
        work.warn("simultaneous_charging", place or "schedule", "a schedule without charging and discharging at once was not found in time")
    if better.status is Status.time_limit and solution.status is not Status.time_limit:
        work.warn("time_limit", place or "schedule", "the solver met its time limit with binaries: its best schedule so far is used")
    return better


def _no_schedule(work: _Work, solution: Solution, inputs: Floats) -> NoSchedule:
    case, day = work.desk.case, work.desk.day
    head = f"no day-ahead schedule of {case.name} for {day.date}"
    if solution.status is Status.infeasible:
        from pipeline.program.explain import explain

        return NoSchedule(f"{head}: these rows and inputs conflict\n{explain(work.desk.program.bind(inputs))}")
    if solution.status is Status.time_limit:
        return NoSchedule(f"{head}: nothing feasible within {work.options.time_limit_s:g} s; raise settings.solver_time_limit_s")
    return NoSchedule(f"{head}: the solver ended as {solution.status.value}")


def _stochastic(work: _Work, scenarios: Floats, weights: Floats, average: Floats) -> _Found:
    program = work.desk.program
    first_stage = program.columns_like(FIRST_STAGE)
    if not first_stage.size:
        return _separate(work, scenarios, weights)
    recourse = recourse_of(program, first_stage, work.left())
    mean_first = _mean_first(work, first_stage, average)
    bound, index = extensive_form(program, first_stage=first_stage, scenarios=scenarios, weights=weights)
    options = replace(work.left(), method=work.options.scenario_method, crossover=False)  # type: ignore[arg-type]
    if program.integer.any():
        options = work.left()
    whole = solve(bound, options)
    if whole.x is not None:
        first, proven = index.slice(whole.x, 0)[first_stage], whole.status is Status.optimal
        lower = whole.bound if program.integer.any() else whole.objective
    elif whole.status in (Status.time_limit, Status.failed) and mean_first is not None:
        first, proven, lower = mean_first, False, -np.inf
        why = "met its time limit" if whole.status is Status.time_limit else "ended without a solution"
        work.warn("time_limit", "schedule", f"the scenario program {why}: the positions of the mean forecast are used")
    else:
        raise _no_schedule(work, whole, scenarios[0])
    if whole.x is not None and not proven:
        work.warn("time_limit", "schedule", "the solver met its time limit: its best schedule so far is used")
        lower = -np.inf
    low, high = program.col_lower[first_stage], program.col_upper[first_stage]
    first = np.clip(first, low, high)
    return _met(work, recourse, first, scenarios, weights, lower=lower, mean_first=mean_first)


def _mean_first(work: _Work, first_stage: Indices, average: Floats) -> Floats | None:
    """First stage of the mean forecast: what planning without scenarios would have positioned."""
    if not work.options.value_of_stochastic_solution:
        return None
    solution = solve(work.desk.program.bind(average), work.left())
    return None if solution.x is None else solution.x[first_stage]


def _met(work: _Work, recourse: Recourse, first: Floats, scenarios: Floats, weights: Floats, *, lower: float,
         mean_first: Floats | None) -> _Found:
    """Every scenario met with the first stage frozen."""
    program, count = work.desk.program, len(scenarios)
    x = np.empty((count, program.matrix.shape[1]))
    dual: Floats | None = np.zeros(program.matrix.shape[0])
    objective = relaxed = 0.0
    kpis: dict[str, tuple[str, float]] = {}
    frozen_work = _frozen_work(work, recourse)
    for s in range(count):
        inputs = np.concatenate([scenarios[s], first])
        solution = recourse.live.solve(inputs)
        relaxed += weights[s] * solution.objective
        solution = _checked(frozen_work, solution, inputs, f"scenario {s + 1}")
        assert solution.x is not None
        x[s, recourse.first_stage], x[s, recourse.rest] = first, solution.x
        objective += weights[s] * solution.objective
        dual = None if dual is None or solution.row_dual is None else dual + weights[s] * solution.row_dual
    work.findings = frozen_work.findings
    if mean_first is not None:
        # Both sides without binaries: those that negative prices brought in would count against the scenarios only.
        eev = expected_cost(recourse, mean_first, scenarios, weights)
        money = work.desk.case.currency
        kpis["cost_of_mean_positions"] = (money, eev)
        kpis["value_of_stochastic_solution"] = (money, eev - relaxed)
    scale = max(1.0, abs(objective))
    gap = max(0.0, objective - lower) / scale
    limited = any(finding.check == "time_limit" for finding in work.findings)
    status = Status.time_limit if limited else Status.optimal
    return _Found(x, dual, objective, lower, 0.0 if gap <= _CLOSE else gap, status.value, kpis)


def _frozen_work(work: _Work, recourse: Recourse) -> _Work:
    """The same run on the frozen program, whose inputs are longer and whose columns are fewer."""
    desk = open_desk(work.desk.case, work.desk.day, recourse.frozen)
    return _Work(desk, work.options, work.findings, work.started)


def _separate(work: _Work, scenarios: Floats, weights: Floats) -> _Found:
    """Nothing is decided before the scenario is known: every scenario on its own."""
    live = LiveSolver(work.desk.program, work.left())
    xs, duals, objective, bound = [], [], 0.0, 0.0
    for s, inputs in enumerate(scenarios):
        solution = _checked(work, live.solve(inputs), inputs, f"scenario {s + 1}")
        assert solution.x is not None
        xs.append(solution.x)
        duals.append(solution.row_dual)
        objective += weights[s] * solution.objective
        bound += weights[s] * solution.bound
    dual = mean(np.array(duals), weights) if all(d is not None for d in duals) else None
    limited = any(finding.check == "time_limit" for finding in work.findings)
    gap = max(0.0, objective - bound) / max(1.0, abs(objective))
    money = work.desk.case.currency
    kpis = {"value_of_stochastic_solution": (money, 0.0)}
    return _Found(np.array(xs), dual, objective, bound, gap, (Status.time_limit if limited else Status.optimal).value, kpis)


def _result(work: _Work, found: _Found, scenarios: Floats, weights: Floats, state: State) -> DayAhead:
    desk = work.desk
    columns = np.array([by_position(x, desk.layout.columns) for x in found.x])
    inputs = np.array([by_position(u, desk.layout.inputs) for u in scenarios])
    return DayAhead(
        desk=desk, weights=weights, columns=columns, inputs=inputs, costs=costs_by_term(desk.program, found.x, scenarios),
        row_dual=found.row_dual, state=state, objective=found.objective, bound=found.bound, gap=found.gap, status=found.status,
        seconds=time.perf_counter() - work.started, kpis=found.kpis, findings=work.findings,
    )


def costs_by_term(program: LinearProgram, x: Floats, inputs: Floats) -> Floats:
    """(S, n) columns, (S, m) inputs -> (S, terms), summing to the objective of each scenario."""
    found = np.zeros((len(x), len(program.terms)))
    costed = np.flatnonzero(program.column_term >= 0)
    for s, (columns, given) in enumerate(zip(x, inputs, strict=True)):
        cost = (program.cost + program.cost_by_input @ given) * columns
        np.add.at(found[s], program.column_term[costed], cost[costed])
    found[:, program.terms.index("generator_cost")] += program.offset  # constants of cost curves
    return found
