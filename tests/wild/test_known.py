"""What was known when: prices that are published ahead, on a case whose file of prices says nothing of its publication."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from pipeline.forecast.day_ahead import DayAheadForecast
from pipeline.forecast.intraday import update
from pipeline.forecast.publication import QUANTILE_COLUMNS
from pipeline.scenarios.generate import draw
from pipeline.stages.asked import request
from pipeline.stages.forecasting import forecast, forecast_of
from pipeline.stages.opening import load_run, open_day_ahead
from tests.whole_day import at_home
from tests.wild.runner import change, copied, tried, typed

CASE = "g05b_published_no_column"
PUBLISHED = {"sources.market.mapping.published_local": "12:45"}
LARGEST_BEFORE_PUBLICATION = 0.1999  # EUR/kWh: how far the forecast of 11:00 lies from what was published at 12:45


def _forecasts(folder: Path, **changes: object) -> tuple[DayAheadForecast, pa.Table, np.ndarray]:
    """Forecast of the day as a run would make it, its published rows of the price, and the prices that came (96,)."""
    case = copied(CASE, folder, PUBLISHED | changes)
    ingested = typed(case, "ingest")
    assert ingested.code == 0, ingested.err
    with at_home(ingested.home) as home:
        run_id = forecast(open_day_ahead(request({"case": str(case)})))
        run, made = load_run(run_id), forecast_of(run_id)
        rows = home.lake.read(run_id, "forecasts")
        came = home.warehouse.observations(CASE, ["price"], run.day.start, run.day.end, run.day.end).grid(run.day.starts())[0]
    return made, rows.filter(pc.field("series") == "price").sort_by("step"), came


def test_prices_that_are_published_by_the_issue_time_are_used_exactly(tmp_path: Path) -> None:
    made, rows, came = _forecasts(tmp_path)
    assert len(came) == 96 and np.ptp(came) > 0.02
    assert set(rows["model"].to_pylist()) == {"known"}
    for column in ("mean", *QUANTILE_COLUMNS):
        assert np.array_equal(rows[column].to_numpy(), came), column
    assert not rows["sd"].to_numpy().any()
    assert "known" not in made.rungs  # the other series are forecast


def test_draws_and_real_time_take_published_prices_as_they_are(tmp_path: Path) -> None:
    case = copied(CASE, tmp_path, PUBLISHED)
    assert typed(case, "ingest").code == 0
    with at_home(tmp_path / "home"):
        run = load_run(open_day_ahead(request({"case": str(case)})))
        made, history = forecast_of(run.record.run_id), run.knowledge.history
    price = made.series.index("price")
    drawn = draw(made, history, count=20, seed=1)
    assert np.array_equal(drawn[:, price], np.broadcast_to(made.mean[price], (20, 96)))
    assert np.ptp(drawn[:, made.series.index("load")], axis=0).min() > 0
    outlooks = update(made.state, history, issue_times=run.day.starts()[:3], leads=16)
    assert outlooks.known[:, price].all() and not outlooks.known[:, made.series.index("load")].any()
    assert np.array_equal(outlooks.mean[1, price], made.mean[price, 1:17])
    assert np.array_equal(outlooks.quantiles[:, 1, price], np.broadcast_to(made.mean[price, 1:17], (7, 16)))
    rungs = [rung for place, rung in enumerate(made.rungs) if place != price]
    assert set(outlooks.table("rt-x", run.day)["model"].to_pylist()) == {"known", *rungs}


def test_before_their_publication_they_are_forecast(tmp_path: Path) -> None:
    _, rows, came = _forecasts(tmp_path, **{"settings.day_ahead_issue_local": "11:00"})
    error = np.abs(rows["mean"].to_numpy() - came)
    assert set(rows["model"].to_pylist()) == {"arima"}
    assert error.max() == pytest.approx(LARGEST_BEFORE_PUBLICATION, abs=0.002)


def test_a_day_with_known_prices_is_planned_and_settled(tmp_path: Path) -> None:
    outcome = tried(CASE, "day-ahead", tmp_path, PUBLISHED, "--json")
    assert outcome.code == 0, outcome.err


@pytest.mark.parametrize(("field", "value", "said"), [
    ("available_after_min", 30, "source 'market' has available_after_min beside published_local: two words on when a value was known"),
    ("known_at_column", "published", "source 'market' has known_at_column beside published_local: two words on when a value was known"),
    ("published_time_zone", "Brussels", "source 'market': published_time_zone 'Brussels' is no time zone"),
])
def test_two_words_on_publication_are_refused(tmp_path: Path, field: str, value: object, said: str) -> None:
    case = copied(CASE, tmp_path, PUBLISHED | {f"sources.market.mapping.{field}": value})
    outcome = typed(case, "case check")
    assert outcome.code == 2 and len(outcome.messages) == 1 and said in outcome.err
    change(case, {f"sources.market.mapping.{field}": None})
    assert typed(case, "case check").code == 0


def test_what_is_measured_is_not_published_ahead(tmp_path: Path) -> None:
    case = copied(CASE, tmp_path, {"sources.meters.mapping.published_local": "12:45"})
    outcome = typed(case, "case check")
    assert outcome.code == 2 and "source 'meters' publishes series 'load' ahead, which is measured (kind load)" in outcome.err
    lonely = copied(CASE, tmp_path / "lonely", {"sources.market.mapping.published_before_days": 2})
    outcome = typed(lonely, "case check")
    assert outcome.code == 2 and "source 'market' has published_before_days without published_local" in outcome.err
    change(lonely, {"sources.market.mapping.published_local": "12:45"})
    assert typed(lonely, "case check").code == 0


