"""One unit from bytes to cleaned series. Touches the store for reading only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.cases.case import Case
from pipeline.cases.sources import FileSource, FolderSource, SqlSource
from pipeline.ingest.cleaning import Clean, clean
from pipeline.ingest.counters import Counters
from pipeline.ingest.mistakes import Mistakes
from pipeline.ingest.points import Points, points_of
from pipeline.ingest.spikes import MARGIN_S, WINDOW_S, Context
from pipeline.ingest.unit import Unit
from pipeline.store.warehouse import Warehouse

ReadSource = FileSource | FolderSource | SqlSource


@dataclass(frozen=True)
class Prepared:
    """What a unit holds, found to be good."""

    unit: Unit
    rows: int
    other_rows: int  # of a long table: rows of series that the case does not take
    values: int  # numbers read
    cleaned: tuple[Clean, ...]
    notes: tuple[str, ...]


def prepare(
    case: Case, warehouse: Warehouse, source: ReadSource, unit: Unit, *, fresh: set[str], counters: Counters, now: int
) -> Prepared:
    """Reads and checks the whole unit. Raises `InputError` with every mistake.

    fresh: series of which nothing is stored; counters: where those of other units of the source begin and end; this one's are added.
    """
    table = unit.read()
    mistakes = Mistakes(unit.name)
    notes: list[str] = []
    whole = not isinstance(source, FolderSource)
    points = points_of(case, source.mapping, table, whole=whole, now=now, mistakes=mistakes, notes=notes)
    stored = {} if mistakes.count else _stored(case, warehouse, points, fresh=fresh, now=now)
    cleaned = tuple(
        clean(case, entry, before=stored.get(entry.target.series.id, Context.empty()), mistakes=mistakes, beside=counters.beside(entry))
        for entry in points
    )
    mistakes.raise_if_any()
    counters.note(span for entry in cleaned for span in entry.spans)
    values = sum(int((~np.isnan(entry.value)).sum()) for entry in points)
    notes += [f"{unit.name}: {said}" for said in dict.fromkeys(said for entry in cleaned for said in entry.notes)]
    long = any(entry.target.where is not None for entry in points)
    others = len(table) - sum(len(entry.value) for entry in points) if long else 0
    return Prepared(unit, len(table), others, values, cleaned, tuple(notes))


def _stored(case: Case, warehouse: Warehouse, points: list[Points], *, fresh: set[str], now: int) -> dict[str, Context]:
    """Stored values before each known series' first point, for the checks of unit, size and spikes."""
    firsts = {
        entry.target.series.id: int(entry.start[valued].min())
        for entry in points
        if entry.target.series.id not in fresh and (valued := ~np.isnan(entry.value)).any()
    }
    if not firsts:
        return {}
    start, end = min(firsts.values()) - WINDOW_S - MARGIN_S, max(firsts.values())
    read = warehouse.observations(case.name, list(firsts), start, end, now).latest()
    found = {}
    for index, (name, first) in enumerate(firsts.items()):
        own = np.flatnonzero((read.series_index == index) & (read.valid_from < first) & (read.valid_from >= first - WINDOW_S - MARGIN_S))
        found[name] = Context(read.valid_from[own], read.value[own], read.quality[own])
    return found
