"""Hydrogen of one interval closes inside its network; what moves there shows in heat and active power, which close after it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.program.linear_program import Floats
from pipeline.schedule.interval import TINY, Interval, net_range, shift_stores


def close_hydrogen(work: Interval) -> Floats:
    """Hydrogen mismatch: the tank, units that run lower, then those that run higher. Returns what is left per network, m3/h."""
    units, stores = work.roster.converters, work.roster.hydrogen_stores
    if not units.hydrogen.any() and not stores.names:
        return np.zeros(work.count)
    balance = (work.sum(units.network, units.hydrogen * work.x[units.power])
               + work.sum(stores.network, work.x[stores.discharge] - work.x[stores.charge]))
    lack, spare = np.maximum(-balance, 0.0), np.maximum(balance, 0.0)
    lack -= shift_stores(work, stores, lack, up=True)
    lack -= _move_units(work, lack, -units.hydrogen, up=False)
    lack -= _move_units(work, lack, np.where(_beside_partner(work), 0.0, units.hydrogen), up=True)
    lack -= shift_stores(work, stores, lack, up=True, loose=True)
    spare -= shift_stores(work, stores, spare, up=False)
    spare -= _move_units(work, spare, units.hydrogen, up=False)
    spare -= _move_units(work, spare, np.where(_beside_partner(work), 0.0, -units.hydrogen), up=True)
    spare -= shift_stores(work, stores, spare, up=False, loose=True)
    return lack + spare


def raise_bought(work: Interval, amount: Floats) -> Floats:
    """Units that feed active power from bought fuel give more."""
    units = work.roster.converters
    return _move_units(work, amount, np.where(units.bought, units.active, 0.0), up=True)


def lower_bought(work: Interval, amount: Floats) -> Floats:
    """Units that feed active power from bought fuel give less."""
    units = work.roster.converters
    return _move_units(work, amount, np.where(units.bought, units.active, 0.0), up=False)


def shift_hydrogen(work: Interval, amount: Floats, *, up: bool, loose: bool = False) -> None:
    """Raise (lower) active power by at most `amount` per network, as far as the tanks follow. Heat is left to close anew.

    Up: electrolysers run lower, then fuel cells higher. Down: fuel cells lower, then electrolysers higher. None starts beside its partner.
    loose: off the rule of the tanks' day's end.
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
        low, high = net_range(work, stores, loose=loose)
        net = work.x[stores.discharge] - work.x[stores.charge]
        room = work.sum(stores.network, np.maximum(high - net if up else net - low, 0.0))
        wanted = np.minimum(rest, np.divide(room, largest, out=np.zeros(work.count), where=largest > 0))
        before = work.x[units.power].copy()
        rest -= _move_units(work, wanted, np.where(mine, 1.0, 0.0), up=not lower)
        shift_stores(work, stores, work.sum(units.network, per_kw * np.abs(work.x[units.power] - before)), up=up, loose=loose)


def tank_is_missed_first(work: Interval) -> NDArray[np.bool_]:
    """(networks,) where a kWh costs less as hydrogen short of a tank's day's end than as energy short of a battery's."""
    units, tanks, batteries = work.roster.converters, work.roster.hydrogen_stores, work.roster.stores
    per_kwh, tank, battery = np.zeros(work.count), np.zeros(work.count), np.full(work.count, np.inf)
    np.maximum.at(per_kwh, units.network, np.abs(units.hydrogen))
    np.maximum.at(tank, tanks.network, work.cost[tanks.short] * tanks.gain)
    np.minimum.at(battery, batteries.network, work.cost[batteries.short] * batteries.gain)
    return np.asarray(np.isfinite(battery) & (tank * per_kwh < battery))


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
