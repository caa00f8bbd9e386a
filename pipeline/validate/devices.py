"""Every device's law and limits, recomputed per scenario and step from the published rows, the case and what was known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.cases.case import Case
from pipeline.core.clock import local_hour
from pipeline.core.errors import Mistake
from pipeline.equipment import Chp, Demand, EvFleet, Generator, Source, Store, Tie
from pipeline.validate.context import Context, Grid
from pipeline.validate.findings import Finding
from pipeline.validate.frame import Floats, Frame, Key

POWER_KW = 1e-4
ENERGY_KWH = 1e-4
BOTH_KW = 1e-6
SLACK_KW = 1e-4  # a priced slack beyond this is reported
SUFFIX = {"active": ("kw", "kwh"), "heat": ("kwth", "kwhth"), "hydrogen": ("m3h", "m3"), "reactive": ("kvar", "kvarh")}


@dataclass(frozen=True)
class Check:
    """One long table under test: its frame, the steps of its stage and the values that its scenarios met."""

    case: Case
    long: Frame
    grid: Grid
    context: Context
    values: Mapping[str, Mapping[str, Floats]]  # scenario -> series -> (N,) or coarser
    stage: str

    def series(self, series: str) -> Floats:
        """(S, T) values of a series, NaN for scenarios whose values are not known here."""
        rows = np.full(self.long.shape, np.nan)
        for s, scenario in enumerate(self.long.scenarios):
            given = self.values.get(scenario, {}).get(series)
            if given is not None:
                rows[s] = self.grid.fit(np.asarray(given, dtype=float))[self.long.steps - 1]
        return rows

    def overridden(self, device: str) -> NDArray[np.bool_]:
        """(T,) steps in which a person's word moves this device."""
        starts = self.grid.starts[self.long.steps - 1]
        ends = starts + 60 * self.grid.step_min
        hit = np.zeros(len(starts), dtype=bool)
        for bound in self.context.overrides:
            if bound.target == device:
                hit |= (starts < bound.valid_to) & (ends > bound.valid_from)
        return hit

    @property
    def single(self) -> NDArray[np.bool_]:
        """(S,) scenarios that are no average of others: a mean may charge and discharge at once, a real one may not."""
        representatives = any(name.isdigit() for name in self.long.scenarios)
        return np.array([name != "expected" or not representatives for name in self.long.scenarios], dtype=bool)


def check_devices(check: Check) -> tuple[list[Mistake], list[Finding]]:
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
            case Store():
                mistakes += _store(check, device)
            case EvFleet():
                mistakes += _ev_fleet(check, device)
    for tie in check.case.ties:
        mistakes += _tie(check, tie)
    return mistakes + _nonnegative(check), slack_findings(check)


def _outside(check: Check, key: Key, value: Floats, low: Floats | float, high: Floats | float, tolerance: float = POWER_KW) -> list[Mistake]:
    low_, high_ = np.broadcast_to(low, value.shape), np.broadcast_to(high, value.shape)
    return check.long.mistakes(key, (value < low_ - tolerance) | (value > high_ + tolerance), "{:.6g} is outside [{:.6g}, {:.6g}]", value, low_, high_)


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
    wanted = -load + shed - dump
    mistakes = check.long.mistakes(key, free & (np.abs(injection - wanted) > POWER_KW), "{:.6g}, load and shedding make {:.6g}", injection, wanted)
    mistakes += _outside(check, (device.id, device.bus, device.carrier, f"shed_{power}"), shed, 0.0, np.where(np.isfinite(load), np.maximum(load, 0.0), np.inf))
    mistakes += _outside(check, (device.id, device.bus, device.carrier, f"dump_{power}"), dump, 0.0, device.dump_max_kw)
    reactive_key = (device.id, device.bus, "reactive", "injection")
    reactive = check.long.values.get(reactive_key)
    if reactive is not None and device.carrier == "active":
        wanted = -load * _kvar_ratio(check, device) + shed * device.kvar_per_kw
        mistakes += check.long.mistakes(reactive_key, free & (np.abs(reactive - wanted) > POWER_KW), "{:.6g}, load and shedding make {:.6g}", reactive, wanted)
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
    mistakes = _outside(check, key, injection, 0.0, np.where(np.isfinite(available), available, np.inf))
    curtailed = check.long.get(device.id, device.bus, "active", "curtailed_kw")
    if curtailed is not None:
        free = ~np.broadcast_to(check.overridden(device.id), available.shape)
        mistakes += check.long.mistakes(key, free & (np.abs(available - curtailed - injection) > POWER_KW),
                                        "{:.6g}, available {:.6g} less curtailed {:.6g} is another number", injection, available, curtailed)
    return mistakes


