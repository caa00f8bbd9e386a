"""Elastic limits on the change of power, of every unit that has them."""

from __future__ import annotations

from typing import Any

from pipeline.physics.block import Injection, Setting, add_column, add_law, declare_input, offer_of, rate

RAMP_PRICE_PER_KWH = 10.0  # a measured state may lie where no ramp leads back at once


def add_ramps(block: Any, device: str, setting: Setting, power: Injection, *, ramp_kw_per_h: float, initial_kw: float) -> None:
    """|power(t) - power(t - 1)| <= ramp x step + excess; what was before the first interval is a state."""
    steps, ramp_kw = setting.steps, ramp_kw_per_h * setting.step_h
    before = declare_input(block, "power_before_kw", role="state", device=device, default=initial_kw)
    excess = add_column(block, "ramp_excess_kw", steps)
    up = add_law(block, "ramp_up", steps, rule=lambda t: power(t) - power(t - 1) - excess[t] <= ramp_kw)
    down = add_law(block, "ramp_down", steps, rule=lambda t: power(t - 1) - power(t) - excess[t] <= ramp_kw)
    up[1] = power(1) - before - excess[1] <= ramp_kw
    down[1] = before - power(1) - excess[1] <= ramp_kw
    offer_of(block).add_cost("penalty_cost", rate(setting.step_h * RAMP_PRICE_PER_KWH, excess))
