"""Self-organising map (MiniSom): neurons order the scenarios, medoids represent them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.scenarios.distance import medoid, nearest

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

PRESENTATIONS_PER_ROW = 20
SIGMA = 1.0
LEARNING_RATE = 0.5
REFINEMENTS = 2  # the map wins by squares, W1 counts absolute differences: a medoid of its own nearest rows is 1-3 % closer


@dataclass(frozen=True)
class Map:
    """Neuron of each row (N,), trained weights (neurons, F) and how many neurons never win."""

    winner: Ints
    weights: Floats
    dead: int


def grid_of(count: int) -> tuple[int, int]:
    """Most nearly square grid of `count` neurons: 7 -> 1x7, 10 -> 2x5, 15 -> 3x5."""
    rows = max(side for side in range(1, int(count**0.5) + 1) if count % side == 0)
    return rows, count // rows


def train(rows: Floats, count: int, *, seed: int, weight: Floats | None = None) -> Map:
    """Train on rows (N, F), each presented in proportion to its weight. `train_batch` is not batch training: not used."""
    from minisom import MiniSom

    height, width = grid_of(count)
    som = MiniSom(height, width, rows.shape[1], sigma=SIGMA, learning_rate=LEARNING_RATE, random_seed=seed % 2**32)
    if count > 1 and len(rows) > 1 and rows.shape[1] > 1:
        _start_on_components(som, rows)
    presented = rows if weight is None else rows[np.random.default_rng(seed).choice(len(rows), size=len(rows), p=weight / weight.sum())]
    som.train_random(presented, PRESENTATIONS_PER_ROW * len(rows))
    weights = np.asarray(som.get_weights(), dtype=np.float64).reshape(count, -1)
    winner = squared_distances(rows, weights).argmin(axis=1)
    return Map(winner, weights, count - len(np.unique(winner)))


def squared_distances(rows: Floats, weights: Floats) -> Floats:
    """(N, neurons) sum of squared differences of rows (N, F) and neurons (neurons, F): what decides who wins. Book 003, (36)."""
    return np.asarray((rows**2).sum(axis=1)[:, None] - 2 * rows @ weights.T + (weights**2).sum(axis=1)[None, :])


def merged(found: Map, count: int, weight: Floats) -> Ints:
    """Cluster (N,) of each row once the two living neurons nearest to each other were made one, again and again, until `count` are left.

    A merged neuron stands at the mean of what it is made of, by the weight (N,) of the rows that they won. Book 003, section 7.
    """
    living, place = np.unique(found.winner, return_inverse=True)
    mass = np.asarray(np.bincount(place, weights=weight), dtype=np.float64)
    return _joined(place, mass, found.weights[living], count,
                   apart=lambda _, centre: squared_distances(centre, centre),
                   union=lambda two, centre: (two[0] * centre[0] + two[1] * centre[1]) / (two[0] + two[1]))


def merged_by_cost(winner: Ints, count: int, weight: Floats, costs: Floats) -> Ints:
    """Cluster (N,) of each row once the two living neurons whose union costs least were made one, until `count` are left.

    costs: (N,) of meeting each row; infinite is allowed. A cluster stands with all its weight (N,) at its dearest row, so a union
    raises the mean cost by the weight of the cheaper cluster times the difference of the dearest rows. Fewer clusters are unions of
    more: the mean cost of what stands for them never falls when their number does.
    """
    place = np.unique(winner, return_inverse=True)[1]
    dear = np.array([costs[place == k].max() for k in range(int(place.max()) + 1)], dtype=np.float64)
    mass = np.asarray(np.bincount(place, weights=weight), dtype=np.float64)
    return _joined(place, mass, dear, count, apart=_rise, union=lambda _, dearest: dearest.max())


def _joined(place: Ints, mass: Floats, stand: Floats, count: int, *, apart: Callable[[Floats, Floats], Floats],
            union: Callable[[Floats, Floats], Floats]) -> Ints:
    """Cluster (N,) of each row once the two clusters least apart were made one, again and again, until `count` are left.

    mass (K,) and stand (K, ...): weight of each cluster and what stands for it. apart: (K, K) of both. union: what stands for two.
    """
    place, stand, mass = place.copy(), stand.copy(), mass.copy()
    while len(mass) > count:
        distance = apart(mass, stand)
        np.fill_diagonal(distance, np.inf)
        kept, lost = sorted(np.unravel_index(int(distance.argmin()), distance.shape))
        stand[kept] = union(mass[[kept, lost]], stand[[kept, lost]])
        mass[kept] += mass[lost]
        place[place == lost] = kept
        place[place > lost] -= 1
        stand, mass = np.delete(stand, lost, axis=0), np.delete(mass, lost)
    return np.asarray(place, dtype=np.int64)


def _rise(mass: Floats, dear: Floats) -> Floats:
    """(K, K) by how much the mean cost rises where two clusters of these weights and dearest costs become one."""
    with np.errstate(invalid="ignore"):  # two that nothing meets differ by nothing
        higher = np.nan_to_num(dear[None, :] - dear[:, None], nan=0.0, posinf=np.inf, neginf=-np.inf)
    return np.where(higher > 0, mass[:, None] * higher, mass[None, :] * -higher)


def _start_on_components(som: object, rows: Floats) -> None:
    """Neurons spread over the plane of the first two principal components (a line where the grid is one)."""
    centre = rows.mean(axis=0)
    _, spread, axes = np.linalg.svd(rows - centre, full_matrices=False)
    axes = axes * np.sign(axes[np.arange(len(axes)), np.abs(axes).argmax(axis=1)])[:, None]  # the sign of a component is arbitrary
    sd = spread / np.sqrt(len(rows))
    weights = som._weights  # type: ignore[attr-defined]  # MiniSom's own start scales by unit vectors and prints warnings
    height, width = weights.shape[:2]
    for i, c1 in enumerate(np.linspace(-1, 1, height) if height > 1 else [0.0]):
        for j, c2 in enumerate(np.linspace(-1.5, 1.5, width)):
            weights[i, j] = centre + c2 * sd[0] * axes[0] + (c1 * sd[1] * axes[1] if len(sd) > 1 else 0.0)


def som_medoids(rows: Floats, count: int, *, seed: int, weight: Floats | None = None, neurons: int | None = None) -> tuple[Ints, int]:
    """Medoid in L1 of each living neuron's rows (never the neuron's own weight vector), and the number of dead neurons.

    More `neurons` than `count` are merged until `count` are left: none of the clusters is empty then.
    """
    trained = train(rows, neurons or count, seed=seed, weight=weight)
    place = np.unique(trained.winner, return_inverse=True)[1]
    if neurons is not None:
        place = merged(trained, count, np.ones(len(rows)) if weight is None else weight)
    for _ in range(1 + REFINEMENTS):
        chosen = np.unique([medoid(rows, np.flatnonzero(place == k), weight) for k in np.unique(place)])
        place = nearest(rows, chosen)[0]
    return chosen.astype(np.int64), trained.dead
