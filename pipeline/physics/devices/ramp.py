"""Limits on the change of power, of everything that has them.

The excess is elastic and priced, but only as far as its own upper limit lets it: that is an input, 0 wherever the state before the
first interval and the limits leave a way (schedule/ramps.py), so that no price decides whether a ramp holds. Past the end of the
day, and where a unit trips, the ramp is released by another input.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pipeline.physics.block import Injection, Setting, add_column, add_law, declare_input, offer_of, rate

RAMP_PRICE_PER_KWH = 10.0  # a measured state may lie where no ramp leads back at once


@dataclass(frozen=True)
class Committed:
    """On or off of a unit: its column, what it was before, and the power at which it starts and stops."""

    on: Any
    on_before: Any
    least_kw: float


def add_ramps(
    block: Any, device: str, setting: Setting, power: Injection, *, ramp_kw_per_h: float, initial_kw: float, widest_kw: float,
    state: str = "power_before", unit: str = "kw", committed: Committed | None = None,
) -> None:
    """|power(t) - power(t - 1)| <= ramp x step + excess + release; what was before the first interval is a state.

    widest_kw: the largest change that limits allow. committed: a start may reach, and a stop leave, the larger of ramp and least power.
    """
    steps, ramp_kw = setting.steps, ramp_kw_per_h * setting.step_h
    before = declare_input(block, f"{state}_{unit}", role="state", device=device, default=initial_kw)
    release = declare_input(block, f"ramp_release_{unit}", steps, role="limit", device=device, default=0.0, past_end=widest_kw)
    most = declare_input(block, f"ramp_excess_high_{unit}", steps, role="limit", device=device, default=widest_kw)
    excess = add_column(block, f"ramp_excess_{unit}", steps)
    add_law(block, "ramp_excess_limit", steps, rule=lambda t: excess[t] <= most[t])
    if committed is None:
        up = add_law(block, "ramp_up", steps, rule=lambda t: power(t) - power(t - 1) - excess[t] - release[t] <= ramp_kw)
        down = add_law(block, "ramp_down", steps, rule=lambda t: power(t - 1) - power(t) - excess[t] - release[t] <= ramp_kw)
        up[1] = power(1) - before - excess[1] - release[1] <= ramp_kw
        down[1] = before - power(1) - excess[1] - release[1] <= ramp_kw
    else:
        on, was, edge_kw = committed.on, committed.on_before, max(ramp_kw, committed.least_kw)
        up = add_law(block, "commitment_ramp_up", steps, rule=lambda t: power(t) - power(t - 1) - excess[t] - release[t]
                     - edge_kw * on[t] + (edge_kw - ramp_kw) * on[t - 1] <= 0)
        down = add_law(block, "commitment_ramp_down", steps, rule=lambda t: power(t - 1) - power(t) - excess[t] - release[t]
                       - edge_kw * on[t - 1] + (edge_kw - ramp_kw) * on[t] <= 0)
        up[1] = power(1) - before - excess[1] - release[1] - edge_kw * on[1] + (edge_kw - ramp_kw) * was <= 0
        down[1] = before - power(1) - excess[1] - release[1] - edge_kw * was + (edge_kw - ramp_kw) * on[1] <= 0
    offer_of(block).add_cost("penalty_cost", rate(setting.step_h * RAMP_PRICE_PER_KWH, excess))
