"""Which states of a case's devices can be measured, and what of a number and its unit is accepted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pipeline.cases.case import Case
from pipeline.cases.raw import nearest
from pipeline.core.errors import Mistake
from pipeline.core.units import CONVERSIONS
from pipeline.equipment import AnyDevice, Converter, EvAggregator, EvFleet, Generator, Store, Tie

_POWER = {"active": ("kw", "kW"), "heat": ("kwth", "kWth"), "hydrogen": ("m3h", "m3/h")}
_ENERGY = {"active": ("kwh", "kWh"), "heat": ("kwhth", "kWhth"), "hydrogen": ("m3", "m3")}
_ENERGY_UNITS: dict[str, tuple[str, float]] = {
    "Wh": ("kWh", 1e-3), "kWh": ("kWh", 1.0), "MWh": ("kWh", 1e3), "kWhth": ("kWhth", 1.0), "MWhth": ("kWhth", 1e3),
    "m3": ("m3", 1.0), "h": ("h", 1.0), "min": ("h", 1 / 60), "%": ("1", 1e-2), "1": ("1", 1.0),
}
FAR = 2.0  # times its own limit: what is measured may lie beyond, but not this far
RUNS_BACK = 0.05  # of its limit: a unit at rest draws a little, and a meter has an offset


@dataclass(frozen=True)
class Measurable:
    """One state that can be measured. Beyond [low, high] a number is a mistake. `stored_as`, `factor`: what becomes of it."""

    unit: str
    low: float
    high: float
    stored_as: str
    factor: float = 1.0


def measurable(case: Case, device: str) -> Mapping[str, Measurable]:
    """States of a device or tie that can be measured, by the names of the table `states`; energies of stores also as `soc_share`."""
    item = next((one for one in (*case.devices, *case.ties) if one.id == device), None)
    return {} if item is None else _of(item)


def _of(item: AnyDevice | Tie) -> dict[str, Measurable]:
    found: dict[str, Measurable] = {}
    match item:
        case Store():
            suffix, unit = _ENERGY[item.carrier]
            name = f"energy_{suffix}"
            found[name] = Measurable(unit, 0.0, FAR * item.energy_max_kwh, name)
            found["soc_share"] = Measurable("1", 0.0, FAR, name, item.energy_max_kwh)
            if item.ramp_kw_per_h is not None:
                found |= _power(item.carrier, -item.charge_max_kw, item.discharge_max_kw)
        case EvAggregator():
            found["energy_kwh"] = Measurable("kWh", 0.0, item.battery_kwh * item.vehicle_count, "energy_kwh")
        case Generator():
            if item.commitment is not None:
                found["on_share"] = Measurable("1", 0.0, 1.0, "on_share")
                found["in_state_h"] = Measurable("h", 0.0, float("inf"), "in_state_h")
            if item.ramp_kw_per_h is not None:
                found |= _power("active", 0.0, item.power_max_kw)
        case Converter():
            if item.ramp_kw_per_h is not None:
                found |= _power(item.rated_carrier, 0.0, item.power_max_kw)
        case Tie():
            if item.ramp_kw_per_h is not None:
                found["exchange_kw"] = Measurable("kW", *_believed(item.exchange_min_kw, item.exchange_max_kw), "exchange_kw")
        case _:
            pass
    return found


def _power(carrier: str, low: float, high: float) -> dict[str, Measurable]:
    suffix, unit = _POWER[carrier]
    return {f"power_{suffix}": Measurable(unit, *_believed(low, high), f"power_{suffix}")}


def _believed(low: float, high: float) -> tuple[float, float]:
    """Around the limits of a power and 0: what must run, or take a least amount, may be measured at rest all the same."""
    back = RUNS_BACK * max(abs(low), abs(high))
    return FAR * min(low, 0.0) - back, FAR * max(high, 0.0) + back


def accepted(case: Case, device: str, quantity: str, value: float, unit: str | None = None) -> tuple[str, float] | Mistake:
    """The quantity and value to store, in the unit of the table `states`; or what is wrong, with its remedy and without a place."""
    item = next((one for one in (*case.devices, *case.ties) if one.id == device), None)
    if item is None:
        return Mistake("", f"case {case.name} has no device or tie '{device}'",
                       nearest(device, [one.id for one in (*case.devices, *case.ties)]))
    known = _of(item)
    if quantity not in known:
        return Mistake("", f"'{quantity}' of {device} is no state that can be measured", _remedy(item, known))
    what, factor = known[quantity], 1.0
    if unit:
        canonical, factor = (CONVERSIONS | _ENERGY_UNITS).get(unit, ("", 1.0))
        if canonical != what.unit:
            return Mistake("", f"the unit '{unit}' does not become {what.unit}, in which {quantity} is kept", f"give it in {what.unit}")
    number = value * factor
    if not np.isfinite(number):
        return Mistake("", f"{quantity} is not a finite number", "give the number that was measured")
    if quantity == "on_share" and number not in (0.0, 1.0):
        return Mistake("", f"on_share is {number:g}", "give 1 for on and 0 for off")
    if not what.low <= number <= what.high:
        unit_shown = "" if what.unit == "1" else f" {what.unit}"
        return Mistake("", f"{quantity} is {number:g}{unit_shown}; of {device} nothing outside {what.low:g} to {what.high:g} is believed",
                       f"give it in {what.unit}" if quantity != "soc_share" else "give a share: 0.55 is 55 %")
    return what.stored_as, number * what.factor


def _remedy(item: AnyDevice | Tie, known: Mapping[str, Measurable]) -> str:
    if known:
        return f"give one of {', '.join(known)}"
    if isinstance(item, EvFleet):
        return "vehicles are told by their sessions: import a source of kind sessions"
    return "nothing of it is handed from interval to interval: it has no store, no ramp and no commitment"
