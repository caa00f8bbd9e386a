"""What a sample of days and scenarios says of the law behind it. Arrays in, numbers out; every draw is seeded.

A sample is (D, M): D days, M scenarios of each. Scenarios of one day share its weather, so that days, not scenarios, are what is
independent: an interval over D > 1 days is Student's over the D day means, which holds both sources of spread. Of a single day it
is Student's over its scenarios, and speaks of that day only. Cochran, Sampling Techniques, 1977, section 10.3 (two-stage sampling).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

Floats = NDArray[np.float64]

RESAMPLES = 1000


@dataclass(frozen=True)
class Interval:
    """An estimate between `low` and `high` (NaN where one value says nothing of its spread)."""

    value: float
    low: float
    high: float


def mean_interval(sample: Floats, confidence_share: float = 0.95) -> Interval:
    """Mean of (D, M) and its confidence interval."""
    sample = _sample(sample)
    units = sample.mean(axis=1) if len(sample) > 1 else sample[0]
    value = float(sample.mean())
    if units.size < 2:
        return Interval(value, np.nan, np.nan)
    half = float(stdtrit(units.size - 1, 0.5 + 0.5 * confidence_share)) * float(units.std(ddof=1)) / np.sqrt(units.size)
    return Interval(value, value - half, value + half)


def quantile(sample: Floats, share: float) -> float:
    """The value below which `share` of the sample lies; between two values linear (Hyndman and Fan, type 7)."""
    return float(np.quantile(_sample(sample), share))


def quantile_interval(sample: Floats, share: float, confidence_share: float = 0.95, *, seed: int, resamples: int = RESAMPLES) -> Interval:
    """A quantile of (D, M), pooled, with the percentile interval of a bootstrap that draws days, and then scenarios of each."""
    sample = _sample(sample)
    days, count = sample.shape
    value = quantile(sample, share)
    if sample.size < 2:
        return Interval(value, np.nan, np.nan)
    rng = np.random.default_rng(seed)
    found = np.empty(resamples)
    for k in range(resamples):
        day = np.atleast_1d(rng.integers(days, size=days))
        found[k] = np.quantile(sample[day[:, None], rng.integers(count, size=(days, count))], share)
    tail = 0.5 * (1 - confidence_share)
    low, high = np.quantile(found, [tail, 1 - tail])
    return Interval(value, float(low), float(high))


def _sample(sample: Floats) -> Floats:
    sample = np.atleast_2d(np.asarray(sample, dtype=float))
    if not sample.size or not np.isfinite(sample).all():
        raise ValueError(f"a sample of shape {sample.shape} is empty, or holds a value that is not finite")
    return sample
