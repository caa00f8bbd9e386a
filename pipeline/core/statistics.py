"""What a sample of days and scenarios says of the law behind it. Arrays in, numbers out.

A sample is (D, M): D days, M scenarios of each. Scenarios of one day share its weather, so that days, not scenarios, are what is
independent: an interval over D > 1 days is Student's over the D day means, which holds both sources of spread. Of a single day it
is Student's over its scenarios, and speaks of that day only. Cochran, Sampling Techniques, 1977, section 10.3 (two-stage sampling).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv, stdtrit

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """An estimate between `low` and `high`; NaN for an end that the sample says nothing of."""

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


def quantile_interval(sample: Floats, share: float, confidence_share: float = 0.95) -> Interval:
    """A quantile of (D, M), pooled, between the values at exact binomial limits of the share that lies below it.

    Days, not scenarios, are what is independent: the binomial counts as many values as would say as much of that share as the days do.
    An end is NaN where so few lie below all, or above all, of the sample too often: the largest of 50 values is below the 95 %
    quantile in 8 of 100 samples. Woodruff, Confidence Intervals for Medians, 1952; Korn and Graubard, Survey Methodology 24, 1998.
    """
    sample = _sample(sample)
    tail = 0.5 * (1 - confidence_share)
    value, count = quantile(sample, share), _independent_count(sample, share, tail)
    low_share = betaincinv(count * share, count * (1 - share) + 1, tail)
    high_share = betaincinv(count * share + 1, count * (1 - share), 1 - tail)
    return Interval(
        value,
        float(np.quantile(sample, low_share, method="lower")) if (1 - share) ** count <= tail else np.nan,
        float(np.quantile(sample, high_share, method="higher")) if share**count <= tail else np.nan,
    )


def _independent_count(sample: Floats, share: float, tail: float) -> float:
    """How many independent values would say as much of the share below the quantile as the days of (D, M) do; fewer for Student's."""
    days, count = len(sample), sample.size
    if days == 1:
        return count
    below = (sample <= quantile(sample, share)).mean(axis=1)
    variance = float(below.var(ddof=1)) / days
    independent = min(count, share * (1 - share) / variance) if variance > 0 else count
    return float(independent * (stdtrit(count - 1, 1 - tail) / stdtrit(days - 1, 1 - tail)) ** 2)


def _sample(sample: Floats) -> Floats:
    sample = np.atleast_2d(np.asarray(sample, dtype=float))
    if not sample.size or not np.isfinite(sample).all():
        raise ValueError(f"a sample of shape {sample.shape} is empty, or holds a value that is not finite")
    return sample
