"""Collects every mistake of one input, lists the first ones and counts the rest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pipeline.core.errors import InputError, Mistake

LISTED = 20


@dataclass
class Mistakes:
    """Mistakes of one file or query. Rows are the source's own: the header of a CSV file is row 1."""

    name: str  # file name or query, the first word of every place
    listed: list[Mistake] = field(default_factory=list)
    count: int = 0

    def add(self, message: str, remedy: str = "", *, row: int | None = None, column: str | None = None) -> None:
        """One mistake at a row and column, where it has them."""
        self.count += 1
        if len(self.listed) < LISTED:
            parts = [self.name]
            if row is not None:
                parts.append(f"row {row}")
            if column is not None:
                parts.append(f"column {column}")
            self.listed.append(Mistake(", ".join(parts), message, remedy))

    def add_rows(self, where: NDArray[np.intp], rows: NDArray[np.int64], say: Callable[[int], str], remedy: str, *, column: str) -> None:
        """The same mistake at many positions; `say` words it for one position. Only what will be listed is worded."""
        room = max(LISTED - len(self.listed), 0)
        for position in where[:room]:
            self.add(say(int(position)), remedy, row=int(rows[position]), column=column)
        self.count += max(len(where) - room, 0)

    def all(self) -> list[Mistake]:
        """Those listed, and one that counts the rest."""
        more = self.count - len(self.listed)
        rest = [Mistake(self.name, f"and {more} more mistakes of this input", "mend those listed and import again")] if more else []
        return self.listed + rest

    def raise_if_any(self) -> None:
        """Raises `InputError` with all of them."""
        if self.count:
            raise InputError(self.all())
