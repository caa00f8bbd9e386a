"""Hydrogen and heat of one interval close inside their network; what moves there shows in its active power, which closes after them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.program.linear_program import Floats
from pipeline.schedule.interval import TINY, Interval, lower_column, net_range, raise_column, shift_stores


def close_hydrogen(work: Interval) -> Floats:
    """Hydrogen mismatch: the tank, then units run lower. Returns what is left per network, m3/h."""
    units, stores = work.roster.converters, work.roster.hydrogen_stores
    if not units.hydrogen.any() and not stores.names:
        return np.zeros(work.count)
    balance = (work.sum(units.network, units.hydrogen * work.x[units.power])
               + work.sum(stores.network, work.x[stores.discharge] - work.x[stores.charge]))
    lack, spare = np.maximum(-balance, 0.0), np.maximum(balance, 0.0)
    lack -= shift_stores(work, stores, lack, up=True)
    lack -= _move_units(work, lack, -units.hydrogen, up=False)
    spare -= shift_stores(work, stores, spare, up=False)
    spare -= _move_units(work, spare, units.hydrogen, up=False)
    return lack + spare


def close_heat(work: Interval) -> Floats:
    """Heat mismatch: the vent, the heat store, the boilers, then vented or unmet heat. Returns what is left per network."""
    chps, units, demands, stores = work.roster.chps, work.roster.converters, work.roster.heat_demands, work.roster.heat_stores
    vent = np.concatenate([chps.vent, units.vent])
    has = vent >= 0
    entries, place = vent[has], np.concatenate([chps.network, units.network])[has]
    largest = np.concatenate([chps.vent_max, units.vent_max])[has]
    balance = (work.sum(chps.network, chps.ratio * work.x[chps.power]) + work.sum(units.network, units.heat * work.x[units.power])
               - work.sum(place, work.x[entries])
               + work.sum(stores.network, work.x[stores.discharge] - work.x[stores.charge])
               + work.sum(demands.network, work.x[demands.shed] - work.u[demands.load]))
    boilers = np.where(units.heat_led, units.heat, 0.0)
    lack = np.maximum(-balance, 0.0)
    lack -= lower_column(work, entries, place, lack)
    lack -= shift_stores(work, stores, lack, up=True)
    lack -= _move_units(work, lack, boilers, up=True)
    lack -= raise_column(work, demands.shed, demands.network, lack, work.u[demands.load])
    spare = np.maximum(balance, 0.0)
    spare -= shift_stores(work, stores, spare, up=False)
    spare -= lower_column(work, demands.shed, demands.network, spare)
    spare -= _move_units(work, spare, boilers, up=False)
    spare -= raise_column(work, entries, place, spare, largest)
    return lack + spare


def raise_bought(work: Interval, amount: Floats) -> Floats:
    """Units that feed active power from bought fuel give more."""
    units = work.roster.converters
    return _move_units(work, amount, np.where(units.bought, units.active, 0.0), up=True)


def lower_bought(work: Interval, amount: Floats) -> Floats:
    """Units that feed active power from bought fuel give less."""
    units = work.roster.converters
    return _move_units(work, amount, np.where(units.bought, units.active, 0.0), up=False)


def shift_hydrogen(work: Interval, amount: Floats, *, up: bool) -> None:
    """Raise (lower) active power by at most `amount` per network, as far as the tanks follow. Heat is left for `close_heat`.

    Up: electrolysers run lower, then fuel cells higher. Down: fuel cells lower, then electrolysers higher. None starts beside its partner.
    """
    units, stores = work.roster.converters, work.roster.hydrogen_stores
    if not stores.names:
        return
    rest, per_kw = amount.copy(), np.abs(units.hydrogen)
    for lower in (True, False):
        mine = (units.hydrogen != 0) & (units.active != 0) & ((units.active < 0) == (up == lower))
        if not lower:
            mine &= ~_beside_partner(work)
        largest = np.zeros(work.count)
        np.maximum.at(largest, units.network[mine], per_kw[mine])
        low, high = net_range(work, stores)
        net = work.x[stores.discharge] - work.x[stores.charge]
        room = work.sum(stores.network, np.maximum(high - net if up else net - low, 0.0))
        wanted = np.minimum(rest, np.divide(room, largest, out=np.zeros(work.count), where=largest > 0))
        before = work.x[units.power].copy()
        rest -= _move_units(work, wanted, np.where(mine, 1.0, 0.0), up=not lower)
        shift_stores(work, stores, work.sum(units.network, per_kw * np.abs(work.x[units.power] - before)), up=up)


def _beside_partner(work: Interval) -> NDArray[np.bool_]:
    """(n,) units whose partner runs."""
    units = work.roster.converters
    found = np.zeros(units.power.size, dtype=bool)
    for one, other in units.pairs:
        found[one], found[other] = work.x[units.power[other]] > TINY, work.x[units.power[one]] > TINY
    return found


def _move_units(work: Interval, amount: Floats, factor: Floats, *, up: bool) -> Floats:
    """Units with a positive `factor` (per unit of power) run higher or lower within their limits; gives what they took of `amount`."""
    units = work.roster.converters
    if not units.power.size:
        return np.zeros(work.count)
    power, (low, high) = work.x[units.power], work.converter_range()
    gives = np.maximum(factor, 0.0)
    moved = work.share(amount, gives * np.maximum(high - power if up else power - low, 0.0), units.network)
    change = np.divide(moved, gives, out=np.zeros(len(moved)), where=gives > 0)
    work.x[units.power] = power + change if up else power - change
    return work.sum(units.network, moved)
