"""One store for electricity, heat or hydrogen. Energy is indexed at the end of an interval."""

from __future__ import annotations

from typing import Any

from pipeline.equipment import Store
from pipeline.physics.block import ENERGY_UNIT, POWER_UNIT, Setting, add_column, add_law, declare_input, offer_of, rate
from pipeline.physics.devices.ramp import add_ramps


def build(block: Any, device: Store, setting: Setting) -> None:
    """injection = discharge - charge. Limits of energy and net power are elastic, so no set-point makes a program infeasible."""
    kw, steps, offer = POWER_UNIT[device.carrier], setting.steps, offer_of(block)
    charge = add_column(block, f"charge_{kw}", steps, high=device.charge_max_kw)
    discharge = add_column(block, f"discharge_{kw}", steps, high=device.discharge_max_kw)
    _energy(block, device, setting, charge, discharge)
    _power_limits(block, device, setting, charge, discharge)
    if device.exclusive == "always" or device.id in setting.exclusive_devices:
        charging = add_column(block, "charging_share", steps, binary=True)
        add_law(block, "exclusive_charge", steps, rule=lambda t: charge[t] <= device.charge_max_kw * charging[t])
        add_law(block, "exclusive_discharge", steps, rule=lambda t: discharge[t] <= device.discharge_max_kw * (1 - charging[t]))
    if device.ramp_kw_per_h is not None:
        add_ramps(block, device.id, setting, lambda t: discharge[t] - charge[t], ramp_kw_per_h=device.ramp_kw_per_h,
                  initial_kw=device.power_initial_kw, widest_kw=device.charge_max_kw + device.discharge_max_kw, unit=kw)
    if device.wear_cost_per_kwh:
        wear = setting.step_h * device.wear_cost_per_kwh
        offer.add_cost("storage_wear_cost", rate(wear, charge))
        offer.add_cost("storage_wear_cost", rate(wear, discharge))
    offer.injection[device.carrier] = lambda t: discharge[t] - charge[t]


def _energy(block: Any, device: Store, setting: Setting, charge: Any, discharge: Any) -> None:
    kwh, steps, step_h, offer = ENERGY_UNIT[device.carrier], setting.steps, setting.step_h, offer_of(block)
    energy = add_column(block, f"energy_{kwh}", steps, low=None)
    short = add_column(block, f"energy_short_{kwh}", steps)
    over = add_column(block, f"energy_over_{kwh}", steps)
    before = declare_input(block, f"energy_before_{kwh}", role="state", device=device.id, default=device.energy_initial_kwh)
    low = declare_input(
        block, f"energy_low_{kwh}", steps, role="limit", device=device.id, default=device.energy_min_kwh, side="low",
        day_end=device.cycle, initial=device.energy_initial_kwh,
    )
    high = declare_input(
        block, f"energy_high_{kwh}", steps, role="limit", device=device.id, default=device.energy_max_kwh, side="high",
        day_end=device.cycle, initial=device.energy_initial_kwh,
    )
    kept = device.hourly_retention_share**step_h
    gain, drain = step_h * device.charge_efficiency_share, step_h / device.discharge_efficiency_share
    balance = add_law(
        block, "energy_balance", steps, rule=lambda t: energy[t] - kept * energy[t - 1] - gain * charge[t] + drain * discharge[t] == 0,
    )
    balance[1] = energy[1] - kept * before - gain * charge[1] + drain * discharge[1] == 0
    add_law(block, "energy_limits_low", steps, rule=lambda t: energy[t] + short[t] >= low[t])
    add_law(block, "energy_limits_high", steps, rule=lambda t: energy[t] - over[t] <= high[t])
    # Elastic, but no store gives what is not in it. Not a bound of the energy: free columns are what the decomposition takes out.
    add_law(block, "energy_short_limit", steps, rule=lambda t: short[t] <= low[t])
    offer.add_cost("penalty_cost", rate(setting.slack_price_per_kwh, short))
    offer.add_cost("penalty_cost", rate(setting.slack_price_per_kwh, over))
    if setting.rolling:
        _terminal(block, device, energy[setting.positions])


def _terminal(block: Any, device: Store, energy_end: Any) -> None:
    """|energy at the end of the window - reference| at a price that is an input."""
    kwh = ENERGY_UNIT[device.carrier]
    reference = declare_input(block, f"energy_reference_{kwh}", role="reference", device=device.id)
    price = declare_input(block, "terminal_price_per_kwh", role="reference", device=device.id)
    short = add_column(block, f"terminal_short_{kwh}")
    over = add_column(block, f"terminal_over_{kwh}")
    add_law(block, "terminal_energy", rule=lambda: energy_end + short - over == reference)
    content = device.content_factor
    offer_of(block).add_cost("terminal_cost", content * price * short + content * price * over)


def _power_limits(block: Any, device: Store, setting: Setting, charge: Any, discharge: Any) -> None:
    kw, steps, offer = POWER_UNIT[device.carrier], setting.steps, offer_of(block)
    below = add_column(block, f"power_below_{kw}", steps)
    above = add_column(block, f"power_above_{kw}", steps)
    low = declare_input(block, f"power_low_{kw}", steps, role="limit", device=device.id, default=-device.charge_max_kw, side="low")
    high = declare_input(block, f"power_high_{kw}", steps, role="limit", device=device.id, default=device.discharge_max_kw, side="high")
    add_law(block, "power_limits_low", steps, rule=lambda t: discharge[t] - charge[t] + below[t] >= low[t])
    add_law(block, "power_limits_high", steps, rule=lambda t: discharge[t] - charge[t] - above[t] <= high[t])
    offer.add_cost("penalty_cost", rate(setting.step_h * setting.slack_price_per_kwh, below))
    offer.add_cost("penalty_cost", rate(setting.step_h * setting.slack_price_per_kwh, above))


