"""Nightly fit: window, transform, profile, ARMA for every series of one resolution."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pipeline.cases.case import Case
from pipeline.cases.sources import Series
from pipeline.core.clock import local_seconds
from pipeline.forecast.arma_fit import PROFILE_ALONE, fit_residual, stack
from pipeline.forecast.calendar import WEEKLY, country_of, day_types, holiday_dates, slots
from pipeline.forecast.kalman import Arma
from pipeline.forecast.models import SeriesModels
from pipeline.forecast.profile import HALF_LIFE_DAYS, effective_days, recency_weights, weighted_profile, widening
from pipeline.forecast.transforms import choose

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ARIMA_MIN_DAYS = 14  # shorter histories: the profile alone
DAYLIGHT_SHARE = 0.004  # of capacity: a slot that never passes it in the last days is night
DAYLIGHT_DAYS = 21
STRANGE = 0.5  # of a series' range above its busiest Sunday: no holiday of the shipped series comes near
STANDARD_MOST = 8.0  # standard deviations: further out is a day of another kind, which no ARMA explains
LEVEL_HALF_LIFE_DAYS = 1.0
# Measured on the shipped series: load skill .40 -> .44, PV .08 -> .11, wind and price slightly worse.
LEVEL_SHARE = {"pv": 0.6, "heat": 0.6, "load": 0.6, "wind": 0.0, "price": 0.0, "other": 0.0}
CEILING_FACTOR = 1.1  # a PV slot may pass the best of the window by so much


def window_days(case: Case, series: Series) -> int:
    """Days of history that a series is fitted on."""
    forecast = case.settings.forecast
    return forecast.price_window_days if series.kind == "price" else forecast.window_days


def fit_models(case: Case, series: tuple[Series, ...], values: Floats, *, start: int, step_s: int, issued_at: int,
               arma: Arma | None = None) -> SeriesModels:
    """Models of `series` from values (S, T) on the grid from `start`; all values were known at `issued_at`.

    With `arma` given, only transforms and profiles are made (past origins of the scores).
    """
    starts = start + step_s * np.arange(values.shape[1], dtype=np.int64)
    kinds, slot_count = tuple(one.kind for one in series), 86400 // step_s
    country = country_of(case.time_zone, case.settings.forecast.holiday_country)
    holidays = holiday_dates(country, start, issued_at + 3 * 86400)
    values = _inside_window(case, series, values, starts, issued_at)
    transforms = choose(series, values)
    z = transforms.forward(values.T).T
    types = np.stack([day_types(starts, kind, case.time_zone, holidays) for kind in kinds])
    places = np.stack([slots(starts, kind, case.time_zone, step_s) for kind in kinds])
    half_life = np.array([HALF_LIFE_DAYS[kind] for kind in kinds])
    learnt = np.where(_strange_holidays(kinds, z, starts, case.time_zone, holidays), np.nan, z)
    mean, sd = weighted_profile(learnt, types * slot_count + places, recency_weights(starts, issued_at, half_life), slot_count)
    mean = mean + _recent_level(z, mean, sd, types * slot_count + places, starts, issued_at, kinds)
    active, ceiling = _daylight(kinds, values, places, starts, slot_count, transforms.scale)
    days = np.isfinite(values).sum(axis=1) * step_s / 86400
    models = SeriesModels(
        ids=tuple(one.id for one in series), kinds=kinds, units=tuple(one.unit for one in series), time_zone=case.time_zone,
        step_s=step_s, holiday_days=holidays, transforms=transforms, mean=mean, sd=sd, active=active, ceiling=ceiling,
        widen=widening(effective_days(half_life, np.maximum(days, 1.0))), arma=stack([PROFILE_ALONE] * len(series)),
        rungs=("profile",) * len(series))
    if arma is not None:
        return models.with_arma(arma, models.rungs)
    residual = np.clip(models.standardise(values.T, models.level(starts)).T, -STANDARD_MOST, STANDARD_MOST)
    return with_fitted_arma(models, residual, places, days, recency_weights(starts, issued_at, half_life), np.arange(len(series)))


def _strange_holidays(kinds: tuple[str, ...], z: Floats, starts: Ints, time_zone: str, holidays: Ints) -> NDArray[np.bool_]:
    """(S, T) holidays that teach nothing about Sundays: the series was busier on them than on any Sunday of a window that has some.

    A public holiday is forecast as a Sunday; a shop that opens all the same is no reason to expect it open on Sundays.
    """
    found = np.zeros(z.shape, dtype=np.bool_)
    days = local_seconds(starts, time_zone) // 86400
    feast, sunday = np.isin(days, holidays), (days + 3) % 7 == 6
    for s, kind in enumerate(kinds):
        if kind not in WEEKLY or not (feast & ~sunday).any():
            continue
        known = np.isfinite(z[s])
        most, wide = np.max(z[s][known & sunday], initial=-np.inf), STRANGE * float(np.ptp(z[s][known])) if known.any() else 0.0
        for day in np.unique(days[feast & ~sunday]):
            its = days == day
            found[s, its] = np.isfinite(most) and np.max(z[s][its & known], initial=-np.inf) > most + wide
    return found


def _recent_level(z: Floats, mean: Floats, sd: Floats, bins: Ints, starts: Ints, issued_at: int, kinds: tuple[str, ...]) -> Floats:
    """(S, 3, slots) shift of the profile: what the last days lay above or below it, all slots together.

    The profile per slot needs weeks, the level of a series moves in days: a cold spell, a week of rain.
    """
    each = np.arange(len(z))[:, None]
    flat_mean, flat_sd = mean.reshape(len(z), -1)[each, bins], sd.reshape(len(z), -1)[each, bins]
    residual = (z - flat_mean) / flat_sd
    weights = recency_weights(starts, issued_at, np.full(len(z), LEVEL_HALF_LIFE_DAYS))
    weights = np.where(np.isfinite(residual), weights, 0.0)
    level = (weights * np.nan_to_num(residual)).sum(axis=1) / np.maximum(weights.sum(axis=1), 1e-12)
    share = np.array([LEVEL_SHARE[kind] for kind in kinds])
    return np.asarray((share * level)[:, None, None] * sd)


def with_fitted_arma(models: SeriesModels, residual: Floats, places: Ints, days: Floats, weights: Floats, which: Ints) -> SeriesModels:
    """Fit the series `which` on their active slots: the night of a PV series is cut out, not filled. The others keep their ARMA.

    residual, places, weights: (S, T); days (S,) of history known.

    The variance is then scaled to the recent residuals: the window of a heat series reaches from winter into spring.
    """
    fits = []
    for s in which.tolist():
        if days[s] < ARIMA_MIN_DAYS:
            fits.append(PROFILE_ALONE)
            continue
        active = models.active[s][places[s]]
        fit = fit_residual(residual[s, active], steps_per_day=max(1, int(models.active[s].sum())))
        fits.append(replace(fit, variance=fit.variance * _recent_variance(residual[s, active], weights[s, active])))
    found, kept, rungs = stack(fits), models.arma, list(models.rungs)
    ar, ma, variance = kept.ar.copy(), kept.ma.copy(), kept.variance.copy()
    ar[which], ma[which], variance[which] = found.ar, found.ma, found.variance
    for s, fit in zip(which.tolist(), fits, strict=True):
        rungs[s] = fit.rung
    return models.with_arma(Arma(ar, ma, variance), tuple(rungs))


def _recent_variance(residual: Floats, weights: Floats) -> float:
    """Recency-weighted mean square of the residual over its plain mean square."""
    known = np.isfinite(residual)
    squares = residual[known] ** 2
    plain = float(squares.mean()) if squares.size else 0.0
    return float(np.average(squares, weights=weights[known])) / plain if plain > 0 else 1.0


def _inside_window(case: Case, series: tuple[Series, ...], values: Floats, starts: Ints, issued_at: int) -> Floats:
    """Values outside each series' own window do not count."""
    days = np.array([window_days(case, one) for one in series])
    return np.where(issued_at - starts[None, :] <= 86400 * days[:, None], values, np.nan)


def _daylight(kinds: tuple[str, ...], values: Floats, places: Ints, starts: Ints, slot_count: int,
              capacity: Floats) -> tuple[NDArray[np.bool_], Floats]:
    """Active slots and ceiling (S, slots). Only PV has a night."""
    active = np.ones((len(kinds), slot_count), dtype=np.bool_)
    ceiling = np.full((len(kinds), slot_count), np.inf)
    for s, kind in enumerate(kinds):
        if kind != "pv":
            continue
        known = np.isfinite(values[s])
        recent = known & (starts >= (starts[known][-1] if known.any() else 0) - DAYLIGHT_DAYS * 86400)
        best = np.zeros(slot_count)
        np.maximum.at(best, places[s][recent], values[s][recent])
        near = np.maximum(best, np.maximum(np.roll(best, 1), np.roll(best, -1)))
        active[s] = best > DAYLIGHT_SHARE * capacity[s]
        ceiling[s] = CEILING_FACTOR * near
    return active, ceiling

