"""Every device's law and limits, recomputed per scenario and step from the published rows, the case and what was known."""

from __future__ import annotations

import numpy as np

from pipeline.core.clock import local_hour
from pipeline.core.errors import Mistake
from pipeline.equipment import Chp, Converter, Demand, EvFleet, Generator, Source, Store
from pipeline.validate.check import POWER_KW, SUFFIX, Check, check_signs, outside, slack_findings
from pipeline.validate.converters import check_converter
from pipeline.validate.findings import Finding
from pipeline.validate.frame import Floats
from pipeline.validate.ramps import ramp_mistakes
from pipeline.validate.storage import check_ev_fleet, check_store
from pipeline.validate.ties import check_tie


def check_devices(check: Check) -> tuple[list[Mistake], list[Finding]]:
    """Mistakes of every device and tie, and findings of every slack that moved."""
    mistakes: list[Mistake] = []
    for device in check.case.devices:
        match device:
            case Demand():
                mistakes += _demand(check, device)
            case Source():
                mistakes += _source(check, device)
            case Generator():
                mistakes += _generator(check, device)
            case Chp():
                mistakes += _chp(check, device)
            case Converter():
                mistakes += check_converter(check, device)
            case Store():
                mistakes += check_store(check, device)
            case EvFleet():
                mistakes += check_ev_fleet(check, device)
    for tie in check.case.ties:
        mistakes += check_tie(check, tie)
    return mistakes + check_signs(check), slack_findings(check)


def _demand(check: Check, device: Demand) -> list[Mistake]:
    power, _ = SUFFIX[device.carrier]
    key = (device.id, device.bus, device.carrier, "injection")
    injection = check.long.values.get(key)
    if injection is None:
        return []
    load = check.series(device.series) * device.series_share
    shed = check.long.zero_or(device.id, device.bus, device.carrier, f"shed_{power}")
    dump = check.long.zero_or(device.id, device.bus, device.carrier, f"dump_{power}")
    free = ~np.broadcast_to(check.overridden(device.id), load.shape)
    # Of an average of net loads the parts above and below zero are not those of the average; its scenarios are held to theirs.
    signed = any(series.id == device.series and series.bounds[0] < 0 for series in check.case.series)
    known = np.isfinite(load) & (check.single[:, None] | (not signed))
    wanted = -load + shed - dump
    mistakes = check.long.mistakes(
        key, free & (np.abs(injection - wanted) > POWER_KW), "{:.6g}, load and shedding make {:.6g}", injection, wanted
    )
    mistakes += outside(
        check,
        (device.id, device.bus, device.carrier, f"shed_{power}"),
        shed,
        0.0,
        np.where(known, np.maximum(load, 0.0), np.inf),
    )
    mistakes += outside(check, (device.id, device.bus, device.carrier, f"dump_{power}"), dump, 0.0,
                        device.dump_max_kw + np.where(known, np.maximum(-load, 0.0), np.inf))
    reactive_key = (device.id, device.bus, "reactive", "injection")
    reactive = check.long.values.get(reactive_key)
    if reactive is not None and device.carrier == "active":
        wanted = -load * _kvar_ratio(check, device) + shed * device.kvar_per_kw
        mistakes += check.long.mistakes(
            reactive_key, free & (np.abs(reactive - wanted) > POWER_KW), "{:.6g}, load and shedding make {:.6g}", reactive, wanted
        )
    return mistakes


def _kvar_ratio(check: Check, device: Demand) -> Floats:
    """(T,) kvar per kW of the load itself."""
    if device.kvar_profile is None:
        return np.full(len(check.long.steps), device.kvar_per_kw)
    profile = np.array(check.case.profiles[device.kvar_profile])
    return np.asarray(profile[local_hour(check.grid.starts[check.long.steps - 1], check.case.time_zone)])


def _source(check: Check, device: Source) -> list[Mistake]:
    key = (device.id, device.bus, "active", "injection")
    injection = check.long.values.get(key)
    if injection is None:
        return []
    available = check.series(device.series) * device.series_share
    mistakes = outside(check, key, injection, 0.0, np.where(np.isfinite(available), available, np.inf))
    curtailed = check.long.get(device.id, device.bus, "active", "curtailed_kw")
    if curtailed is not None:
        free = ~np.broadcast_to(check.overridden(device.id), available.shape)
        mistakes += check.long.mistakes(
            key,
            free & (np.abs(available - curtailed - injection) > POWER_KW),
            "{:.6g}, available {:.6g} less curtailed {:.6g} is another number",
            injection,
            available,
            curtailed,
        )
    return mistakes


def _generator(check: Check, device: Generator) -> list[Mistake]:
    key = (device.id, device.bus, "active", "injection")
    power = check.long.values.get(key)
    if power is None:
        return []
    low = np.where(check.overridden(device.id), 0.0, device.power_min_kw)
    unit = check.units.get(device.id)
    on = np.ones(len(check.long.steps)) if unit is None else unit.on.astype(float)
    mistakes = outside(check, key, power, low * on, device.power_max_kw * on)
    segments = check.long.get(device.id, device.bus, "active", "segment_kw")
    if segments is not None:
        mistakes += check.long.mistakes(key, np.abs(segments - power) > POWER_KW, "{:.6g}, its segments sum to {:.6g}", power, segments)
        for part in check.long.cohorts.get((device.id, device.bus, "active", "segment_kw"), ()):
            mistakes += outside(check, part, check.long.values[part], 0.0, device.power_max_kw / device.segment_count)
    reactive_key = (device.id, device.bus, "reactive", "injection")
    reactive = check.long.values.get(reactive_key)
    if reactive is not None:
        mistakes += outside(check, reactive_key, reactive, min(device.reactive_min_kvar, 0.0), device.reactive_max_kvar)
    return mistakes + ramp_mistakes(
        check, key, power, ramp_kw_per_h=device.ramp_kw_per_h, before=check.context.before.get((device.id, "power_kw")), unit=unit,
        excess=check.long.zero_or(device.id, device.bus, "active", "ramp_excess_kw"), least_kw=device.power_min_kw if unit else 0.0,
    )


def _chp(check: Check, device: Chp) -> list[Mistake]:
    key = (device.id, device.bus, "active", "injection")
    injection = check.long.values.get(key)
    if injection is None:
        return []
    power = injection if device.mode == "cogeneration" else -injection
    low = np.where(check.overridden(device.id), 0.0, device.power_min_kw)
    mistakes = outside(check, key, power, low, device.power_max_kw)
    heat_key = (device.id, device.bus, "heat", "injection")
    heat = check.long.values.get(heat_key)
    if heat is not None:
        made = device.heat_to_power_factor * power
        vent = check.long.get(device.id, device.bus, "heat", "vent_kwth")
        if vent is None:
            vent = check.long.get(device.id, device.bus, "active", "vent_kwth")
        if vent is not None:
            mistakes += check.long.mistakes(
                heat_key,
                np.abs(made - vent - heat) > POWER_KW,
                "{:.6g}, made {:.6g} less vented {:.6g} is another number",
                heat,
                made,
                vent,
            )
        mistakes += outside(check, heat_key, heat, made - device.vent_limit_kwth, made)
    return mistakes
