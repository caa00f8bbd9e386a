"""One interval: set-points meet values. Every mismatch passes over the network's own tie and ends at the balancing tie, or is taken by
the balancing chain.

Used three times with the same rules: settlement (set-points of the dispatch, realised values), the fallback (set-points of the
day-ahead schedule, forecast values) and the yardstick without re-dispatch.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from pipeline.program.linear_program import Floats
from pipeline.schedule.close_aggregators import advance_aggregators, project_aggregators, shift_aggregators
from pipeline.schedule.close_carriers import close_heat, close_hydrogen, lower_bought, raise_bought, shift_hydrogen
from pipeline.schedule.close_chain import close_over_chain
from pipeline.schedule.commit import advance
from pipeline.schedule.interval import (
    TINY,
    Interval,
    generator_power,
    lower_column,
    raise_column,
    range_in_time,
    scale_generators,
    set_net,
    shift_stores,
)
from pipeline.schedule.roster import Roster, Stores, Ties

_ROUNDS = 30  # a boiler answers a kW of a fuel cell by .27 kW at most, of an electrolyser by .08: both die out

def close_interval(
    roster: Roster, set_points: Floats, inputs: Floats, state: Floats, *, step_h: float, turning: tuple[Floats, Floats] | None = None,
) -> tuple[Floats, Floats, Floats]:
    """Columns as they come out (J,), the state values after the interval, and what no device could take per network (kW).

    set_points: (J,) columns. inputs: (I,) values of the interval, fitted to the state. state: values before the interval.
    turning: net injection (lowest, highest) of stores between which they turn in time (see `turning`).
    Voltages and flows are left as they are: `complete` fills them for a whole day at once.
    """
    work = Interval(roster, set_points.copy(), inputs, state, turning)
    after = state.copy()
    _hold_demand(work)
    _hold_generation(work)
    _charge_vehicles(work)
    project_aggregators(work)
    for stores in roster.every_store:
        _project_stores(work, stores)
    work.left += close_hydrogen(work) + close_heat(work)
    work.left += _close_active(work)
    for stores in roster.every_store:
        _advance_stores(work, stores, after)
    _advance_vehicles(work, after)
    advance_aggregators(work, after)
    _advance_units(work, after, step_h)
    derive_ties(work.roster.ties, work.x, work.u)
    return work.x, after, work.left


def _hold_demand(work: Interval) -> None:
    for demands in (work.roster.demands, work.roster.heat_demands):
        work.x[demands.shed] = np.clip(work.x[demands.shed], 0.0, work.u[demands.load])
    sources = work.roster.sources
    work.x[sources.curtailed] = np.clip(work.x[sources.curtailed], 0.0, work.u[sources.available])


def _hold_generation(work: Interval) -> None:
    """Held, within what the interval's limits allow."""
    chps = work.roster.chps
    work.x[chps.power] = np.clip(work.x[chps.power], work.u[chps.low], work.u[chps.high])
    converters = work.roster.converters
    work.x[converters.power] = np.clip(work.x[converters.power], *work.converter_range())
    power = generator_power(work)
    held = np.clip(power, *work.generator_range())
    if np.any(np.abs(held - power) > TINY):
        scale_generators(work, held)


def _charge_vehicles(work: Interval) -> None:
    """Held charging, clipped to the chargers that are there and the energy that still fits; whoever must charge now, does."""
    cohorts = work.roster.cohorts
    stored = work.before[cohorts.before]
    room = np.maximum(work.u[cohorts.energy_high] - stored, 0.0) / cohorts.gain
    needed = np.maximum(work.u[cohorts.energy_low] - stored, 0.0) / cohorts.gain
    held = np.minimum(np.maximum(work.x[cohorts.charge], needed), room)
    work.x[cohorts.charge] = np.clip(held, 0.0, work.u[cohorts.power_high])


def _project_stores(work: Interval, stores: Stores) -> None:
    if stores.names:
        low, high = range_in_time(work, stores)
        set_net(work, stores, np.clip(work.x[stores.discharge] - work.x[stores.charge], low, high))


def _close_active(work: Interval) -> Floats:
    """From the leaves to the balancing tie: each network's mismatch over its own tie, the rest inside by shedding and so on."""
    roster, ties = work.roster, work.roster.ties
    if roster.chain is not None:
        return close_over_chain(work, roster.chain, _active_balance, _cover, _drain)
    unmet = np.zeros(work.count)
    lowest, highest = work.tie_range()
    for level in roster.levels:
        balance = _active_balance(work)
        closing = roster.closing[level]
        has = closing >= 0
        tie, network = closing[has], level[has]
        direction = np.where(ties.lower[tie] == network, 1.0, -1.0)
        old = work.x[ties.exchange[tie]]
        wanted = old - direction * balance[network]
        new = np.clip(wanted, lowest[tie], highest[tie])
        work.x[ties.exchange[tie]] = new
        rest = np.zeros(work.count)
        rest[network] = direction * (wanted - new)
        rest[level[~has]] = -balance[level[~has]]
        unmet += _cover(work, np.maximum(rest, 0.0)) + _drain(work, np.maximum(-rest, 0.0))
    return unmet


