"""The case `tiny` with an EV aggregator, as a folder and as a day."""

from __future__ import annotations

import shutil
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from pipeline.cases.case import Case
from pipeline.cases.load import DATA, load_case
from pipeline.forecast.ev_connection import expected_connections, intraday_connections, realised_connections
from pipeline.physics.horizon import Horizon
from pipeline.program.cached import compiled
from pipeline.program.linear_program import LinearProgram
from pipeline.schedule.outlook import Outlook
from tests.unit.schedule.tiny_day import Setting

AGGREGATOR = """id,bus,vehicle_count,charger_kw,battery_kwh,charge_efficiency_share,discharge_efficiency_share,arrival_energy_share,\
departure_energy_share,energy_initial_kwh,ramp_kw_per_h,discharge_cost_per_kwh,unserved_price_per_kwh,early_departure_budget_count,\
early_departure_share
park,f01_b03,8,4,40,0.95,0.95,0.45,0.9,190,8,0.02,90,4,0.9
"""
ROWS = """aggregator,connect_slot,dwell_h,vehicle_count
park,1,9,2
park,3,8,3
park,14,12,4
park,18,10,2
"""


def folder_of(where: Path, device: str = AGGREGATOR, rows: str = ROWS) -> Path:
    """A copy of `tiny` with the two tables of the aggregator."""
    folder = Path(shutil.copytree(DATA / "cases" / "tiny", where / "tiny"))
    (folder / "ev_aggregator.csv").write_text(device)
    (folder / "ev_connections.csv").write_text(rows)
    return folder


@lru_cache
def park(**changes: object) -> Case:
    """The case, with fields of the aggregator changed."""
    with TemporaryDirectory() as where:
        case = load_case(folder_of(Path(where)), variant="deterministic")
    devices = [device.model_copy(update=changes) if device.kind == "ev_aggregator" else device for device in case.devices]
    settings = case.settings.model_copy(update={"real_time_window_steps": 16})
    return case.model_copy(update={"devices": tuple(devices), "folder": None, "settings": settings})


_PROGRAMS: dict[tuple[str, Horizon], LinearProgram] = {}


def _program(case: Case, horizon: Horizon) -> LinearProgram:
    key = (case.structure_digest, horizon)
    if key not in _PROGRAMS:
        _PROGRAMS[key] = compiled(case, horizon, cache_dir=None)
    return _PROGRAMS[key]


class ParkDay(Setting):
    """A day of `park`: slot tables as forecast, the connection matrix as expected, early departures as drawn."""

    @property
    def hourly(self) -> LinearProgram:
        return _program(self.case, Horizon(self.day.steps(60), 1.0))

    @property
    def window(self) -> LinearProgram:
        return _program(self.case, Horizon(self.case.settings.real_time_window_steps, 0.25, rolling=True))

    @property
    def quarters(self) -> LinearProgram:
        return _program(self.case, Horizon(self.count, 0.25))

    def truth(self, *, error: float = 0.0, seed: int = 0) -> Outlook:
        """With an error, what came: early departures too."""
        counts = realised_connections(self.case, day=self.day) if error else expected_connections(self.case, day=self.day, step_min=60)
        return replace(super().truth(error=error, seed=seed), connections=counts)

    def windows(self, outlook: Outlook, first: int = 1, last: int | None = None) -> list[Outlook]:
        """What is known at each issue time of who has left."""
        plain = super().windows(outlook, first, last)
        counts = intraday_connections(self.case, issue_times=self.day.starts()[first - 1 : first - 1 + len(plain)], day=self.day)
        length = self.case.settings.real_time_window_steps
        moved = []
        for k, window in enumerate(plain):
            at = np.minimum(np.arange(first - 1 + k, first - 1 + k + length), self.count - 1)
            moved.append(replace(window, connections={name: values[k][:, at] for name, values in counts.items()}))
        return moved


def park_day(**changes: object) -> ParkDay:
    """`changes`: fields of the aggregator."""
    case = park(**changes)
    return ParkDay(case, case.day(case.default_date))
