"""What became of every row of a source, per series: nothing that was read vanishes uncounted."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray


class Fate(IntEnum):
    """What can become of a row that a series has in a source."""

    STORED = 0  # its value is the value of one interval of the series
    HELD = 1  # coarser than the series: its value holds over the parts of its interval
    AVERAGED = 2  # finer than the series: a part of a mean
    MERGED = 3  # says again what another row says, or an earlier version of what it says
    GAP = 4  # bears no value
    INCOMPLETE = 5  # finer than the series, and less than half of the interval is there
    UNMATCHED = 6  # a counter's reading without a next one in reach
    RESET = 7  # a counter's reading after which it began again, or one that cannot be true
    STRAY = 8  # off the grid, within an interval that has a value of its own


WORDS: dict[Fate, str] = {
    Fate.STORED: "stored, one value each",
    Fate.HELD: "held over the parts of their interval",
    Fate.AVERAGED: "averaged",
    Fate.MERGED: "merged with an equal or newer row",
    Fate.GAP: "without a value",
    Fate.INCOMPLETE: "in intervals of which less than half is there",
    Fate.STRAY: "off the grid beside the value of their interval, left out",
    Fate.UNMATCHED: "readings without a next one",
    Fate.RESET: "readings at which the counter began again",
}


@dataclass(frozen=True)
class Account:
    """The rows of one series in one source by what became of them; `values` is how many values they gave to the store."""

    series: str
    column: str
    rows: int
    fates: dict[str, int]  # lower-case name of a Fate -> rows; only those that occur
    values: int

    def __post_init__(self) -> None:
        if sum(self.fates.values()) != self.rows:
            raise AssertionError(f"{self.series}: {self.rows} rows were read and {sum(self.fates.values())} accounted for")


class Fates:
    """Collects the fate of each row of one series; the rows are counted from 0 as the series has them.

    What stands `beside` them comes from another source: it may have a fate, and no account is given of it.
    """

    def __init__(self, rows: int, *, beside: int = 0) -> None:
        self._every = np.full(rows + beside, -1, dtype=np.int8)
        self._of = self._every[:rows]

    def mark(self, rows: NDArray[np.intp], fate: Fate) -> None:
        """These rows ended so. A row has one fate."""
        if (self._every[rows] >= 0).any() or len(np.unique(rows)) != len(rows):
            raise AssertionError(f"rows are said to be {fate.name} that have another fate already")
        self._every[rows] = fate

    def account(self, series: str, column: str, values: int) -> Account:
        """The sums. Raises AssertionError where a row was lost on the way: a bug."""
        lost = int((self._of < 0).sum())
        if lost:
            raise AssertionError(f"{series}: {lost} of {len(self._of)} rows of {column} are unaccounted for")
        counts = np.bincount(self._of, minlength=len(Fate))
        return Account(series, column, len(self._of), {fate.name.lower(): int(counts[fate]) for fate in Fate if counts[fate]}, values)
