"""Rolling-origin evaluation: the protocol of the targets, and the same at a case's own issue time."""

from __future__ import annotations

from datetime import date, time

import numpy as np
from numpy.typing import NDArray

from pipeline.cases.case import Case
from pipeline.cases.sources import Series
from pipeline.core.clock import DeliveryDay, from_epoch
from pipeline.forecast.calendar import FOLLOWS_UTC
from pipeline.forecast.distribution import Distribution
from pipeline.forecast.fit import fit_models, window_days
from pipeline.forecast.history import History, latest
from pipeline.forecast.predict import predict
from pipeline.forecast.scores import Scores, naive_rows, one_day_change, score

Floats = NDArray[np.float64]

FIRST_DAY, EVERY_DAYS = 62, 8  # origins of the targets: every 8th day from day 62 of the history


def midnight_scores(case: Case, history: History, *, series: tuple[str, ...] = (), first_day: int = FIRST_DAY,
                    every_days: int = EVERY_DAYS, origins_max: int | None = None) -> dict[str, Scores]:
    """Scores per series over origins at midnight (local; UTC for PV and wind), leads 0-24 h, everything before the origin known.

    The history's whole span is used. `series` picks some; `origins_max` takes the first so many origins.
    """
    chosen = tuple(one for one in case.series if not series or one.id in series)
    found: dict[str, Scores] = {}
    for clock in (False, True):
        for minutes in sorted({one.resolution_min for one in chosen}):
            members = tuple(one for one in chosen if one.resolution_min == minutes and (one.kind in FOLLOWS_UTC) == clock)
            if members:
                zone = "UTC" if clock else case.time_zone
                found |= _group(case, members, history, zone=zone, days=(first_day, every_days, origins_max))
    return found


def _group(case: Case, series: tuple[Series, ...], history: History, *, zone: str, days: tuple[int, int, int | None]) -> dict[str, Scores]:
    step_s = 60 * series[0].resolution_min
    start, values = _whole(series, history, step_s)
    first_day, every, limit = days
    span_days = len(values) * step_s // 86400
    begin = DeliveryDay(_date_of(start), zone, time(0))
    parts: list[tuple[Floats, Distribution, Floats, Floats]] = []
    for number in list(range(first_day, span_days - 1, every))[:limit]:
        day = begin.shifted(number)
        parts.append(_origin(case, series, values, start=start, step_s=step_s, day=day))
    actual, daily, weekly = (np.concatenate([part[i] for part in parts]) for i in (0, 2, 3))
    pooled = Distribution(np.concatenate([part[1].mean for part in parts]), np.concatenate([part[1].sd for part in parts]),
                          np.concatenate([part[1].quantiles for part in parts], axis=1))
    scores = score(actual, pooled, daily, weekly, one_day_change(values, 86400 // step_s))
    return {one.id: found for one, found in zip(series, scores, strict=True)}


def _origin(case: Case, series: tuple[Series, ...], values: Floats, *, start: int, step_s: int,
            day: DeliveryDay) -> tuple[Floats, Distribution, Floats, Floats]:
    """What came, forecast, daily and weekly naive of one origin; all (n, S)."""
    longest = max(window_days(case, one) for one in series)
    low = max(0, (day.start - start) // step_s - longest * 86400 // step_s)
    at, end = (day.start - start) // step_s, (day.end - start) // step_s
    known = values[low:end].copy()
    known[at - low:] = np.nan
    models = fit_models(case, series, known.T, start=start + low * step_s, step_s=step_s, issued_at=day.start)
    found = predict(models, known, start=start + low * step_s, first=at - low)
    index = np.arange(at, end)
    naive = [naive_rows(values, index, at, 86400 // step_s, period) for period in (1, 7)]
    return values[at:end], found, naive[0], naive[1]


def _whole(series: tuple[Series, ...], history: History, step_s: int) -> tuple[int, Floats]:
    """First instant and all latest values (T, S) of the history."""
    members = np.isin(np.asarray(history.series_index), [history.series.index(one.id) for one in series])
    instants = np.asarray(history.valid_from)[members]
    start, end = int(instants.min()), int(instants.max()) + step_s
    values = latest(history, tuple(one.id for one in series), start=start, step_s=step_s, count=(end - start) // step_s,
                    known_by=np.iinfo(np.int64).max - 1)
    return start, values.T


def _date_of(instant: int) -> date:
    return from_epoch(instant + 43200).date()  # the history may start an hour before or after a UTC midnight
