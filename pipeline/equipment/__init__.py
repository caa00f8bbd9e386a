"""What there is: schemas of devices, networks, ties and markets. The unit is in every field name. No Pyomo here."""

from typing import Annotated

from pydantic import Field

from pipeline.equipment.base import Carrier, Device, Identifier, Record
from pipeline.equipment.chp import Chp
from pipeline.equipment.converter import Converter
from pipeline.equipment.demand import Demand
from pipeline.equipment.ev_aggregator import EvAggregator, EvConnection
from pipeline.equipment.ev_fleet import EvFleet
from pipeline.equipment.generator import Commitment, Generator
from pipeline.equipment.network import Branch, Bus, Network
from pipeline.equipment.source import Source
from pipeline.equipment.store import Store
from pipeline.equipment.tie import Market, Tie, Wheeling

AnyDevice = Annotated[Demand | Source | Generator | Chp | Converter | Store | EvFleet | EvAggregator, Field(discriminator="kind")]
DEVICE_KINDS: dict[str, type[Device]] = {
    "demand": Demand, "source": Source, "generator": Generator, "chp": Chp, "converter": Converter, "store": Store,
    "ev_fleet": EvFleet, "ev_aggregator": EvAggregator,
}

__all__ = [
    "DEVICE_KINDS", "AnyDevice", "Branch", "Bus", "Carrier", "Chp", "Commitment", "Converter", "Demand", "Device", "EvAggregator",
    "EvConnection", "EvFleet", "Generator", "Identifier", "Market", "Network", "Record", "Source", "Store", "Tie", "Wheeling",
]
