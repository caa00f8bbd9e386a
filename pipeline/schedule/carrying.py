"""What a treatment can be asked of a case, checked before anything is solved: all mistakes named in the words of the run settings."""

from __future__ import annotations

from fnmatch import fnmatchcase

import numpy as np

from pipeline.cases.case import Case
from pipeline.cases.settings import FIRST_STAGE
from pipeline.core.errors import InputError, Mistake
from pipeline.equipment import Chp, Converter, Generator
from pipeline.schedule.desk import Desk

ON = "on_share"  # units are switched before the scenario is known


def check_first_stage(desk: Desk, *, scenarios: int) -> None:
    """Patterns that name something, and commitments ahead of the scenarios. Raises InputError."""
    program, patterns = desk.program, desk.case.settings.first_stage
    components = tuple(program.column_index)
    place = "settings.first_stage"
    mistakes = [
        Mistake(place, f"'{pattern}' matches no column of the case", f"name columns of docs/models.md, as {', '.join(FIRST_STAGE[:2])}")
        for pattern in patterns
        if pattern not in FIRST_STAGE and not any(fnmatchcase(name, pattern) for name in components)
    ]
    first = program.columns_like(patterns)
    units = sorted(name for name in components if name.endswith(f".{ON}") and not np.isin(program.column_index[name], first).all())
    if scenarios > 1 and units:
        mistakes.append(Mistake(place, f"{units[0]} ({len(units) - 1} more) would be decided anew in every scenario",
                                "add '*.on_share', '*.start_share' and '*.stop_share', or take method deterministic"))
    if mistakes:
        raise InputError(mistakes)


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
