"""From many draws to a few weighted representatives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.cases.case import Case
from pipeline.core.clock import Instants
from pipeline.core.errors import InputError, Mistake
from pipeline.scenarios.distance import nearest_weights
from pipeline.scenarios.features import features
from pipeline.scenarios.moments import match_moments
from pipeline.scenarios.selection import backward, candidates, distances_between, fast_forward, k_medoids
from pipeline.scenarios.som import som_medoids

if TYPE_CHECKING:
    import pyarrow as pa

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Reducer = Literal["som", "k_medoids", "fast_forward", "backward", "two_step", "random"]

TWO_STEP_SHARE = 0.2  # of the draws kept by the first step of the two-step scheme


@dataclass(frozen=True)
class Representatives:
    """values (K, S, T), weights (K,) summing to 1, all positive; `chosen`: rows of the draws; heaviest first."""

    method: str
    values: Floats
    weights: Floats
    chosen: Ints
    dead_neurons: int = 0

    def table(self, case: Case, starts: Instants, run_id: str) -> pa.Table:
        from pipeline.scenarios.publication import scenario_table

        return scenario_table(self, case, starts, run_id)


def reduce(draws: Floats, *, case: Case, method: Reducer = "som", count: int = 7, seed: int = 0, matched: bool = True) -> Representatives:
    """Representatives of draws (N, S, T): real draws chosen by what matters to the schedule, weights by nearest assignment.

    `matched` moves them to the full set's mean and spread per series and interval. Fewer than `count` come out where
    neurons died or draws coincide. NaN is refused.
    """
    if len(draws) < count:
        raise InputError(Mistake("scenario reduction", f"{count} representatives were asked of {len(draws)} draws",
                                 "draw more, or ask for fewer"))
    rows = features(case, draws)
    chosen, dead = choose(rows, method=method, count=count, seed=seed)
    weights = nearest_weights(rows, chosen)
    chosen, weights = chosen[weights > 0], weights[weights > 0]
    order = np.lexsort((chosen, -weights))
    chosen, weights = chosen[order], weights[order]
    values = draws[chosen]
    if matched and len(chosen) > 1:
        values = match_moments(values, weights, draws)
    return Representatives(method, values, weights / weights.sum(), chosen, dead)


def choose(rows: Floats, *, method: Reducer, count: int, seed: int) -> tuple[Ints, int]:
    """Rows that represent the set, ascending, and the number of dead neurons."""
    if method == "som":
        return som_medoids(rows, count, seed=seed)
    if method == "two_step":
        return _two_step(rows, count, seed=seed)
    if method == "random":
        return np.sort(np.random.default_rng(seed).choice(len(rows), size=count, replace=False)), 0
    pool = candidates(len(rows), seed=seed)
    distances = distances_between(rows[pool])
    if method == "k_medoids":
        return pool[k_medoids(distances, count, seed=seed)], 0
    if method == "fast_forward":
        return pool[fast_forward(distances, count)], 0
    return pool[backward(distances, count)], 0


def _two_step(rows: Floats, count: int, *, seed: int) -> tuple[Ints, int]:
    """Fast forward to a fifth of the draws, then a map of those; their weights go into the map (the literal form, without, is worst)."""
    pool = candidates(len(rows), seed=seed)
    kept = pool[fast_forward(distances_between(rows[pool]), max(count, round(TWO_STEP_SHARE * len(pool))))]
    chosen, dead = som_medoids(rows[kept], count, seed=seed, weight=nearest_weights(rows, kept))
    return kept[chosen], dead
