"""EV aggregators of one interval: power clipped to who is connected, arrivals bring and departures take, lack and surplus told."""

from __future__ import annotations

import numpy as np

from pipeline.program.linear_program import Floats, Indices
from pipeline.schedule.interval import TINY, Interval, set_net, shift_net


def project_aggregators(work: Interval) -> None:
    """Held power within what chargers and energies allow; whoever must charge now to leave with enough, does."""
    aggregators = work.roster.aggregators
    if aggregators.names:
        low, high = _net_range(work)
        set_net(work, aggregators, np.clip(work.x[aggregators.discharge] - work.x[aggregators.charge], low, high))


def shift_aggregators(work: Interval, amount: Floats, *, up: bool, only_stop: bool = False) -> Floats:
    """Raise (lower) net injection by `amount` per network as far as limits allow; gives what it took. `only_stop`: not through zero."""
    if not work.roster.aggregators.names:
        return np.zeros(work.count)
    return shift_net(work, work.roster.aggregators, _net_range(work), amount, up=up, only_stop=only_stop)


def _levels(work: Interval) -> tuple[Floats, Floats, Floats]:
    """Energy at the end without any power, and the least and most that it may be there."""
    a, u = work.roster.aggregators, work.u
    come, leave, here = u[a.arrivals], u[a.departures], u[a.connected]
    rest = work.before[a.before] + a.brought * come - a.taken * leave
    least = np.maximum(a.least * (here + come - leave), _input(work, a.reserve))
    enough = a.brought * come + a.staying * (here - leave)
    return rest, np.where(a.strict, least, np.maximum(least, enough)), a.most * (here + come - leave)


def _input(work: Interval, entries: Indices) -> Floats:
    return np.where(entries >= 0, work.u[entries], 0.0)


def _net_range(work: Interval) -> tuple[Floats, Floats]:
    """Lowest and highest net injection that chargers, a person's word and energies allow."""
    a = work.roster.aggregators
    rest, least, most = _levels(work)
    lowest = np.where(rest <= most, -(most - rest) / a.gain, (rest - most) / a.drain)
    highest = np.where(rest >= least, (rest - least) / a.drain, -(least - rest) / a.gain)
    chargers = a.charger_kw * work.u[a.connected]
    low, high = np.maximum(work.u[a.power_low], -chargers), np.minimum(work.u[a.power_high], chargers)
    low = np.minimum(low, high)
    return np.clip(lowest, low, high), np.clip(highest, low, high)


def advance_aggregators(work: Interval, after: Floats) -> None:
    """Energies as they come out; what is lacking at a limit is added and told, and so is what nobody can hold."""
    a = work.roster.aggregators
    if not a.names:
        return
    charge, discharge = work.x[a.charge], work.x[a.discharge]
    rest, least, most = _levels(work)
    energy = rest + a.gain * charge - a.drain * discharge
    u, before = work.u, work.before[a.before]
    due = a.taken * u[a.departures] + a.staying * (u[a.connected] - u[a.departures])
    slack = _told(np.maximum(least - energy, np.where(a.strict, due - before, 0.0)))
    surplus = _told(energy + slack - most)
    work.x[a.energy] = energy + slack - surplus
    work.x[a.slack], work.x[a.surplus] = slack, surplus
    net = discharge - charge
    work.x[a.below], work.x[a.above] = _told(u[a.power_low] - net), _told(net - u[a.power_high])
    after[a.before] = work.x[a.energy]
    _advance_ramps(work, after)


def _advance_ramps(work: Interval, after: Floats) -> None:
    """Changes of charging and discharging beyond the ramp are told; the next interval starts from these powers and vehicles."""
    a, u = work.roster.aggregators, work.u
    ramped = np.flatnonzero(a.excess >= 0)
    usable = a.ramp_kw[ramped] * work.before[a.connected_before[ramped]]
    fallen = a.charger_kw[ramped] * u[a.withdrawn[ramped]]
    beyond = np.zeros(ramped.size)
    for power, was in ((a.charge, a.charge_before), (a.discharge, a.discharge_before)):
        change = work.x[power[ramped]] - work.before[was[ramped]]
        beyond = np.maximum(beyond, np.maximum(change - usable, -change - usable - fallen))
        after[was[ramped]] = work.x[power[ramped]]
    work.x[a.excess[ramped]] = _told(beyond)
    after[a.connected_before[ramped]] = u[a.connected[ramped]]


def _told(amount: Floats) -> Floats:
    """What is worth telling: noise of a solver at a limit is not."""
    return np.where(amount > TINY, amount, 0.0)
