"""Synthetic histories: expectation table x (1 + e), e ~ N(0, sigma^2) iid and truncated, or errors of a day that hang together.

Training days, then test days.
"""

from __future__ import annotations

from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from pipeline.cases.case import Case
from pipeline.cases.error_law import law_of_series, recentred
from pipeline.cases.sources import ErrorSampleSource, Series
from pipeline.core.clock import Instants, local_hour
from pipeline.core.errors import InputError, Mistake
from pipeline.core.ids import canonical_json, digest, seed_from
from pipeline.store.observations import ObservationBatch

HOUR_S = 3600
HOURS_MOST = 25  # of a delivery day
# Of errors that a matrix product made: kernels of other processors differ in its last bits, and what is known names runs and seeds draws.
ERROR_STEP = 1e-7


def truncated_errors(count: int, *, sigma: float, truncate_sd: float, seed: int) -> NDArray[np.float64]:
    """Standard normal draws within +-`truncate_sd`, times sigma; shape (count,). By rejection, so the law inside is untouched."""
    rng = np.random.default_rng(seed)
    draws = rng.standard_normal(count)
    outside = np.flatnonzero(np.abs(draws) > truncate_sd)
    while len(outside):
        draws[outside] = rng.standard_normal(len(outside))
        outside = outside[np.abs(draws[outside]) > truncate_sd]
    return sigma * draws


def sampled_series(case: Case) -> tuple[Series, ...]:
    """The series that have an expectation table."""
    return tuple(series for series in case.series if series.by_local_hour is not None)


def content_of(case: Case, source: ErrorSampleSource) -> str:
    """Hash of all that the samples depend on."""
    series = [entry.model_dump(mode="json") for entry in sampled_series(case)]
    own = source.model_dump(mode="json", exclude={"correlated"} if source.correlated is None else None)  # as before it could be said
    return digest(canonical_json([own, series, case.time_zone, case.day_start_local.isoformat()]))


def hours_of(case: Case, source: ErrorSampleSource) -> Instants:
    """Start of every hour of the training and test days, on the grid of the case's delivery days; shape (n,)."""
    first, days = source.first_day, source.training_days + source.test_days
    return np.arange(case.day(first).start, case.day(first + timedelta(days=days)).start, HOUR_S, dtype=np.int64)


def first_test_instant(case: Case, source: ErrorSampleSource) -> int:
    """Where the test days begin, UTC epoch seconds."""
    return case.day(source.first_day + timedelta(days=source.training_days)).start


def values_of(case: Case, source: ErrorSampleSource, series: Series) -> NDArray[np.float64]:
    """Hourly values of one series, shape (n,). Every series has noise of its own; an expectation of zero stays zero."""
    if series.by_local_hour is None:
        raise InputError(Mistake(f"series {series.id}", "has no expectation table to sample around", "give it by_local_hour"))
    hours = hours_of(case, source)
    seed = seed_from(source.id, series.id, str(source.seed))
    if source.correlated is None:
        errors = truncated_errors(len(hours), sigma=source.sigma, truncate_sd=source.truncate_sd, seed=seed)
    else:
        errors = _correlated_errors(case, source, series, seed=seed)
    return np.asarray(np.clip(np.array(series.by_local_hour)[local_hour(hours, case.time_zone)] * (1.0 + errors), *series.bounds))


def _correlated_errors(case: Case, source: ErrorSampleSource, series: Series, *, seed: int) -> NDArray[np.float64]:
    """Errors (n,) of one series that hang together over each day; those of the training days have mean zero at every local hour.

    In whole steps of ERROR_STEP, the same on every machine but for one that lies within its rounding of the next step.
    """
    law = law_of_series(source, (series,))
    days = source.training_days + source.test_days
    common = np.random.default_rng(seed_from(source.id, "common of the day", str(source.seed))).standard_normal(days)
    own = np.random.default_rng(seed).standard_normal((days, 1, HOURS_MOST))
    errors = law.of_normals(own, common)[:, 0]
    counts = [len(case.day(source.first_day + timedelta(days=day)).starts(60)) for day in range(days)]
    flat = np.concatenate([row[:count] for row, count in zip(errors, counts, strict=True)])
    hours = hours_of(case, source)
    trained, at = hours < first_test_instant(case, source), local_hour(hours, case.time_zone)
    low, high = (reach[0] for reach in law.reach(np.array([series.by_local_hour], dtype=np.float64)))
    for hour in range(24):
        rows = np.flatnonzero(trained & (at == hour))
        if rows.size:
            weights, edge = np.full(rows.size, 1 / rows.size), slice(hour, hour + 1)
            flat[rows] = recentred(flat[rows, None], weights, np.zeros(1), low=low[edge], high=high[edge])[:, 0]
    return np.asarray(ERROR_STEP * np.trunc(np.clip(flat, low[at], high[at]) / ERROR_STEP))


def batch_of(case: Case, source: ErrorSampleSource) -> ObservationBatch:
    """All samples, held over the parts of the hour where a series is finer. Raises `InputError` when no series has a table."""
    chosen = sampled_series(case)
    if not chosen:
        raise InputError(Mistake(f"source {source.id}", "no series of the case has an expectation table", "give the series by_local_hour"))
    coarse = [
        Mistake(f"series {series.id}", f"has {series.resolution_min} min, samples are hourly", "let resolution_min divide 60")
        for series in chosen
        if 60 % series.resolution_min
    ]
    if coarse:
        raise InputError(coarse)
    hours = hours_of(case, source)
    parts = [60 // series.resolution_min for series in chosen]
    starts = [(hours[:, None] + 60 * series.resolution_min * np.arange(part)).ravel() for series, part in zip(chosen, parts, strict=True)]
    values = [np.repeat(values_of(case, source, series), part) for series, part in zip(chosen, parts, strict=True)]
    known = [
        start + 60 * series.resolution_min + int(60 * source.available_after_min) for series, start in zip(chosen, starts, strict=True)
    ]
    return ObservationBatch(
        [series.id for series in chosen],
        np.repeat(np.arange(len(chosen), dtype=np.int32), [len(start) for start in starts]),
        np.concatenate(starts),
        np.concatenate(known),
        np.concatenate(values),
        np.zeros(sum(map(len, starts)), dtype=np.int16),
        [60 * series.resolution_min for series in chosen],
    )
