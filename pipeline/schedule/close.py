"""One interval: set-points meet values. Every mismatch passes over the network's own tie and ends at the balancing tie.

Used three times with the same rules: settlement (set-points of the dispatch, realised values), the fallback (set-points of the
day-ahead schedule, forecast values) and the yardstick without re-dispatch.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from pipeline.program.linear_program import Floats, Indices
from pipeline.schedule.roster import Roster, Stores

_TINY = 1e-9


class _Interval:
    """Columns x (J,), inputs u, state values; takes and gives per network. Lives for one interval only."""

    def __init__(self, roster: Roster, x: Floats, u: Floats, before: Floats) -> None:
        self.roster, self.x, self.u, self.before = roster, x, u, before
        self.count = len(roster.networks)

    def sum(self, network: Indices, values: Floats) -> Floats:
        if not len(network):
            return np.zeros(self.count)
        return np.bincount(network, weights=values, minlength=self.count).astype(float)

    def share(self, amount: Floats, capacity: Floats, network: Indices) -> Floats:
        """How much each gives of `amount` (per network, >= 0), in proportion to its capacity (>= 0)."""
        total = self.sum(network, capacity)
        part = np.minimum(1.0, np.divide(amount, total, out=np.zeros(self.count), where=total > _TINY))
        return np.asarray(capacity * part[network])


def close_interval(roster: Roster, set_points: Floats, inputs: Floats, state: Floats) -> tuple[Floats, Floats, Floats]:
    """Columns as they come out (J,), the state values after the interval, and what no device could take per network (kW).

    set_points: (J,) columns. inputs: (I,) values of the interval, fitted to the state. state: values before the interval.
    Voltages and flows are left as they are: `complete` fills them for a whole day at once.
    """
    work = _Interval(roster, set_points.copy(), inputs, state)
    after = state.copy()
    _hold_demand(work)
    _hold_generation(work)
    _charge_vehicles(work)
    _project_stores(work, roster.stores)
    _project_stores(work, roster.heat_stores)
    unmet = _close_heat(work)
    unmet += _close_active(work)
    _advance_stores(work, roster.stores, after)
    _advance_stores(work, roster.heat_stores, after)
    _advance_vehicles(work, after)
    generators = roster.generators
    ramped = generators.before >= 0
    if ramped.any():
        after[generators.before[ramped]] = _generator_power(work)[ramped]
    _derive_ties(work)
    return work.x, after, unmet


def _hold_demand(work: _Interval) -> None:
    for demands in (work.roster.demands, work.roster.heat_demands):
        work.x[demands.shed] = np.clip(work.x[demands.shed], 0.0, work.u[demands.load])
    sources = work.roster.sources
    work.x[sources.curtailed] = np.clip(work.x[sources.curtailed], 0.0, work.u[sources.available])


def _generator_power(work: _Interval) -> Floats:
    segment = work.roster.generators.segment
    return np.asarray(np.where(segment >= 0, work.x[segment], 0.0).sum(axis=1))


def _scale_generators(work: _Interval, power: Floats) -> None:
    """Fill segments in merit order up to `power`."""
    segment, width = work.roster.generators.segment, work.roster.generators.width
    below = np.cumsum(width, axis=1) - width
    filled = np.clip(power[:, None] - below, 0.0, width)
    mask = segment >= 0
    work.x[segment[mask]] = filled[mask]


def _hold_generation(work: _Interval) -> None:
    """Held, within what the interval's limits allow."""
    chps = work.roster.chps
    work.x[chps.power] = np.clip(work.x[chps.power], work.u[chps.low], work.u[chps.high])
    generators = work.roster.generators
    power = _generator_power(work)
    held = np.clip(power, work.u[generators.low], work.u[generators.high])
    if np.any(np.abs(held - power) > _TINY):
        _scale_generators(work, held)


