"""Worst law within a transport distance of the weights, on the scenarios' own support. Mohajerin Esfahani and Kuhn, 2018."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import scipy.sparse as sp

from pipeline.program.linear_program import Floats
from pipeline.uncertainty.measure import Epigraph, WorstCase, weighted
from pipeline.uncertainty.refusals import check_distance, check_share


@dataclass(frozen=True)
class Wasserstein:
    """max sum_j q_j cost_j  over q_j = sum_k pi_kj,  sum_j pi_kj = p_k,  sum_kj pi_kj d_kj <= radius,  pi >= 0.

    distance: (S, S), in the unit of `radius`; infinite radius: the worst scenario. Radius 0 is the expectation, even between scenarios
    at distance 0. Raises InputError for a negative or NaN radius and for distances that are none.
    """

    distance: Floats = field(repr=False)
    radius: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "distance", check_distance(self.distance))
        check_share(self.radius, "radius_share")

    def epigraph(self, weights: Floats) -> Epigraph:
        """The dual: min radius alpha + sum_k p_k beta_k  s.t.  beta_k + d_kj alpha >= theta_j,  alpha >= 0.

        alpha is scaled by the largest distance. From that radius on all mass may move anywhere: the worst scenario, in S rows.
        """
        count, widest = weights.size, float(self.distance.max())
        if self.radius == 0.0 or count == 1:
            return weighted(weights)
        if self.radius >= widest:
            return WorstCase().epigraph(weights)
        start, target = np.divmod(np.arange(count * count), count)
        every, ones = np.arange(count * count), np.ones(count * count)
        beta = sp.csr_array((ones, (every, 1 + start)), shape=(every.size, 1 + count))
        alpha = sp.csr_array((self.distance.ravel() / widest, (every, np.zeros_like(every))), shape=(every.size, 1 + count))
        alpha.eliminate_zeros()
        return Epigraph(
            cost=np.zeros(count), aux_cost=np.concatenate([[self.radius / widest], weights]),
            aux_lower=np.concatenate([[0.0], np.full(count, -np.inf)]),
            rows=sp.csr_array((-ones, (every, target)), shape=(every.size, count)), aux_rows=sp.csr_array(beta + alpha),
            aux_names=("measure.transport_price", *(f"measure.worst_reachable[{k + 1}]" for k in range(count))),
            row_names=tuple(f"measure.transport[{k + 1},{j + 1}]" for k, j in zip(start, target, strict=True)),
        )

    def law(self, costs: Floats, weights: Floats) -> Floats:
        """Exact, without a solver.

        Each k moves its mass along the upper concave hull of (d_kj, cost_j); the steps of all hulls are taken in the order of their
        slope until the radius is spent. This is the optimum of the transport program, whose only row over several k is the radius:
        at the slope where it is spent, every k stands at a maximiser of cost_j - slope x d_kj, and complementary slackness holds
        (linear multiple-choice knapsack; Sinha and Zoltners, 1979).
        """
        if self.radius == 0.0:
            return weights
        if self.radius >= self.distance.max():
            return WorstCase().law(costs, weights)
        law: Floats = weights.astype(float)
        steps: list[tuple[float, int, int, int]] = []
        for k in range(weights.size):
            hull = _hull(self.distance[k], costs, k)
            steps += [(-(costs[j] - costs[i]) / max(self.distance[k, j] - self.distance[k, i], 1e-300), k, i, j)
                      for i, j in pairwise(hull)]
        left = self.radius
        for _, k, i, j in sorted(steps, key=lambda step: (step[0], step[1])):
            length = self.distance[k, j] - self.distance[k, i]
            moved = min(weights[k], left / length) if length > 0 else weights[k]
            law[i] -= moved
            law[j] += moved
            left -= moved * length
            if moved < weights[k]:
                break
        np.maximum(law, 0.0, out=law)
        return law


def _hull(distance: Floats, costs: Floats, start: int) -> list[int]:
    """Scenarios on the rising part of the upper concave hull of (distance, cost) from `start` at distance 0, nearest first."""
    hull = [start]
    for j in np.lexsort((-costs, distance)):
        if costs[j] <= costs[hull[-1]]:
            continue
        while len(hull) > 1 and _slope(hull[-2], hull[-1], distance, costs) <= _slope(hull[-2], int(j), distance, costs):
            hull.pop()
        hull.append(int(j))
    return hull


def _slope(i: int, j: int, distance: Floats, costs: Floats) -> float:
    length = distance[j] - distance[i]
    return float((costs[j] - costs[i]) / length) if length > 0 else float("inf")
