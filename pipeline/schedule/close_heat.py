"""Heat of one interval closes inside its network: the store first, then whatever makes heat, cheapest first, as far as it physically can.

Heat is left unmet, or vented, only where nothing else in the network has room for less. What moves here shows in the network's active
power, which closes after it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.equipment.base import HYDROGEN_KWH_PER_M3
from pipeline.program.linear_program import Floats, Indices
from pipeline.schedule.interval import TINY, Interval, lower_column, merit_order, net_range, raise_column, shift_stores

Flags = NDArray[np.bool_]


def close_heat(work: Interval, *, moving: Flags | None = None, shed: bool = True) -> Floats:
    """Lack: vent less, the heat store, makers and shedding by what they cost. Spare: the store, makers and vents by what they save.

    moving: (n,) makers that may move, all by default. shed: False where nothing may be left unmet. Returns what is left per network, kWth.
    """
    stores, demands, vents = work.roster.heat_stores, work.roster.heat_demands, work.roster.vents
    balance = heat_balance(work)
    lack, spare = np.maximum(-balance, 0.0), np.maximum(balance, 0.0)
    if np.any(lack > TINY):
        lack = lack - lower_column(work, vents.column, vents.network, lack)
        lack = lack - shift_stores(work, stores, lack, up=True)
        lack = _raise_in_turn(work, lack, moving, shed=shed)
        lack = lack - shift_stores(work, stores, lack, up=True, loose=True)
    if np.any(spare > TINY):
        spare = spare - lower_column(work, demands.shed, demands.network, spare)
        spare = spare - shift_stores(work, stores, spare, up=False)
        spare = _lower_in_turn(work, spare, moving)
        spare = spare - shift_stores(work, stores, spare, up=False, loose=True)
    return lack + spare


def follow_heat(work: Interval) -> None:
    """Cogeneration runs where power is worth its fuel, else for the heat that is asked for; what else makes heat makes the rest."""
    makers = work.roster.heat_makers
    feeds = (makers.active > 0) & (makers.hydrogen == 0)
    worth = feeds & (work.cost[makers.power] < work.active_cost * makers.active)
    work.x[makers.power[worth]] = _maker_range(work)[1][worth]
    for mine in (feeds, ~feeds & (makers.hydrogen == 0)):
        _move_makers(work, np.maximum(-heat_balance(work), 0.0), mine, up=True)


def heat_balance(work: Interval) -> Floats:
    """What each network has too much of, kWth."""
    makers, vents, stores, demands = work.roster.heat_makers, work.roster.vents, work.roster.heat_stores, work.roster.heat_demands
    return np.asarray(
        work.sum(makers.network, makers.heat * work.x[makers.power]) - work.sum(vents.network, work.x[vents.column])
        + work.sum(stores.network, work.x[stores.discharge] - work.x[stores.charge])
        + work.sum(demands.network, work.x[demands.shed] - work.u[demands.load]))


def shift_heat_led(work: Interval, amount: Floats, *, up: bool, hotter: bool, shed: bool = False) -> Floats:
    """Raise (lower) active power by `amount` per network through what makes more heat by it (`hotter`), or less; gives what it took.

    Their heat goes to the vent, the store and makers without an electric side, or comes from there. shed: or is left unmet.
    """
    makers = work.roster.heat_makers
    mine = (makers.active != 0) & (makers.hydrogen == 0) & ((makers.active > 0) == (up == hotter))
    if not mine.any() or not np.any(amount > TINY):
        return np.zeros(work.count)
    per_power = np.where(mine, np.abs(makers.active), 1.0)
    moved = work.share(amount, np.where(mine, _maker_room(work, up=hotter) * per_power, 0.0), makers.network)
    heat = work.sum(makers.network, moved * makers.heat / per_power)
    part = np.minimum(1.0, np.divide(_heat_room(work, more=hotter, shed=shed), heat, out=np.ones(work.count), where=heat > TINY))
    moved = moved * part[makers.network]
    work.x[makers.power] += moved / per_power if hotter else -moved / per_power
    work.left += close_heat(work, moving=makers.active == 0, shed=shed)
    return work.sum(makers.network, moved)


def _heat_room(work: Interval, *, more: bool, shed: bool) -> Floats:
    """How much more (less) heat each network can take from makers with an electric side, kWth."""
    stores, demands, vents, makers = work.roster.heat_stores, work.roster.heat_demands, work.roster.vents, work.roster.heat_makers
    low, high = net_range(work, stores)
    net = work.x[stores.discharge] - work.x[stores.charge]
    plain = (makers.active == 0) & (makers.hydrogen == 0)
    steered = work.sum(makers.network, np.where(plain, makers.heat * _maker_room(work, up=not more), 0.0))
    vented = work.x[vents.column]
    if more:
        cooled = work.sum(vents.network, np.maximum(vents.most - vented, 0.0)) + work.sum(demands.network, work.x[demands.shed])
        return np.asarray(steered + work.sum(stores.network, np.maximum(net - low, 0.0)) + cooled)
    unmet = work.sum(demands.network, np.maximum(work.u[demands.sheddable] - work.x[demands.shed], 0.0)) if shed else 0.0
    return np.asarray(steered + work.sum(stores.network, np.maximum(high - net, 0.0)) + work.sum(vents.network, vented) + unmet)


def _maker_range(work: Interval) -> tuple[Floats, Floats]:
    """Lowest and highest power of each maker; none starts beside its partner."""
    makers = work.roster.heat_makers
    low, high = work.within_ramps(work.u[makers.low], work.u[makers.high], makers.ramp)
    beside = (makers.partner >= 0) & (work.x[makers.partner] > TINY)
    return low, np.where(beside, np.minimum(high, work.x[makers.power]), high)


def _maker_room(work: Interval, *, up: bool) -> Floats:
    """How far each maker may rise (fall), in its power."""
    power, (low, high) = work.x[work.roster.heat_makers.power], _maker_range(work)
    return np.maximum(high - power if up else power - low, 0.0)


def _maker_cost(work: Interval, *, up: bool) -> Floats:
    """What a kWth more (less) of each maker costs: its own cost, its active power, and a hydrogen of the worth of the power it holds.

    A unit of hydrogen is not there for heat: moving it for heat alone also costs what the network's own tie pays off its position.
    """
    makers = work.roster.heat_makers
    energy = makers.active + HYDROGEN_KWH_PER_M3 * makers.hydrogen
    sign = 1.0 if up else -1.0
    off_position = np.where(makers.hydrogen != 0, work.deviation_cost[makers.network] * np.abs(makers.active), 0.0)
    return np.asarray((sign * (work.cost[makers.power] - work.active_cost * energy) + off_position) / makers.heat)


def _raise_in_turn(work: Interval, lack: Floats, moving: Flags | None, *, shed: bool) -> Floats:
    """Makers run higher, stores stop charging for the day's end and demands stay unmet, cheapest first. Gives what is still lacking."""
    makers, demands, stores = work.roster.heat_makers, work.roster.heat_demands, work.roster.heat_stores
    first, second = makers.power.size, makers.power.size + demands.shed.size
    network = np.concatenate([makers.network, demands.network, stores.network])
    missed = work.cost[stores.short] * stores.gain
    for rows in merit_order(network, np.concatenate([_maker_cost(work, up=True), work.cost[demands.shed], missed])):
        lack = lack - _move_makers(work, lack, _only(rows, first, moving), up=True)
        if shed and (which := rows[(rows >= first) & (rows < second)] - first).size:
            lack = lack - raise_column(work, demands.shed[which], demands.network[which], lack, work.u[demands.sheddable[which]])
        if (rows >= second).any():
            lack = lack - shift_stores(work, stores, lack, up=True, only_stop=True, loose=True)
    return lack