def _charge_vehicles(work: _Interval) -> None:
    """Held charging, clipped to the chargers that are there and the energy that still fits; whoever must charge now, does."""
    cohorts = work.roster.cohorts
    stored = work.before[cohorts.before]
    room = np.maximum(work.u[cohorts.energy_high] - stored, 0.0) / cohorts.gain
    needed = np.maximum(work.u[cohorts.energy_low] - stored, 0.0) / cohorts.gain
    held = np.minimum(np.maximum(work.x[cohorts.charge], needed), room)
    work.x[cohorts.charge] = np.clip(held, 0.0, work.u[cohorts.power_high])


def _net_range(work: _Interval, stores: Stores) -> tuple[Floats, Floats]:
    """Lowest and highest net injection that power and energy limits allow."""
    kept = stores.kept * work.before[stores.before]
    lowest = -np.maximum(work.u[stores.energy_high] - kept, 0.0) / stores.gain
    highest = np.maximum(kept - work.u[stores.energy_low], 0.0) / stores.drain
    return np.clip(work.u[stores.power_low], lowest, highest), np.clip(work.u[stores.power_high], lowest, highest)


def _set_net(work: _Interval, stores: Stores, net: Floats) -> None:
    work.x[stores.charge], work.x[stores.discharge] = np.maximum(-net, 0.0), np.maximum(net, 0.0)


def _project_stores(work: _Interval, stores: Stores) -> None:
    if stores.names:
        low, high = _net_range(work, stores)
        _set_net(work, stores, np.clip(work.x[stores.discharge] - work.x[stores.charge], low, high))


def _shift_stores(work: _Interval, stores: Stores, amount: Floats, *, up: bool, only_stop: bool = False) -> Floats:
    """Raise (lower) net injection by `amount` per network as far as limits allow; gives what it took. `only_stop`: not through zero."""
    if not stores.names:
        return np.zeros(work.count)
    low, high = _net_range(work, stores)
    net = work.x[stores.discharge] - work.x[stores.charge]
    if only_stop:
        low, high = np.maximum(low, 0.0), np.minimum(high, 0.0)
    room = np.maximum(high - net if up else net - low, 0.0)
    moved = work.share(amount, room, stores.network)
    _set_net(work, stores, net + moved if up else net - moved)
    return work.sum(stores.network, moved)


def _lower_column(work: _Interval, entries: Indices, network: Indices, amount: Floats, floor: Floats | float = 0.0) -> Floats:
    room = np.maximum(work.x[entries] - floor, 0.0)
    moved = work.share(amount, room, network)
    work.x[entries] -= moved
    return work.sum(network, moved)


def _raise_column(work: _Interval, entries: Indices, network: Indices, amount: Floats, ceiling: Floats) -> Floats:
    moved = work.share(amount, np.maximum(ceiling - work.x[entries], 0.0), network)
    work.x[entries] += moved
    return work.sum(network, moved)


def _close_heat(work: _Interval) -> Floats:
    """Heat mismatch: the vent, the heat store, then vented or unmet heat. Returns what is left per network."""
    chps, demands, stores = work.roster.chps, work.roster.heat_demands, work.roster.heat_stores
    vents = chps.vent >= 0
    made = chps.ratio * work.x[chps.power]
    balance = (work.sum(chps.network, made) - work.sum(chps.network[vents], work.x[chps.vent[vents]])
               + work.sum(stores.network, work.x[stores.discharge] - work.x[stores.charge])
               + work.sum(demands.network, work.x[demands.shed] - work.u[demands.load]))
    lack = np.maximum(-balance, 0.0)
    lack -= _lower_column(work, chps.vent[vents], chps.network[vents], lack)
    lack -= _shift_stores(work, stores, lack, up=True)
    lack -= _raise_column(work, demands.shed, demands.network, lack, work.u[demands.load])
    spare = np.maximum(balance, 0.0)
    spare -= _shift_stores(work, stores, spare, up=False)
    spare -= _lower_column(work, demands.shed, demands.network, spare)
    spare -= _raise_column(work, chps.vent[vents], chps.network[vents], spare, chps.vent_max[vents])
    return lack + spare


