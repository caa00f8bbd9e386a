"""The scenario stage of a day-ahead run: draws, their reduction, and what a treatment must know of the representatives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.cases.settings import Sampled, Wasserstein
from pipeline.forecast.day_ahead import DayAheadForecast
from pipeline.forecast.ev_connection import aggregators_of, by_aggregator, scenario_early
from pipeline.program.solve import SolveOptions
from pipeline.scenarios.distance import median_distance, single_link
from pipeline.scenarios.extremes import EXTREMES_SHARE, deviations, extreme_gaps, representatives_keep_extremes
from pipeline.scenarios.generate import draw
from pipeline.scenarios.publication import departures_table, distance_table, quality_table
from pipeline.scenarios.quality import quality
from pipeline.scenarios.reduce import Clusters, Representatives, cluster, represent
from pipeline.scenarios.represent import departures_of
from pipeline.scenarios.sample import pre_reduced
from pipeline.schedule.reference import recourse_costs
from pipeline.stages.deciding import day_ahead_program, outlooks_of
from pipeline.stages.failing import marks_failure
from pipeline.stages.forecasting import forecast_of, seed_of
from pipeline.stages.gating import gate
from pipeline.stages.opening import Run, load_run

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Draws:
    """values (N, S, T) of the series, and early departures (N, A, slots) of the vehicles, where there are any."""

    values: Floats
    early: Counts | None


@dataclass(frozen=True)
class _Reduced:
    """One reduction, and how far it keeps the extremes of the draws."""

    clusters: Clusters
    found: Representatives
    early: Counts | None  # (K, A, slots) early departures of vehicles
    gaps: dict[str, float]  # kind of series -> how far its largest deviation falls short
    costs_known: bool

    @property
    def lost(self) -> float:
        """By how much the worst kind of series falls short of what test (39) allows."""
        return max(0.0, max(self.gaps.values(), default=0.0) - EXTREMES_SHARE)


@marks_failure
def scenarios(run_id: str) -> str:
    """Draw scenarios and reduce them to weighted representatives; a method without representatives needs none."""
    run = load_run(run_id)
    method = run.case.settings.method
    if not isinstance(method, Sampled):
        return run_id
    forecast = forecast_of(run_id)
    draws = Draws(draw(forecast, run.knowledge.history, count=method.draw_count, seed=seed_of(run, "draw")),
                  scenario_early(run.case, count=method.draw_count, seed=seed_of(run, "early departures")))
    seed = seed_of(run, "reduce") % 2**31  # MiniSom takes 32 bits
    reduced = _reduced(run, method, forecast, draws, seed)
    profiles = deviations(reduced.clusters.sample.values, forecast.mean)
    measures = quality(run.case, draws.values, reduced.found, seed=seed) | _kept(reduced)
    tables = {"scenarios": reduced.found.table(run.case, run.day.starts(), run_id)}
    if isinstance(method, Wasserstein):
        tables["scenario_distances"] = distance_table(single_link(profiles, reduced.clusters.place, len(reduced.found.weights)), run_id)
        measures["median_distance"] = median_distance(profiles)
    if reduced.early is not None:
        tables["scenario_departures"] = departures_table(reduced.early, [device.id for device in aggregators_of(run.case)], run_id)
    tables["scenario_quality"] = quality_table({reduced.found.method: measures}, run_id)
    gate(run, tables)
    run.home.lake.write(run_id, tables)
    return run_id


def _reduced(run: Run, method: Sampled, forecast: DayAheadForecast, draws: Draws, seed: int) -> _Reduced:
    """The reduction asked for. Where clusters lose extremes, the first step keeps twice as many, as long as that halves what is lost.

    Book 003, (39).
    """
    count = method.pre_reduction_count
    found = _once(run, method, forecast, draws, seed, count)
    if count == method.representative_count:  # the kept draws themselves were asked for
        return found
    while count is not None and count < len(draws.values) and not representatives_keep_extremes(found.gaps):
        count = min(2 * count, len(draws.values))
        again = _once(run, method, forecast, draws, seed, count)
        if again.lost <= found.lost / 2:
            found = again
        else:
            break
    return found


def _once(run: Run, method: Sampled, forecast: DayAheadForecast, draws: Draws, seed: int, count: int | None) -> _Reduced:
    case = run.case
    sample = pre_reduced(draws.values, case=case, count=count)
    early = None if draws.early is None else draws.early[sample.rows]
    costs = _costs(run, forecast, sample.values, early) if method.representative == "worst_member" else None
    clusters = cluster(sample, case=case, method=method.reducer, count=method.representative_count, seed=seed, costs=costs)
    found = represent(clusters, case=case, kind=method.representative, costs=costs, box=forecast.box, draws=draws.values)
    leaving = None if early is None else departures_of(clusters.place, early, found.members)
    return _Reduced(clusters, found, leaving, extreme_gaps(case, draws.values, found.values, forecast.mean), costs is not None)


def _costs(run: Run, forecast: DayAheadForecast, values: Floats, early: Counts | None) -> Floats | None:
    """(N,) cost of each day of values (N, S, T) and early departures (N, A, slots) met with the decision of the forecast."""
    case, settings = run.case, run.case.settings
    leaving = None if early is None else by_aggregator(case, early)
    outlooks, reference = outlooks_of(run, values, leaving), outlooks_of(run, forecast.mean[None])[0]
    options = SolveOptions(time_limit_s=settings.solver_time_limit_s, mip_gap_share=settings.mip_gap_share)
    return recourse_costs(case, run.day, day_ahead_program(run), outlooks, reference=reference,
                          overrides=run.knowledge.overrides, options=options)


def _kept(reduced: _Reduced) -> dict[str, float]:
    """What the reduction did beside its quality: how many draws it saw, which costs it knew, and test (39) by kind of series."""
    gaps = {f"extreme_gap_{kind}_share": gap for kind, gap in reduced.gaps.items()}
    return {"sample_count": float(len(reduced.clusters.sample.rows)), "costs_of_members_known": float(reduced.costs_known),
            "keeps_extremes": float(representatives_keep_extremes(reduced.gaps)), **gaps}


