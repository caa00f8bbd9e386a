"""What power is worth where no market says it."""

from __future__ import annotations

from pipeline.cases.case import Case
from pipeline.cases.supply_cost import dearest_energy_per_kwh
from pipeline.equipment import Chp, Converter, Generator


def dearest_supply_per_kwh(case: Case) -> float:
    """What one more kWh costs at most from the case's own units: the worth of stored energy where no market gives a price."""
    units = [device for device in case.devices
             if isinstance(device, Generator | Chp) or (isinstance(device, Converter) and device.output_carrier == "active")]
    return max((dearest_energy_per_kwh(device) for device in units), default=0.0)
