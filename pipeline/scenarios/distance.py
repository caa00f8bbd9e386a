"""Distances between scenarios (L1), nearest representatives and the transport distance W1 that follows from them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def l1(rows: Floats, others: Floats) -> Floats:
    """(N, M) sums of absolute differences."""
    from scipy.spatial.distance import cdist

    return np.asarray(cdist(rows, others, metric="cityblock"))


def nearest(rows: Floats, chosen: Ints) -> tuple[Ints, Floats]:
    """For each row the position in `chosen` of its nearest representative, and the distance; ties go to the first."""
    distances = l1(rows, rows[chosen])
    place = distances.argmin(axis=1)
    return place, distances[np.arange(len(rows)), place]


def nearest_weights(rows: Floats, chosen: Ints) -> Floats:
    """(K,) share of rows nearest to each representative: the weights that make W1 smallest."""
    place, _ = nearest(rows, chosen)
    return np.bincount(place, minlength=len(chosen)) / len(rows)


def single_link(rows: Floats, place: Ints, count: int) -> Floats:
    """(K, K) smallest L1 distance per coordinate between the members of two clusters; `place` (N,) is each row's cluster.

    rows: (N, F) normalised profiles, so that 1 is a deviation by the whole forecast in every coordinate. Book 003, (31).
    """
    apart = l1(rows, rows) / max(rows.shape[1], 1)
    found = np.array([[apart[np.ix_(place == one, place == other)].min() for other in range(count)] for one in range(count)])
    np.fill_diagonal(found, 0.0)
    return np.asarray((found + found.T) / 2)


def median_distance(rows: Floats) -> float:
    """Median L1 distance per coordinate over all pairs of rows (N, F); 0 for one row."""
    if len(rows) < 2:
        return 0.0
    pairs = l1(rows, rows)[np.triu_indices(len(rows), k=1)] / max(rows.shape[1], 1)
    return float(np.median(pairs))


def w1(rows: Floats, chosen: Ints) -> float:
    """Wasserstein-1 distance (L1 ground distance) of the full set to the representatives with nearest weights."""
    return float(nearest(rows, chosen)[1].mean())


def medoid(rows: Floats, members: Ints, weight: Floats | None = None) -> int:
    """Member with the smallest (weighted) sum of L1 distances to the others."""
    inside = rows[members]
    cost = l1(inside, inside) @ (np.ones(len(members)) if weight is None else weight[members])
    return int(members[int(cost.argmin())])
