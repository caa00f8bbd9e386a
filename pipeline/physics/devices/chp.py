"""Combined heat and power: heat recovered in a fixed ratio; surplus heat may be vented."""

from __future__ import annotations

from typing import Any

from pipeline.equipment import Chp
from pipeline.physics.block import Setting, add_column, add_law, declare_input, offer_of, rate


def build(block: Any, device: Chp, setting: Setting) -> None:
    """heat = ratio x power - vent; the electric heater draws the power instead of feeding it."""
    steps, offer, ratio = setting.steps, offer_of(block), device.heat_to_power_factor
    power = add_column(block, "power_kw", steps, high=device.power_max_kw)
    low = declare_input(block, "power_low_kw", steps, role="limit", device=device.id, default=device.power_min_kw, side="low")
    high = declare_input(block, "power_high_kw", steps, role="limit", device=device.id, default=device.power_max_kw, side="high")
    add_law(block, "power_limits_low", steps, rule=lambda t: power[t] >= low[t])
    add_law(block, "power_limits_high", steps, rule=lambda t: power[t] <= high[t])
    offer.add_cost("cogeneration_cost", rate(setting.step_h * device.fuel_cost_per_kwh, power))
    sign = 1.0 if device.mode == "cogeneration" else -1.0
    offer.injection["active"] = lambda t: sign * power[t]
    if device.vent_allowed:
        vent = add_column(block, "vent_kwth", steps, high=device.vent_limit_kwth)
        if device.vent_cost_per_kwh:
            offer.add_cost("vent_cost", rate(setting.step_h * device.vent_cost_per_kwh, vent))
        offer.injection["heat"] = lambda t: ratio * power[t] - vent[t]
    else:
        offer.injection["heat"] = lambda t: ratio * power[t]
