"""An aggregator of electric vehicles known by their connection matrix: how many connect in a slot and for how long."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, NonNegativeInt, PositiveInt

from pipeline.equipment.base import Device, Identifier, NonNegativePower, NonNegativePrice, PositivePower, Record


class EvConnection(Record):
    """Vehicles that connect in one hourly slot of the delivery day (slot 1 is its first hour) and stay equally long.

    The cycle repeats: who connected so late yesterday that the stay reaches over the day's start is connected in the morning.
    """

    aggregator: Identifier
    connect_slot: PositiveInt  # 1 to 24
    dwell_h: PositiveInt  # they are usable in the slots after the one they connect in, and leave in the last of these
    vehicle_count: PositiveInt


class EvAggregator(Device):
    """One energy level for all connected vehicles, fed by who arrives, drained by who leaves, charged and discharged (V2G) in between.

    Powers at the bus, energies in the batteries; shares are of one battery. The matrix stands in ev_connections.csv.
    """

    kind: Literal["ev_aggregator"] = "ev_aggregator"
    vehicle_count: PositiveInt  # most that can be connected at once
    charger_kw: PositivePower
    battery_kwh: PositivePower
    charge_efficiency_share: float = Field(gt=0, le=1)
    discharge_efficiency_share: float = Field(gt=0, le=1)
    arrival_energy_share: float = Field(ge=0, le=1)
    departure_energy_share: float = Field(gt=0, le=1)  # what a leaving vehicle takes along
    energy_min_share: float = Field(default=0.2, ge=0, le=1)  # least of a connected vehicle, on average
    energy_max_share: float = Field(default=0.95, gt=0, le=1)  # most of a connected vehicle, on average
    remaining_energy_share: float = Field(default=0.3, ge=0, le=1)  # of those that stay, before others leave; `start_of_slot` only
    dwell_min_h: PositiveInt = 6  # shortest stay in the matrix
    dwell_max_h: PositiveInt = 14  # longest stay in the matrix
    early_departure_h: NonNegativeInt = 2  # who leaves early leaves by so much, less than half of the shortest stay
    early_departure_budget_count: NonNegativeInt = 0  # sum over a day of |departures less expected departures|: two per vehicle
    early_departure_share: float = Field(default=0.0, ge=0, le=1)  # synthetic: chance that a vehicle leaves early, within the budget
    early_departure_seed: int = 0  # of the draws
    ramp_kw_per_h: PositivePower | None = None  # largest change of charging, and of discharging, per connected vehicle; empty: none
    discharge_cost_per_kwh: NonNegativePrice = 0.0  # wear of the batteries that feed in
    unserved_price_per_kwh: NonNegativePrice | None = None  # of energy lacking or left over; None: the case's slack price
    cross_cycle: bool = True  # the day ends with what vehicles need that leave early the next day
    departure_form: Literal["end_of_slot", "start_of_slot"] = "end_of_slot"  # by when leaving vehicles hold what they take
    # Cyclic is for a day on its own: real time starts with what is stored, whatever a schedule decided.
    start: Literal["cyclic", "handed_on"] = "cyclic"  # a schedule's first energy: decided and restored, or where the one before ends
    energy_initial_kwh: NonNegativePower = 0.0  # where nothing is handed on: real time, and day-ahead with `start: handed_on`
