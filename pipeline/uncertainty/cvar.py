"""Mean and conditional value at risk of the dearest scenarios. Rockafellar and Uryasev, 2000."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from pipeline.program.linear_program import Floats
from pipeline.uncertainty.measure import Epigraph, weighted
from pipeline.uncertainty.refusals import check_share


@dataclass(frozen=True)
class MeanCvar:
    """(1 - aversion) x mean + aversion x mean of the dearest `tail_share` of the probability.

    Raises InputError unless 0 <= aversion_share <= 1 and 0 < tail_share <= 1.
    """

    aversion_share: float
    tail_share: float

    def __post_init__(self) -> None:
        check_share(self.aversion_share, "aversion_share", high=1.0)
        check_share(self.tail_share, "tail_share", high=1.0, above=True)

    def epigraph(self, weights: Floats) -> Epigraph:
        """eta is the value at risk, excess_s >= theta_s - eta: min eta + sum p excess / tail."""
        if self.aversion_share == 0.0:
            return weighted(weights)
        count = weights.size
        return Epigraph(
            cost=(1 - self.aversion_share) * weights,
            aux_cost=np.concatenate([[self.aversion_share], self.aversion_share * weights / self.tail_share]),
            aux_lower=np.concatenate([[-np.inf], np.zeros(count)]),
            rows=sp.csr_array(-np.eye(count)),
            aux_rows=sp.csr_array(sp.hstack([sp.csr_array(np.ones((count, 1))), sp.csr_array(np.eye(count))], format="csr")),
            aux_names=("measure.value_at_risk", *(f"measure.excess[{s + 1}]" for s in range(count))),
            row_names=tuple(f"measure.tail[{s + 1}]" for s in range(count)),
        )

    def law(self, costs: Floats, weights: Floats) -> Floats:
        """The tail is filled from the dearest scenario down; the last one takes what is left of it."""
        order = np.argsort(-costs, kind="stable")
        before = np.cumsum(weights[order]) - weights[order]
        tail = np.zeros(costs.size)
        tail[order] = np.clip(self.tail_share - before, 0.0, weights[order])
        law: Floats = (1 - self.aversion_share) * weights + self.aversion_share * tail / tail.sum()
        return law