def _lower_in_turn(work: Interval, spare: Floats, moving: Flags | None) -> Floats:
    """Makers run lower and heat is vented, in the order of what it costs. Gives what is still spare."""
    makers, vents = work.roster.heat_makers, work.roster.vents
    count = makers.power.size
    network, cost = np.concatenate([makers.network, vents.network]), np.concatenate([_maker_cost(work, up=False), work.cost[vents.column]])
    for rows in merit_order(network, cost):
        spare = spare - _move_makers(work, spare, _only(rows, count, moving), up=False)
        if (which := rows[rows >= count] - count).size:
            spare = spare - raise_column(work, vents.column[which], vents.network[which], spare, vents.most[which])
    return spare


def _only(rows: Indices, count: int, moving: Flags | None) -> Flags:
    """(count,) makers among `rows` that may move."""
    found = np.zeros(count, dtype=bool)
    found[rows[rows < count]] = True
    return found if moving is None else found & moving


def _move_makers(work: Interval, amount: Floats, mine: Flags, *, up: bool) -> Floats:
    """Makers run higher (lower) for `amount` of heat per network, with hydrogen as far as the tank follows; gives what they took."""
    makers, tanks = work.roster.heat_makers, work.roster.hydrogen_stores
    if not mine.any():
        return np.zeros(work.count)
    room = np.where(mine, _maker_room(work, up=up), 0.0)
    sign = 1.0 if up else -1.0
    if not tanks.names:
        room[makers.hydrogen != 0] = 0.0
    else:
        low, high = net_range(work, tanks)
        net = work.x[tanks.discharge] - work.x[tanks.charge]
        change = sign * makers.hydrogen * room  # m3/h into the network
        for side, reach in ((change < 0, high - net), (change > 0, net - low)):
            room = np.where(side, room * _within(work, np.abs(change) * side, reach, tanks.network)[makers.network], room)
    moved = work.share(amount, makers.heat * room, makers.network)
    power = moved / makers.heat
    work.x[makers.power] += sign * power
    hydrogen = work.sum(makers.network, sign * makers.hydrogen * power)
    shift_stores(work, tanks, np.maximum(-hydrogen, 0.0), up=True)
    shift_stores(work, tanks, np.maximum(hydrogen, 0.0), up=False)
    return work.sum(makers.network, moved)


def _within(work: Interval, wanted: Floats, reach: Floats, network: Indices) -> Floats:
    """Per network the share of what makers want (n,) that tanks can reach."""
    total = work.sum(work.roster.heat_makers.network, wanted)
    room = work.sum(network, np.maximum(reach, 0.0))
    return np.minimum(1.0, np.divide(room, total, out=np.ones(work.count), where=total > TINY))
