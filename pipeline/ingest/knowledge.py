"""When a value became known: a first import is history, everything later is live."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, time, timedelta

import numpy as np

from pipeline.cases.case import Case
from pipeline.cases.sources import Mapping
from pipeline.core.clock import DeliveryDay, Instants, local_seconds
from pipeline.core.ids import digest
from pipeline.ingest.cleaning import Clean
from pipeline.ingest.prepare import Prepared, ReadSource
from pipeline.store.observations import IngestedFile, ObservationBatch
from pipeline.store.warehouse import Warehouse

OPENED = "first import"


@dataclass(frozen=True)
class Timed:
    """A cleaned series with the moment each value became known, shape (n,)."""

    clean: Clean
    known_at: Instants


def timed(case: Case, entry: Clean, mapping: Mapping, *, now: int, history: bool) -> Timed:
    """History was known when it was published or available, or when its source says, and not after `now`; live data are known now."""
    if not history:
        return _newest(Timed(entry, np.full(len(entry.start), now, dtype=np.int64)))
    if entry.known_at is not None:
        return _newest(Timed(entry, np.minimum(entry.known_at, now)))
    if mapping.published_local is not None:
        return Timed(entry, np.minimum(published_at(case, mapping, entry.start), now))
    available = entry.start + 60 * entry.series.resolution_min + int(60 * mapping.available_after_min)
    return Timed(entry, np.minimum(available, now))


def _newest(entry: Timed) -> Timed:
    """Of several versions that become known at one moment the one that the source says was the last."""
    clean, said = entry.clean, entry.clean.known_at
    if said is None or len(said) < 2:
        return entry
    order = np.lexsort((said, entry.known_at, clean.start))
    start, known = clean.start[order], entry.known_at[order]
    kept = order[np.append((np.diff(start) != 0) | (np.diff(known) != 0), True)]
    return Timed(replace(clean, start=clean.start[kept], value=clean.value[kept], quality=clean.quality[kept], known_at=said[kept]),
                 entry.known_at[kept])


def published_at(case: Case, mapping: Mapping, starts: Instants) -> Instants:
    """When each value was published (n,), UTC epoch seconds: at `published_local` so many days before the day that holds it.

    The days are the case's delivery days, or those of the market's own zone from midnight to midnight: a market may close elsewhere.
    """
    assert mapping.published_local is not None
    zone = mapping.published_time_zone or case.time_zone
    begins = time(0) if mapping.published_time_zone else case.day_start_local
    begins_s = 3600 * begins.hour + 60 * begins.minute + begins.second
    days, which = np.unique((local_seconds(starts, zone) - begins_s) // 86400, return_inverse=True)
    held = [DeliveryDay(date(1970, 1, 1) + timedelta(days=int(day)), zone, begins) for day in days]
    moments = [day.at(mapping.published_local, mapping.published_before_days) for day in held]
    return np.array(moments, dtype=np.int64)[which]


def first_import(
    case: Case, warehouse: Warehouse, source: ReadSource, prepared: Sequence[Prepared], *, fresh: set[str], now: int
) -> set[str]:
    """Contents that belong to the first import of a source whose series were all unknown.

    A folder's first import has many transactions: it is written down before the first of them, so that a killed import
    goes on as a first import.
    """
    opened = {entry.unit.content: digest(OPENED, entry.unit.content) for entry in prepared}
    named = {entry.series for entry in source.mapping.columns} or {series.id for series in case.series}
    if len(prepared) < 2 or not named <= fresh:
        return {content for content, mark in opened.items() if warehouse.has_file(case.name, source.id, mark)}
    for entry in prepared:
        mark = opened[entry.unit.content]
        if not warehouse.has_file(case.name, source.id, mark):
            file = IngestedFile(f"{OPENED} of {entry.unit.name}", mark)
            warehouse.add_observations(case.name, batch_of([]), source=source.id, ingested_at=now, file=file)
    return set(opened)


def batch_of(entries: Sequence[Timed]) -> ObservationBatch:
    """The rows of all series of a unit."""
    count = np.arange(len(entries), dtype=np.int32)
    empty = np.empty(0, dtype=np.int64)
    return ObservationBatch(
        series=[entry.clean.series.id for entry in entries],
        series_index=np.repeat(count, [len(entry.known_at) for entry in entries]),
        valid_from=np.concatenate([empty, *(entry.clean.start for entry in entries)]),
        known_at=np.concatenate([empty, *(entry.known_at for entry in entries)]),
        value=np.concatenate([empty.astype(np.float64), *(entry.clean.value for entry in entries)]),
        quality=np.concatenate([empty.astype(np.int16), *(entry.clean.quality for entry in entries)]),
        resolution_s=[60 * entry.clean.series.resolution_min for entry in entries],
    )
