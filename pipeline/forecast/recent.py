"""Scores published with each run: forecasts of the last days as they would have been issued."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.cases.case import Case
from pipeline.cases.sources import Series
from pipeline.core.clock import DeliveryDay
from pipeline.forecast.calendar import grid_start
from pipeline.forecast.distribution import Distribution
from pipeline.forecast.fit import fit_models, window_days
from pipeline.forecast.given import Told, follow, told_of
from pipeline.forecast.models import SeriesModels
from pipeline.forecast.predict import predict
from pipeline.forecast.scores import Scores, naive_rows, one_day_change, score

Floats = NDArray[np.float64]

ORIGINS = 7
WARM_UP_DAYS = 4


def recent_scores(case: Case, models: SeriesModels, series: tuple[Series, ...], values: Floats, *, start: int, issued_at: int,
                  day: DeliveryDay, told: dict[str, Told] | None = None) -> dict[str, Scores]:
    """Per series, over the last 7 whole days known: issue time and leads as tonight's, the profile of each day's own past.

    Only the ARMA parameters are tonight's. told: forecasts of others, as issued with tonight's lead. values (S, T) on
    the grid from `start`. `fit_days`: days of history used;
    `flag_short_history`: 1 where that is less than the window asked for.
    """
    step_s, rows = models.step_s, values.T
    first_day = grid_start(day.start, step_s, case.time_zone)
    said = told_of(case, series, told or {}, start=start, count=values.shape[1])
    parts: list[tuple[Floats, Distribution, Floats, Floats]] = []
    for back in range(1, ORIGINS + 3):
        shift = back * 86400
        first, end = (first_day - start - shift) // step_s, (day.end - start - shift) // step_s
        if start + end * step_s > issued_at or first <= 0 or len(parts) == ORIGINS:
            continue
        parts.append(_origin(case, models, series, rows, said, start=start, issued_at=issued_at - shift, first=first, end=end))
    days = np.isfinite(values).sum(axis=1) * step_s / 86400
    reach = [_reach_days(values[s], start=start, step_s=step_s, issued_at=issued_at) for s in range(len(series))]
    flags = [{"fit_days": min(float(days[s]), float(window_days(case, one))),
              "flag_short_history": float(reach[s] < window_days(case, one) - 2)} for s, one in enumerate(series)]
    if not parts:
        return {one.id: flags[s] for s, one in enumerate(series)}
    actual, daily, weekly = (np.concatenate([part[i] for part in parts]) for i in (0, 2, 3))
    pooled = Distribution(np.concatenate([part[1].mean for part in parts]), np.concatenate([part[1].sd for part in parts]),
                          np.concatenate([part[1].quantiles for part in parts], axis=1))
    scores = score(actual, pooled, daily, weekly, one_day_change(rows, models.slot_count))
    return {one.id: scores[s] | flags[s] for s, one in enumerate(series)}


def _reach_days(values: Floats, *, start: int, step_s: int, issued_at: int) -> float:
    """How far the known values reach back from the issue time."""
    known = np.flatnonzero(np.isfinite(values))
    return (issued_at - start - int(known[0]) * step_s) / 86400 if known.size else 0.0


def _origin(case: Case, models: SeriesModels, series: tuple[Series, ...], rows: Floats, said: Floats, *, start: int, issued_at: int,
            first: int, end: int) -> tuple[Floats, Distribution, Floats, Floats]:
    """What came, forecast, daily and weekly naive (n, S) as if issued at a past time."""
    lag_s = 2 * models.step_s  # an interval is known a while after it ends
    last = max(1, (issued_at - lag_s - start) // models.step_s)
    known = rows[:end].copy()
    known[last:] = np.nan
    past = fit_models(case, series, known.T, start=start, step_s=models.step_s, issued_at=issued_at, arma=models.arma)
    if models.given:
        past = follow(case, series, past, known.T, said[:, :end], start=start, issued_at=issued_at, first=first, past=models)
    low = max(0, last - WARM_UP_DAYS * models.slot_count)
    found = predict(past, known[low:], start=start + low * models.step_s, first=first - low)
    index = np.arange(first, end)
    naive = [naive_rows(rows, index, last, models.slot_count, period) for period in (1, 7)]
    return rows[first:end], found, naive[0], naive[1]