def _generator(check: Check, device: Generator) -> list[Mistake]:
    key = (device.id, device.bus, "active", "injection")
    power = check.long.values.get(key)
    if power is None:
        return []
    low = np.where(check.overridden(device.id), 0.0, device.power_min_kw)
    mistakes = _outside(check, key, power, low, device.power_max_kw)
    segments = check.long.get(device.id, device.bus, "active", "segment_kw")
    if segments is not None:
        mistakes += check.long.mistakes(key, np.abs(segments - power) > POWER_KW, "{:.6g}, its segments sum to {:.6g}", power, segments)
        for part in check.long.cohorts.get((device.id, device.bus, "active", "segment_kw"), ()):
            mistakes += _outside(check, part, check.long.values[part], 0.0, device.power_max_kw / device.segment_count)
    reactive_key = (device.id, device.bus, "reactive", "injection")
    reactive = check.long.values.get(reactive_key)
    if reactive is not None:
        mistakes += _outside(check, reactive_key, reactive, min(device.reactive_min_kvar, 0.0), device.reactive_max_kvar)
    if device.ramp_kw_per_h is not None and power.shape[1] > 1:
        excess = check.long.zero_or(device.id, device.bus, "active", "ramp_excess_kw")[:, 1:]
        rise = np.abs(np.diff(power, axis=1))
        bad = np.zeros(power.shape, dtype=bool)
        bad[:, 1:] = rise > device.ramp_kw_per_h * check.grid.step_h + excess + POWER_KW
        bad &= ~check.overridden(device.id)  # tripping is always allowed
        mistakes += check.long.mistakes(key, bad, "{:.6g} breaks the ramp from the step before", power)
    return mistakes


def _chp(check: Check, device: Chp) -> list[Mistake]:
    key = (device.id, device.bus, "active", "injection")
    injection = check.long.values.get(key)
    if injection is None:
        return []
    power = injection if device.mode == "cogeneration" else -injection
    low = np.where(check.overridden(device.id), 0.0, device.power_min_kw)
    mistakes = _outside(check, key, power, low, device.power_max_kw)
    heat_key = (device.id, device.bus, "heat", "injection")
    heat = check.long.values.get(heat_key)
    if heat is not None:
        made = device.heat_to_power_factor * power
        vent = check.long.get(device.id, device.bus, "heat", "vent_kwth")
        if vent is None:
            vent = check.long.get(device.id, device.bus, "active", "vent_kwth")
        if vent is not None:
            mistakes += check.long.mistakes(heat_key, np.abs(made - vent - heat) > POWER_KW, "{:.6g}, made {:.6g} less vented {:.6g} is another number",
                                            heat, made, vent)
        mistakes += _outside(check, heat_key, heat, 0.0 if device.vent_allowed else made, made)
    return mistakes


