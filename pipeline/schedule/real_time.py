"""Rolling re-dispatch: one program of a fixed window, one binding interval, everything else handed on in the state."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from pipeline.cases.case import Case
from pipeline.core.clock import DeliveryDay
from pipeline.program.freeze import freeze
from pipeline.program.linear_program import Floats, Indices, LinearProgram
from pipeline.program.solve import Basis, LiveSolver, Solution, SolveOptions, Status, solve
from pipeline.schedule.charging import as_charged
from pipeline.schedule.desk import Desk, open_desk
from pipeline.schedule.dispatch import Dispatch, Settled
from pipeline.schedule.exclusive import Pairs, pairs_of, solve_exclusively
from pipeline.schedule.fallback import projected
from pipeline.schedule.findings import Finding
from pipeline.schedule.instructions import Instruction, unreachable
from pipeline.schedule.measured import Course
from pipeline.schedule.outlook import Outlook
from pipeline.schedule.plan import Held, Plan, hold
from pipeline.schedule.rule_distance import Followed, followed_by, set_points_kw, with_rule_distance
from pipeline.schedule.rules import Rules
from pipeline.schedule.settle import Reality, SettledDay, Told, reality_of, settle, settled_day, unbalanced
from pipeline.schedule.state import State
from pipeline.schedule.worth import dearest_supply_per_kwh

_BALANCES = ("active_flow", "reactive_flow", "active_balance", "reactive_balance", "heat_balance", "hydrogen_balance")


@dataclass(frozen=True)
class Rolling:
    """A desk with the day-ahead plan laid over the quarter-hours, and a live solver. Holds no state of the day."""

    desk: Desk
    held: Held
    pairs: Pairs
    live: LiveSolver
    options: SolveOptions
    balance_rows: Indices  # rows of the first position's balances
    followed: Followed | None = None  # affine rules that the binding interval keeps near to

    @property
    def count(self) -> int:
        return self.desk.day.steps(15)

    @cached_property
    def start(self) -> State:
        """The state at the start of the day, before any interval."""
        return self.desk.binder.initial_state()


def open_day(case: Case, day: DeliveryDay, program: LinearProgram, plan: Plan, *, rules: Rules | None = None,
             state: State | None = None, options: SolveOptions | None = None) -> Rolling:
    """Freeze the day-ahead positions in the rolling program and lay the plan over the day.

    program: compiled with `Horizon(real_time_window_steps, 0.25, rolling=True)`. rules: of an affine schedule; leaving them costs
    its `rule_distance_price_per_kwh`. state: at the day's start (default: the case's).
    """
    options = options or SolveOptions(time_limit_s=case.settings.real_time_time_limit_s, mip_gap_share=case.settings.mip_gap_share)
    frozen = freeze(program, program.columns_like(case.settings.held_in_real_time))
    frozen, labels = with_rule_distance(case, frozen, rules)
    desk = open_desk(case, day, frozen)
    state = desk.binder.initial_state() if state is None else state
    held = hold(desk, plan, dict(zip(state.names, state.start, strict=True)))
    rows = [row for component, rows in frozen.row_index.items() if component.partition(".")[2] in _BALANCES
            for row in rows[:: frozen.positions]]
    return Rolling(desk, held, pairs_of(desk), LiveSolver(frozen, options), options, np.array(rows, dtype=np.int64),
                   followed_by(desk, rules, labels))


def window_inputs(rolling: Rolling, state: State, outlook: Outlook, overrides: Sequence[Instruction] = (),
                  so_far: Floats | None = None) -> tuple[Floats, Floats]:
    """Inputs of the window that starts at `state.step`: by position (W, I) as filled, and flat (m,).

    so_far: (n, I) realised inputs of the day's first intervals, for rules that look back.
    """
    desk, positions, count = rolling.desk, rolling.desk.program.positions, rolling.count
    active = min(positions, count - state.step + 1)
    last = state.step - 1 + active
    filled = desk.binder.fill(as_charged(desk, outlook, state), desk.window_starts(state.step), overrides=overrides)
    _keep_exchange(desk, filled)
    frozen = np.zeros((positions, len(desk.binder.frozen_labels)))
    frozen[:active] = rolling.held.frozen[state.step - 1 : last]
    day_ends = last == count
    price = 0.0
    if not day_ends and desk.case.settings.terminal_fixed_price_per_kwh is not None:
        price = desk.case.settings.terminal_fixed_price_per_kwh
    elif not day_ends and desk.case.settings.terminal_energy_price == "max_price":
        prices = desk.binder.prices(filled)
        price = max(0.0, float(prices.max())) if prices.size else dearest_supply_per_kwh(desk.case)
    inputs = desk.binder.assemble(filled, state, active=active, day_ends=day_ends, frozen=frozen,
                                  reference=rolling.held.reference[last], terminal_price=price, reserve=_heat_reserve(desk, filled))
    if rolling.followed is not None:
        inputs[rolling.followed.inputs] = set_points_kw(desk, rolling.followed, state, filled[0], filled[:0] if so_far is None else so_far)
    return filled, inputs


def _keep_exchange(desk: Desk, filled: Floats) -> None:
    """The balancing tie keeps off its limits: settlement lets every mismatch pass there, and beyond them load is shed. In place."""
    share, ties = desk.case.settings.exchange_reserve_share, desk.roster.ties
    if share == 0.0 or desk.case.balancing_tie is None:
        return
    row = ties.names.index(desk.case.balancing_tie)
    low, high = filled[:, ties.low[row]].copy(), filled[:, ties.high[row]].copy()
    filled[:, ties.low[row]], filled[:, ties.high[row]] = low + share * (high - low) / 2, high - share * (high - low) / 2


def _heat_reserve(desk: Desk, filled: Floats) -> tuple[Indices, Indices, Floats] | None:
    """What heat stores keep back: settlement takes every heat mismatch from them, and an empty one would leave heat unmet."""
    stores, demands = desk.roster.heat_stores, desk.roster.heat_demands
    share = desk.case.settings.heat_reserve_share
    if not stores.names or not demands.load.size or share == 0.0:
        return None
    count = len(desk.roster.networks)
    members = np.bincount(stores.network, minlength=count)
    loads = np.zeros((len(filled), count))
    np.add.at(loads.T, demands.network, filled[:, demands.load].T)
    kept = share * desk.program.step_h * loads[:, stores.network] / members[stores.network]
    return stores.energy_low, stores.energy_high, kept


def redispatch(rolling: Rolling, state: State, outlook: Outlook, *, overrides: Sequence[Instruction] = (),
               so_far: Floats | None = None) -> tuple[Dispatch, State]:
    """Decide interval `state.step` from what was known at its issue time.

    outlook: (S, W) values and envelopes of the window. so_far: (n, I) inputs of the day's first intervals as they came. The state
    comes back with the basis that the next step starts from. Where time runs out the incumbent is used, and where there is none the
    day-ahead schedule on the limits: both carry a warning.
    """
    filled, inputs = window_inputs(rolling, state, outlook, overrides, so_far)
    basis = _basis(rolling.desk.program, state)
    # Without a basis the solve starts cold: what the live solver did before must not show in the result.
    solution = rolling.live.solve(inputs, basis=basis) if basis is not None else solve(rolling.desk.program.bind(inputs), rolling.options)
    solution, binaries = solve_exclusively(rolling.desk, rolling.pairs, inputs, solution, rolling.options)
    findings = _findings(state.step, solution, binaries)
    if solution.x is None or binaries < 0:
        held = _on_limits(rolling, state, filled)
        return replace(held, seconds=solution.seconds, iterations=solution.iterations, findings=findings), state
    columns = solution.x[rolling.desk.layout.columns.index[0]]
    duals = None if solution.row_dual is None else solution.row_dual[rolling.balance_rows] / rolling.desk.program.step_h
    dispatch = Dispatch(state.step, columns, duals, "optimal" if solution.status is Status.optimal else "incumbent", solution.objective,
                        solution.gap, solution.seconds, solution.iterations, findings)
    if solution.basis is None:
        return dispatch, state
    return dispatch, replace(state, basis_columns=solution.basis[0], basis_rows=solution.basis[1])


def hold_schedule(rolling: Rolling, state: State, outlook: Outlook, *, overrides: Sequence[Instruction] = ()) -> Dispatch:
    """The day-ahead schedule in interval `state.step`, on the limits at what was expected. Nothing is solved."""
    return _on_limits(rolling, state, window_inputs(rolling, state, outlook, overrides)[0])


def _on_limits(rolling: Rolling, state: State, filled: Floats) -> Dispatch:
    first = filled[0].copy()
    first[rolling.desk.binder.plan.frozen_entry] = rolling.held.frozen[state.step - 1]
    columns = projected(rolling.desk, rolling.held, state, rolling.desk.binder.interval(first, state))
    return Dispatch(state.step, columns, None, "fallback", np.nan, np.inf, 0.0, 0, ())


def _basis(program: LinearProgram, state: State) -> Basis | None:
    """What the step before left; of another program, as before a new schedule with or without rules, it is no use."""
    if state.basis_columns is None or state.basis_rows is None:
        return None
    fits = (len(state.basis_rows), len(state.basis_columns)) == program.matrix.shape
    return (state.basis_columns, state.basis_rows) if fits else None


def _findings(step: int, solution: Solution, binaries: int) -> tuple[Finding, ...]:
    place = f"step {step}"
    if solution.x is None:
        why = {Status.time_limit: "the solver met its time limit with nothing feasible",
               Status.infeasible: "no dispatch meets all limits"}.get(solution.status, f"the solver ended as {solution.status.value}")
        return (Finding("real_time", "warning", "fallback", place, f"{why}: the day-ahead schedule on the limits is used"),)
    if binaries < 0:
        return (Finding("real_time", "warning", "fallback", place, "charging and discharging at once could not be excluded in time: the "
                        "day-ahead schedule on the limits is used"),)
    if solution.status is Status.time_limit:
        return (Finding("real_time", "warning", "time_limit", place, "the solver met its time limit: its best dispatch so far is used"),)
    return ()


@dataclass(frozen=True)
class RealTime:
    """Steps of a day, decided here or held from earlier runs, and settled."""

    rolling: Rolling
    dispatches: tuple[Dispatch, ...]
    settled: SettledDay
    states: tuple[State, ...]  # after each step
    findings: tuple[Finding, ...] = field(default=())
    begins: Floats = field(default_factory=lambda: np.zeros((0, 0)))  # (K, n) state values that each step began with
    course: Course | None = None  # what of them was measured; None where nothing was

    @property
    def seconds(self) -> float:
        return sum(dispatch.seconds for dispatch in self.dispatches)


def run_steps(rolling: Rolling, state: State, outlooks: Sequence[Outlook], realised: Outlook, *,
              overrides: Told | None = None, held: Sequence[Dispatch] = (), came: Sequence[int] | None = None,
              course: Course | None = None, projects: bool = False, on_step: Callable[[int], None] | None = None) -> RealTime:
    """Settle the intervals that are `held` from earlier runs, from `state.step` on; then decide and settle `len(outlooks)` more.

    outlooks: one (S, W) window per step, as issued before it. realised: the whole day in quarter-hours; intervals that are not
    settled yet are never read. overrides: per settled step, as known at its issue time. came: per decided step, how many of the day's
    first intervals were known at its issue time (default: all that had ended). course: of the whole day, where states were measured.
    projects: nothing is decided, the day-ahead schedule is projected on the limits.
    """
    desk = rolling.desk
    told: Told = overrides if overrides is not None else [()] * (len(held) + len(outlooks))
    truth: Reality = reality_of(desk, realised, rolling.held.frozen, state, told=[()] * (state.step - 1) + list(told))
    dispatches: list[Dispatch] = []
    settled: list[Settled] = []
    states: list[State] = []
    for dispatch in held:
        state = state if course is None else course.begin(state)
        each, state = settle(desk, dispatch.columns, state, truth)
        dispatches.append(dispatch)
        settled.append(each)
        states.append(state)
    known = [len(truth.rows)] * len(outlooks) if came is None else came
    for outlook, instructions, count in zip(outlooks, told[len(held):], known, strict=True):
        if desk.case.settings.first_interval == "measured":
            outlook = outlook.with_first(realised, state.step - 1)
        state = state if course is None else course.begin(state)
        so_far = truth.rows[: min(count, _ended(desk.case, state.step))]
        dispatch, state = (redispatch(rolling, state, outlook, overrides=instructions, so_far=so_far) if not projects
                           else (hold_schedule(rolling, state, outlook, overrides=instructions), state))
        each, state = settle(desk, dispatch.columns, state, truth)
        dispatches.append(dispatch)
        settled.append(each)
        states.append(state)
        if on_step is not None:
            on_step(each.step)
    day = settled_day(desk, settled, truth)
    findings = [finding for dispatch in dispatches for finding in dispatch.findings] + unbalanced(day, stage="real_time")
    findings += unreachable(desk.case, list(dict.fromkeys(word for words in told for word in words)), stage="real_time")
    findings += [] if course is None else course.findings()
    begins = np.array([each.before.values for each in settled])
    return RealTime(rolling, tuple(dispatches), day, tuple(states), tuple(findings), begins, course)


def _ended(case: Case, step: int) -> int:
    """How many of the day's intervals had ended, or were measured, when `step` was decided."""
    lead = 0 if case.settings.first_interval == "measured" else -(-case.settings.real_time_lead_min // 15)
    return max(0, step - 1 - lead)