def _active_balance(work: Interval) -> Floats:
    roster = work.roster
    demands, sources, chps, stores, cohorts, ties = (
        roster.demands, roster.sources, roster.chps, roster.stores, roster.cohorts, roster.ties)
    converters = roster.converters
    dumps = demands.dump >= 0
    exchange = work.x[ties.exchange]
    above = ties.upper >= 0
    return np.asarray(
        work.sum(demands.network, work.x[demands.shed] - work.u[demands.load])
        - work.sum(demands.network[dumps], work.x[demands.dump[dumps]])
        + work.sum(sources.network, work.u[sources.available] - work.x[sources.curtailed])
        + work.sum(roster.generators.network, generator_power(work))
        + work.sum(chps.network, chps.sign * work.x[chps.power])
        + work.sum(converters.network, converters.active * work.x[converters.power])
        + work.sum(stores.network, work.x[stores.discharge] - work.x[stores.charge])
        - work.sum(cohorts.network, work.x[cohorts.charge])
        + work.sum(roster.aggregators.network, work.x[roster.aggregators.discharge] - work.x[roster.aggregators.charge])
        + work.sum(ties.lower, exchange) - work.sum(ties.upper[above], exchange[above]))


def _cover(work: Interval, lack: Floats, *, soft: bool = False) -> Floats:
    """A deficit beyond the tie's limit. What is flexible at once gives first, load is shed when nothing else is left (`soft`: never)."""
    if not np.any(lack > TINY):
        return np.zeros(work.count)
    roster, demands, cohorts = work.roster, work.roster.demands, work.roster.cohorts
    dumps = demands.dump >= 0
    needed = np.maximum(work.u[cohorts.energy_low] - work.before[cohorts.before], 0.0) / cohorts.gain
    steps: tuple[Callable[[Floats], Floats], ...] = (
        lambda rest: lower_column(work, demands.dump[dumps], demands.network[dumps], rest),
        lambda rest: lower_column(work, roster.sources.curtailed, roster.sources.network, rest),
        lambda rest: shift_stores(work, roster.stores, rest, up=True, only_stop=True),
        lambda rest: lower_column(work, cohorts.charge, cohorts.network, rest, needed),
        lambda rest: shift_aggregators(work, rest, up=True, only_stop=True),
        lambda rest: _raise_generators(work, rest),
        lambda rest: raise_bought(work, rest),
        lambda rest: shift_stores(work, roster.stores, rest, up=True),
        lambda rest: shift_aggregators(work, rest, up=True),
        lambda rest: _shift_hydrogen(work, rest, up=True),
    )
    hard: tuple[Callable[[Floats], Floats], ...] = (
        lambda rest: raise_column(work, demands.shed, demands.network, rest, work.u[demands.load]),
        lambda rest: lower_column(work, cohorts.charge, cohorts.network, rest),
    )
    return _in_turn(lack, steps if soft else steps + hard)


def _drain(work: Interval, spare: Floats, *, soft: bool = False) -> Floats:
    """A surplus beyond the tie's limit: shed less, discharge and generate less, curtail, store, dump. Returns what is left.

    `soft`: nothing is dumped.
    """
    if not np.any(spare > TINY):
        return np.zeros(work.count)
    roster, demands = work.roster, work.roster.demands
    dumps = demands.dump >= 0
    steps: tuple[Callable[[Floats], Floats], ...] = (
        lambda rest: lower_column(work, demands.shed, demands.network, rest),
        lambda rest: shift_stores(work, roster.stores, rest, up=False, only_stop=True),
        lambda rest: shift_aggregators(work, rest, up=False, only_stop=True),
        lambda rest: lower_bought(work, rest),
        lambda rest: _lower_generators(work, rest),
        lambda rest: raise_column(work, roster.sources.curtailed, roster.sources.network, rest, work.u[roster.sources.available]),
        lambda rest: shift_stores(work, roster.stores, rest, up=False),
        lambda rest: shift_aggregators(work, rest, up=False),
        lambda rest: _shift_hydrogen(work, rest, up=False),
    )
    hard: tuple[Callable[[Floats], Floats], ...] = (
        lambda rest: raise_column(work, demands.dump[dumps], demands.network[dumps], rest, demands.dump_max[dumps]),
        lambda rest: _lower_units(work, rest),
    )
    return _in_turn(spare, steps if soft else steps + hard)


def _in_turn(amount: Floats, steps: tuple[Callable[[Floats], Floats], ...]) -> Floats:
    rest = amount.copy()
    for step in steps:
        rest = np.maximum(rest - step(rest), 0.0)
    return rest


