"""What power is worth where no market says it."""

from __future__ import annotations

from pipeline.cases.case import Case
from pipeline.equipment import Chp, Converter, Generator


def dearest_supply_per_kwh(case: Case) -> float:
    """What one more kWh costs at most from the case's own units: the worth of stored energy where no market gives a price."""
    costs = [0.0]
    for device in case.devices:
        match device:
            case Generator():
                costs.append(device.cost_linear_per_kwh + 2 * device.cost_quadratic_per_kw2h * device.power_max_kw)
            case Chp():
                costs.append(device.fuel_cost_per_kwh)
            case Converter() if device.output_carrier == "active":
                costs.append(device.cost_per_kwh)
            case _:
                pass
    return max(costs)
