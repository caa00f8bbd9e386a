"""A small day without store or forecast: slot tables as truth, vehicles from a rule, errors from a seed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import numpy as np

from pipeline.cases.case import Case
from pipeline.cases.load import load_case
from pipeline.core.clock import DeliveryDay, local_hour
from pipeline.equipment import EvFleet
from pipeline.equipment.ev_fleet import EvWindow
from pipeline.forecast.ev import window_envelopes
from pipeline.physics.horizon import Horizon
from pipeline.physics.vehicles import FleetEnvelopes
from pipeline.program.cached import compiled
from pipeline.program.linear_program import LinearProgram
from pipeline.schedule.day_ahead import DayAhead, DayAheadOptions, plan_day
from pipeline.schedule.outlook import Outlook, coarsen
from pipeline.schedule.real_time import RealTime, Rolling, open_day, run_steps

QUIET = DayAheadOptions(value_of_stochastic_solution=False)


@lru_cache
def case_of(name: str = "tiny", variant: str | None = None) -> Case:
    return load_case(name, variant=variant)


@lru_cache
def _program(name: str, variant: str | None, horizon: Horizon) -> LinearProgram:
    return compiled(case_of(name, variant), horizon, cache_dir=None)


@dataclass(frozen=True)
class Setting:
    """A case, a day and its programs."""

    case: Case
    day: DeliveryDay
    name: str = "tiny"
    variant: str | None = None

    @property
    def count(self) -> int:
        return self.day.steps()

    @property
    def hourly(self) -> LinearProgram:
        return _program(self.name, self.variant, Horizon(self.day.steps(60), 1.0))

    @property
    def window(self) -> LinearProgram:
        return _program(self.name, self.variant, Horizon(self.case.settings.real_time_window_steps, 0.25, rolling=True))

    @property
    def quarters(self) -> LinearProgram:
        return _program(self.name, self.variant, Horizon(self.count, 0.25, held=True))

    def truth(self, *, error: float = 0.0, seed: int = 0) -> Outlook:
        """Slot tables of the case over the quarter-hours of the day, times (1 + error N(0, 1))."""
        hours = local_hour(self.day.starts(), self.case.time_zone)
        values = np.array([np.array(series.by_local_hour)[hours] for series in self.case.series])
        if error:
            values = values * np.maximum(1 + error * np.random.default_rng(seed).standard_normal(values.shape), 0.0)
        return Outlook(tuple(series.id for series in self.case.series), values, {
            device.id: self.vehicles(device) for device in self.case.devices if isinstance(device, EvFleet)})

    def vehicles(self, fleet: EvFleet) -> FleetEnvelopes:
        """Envelopes of 10 kWh per vehicle between 19:00 and 06:00, the same in every cohort."""
        if isinstance(fleet.sessions, EvWindow):
            return window_envelopes(fleet, fleet.sessions, self.day)
        cohorts = len(fleet.departure_hours)
        hours = local_hour(self.day.starts(), self.case.time_zone)
        power = np.where((hours >= 19) | (hours < 6), fleet.vehicle_count * fleet.charger_kw / cohorts, 0.0)
        stored, need = power * 0.25 * fleet.charge_efficiency_share, fleet.vehicle_count * 10.0 / cohorts
        low = np.maximum(need - (stored.sum() - np.cumsum(stored)), 0.0)
        top = np.minimum(np.cumsum(stored), need)
        return FleetEnvelopes(*(np.repeat(part[None], cohorts, axis=0) for part in (power, low, top, np.zeros_like(low))))

    def windows(self, outlook: Outlook, first: int = 1, last: int | None = None) -> list[Outlook]:
        """What is known at each issue time: the same outlook, moved on."""
        length = self.case.settings.real_time_window_steps
        return [outlook.window(k - 1, length) for k in range(first, (last or self.count) + 1)]

    def plan(self, *outlooks: Outlook, **options: object) -> DayAhead:
        given = [coarsen(outlook, 4) for outlook in (outlooks or (self.truth(),))]
        options.setdefault("options", QUIET)
        return plan_day(self.case, self.day, self.hourly, given, np.full(len(given), 1 / len(given)), **options)  # type: ignore[arg-type]

    def rolling(self, plan: DayAhead | None = None, **given: object) -> Rolling:
        return open_day(self.case, self.day, self.window, (plan or self.plan()).plan, **given)  # type: ignore[arg-type]

    def whole_day(self, rolling: Rolling, *, error: float = 0.02, seed: int = 0) -> RealTime:
        return run_steps(rolling, rolling.start, self.windows(self.truth()), self.truth(error=error, seed=seed))


def setting(name: str = "tiny", variant: str | None = None, day: date | None = None, **settings: object) -> Setting:
    """`settings`: fields of the case's run settings to change."""
    case = case_of(name, variant)
    if settings:
        case = case.model_copy(update={"settings": case.settings.model_copy(update=settings)})
    return Setting(case, case.day(day or case.default_date), name, variant)
