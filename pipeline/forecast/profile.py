"""Recency-weighted profile per day type and slot: mean and standard deviation, vectorised over series."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.forecast.calendar import DAY_TYPES

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

HALF_LIFE_DAYS = {"pv": 7.0, "heat": 4.0, "load": 14.0, "wind": 14.0, "price": 28.0, "other": 14.0}
SPREAD_SLOTS_H = 1.0  # a standard deviation is smoothed over so many hours either side: eight Saturdays are few
SPREAD_PRIOR_DAYS = 4.0  # and leans on all day types as if so many days of them had been seen
REST_DAYS = 3  # a slot that had one value on so many days is at rest: the hour before a shop opens does not waver as the one after
SPREAD_MIN_SHARE = 0.05  # of the series' mean spread: a slot that never moved still has a scale


def recency_weights(starts: Ints, issued_at: int, half_life_days: Floats) -> Floats:
    """(S, T) weights 0.5 ** (age / half-life)."""
    age_days = (issued_at - starts) / 86400.0
    return np.asarray(0.5 ** (age_days[None, :] / half_life_days[:, None]))


def weighted_profile(z: Floats, bins: Ints, weights: Floats, slot_count: int) -> tuple[Floats, Floats]:
    """Mean and sd (S, day type, slot) of z (S, T); bins (S, T) = day type * slot_count + slot. NaN does not count.

    A day type or slot that was never seen borrows from all day types of its slot, then from the whole series.
    """
    count = len(z)
    known = np.isfinite(z)
    w, value = np.where(known, weights, 0.0), np.where(known, z, 0.0)
    shape = (count, DAY_TYPES, slot_count)
    flat = bins + (np.arange(count) * DAY_TYPES * slot_count)[:, None]

    def total(amount: Floats) -> Floats:
        return np.asarray(np.bincount(flat.ravel(), weights=amount.ravel(), minlength=int(np.prod(shape))), dtype=np.float64).reshape(shape)

    mass, summed = total(w), total(w * value)
    mean = _fill(mass, summed)
    error = value - mean.reshape(count, -1)[np.arange(count)[:, None], bins]
    spread = _spread(mass, total(w * error**2), slot_count, _at_rest(z, flat, shape))
    return mean, spread


def _at_rest(z: Floats, flat: Ints, shape: tuple[int, int, int]) -> NDArray[np.bool_]:
    """(S, day type, slot) that held one and the same value each time: a shop that is closed, a tariff that stands in a table."""
    low, high, count = np.full(shape, np.inf).ravel(), np.full(shape, -np.inf).ravel(), np.zeros(shape).ravel()
    known = np.isfinite(z)
    np.minimum.at(low, flat[known], z[known])
    np.maximum.at(high, flat[known], z[known])
    np.add.at(count, flat[known], 1)
    return np.asarray((low == high) & (count >= REST_DAYS)).reshape(shape)


def _fill(mass: Floats, summed: Floats) -> Floats:
    """Means with empty bins filled from wider pools."""
    pooled_mass, pooled = mass.sum(axis=1, keepdims=True), summed.sum(axis=1, keepdims=True)
    whole = pooled.sum(axis=2, keepdims=True) / np.maximum(pooled_mass.sum(axis=2, keepdims=True), 1e-300)
    by_slot = np.where(pooled_mass > 0, pooled / np.maximum(pooled_mass, 1e-300), whole)
    return np.where(mass > 0, summed / np.maximum(mass, 1e-300), by_slot)


def _spread(mass: Floats, squares: Floats, slot_count: int, at_rest: NDArray[np.bool_]) -> Floats:
    """Standard deviation per bin, smoothed over neighbouring slots and shrunk towards all day types; what is at rest keeps its own."""
    reach = max(1, round(SPREAD_SLOTS_H * slot_count / 24))
    smooth_mass, smooth = _circular(mass, reach), _circular(squares, reach)
    all_mass, all_squares = smooth_mass.sum(axis=1, keepdims=True), smooth.sum(axis=1, keepdims=True)
    pooled = all_squares / np.maximum(all_mass, 1e-300)
    prior = SPREAD_PRIOR_DAYS * (2 * reach + 1) * 0.5
    variance = (smooth + prior * pooled) / (smooth_mass + prior)
    floor = SPREAD_MIN_SHARE**2 * np.mean(pooled, axis=(1, 2), keepdims=True)
    return np.asarray(np.sqrt(np.maximum(np.where(at_rest, 0.0, variance), np.maximum(floor, 1e-12))))


def _circular(values: Floats, reach: int) -> Floats:
    """Moving sum over slots, round the clock."""
    return np.asarray(sum(np.roll(values, shift, axis=2) for shift in range(-reach, reach + 1)))


def effective_days(half_life_days: Floats, window_days: Floats, share: float = 5 / 7) -> Floats:
    """Effective number of days behind a profile mean: (sum w)^2 / sum w^2 of geometric weights."""
    ratio = 0.5 ** (1 / half_life_days)
    w1 = (1 - ratio**window_days) / (1 - ratio)
    w2 = (1 - ratio ** (2 * window_days)) / (1 - ratio**2)
    return np.asarray(np.maximum(1.0, share * w1**2 / w2))


def widening(days: Floats) -> Floats:
    """Factor on the variance of a residual, from the effective number of days behind its profile.

    Days that the profile was made of lie closer to it (1 - 1/n) than a day to come (1 + 1/n). And a spread that is itself known from n
    days makes Student's law of the Gaussian one: at its 5 and 95 % it is about 1 + 1/n times as wide (Cornish and Fisher's first term,
    (1 + 1.645^2) / 4n). Under three days say nothing of a spread.
    """
    share = 1 / np.maximum(days, 3.0)
    return np.asarray((1 + share) / (1 - share) * (1 + share) ** 2)
