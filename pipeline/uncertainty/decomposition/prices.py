"""Points of the dual, pool rows, and what a master's solution says."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from pipeline.program.linear_program import Floats, Indices


@dataclass(frozen=True)
class PoolRows:
    """Rows lower <= W x <= upper of one scenario each, W (k, n) over the family's columns."""

    scenario: Indices
    matrix: sp.csr_array
    lower: Floats
    upper: Floats

    @property
    def count(self) -> int:
        return len(self.scenario)

    def joined(self, more: PoolRows) -> PoolRows:
        return PoolRows(np.concatenate([self.scenario, more.scenario]), sp.csr_array(sp.vstack([self.matrix, more.matrix], format="csr")),
                        np.concatenate([self.lower, more.lower]), np.concatenate([self.upper, more.upper]))


@dataclass(frozen=True)
class Prices:
    """A point of the dual: what any lower bound is made of."""

    rows: Floats  # (S per,) coupling and own rows
    pool: Floats  # (k,) pool rows; those that came later count 0
    law: Floats  # (S,) what one unit of a scenario's cost weighs
    measure: Floats  # (rows of the measure,)

    def mixed(self, other: Prices, share: float) -> Prices:
        """share x self + (1 - share) x other."""
        pool = np.zeros(max(self.pool.size, other.pool.size))
        pool[: self.pool.size] += share * self.pool
        pool[: other.pool.size] += (1 - share) * other.pool
        return Prices(share * self.rows + (1 - share) * other.rows, pool, share * self.law + (1 - share) * other.law,
                      share * self.measure + (1 - share) * other.measure)


@dataclass(frozen=True)
class Mixed:
    """A master's solution. `slack`: largest elastic violation."""

    objective: float
    prices: Prices
    mixture: Floats  # (B,) duals of the blocks' rows
    slack: float
    own: Floats  # (F,) own columns, parked ones included
    shares: Floats  # one per answer


def worth(dual: Floats, lower: Floats, upper: Floats) -> float:
    """What row bounds are worth at duals of the right sign."""
    bound = np.where(dual > 0, lower, upper)
    return float((dual * np.where(np.isfinite(bound), bound, 0.0))[dual != 0].sum())


def right_sign(dual: Floats, lower: Floats, upper: Floats) -> Floats:
    """Duals without those that push against a bound that is not there."""
    dual = np.where(np.isfinite(lower), dual, np.minimum(dual, 0.0))
    return np.where(np.isfinite(upper), dual, np.maximum(dual, 0.0))