def _close_active(work: _Interval) -> Floats:
    """From the leaves to the balancing tie: each network's mismatch over its own tie, the rest inside by shedding and so on."""
    roster, ties = work.roster, work.roster.ties
    unmet = np.zeros(work.count)
    for level in roster.levels:
        balance = _active_balance(work)
        closing = roster.closing[level]
        has = closing >= 0
        tie, network = closing[has], level[has]
        direction = np.where(ties.lower[tie] == network, 1.0, -1.0)
        old = work.x[ties.exchange[tie]]
        wanted = old - direction * balance[network]
        new = np.clip(wanted, work.u[ties.low[tie]], work.u[ties.high[tie]])
        work.x[ties.exchange[tie]] = new
        rest = np.zeros(work.count)
        rest[network] = direction * (wanted - new)
        rest[level[~has]] = -balance[level[~has]]
        unmet += _cover(work, np.maximum(rest, 0.0)) + _drain(work, np.maximum(-rest, 0.0))
    return unmet


def _active_balance(work: _Interval) -> Floats:
    roster = work.roster
    demands, sources, chps, stores, cohorts, ties = (
        roster.demands, roster.sources, roster.chps, roster.stores, roster.cohorts, roster.ties)
    dumps = demands.dump >= 0
    exchange = work.x[ties.exchange]
    above = ties.upper >= 0
    return np.asarray(
        work.sum(demands.network, work.x[demands.shed] - work.u[demands.load])
        - work.sum(demands.network[dumps], work.x[demands.dump[dumps]])
        + work.sum(sources.network, work.u[sources.available] - work.x[sources.curtailed])
        + work.sum(roster.generators.network, _generator_power(work))
        + work.sum(chps.network, chps.sign * work.x[chps.power])
        + work.sum(stores.network, work.x[stores.discharge] - work.x[stores.charge])
        - work.sum(cohorts.network, work.x[cohorts.charge])
        + work.sum(ties.lower, exchange) - work.sum(ties.upper[above], exchange[above]))


def _cover(work: _Interval, lack: Floats) -> Floats:
    """A deficit beyond the tie's limit. What is flexible at once gives first, load is shed when nothing else is left."""
    if not np.any(lack > _TINY):
        return np.zeros(work.count)
    roster, demands, cohorts = work.roster, work.roster.demands, work.roster.cohorts
    dumps = demands.dump >= 0
    needed = np.maximum(work.u[cohorts.energy_low] - work.before[cohorts.before], 0.0) / cohorts.gain
    steps: tuple[Callable[[Floats], Floats], ...] = (
        lambda rest: _lower_column(work, demands.dump[dumps], demands.network[dumps], rest),
        lambda rest: _lower_column(work, roster.sources.curtailed, roster.sources.network, rest),
        lambda rest: _shift_stores(work, roster.stores, rest, up=True, only_stop=True),
        lambda rest: _lower_column(work, cohorts.charge, cohorts.network, rest, needed),
        lambda rest: _raise_generators(work, rest),
        lambda rest: _shift_stores(work, roster.stores, rest, up=True),
        lambda rest: _raise_column(work, demands.shed, demands.network, rest, work.u[demands.load]),
        lambda rest: _lower_column(work, cohorts.charge, cohorts.network, rest),
    )
    return _in_turn(lack, steps)


