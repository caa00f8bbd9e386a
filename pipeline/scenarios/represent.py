"""What stands for a cluster: its medoid, its mean, the member that is dearest to meet, or the worst of all members together.

`worst_member` and `adverse_envelope` promise that no member costs more, and `mean` that the members cost no less: none of them is
moved to the full set's moments afterwards. A medoid promises nothing and may be.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.cases.case import Case
from pipeline.cases.net_load import net_load
from pipeline.equipment import Demand, Source
from pipeline.scenarios.sample import Sample

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Representative = Literal["medoid", "worst_member", "adverse_envelope", "mean"]


def worst_members(case: Case, sample: Sample, place: Ints, costs: Floats | None = None) -> Ints:
    """(K,) row of each cluster's dearest member; `place` (N,): cluster of each row; `costs` (N,): of meeting each row.

    Without costs the largest daily net load stands in for them. Of equal ones the first.
    """
    dear = net_load(case, sample.values).sum(axis=1) if costs is None else costs
    return np.array([rows[int(dear[rows].argmax())] for rows in _members(place)], dtype=np.int64)


def adverse_envelope(case: Case, sample: Sample, place: Ints, box: tuple[Floats, Floats] | None = None) -> Floats:
    """(K, S, T): largest load and least renewable power of each cluster's members, interval by interval; means where neither is.

    box: lowest and highest values (S, T) that the errors' law admits.
    """
    direction = adverse_direction(case)[:, None]
    low, high = (-np.inf, np.inf) if box is None else box
    found = []
    for mean, rows in zip(cluster_means(sample, place), _members(place), strict=True):
        values = sample.values[rows]
        worst = np.where(direction > 0, values.max(axis=0), np.where(direction < 0, values.min(axis=0), mean))
        found.append(np.clip(worst, low, high))
    return np.array(found)


def cluster_means(sample: Sample, place: Ints) -> Floats:
    """(K, S, T) weighted mean of each cluster's members."""
    return np.array([np.average(sample.values[rows], axis=0, weights=sample.weights[rows]) for rows in _members(place)])


def departures_of(place: Ints, early: NDArray[np.int64], members: Ints | None) -> NDArray[np.int64]:
    """(K, A, slots) early departures that go with each representative, of those of the sample (N, A, slots).

    A member brings its own (`members`: (K,) rows of the sample). What is no member takes those of the cluster's member with the most
    early departures in all: no direction of them is adverse slot by slot. Book 003, section 11, condition (ii).
    """
    if members is None:
        total = early.sum(axis=(1, 2))
        members = np.array([rows[int(total[rows].argmax())] for rows in _members(place)], dtype=np.int64)
    return early[members]


def adverse_direction(case: Case) -> Floats:
    """(S,) +1 where more of a series is worse (what demands follow), -1 where less is (sources), 0 where neither is said."""
    found = {one.id: set[float]() for one in case.series}
    for device in case.devices:
        if isinstance(device, Demand | Source):
            sign = 1.0 if isinstance(device, Demand) else -1.0
            found[device.series].add(sign * float(np.sign(device.series_share)))
    return np.array([next(iter(signs)) if len(signs) == 1 else 0.0 for signs in found.values()])


def _members(place: Ints) -> list[Ints]:
    return [np.flatnonzero(place == k) for k in range(int(place.max()) + 1)]
