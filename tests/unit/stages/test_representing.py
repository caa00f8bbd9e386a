"""The scenario stage: what every sampled method writes, and what it reads back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.cases.case import Case
from pipeline.cases.load import load_case
from pipeline.cases.net_load import net_load
from pipeline.cases.settings import ForecastSettings, Method, Sampled, Stochastic, Wasserstein
from pipeline.program.solve import Status
from pipeline.stages import deciding, evaluating, forecasting, opening, representing
from pipeline.stages.asked import Request, request
from pipeline.stages.opening import Run, load_run, open_day_ahead
from pipeline.store.lake import Lake
from pipeline.uncertainty.two_stage import Decision
from tests.ev_case import park


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    """Runs the scenario stage of `tiny`'s reference day, with a method in place of its own and errors that hang together."""
    monkeypatch.setenv("FEEDERFLOW_HOME", str(tmp_path))

    def run(method: Method, *, correlated: bool = True, case: Case | None = None) -> Run:
        case = case or load_case("tiny", variant="reference")
        sources = [source.model_copy(update={"correlated": _errors() if correlated else None}) if source.kind == "error_samples" else source
                   for source in case.sources]
        settings = case.settings.model_copy(update={"method": method})
        changed = case.model_copy(update={"settings": settings, "sources": tuple(sources)})
        monkeypatch.setattr(Request, "load", lambda self: changed)
        identifier = open_day_ahead(request({"case": "tiny", "variant": "reference"}))
        forecasting.forecast(identifier)
        representing.scenarios(identifier)
        return load_run(identifier)

    yield run
    forecasting._forecast_of.cache_clear()
    opening._load_run.cache_clear()


def _errors() -> object:
    from pipeline.cases.sources import CorrelatedErrors

    return CorrelatedErrors()


def quality_of(run: Run) -> dict[str, float]:
    table = Lake.read(run.home.lake, run.record.run_id, "scenario_quality")
    return dict(zip(table["measure"].to_pylist(), table["value"].to_pylist(), strict=True))


def test_the_dearest_members_stand_for_their_clusters(stage) -> None:  # type: ignore[no-untyped-def]
    run = stage(Wasserstein(draw_count=120, representative_count=4, pre_reduction_count=30))
    values, weights = forecasting.representatives(run)
    (distances, median), measures = forecasting.distances(run), quality_of(run)
    assert len(values) == len(weights) == 4 and weights.sum() == pytest.approx(1.0)
    assert distances.shape == (4, 4) and (distances == distances.T).all() and not np.diag(distances).any()
    assert measures["costs_of_members_known"] == 1.0 and measures["median_distance"] == median > 0
    assert measures["sample_count"] in (30, 60, 120)
    net = net_load(run.case, values).sum(axis=1)
    assert weights @ net > net_load(run.case, forecasting.forecast_mean(run)).sum()  # dearer than the forecast


@pytest.mark.parametrize("representative", ["medoid", "mean", "adverse_envelope"])
def test_every_representative_can_be_asked_for(stage, representative: str) -> None:  # type: ignore[no-untyped-def]
    run = stage(Stochastic(draw_count=60, representative_count=3, pre_reduction_count=20, representative=representative))  # type: ignore[arg-type]
    values, weights = forecasting.representatives(run)
    mean = forecasting.forecast_mean(run)
    assert "scenario_distances" not in run.home.lake.tables(run.record.run_id)
    if representative == "mean":
        assert np.tensordot(weights, values, axes=1) == pytest.approx(mean, rel=1e-9)
    if representative == "adverse_envelope":
        sources = [row for row, one in enumerate(run.case.series) if one.kind in ("pv", "wind")]
        assert (values[:, sources].mean(axis=0) <= mean[sources] + 1e-9).all()


def test_as_many_as_were_kept_is_the_sample_itself(stage) -> None:  # type: ignore[no-untyped-def]
    run = stage(Wasserstein(draw_count=60, representative_count=12, pre_reduction_count=12))
    values, weights = forecasting.representatives(run)
    assert len(values) == 12
    assert np.tensordot(weights, values, axes=1) == pytest.approx(forecasting.forecast_mean(run), rel=1e-9)
    assert (forecasting.distances(run)[0][~np.eye(12, dtype=bool)] > 0).all()


