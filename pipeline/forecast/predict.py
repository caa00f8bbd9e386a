"""One forecast of the series of one resolution from an array of what was known; nightly run, scores and evaluation share it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.forecast.distribution import Distribution, distribution, with_known
from pipeline.forecast.kalman import run_filter
from pipeline.forecast.models import SeriesModels

Floats = NDArray[np.float64]


def predict(models: SeriesModels, known: Floats, *, start: int, first: int) -> Distribution:
    """Distributions (T - first, S) of the intervals from `first` on, given known values (T, S), NaN where unknown.

    A value that is already known (a price published ahead) is its own forecast, with spread 0.
    """
    starts = start + models.step_s * np.arange(len(known), dtype=np.int64)
    level = models.level(starts)
    residual = models.standardise(known, level)
    filtered = run_filter(residual, models.arma, active=level.active)
    tail = slice(first, None)
    sure = np.isfinite(residual[tail])
    mean = np.where(sure, residual[tail], filtered.mean[tail])
    return with_known(distribution(models, level.part(tail), mean, np.where(sure, 0.0, filtered.variance[tail])), known[tail])
