"""The day-ahead schedule of one delivery day, under the treatment of uncertainty that the run settings name.

First stage: the columns that `settings.first_stage` names (positions of ties, commitments). The treatment decides them and proves
a bound (`treatments`); then every scenario is met with them held (`solving`), which is what is published.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from pipeline.cases.case import Case
from pipeline.cases.settings import Affine, BoxRobust
from pipeline.core.clock import DeliveryDay
from pipeline.program.linear_program import Floats, LinearProgram
from pipeline.program.solve import solve
from pipeline.schedule.carrying import check_first_stage
from pipeline.schedule.desk import Desk, open_desk
from pipeline.schedule.findings import Finding
from pipeline.schedule.guarding import follow_rules, guard_box, protect_prices
from pipeline.schedule.instructions import Instruction, unreachable
from pipeline.schedule.layout import by_position
from pipeline.schedule.leaving import Leavers
from pipeline.schedule.outlook import Outlook, weighted_mean
from pipeline.schedule.plan import Plan
from pipeline.schedule.rules import Rules
from pipeline.schedule.solving import DayAheadOptions, Found, Work, checked, work_on
from pipeline.schedule.state import State
from pipeline.schedule.treatments import Spread, treat
from pipeline.uncertainty.affine_policy import AffinePolicy
from pipeline.uncertainty.expectation import mean
from pipeline.uncertainty.refusals import check_weights
from pipeline.uncertainty.two_stage import Decision, Way

__all__ = ["DayAhead", "DayAheadOptions", "bind_outlook", "costs_by_term", "plan_day"]


@dataclass(frozen=True)
class DayAhead:
    """A day-ahead schedule. S scenarios (1 when deterministic), T steps, J columns and I inputs of an interval.

    objective: expected cost of the schedule. bound, gap: of what the treatment minimised, which is another number where it guards
    against more than the mean.
    """

    desk: Desk
    weights: Floats
    columns: Floats  # (S, T, J)
    inputs: Floats  # (S, T, I)
    costs: Floats  # (S, terms)
    row_dual: Floats | None  # (r,) expected
    first: Floats  # (F,) values of the program's first-stage columns, ascending
    state: State  # at the start of the day
    objective: float
    bound: float
    gap: float
    status: str
    seconds: float
    kpis: dict[str, tuple[str, float]] = field(default_factory=dict)  # name -> (unit, value)
    findings: tuple[Finding, ...] = ()
    policy: AffinePolicy | None = None  # the rules, where the treatment has any
    rules: Rules | None = None  # the same, as real time follows them
    decision: Decision | None = None  # of the treatment of uncertainty; None where one forecast is scheduled
    measured: Floats | None = None  # (n,) what of the state at the day's start was measured, NaN elsewhere
    rung: int = 0  # of the ladder of what stands in (`standby`)

    @property
    def expected(self) -> Floats:
        """Probability-weighted columns, (T, J)."""
        return mean(self.columns, self.weights)

    @property
    def plan(self) -> Plan:
        return Plan(self.desk.layout.columns.labels, self.expected)


def plan_day(case: Case, day: DeliveryDay, program: LinearProgram, outlooks: Sequence[Outlook], weights: Floats, *,
             state: State | None = None, overrides: Sequence[Instruction] = (), options: DayAheadOptions | None = None,
             forecast: Outlook | None = None, spread: Spread | None = None, draws: Floats | None = None,
             leavers: Sequence[Leavers] | None = None) -> DayAhead:
    """Schedule a delivery day. Raises NoSchedule where nothing feasible was found, InputError for a treatment that the case cannot carry.

    outlooks: at the program's own step, over the whole day; one for treatments of a single forecast. weights: (S,) probabilities.
    forecast: what the scenarios spread around (default: their mean). spread: how far they lie apart, for a treatment that moves
    probability. draws: (D, S, T) drawn futures at the program's step, for empirical half-widths. leavers: who may leave early, where a box
    asks. state: energies at the day's start (default: the case's). A schedule that met the time limit carries a warning.
    """
    desk = open_desk(case, day, program)
    state = desk.binder.initial_state() if state is None else state
    weights = check_weights(weights, len(outlooks))
    scenarios = np.array([bind_outlook(desk, outlook, state, overrides) for outlook in outlooks])
    check_first_stage(desk, scenarios=len(outlooks))
    single = len(outlooks) == 1
    average = outlooks[0] if single else weighted_mean(outlooks, weights)
    middle = scenarios[0] if single else bind_outlook(desk, average, state, overrides)
    work = work_on(protect_prices(desk, average, middle), options, tuple(unreachable(case, overrides, stage="day_ahead")))
    method = case.settings.method
    if isinstance(method, Affine):
        found = follow_rules(work, _only(outlooks), scenarios[0], method, draws=draws)
    elif isinstance(method, BoxRobust):
        found = guard_box(work, _only(outlooks), scenarios[0], method, draws=draws, leavers=leavers)
    elif single:
        found = _deterministic(work, scenarios[0])
    else:
        expected = middle if forecast is None else bind_outlook(desk, forecast, state, overrides)
        found = treat(work, scenarios, weights, average=middle, forecast=expected, spread=spread)
    return _result(work, desk, found, scenarios, weights, state)


def _only(outlooks: Sequence[Outlook]) -> Outlook:
    if len(outlooks) != 1:
        raise ValueError(f"a treatment that guards one forecast takes one outlook, not {len(outlooks)}")
    return outlooks[0]


def bind_outlook(desk: Desk, outlook: Outlook, state: State, overrides: Sequence[Instruction]) -> Floats:
    """The program's inputs (m,) of one outlook at its own step, over the whole day."""
    filled = desk.binder.fill(outlook, desk.starts(), overrides=overrides)
    return desk.binder.assemble(filled, state, day_ends=True)


def _deterministic(work: Work, inputs: Floats) -> Found:
    solution = checked(work, solve(work.desk.program.bind(inputs), work.left()), inputs, "")
    assert solution.x is not None
    decision = None
    if work.desk.case.settings.budgeted_prices is not None:
        first = solution.x[work.desk.program.columns_like(work.desk.case.settings.first_stage)]
        way: Way = "mixed_integer" if work.desk.program.integer.any() else "simplex"
        decision = Decision(first, solution.objective, solution.bound, solution.status, way)
    return Found(solution.x[None, :], solution.row_dual, solution.objective, solution.bound, solution.gap, solution.status.value,
                 decision=decision)


def _result(work: Work, desk: Desk, found: Found, scenarios: Floats, weights: Floats, state: State) -> DayAhead:
    """What was found, over the program's own columns and rows: those of a protected objective come after them."""
    rows, count = desk.program.matrix.shape
    chosen, dual = found.x[:, :count], None if found.row_dual is None else found.row_dual[:rows]
    columns = np.array([by_position(x, desk.layout.columns) for x in chosen])
    costs = costs_by_term(desk.program, chosen, scenarios)
    expected = found.objective if desk.program is work.desk.program else float(weights @ costs.sum(axis=1))
    inputs = np.array([by_position(u, desk.layout.inputs) for u in scenarios])
    return DayAhead(
        desk=desk, weights=weights, columns=columns, inputs=inputs, costs=costs,
        row_dual=dual, first=chosen[0, desk.program.columns_like(desk.case.settings.first_stage)], state=state,
        objective=expected, bound=found.bound, gap=found.gap, status=found.status, seconds=time.perf_counter() - work.started,
        kpis=found.kpis, findings=work.findings, decision=found.decision, policy=found.policy, rules=found.rules,
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
