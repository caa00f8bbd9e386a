"""First step of a reduction in two: draws too close to tell apart become one, and their probability stays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def probability_distance_reduction(rows: Floats, weights: Floats, count: int) -> tuple[Ints, Floats]:
    """Kept rows of (N, F), ascending, and their weights (count,), which sum to what `weights` (N,) sum to.

    Again and again the closest pair (Euclidean) loses its lighter row, and its weight goes to the other; of equal ones the later
    row goes. Book 003, (34)-(35).
    """
    from scipy.spatial.distance import cdist

    distances = np.asarray(cdist(rows, rows))
    np.fill_diagonal(distances, np.inf)
    mass = np.array(weights, dtype=np.float64)
    near = distances.argmin(axis=1)
    gap = distances[np.arange(len(rows)), near]
    alive = np.ones(len(rows), dtype=np.bool_)
    for _ in range(len(rows) - count):
        one = int(gap.argmin())
        other = int(near[one])
        lost, heir = (one, other) if (mass[one], -one) < (mass[other], -other) else (other, one)
        mass[heir] += mass[lost]
        alive[lost] = False
        distances[lost], distances[:, lost], gap[lost] = np.inf, np.inf, np.inf
        touched = np.flatnonzero(alive & (near == lost))
        near[touched] = distances[touched].argmin(axis=1)
        gap[touched] = distances[touched, near[touched]]
    kept = np.flatnonzero(alive)
    return kept, mass[kept]
