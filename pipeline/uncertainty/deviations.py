"""Budgeted deviations of inputs from a forecast: the set over which a robust treatment guards."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp

from pipeline.program.linear_program import Floats, Indices


@dataclass(frozen=True)
class Deviations:
    """u = centre + directions @ d,  low <= d <= high,  sum of |d| over each budget group <= its budget.

    m inputs, K deviations, G groups. A deviation is normalised: 1 is its half-width. One-sided ones have low 0 (a series then has
    an up and a down deviation per interval), two-sided ones low -1.
    """

    centre: Floats  # (m,)
    directions: sp.csr_array  # (m, K)
    low: Floats  # (K,)
    high: Floats  # (K,)
    slot: Indices  # (K,) position, from 0, in which it becomes known
    entity: Indices  # (K,) who sees it; -1: everybody
    group: Indices  # (K,) its budget group
    budget: Floats  # (G,)
    names: tuple[str, ...]  # (K,) `series[slot]+`, `series[slot]-`, or `series[slot]`
    entities: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        return int(self.directions.shape[1])

    def one_sided(self) -> Deviations:
        """The same inputs, each two-sided deviation as one up and one down within the same group: a rule may then answer them apart.

        Both at once are allowed and move nothing, so that the set of inputs stays what it was, and rules over it hold for it.
        """
        down = np.flatnonzero(self.low < 0)
        every = np.concatenate([np.arange(self.count), down])
        sign = np.concatenate([np.ones(self.count), -np.ones(down.size)])
        return replace(
            self, directions=sp.csr_array(self.directions[:, every] @ sp.diags_array(sign)), low=np.zeros(every.size),
            high=np.concatenate([self.high, -self.low[down]]), slot=self.slot[every], entity=self.entity[every],
            group=self.group[every], names=(*self.names, *(f"{self.names[k]}-" for k in down)))
