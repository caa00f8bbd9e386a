"""How large the prices of rows can become: what a product of a price and a binary needs to be linear.

A price is held by the columns that could relieve its row: where shortage costs 90 and nothing limits it, no kW is worth more. Such
bounds follow from dual feasibility alone, A'y <= c for every column without an upper limit, by propagating intervals.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from pipeline.program.linear_program import Floats, Indices, LinearProgram, component_of

ROUNDS = 20
MARGIN = 0.95  # a provable price stands at this share of its bound, so that one at the bound always means too small a bound
STATED = 2.0  # times the largest provable bound, or the dearest cost, where nothing is provable
ROOM, LITTLE = 0.5, 0.05  # beyond the prices seen: shares of the side, and at least of the larger side
LIMIT = 0.99  # share of its bound that no price may exceed
WIDER = 10.0


@dataclass(frozen=True)
class DualBound:
    """Limits of the prices of one family of rows (the law that they state), as a worst-corner search assumed them.

    kind: `provable` from the costs of columns that relieve the rows; `stated`, a multiple of the dearest cost; `seen`, around
    the prices at all corners that were met. Stated and seen ones are widened while a price came near them. largest: the largest
    |price| at a worst corner.
    """

    family: str
    low: float
    high: float
    kind: Literal["provable", "stated", "seen"]
    largest: float = 0.0
    widened: int = 0

    def __str__(self) -> str:
        times = f", widened {self.widened} times" if self.kind != "provable" else ""
        return f"{self.family}: price from {self.low:g} to {self.high:g} ({self.kind}{times}), largest seen {self.largest:g}"

    def near(self, low: float, high: float) -> bool:
        """Whether prices from `low` to `high` pass 0.99 of a limit that is not provable."""
        edge = (1 - LIMIT) * max(abs(self.low), abs(self.high))
        return self.kind != "provable" and (low < self.low + edge or high > self.high - edge)

    def wider(self, factor: float) -> DualBound:
        """Both limits away from the middle by a factor, and never on the same side of 0."""
        middle, half = (self.low + self.high) / 2, (self.high - self.low) / 2 * factor
        return replace(self, low=min(middle - half, 0.0), high=max(middle + half, 0.0), widened=self.widened + 1)

    def narrowed(self, low: float, high: float, scale: float) -> DualBound:
        """Around seen prices, each side half as far again and some room beyond (`scale`: the largest of all families), if provable, inside.

        The room is small: it decides how long the search takes, and a price that needs more of it widens it.
        """
        room = max(LITTLE * max(abs(low), abs(high)), 0.01 * scale)
        low, high = low - max(ROOM * abs(low), room), high + max(ROOM * abs(high), room)
        if self.kind == "provable" and low <= self.low and high >= self.high:
            return self
        if self.kind == "provable":
            low, high = max(low, self.low), min(high, self.high)
        return replace(self, low=low, high=high, kind="seen")


def family_of(row_name: str) -> str:
    """`mg1.balance[3]` -> `balance`."""
    return component_of(row_name).split(".", 1)[-1]


def dual_intervals(program: LinearProgram, cost: Floats) -> tuple[Floats, Floats]:
    """Bounds (r,), (r,) that every price vector feasible for the dual at column costs (n,) keeps; infinite where none follows."""
    lower = np.where(np.isinf(program.row_upper), 0.0, -np.inf)
    upper = np.where(np.isinf(program.row_lower), 0.0, np.inf)
    entries = _one_sided(program, cost)
    for _ in range(ROUNDS):
        before = (lower.copy(), upper.copy())
        _propagate(entries, lower, upper)
        if np.array_equal(before[0], lower) and np.array_equal(before[1], upper):
            break
    return lower, upper


@dataclass(frozen=True)
class _Entries:
    """Entries of sum_i a_i y_i <= c, one constraint per column without a limit on one side (a negated one for the other side)."""

    row: Indices
    constraint: Indices
    value: Floats
    limit: Floats  # (constraints,)


def _one_sided(program: LinearProgram, cost: Floats) -> _Entries:
    unlimited, bottomless = np.flatnonzero(np.isinf(program.col_upper)), np.flatnonzero(np.isinf(program.col_lower))
    columns = sp.csc_array(program.matrix)
    both = sp.coo_array(sp.hstack([columns[:, unlimited], -columns[:, bottomless]], format="coo"))
    limit = np.concatenate([cost[unlimited], -cost[bottomless]])
    return _Entries(both.row.astype(np.int64), both.col.astype(np.int64), np.asarray(both.data, dtype=float), limit)


def _propagate(entries: _Entries, lower: Floats, upper: Floats) -> None:
    """One round: what the other entries leave of a constraint bounds each price in it."""
    least = np.where(entries.value > 0, entries.value * lower[entries.row], entries.value * upper[entries.row])
    open_ended: NDArray[np.bool_] = np.isinf(least)
    finite = np.where(open_ended, 0.0, least)
    count = entries.limit.size
    total = np.bincount(entries.constraint, finite, count)[entries.constraint] - finite
    others = np.bincount(entries.constraint, open_ended.astype(float), count)[entries.constraint] - open_ended
    known = others == 0
    reach = (entries.limit[entries.constraint] - total)[known] / entries.value[known]
    row, positive = entries.row[known], entries.value[known] > 0
    np.minimum.at(upper, row[positive], reach[positive])
    np.maximum.at(lower, row[~positive], reach[~positive])


def bounds_of(program: LinearProgram, cost: Floats, rows: Indices, intervals: tuple[Floats, Floats]) -> tuple[DualBound, ...]:
    """One bound per family among `rows`: provable where every row of the family has one, else stated."""
    size = np.maximum(np.abs(intervals[0]), np.abs(intervals[1]))
    found: dict[str, float] = {}
    for row in rows:
        family = family_of(program.row_names[row])
        found[family] = max(found.get(family, 0.0), float(size[row]))
    known = [bound for bound in found.values() if np.isfinite(bound)]
    stated = STATED * max([1.0, *known, float(np.abs(cost).max(initial=0.0))])
    bounds = []
    for family, bound in sorted(found.items()):
        most = max(bound, 1e-6) / MARGIN if np.isfinite(bound) else stated
        bounds.append(DualBound(family, -most, most, "provable" if np.isfinite(bound) else "stated"))
    return tuple(bounds)


class PriceBounds:
    """Bounds per family of the moved rows, and the prices seen so far."""

    def __init__(self, bounds: tuple[DualBound, ...], rows: Indices, family: Indices) -> None:
        self.bounds, self._rows, self._family = bounds, rows, family
        self._seen = (np.zeros(len(bounds)), np.zeros(len(bounds)))

    @staticmethod
    def of(program: LinearProgram, cost: Floats, rows: Indices, intervals: tuple[Floats, Floats]) -> PriceBounds:
        """Provable or stated ones, of a program at column costs (n,). rows: those that deviations move."""
        bounds = bounds_of(program, cost, rows, intervals)
        place = {bound.family: i for i, bound in enumerate(bounds)}
        return PriceBounds(bounds, rows, np.array([place[family_of(program.row_names[row])] for row in rows], dtype=np.int64))

    def saw(self, prices: Floats) -> None:
        """Prices (r,) at a corner."""
        low, high = self._range(prices)
        self._seen = (np.minimum(self._seen[0], low), np.maximum(self._seen[1], high))

    def narrow(self) -> None:
        """Every bound around the prices seen."""
        low, high = self._seen
        scale = max(high.max(initial=0.0), -low.min(initial=0.0))
        self.bounds = tuple(bound.narrowed(least, most, scale) for bound, least, most in zip(self.bounds, low, high, strict=True))

    def widen(self, prices: Floats, report: Callable[[str], None]) -> bool:
        """Records prices (r,) at a worst corner, and widens and reports the bounds that one came near. True where one did."""
        bounds, near = [], False
        for bound, least, most in zip(self.bounds, *self._range(prices), strict=True):
            kept = replace(bound, largest=max(bound.largest, abs(least), abs(most)))
            if bound.near(least, most):
                near, kept = True, kept.wider(WIDER)
                report(f"{bound.family}: prices from {least:g} to {most:g} come near {bound.low:g} or {bound.high:g}: widened")
            bounds.append(kept)
        self.bounds = tuple(bounds)
        return near

    def _range(self, prices: Floats) -> tuple[Floats, Floats]:
        """Least and largest price of each family, in the order of `bounds`; 0 belongs to every range."""
        low, high = np.zeros(len(self.bounds)), np.zeros(len(self.bounds))
        np.minimum.at(low, self._family, prices[self._rows])
        np.maximum.at(high, self._family, prices[self._rows])
        return low, high