def _store(check: Check, device: Store) -> list[Mistake]:
    long, (kw, kwh), at = check.long, SUFFIX[device.carrier], (device.id, device.bus, device.carrier)
    charge, discharge, energy = long.get(*at, f"charge_{kw}"), long.get(*at, f"discharge_{kw}"), long.get(*at, f"energy_{kwh}")
    injection = long.values.get((*at, "injection"))
    if charge is None or discharge is None or energy is None or injection is None:
        return [] if injection is None else [Mistake(long.row((*at, "injection"), 0, 0), f"no rows charge_{kw}, discharge_{kw} and energy_{kwh} go with it")]
    mistakes = long.mistakes((*at, "injection"), np.abs(discharge - charge - injection) > POWER_KW,
                             "{:.6g}, discharging {:.6g} less charging {:.6g} is another number", injection, discharge, charge)
    mistakes += _outside(check, (*at, f"charge_{kw}"), charge, 0.0, device.charge_max_kw)
    mistakes += _outside(check, (*at, f"discharge_{kw}"), discharge, 0.0, device.discharge_max_kw)
    both = np.minimum(charge, discharge) > BOTH_KW
    mistakes += long.mistakes((*at, f"charge_{kw}"), both & check.single[:, None], "charges {:.6g} and discharges {:.6g} at once", charge, discharge)
    short, over = long.zero_or(*at, f"energy_short_{kwh}"), long.zero_or(*at, f"energy_over_{kwh}")
    mistakes += _outside(check, (*at, f"energy_{kwh}"), energy, device.energy_min_kwh - short, device.energy_max_kwh + over, ENERGY_KWH)
    kept = device.hourly_retention_share**check.grid.step_h
    moved = check.grid.step_h * (device.charge_efficiency_share * charge - discharge / device.discharge_efficiency_share)
    before = np.empty_like(energy)
    before[:, 1:] = energy[:, :-1]
    before[:, 0] = check.context.before.get((device.id, f"energy_{kwh}"), np.nan)
    unknown = np.isnan(before[:, 0])
    before[unknown, 0] = ((energy - moved) / kept)[unknown, 0]  # the first step then only has to start inside the store
    wanted = kept * before + moved
    mistakes += long.mistakes((*at, f"energy_{kwh}"), np.abs(energy - wanted) > ENERGY_KWH, "{:.6g}, the step before and the power make {:.6g}", energy, wanted)
    mistakes += _outside(check, (*at, f"energy_{kwh}"), before[:, :1], device.energy_min_kwh, device.energy_max_kwh, 10 * ENERGY_KWH)
    return mistakes + _cycle(check, device, (*at, f"energy_{kwh}"), energy, before, short + over)


def _cycle(check: Check, device: Store, key: Key, energy: Floats, before: Floats, slack: Floats) -> list[Mistake]:
    """Day-ahead: the end of the day against its start. In real time the start of the day is a matter of states (findings)."""
    long = check.long
    if device.cycle == "none" or check.stage != "day_ahead" or long.steps[0] != 1 or long.steps[-1] != check.grid.count:
        return []
    bad = np.zeros(energy.shape, dtype=bool)
    gap = energy[:, -1] - before[:, 0]
    bad[:, -1] = gap < -slack[:, -1] - 10 * ENERGY_KWH
    if device.cycle == "equal":
        bad[:, -1] |= gap > slack[:, -1] + 10 * ENERGY_KWH
    return long.mistakes(key, bad, "ends the day at {:.6g}, started at {:.6g}", energy, np.broadcast_to(before[:, :1], energy.shape))


def _ev_fleet(check: Check, device: EvFleet) -> list[Mistake]:
    long, at = check.long, (device.id, device.bus, "active")
    injection = long.values.get((*at, "injection"))
    if injection is None:
        return []
    mistakes = _outside(check, (*at, "injection"), injection, -device.vehicle_count * device.charger_kw, 0.0)
    charge = long.get(*at, "charge_kw")
    if charge is not None:
        mistakes += long.mistakes((*at, "injection"), np.abs(charge + injection) > POWER_KW, "{:.6g}, its cohorts charge {:.6g}", injection, charge)
    for key in _parts(long, (*at, "energy_kwh")):
        energy = long.values[key]
        power = long.values.get((*at, key[3].replace("energy_kwh", "charge_kw")))
        if power is None:
            power = charge if key[3] == "energy_kwh" else None
        if power is None:
            continue
        known = check.context.before.get((device.id, key[3]), 0.0 if long.steps[0] == 1 else np.nan)
        before = np.concatenate([np.full((energy.shape[0], 1), known), energy[:, :-1]], axis=1)
        wanted = before + check.grid.step_h * device.charge_efficiency_share * power
        mistakes += long.mistakes(key, np.abs(energy - wanted) > ENERGY_KWH, "{:.6g}, the step before and the power make {:.6g}", energy, wanted)
    return mistakes + _envelopes(check, device)


def _parts(long: Frame, key: Key) -> tuple[Key, ...]:
    """The indexed keys of a quantity, or the key itself, or none."""
    return long.cohorts.get(key, (key,) if key in long.values else ())


