"""In which position of its program a column, row or input stands, read from its name."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pipeline.program.linear_program import Indices

POSITION_FIRST = frozenset({"segment_kw"})  # indexed [t, i]; all others end in the position


def positions_of(names: Sequence[str]) -> Indices:
    """(n,) positions from 0; -1 for a name without one: `f01_ev.charge_kw[2,7]` -> 6, `b.terminal_short_kwh` -> -1."""
    return np.fromiter((_position(name) for name in names), dtype=np.int64, count=len(names))


def _position(name: str) -> int:
    cut = name.find("[")
    if cut < 0:
        return -1
    parts = name[cut + 1 : -1].split(",")
    at = parts[0] if name[name.find(".") + 1 : cut] in POSITION_FIRST else parts[-1]
    return int(at) - 1 if at.isdecimal() else -1