def _shift_hydrogen(work: Interval, amount: Floats, *, up: bool) -> Floats:
    """Electrolysers and fuel cells give (take) what is lacking (spare). Their heat closes anew and boilers move, so again for the rest."""
    taken, sign = np.zeros(work.count), 1.0 if up else -1.0
    if not work.roster.converters.hydrogen.any():
        return taken
    for _ in range(_ROUNDS):
        rest = amount - taken
        if not np.any(np.abs(rest) > TINY):
            break
        before = _active_balance(work)
        shift_hydrogen(work, np.maximum(rest, 0.0), up=up)
        shift_hydrogen(work, np.maximum(-rest, 0.0), up=not up)
        work.left += close_heat(work)
        change = sign * (_active_balance(work) - before)
        if not np.any(np.abs(change) > TINY):
            break
        taken += change
    return taken


def _raise_generators(work: Interval, amount: Floats) -> Floats:
    generators = work.roster.generators
    power = generator_power(work)
    moved = work.share(amount, np.maximum(work.generator_range()[1] - power, 0.0), generators.network)
    if moved.size and moved.any():
        scale_generators(work, power + moved)
    return work.sum(generators.network, moved)


def _lower_units(work: Interval, amount: Floats) -> Floats:
    """The last resort of an island that may not export: its units' power, as far as their heat was vented anyway."""
    chps = work.roster.chps
    vents = chps.vent >= 0
    vented = np.where(vents, work.x[chps.vent], 0.0) / chps.ratio
    feeds = chps.sign > 0
    moved = work.share(amount, np.where(feeds, np.minimum(work.x[chps.power], vented), 0.0), chps.network)
    work.x[chps.power] -= moved
    work.x[chps.vent[vents]] -= (chps.ratio * moved)[vents]
    return work.sum(chps.network, moved)


def _lower_generators(work: Interval, amount: Floats) -> Floats:
    generators = work.roster.generators
    power = generator_power(work)
    moved = work.share(amount, np.maximum(power - np.maximum(work.generator_range()[0], 0.0), 0.0), generators.network)
    if moved.size and moved.any():
        scale_generators(work, power - moved)
    return work.sum(generators.network, moved)


def _advance_stores(work: Interval, stores: Stores, after: Floats) -> None:
    if not stores.names:
        return
    charge, discharge = work.x[stores.charge], work.x[stores.discharge]
    energy = stores.kept * work.before[stores.before] + stores.gain * charge - stores.drain * discharge
    after[stores.before] = energy
    work.x[stores.energy] = energy
    work.x[stores.below] = np.maximum(work.u[stores.power_low] - (discharge - charge), 0.0)
    work.x[stores.above] = np.maximum(discharge - charge - work.u[stores.power_high], 0.0)


def _advance_units(work: Interval, after: Floats, step_h: float) -> None:
    """Where ramps start from next, by how much they were exceeded, and how long units have been on or off."""
    ramps, power = work.roster.ramps, work.roster.ramps.of(work.x)
    after[ramps.before] = power
    beyond = np.maximum(power - work.ramp_high, work.ramp_low - power)
    work.x[ramps.excess] = np.where(beyond > TINY, beyond, 0.0)
    advance(work.roster.units, work.on, work.before, after, step_h)


def _advance_vehicles(work: Interval, after: Floats) -> None:
    cohorts = work.roster.cohorts
    if not cohorts.charge.size:
        return
    energy = work.before[cohorts.before] + cohorts.gain * work.x[cohorts.charge]
    after[cohorts.before] = energy
    work.x[cohorts.energy] = energy
    work.x[cohorts.unserved] = np.maximum(work.u[cohorts.energy_low] - energy, 0.0)
    work.x[cohorts.over] = np.maximum(energy - work.u[cohorts.energy_high], 0.0)


def derive_ties(ties: Ties, columns: Floats, inputs: Floats) -> None:
    """Directions, exports and deviations follow from the exchange. columns (.., J) in place, inputs (.., I)."""
    exchange = columns[..., ties.exchange]
    paid = ties.forward >= 0
    columns[..., ties.forward[paid]] = np.maximum(exchange[..., paid], 0.0)
    columns[..., ties.backward[paid]] = np.maximum(-exchange[..., paid], 0.0)
    sells = ties.export >= 0
    columns[..., ties.export[sells]] = np.maximum(-exchange[..., sells], 0.0)
    planned = ties.up >= 0
    frozen: NDArray[np.bool_] = ties.schedule_input >= 0
    schedule = np.where(frozen, inputs[..., ties.schedule_input], columns[..., ties.schedule_column])[..., planned]
    deviation = exchange[..., planned] - schedule
    columns[..., ties.up[planned]], columns[..., ties.down[planned]] = np.maximum(deviation, 0.0), np.maximum(-deviation, 0.0)
