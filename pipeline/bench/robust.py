"""The two robust systems: Case 4 of the microgrids with vehicles, and affine rules on the hydrogen microgrids."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from pipeline.bench import Row
from pipeline.bench.programs import day_outlook
from pipeline.bench.worker import at_most
from pipeline.cases.case import Case
from pipeline.cases.load import load_case
from pipeline.cases.settings import Affine, ForecastSettings, HalfWidths, Wasserstein
from pipeline.forecast.day_ahead import DayAheadForecast, forecast
from pipeline.forecast.ev_connection import aggregators_of, expected_connections, scenario_early
from pipeline.physics.horizon import Horizon
from pipeline.program.cached import compiled
from pipeline.program.linear_program import Floats, LinearProgram
from pipeline.program.solve import SolveOptions
from pipeline.scenarios.distance import median_distance, single_link
from pipeline.scenarios.extremes import deviations
from pipeline.scenarios.generate import draw
from pipeline.scenarios.reduce import cluster, represent
from pipeline.scenarios.represent import Representative, departures_of
from pipeline.scenarios.sample import pre_reduced
from pipeline.schedule.affine_day import affine_day, affine_problem
from pipeline.schedule.day_ahead import DayAhead, DayAheadOptions, plan_day
from pipeline.schedule.desk import open_desk
from pipeline.schedule.outlook import Outlook, coarsen
from pipeline.schedule.reference import recourse_costs
from pipeline.schedule.treatments import Spread
from pipeline.store.observations import Observations

DRAWS = 1000
SAMPLE = 100  # kept by probability distance: the support of Case 3, and what the clusters of Case 4 are made of
SEED = 7


@dataclass(frozen=True)
class _System:
    case: Case
    program: LinearProgram
    forecast: DayAheadForecast

    def outlooks(self, values: Floats, early: np.ndarray[tuple[int, ...], np.dtype[np.int64]] | None = None) -> list[Outlook]:
        names, day = [device.id for device in aggregators_of(self.case)], self.forecast.day
        leaving = [{}] * len(values) if early is None else [dict(zip(names, one, strict=True)) for one in early]
        return [coarsen(Outlook(self.forecast.series, one, {}, expected_connections(self.case, day=day, step_min=60, early=some)), 4)
                for one, some in zip(values, leaving, strict=True)]

    def decided(self, kind: Representative, count: int) -> DayAhead:
        """From draws to a first stage: reduction, representatives, column-and-constraint generation."""
        centre = self.outlooks(self.forecast.mean[None])[0]
        sample = pre_reduced(draw(self.forecast, _no_history(), count=DRAWS, seed=SEED), case=self.case, count=SAMPLE)
        early = scenario_early(self.case, count=DRAWS, seed=SEED)
        assert early is not None
        early, day = early[sample.rows], self.forecast.day
        found = cluster(sample, case=self.case, method="som", count=count, seed=1)
        costs = None
        if kind == "worst_member":
            costs = recourse_costs(self.case, day, self.program, self.outlooks(sample.values, early), reference=centre)
        kept = represent(found, case=self.case, kind=kind, costs=costs, box=self.forecast.box)
        profiles = deviations(sample.values, self.forecast.mean)
        spread = Spread(single_link(profiles, found.place, len(kept.weights)), median_distance(profiles))
        return plan_day(self.case, day, self.program, self.outlooks(kept.values, departures_of(found.place, early, kept.members)),
                        kept.weights, spread=spread, forecast=centre, options=DayAheadOptions(value_of_stochastic_solution=False))


def _no_history() -> Observations:
    """The forecast is the case's tables, its errors its own law: no past value takes part."""
    none = np.zeros(0, dtype=np.int64)
    return Observations(series=(), resolution_s=(), series_index=none.astype(np.int32), valid_from=none, known_at=none, ingest_seq=none,
                        value=np.zeros(0), quality=none.astype(np.int16))


def robust_case4() -> list[Row]:
    """Case 4 complete against Case 3, both from 1000 draws kept to 50, both by column-and-constraint generation."""
    name, case = "robust_case4", load_case("distributionally_robust_microgrids")
    settings = case.settings.model_copy(update={"forecast": ForecastSettings(model="table"),
                                                "method": Wasserstein(solution="column_and_constraint")})
    case = case.model_copy(update={"settings": settings})
    day = case.day(case.default_date)
    made = forecast(case, _no_history(), issued_at=day.start - 36000, day=day)
    system = _System(case, compiled(case, Horizon(24, 1.0), cache_dir=None), made)
    plans, seconds = {}, {}
    for label, kind, count in (("Case 4", "worst_member", 7), ("Case 3", "medoid", SAMPLE)):
        started = time.process_time()
        plans[label] = system.decided(kind, count)  # type: ignore[arg-type]
        seconds[label] = time.process_time() - started
    return [
        at_most(name, "Case 4 complete: draws, reduction, 7 representatives, decision", seconds["Case 4"], "CPU s", 60.0),
        at_most(name, f"over Case 3 with its {SAMPLE} scenarios", seconds["Case 4"] / seconds["Case 3"], "", 1.0),
        *(Row(name, f"{label}: proven gap", plan.gap, "") for label, plan in plans.items()),
        *(Row(name, f"{label}: objective", plan.decision.objective, "CNY") for label, plan in plans.items() if plan.decision is not None),
    ]


def affine() -> list[Row]:
    """Three hydrogen microgrids with their network, budget .25: 24 steps, and 96 with a memory of the same interval and of three."""
    name, case = "affine", load_case("hydrogen_microgrids", variant="deterministic")
    rows = []
    for steps, memory in ((24, 0), (96, 0), (96, 3)):
        seconds, objective = _affine(case, steps, memory)
        figure = f"{steps} steps, memory of {memory} intervals"
        rows.append(at_most(name, figure, seconds, "CPU s", 60.0) if steps == 24 else Row(name, figure, seconds, "CPU s"))
        rows.append(Row(name, f"{figure}: worst cost inside the budget", objective, "CNY"))
    return rows


def _affine(case: Case, steps: int, memory: int) -> tuple[float, float]:
    """CPU seconds of binding and solving, compilation included, and the objective."""
    widths = HalfWidths(load_share=0, heat_share=0, pv_share=0.15, wind_share=0.15)
    method = Affine(half_widths=widths, budget_share=0.25, memory_steps=memory)
    started = time.process_time()
    desk = open_desk(case, case.day(case.default_date), compiled(case, Horizon(steps, 24 / steps), cache_dir=None))
    outlook = day_outlook(case)
    outlook = outlook if steps == 96 else coarsen(outlook, 96 // steps)
    inputs = desk.binder.assemble(desk.binder.fill(outlook, desk.starts()), desk.binder.initial_state(), day_ends=True)
    found = affine_day(desk, affine_problem(desk, outlook, inputs, method), SolveOptions(time_limit_s=1200.0))
    return time.process_time() - started, found.decision.objective
