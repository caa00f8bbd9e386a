"""Forecast skill by the protocol of the targets, and how well and how fast scenarios are reduced."""

from __future__ import annotations

import os
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.bench import Row
from pipeline.bench.worker import at_least, at_most
from pipeline.cases.case import Case
from pipeline.cases.load import load_case
from pipeline.cases.sources import Series
from pipeline.core.shipped import DATA
from pipeline.forecast.evaluate import midnight_scores
from pipeline.store.observations import Observations

CASE = "networked_microgrids_66_simbench"
SKILL_TARGETS = {"load": 0.22, "wind": 0.28, "pv": 0.06, "heat": 0.10}
PER_KIND = 2  # series of each kind: the protocol takes a second per series and origin
STUDY_DATA = Path(__file__).resolve().parents[2] / ".." / "shared" / "data"


def _history(case: Case) -> Observations:
    """Everything of the case's sources, imported into a home that is thrown away."""
    from pipeline.ingest.run import ingest_case
    from pipeline.store.warehouse import Warehouse

    with tempfile.TemporaryDirectory() as folder:
        warehouse = Warehouse.open(folder)
        ingest_case(case, warehouse, now=int(time.time()), data_dir=DATA)
        found = warehouse.observations(case.name, tuple(series.id for series in case.series), 0, 2**40, 2**53)
        warehouse.close()
    return found


def _some(case: Case) -> tuple[str, ...]:
    chosen: dict[str, list[str]] = defaultdict(list)
    for series in case.series:
        if len(chosen[series.kind]) < PER_KIND:
            chosen[series.kind].append(series.id)
    return tuple(name for names in chosen.values() for name in names)


def forecast() -> list[Row]:
    """Skill against the better of daily and weekly naive, every 8th day from day 62, lead 0-24 h."""
    case = load_case(CASE)
    scores = midnight_scores(case, _history(case), series=_some(case))
    rows = []
    for name, found in scores.items():
        kind = case.series_by_id[name].kind
        figure = f"skill of {name} ({kind}), coverage of 90 %: {found['coverage_90']:.2f}"
        if kind in SKILL_TARGETS:
            rows.append(at_least("forecast", figure, found["skill"], "", SKILL_TARGETS[kind]))
        else:
            rows.append(Row("forecast", figure + ", synthetic", found["skill"], ""))
    return rows


def study_year() -> list[Row]:
    """The same on the real year beside the project, where it is present; reported only."""
    import pandas as pd

    folder = Path(os.environ.get("FEEDERFLOW_STUDY_DATA") or STUDY_DATA) / "study_year_default"
    if not folder.is_dir():
        return [Row("study_year", "study data are absent: nothing measured", 0.0, "")]
    quarters = pd.read_csv(folder / "real_time_15min.csv")
    hours = pd.read_csv(folder / "day_ahead_hourly.csv")
    columns = {"load_pu": ("load", "load"), "pv_pu": ("pv", "pv"), "wind_pu": ("wind", "wind")}
    case = load_case("tiny")
    parts, series = [], []
    for column, (name, kind) in columns.items():
        parts.append((quarters["timestamp"], quarters[column].to_numpy() * 1000.0, 15))
        series.append(Series(id=name, kind=kind, capacity_kw=1000.0 if kind in ("pv", "wind") else None))  # type: ignore[arg-type]
    parts.append((hours["timestamp"], hours["price_da_caiso_usd_mwh"].to_numpy() / 1000.0, 60))
    series.append(Series(id="price", kind="price", unit="USD/kWh", minimum=None, resolution_min=60))
    case = case.model_copy(update={"series": tuple(series), "time_zone": "Etc/GMT+8"})
    scores = midnight_scores(case, _as_observations(parts, series))
    return [
        Row("study_year", f"skill of {name}, coverage of 90 %: {found['coverage_90']:.2f}", found["skill"], "")
        for name, found in scores.items()
    ]


def _as_observations(parts: Sequence[tuple[Any, np.ndarray, int]], series: list[Series]) -> Observations:
    """Values with naive stamps of Etc/GMT+8 as observations that were known 15 minutes after their interval."""
    import pandas as pd

    stamps = [pd.to_datetime(pd.Series(times)).to_numpy().astype("datetime64[s]").astype(np.int64) + 8 * 3600 for times, _, _ in parts]
    steps = [60 * minutes for _, _, minutes in parts]
    valid = np.concatenate(stamps)
    step = np.concatenate([np.full(len(times), seconds) for times, seconds in zip(stamps, steps, strict=True)])
    return Observations(
        series=tuple(one.id for one in series), resolution_s=tuple(steps),
        series_index=np.concatenate([np.full(len(times), i, np.int32) for i, times in enumerate(stamps)]), valid_from=valid,
        known_at=valid + step + 900, ingest_seq=np.ones(len(valid), np.int64), value=np.concatenate([values for _, values, _ in parts]),
        quality=np.zeros(len(valid), np.int16),
    )


def reduction() -> list[Row]:
    """1000 draws to 15 and 10,000 to 10, and the distance to the best k-medoids."""
    from pipeline.forecast.day_ahead import forecast as make_forecast
    from pipeline.scenarios.generate import draw
    from pipeline.scenarios.quality import quality
    from pipeline.scenarios.reduce import reduce

    case = load_case(CASE)
    day = case.day(case.default_date)
    issued_at = day.at(case.settings.day_ahead_issue_local, days_before=1)
    history = _history(case).as_of(issued_at)
    found = make_forecast(case, history, issued_at=issued_at, day=day)
    rows = []
    for draws, count, limit_s in ((1000, 15, 5.0), (10_000, 10, 10.0)):
        drawn = draw(found, history, count=draws, seed=1)
        reduce(drawn[:200], case=case, count=5, seed=1)  # imports are not counted
        started = time.process_time()
        kept = reduce(drawn, case=case, count=count, seed=1)
        rows.append(at_most("reduction", f"{draws} to {count}", time.process_time() - started, "CPU s", limit_s))
        measures = quality(case, drawn, kept, seed=1)
        rows.append(at_most("reduction", f"{draws} to {count}: W1 over the best k-medoids", measures["w1_to_k_medoids"], "", 1.03))
        rows.append(at_most("reduction", f"{draws} to {count}: mean error", measures["mean_error_sd"], "sd", 0.02))
        ratio = measures["sd_ratio"]
        rows.append(Row("reduction", f"{draws} to {count}: sd ratio (target .9-1.1)", ratio, "", "", 0.9 <= ratio <= 1.1))
    return rows
