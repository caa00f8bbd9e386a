"""A day of the robust multi-microgrid case without store or forecast: slot tables as forecast, the matrix as expected."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from pipeline.cases.case import Case
from pipeline.cases.load import load_case
from pipeline.cases.settings import Deterministic
from pipeline.core.clock import DeliveryDay, local_hour
from pipeline.forecast.ev_connection import expected_connections, intraday_connections, realised_connections
from pipeline.physics.horizon import Horizon
from pipeline.program.cached import compiled
from pipeline.program.linear_program import LinearProgram
from pipeline.schedule.day_ahead import DayAhead, DayAheadOptions, plan_day
from pipeline.schedule.outlook import Outlook, coarsen

CASE = "distributionally_robust_microgrids"
TIGHT = DayAheadOptions(mip_gap_share=1e-4, value_of_stochastic_solution=False)
_PROGRAMS: dict[tuple[str, Horizon], LinearProgram] = {}


@lru_cache
def robust_case(variant: str | None = None) -> Case:
    """A variant with the deterministic method."""
    return with_method(load_case(CASE, variant=variant))


def with_method(case: Case, **changes: object) -> Case:
    """The case with run settings changed; deterministic unless told otherwise."""
    return case.model_copy(update={"settings": case.settings.model_copy(update={"method": Deterministic(), **changes})})


def with_aggregators(case: Case, each: dict[str, dict[str, object]] | None = None, **changes: object) -> Case:
    """The case with fields of its aggregators changed: of all, or by id."""
    devices = tuple(device.model_copy(update={**changes, **(each or {}).get(device.id, {})}) if device.kind == "ev_aggregator" else device
                    for device in case.devices)
    return case.model_copy(update={"devices": devices})


def program_of(case: Case, horizon: Horizon) -> LinearProgram:
    """Compiled once per structure."""
    key = (case.structure_digest, horizon)
    if key not in _PROGRAMS:
        _PROGRAMS[key] = compiled(case, horizon, cache_dir=None)
    return _PROGRAMS[key]


@dataclass(frozen=True)
class RobustDay:
    case: Case

    @property
    def day(self) -> DeliveryDay:
        return self.case.day(self.case.default_date)

    @property
    def hourly(self) -> LinearProgram:
        return program_of(self.case, Horizon(24, 1.0))

    def forecast(self, *, load: float = 1.0, renewable: float = 1.0) -> Outlook:
        """Hourly, with factors on loads and on wind and sun."""
        hours = local_hour(self.day.starts(), self.case.time_zone)
        factor = {"load": load, "wind": renewable, "pv": renewable}
        values = np.array([np.array(series.by_local_hour)[hours] * factor.get(series.kind, 1.0) for series in self.case.series])
        counts = expected_connections(self.case, day=self.day, step_min=60)
        return coarsen(Outlook(tuple(series.id for series in self.case.series), values, {}, counts), 4)

    @property
    def window(self) -> LinearProgram:
        return program_of(self.case, Horizon(self.case.settings.real_time_window_steps, 0.25, rolling=True))

    def came(self, *, seed: int = 1) -> Outlook:
        """Quarter-hours as they came: errors of 3 % on loads and 10 % on wind and sun that last for hours, and vehicles that left early."""
        rng = np.random.default_rng(seed)
        spread = {"load": 0.03, "wind": 0.1, "pv": 0.1}
        hours = local_hour(self.day.starts(), self.case.time_zone)
        rows = []
        for series in self.case.series:
            errors = np.repeat(np.convolve(rng.standard_normal(31), np.ones(8) / np.sqrt(8), "valid"), 4)
            rows.append(np.array(series.by_local_hour)[hours] * (1 + np.clip(spread.get(series.kind, 0.0) * errors, -0.15, 0.15)))
        names = tuple(series.id for series in self.case.series)
        return Outlook(names, np.array(rows), {}, realised_connections(self.case, day=self.day))

    def windows(self) -> list[Outlook]:
        """What is expected at each issue time: the tables, and of the vehicles who has left."""
        hours, length = local_hour(self.day.starts(), self.case.time_zone), self.case.settings.real_time_window_steps
        values = np.array([np.array(series.by_local_hour)[hours] for series in self.case.series])
        counts = intraday_connections(self.case, issue_times=self.day.starts(), day=self.day)
        names, found = tuple(series.id for series in self.case.series), []
        for k in range(96):
            at = np.minimum(np.arange(k, k + length), 95)
            found.append(Outlook(names, values[:, at], {}, {name: each[k][:, at] for name, each in counts.items()}))
        return found

    def plan(self, **factors: float) -> DayAhead:
        return plan_day(self.case, self.day, self.hourly, [self.forecast(**factors)], np.ones(1), options=TIGHT)


@dataclass(frozen=True)
class Vehicles:
    """What a schedule does with one aggregator, kWh."""

    start: float
    end: float
    slack: float
    surplus: float
    energy: np.ndarray  # (24,)


def vehicles(plan: DayAhead, name: str) -> Vehicles:
    """Start energy by the balance of the first hour, backwards."""
    a, columns, inputs = plan.desk.roster.aggregators, plan.columns[0], plan.inputs[0]
    i = a.names.index(name)
    energy, slack, surplus = columns[:, a.energy[i]], columns[:, a.slack[i]], columns[:, a.surplus[i]]
    moved = a.gain[i] * columns[0, a.charge[i]] - a.drain[i] * columns[0, a.discharge[i]] + slack[0] - surplus[0]
    carried = a.brought[i] * inputs[0, a.arrivals[i]] - a.taken[i] * inputs[0, a.departures[i]]
    return Vehicles(float(energy[0] - moved - carried), float(energy[-1]), float(slack.sum()), float(surplus.sum()), energy)


def running_hours(plan: DayAhead, unit: str) -> int:
    """Hours in which a unit feeds in."""
    g = [device.id for device in plan.desk.case.devices if device.kind == "generator"].index(unit)
    segment = plan.desk.roster.generators.segment[g]
    return int((plan.columns[0][:, segment[segment >= 0]].sum(axis=1) > 1e-6).sum())
