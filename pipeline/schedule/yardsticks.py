"""What the day would have cost: with perfect foresight, and without re-dispatch. Same positions, states, values and settlement."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from pipeline.core.errors import NoSchedule
from pipeline.program.freeze import freeze
from pipeline.program.linear_program import BoundProgram, Floats, LinearProgram
from pipeline.program.solve import SolveOptions, Status, solve
from pipeline.schedule.desk import Desk, open_desk
from pipeline.schedule.fallback import plain_set_points
from pipeline.schedule.layout import by_position
from pipeline.schedule.outlook import Outlook
from pipeline.schedule.plan import hold
from pipeline.schedule.real_time import Rolling
from pipeline.schedule.rule_distance import followed_labels
from pipeline.schedule.rules import Rules
from pipeline.schedule.settle import SettledDay, Told, realised_inputs, reality_of, settle, settled_day
from pipeline.schedule.state import State


@dataclass(frozen=True)
class Foresight:
    """The cheapest day, had everything been known: a lower bound on every re-dispatch of it."""

    desk: Desk
    columns: Floats  # (N, J)
    total: float


def perfect_foresight(rolling: Rolling, program: LinearProgram, realised: Outlook, *, state: State | None = None,
                      told: Told = (), shifts: Floats | None = None, options: SolveOptions | None = None) -> Foresight:
    """One program over the whole day with realised inputs and the frozen positions.

    program: compiled with `Horizon(N, 0.25, held=True)` for the N quarter-hours of the day. told: as the steps were dispatched with.
    shifts: (N, n) by how much what was measured moves the state before each step. Every
    settled day is a feasible point of it at the same cost: the program keeps the devices' limits, end states are the elastic cycle
    rows, and set-points of ties bind neither. Raises NoSchedule where the solver ends without an optimum: an incumbent bounds nothing.
    """
    state = rolling.start if state is None else state
    frozen = freeze(program, program.columns_like(rolling.desk.case.settings.held_in_real_time))
    desk = open_desk(rolling.desk.case, rolling.desk.day, frozen)
    filled = realised_inputs(desk, realised, told)
    mine = {label: j for j, label in enumerate(rolling.desk.binder.frozen_labels)}
    order = np.array([mine[label] for label in desk.binder.frozen_labels], dtype=np.int64)
    inputs = desk.binder.assemble(filled, state, day_ends=True, frozen=rolling.held.frozen[:, order],
                                  purpose="bound")
    solution = solve(_shifted(frozen.bind(inputs), state, shifts), options or SolveOptions())
    if solution.x is None or solution.status is not Status.optimal:
        raise NoSchedule(f"perfect foresight of {desk.day.date} ended as {solution.status.value}")
    return Foresight(desk, by_position(solution.x, desk.layout.columns), solution.bound)


def _shifted(bound: BoundProgram, state: State, shifts: Floats | None) -> BoundProgram:
    """Energies that were measured to be others than computed come and go in the balances of the steps that began with them."""
    if shifts is None:
        return bound
    program = bound.program
    moved = np.zeros(len(bound.row_lower))
    for row, name in enumerate(state.names):
        device, _, quantity = name.partition(".")
        rows = program.row_index.get(f"{device}.energy_balance")
        at = np.flatnonzero(shifts[:, row])
        if not at.size or not quantity.startswith("energy_before_"):
            continue
        if rows is None or "[" in quantity:
            raise NoSchedule(f"perfect foresight does not know the measured {device} {quantity}")
        before = program.matrix_by_input[[int(rows[0])]].toarray()[0][program.input_names.index(name)]
        moved[rows[at]] -= before * shifts[at, row]
    return replace(bound, row_lower=bound.row_lower + moved, row_upper=bound.row_upper + moved)


def rule_only(
    rolling: Rolling, rules: Rules, realised: Outlook, *, state: State | None = None, told: Told = (), shifts: Floats | None = None,
) -> tuple[SettledDay, Floats]:
    """The day under affine rules at what came, without re-dispatch; and the rules' set-points (N, J).

    What the interval itself brings is measured at once, as the rule supposes; what the rule leaves is settled at the tie.
    """
    state = rolling.start if state is None else state
    desk = rolling.desk
    values = realised_inputs(desk, realised, told)
    plan = rules.day(values, desk.layout.inputs.labels)
    followed = hold(desk, plan, dict(zip(state.names, state.start, strict=True))).set_points
    follower = replace(rolling, held=replace(rolling.held, set_points=followed))
    return no_redispatch(follower, realised, state=state, told=told, shifts=shifts), followed


def rule_distance_kwh(rolling: Rolling, rules: Rules, followed: Floats, dispatched: Floats) -> float:
    """Energy by which the dispatch differs from the rules, over all electric powers that have one. Both (N, J)."""
    columns = rolling.desk.layout.columns
    at = [columns.entry[label] for label in followed_labels(rolling.desk.case, rules, columns.labels)]
    return float(rolling.desk.program.step_h * np.abs(followed[:, at] - dispatched[:, at]).sum())


def no_redispatch(
    rolling: Rolling, realised: Outlook, *, state: State | None = None, told: Told = (), shifts: Floats | None = None,
) -> SettledDay:
    """The day-ahead set-points held all day; what differs is settled at the tie, slack is used beyond limits only.

    shifts: (N, n) by how much what was measured moves the state before each step, under any set-points.
    """
    state = rolling.start if state is None else state
    desk = rolling.desk
    reality = reality_of(desk, realised, rolling.held.frozen, state, told=told)
    settled = []
    for k in range(rolling.count):
        if shifts is not None:
            state = replace(state, values=state.values + shifts[k])
        each, state = settle(desk, plain_set_points(desk, rolling.held, state.step), state, reality)
        settled.append(each)
    return settled_day(desk, settled, reality)
