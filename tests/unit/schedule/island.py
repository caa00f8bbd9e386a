"""Four networks in a ring of ties with diagonals and no market: two diesel units that go on and off, a fuel cell, a store."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from itertools import combinations
from typing import Any

import numpy as np

from pipeline.cases.case import Case
from pipeline.cases.settings import Deterministic, ForecastSettings, Settings
from pipeline.cases.sources import Series
from pipeline.core.clock import DeliveryDay
from pipeline.equipment import Bus, Commitment, Converter, Demand, Generator, Network, Source, Store, Tie, Wheeling
from pipeline.physics.horizon import Horizon
from pipeline.program.cached import compiled
from pipeline.program.linear_program import Floats, LinearProgram
from pipeline.schedule.day_ahead import DayAhead, DayAheadOptions, plan_day
from pipeline.schedule.outlook import Outlook, coarsen
from pipeline.schedule.real_time import RealTime, Rolling, open_day, run_steps
from pipeline.schedule.state import State

MICROGRIDS = ("mg1", "mg2", "mg3", "mg4")
SERIES = (*(f"load_{mg}" for mg in MICROGRIDS), "wind", *(f"tou_{mg}" for mg in MICROGRIDS))
# A dip in the night that one unit carries alone, and a peak that needs both.
LOAD_KW = 100 * np.array([5, 5, 5, 5, 6, 8, 10, 12, 13, 13, 12, 12, 12, 12, 12, 13, 14, 14, 13, 12, 10, 8, 6, 5.0])


def diesel(name: str, bus: str, price: float, **more: Any) -> Generator:
    """[300, 1000] kW, a ramp that a quarter-hour cannot start with, least times of three hours."""
    commitment = {"start_cost": 60, "stop_cost": 30, "min_up_h": 3, "min_down_h": 3, **more}
    off = more.get("on_initially") is False
    return Generator(id=name, bus=bus, power_max_kw=1000, power_min_kw=300, cost_linear_per_kwh=price, segment_count=1, ramp_kw_per_h=400,
                     power_initial_kw=0 if off else 300, commitment=Commitment(**commitment))


def lines() -> tuple[Tie, ...]:
    return tuple(
        Tie(id=f"l_{one}_{other}", upper_bus=one, lower_bus=other, exchange_min_kw=-600, exchange_max_kw=600, ramp_kw_per_h=600,
            position="expected", deviation_price_per_kwh=0.05,
            wheeling=Wheeling(upper_price_series=f"tou_{one}", lower_price_series=f"tou_{other}"))
        for one, other in combinations(MICROGRIDS, 2))


def island(*, second: dict[str, Any] | None = None, **fields: Any) -> Case:
    """The case; `second`: what differs in the second diesel unit's commitment."""
    devices = (
        *(Demand(id=f"d_{mg}", bus=mg, series=f"load_{mg}", dump_max_kw=500) for mg in MICROGRIDS),
        Source(id="w", bus="mg4", series="wind", curtailment_cost_per_kwh=0.0),
        diesel("dg1", "mg1", 0.32), diesel("dg2", "mg2", 0.34, **(second or {})),
        Converter(id="fc", bus="mg3", input_carrier="fuel", output_carrier="active", power_max_kw=800, cost_per_kwh=0.56,
                  ramp_kw_per_h=800),
        Store(id="es", bus="mg2", charge_max_kw=200, discharge_max_kw=200, charge_efficiency_share=0.95, discharge_efficiency_share=0.95,
              energy_max_kwh=360, energy_min_kwh=40, energy_initial_kwh=200, wear_cost_per_kwh=0.02, ramp_kw_per_h=200),
    )
    settings = Settings(method=Deterministic(), forecast=ForecastSettings(model="table"), slack_price_per_kwh=90.0,
                        terminal_fixed_price_per_kwh=0.02, mip_gap_share=1e-6)
    given: dict[str, Any] = {
        "name": "island", "currency": "CNY", "time_zone": "UTC", "default_date": date(2016, 6, 15), "devices": devices, "ties": lines(),
        "networks": tuple(Network(id=mg, kind="copper_plate") for mg in MICROGRIDS),
        "buses": tuple(Bus(id=mg, network=mg) for mg in MICROGRIDS), "balancing_chain": ("fc", "es"), "settings": settings,
        "series": tuple(Series(id=name, kind="price" if name.startswith("tou") else "other") for name in SERIES),
    }
    return Case(**{**given, **fields})


@dataclass(frozen=True)
class Island:
    """A case, its default day and its programs."""

    case: Case
    hourly: LinearProgram
    window: LinearProgram
    quarters: LinearProgram

    @property
    def day(self) -> DeliveryDay:
        return self.case.day(self.case.default_date)

    def truth(self, *, scale: float = 1.0, error: float = 0.0, seed: int = 0) -> Outlook:
        """The same load in every microgrid, a quarter of `LOAD_KW`, times (1 + error N(0, 1))."""
        hours = np.repeat(np.arange(24), 4)
        load = scale * LOAD_KW[hours] / 4
        rows = [load] * 4 + [np.full(96, 80.0)] + [np.full(96, 0.5)] * 4
        values = np.array(rows)
        if error:
            values[:5] *= np.maximum(1 + error * np.random.default_rng(seed).standard_normal(values[:5].shape), 0.0)
        return Outlook(SERIES, values)

    def plan(self, *, scale: float = 1.0, state: State | None = None, **more: Any) -> DayAhead:
        options = DayAheadOptions(value_of_stochastic_solution=False, mip_gap_share=1e-4)
        return plan_day(self.case, self.day, self.hourly, [coarsen(self.truth(scale=scale), 4)], np.ones(1), state=state, options=options,
                        **more)

    def rolling(self, plan: DayAhead | None = None) -> Rolling:
        return open_day(self.case, self.day, self.window, (plan or self.plan()).plan)

    def whole_day(self, rolling: Rolling, *, scale: float = 1.0, error: float = 0.03, seed: int = 1, state: State | None = None,
                  steps: int = 96, **more: Any) -> RealTime:
        expected = self.truth(scale=scale)
        windows = [expected.window(k, 16) for k in range(steps)]
        return run_steps(rolling, state or rolling.start, windows, self.truth(scale=scale, error=error, seed=seed), **more)


def opened(case: Case | None = None) -> Island:
    case = case or island()
    return Island(case, *(compiled(case, horizon, cache_dir=None) for horizon in (
        Horizon(24, 1.0), Horizon(16, 0.25, rolling=True), Horizon(96, 0.25, held=True))))


def running(found: DayAhead | RealTime) -> Floats:
    """On or off of both units, (T, 2)."""
    if isinstance(found, DayAhead):
        return found.desk.roster.units.running(found.expected, found.inputs[0]).astype(float)
    return found.rolling.desk.roster.units.running(found.settled.columns, found.settled.inputs).astype(float)
