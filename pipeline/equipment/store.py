"""One store for electricity, heat or hydrogen."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pipeline.equipment.base import HYDROGEN_KWH_PER_M3, Device, NonNegativePower, NonNegativePrice, PositivePower, Power


class Store(Device):
    """Energy is indexed at the END of an interval. Powers are at the bus, efficiencies one-way.

    For carrier heat read kWth, for hydrogen m3/h and m3 in the names' units, in its prices too.
    """

    kind: Literal["store"] = "store"
    carrier: Literal["active", "heat", "hydrogen"] = "active"
    charge_max_kw: NonNegativePower
    discharge_max_kw: NonNegativePower
    charge_efficiency_share: float = Field(gt=0, le=1)
    discharge_efficiency_share: float = Field(gt=0, le=1)
    energy_max_kwh: PositivePower
    energy_min_kwh: NonNegativePower = 0.0
    energy_initial_kwh: NonNegativePower
    hourly_retention_share: float = Field(default=1.0, gt=0, le=1)  # share of stored energy kept over one hour
    wear_cost_per_kwh: NonNegativePrice = 0.0  # per kWh moved, charge and discharge alike
    ramp_kw_per_h: PositivePower | None = None  # largest change of discharge less charge
    power_initial_kw: Power = 0.0  # discharge less charge before the first interval, where a ramp needs it
    cycle: Literal["equal", "at_least", "none"] = "equal"  # energy at the end of the day against its start
    exclusive: Literal["where_violated", "always"] = "where_violated"  # binaries against charging and discharging at once

    @property
    def content_factor(self) -> float:
        """kWh per unit of energy: hydrogen is counted in m3."""
        return HYDROGEN_KWH_PER_M3 if self.carrier == "hydrogen" else 1.0
