"""One carrier into another: electric boiler, electrolyser, fuel cell, or a unit whose fuel is bought outside the model."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pipeline.equipment.base import (
    HYDROGEN_KWH_PER_M3,
    Device,
    Identifier,
    NonNegativePower,
    NonNegativePrice,
    PositivePower,
    PositiveRatio,
)


class Converter(Device):
    """Power is that of the electric side, drawn or fed in; where neither side is electric, the heat that is made (read kWth)."""

    kind: Literal["converter"] = "converter"
    input_carrier: Literal["active", "hydrogen", "fuel"]  # fuel is bought outside: `cost_per_kwh` pays for it
    output_carrier: Literal["active", "heat", "hydrogen"]
    power_max_kw: PositivePower
    power_min_kw: NonNegativePower = 0.0
    conversion_factor: PositiveRatio = 1.0  # energy out per energy in, hydrogen by its lower heating value
    waste_heat_share: float = Field(default=0.0, ge=0, le=1)  # of the energy lost in conversion, recovered as heat
    cost_per_kwh: NonNegativePrice = 0.0  # per kWh of `power`
    vent_cost_per_kwh: NonNegativePrice = 0.0
    vent_allowed: bool = True
    vent_max_kwth: NonNegativePower | None = None  # cooler of the heat network the unit feeds; None: twice the unit's own heat
    ramp_kw_per_h: PositivePower | None = None
    power_initial_kw: NonNegativePower = 0.0  # before the first interval, where a ramp needs it
    exclusive_with: Identifier | None = None  # a converter that never runs in the same interval; one of the two names the other
    exclusive: Literal["where_violated", "always"] = "where_violated"  # binaries against running with that one at once

    @property
    def rated_carrier(self) -> Literal["active", "heat"]:
        """What `power` is: the electric side, else the heat made."""
        return "active" if "active" in (self.input_carrier, self.output_carrier) else "heat"

    @property
    def input_factor(self) -> float:
        """Energy taken per `power`."""
        return 1.0 if self.input_carrier == "active" else 1.0 / self.conversion_factor

    @property
    def output_factor(self) -> float:
        """Energy given per `power`."""
        return self.conversion_factor if self.input_carrier == "active" else 1.0

    @property
    def active_factor(self) -> float:
        """kW into the bus per kW of `power`."""
        return (self.output_carrier == "active") * 1.0 - (self.input_carrier == "active") * 1.0

    @property
    def heat_factor(self) -> float:
        """kWth made per `power`, before anything is vented."""
        return self.output_factor if self.output_carrier == "heat" else self.waste_heat_share * (self.input_factor - self.output_factor)

    @property
    def hydrogen_factor(self) -> float:
        """m3/h into the bus per `power`."""
        made = self.output_factor * (self.output_carrier == "hydrogen") - self.input_factor * (self.input_carrier == "hydrogen")
        return made / HYDROGEN_KWH_PER_M3

    @property
    def feeds_bought_power(self) -> bool:
        """True where it makes nothing but active power, from fuel alone: free to move like a generator."""
        return self.input_carrier == "fuel" and self.output_carrier == "active" and self.heat_factor == 0

    @property
    def vent_limit_kwth(self) -> float:
        """What can be vented at most, 0 where no heat is made."""
        if not self.vent_allowed or self.heat_factor == 0:
            return 0.0
        return 2 * self.heat_factor * self.power_max_kw if self.vent_max_kwth is None else self.vent_max_kwth
