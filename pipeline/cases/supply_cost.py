"""What a unit's energy costs, by its own declared costs."""

from __future__ import annotations

from pipeline.equipment import AnyDevice, Chp, Converter, Generator, Source


def dearest_energy_per_kwh(device: AnyDevice) -> float:
    """What one more kWh of a device costs at most, in the case's currency: at full power; 0 for what makes none."""
    match device:
        case Generator():
            return device.cost_linear_per_kwh + 2 * device.cost_quadratic_per_kw2h * device.power_max_kw
        case Chp():
            return device.fuel_cost_per_kwh
        case Converter():
            return device.cost_per_kwh
        case Source():
            return max(device.feed_in_cost_per_kwh, device.curtailment_cost_per_kwh)
        case _:
            return 0.0
