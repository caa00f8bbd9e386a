"""What was known when: prices that are published ahead, on a case whose file of prices says nothing of its publication."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import datetime, time, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from pipeline.cases.load import load_case
from pipeline.cases.yaml_file import read_yaml
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


# ------------------------------------------------------------------ forecasts of others


def _told(folder: Path, changes: dict[str, object] | None = None) -> Path:
    """The case with a forecast of its load by others, a kilowatt too high, issued at 9:00 UTC of the day before."""
    case = copied(CASE, folder, PUBLISHED)
    rows = [line.split(",")[:2] for line in (case / "history.csv").read_text().splitlines()[1:]]
    days = [datetime.fromisoformat(stamp).date() - timedelta(days=1) for stamp, _ in rows]
    said = [f"{day.isoformat()}T09:00Z,{stamp},{float(load) + 1}" for day, (stamp, load) in zip(days, rows, strict=True)]
    (case / "told.csv").write_text("\n".join(["issued,time,kw", *said]) + "\n")
    mapping = {"time_column": "time", "issued_at_column": "issued", "columns": [{"column": "kw", "series": "load_told", "unit": "kW"}]}
    sources = [*read_yaml(case / "case.yaml").value["sources"], {"kind": "file", "id": "told", "path": "told.csv", "mapping": mapping}]
    change(case, {"given_forecasts": [{"id": "load_told", "kind": "load"}], "sources": sources,
                  "settings.forecast.given": {"load": "load_told"}} | (changes or {}))
    return case


def test_a_forecast_of_others_is_planned_with_and_nothing_of_its_future(tmp_path: Path) -> None:
    """Of every value a later version is absurd, issued a second after the issue time: the run is the same to the byte."""
    made = []
    for poisoned in (False, True):
        case = _told(tmp_path / str(poisoned))
        assert typed(case, "ingest").code == 0
        with at_home(case.parent / "home") as home:
            issued_at = load_case(case).day(load_case(case).default_date).at(time(14), days_before=1)
            if poisoned:
                with closing(sqlite3.connect(home.path / "warehouse.sqlite")) as sql, sql:
                    added = sql.execute("INSERT INTO observations SELECT series_id, valid_from, ?, 1000, 1e4, 0 FROM observations WHERE "
                                        "series_id = (SELECT series_id FROM series WHERE series = 'load_told')", (issued_at + 1,)).rowcount
                assert added > 2000
            run_id = forecast(open_day_ahead(request({"case": str(case)})))
            made.append((run_id, home.lake.read(run_id, "forecasts")))
    assert made[0][0] == made[1][0] and made[0][1].equals(made[1][1])
    rows = made[0][1].filter(pc.field("series") == "load").sort_by("step")
    assert set(rows["model"].to_pylist()) == {"given+arima"}


def test_a_forecast_of_others_that_ends_early_is_a_finding(tmp_path: Path) -> None:
    case = _told(tmp_path)
    told = (case / "told.csv").read_text().splitlines()
    noon = told.index(next(line for line in told if ",2024-06-12T10:00:00Z," in line))  # noon of the day, in Berlin
    (case / "told.csv").write_text("\n".join(told[:noon]) + "\n")
    outcome = typed(case, "day-ahead", "--json")
    assert outcome.code == 5, outcome.err
    said = {row["check"]: row["message"] for row in outcome.json["findings"] if row["severity"] == "warning"}
    assert said == {"given_forecast": "nothing was known for 48 of 96 quarter-hours: our own forecast of load stands in"}


@pytest.mark.parametrize(("changes", "said", "remedy"), [
    ({"sources.told.mapping.issued_at_column": None},
     "source 'told' does not say when the forecast 'load_told' was issued; give issued_at_column, or published_local where it comes at a "
     "fixed time", {"sources.told.mapping.published_local": "11:00"}),
    ({"sources.told.mapping.known_at_column": "issued"}, "source 'told' has known_at_column and issued_at_column: two words on when",
     {"sources.told.mapping.known_at_column": None}),
    ({"sources.meters.mapping.issued_at_column": "time"},
     "source 'meters' has issued_at_column and fills series 'load', which is no forecast",
     {"sources.meters.mapping.issued_at_column": None}),
    ({"settings.forecast.given": {"load": "load_tol"}},
     "the forecast of 'load' is to be 'load_tol', which is none of given_forecasts; did you mean 'load_told'?",
     {"settings.forecast.given": {"load": "load_told"}}),
    ({"settings.forecast.given": {"loud": "load_told"}}, "given names series 'loud', which the case lacks; did you mean 'load'?",
     {"settings.forecast.given": {"load": "load_told"}}),
    ({"settings.forecast.regressors": {"load": ["price"]}}, "series 'load' has a given forecast and regressors",
     {"settings.forecast.regressors": None}),
    ({"given_forecasts.load_told.resolution_min": 60},
     "forecast 'load_told' is in kW of 60 min, series 'load' in kW of 15 min; give it unit kW and resolution_min 15",
     {"given_forecasts.load_told.resolution_min": 15}),
    ({"sources.told.mapping.columns": [{"column": "kw", "series": "pv", "unit": "kW"}], "sources.told.mapping.issued_at_column": None},
     "no source delivers forecast 'load_told', which settings.forecast uses",
     {"settings.forecast.given": None}),
    ({"given_forecasts.load_told.id": "price"}, "the id 'price' is taken", {"given_forecasts.price.id": "load_told"}),
])
def test_a_mistake_about_forecasts_of_others_is_told_and_its_remedy_works(
    tmp_path: Path, changes: dict[str, object], said: str, remedy: dict[str, object],
) -> None:
    case = _told(tmp_path, changes)
    outcome = typed(case, "case check")
    assert outcome.code == 2 and said in outcome.err, outcome.err
    change(case, remedy)
    outcome = typed(case, "case check")
    assert outcome.code == 0, outcome.err


def test_the_residual_load_may_be_a_regressor(tmp_path: Path) -> None:
    case = _told(tmp_path, {"settings.forecast.regressors": {"price": ["residual_load", "load_told"]}})
    assert typed(case, "case check").code == 0
    change(case, {"settings.forecast.regressors": {"residual_load": ["load"]}})
    assert "the regressors name series 'residual_load', which the case lacks" in typed(case, "case check").err


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


