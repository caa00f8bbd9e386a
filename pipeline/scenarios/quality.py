"""How well the representatives stand for the drawn set, on the net load and per series."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pipeline.cases.case import Case
from pipeline.cases.net_load import net_load
from pipeline.scenarios.distance import nearest, w1
from pipeline.scenarios.features import features, hourly
from pipeline.scenarios.selection import candidates, distances_between, k_medoids

if TYPE_CHECKING:
    from pipeline.scenarios.reduce import Representatives

Floats = NDArray[np.float64]


def quality(case: Case, draws: Floats, found: Representatives, *, seed: int = 0) -> dict[str, float]:
    """Measures of one reduction. Ratios are representatives over full set; errors are in standard deviations of the full set."""
    rows = features(case, draws)
    pool = candidates(len(rows), seed=seed)
    best = pool[k_medoids(distances_between(rows[pool]), len(found.chosen), seed=seed)]
    distance = w1(rows, found.chosen)
    measures = {
        "w1": distance, "w1_to_k_medoids": distance / max(w1(rows, best), 1e-300), "representative_count": float(len(found.weights)),
        "dead_neurons": float(found.dead_neurons), "smallest_weight": float(found.weights.min()),
        "largest_distance": float(nearest(rows, found.chosen)[1].max()),
    }
    return measures | _shape(net_load(case, draws), net_load(case, found.values), found.weights) | _moments(draws, found)


def _moments(draws: Floats, found: Representatives) -> dict[str, float]:
    """Mean error and sd ratio over all series and intervals that vary."""
    mean, sd = draws.mean(axis=0), draws.std(axis=0)
    centre, spread = _weighted(found.values, found.weights)
    varies = sd > 1e-6 * (np.abs(draws).max(axis=(0, 2), keepdims=False)[:, None] + 1e-12)
    if not varies.any():
        return {"mean_error_sd": 0.0, "sd_ratio": 1.0}
    return {"mean_error_sd": float(np.mean(np.abs(centre - mean)[varies] / sd[varies])),
            "sd_ratio": float(np.mean(spread[varies] / sd[varies]))}


def _shape(full: Floats, kept: Floats, weights: Floats) -> dict[str, float]:
    """Net load, hourly: moments, ramps, peaks, daily sums and the extreme that is kept."""
    full, kept = hourly(full), hourly(kept)
    mean, sd = full.mean(axis=0), full.std(axis=0)
    centre, spread = _weighted(kept, weights)
    scale = float(np.sqrt(np.mean(sd**2))) or 1.0
    capacity = float(np.abs(full).max()) or 1.0

    def ratio(of: Floats | np.floating, to: Floats | np.floating | float) -> float:
        return float(of) / float(to) if float(to) else 1.0

    gap = float(np.abs(full - mean).max() - np.abs(kept - mean).max()) / capacity
    return {
        "net_mean_error_sd": float(np.mean(np.abs(centre - mean)) / scale), "net_sd_ratio": ratio(np.sqrt(np.mean(spread**2)), scale),
        "net_ramp_ratio": ratio(weights @ np.abs(np.diff(kept, axis=1)).mean(axis=1), np.abs(np.diff(full, axis=1)).mean()),
        "net_peak_ratio": ratio(weights @ kept.max(axis=1), full.max(axis=1).mean()),
        "net_day_sum_sd_ratio": ratio(_weighted(kept.sum(axis=1), weights)[1], full.sum(axis=1).std()),
        "extreme_gap_share": gap,
    }


def _weighted(values: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Weighted mean and standard deviation over the first axis."""
    centre = np.tensordot(weights, values, axes=1)
    return centre, np.sqrt(np.tensordot(weights, (values - centre) ** 2, axes=1))