def _envelopes(check: Check, device: EvFleet) -> list[Mistake]:
    """Cohort powers and energies inside the envelopes of the sessions, where the gate is given them (settled scenario)."""
    given = check.context.envelopes.get(device.id)
    if given is None:
        return []
    high_kw, low_kwh, high_kwh = given
    long, at = check.long, (device.id, device.bus, "active")
    steps = long.steps - 1
    mistakes: list[Mistake] = []
    for c in range(len(high_kw)):
        suffix = f"[{c + 1}]"
        power, energy = long.values.get((*at, f"charge_kw{suffix}")), long.values.get((*at, f"energy_kwh{suffix}"))
        if power is not None:
            mistakes += _outside(check, (*at, f"charge_kw{suffix}"), power, 0.0, check.grid.fit(high_kw[c])[steps])
        if energy is not None:
            unserved = long.zero_or(*at, f"unserved_kwh{suffix}")
            mistakes += _outside(check, (*at, f"energy_kwh{suffix}"), energy, check.grid.ends(low_kwh[c])[steps] - unserved,
                                 check.grid.ends(high_kwh[c])[steps], ENERGY_KWH)
    return mistakes


def _tie(check: Check, tie: Tie) -> list[Mistake]:
    key = (tie.id, tie.lower_bus, "active", "injection")
    exchange = check.long.values.get(key)
    if exchange is None:
        return []
    excess = check.long.zero_or(tie.id, tie.lower_bus, "active", "exchange_excess_kw")
    mistakes = _outside(check, key, exchange, tie.exchange_min_kw - excess, tie.exchange_max_kw + excess, 10 * POWER_KW)
    reactive_key = (tie.id, tie.lower_bus, "reactive", "injection")
    reactive = check.long.values.get(reactive_key)
    if reactive is not None and tie.reactive_max_kvar > 0:
        mistakes += _outside(check, reactive_key, reactive, -tie.reactive_max_kvar, tie.reactive_max_kvar, 10 * POWER_KW)
    schedule = check.long.get(tie.id, tie.lower_bus, "active", "schedule_kw")
    if schedule is not None:
        mistakes += _outside(check, (tie.id, tie.lower_bus, "active", "schedule_kw"), schedule, tie.exchange_min_kw, tie.exchange_max_kw)
        if check.stage == "day_ahead":
            mistakes += check.long.mistakes((tie.id, tie.lower_bus, "active", "schedule_kw"), np.abs(schedule - schedule[:1]) > POWER_KW,
                                            "position {:.6g} differs between scenarios, though it is decided before they part", schedule)
        up, down = (check.long.get(tie.id, tie.lower_bus, "active", f"deviation_{side}_kw") for side in ("up", "down"))
        if up is not None and down is not None:
            mistakes += check.long.mistakes(key, np.abs(exchange - schedule - up + down) > POWER_KW,
                                            "{:.6g} less the position {:.6g} is not the deviation {:.6g} up and {:.6g} down", exchange, schedule, up, down)
    return mistakes


_SIGNED = ("injection", "exchange_kw", "exchange_kvar", "schedule_kw", "reactive_kvar", "set_point_kw")


def _nonnegative(check: Check) -> list[Mistake]:
    """Every column of a program but exchanges and injections is a magnitude."""
    mistakes: list[Mistake] = []
    for key, values in check.long.values.items():
        if key[3] not in _SIGNED:
            mistakes += check.long.mistakes(key, values < -POWER_KW, "{:.6g} is negative", values)
    return mistakes


SLACKS = ("shed_", "dump_", "energy_short_", "energy_over_", "power_below_", "power_above_", "unserved_", "ramp_excess_", "voltage_above_", "voltage_below_",
          "exchange_excess_")


def slack_findings(check: Check) -> list[Finding]:
    """A priced slack that moved: one warning per device and slack, at its worst step."""
    findings = []
    for key, values in check.long.values.items():
        if key[3].startswith(SLACKS) and np.nanmax(np.abs(values), initial=0.0) > SLACK_KW:
            s, t = np.unravel_index(int(np.nanargmax(np.abs(values))), values.shape)
            findings.append(Finding("warning", "slack_used", f"{key[0]} {key[3]} step {int(check.long.steps[t])}",
                                    f"{key[3]} reaches {values[s, t]:.6g} in scenario {check.long.scenarios[s]}", float(values[s, t]), 0.0))
    return findings
