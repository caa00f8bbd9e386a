"""What the day would have cost by the rule of a site without a plan: the yardstick that a schedule has to be worth its trouble against.

Cogeneration follows the heat, or runs where power is worth more than its fuel; boilers make the rest; heat stores stay as full as they
began. Vehicles charge at once when they come, generators run where they are cheaper than power, batteries charge in the cheapest
quarter of the day's prices and discharge in the dearest. Nothing is forecast.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pipeline.program.linear_program import Floats
from pipeline.schedule.close import derive_ties
from pipeline.schedule.close_heat import follow_heat
from pipeline.schedule.desk import Desk
from pipeline.schedule.dispatch import Settled
from pipeline.schedule.interval import Interval, set_net
from pipeline.schedule.outlook import Outlook
from pipeline.schedule.real_time import Rolling
from pipeline.schedule.settle import Reality, SettledDay, Told, reality_of, settle, settled_day
from pipeline.schedule.state import State


def plain_rule(
    rolling: Rolling, realised: Outlook, *, state: State | None = None, told: Told = (), shifts: Floats | None = None,
) -> SettledDay:
    """Meet the realised day with the rule alone, settled as everything else is.

    Its positions are what it exchanged, so that it pays for no deviation. Units keep the commitments of the day before.
    shifts: (N, n) by how much what was measured moves the state before each step.
    """
    state, desk = rolling.start if state is None else state, rolling.desk
    reality = reality_of(desk, realised, rolling.held.frozen, state, told=told)
    wanted = _by_price(desk, reality)
    settled = []
    for k in range(rolling.count):
        if shifts is not None:
            state = replace(state, values=state.values + shifts[k])
        each, state = settle(desk, _set_points(desk, reality, state, wanted[k], left=rolling.count - k - 1), state, reality)
        settled.append(each)
    settled, reality = _at_own_positions(desk, settled, reality)
    return settled_day(desk, settled, reality)


def _set_points(desk: Desk, reality: Reality, state: State, wanted: float, *, left: int) -> Floats:
    """Columns (J,) of an interval. wanted: 1 to discharge batteries, -1 to charge them. left: intervals of the day after it."""
    roster = desk.roster
    inputs = desk.binder.interval(reality.rows[state.step - 1], state)
    work = Interval(roster, np.zeros(len(desk.layout.columns.labels)), inputs, state.values)
    work.x[roster.cohorts.charge] = inputs[roster.cohorts.power_high]
    aggregators, segment = roster.aggregators, roster.generators.segment
    work.x[aggregators.charge] = aggregators.charger_kw * inputs[aggregators.connected]
    cheaper = (segment >= 0) & (work.cost[segment] < work.active_cost)
    work.x[segment[cheaper]] = roster.generators.width[cheaper]
    set_net(work, roster.heat_stores, _kept_full(work, state))
    follow_heat(work)
    set_net(work, roster.stores, _battery(work, state, wanted, left))
    return work.x


def _kept_full(work: Interval, state: State) -> Floats:
    """Net injection (n,) of the heat stores that brings them back to where the day began."""
    stores = work.roster.heat_stores
    missing = state.start[stores.before] - stores.kept * work.before[stores.before]
    return -np.clip(missing / stores.gain, 0.0, np.maximum(-work.u[stores.power_low], 0.0))


def _battery(work: Interval, state: State, wanted: float, left: int) -> Floats:
    """Net injection (n,) of the active stores: all they can, as long as the rest of the day brings them back to where it began."""
    stores = work.roster.stores
    low, high = work.u[stores.power_low], work.u[stores.power_high]
    before, start = stores.kept * work.before[stores.before], state.start[stores.before]
    least, most = start + left * stores.gain * np.minimum(low, 0.0), start + left * stores.drain * np.maximum(high, 0.0)
    room, spare = most - before, before - least
    lowest = np.where(room > 0, -room / stores.gain, -room / stores.drain)
    highest = np.where(spare > 0, spare / stores.drain, spare / stores.gain)
    return np.clip(np.clip(wanted * np.where(wanted > 0, high, -low), lowest, highest), low, high)


def _by_price(desk: Desk, reality: Reality) -> Floats:
    """(N,) 1 in the dearest quarter of the day's intervals, -1 in the cheapest, 0 between and without a market."""
    prices = desk.binder.prices(reality.rows)
    if not prices.size:
        return np.zeros(len(reality.rows))
    price = prices.mean(axis=1)
    cheap, dear = np.quantile(price, (0.25, 0.75))
    wanted = np.where(price >= dear, 1.0, np.where(price <= cheap, -1.0, 0.0))
    return wanted if dear > cheap else np.zeros(len(price))


def _at_own_positions(desk: Desk, settled: list[Settled], reality: Reality) -> tuple[list[Settled], Reality]:
    """The same intervals, with what ties exchanged as their positions."""
    ties = desk.roster.ties
    planned = np.flatnonzero(ties.schedule_input >= 0)
    exchange = np.array([each.columns[ties.exchange[planned]] for each in settled])
    rows, judged = reality.rows.copy(), reality.judged.copy()
    rows[:, ties.schedule_input[planned]] = judged[:, ties.schedule_input[planned]] = exchange
    moved = [replace(each, columns=each.columns.copy()) for each in settled]
    for each, row in zip(moved, rows, strict=True):
        derive_ties(ties, each.columns, row)
    return moved, replace(reality, rows=rows, judged=judged)
