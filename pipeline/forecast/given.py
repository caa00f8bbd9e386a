"""Forecasts that others make, in place of ours or as regressors: what had been issued when, and how far it was off.

A forecast of tonight is judged by those of past days with the same lead: the value of a past interval is the newest that had been issued
so long before its own day. Around it, the errors of those days make the profile, the ARMA and the draws, as deviations from our own
profile do elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.cases.case import Case
from pipeline.cases.sources import Series
from pipeline.core.clock import DeliveryDay
from pipeline.forecast.calendar import grid_start
from pipeline.forecast.fit import ARIMA_MIN_DAYS, STANDARD_MOST, with_fitted_arma
from pipeline.forecast.history import History, Rows, latest, taken
from pipeline.forecast.models import SeriesModels
from pipeline.forecast.profile import HALF_LIFE_DAYS, recency_weights, weighted_profile

Floats = NDArray[np.float64]
RUNG = "given"  # a forecast of others is followed; the rung of its errors comes behind


@dataclass(frozen=True)
class Told:
    """Values (T,) of one forecast of others on its own grid from `start`, NaN where nothing had been issued."""

    values: Floats
    start: int
    step_s: int


def as_issued(case: Case, given: History | None, *, start: int, issued_at: int, day: DeliveryDay) -> dict[str, Told]:
    """Every forecast of others from `start` to the end of the delivery day, as it had been issued with tonight's lead."""
    if given is None or not case.given_forecasts:
        return {}
    rows = with_lead(given, issued_at=issued_at, day=day)
    found = {}
    for one in case.given_forecasts:
        step_s = 60 * one.resolution_min
        first = grid_start(day.start, step_s, case.time_zone)
        first -= -(-(first - start) // step_s) * step_s
        values = latest(rows, (one.id,), start=first, step_s=step_s, count=-(-(day.end - first) // step_s), known_by=issued_at)
        found[one.id] = Told(values[0], first, step_s)
    return found


def with_lead(given: History, *, issued_at: int, day: DeliveryDay) -> Rows:
    """Versions that were known by `issued_at`, and of past days so many days earlier as they lie back."""
    days_back = np.minimum(0, (np.asarray(given.valid_from) - day.start) // 86400)
    limit = np.where(np.asarray(given.valid_from) >= issued_at, issued_at, issued_at + 86400 * days_back)
    return taken(given, np.asarray(given.known_at) <= limit)


def told_of(case: Case, series: tuple[Series, ...], told: dict[str, Told], *, start: int, count: int) -> Floats:
    """(S, count) forecasts that stand in place of ours for series of one resolution, on their grid from `start`; NaN where none does."""
    grid = np.full((len(series), count), np.nan)
    for place, one in enumerate(series):
        found = told.get(case.settings.forecast.given.get(one.id, ""))
        if found is not None:
            index = (start - found.start) // found.step_s + np.arange(count)
            inside = (index >= 0) & (index < len(found.values))
            grid[place] = np.where(inside, found.values[np.clip(index, 0, len(found.values) - 1)], np.nan)
    return grid


def follow(case: Case, series: tuple[Series, ...], models: SeriesModels, values: Floats, told: Floats, *, start: int, issued_at: int,
           first: int, past: SeriesModels | None = None) -> SeriesModels:
    """Models that follow the forecasts `told` (S, T) where these reach into the day, which begins at interval `first`.

    values (S, T): what was known. A fortnight of errors is needed to know them: before, ours is the spread. past: models that follow
    already, whose ARMA is kept (past origins of the scores).
    """
    reaches = np.asarray(np.isfinite(told[:, first:]).any(axis=1))
    if not reaches.any():
        return models
    starts = start + models.step_s * np.arange(values.shape[1], dtype=np.int64)
    told = np.where(reaches[:, None], told, np.nan)
    types, slots = models.bins(starts)
    error = models.transforms.forward(values.T).T - models.transforms.forward(told.T).T
    half_life = np.array([HALF_LIFE_DAYS[one.kind] for one in series])
    weights = recency_weights(starts, issued_at, half_life)
    bias, spread = weighted_profile(error, (types * models.slot_count + slots).T, weights, models.slot_count)
    days = np.isfinite(error).sum(axis=1) * models.step_s / 86400
    learnt = (days >= ARIMA_MIN_DAYS)[:, None, None]
    names = tuple(case.settings.forecast.given[one.id] if reach else "" for one, reach in zip(series, reaches, strict=True))
    models = replace(models, given=names, told=told.T, told_start=start, error_mean=np.where(learnt, bias, 0.0),
                     error_sd=np.where(learnt, spread, models.sd))
    if past is not None:
        return replace(models, arma=past.arma, rungs=past.rungs)
    residual = np.clip(models.standardise(values.T, models.level(starts)).T, -STANDARD_MOST, STANDARD_MOST)
    followed = np.flatnonzero(reaches)
    fitted = with_fitted_arma(models, residual, slots.T, days, weights, followed)
    return replace(fitted, rungs=tuple(f"{RUNG}+{rung}" if reach else rung for rung, reach in zip(fitted.rungs, reaches, strict=True)))
