"""Converters: every carrier that they take or give follows from one power, recomputed from the case and the published rows."""

from __future__ import annotations

import numpy as np

from pipeline.core.errors import Mistake
from pipeline.equipment import Converter
from pipeline.validate.check import BOTH_KW, POWER_KW, SUFFIX, Check, outside
from pipeline.validate.frame import Floats, Frame
from pipeline.validate.ramps import ramp_mistakes

KWH_PER_M3 = 3.0  # lower heating value of hydrogen


def flows(device: Converter) -> dict[str, float]:
    """Carrier -> injection per unit of power; heat before anything is vented."""
    electric_in = device.input_carrier == "active"
    taken, given = (1.0, device.conversion_factor) if electric_in else (1.0 / device.conversion_factor, 1.0)
    found = {"active": 0.0, "heat": device.waste_heat_share * (taken - given), "hydrogen": 0.0}
    if device.output_carrier == "heat":
        found["heat"] = given
    if electric_in:
        found["active"] = -1.0
    elif device.output_carrier == "active":
        found["active"] = 1.0
    if device.output_carrier == "hydrogen":
        found["hydrogen"] = given / KWH_PER_M3
    elif device.input_carrier == "hydrogen":
        found["hydrogen"] = -taken / KWH_PER_M3
    return found


def converter_power(long: Frame, device: Converter) -> Floats:
    """(S, T): the electric side of the published injections, else the heat before venting."""
    active = flows(device)["active"]
    if active:
        return np.asarray(long.zero_or(device.id, device.bus, "active", "injection") / active)
    heat = (device.id, device.bus, "heat")
    return np.asarray(long.zero_or(*heat, "injection") + long.zero_or(*heat, "vent_kwth"))


def check_converter(check: Check, device: Converter) -> list[Mistake]:
    """Power in its limits and equal to what is published, each carrier at its ratio, vented heat bounded, ramps, one of a pair."""
    long = check.long
    power = converter_power(long, device)
    rated = "active" if flows(device)["active"] else "heat"
    key = (device.id, device.bus, rated, "power_kw" if rated == "active" else "power_kwth")
    low = np.where(check.overridden(device.id), 0.0, device.power_min_kw)
    mistakes = outside(check, (*key[:3], "injection"), power, low, device.power_max_kw)
    published = long.get(*key)
    if published is not None:
        bad = np.abs(published - power) > POWER_KW
        mistakes += long.mistakes(key, bad, "{:.6g}, its injection makes {:.6g}", published, power)
    vent = long.zero_or(device.id, device.bus, "heat", "vent_kwth")
    limit = device.vent_max_kwth if device.vent_max_kwth is not None else 2 * flows(device)["heat"] * device.power_max_kw
    mistakes += outside(check, (device.id, device.bus, "heat", "vent_kwth"), vent, 0.0, limit if device.vent_allowed else 0.0)
    for carrier, factor in flows(device).items():
        found = long.values.get((device.id, device.bus, carrier, "injection"))
        if not factor or found is None:
            continue
        wanted = factor * power - (vent if carrier == "heat" else 0.0)
        bad = np.abs(found - wanted) > POWER_KW
        mistakes += long.mistakes((device.id, device.bus, carrier, "injection"), bad, "{:.6g}, its power makes {:.6g}", found, wanted)
    return mistakes + _ramps(check, device, power) + _pair(check, device, power)


def _ramps(check: Check, device: Converter, power: Floats) -> list[Mistake]:
    unit = SUFFIX[device.rated_carrier][0]
    return ramp_mistakes(
        check, (device.id, device.bus, device.rated_carrier, "injection"), power, ramp_kw_per_h=device.ramp_kw_per_h,
        before=check.context.before.get((device.id, f"power_{unit}")),
        excess=check.long.zero_or(device.id, device.bus, device.rated_carrier, f"ramp_excess_{unit}"),
    )


def _pair(check: Check, device: Converter, power: Floats) -> list[Mistake]:
    other = next((one for one in check.case.devices if isinstance(one, Converter) and one.id == device.exclusive_with), None)
    if other is None or "simultaneous_charging" in check.excused:
        return []
    beside = converter_power(check.long, other)
    both = (np.minimum(power, beside) > BOTH_KW) & check.single[:, None]
    key = (device.id, device.bus, "active", "injection")
    return check.long.mistakes(key, both, f"power {{:.6g}} while {other.id}, which it excludes, has {{:.6g}}", power, beside)
