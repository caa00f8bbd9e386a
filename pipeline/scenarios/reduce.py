"""From many draws to a few weighted representatives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.cases.case import Case
from pipeline.core.clock import Instants
from pipeline.core.errors import InputError, Mistake
from pipeline.scenarios.distance import medoid, nearest, nearest_weights
from pipeline.scenarios.features import features
from pipeline.scenarios.moments import match_moments
from pipeline.scenarios.represent import Representative, adverse_envelope, cluster_means, worst_members
from pipeline.scenarios.sample import Sample, whole
from pipeline.scenarios.selection import backward, candidates, distances_between, fast_forward, k_medoids
from pipeline.scenarios.som import merged_by_cost, som_medoids, train

if TYPE_CHECKING:
    import pyarrow as pa

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Reducer = Literal["som", "k_medoids", "fast_forward", "backward", "two_step", "random"]

SPARE_NEURONS = 2  # neurons per cluster of a sample that a first step reduced
NEURONS = 30  # of a map whose neurons are merged by cost: as many whatever is asked for, so that fewer clusters are unions of more
TWO_STEP_SHARE = 0.2  # of the draws kept by the first step of the two-step scheme


@dataclass(frozen=True)
class Representatives:
    """values (K, S, T), weights (K,) summing to 1, all positive; `chosen`: rows of the draws; heaviest first.

    Where a representative is no draw (a mean, an envelope), `chosen` is the medoid of its cluster.
    """

    method: str
    values: Floats
    weights: Floats
    chosen: Ints
    dead_neurons: int = 0
    members: Ints | None = None  # rows of the sample, where the representatives are members of it

    def table(self, case: Case, starts: Instants, run_id: str) -> pa.Table:
        from pipeline.scenarios.publication import scenario_table

        return scenario_table(self, case, starts, run_id)


@dataclass(frozen=True)
class Clusters:
    """A sample in K parts, heaviest first. medoids (K,) and place (N,): rows of the sample, and the cluster of each of its rows."""

    method: str
    sample: Sample
    medoids: Ints
    place: Ints
    weights: Floats  # (K,)
    dead_neurons: int = 0


def reduce(draws: Floats, *, case: Case, method: Reducer = "som", count: int = 7, seed: int = 0, matched: bool = True) -> Representatives:
    """Representatives of draws (N, S, T): real draws chosen by what matters to the schedule, weights by nearest assignment.

    `matched` moves them to the full set's mean and spread per series and interval. Fewer than `count` come out where
    neurons died or draws coincide. NaN is refused.
    """
    clusters = cluster(whole(draws), case=case, method=method, count=count, seed=seed)
    return represent(clusters, case=case, draws=draws if matched else None)


def cluster(sample: Sample, *, case: Case, method: Reducer, count: int, seed: int, costs: Floats | None = None) -> Clusters:
    """At most `count` clusters by what matters to the schedule; a sample of no more draws than that is not clustered further.

    costs: (N,) of meeting each row of the sample, where the dearest member is to stand for its cluster: a map (`som`) is merged by them.
    """
    size = len(sample.values)
    if size < count:
        raise InputError(Mistake("scenario reduction", f"{count} representatives were asked of {size} draws",
                                 "draw more, or ask for fewer"))
    rows = features(case, sample.values)
    if sample.reduced and size == count:
        medoids, place, dead = np.arange(size), np.arange(size), 0
    elif costs is not None and method == "som":
        medoids, place, dead = _by_cost(rows, count, seed=seed, weight=sample.weights, costs=costs)
    else:
        medoids, dead = choose(rows, method=method, count=count, seed=seed, weight=sample.weights if sample.reduced else None)
        place = nearest(rows, medoids)[0]
    mass = np.asarray(np.bincount(place, minlength=len(medoids)) / size, dtype=np.float64)
    if sample.reduced:
        mass = np.asarray(np.bincount(place, weights=sample.weights, minlength=len(medoids)), dtype=np.float64)
    order = np.lexsort((medoids, -mass))
    order = order[mass[order] > 0]
    rank = np.full(len(medoids), -1)
    rank[order] = np.arange(len(order))
    return Clusters(method, sample, medoids[order], rank[place], mass[order], dead)


def _by_cost(rows: Floats, count: int, *, seed: int, weight: Floats, costs: Floats) -> tuple[Ints, Ints, int]:
    """Medoid (K,) of each cluster, cluster (N,) of each row, and the number of dead neurons. Rows are not moved to the nearest medoid
    afterwards: that would take clusters apart that fewer of them are unions of."""
    trained = train(rows, min(max(NEURONS, count), len(rows)), seed=seed, weight=weight)
    place = merged_by_cost(trained.winner, count, weight, costs)
    medoids = np.array([medoid(rows, np.flatnonzero(place == k), weight) for k in range(int(place.max()) + 1)], dtype=np.int64)
    return medoids, place, trained.dead


def represent(clusters: Clusters, *, case: Case, kind: Representative = "medoid", costs: Floats | None = None,
              box: tuple[Floats, Floats] | None = None, draws: Floats | None = None) -> Representatives:
    """What stands for each cluster, with the cluster's weight.

    costs: (N,) of meeting each row of the sample, for `worst_member`. box: for `adverse_envelope`. draws: all of them, to whose
    moments medoids are moved; the other kinds promise a bound and stay where they are.
    """
    sample = clusters.sample
    chosen = clusters.medoids
    if kind == "worst_member":
        chosen = worst_members(case, sample, clusters.place, costs)
    values = sample.values[chosen]
    if kind == "adverse_envelope":
        values = adverse_envelope(case, sample, clusters.place, box)
    elif kind == "mean":
        values = cluster_means(sample, clusters.place)
    elif kind == "medoid" and draws is not None and len(chosen) > 1:
        values = match_moments(values, clusters.weights, draws)
    weights = clusters.weights / clusters.weights.sum()
    members = chosen if kind in ("medoid", "worst_member") else None
    return Representatives(clusters.method, values, weights, sample.rows[chosen], clusters.dead_neurons, members)


def choose(rows: Floats, *, method: Reducer, count: int, seed: int, weight: Floats | None = None) -> tuple[Ints, int]:
    """Rows that represent the set, ascending, and the number of dead neurons.

    weight: (N,) of what a first step kept. The map learns from it, with neurons to spare; the other methods choose among the rows
    as they are.
    """
    if method == "som":
        return som_medoids(rows, count, seed=seed, weight=weight, neurons=None if weight is None else min(SPARE_NEURONS * count, len(rows)))
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
