"""Moment matching: representatives moved and stretched, per series and interval, to the full set's mean and spread."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

ROUNDS = 8
STRETCH_MAX = 3.0  # a series that all representatives share by chance is not blown up further in one round


def match_moments(values: Floats, weights: Floats, draws: Floats) -> Floats:
    """Values (K, S, T) with the weighted mean and standard deviation of draws (N, S, T), clipped to the draws' range."""
    mean, sd = draws.mean(axis=0), draws.std(axis=0)
    low, high = draws.min(axis=0), draws.max(axis=0)
    w = weights[:, None, None]
    for _ in range(ROUNDS):  # clipping moves the moments, so a few rounds
        centre = (w * values).sum(axis=0)
        spread = np.sqrt((w * (values - centre) ** 2).sum(axis=0))
        stretch = np.where(spread > 1e-12 * (1 + sd), np.minimum(sd / np.maximum(spread, 1e-300), STRETCH_MAX), 1.0)
        values = np.clip(mean + (values - centre) * stretch, low, high)
    return values
