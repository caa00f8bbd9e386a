"""One carrier into another at a constant efficiency; what is lost may be recovered as heat, and heat may be vented."""

from __future__ import annotations

from typing import Any

from pipeline.equipment import Converter
from pipeline.physics.block import POWER_UNIT, Setting, add_column, add_law, declare_input, offer_of, rate
from pipeline.physics.devices.ramp import add_ramps


def build(block: Any, device: Converter, setting: Setting) -> None:
    """injection of each carrier = its factor x power, heat less what is vented; elastic ramps where the unit has them."""
    kw, steps, offer = POWER_UNIT[device.rated_carrier], setting.steps, offer_of(block)
    power = add_column(block, f"power_{kw}", steps, high=device.power_max_kw)
    low = declare_input(block, f"power_low_{kw}", steps, role="limit", device=device.id, default=device.power_min_kw, side="low")
    high = declare_input(block, f"power_high_{kw}", steps, role="limit", device=device.id, default=device.power_max_kw, side="high")
    add_law(block, "power_limits_low", steps, rule=lambda t: power[t] >= low[t])
    add_law(block, "power_limits_high", steps, rule=lambda t: power[t] <= high[t])
    if device.cost_per_kwh:
        offer.add_cost("conversion_cost", rate(setting.step_h * device.cost_per_kwh, power))
    if device.active_factor:
        offer.injection["active"] = lambda t: device.active_factor * power[t]
    if device.hydrogen_factor:
        offer.injection["hydrogen"] = lambda t: device.hydrogen_factor * power[t]
    if device.heat_factor:
        _heat(block, device, setting, power)
    if device.ramp_kw_per_h is not None:
        add_ramps(block, device.id, setting, lambda t: power[t], ramp_kw_per_h=device.ramp_kw_per_h, initial_kw=device.power_initial_kw,
                  widest_kw=device.power_max_kw, unit=kw)


def _heat(block: Any, device: Converter, setting: Setting, power: Any) -> None:
    """Heat is balanced exactly; a surplus leaves over the vent of a unit, at its price and up to its size."""
    offer, ratio = offer_of(block), device.heat_factor
    if not device.vent_limit_kwth:
        offer.injection["heat"] = lambda t: ratio * power[t]
        return
    vent = add_column(block, "vent_kwth", setting.steps, high=device.vent_limit_kwth)
    if device.vent_cost_per_kwh:
        offer.add_cost("vent_cost", rate(setting.step_h * device.vent_cost_per_kwh, vent))
    offer.injection["heat"] = lambda t: ratio * power[t] - vent[t]


def exclude(block: Any, device: Converter, partner_block: Any, partner: Converter, setting: Setting) -> None:
    """One binary per interval: either this unit runs or its partner does."""
    steps = setting.steps
    power = block.component(f"power_{POWER_UNIT[device.rated_carrier]}")
    other = partner_block.component(f"power_{POWER_UNIT[partner.rated_carrier]}")
    mode = add_column(block, "mode_share", steps, binary=True)
    add_law(block, "exclusive_power", steps, rule=lambda t: power[t] <= device.power_max_kw * mode[t])
    add_law(block, "exclusive_partner", steps, rule=lambda t: other[t] <= partner.power_max_kw * (1 - mode[t]))
