"""Dispatchable generator with a convex cost curve, active and reactive limits, optional ramps and optional commitment."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, PositiveInt

from pipeline.equipment.base import Device, NonNegativePower, NonNegativePrice, PositivePower, Power, Price, Record

Money = Annotated[float, Field(ge=0, le=1e9)]
Hours = Annotated[float, Field(ge=0, le=168)]


class Commitment(Record):
    """A unit that is on or off. Off it gives nothing, on at least its lowest power; both last their least time."""

    start_cost: Money = 0.0  # per start
    stop_cost: Money = 0.0  # per stop
    min_up_h: Hours = 0.0  # least time on after a start
    min_down_h: Hours = 0.0  # least time off after a stop
    on_initially: bool = True
    hours_in_state_initially: float = Field(default=1000.0, ge=0, le=1e6)  # that it has been on, or off, before the first day


class Generator(Device):
    """Cost per hour a + b P + c P^2, cut into chords of equal width (HiGHS has no MIQP). A unit that is off costs no a."""

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
    commitment: Commitment | None = None  # None: always on, within its limits
