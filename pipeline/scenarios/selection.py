"""The methods that the map is compared with: k-medoids, Heitsch-Roemisch forward and backward, random.

Each works on the matrix of L1 distances between candidates; above `CANDIDATES_MAX` rows a seeded sample stands for them (the
weights are always those of the full set).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.scenarios.distance import l1

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CANDIDATES_MAX = 2000
RESTARTS = 10
ROUNDS_MAX = 50


def candidates(count: int, *, seed: int) -> Ints:
    """Rows to choose from: all, or a sample in ascending order."""
    if count <= CANDIDATES_MAX:
        return np.arange(count)
    return np.sort(np.random.default_rng(seed).choice(count, size=CANDIDATES_MAX, replace=False))


def k_medoids(distances: Floats, count: int, *, seed: int, restarts: int = RESTARTS) -> Ints:
    """Best of several starts spread by distance, alternating assignment and medoid, then single swaps."""
    rng = np.random.default_rng(seed)
    best, best_cost = np.arange(count), np.inf
    for _ in range(restarts):
        chosen = _alternate(distances, _spread_start(distances, count, rng))
        cost = float(distances[:, chosen].min(axis=1).mean())
        if cost < best_cost:
            best, best_cost = chosen, cost
    return np.sort(_swap(distances, best))


def _spread_start(distances: Floats, count: int, rng: np.random.Generator) -> Ints:
    chosen = [int(rng.integers(len(distances)))]
    while len(chosen) < count:
        gap = distances[:, chosen].min(axis=1)
        total = gap.sum()
        chance = gap / total if total > 0 else np.full(len(gap), 1 / len(gap))
        chosen.append(int(rng.choice(len(distances), p=chance)))
    return np.array(chosen)


def _alternate(distances: Floats, chosen: Ints) -> Ints:
    for _ in range(ROUNDS_MAX):
        place = distances[:, chosen].argmin(axis=1)
        moved = chosen.copy()
        for k in range(len(chosen)):
            members = np.flatnonzero(place == k)
            if members.size:
                moved[k] = members[distances[np.ix_(members, members)].sum(axis=0).argmin()]
        if np.array_equal(moved, chosen):
            break
        chosen = moved
    return chosen


def _swap(distances: Floats, chosen: Ints) -> Ints:
    """Swap one medoid for the best other row while that helps."""
    chosen = chosen.copy()
    for _ in range(ROUNDS_MAX):
        cost = distances[:, chosen].min(axis=1).mean()
        best = (cost * (1 - 1e-9), -1, -1)
        for k in range(len(chosen)):
            others = np.delete(chosen, k)
            kept = distances[:, others].min(axis=1) if others.size else np.full(len(distances), np.inf)
            costs = np.minimum(distances, kept[:, None]).mean(axis=0)
            if costs.min() < best[0]:
                best = (float(costs.min()), k, int(costs.argmin()))
        if best[1] < 0:
            break
        chosen[best[1]] = best[2]
    return chosen


def fast_forward(distances: Floats, count: int) -> Ints:
    """Fast forward selection: add the row that lowers the distance to the full set most. Heitsch and Roemisch, 2003."""
    gap = np.full(len(distances), np.inf)
    chosen: list[int] = []
    for _ in range(count):
        costs = np.minimum(distances, gap[:, None]).sum(axis=0)
        costs[chosen] = np.inf
        chosen.append(int(costs.argmin()))
        gap = np.minimum(gap, distances[:, chosen[-1]])
    return np.sort(np.array(chosen))


def backward(distances: Floats, count: int) -> Ints:
    """Backward reduction: drop the row whose mass is cheapest to move to its neighbour. Heitsch and Roemisch, 2003."""
    work = distances.copy()
    total = len(work)
    alive = np.ones(total, dtype=np.bool_)
    first, second, d1, d2 = _two_nearest(work, np.arange(total))
    while alive.sum() > count:
        loss = np.bincount(first, weights=d2 - d1, minlength=total)
        loss[~alive] = np.inf
        dropped = int(loss.argmin())
        alive[dropped] = False
        work[:, dropped] = np.inf
        touched = np.flatnonzero((first == dropped) | (second == dropped))
        first[touched], second[touched], d1[touched], d2[touched] = _two_nearest(work, touched)
    return np.flatnonzero(alive)


def _two_nearest(distances: Floats, rows: Ints) -> tuple[Ints, Ints, Floats, Floats]:
    part = distances[rows]
    two = np.argpartition(part, 1, axis=1)[:, :2]
    at = np.arange(len(rows))
    swap = part[at, two[:, 0]] > part[at, two[:, 1]]
    two[swap] = two[swap][:, ::-1]
    return two[:, 0], two[:, 1], part[at, two[:, 0]], part[at, two[:, 1]]


def distances_between(rows: Floats) -> Floats:
    """(N, N) L1 distances."""
    return l1(rows, rows)
