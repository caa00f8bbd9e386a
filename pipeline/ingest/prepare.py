"""One unit from bytes to cleaned series. Touches the store for reading only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.cases.case import Case
from pipeline.cases.sources import FileSource, FolderSource, SqlSource
from pipeline.ingest.cleaning import Clean, clean
from pipeline.ingest.mistakes import Mistakes
from pipeline.ingest.points import Points, points_of
from pipeline.ingest.unit import Unit
from pipeline.store.warehouse import Warehouse

HISTORY_S = 28 * 86400  # stored values that tell what a series usually has
ReadSource = FileSource | FolderSource | SqlSource


@dataclass(frozen=True)
class Prepared:
    """What a unit holds, found to be good."""

    unit: Unit
    rows: int
    values: int  # numbers read
    cleaned: tuple[Clean, ...]
    notes: tuple[str, ...]


def prepare(case: Case, warehouse: Warehouse, source: ReadSource, unit: Unit, *, fresh: set[str], now: int) -> Prepared:
    """Reads and checks the whole unit. `fresh`: series of which nothing is stored. Raises `InputError` with every mistake."""
    table = unit.read()
    mistakes = Mistakes(unit.name)
    notes: list[str] = []
    whole = not isinstance(source, FolderSource)
    points = points_of(case, source.mapping, table, whole=whole, now=now, mistakes=mistakes, notes=notes)
    stored = {} if mistakes.count else _stored(case, warehouse, points, fresh=fresh, now=now)
    none, minutes = np.empty(0), source.mapping.resolution_min
    cleaned = tuple(
        clean(case, entry, resolution_min=minutes, history=stored.get(entry.target.series.id, none), mistakes=mistakes) for entry in points
    )
    mistakes.raise_if_any()
    values = sum(int((~np.isnan(entry.value)).sum()) for entry in points)
    return Prepared(unit, len(table), values, cleaned, tuple(notes))


def _stored(case: Case, warehouse: Warehouse, points: list[Points], *, fresh: set[str], now: int) -> dict[str, NDArray[np.float64]]:
    """Stored values of the four weeks before each known series' points, for the checks of unit and size."""
    known = [entry for entry in points if entry.target.series.id not in fresh and len(entry.start)]
    if not known:
        return {}
    first = min(int(entry.start.min()) for entry in known)
    names = [entry.target.series.id for entry in known]
    read = warehouse.observations(case.name, names, first - HISTORY_S, first, now).latest()
    return {name: read.value[read.series_index == index] for index, name in enumerate(read.series)}
