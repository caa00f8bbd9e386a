"""Stores and fleets: energy step by step, limits, the end of the day."""

from __future__ import annotations

import numpy as np

from pipeline.core.errors import Mistake
from pipeline.equipment import EvFleet, Store
from pipeline.validate.check import BOTH_KW, ENERGY_KWH, POWER_KW, SUFFIX, Check, outside
from pipeline.validate.frame import Floats, Frame, Key
from pipeline.validate.ramps import ramp_mistakes


def check_store(check: Check, device: Store) -> list[Mistake]:
    """Power and energy of a store: limits less reported slack, energy from step to step, the end of the day."""
    long, (kw, kwh), at = check.long, SUFFIX[device.carrier], (device.id, device.bus, device.carrier)
    charge, discharge, energy = long.get(*at, f"charge_{kw}"), long.get(*at, f"discharge_{kw}"), long.get(*at, f"energy_{kwh}")
    injection = long.values.get((*at, "injection"))
    if charge is None or discharge is None or energy is None or injection is None:
        return (
            []
            if injection is None
            else [Mistake(long.row((*at, "injection"), 0, 0), f"no rows charge_{kw}, discharge_{kw} and energy_{kwh} go with it")]
        )
    mistakes = long.mistakes(
        (*at, "injection"),
        np.abs(discharge - charge - injection) > POWER_KW,
        "{:.6g}, discharging {:.6g} less charging {:.6g} is another number",
        injection,
        discharge,
        charge,
    )
    mistakes += outside(check, (*at, f"charge_{kw}"), charge, 0.0, device.charge_max_kw)
    mistakes += outside(check, (*at, f"discharge_{kw}"), discharge, 0.0, device.discharge_max_kw)
    both = (np.minimum(charge, discharge) > BOTH_KW) & ("simultaneous_charging" not in check.excused)
    mistakes += long.mistakes(
        (*at, f"charge_{kw}"), both & check.single[:, None], "charges {:.6g} and discharges {:.6g} at once", charge, discharge
    )
    short, over = long.zero_or(*at, f"energy_short_{kwh}"), long.zero_or(*at, f"energy_over_{kwh}")
    mistakes += outside(check, (*at, f"energy_{kwh}"), energy, device.energy_min_kwh - short, device.energy_max_kwh + over, ENERGY_KWH)
    kept = device.hourly_retention_share**check.grid.step_h
    moved = check.grid.step_h * (device.charge_efficiency_share * charge - discharge / device.discharge_efficiency_share)
    state = f"energy_{kwh}"
    before = check.begun(device.id, state, energy, first=check.context.before.get((device.id, state), np.nan))
    unknown = np.isnan(before[:, 0])
    before[unknown, 0] = ((energy - moved) / kept)[unknown, 0]  # the first step then only has to start inside the store
    wanted = kept * before + moved
    mistakes += long.mistakes(
        (*at, f"energy_{kwh}"), np.abs(energy - wanted) > ENERGY_KWH, "{:.6g}, the step before and the power make {:.6g}", energy, wanted
    )
    if not _measured_at_first(check, device.id, state):
        mistakes += outside(check, (*at, state), before[:, :1], device.energy_min_kwh, device.energy_max_kwh, 10 * ENERGY_KWH)
    mistakes += ramp_mistakes(
        check, (*at, "injection"), injection, ramp_kw_per_h=device.ramp_kw_per_h, excess=long.zero_or(*at, f"ramp_excess_{kw}"),
        before=check.context.before.get((device.id, f"power_{kw}")),
    )
    return mistakes + _cycle(check, device, (*at, f"energy_{kwh}"), energy, before, short + over)


def _measured_at_first(check: Check, device: str, quantity: str) -> bool:
    """Whether the day begins as measured: then a store may begin outside its limits, and it returns to its own start of the day."""
    taken = check.taken.get((device, quantity))
    return taken is not None and bool(np.isfinite(taken[0]))


def _cycle(check: Check, device: Store, key: Key, energy: Floats, before: Floats, slack: Floats) -> list[Mistake]:
    """Day-ahead: the end of the day against its start. In real time the start of the day is a matter of states (findings)."""
    long = check.long
    if device.cycle == "none" or check.stage != "day_ahead" or long.steps[0] != 1 or long.steps[-1] != check.grid.count:
        return []
    bad = np.zeros(energy.shape, dtype=bool)
    if _measured_at_first(check, device.id, key[3]):
        before = np.full_like(before, device.energy_initial_kwh)
    gap = energy[:, -1] - before[:, 0]
    bad[:, -1] = gap < -slack[:, -1] - 10 * ENERGY_KWH
    if device.cycle == "equal":
        bad[:, -1] |= gap > slack[:, -1] + 10 * ENERGY_KWH
    return long.mistakes(key, bad, "ends the day at {:.6g}, started at {:.6g}", energy, np.broadcast_to(before[:, :1], energy.shape))


def check_ev_fleet(check: Check, device: EvFleet) -> list[Mistake]:
    """Power and energy of a fleet: chargers, cohorts, envelopes of the sessions less what was unserved."""
    long, at = check.long, (device.id, device.bus, "active")
    injection = long.values.get((*at, "injection"))
    if injection is None:
        return []
    mistakes = outside(check, (*at, "injection"), injection, -device.vehicle_count * device.charger_kw, 0.0)
    charge = long.get(*at, "charge_kw")
    if charge is not None:
        mistakes += long.mistakes(
            (*at, "injection"), np.abs(charge + injection) > POWER_KW, "{:.6g}, its cohorts charge {:.6g}", injection, charge
        )
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
        mistakes += long.mistakes(
            key, np.abs(energy - wanted) > ENERGY_KWH, "{:.6g}, the step before and the power make {:.6g}", energy, wanted
        )
    return mistakes + _envelopes(check, device)


def _parts(long: Frame, key: Key) -> tuple[Key, ...]:
    """The indexed keys of a quantity, or the key itself, or none."""
    return long.cohorts.get(key, (key,) if key in long.values else ())


def _envelopes(check: Check, device: EvFleet) -> list[Mistake]:
    """Cohort powers, energies and unserved energy inside what the sessions allow, where the gate is given it (settled scenario)."""
    given = check.context.envelopes.get(device.id)
    if given is None:
        return []
    high_kw, low_kwh, high_kwh, beyond_kwh = given
    long, at = check.long, (device.id, device.bus, "active")
    steps = long.steps - 1
    mistakes: list[Mistake] = []
    for c in range(len(high_kw)):
        suffix = f"[{c + 1}]"
        power, energy = long.values.get((*at, f"charge_kw{suffix}")), long.values.get((*at, f"energy_kwh{suffix}"))
        if power is not None:
            mistakes += outside(check, (*at, f"charge_kw{suffix}"), power, 0.0, check.grid.fit(high_kw[c])[steps])
        if energy is not None:
            unserved, beyond = long.zero_or(*at, f"unserved_kwh{suffix}"), check.grid.ends(beyond_kwh[c])[steps]
            mistakes += outside(check, (*at, f"unserved_kwh{suffix}"), unserved, beyond, np.inf, ENERGY_KWH)
            mistakes += outside(
                check,
                (*at, f"energy_kwh{suffix}"),
                energy,
                check.grid.ends(low_kwh[c])[steps] - (unserved - beyond),
                check.grid.ends(high_kwh[c])[steps],
                ENERGY_KWH,
            )
    return mistakes
