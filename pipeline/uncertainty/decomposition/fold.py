"""Smaller programs with the same answer: rows that are bounds, rows that cannot bind, and rows that only price a bound.

Written for warm solves: a solver's own presolve is lost with every change of a price.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp

from pipeline.program.linear_program import Floats, Indices
from pipeline.uncertainty.decomposition.family import Family, Mask, columns_of

SLACK = 1e-9  # share of a row's bound by which its activity may touch it and still be called redundant


def fold_bounds(family: Family) -> Family:
    """Rows of one entry become bounds of their column; rows without entries or bounds go. First-stage columns take the tightest."""
    length = np.diff(family.matrix.indptr)
    single = np.flatnonzero(length == 1)
    _, column, value = columns_of(single, family.matrix)
    with np.errstate(invalid="ignore"):
        low, high = family.row_lower[:, single] / value, family.row_upper[:, single] / value
    low, high = np.where(value > 0, low, high), np.where(value > 0, high, low)
    lower, upper = family.col_lower.copy(), family.col_upper.copy()
    for s in range(family.scenarios):
        np.maximum.at(lower[s], column, low[s])
        np.minimum.at(upper[s], column, high[s])
    shared = family.shared
    lower[:, shared], upper[:, shared] = lower[:, shared].max(axis=0), upper[:, shared].min(axis=0)
    bounded = (np.isfinite(family.row_lower) | np.isfinite(family.row_upper)).any(axis=0)
    empty_breaks = ((family.row_lower > 0) | (family.row_upper < 0)).any(axis=0)  # 0 >= 5 stays, to be found infeasible
    kept = bounded & ((length > 1) | ((length == 0) & empty_breaks))
    return replace(family.rows(kept), col_lower=lower, col_upper=upper)


def drop_redundant(family: Family) -> Family:
    """Rows that hold for every value of their columns in every scenario go."""
    positive, negative = family.matrix.maximum(0).tocsr(), family.matrix.minimum(0).tocsr()
    needed = np.zeros(family.matrix.shape[0], dtype=bool)
    for s in range(family.scenarios):
        least = _extreme(positive, negative, family.col_lower[s], family.col_upper[s], -np.inf)
        most = _extreme(positive, negative, family.col_upper[s], family.col_lower[s], np.inf)
        low, high = family.row_lower[s], family.row_upper[s]
        needed |= least < low - SLACK * (1 + np.abs(np.where(np.isfinite(low), low, 0)))
        needed |= most > high + SLACK * (1 + np.abs(np.where(np.isfinite(high), high, 0)))
    return family.rows(needed)


def _extreme(positive: sp.csr_array, negative: sp.csr_array, gains: Floats, losses: Floats, beyond: float) -> Floats:
    """Least or largest row sums within bounds; `beyond` where an unbounded column takes part."""
    total: Floats = np.zeros(positive.shape[0])
    for matrix, bound in ((positive, gains), (negative, losses)):
        finite = np.isfinite(bound)
        unbounded = abs(matrix) @ (~finite).astype(float) > 0
        total += np.where(unbounded, beyond, matrix @ np.where(finite, bound, 0.0))
    return total


@dataclass(frozen=True)
class Soft:
    """Columns that were split: value of `column` = its own + sum of sign x slack."""

    column: Indices
    slack: Indices
    sign: Floats
    into: sp.csr_array  # (n, n): rows M of the program before are M + M @ into

    def recover(self, x: Floats) -> Floats:
        """(S, n) columns of the program before the split."""
        whole = x.copy()
        np.add.at(whole.T, self.column, (self.sign * x[:, self.slack]).T)
        return whole


def soften(family: Family) -> tuple[Family, Soft]:
    """A row `a x + b slack >= l`, its slack (>= 0, in no other row) the price of x beyond a bound, becomes that bound:
    x = x' + sign slack with x' inside. Exact for a free x with one such row on each side, whatever the slack's upper bound:
    where both slacks are more than they need be, each can be lowered at no cost.
    """
    pairs = _soft_rows(family)
    if not pairs.rows.size:
        return family, Soft(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0), sp.csr_array((family.matrix.shape[1],) * 2))
    lower, upper = family.col_lower.copy(), family.col_upper.copy()
    limit = np.where(pairs.below, family.row_lower[:, pairs.rows], family.row_upper[:, pairs.rows]) / pairs.own
    low_side = pairs.below == (pairs.own > 0)
    lower[:, pairs.column[low_side]] = limit[:, low_side]
    upper[:, pairs.column[~low_side]] = limit[:, ~low_side]
    kept = np.ones(family.matrix.shape[0], dtype=bool)
    kept[pairs.rows] = False
    # own x + other slack = own x'  ->  x = x' - other / own slack
    shift = -pairs.other / pairs.own
    size = family.matrix.shape[1]
    into = sp.csr_array((shift, (pairs.column, pairs.slack)), shape=(size, size))
    matrix = family.matrix[kept]
    matrix = sp.csr_array(matrix + matrix @ into)
    whole = replace(family.rows(kept), matrix=matrix, col_lower=lower, col_upper=upper, cost=family.cost + family.cost @ into)
    return whole, Soft(pairs.column, pairs.slack, shift, into)


@dataclass(frozen=True)
class _Pairs:
    rows: Indices
    column: Indices
    slack: Indices
    own: Floats
    other: Floats
    below: Mask  # the row is bounded from below


def _soft_rows(family: Family) -> _Pairs:
    """Rows of a free column and a slack that only widens them, one per column and side."""
    matrix = family.matrix
    uses = np.bincount(matrix.indices, minlength=matrix.shape[1])
    free = np.isinf(family.col_lower).all(axis=0) & np.isinf(family.col_upper).all(axis=0) & ~family.shared
    slack = ((family.col_lower == 0) & (family.cost >= 0)).all(axis=0) & (uses == 1) & ~family.shared
    two = np.flatnonzero(np.diff(matrix.indptr) == 2)
    _, entries, values = columns_of(two, matrix)
    entries, values = entries.reshape(-1, 2), values.reshape(-1, 2)
    turned = slack[entries[:, 0]] & free[entries[:, 1]]
    entries[turned], values[turned] = entries[turned][:, ::-1], values[turned][:, ::-1]
    low, high = np.isfinite(family.row_lower[:, two]), np.isfinite(family.row_upper[:, two])
    below = np.asarray(low.all(axis=0) & ~high.any(axis=0))
    above = np.asarray(high.all(axis=0) & ~low.any(axis=0))
    widens = np.asarray(np.where(below, values[:, 1] > 0, values[:, 1] < 0), dtype=bool)
    good = free[entries[:, 0]] & slack[entries[:, 1]] & (below | above) & widens
    rows, entries, values, below = two[good], entries[good], values[good], below[good]
    side = (below == (values[:, 0] > 0)).astype(np.int64)
    # a column with two rows on one side keeps them all as rows
    key = 2 * entries[:, 0] + side
    _, place, number = np.unique(key, return_inverse=True, return_counts=True)
    once = number[place] == 1
    limit = np.where(below, family.row_lower[:, rows], family.row_upper[:, rows]) / values[:, 0]
    least, most = np.full((family.scenarios, matrix.shape[1]), -np.inf), np.full((family.scenarios, matrix.shape[1]), np.inf)
    least[:, entries[side == 1, 0]], most[:, entries[side == 0, 0]] = limit[:, side == 1], limit[:, side == 0]
    crossed = np.flatnonzero((least > most).any(axis=0))
    once &= ~np.isin(entries[:, 0], np.concatenate([entries[~once, 0], crossed]))
    return _Pairs(rows[once], entries[once, 0], entries[once, 1], values[once, 0], values[once, 1], below[once])
