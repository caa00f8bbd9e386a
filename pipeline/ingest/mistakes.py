"""Collects the mistakes of one input: one cause is one message, with its first place, how often it is there and its last place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pipeline.core.errors import InputError, Mistake


@dataclass
class Cause:
    """One thing to be mended, wherever it was met. What shares a remedy shares a cause."""

    first: Mistake
    count: int = 1
    last: str = ""  # place of the last one, without the input's name
    columns: set[str] = field(default_factory=set)
    rows: set[int | None] = field(default_factory=set)  # the first and the last of every time it was met

    def worded(self) -> Mistake:
        """The first mistake, and how many like it there are."""
        if self.count == 1:
            return self.first
        if self.rows != {None} and len(self.rows) == 1 and self.count == len(self.columns):
            return Mistake(self.first.place, f"{self.first.message} (so in {self.count} columns of this row)", self.first.remedy)
        many = f"{self.count} of this kind"
        if len(self.columns) > 1:
            many += f" in {len(self.columns)} columns"
        return Mistake(self.first.place, f"{self.first.message} ({many}, the last in {self.last})", self.first.remedy)


@dataclass
class Mistakes:
    """Mistakes of one file or query. Rows are the source's own: the header of a CSV file is row 1."""

    name: str  # file name or query, the first word of every place
    causes: dict[str, Cause] = field(default_factory=dict)
    count: int = 0

    def add(self, message: str, remedy: str = "", *, row: int | None = None, column: str | None = None) -> None:
        """One mistake at a row and column, where it has them."""
        self._note(remedy, message, remedy, row, column, again=1)

    def add_rows(
        self, where: NDArray[np.intp], rows: NDArray[np.int64], say: Callable[[int], str], remedy: str, *, column: str | None
    ) -> None:
        """The same mistake at many positions; `say` words it for one position. Only the first is worded."""
        if not len(where):
            return
        self._note(remedy, say(int(where[0])), remedy, int(rows[where[0]]), column, again=0)
        cause = self.causes[remedy]
        cause.count += len(where)
        cause.last = _place(int(rows[where[-1]]), column)
        cause.rows.add(int(rows[where[-1]]))
        self.count += len(where)

    def _note(self, key: str, message: str, remedy: str, row: int | None, column: str | None, *, again: int) -> None:
        place = ", ".join(part for part in (self.name, _place(row, column)) if part)
        cause = self.causes.get(key)
        if cause is None or not key:  # without a remedy nobody can say that two have one cause
            cause = Cause(Mistake(place, message, remedy), count=0)
            self.causes[key or f"{place} {message}"] = cause
        cause.count += again
        self.count += again
        cause.last = _place(row, column) or cause.last
        cause.columns |= {column} if column is not None else set()
        cause.rows.add(row)

    def all(self) -> list[Mistake]:
        """One per cause, in the order in which they were met."""
        return [cause.worded() for cause in self.causes.values()]

    def raise_if_any(self) -> None:
        """Raises `InputError` with all of them."""
        if self.count:
            raise InputError(self.all())


def _place(row: int | None, column: str | None) -> str:
    return ", ".join(([] if row is None else [f"row {row}"]) + ([] if column is None else [f"column {column}"]))
