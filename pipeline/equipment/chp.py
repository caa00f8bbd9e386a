"""Combined heat and power: heat recovered in a fixed ratio, or the electric-heater reading of the same unit."""

from __future__ import annotations

from typing import Literal

from pipeline.equipment.base import Device, NonNegativePower, NonNegativePrice, PositivePower, PositiveRatio


class Chp(Device):
    """`electric_heater` draws the active power instead of feeding it."""

    kind: Literal["chp"] = "chp"
    mode: Literal["cogeneration", "electric_heater"] = "cogeneration"
    power_max_kw: PositivePower
    power_min_kw: NonNegativePower = 0.0
    heat_to_power_factor: PositiveRatio  # kWth per kW
    fuel_cost_per_kwh: NonNegativePrice  # per kWh of electricity
    vent_cost_per_kwh: NonNegativePrice = 0.0
    vent_allowed: bool = True
    vent_max_kwth: NonNegativePower | None = None  # cooler of the heat network the unit feeds; None: twice the unit's own heat

    @property
    def vent_limit_kwth(self) -> float:
        """What can be vented at most. More than the unit makes, so that stored heat can leave too without cycling a store."""
        if not self.vent_allowed:
            return 0.0
        return 2 * self.heat_to_power_factor * self.power_max_kw if self.vent_max_kwth is None else self.vent_max_kwth
