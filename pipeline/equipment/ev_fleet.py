"""A fleet of electric vehicles as cumulative energy envelopes by declared departure hour."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt

from pipeline.equipment.base import Device, NonNegativePrice, PositivePower, Record


class Normal(Record):
    """Truncated normal law."""

    mean: float
    sd: PositiveFloat
    low: float
    high: float


class EvSampling(Record):
    """Synthetic sessions: one per vehicle and day, drawn with a seed per fleet and day. Hours are local wall clock."""

    kind: Literal["sampling"] = "sampling"
    arrival_h: Normal
    departure_h: Normal  # of the next calendar day
    arrival_energy_share: Normal
    departure_energy_share: float = Field(gt=0, le=1)
    seed: int = 0


class EvWindow(Record):
    """Every vehicle needs the same energy inside one window of the delivery day (the books' sum row)."""

    kind: Literal["window"] = "window"
    first_hour: int = Field(ge=0, le=23)  # local wall-clock hour whose interval is the first in the window
    last_hour: int = Field(ge=0, le=23)  # and the last, inclusive
    need_kwh: PositivePower  # stored energy per vehicle


class EvFleet(Device):
    """Vehicles with equal batteries and chargers that come and go; powers at the bus, energies in the batteries."""

    kind: Literal["ev_fleet"] = "ev_fleet"
    vehicle_count: PositiveInt
    charger_kw: PositivePower
    battery_kwh: PositivePower
    charge_efficiency_share: float = Field(gt=0, le=1)
    departure_hours: tuple[int, ...]  # local hours; a cohort leaves in ]previous, hour]; the last takes the rest
    sessions: EvSampling | EvWindow | Literal["observed"] = "observed"  # observed: imported like any other history
    ready_before_min: NonNegativeFloat = 15.0  # a vehicle is charged so long before it leaves: the fleet's sum cannot promise more
    flexibility_cost_per_kwh: NonNegativePrice = 0.0
    unserved_price_per_kwh: NonNegativePrice | None = None  # None: the case's slack price
