"""The forecast stage of a day-ahead run, and what it and the scenario stage wrote, as arrays."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from pipeline.cases.settings import Deterministic
from pipeline.core.clock import from_epoch
from pipeline.core.errors import InputError, Mistake
from pipeline.core.ids import canonical_json, digest, seed_from
from pipeline.forecast.day_ahead import DayAheadForecast
from pipeline.forecast.day_ahead import forecast as make_forecast
from pipeline.forecast.ev_connection import SLOTS
from pipeline.forecast.state import ForecastState
from pipeline.stages.failing import marks_failure
from pipeline.stages.gating import gate
from pipeline.stages.home import code_digest
from pipeline.stages.opening import Run, load_run
from pipeline.store.cache import ArrayCache
from pipeline.store.observations import extent


def _states(run: Run) -> ArrayCache:
    return ArrayCache(run.home.cache / "forecast_states")


def _key(run_id: str) -> str:
    """Models of another version of the code are made again, not read."""
    return f"{run_id}-{code_digest()[:12]}"


def forecast_of(run_id: str) -> DayAheadForecast:
    """The forecast of a day-ahead run, made once per process; the fitted models are kept for real time."""
    run = load_run(run_id)
    found = _forecast_of(_Asked(run, _forecast_key(run)))
    if _states(run).load(_key(run_id)) is None:
        _states(run).save(_key(run_id), found.state.to_arrays())
    return found


@dataclass(frozen=True)
class _Asked:
    """A run as its forecast sees it: runs of one day that differ in their treatment of uncertainty only are one."""

    run: Run = field(compare=False)
    key: tuple[str, ...]


def _forecast_key(run: Run) -> tuple[str, ...]:
    settings = run.case.settings.model_copy(update={"method": Deterministic(), "budgeted_prices": None})
    case = run.case.model_copy(update={"settings": settings})
    return (digest(canonical_json(case.model_dump(mode="json", exclude={"folder"}))), run.knowledge.digest, str(run.issued_at),
            run.record.delivery_date, code_digest(), str(run.home.path))


def seed_of(run: Run, purpose: str) -> int:
    """The same for every treatment of one day as it was known: what differs between them is then the treatment, not the draw."""
    named = run.record
    return seed_from(named.case, named.variant, named.delivery_date, str(run.issued_at), str(named.parameters["known"]), purpose)


@lru_cache(maxsize=2)
def _forecast_of(asked: _Asked) -> DayAheadForecast:
    run = asked.run
    refuse_unknown(run)
    return make_forecast(run.case, run.knowledge.history, issued_at=run.issued_at, day=run.day, given=run.knowledge.given)


def refuse_unknown(run: Run) -> None:
    """Raises InputError for every series of which nothing was known at the issue time, saying what is stored outside the window."""
    case, issued_at = run.case, run.issued_at
    if case.settings.forecast.model == "table":
        return
    newest = run.knowledge.history.as_of(issued_at).newest()
    missing = [series.id for series, end in zip(case.series, newest, strict=True) if end < 0]
    if not missing:
        return
    with run.home.warehouse.reading() as connection:
        stored = {name: extent(connection, case.name, name) for name in missing}
    raise InputError(_nothing_known(run, name, stored[name]) for name in missing)


def _nothing_known(run: Run, name: str, stored: tuple[int, int, int] | None) -> Mistake:
    place, what = f"case {run.case.name}, series {name}", "no observation was known at the issue time"
    if stored is None:
        return Mistake(place, what, "import its history (feederflow ingest), or set settings.forecast.model: table")
    start = int(run.record.parameters["history_start"])
    first, newest, known = stored
    said = f"{what}, {_utc(run.issued_at)}: what is stored begins at {_utc(first)} and ends at {_utc(newest)}"
    if newest <= start:
        return Mistake(place, f"{said}, before the window ({_utc(start)})", "import what came since, or take an earlier --date")
    if first >= run.issued_at:
        return Mistake(place, f"{said}, after it", "import what was before, or take a later --date")
    return Mistake(place, f"{said}, and the first of it became known at {_utc(known)}",
                   "take a later --date or --as-of; a history counts as known in time only in the first import of its series")


def _utc(seconds: int) -> str:
    return from_epoch(seconds).strftime("%Y-%m-%dT%H:%MZ")


def forecast_state(run_id: str) -> ForecastState:
    """Fitted models of a day-ahead run, from the cache, or made again where the cache was cleared."""
    stored = _states(load_run(run_id)).load(_key(run_id))
    return forecast_of(run_id).state if stored is None else ForecastState.from_arrays(stored[0])


@marks_failure
def forecast(run_id: str) -> str:
    """Forecast every series of the delivery day from what was known at the issue time."""
    run = load_run(run_id)
    found = forecast_of(run_id)
    tables = {"forecasts": found.table(run_id), "forecast_scores": found.score_table(run_id)}
    gate(run, tables)
    run.home.lake.write(run_id, tables)
    return run_id


def representatives(run: Run) -> tuple[np.ndarray, np.ndarray]:
    """Values (K, S, T) in the case's order of series, and weights (K,), as the scenario stage wrote them."""
    table = run.home.lake.read(run.record.run_id, "scenarios")
    order = {series.id: place for place, series in enumerate(run.case.series)}
    names = table["scenario"].to_pylist()
    count, steps = len(set(names)), run.day.steps()
    scenario = np.array([int(name) for name in names]) - 1
    series = np.array([order[name] for name in table["series"].to_pylist()])
    step = table["step"].to_numpy() - 1
    values, weights = np.full((count, len(order), steps), np.nan), np.zeros(count)
    values[scenario, series, step] = table["value"].to_numpy()
    weights[scenario] = table["weight"].to_numpy()
    return values, weights


def early_departures(run: Run, count: int) -> list[dict[str, np.ndarray]]:
    """Per representative, by aggregator the vehicles (24,) by slot due that leave early; empty where the scenario stage wrote none."""
    found: list[dict[str, np.ndarray]] = [{} for _ in range(count)]
    if "scenario_departures" not in run.home.lake.tables(run.record.run_id):
        return found
    table = run.home.lake.read(run.record.run_id, "scenario_departures")
    for row in table.to_pylist():
        slots = found[int(row["scenario"]) - 1].setdefault(row["aggregator"], np.zeros(SLOTS, dtype=np.int64))
        slots[row["due_step"] - 1] = row["early_count"]
    return found


def distances(run: Run) -> tuple[np.ndarray, float]:
    """(K, K) distances between the representatives, and the median one of the sample they stand for, as the scenario stage wrote them."""
    table = run.home.lake.read(run.record.run_id, "scenario_distances")
    one, other = (np.array([int(name) for name in table[column].to_pylist()]) - 1 for column in ("from_scenario", "to_scenario"))
    found = np.full((one.max() + 1, one.max() + 1), np.nan)
    found[one, other] = table["distance_share"].to_numpy()
    quality = run.home.lake.read(run.record.run_id, "scenario_quality")
    median = dict(zip(quality["measure"].to_pylist(), quality["value"].to_pylist(), strict=True))["median_distance"]
    return found, float(median)


def forecast_mean(run: Run) -> np.ndarray:
    """Mean forecast (S, T) in the case's order of series, as the forecast stage wrote it."""
    table = run.home.lake.read(run.record.run_id, "forecasts")
    order = {series.id: place for place, series in enumerate(run.case.series)}
    values = np.full((len(order), run.day.steps()), np.nan)
    series = np.array([order[name] for name in table["series"].to_pylist()])
    values[series, table["step"].to_numpy() - 1] = table["mean"].to_numpy()
    return values