def _drain(work: _Interval, spare: Floats) -> Floats:
    """A surplus beyond the tie's limit: shed less, discharge and generate less, curtail, store, dump. Returns what is left."""
    if not np.any(spare > _TINY):
        return np.zeros(work.count)
    roster, demands = work.roster, work.roster.demands
    dumps = demands.dump >= 0
    steps: tuple[Callable[[Floats], Floats], ...] = (
        lambda rest: _lower_column(work, demands.shed, demands.network, rest),
        lambda rest: _shift_stores(work, roster.stores, rest, up=False, only_stop=True),
        lambda rest: _lower_generators(work, rest),
        lambda rest: _raise_column(work, roster.sources.curtailed, roster.sources.network, rest, work.u[roster.sources.available]),
        lambda rest: _shift_stores(work, roster.stores, rest, up=False),
        lambda rest: _raise_column(work, demands.dump[dumps], demands.network[dumps], rest, demands.dump_max[dumps]),
        lambda rest: _lower_units(work, rest),
    )
    return _in_turn(spare, steps)


def _in_turn(amount: Floats, steps: tuple[Callable[[Floats], Floats], ...]) -> Floats:
    rest = amount.copy()
    for step in steps:
        rest = np.maximum(rest - step(rest), 0.0)
    return rest


def _raise_generators(work: _Interval, amount: Floats) -> Floats:
    generators = work.roster.generators
    power = _generator_power(work)
    moved = work.share(amount, np.maximum(work.u[generators.high] - power, 0.0), generators.network)
    if moved.size and moved.any():
        _scale_generators(work, power + moved)
    return work.sum(generators.network, moved)


def _lower_units(work: _Interval, amount: Floats) -> Floats:
    """The last resort of an island that may not export: its units' power, as far as their heat was vented anyway."""
    chps = work.roster.chps
    vents = chps.vent >= 0
    vented = np.where(vents, work.x[chps.vent], 0.0) / chps.ratio
    feeds = chps.sign > 0
    moved = work.share(amount, np.where(feeds, np.minimum(work.x[chps.power], vented), 0.0), chps.network)
    work.x[chps.power] -= moved
    work.x[chps.vent[vents]] -= (chps.ratio * moved)[vents]
    return work.sum(chps.network, moved)


def _lower_generators(work: _Interval, amount: Floats) -> Floats:
    generators = work.roster.generators
    power = _generator_power(work)
    moved = work.share(amount, np.maximum(power - np.maximum(work.u[generators.low], 0.0), 0.0), generators.network)
    if moved.size and moved.any():
        _scale_generators(work, power - moved)
    return work.sum(generators.network, moved)


def _advance_stores(work: _Interval, stores: Stores, after: Floats) -> None:
    if not stores.names:
        return
    charge, discharge = work.x[stores.charge], work.x[stores.discharge]
    energy = stores.kept * work.before[stores.before] + stores.gain * charge - stores.drain * discharge
    after[stores.before] = energy
    work.x[stores.energy] = energy
    work.x[stores.below] = np.maximum(work.u[stores.power_low] - (discharge - charge), 0.0)
    work.x[stores.above] = np.maximum(discharge - charge - work.u[stores.power_high], 0.0)


def _advance_vehicles(work: _Interval, after: Floats) -> None:
    cohorts = work.roster.cohorts
    if not cohorts.charge.size:
        return
    energy = work.before[cohorts.before] + cohorts.gain * work.x[cohorts.charge]
    after[cohorts.before] = energy
    work.x[cohorts.energy] = energy
    work.x[cohorts.unserved] = np.maximum(work.u[cohorts.energy_low] - energy, 0.0)
    work.x[cohorts.over] = np.maximum(energy - work.u[cohorts.energy_high], 0.0)


def _derive_ties(work: _Interval) -> None:
    """Exports and deviations follow from the exchange."""
    ties = work.roster.ties
    exchange = work.x[ties.exchange]
    sells = ties.export >= 0
    work.x[ties.export[sells]] = np.maximum(-exchange[sells], 0.0)
    planned = ties.up >= 0
    frozen: NDArray[np.bool_] = ties.schedule_input >= 0
    schedule = np.where(frozen, work.u[ties.schedule_input], work.x[ties.schedule_column])[planned]
    deviation = exchange[planned] - schedule
    work.x[ties.up[planned]], work.x[ties.down[planned]] = np.maximum(deviation, 0.0), np.maximum(-deviation, 0.0)
