"""Buses, branches and the networks they form."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pipeline.equipment.base import OHM_MOST, Carrier, Identifier, NonNegativePrice, PositivePower, Record


class Network(Record):
    """`lindistflow`: radial, lossless, voltages. `copper_plate`: one balance per carrier over all its buses."""

    id: Identifier
    kind: Literal["lindistflow", "copper_plate"]
    carriers: tuple[Carrier, ...] = ("active",)
    base_kv: float = Field(default=0.4, ge=0.1, le=500)
    voltage_min_pu: float = Field(default=0.95, ge=0.1, le=2)
    voltage_max_pu: float = Field(default=1.05, ge=0.1, le=2)
    slack_bus: Identifier | None = None  # lindistflow: held at 1 p.u. x slack_voltage_pu
    slack_voltage_pu: float = Field(default=1.0, ge=0.1, le=2)
    voltage_price_per_pu_h: NonNegativePrice = 1000.0


class Bus(Record):
    """A place in exactly one network."""

    id: Identifier
    network: Identifier


class Branch(Record):
    """Zero impedance is allowed (a busbar tie)."""

    id: Identifier
    from_bus: Identifier
    to_bus: Identifier
    r_ohm: float = Field(ge=0, le=OHM_MOST)
    x_ohm: float = Field(ge=-OHM_MOST, le=OHM_MOST)
    rating_kva: PositivePower | None = None