def test_a_first_step_that_loses_extremes_is_done_again_with_twice_as_many(stage, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    counts: list[int | None] = []
    gaps = iter([0.3, 0.15, 0.01])

    def once(run: Run, method: Sampled, forecast: object, draws: representing.Draws, seed: int, count: int | None) -> representing._Reduced:
        counts.append(count)
        found = real(run, method, forecast, draws, seed, count)
        return representing._Reduced(found.clusters, found.found, None, {"load": next(gaps)}, found.costs_known)

    real = representing._once
    monkeypatch.setattr(representing, "_once", once)
    run = stage(Stochastic(draw_count=60, representative_count=2, pre_reduction_count=8))
    assert counts == [8, 16, 32]
    assert quality_of(run)["keeps_extremes"] == 1.0 and quality_of(run)["sample_count"] == 32


def test_where_twice_as_many_do_not_help_it_is_said(stage, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    real = representing._once

    def once(*given: object) -> representing._Reduced:
        found = real(*given)  # type: ignore[arg-type]
        return representing._Reduced(found.clusters, found.found, None, {"load": next(shortfalls)}, found.costs_known)

    shortfalls = iter([0.3, 0.2])
    monkeypatch.setattr(representing, "_once", once)
    measures = quality_of(stage(Stochastic(draw_count=60, representative_count=2, pre_reduction_count=8)))
    assert measures["keeps_extremes"] == 0.0 and measures["sample_count"] == 8 and measures["extreme_gap_load_share"] == 0.3


def test_without_costs_in_time_the_net_load_stands_in_and_it_is_said(stage, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(representing, "recourse_costs", lambda *given, **more: None)
    assert quality_of(stage(Wasserstein(draw_count=40, representative_count=3)))["costs_of_members_known"] == 0.0


@pytest.mark.parametrize("representative", ["worst_member", "adverse_envelope"])
def test_vehicles_that_leave_early_are_part_of_a_scenario(stage, representative: str) -> None:  # type: ignore[no-untyped-def]
    case = park(early_departure_share=0.5)
    settings = case.settings.model_copy(update={"forecast": ForecastSettings(model="table")})
    devices = tuple(device for device in case.devices if device.kind != "ev_fleet")  # they would need sessions
    case = case.model_copy(update={"settings": settings, "devices": devices})
    method = Stochastic(draw_count=30, representative_count=3, pre_reduction_count=10, representative=representative)  # type: ignore[arg-type]
    run = stage(method, case=case)
    early = forecasting.early_departures(run, 3)
    assert all(set(one) == {"park"} for one in early)
    total = [int(one["park"].sum()) for one in early]
    assert max(total) > 0
    outlooks, _ = deciding.day_ahead_outlooks(run)
    planned = deciding.outlooks_of(run, forecasting.forecast_mean(run)[None])[0].connections["park"]
    for one, count in zip(outlooks, total, strict=True):
        assert int(np.abs(one.connections["park"][1] - planned[1]).sum()) in (2 * count, 2 * count - 2, 2 * count - 4)  # moves may cancel
        assert one.connections["park"][1].sum() == planned[1].sum()
    plan = deciding.decide(run)
    assert plan.status == "optimal"


def test_nobody_leaves_early_where_the_case_says_so(stage) -> None:  # type: ignore[no-untyped-def]
    run = stage(Stochastic(draw_count=30, representative_count=3))
    assert "scenario_departures" not in run.home.lake.tables(run.record.run_id)
    assert forecasting.early_departures(run, 3) == [{}, {}, {}]


def test_a_study_calls_no_gap_proven_that_is_not(stage) -> None:  # type: ignore[no-untyped-def]
    run = stage(Stochastic(draw_count=6, representative_count=2))
    plan = deciding.decide(run)
    found = Decision(plan.first, plan.objective, plan.objective, Status.optimal, "column_and_constraint")
    assert evaluating._planned(run, replace(plan, decision=found))["gap_share"] == 0.0
    assert evaluating._planned(run, replace(plan, decision=replace(found, proven=False)))["gap_share"] is None
