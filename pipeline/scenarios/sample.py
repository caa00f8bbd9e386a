"""The weighted draws that a reduction starts from: all of them, or those that a first step kept."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.cases.case import Case
from pipeline.cases.error_law import recentred
from pipeline.scenarios.features import features
from pipeline.scenarios.probability import probability_distance_reduction

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Sample:
    """values (N, S, T), weights (N,) summing to one, and `rows` (N,) of the draws that they were. `reduced`: some were left out."""

    values: Floats
    weights: Floats
    rows: Ints
    reduced: bool = False


def whole(draws: Floats) -> Sample:
    """Every draw (N, S, T), equally likely."""
    return Sample(draws, np.full(len(draws), 1 / len(draws)), np.arange(len(draws)))


def pre_reduced(draws: Floats, *, case: Case, count: int | None) -> Sample:
    """The `count` draws that the first step keeps, moved to the mean of all draws: what follows is compared with the forecast.

    None, or more than there are: every draw, as it is.
    """
    if count is None or count >= len(draws):
        return whole(draws)
    rows, weights = probability_distance_reduction(features(case, draws), whole(draws).weights, count)
    weights = weights / weights.sum()
    values = recentred(draws[rows], weights, draws.mean(axis=0), low=draws.min(axis=0), high=draws.max(axis=0))
    return Sample(values, weights, rows, reduced=True)
