"""Buses, branches and the networks they form."""

from __future__ import annotations

from typing import Literal

from pydantic import NonNegativeFloat, PositiveFloat

from pipeline.equipment.base import Carrier, Identifier, Record


class Network(Record):
    """`lindistflow`: radial, lossless, voltages. `copper_plate`: one balance per carrier over all its buses."""

    id: Identifier
    kind: Literal["lindistflow", "copper_plate"]
    carriers: tuple[Carrier, ...] = ("active",)
    base_kv: PositiveFloat = 0.4
    voltage_min_pu: PositiveFloat = 0.95
    voltage_max_pu: PositiveFloat = 1.05
    slack_bus: Identifier | None = None  # lindistflow: held at 1 p.u. x slack_voltage_pu
    slack_voltage_pu: PositiveFloat = 1.0
    voltage_price_per_pu_h: NonNegativeFloat = 1000.0


class Bus(Record):
    """A place in exactly one network."""

    id: Identifier
    network: Identifier


class Branch(Record):
    """Zero impedance is allowed (a busbar tie)."""

    id: Identifier
    from_bus: Identifier
    to_bus: Identifier
    r_ohm: NonNegativeFloat
    x_ohm: float
    rating_kva: PositiveFloat | None = None
