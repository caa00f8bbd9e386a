"""Active power of one interval: from the leaves to the balancing tie, or over the balancing chain; beyond their limits inside."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pipeline.program.linear_program import Floats
from pipeline.schedule.close_aggregators import shift_aggregators
from pipeline.schedule.close_carriers import lower_bought, raise_bought, shift_hydrogen, tank_is_missed_first
from pipeline.schedule.close_chain import close_over_chain
from pipeline.schedule.close_heat import close_heat, shift_heat_led
from pipeline.schedule.interval import (
    TINY,
    Interval,
    generator_power,
    lower_column,
    merit_order,
    raise_column,
    scale_generators,
    shift_stores,
)

_ROUNDS = 30  # a boiler answers a kW of a fuel cell by .27 kW at most, of an electrolyser by .08: both die out


def close_active(work: Interval) -> Floats:
    """From the leaves to the balancing tie: each network's mismatch over its own tie, the rest by itself and those behind it.

    Gives what is left per network, kW.
    """
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
        unmet += _cover(work, _from_behind(work, _cover(work, np.maximum(rest, 0.0), soft=True), up=True))
        unmet += _drain(work, _from_behind(work, _drain(work, np.maximum(-rest, 0.0), soft=True), up=False))
    return unmet


def _from_behind(work: Interval, amount: Floats, *, up: bool) -> Floats:
    """What networks lack (have to spare) is taken by those whose tie leads to them, as far as ties and devices go. Gives the rest."""
    roster, ties = work.roster, work.roster.ties
    behind = np.flatnonzero(roster.parent >= 0)
    rest, tie, ahead = amount.copy(), roster.closing[behind], roster.parent[behind]
    open_ = np.ones(behind.size, dtype=bool)
    while np.any(rest[ahead[open_]] > TINY):
        lowest, highest = work.tie_range()
        rises = (ties.lower[tie] == behind) != up  # of its exchange, when more comes from behind
        exchange = work.x[ties.exchange[tie]]
        room = np.where(rises, highest[tie] - exchange, exchange - lowest[tie]) * open_
        asked = np.zeros(work.count)
        asked[behind] = work.share(rest, np.maximum(room, 0.0), ahead)
        own = _cover if up else _drain
        given = (asked - _from_behind(work, own(work, asked, soft=True), up=up))[behind]
        work.x[ties.exchange[tie]] = exchange + np.where(rises, given, -given)
        rest = np.maximum(rest - work.sum(ahead, given), 0.0)
        open_ &= (given >= asked[behind] - TINY) & (given > TINY)
    return rest


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
        lambda rest: shift_heat_led(work, rest, up=True, hotter=False),
        lambda rest: shift_heat_led(work, rest, up=True, hotter=True),
        lambda rest: shift_stores(work, roster.stores, rest, up=True),
        lambda rest: shift_aggregators(work, rest, up=True),
        lambda rest: _shift_hydrogen(work, rest, up=True),
    )
    hard: tuple[Callable[[Floats], Floats], ...] = (
        lambda rest: _shift_hydrogen(work, np.where(tank_is_missed_first(work), rest, 0.0), up=True, loose=True),
        lambda rest: shift_stores(work, roster.stores, rest, up=True, only_stop=True, loose=True),
        lambda rest: _shift_hydrogen(work, rest, up=True, loose=True),  # what a kWh is in hydrogen is missed at less than a kWh of load
        lambda rest: _shed(work, rest),
        lambda rest: shift_stores(work, roster.stores, rest, up=True, loose=True),
        lambda rest: lower_column(work, cohorts.charge, cohorts.network, rest),
        lambda rest: shift_heat_led(work, rest, up=True, hotter=False, shed=True),
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
        lambda rest: shift_heat_led(work, rest, up=False, hotter=False),
        lambda rest: raise_column(work, roster.sources.curtailed, roster.sources.network, rest, work.u[roster.sources.available]),
        lambda rest: shift_stores(work, roster.stores, rest, up=False),
        lambda rest: shift_aggregators(work, rest, up=False),
        lambda rest: _shift_hydrogen(work, rest, up=False),
        lambda rest: shift_heat_led(work, rest, up=False, hotter=True),
    )
    hard: tuple[Callable[[Floats], Floats], ...] = (
        lambda rest: shift_stores(work, roster.stores, rest, up=False, only_stop=True, loose=True),
        lambda rest: raise_column(work, demands.dump[dumps], demands.network[dumps], rest, _dump_limit(work)[dumps]),
        lambda rest: shift_stores(work, roster.stores, rest, up=False, loose=True),
        lambda rest: shift_heat_led(work, rest, up=False, hotter=False, shed=True),
    )
    return _in_turn(spare, steps if soft else steps + hard)


def _dump_limit(work: Interval) -> Floats:
    """(n,) what demands can burn, and what of a net load's feeding back can be cut back."""
    demands = work.roster.demands
    return np.asarray(demands.dump_max + work.u[demands.sheddable] - work.u[demands.load])


def _shed(work: Interval, amount: Floats) -> Floats:
    """Loads stay off, the cheapest first."""
    demands = work.roster.demands
    taken = np.zeros(work.count)
    for rows in merit_order(demands.network, work.cost[demands.shed]):
        taken = taken + raise_column(work, demands.shed[rows], demands.network[rows], amount - taken, work.u[demands.sheddable[rows]])
    return taken


def _in_turn(amount: Floats, steps: tuple[Callable[[Floats], Floats], ...]) -> Floats:
    rest = amount.copy()
    for step in steps:
        rest = np.maximum(rest - step(rest), 0.0)
    return rest


def _shift_hydrogen(work: Interval, amount: Floats, *, up: bool, loose: bool = False) -> Floats:
    """Electrolysers and fuel cells give (take) what is lacking (spare). Their heat closes anew and boilers move, so again for the rest."""
    taken, sign, makers = np.zeros(work.count), 1.0 if up else -1.0, work.roster.heat_makers
    led = (makers.active <= 0) & (makers.hydrogen == 0)  # the rest would answer with power of their own
    if not work.roster.converters.hydrogen.any():
        return taken
    for _ in range(_ROUNDS):
        rest = amount - taken
        if not np.any(np.abs(rest) > TINY):
            break
        before = _active_balance(work)
        shift_hydrogen(work, np.maximum(rest, 0.0), up=up, loose=loose)
        shift_hydrogen(work, np.maximum(-rest, 0.0), up=not up, loose=loose)
        work.left += close_heat(work, moving=led)
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


def _lower_generators(work: Interval, amount: Floats) -> Floats:
    generators = work.roster.generators
    power = generator_power(work)
    moved = work.share(amount, np.maximum(power - np.maximum(work.generator_range()[0], 0.0), 0.0), generators.network)
    if moved.size and moved.any():
        scale_generators(work, power - moved)
    return work.sum(generators.network, moved)


