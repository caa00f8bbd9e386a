"""From a Gaussian residual to mean, standard deviation and quantiles in the series' own units."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.forecast.models import Level, SeriesModels

Floats = NDArray[np.float64]

QUANTILES = (0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95)
# Standard normal quantiles of the above; written out so that a re-dispatch needs no scipy.
NORMAL_QUANTILES = np.array([-1.6448536269514722, -1.2815515655446004, -0.6744897501960817, 0.0,
                             0.6744897501960817, 1.2815515655446004, 1.6448536269514722])
NODES, NODE_WEIGHTS = np.polynomial.hermite_e.hermegauss(9)
NODE_WEIGHTS = NODE_WEIGHTS / NODE_WEIGHTS.sum()


@dataclass(frozen=True)
class Distribution:
    """Mean and sd (..., S); quantiles (7, ..., S)."""

    mean: Floats
    sd: Floats
    quantiles: Floats


def with_known(found: Distribution, known: Floats) -> Distribution:
    """Values that are known (..., S), NaN elsewhere, as their own forecast: exact, without spread.

    Way there and back through a transform would move them by a last bit, and a clip by more.
    """
    sure = np.isfinite(known)
    return Distribution(np.where(sure, known, found.mean), np.where(sure, 0.0, found.sd), np.where(sure, known, found.quantiles))


def distribution(models: SeriesModels, level: Level, mean: Floats, variance: Floats) -> Distribution:
    """Moments by Gauss-Hermite through the back-transform, quantiles directly: the transform is monotone.

    `mean` and `variance` (..., S) are of the standardised residual; a variance of 0 marks a known value.
    """
    spread = np.sqrt(variance * models.widen)
    first, second = np.zeros(mean.shape), np.zeros(mean.shape)
    for node, weight in zip(NODES, NODE_WEIGHTS, strict=True):
        value = models.restore(mean + node * spread, level)
        first += weight * value
        second += weight * value**2
    sd = np.sqrt(np.maximum(second - first**2, 0.0))
    quantiles = np.stack([models.restore(mean + z * spread, level) for z in NORMAL_QUANTILES])
    return Distribution(models.transforms.clip(first), sd, quantiles)
