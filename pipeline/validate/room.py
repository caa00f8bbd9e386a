"""Room beside a penalty: heat or load that was shed, or a surplus that was burnt, while a device of its network could have moved for less.

Recomputed from the settled table and the case. What is in doubt counts as no room: ramps, units with commitment, steps that a person's
word moves, stores in the day's last step, and power that the ties may not have carried.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.equipment import AnyDevice, Chp, Converter, Demand, Generator, Store, Tie
from pipeline.validate.check import SUFFIX, Check
from pipeline.validate.converters import converter_power, flows
from pipeline.validate.findings import Finding
from pipeline.validate.frame import Floats

ROOM_KW = 1e-3


def room_findings(check: Check) -> list[Finding]:
    """One warning per network and kind of penalty, at its worst step."""
    found = []
    for network in check.case.networks:
        devices = [device for device in check.case.devices if check.case.network_of_bus[device.bus] == network.id]
        ties = [tie for tie in check.case.ties if tie.upper_bus is None and check.case.network_of_bus[tie.lower_bus] == network.id]
        for what, amount, room in (
            ("heat is unmet", *_unmet(check, devices, "heat")), ("load is shed", *_unmet(check, devices, "active", ties)),
            ("power is burnt", *_burnt(check, devices, ties)),
        ):
            beside = np.minimum(amount, room).max(axis=0, initial=0.0)
            if beside.size and beside.max() > ROOM_KW:
                step = int(check.long.steps[int(beside.argmax())])
                said = f"{beside.max():.6g} kW: {what} while a device of {network.id} had room for less, most in step {step}"
                found.append(Finding("warning", "room_left", f"{network.id}: {what}", said, float(beside.max()), 0.0))
    return found


def _unmet(check: Check, devices: list[AnyDevice], carrier: str, ties: list[Tie] | None = None) -> tuple[Floats, Floats]:
    """(S, T) what is shed of a carrier at the price of the cheapest demand that sheds, and the room that costs less."""
    amount, price = np.zeros(check.long.shape), np.full(check.long.shape, np.inf)
    for device in devices:
        if isinstance(device, Demand) and device.carrier == carrier:
            shed = check.long.zero_or(device.id, device.bus, carrier, f"shed_{SUFFIX[carrier][0]}")
            own = check.case.settings.slack_price_per_kwh if device.shed_price_per_kwh is None else device.shed_price_per_kwh
            price = np.where(shed > ROOM_KW, np.minimum(price, own), price)
            amount = amount + shed
    room = np.zeros(check.long.shape)
    if not (amount > ROOM_KW).any():
        return amount, room
    for device in devices:
        cost, more = _makes(check, device) if carrier == "heat" else _feeds(check, device)
        room = room + np.where(cost < price, np.where(check.overridden(device.id), 0.0, more), 0.0)
    for tie in ties or ():
        room = room + np.where(_price(check, tie) < price, _tie_room(check, tie, up=True), 0.0)
    return amount, room


def _burnt(check: Check, devices: list[AnyDevice], ties: list[Tie]) -> tuple[Floats, Floats]:
    """(S, T) what is dumped, and what the market, generators or stores could have done about it."""
    amount, room = np.zeros(check.long.shape), np.zeros(check.long.shape)
    for device in devices:
        if isinstance(device, Demand):
            amount = amount + check.long.zero_or(device.id, device.bus, device.carrier, f"dump_{SUFFIX[device.carrier][0]}")
    for device in devices if (amount > ROOM_KW).any() else ():
        if isinstance(device, Generator) and device.commitment is None and device.ramp_kw_per_h is None:
            power = check.long.zero_or(device.id, device.bus, "active", "injection")
            room = room + np.where(check.overridden(device.id), 0.0, np.maximum(power - device.power_min_kw, 0.0))
        elif isinstance(device, Store) and device.carrier == "active":
            room = room + np.where(check.overridden(device.id), 0.0, _store_room(check, device, up=False))
    for tie in ties:
        room = room + _tie_room(check, tie, up=False)
    return amount, room


def _makes(check: Check, device: AnyDevice) -> tuple[float | Floats, Floats]:
    """Cost per kWth and room (S, T) in kWth to make more heat; units with an electric side where the balancing tie takes it."""
    none = (np.inf, np.zeros(check.long.shape))
    if isinstance(device, Store) and device.carrier == "heat":
        return device.wear_cost_per_kwh, _store_room(check, device, up=True)
    if isinstance(device, Chp):
        sign, ratio = (1.0 if device.mode == "cogeneration" else -1.0), device.heat_to_power_factor
        power = sign * check.long.zero_or(device.id, device.bus, "active", "injection")
        own = device.fuel_cost_per_kwh
    elif isinstance(device, Converter) and flows(device)["heat"] > 0 and not flows(device)["hydrogen"] and device.ramp_kw_per_h is None:
        sign, ratio, power, own = flows(device)["active"], flows(device)["heat"], converter_power(check.long, device), device.cost_per_kwh
    else:
        return none
    room = ratio * np.maximum(device.power_max_kw - power, 0.0)
    if not sign:
        return own / ratio, room
    carried = _carried(check, device.bus, up=sign < 0)
    price = _power_price(check)
    return (own + (price if sign < 0 else np.maximum(-price, 0.0))) / ratio, np.where(carried, room, 0.0)


def _feeds(check: Check, device: AnyDevice) -> tuple[float, Floats]:
    """Cost per kWh and room (S, T) in kW to feed more active power."""
    if isinstance(device, Generator) and device.commitment is None and device.ramp_kw_per_h is None:
        most = device.cost_linear_per_kwh + 2 * device.cost_quadratic_per_kw2h * device.power_max_kw
        return most, np.maximum(device.power_max_kw - check.long.zero_or(device.id, device.bus, "active", "injection"), 0.0)
    if isinstance(device, Store) and device.carrier == "active":
        return device.wear_cost_per_kwh, _store_room(check, device, up=True)
    return np.inf, np.zeros(check.long.shape)


def _store_room(check: Check, device: Store, *, up: bool) -> Floats:
    """How much more (less) a store could have fed in, (S, T), by power and by its energy after the step."""
    kwh = SUFFIX[device.carrier][1]
    net = check.long.zero_or(device.id, device.bus, device.carrier, "injection")
    energy = check.long.zero_or(device.id, device.bus, device.carrier, f"energy_{kwh}")
    if device.ramp_kw_per_h is not None:
        return np.zeros(net.shape)
    if up:
        by_energy = (energy - device.energy_min_kwh) * min(device.discharge_efficiency_share, 1 / device.charge_efficiency_share)
        room = np.minimum(device.discharge_max_kw - net, by_energy / check.grid.step_h)
    else:
        by_energy = (device.energy_max_kwh - energy) * min(device.discharge_efficiency_share, 1 / device.charge_efficiency_share)
        room = np.minimum(net + device.charge_max_kw, by_energy / check.grid.step_h)
    ends = (check.long.steps == check.grid.count) & (device.cycle != "none")
    return np.where(ends, 0.0, np.maximum(room, 0.0))


def _tie_room(check: Check, tie: Tie, *, up: bool) -> Floats:
    """How much more (less) a tie could have carried into its lower end, (S, T)."""
    exchange = check.long.zero_or(tie.id, tie.lower_bus, "active", "injection")
    if tie.ramp_kw_per_h is not None:
        return np.zeros(exchange.shape)
    room = tie.exchange_max_kw - exchange if up else exchange - tie.exchange_min_kw
    return np.where(check.overridden(tie.id), 0.0, np.maximum(room, 0.0))


def _carried(check: Check, bus: str, *, up: bool) -> NDArray[np.bool_]:
    """(S, T) true where power could have come to (left) a bus's network over its tie and the balancing tie."""
    case, home = check.case, check.case.network_of_bus
    if case.balancing_tie is None:
        return np.zeros(check.long.shape, dtype=bool)
    last = next(tie for tie in case.ties if tie.id == case.balancing_tie)
    root, carried = home[last.lower_bus], _tie_room(check, last, up=up) > ROOM_KW
    if home[bus] == root:
        return carried
    near = [tie for tie in case.ties if tie.upper_bus is not None and (home[tie.upper_bus], home[tie.lower_bus]) == (root, home[bus])]
    ways = [_tie_room(check, tie, up=up) > ROOM_KW for tie in near]
    return np.asarray(carried & np.any(ways, axis=0), dtype=bool) if ways else np.zeros(check.long.shape, dtype=bool)


def _price(check: Check, tie: Tie) -> Floats:
    """(S, T) price of power at a tie to the market, with what a deviation adds; inf where it is not known."""
    if tie.market is None:
        return np.full(check.long.shape, np.inf)
    price = check.series(tie.market.price_series)
    factor = max(1.0, tie.market.imbalance_buy_factor)
    return np.where(np.isnan(price), np.inf, np.maximum(price, factor * price) + tie.deviation_price_per_kwh)


def _power_price(check: Check) -> Floats:
    """(S, T) price of power at the balancing tie; inf where there is none."""
    ties = [tie for tie in check.case.ties if tie.id == check.case.balancing_tie]
    return _price(check, ties[0]) if ties else np.full(check.long.shape, np.inf)
