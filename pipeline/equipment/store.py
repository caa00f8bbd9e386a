"""One store for electricity, heat or hydrogen."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, NonNegativeFloat, PositiveFloat

from pipeline.equipment.base import Device


class Store(Device):
    """Energy is indexed at the END of an interval. Powers are at the bus, efficiencies one-way.

    For carrier heat read kWth, for hydrogen m3/h and m3 in the names' units.
    """

    kind: Literal["store"] = "store"
    carrier: Literal["active", "heat", "hydrogen"] = "active"
    charge_max_kw: NonNegativeFloat
    discharge_max_kw: NonNegativeFloat
    charge_efficiency_share: float = Field(gt=0, le=1)
    discharge_efficiency_share: float = Field(gt=0, le=1)
    energy_max_kwh: PositiveFloat
    energy_min_kwh: NonNegativeFloat = 0.0
    energy_initial_kwh: NonNegativeFloat
    hourly_retention_share: float = Field(default=1.0, gt=0, le=1)  # share of stored energy kept over one hour
    wear_cost_per_kwh: NonNegativeFloat = 0.0  # per kWh moved, charge and discharge alike
    cycle: Literal["equal", "at_least", "none"] = "equal"  # energy at the end of the day against its start
    exclusive: Literal["where_violated", "always"] = "where_violated"  # binaries against charging and discharging at once
