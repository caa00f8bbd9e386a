"""Dispatchable generator with a convex cost curve, active and reactive limits and optional ramps."""

from __future__ import annotations

from typing import Literal

from pydantic import PositiveInt

from pipeline.equipment.base import Device, NonNegativePower, NonNegativePrice, PositivePower, Power, Price


class Generator(Device):
    """Cost per hour a + b P + c P^2, cut into chords of equal width (HiGHS has no MIQP)."""

    kind: Literal["generator"] = "generator"
    power_max_kw: PositivePower
    power_min_kw: NonNegativePower = 0.0
    reactive_min_kvar: Power = 0.0
    reactive_max_kvar: Power = 0.0
    cost_constant_per_h: NonNegativePrice = 0.0
    cost_linear_per_kwh: Price
    cost_quadratic_per_kw2h: NonNegativePrice = 0.0
    segment_count: PositiveInt = 10
    ramp_kw_per_h: PositivePower | None = None
    power_initial_kw: NonNegativePower = 0.0  # before the first interval, where a ramp needs it
