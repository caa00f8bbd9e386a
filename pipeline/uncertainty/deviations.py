"""Budgeted deviations of inputs from a forecast: the set over which a robust treatment guards."""

from __future__ import annotations

from dataclasses import dataclass

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
