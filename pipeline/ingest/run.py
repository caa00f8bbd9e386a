"""Imports all sources of a case. Every file or query is read and checked whole before its one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.cases.case import Case
from pipeline.cases.sources import AnySource, ErrorSampleSource, FileSource, FolderSource, Mapping, SessionSampleSource, SqlSource
from pipeline.core.clock import Instants, from_epoch
from pipeline.core.errors import InputError, Mistake
from pipeline.core.ids import digest
from pipeline.ingest import error_samples, ev_sessions, file, folder, sql
from pipeline.ingest.cleaning import Clean, clean
from pipeline.ingest.mistakes import Mistakes
from pipeline.ingest.points import Points, points_of
from pipeline.ingest.quality import Quality
from pipeline.ingest.receipt import IngestRefused, Receipt
from pipeline.ingest.unit import Unit
from pipeline.store.observations import IngestedFile, ObservationBatch
from pipeline.store.observations import Receipt as StoreReceipt
from pipeline.store.warehouse import Warehouse

HISTORY_S = 28 * 86400  # stored values that tell what a series usually has
OPENED = "first import"
REPAIRS = {
    Quality.SPIKE: "were spikes and became the line between their neighbours",
    Quality.SUSPECT: "look like spikes and were kept",
    Quality.CLIPPED: "lay a hair outside the plausible range and were moved to its edge",
    Quality.PARTIAL: "are means over incomplete intervals",
    Quality.REPEATED_HOUR: "bear stamps of a repeated hour, taken in order of appearance",
}


@dataclass
class Import:
    """What one call of `ingest_case` shares."""

    case: Case
    warehouse: Warehouse
    now: int
    data_dir: Path
    receipts: list[Receipt] = field(default_factory=list)
    mistakes: list[Mistake] = field(default_factory=list)

    def already(self, source: str, content: str) -> bool:
        return self.warehouse.has_file(self.case.name, source, content)


def ingest_case(
    case: Case, warehouse: Warehouse, *, now: int, data_dir: Path, sources: Sequence[str] | None = None, home: Path | None = None
) -> list[Receipt]:
    """Reads the sources of a case (or those named) into the warehouse; what was read before is skipped by its content.

    A refused file or query changes nothing; the others are still imported, and `IngestRefused` (an `InputError`) then
    carries every mistake and the receipts. `now`, UTC epoch seconds, is when live data and corrections become known.
    `home` is where a relative drop folder may also lie.
    """
    chosen = _chosen(case, sources)
    job = Import(case, warehouse, int(now), Path(data_dir))
    fresh = {series.id for series in case.series if not warehouse.has_series(case.name, series.id)}
    for source in chosen:
        try:
            _import(job, source, fresh, home)
        except InputError as error:
            job.mistakes += error.mistakes
    if job.mistakes:
        raise IngestRefused(job.mistakes, job.receipts)
    return job.receipts


def _chosen(case: Case, names: Sequence[str] | None) -> list[AnySource]:
    by_id = {source.id: source for source in case.sources}
    unknown = [name for name in names or () if name not in by_id]
    if unknown:
        raise InputError(
            [
                Mistake(f"source {name}", f"the case {case.name} has no such source", f"it has {', '.join(by_id) or 'none'}")
                for name in unknown
            ]
        )
    return [source for source in case.sources if names is None or source.id in names]


def _import(job: Import, source: AnySource, fresh: set[str], home: Path | None) -> None:
    if isinstance(source, ErrorSampleSource | SessionSampleSource):
        _import_samples(job, source)
        return
    if isinstance(source, FileSource):
        units = file.units(job.case, source, data_dir=job.data_dir)
    elif isinstance(source, FolderSource):
        units = folder.units(source, places=[place for place in (job.case.folder, home, job.data_dir) if place is not None])
    else:
        units = sql.units(source)
    pending = {unit.content: unit for unit in reversed(units) if not job.already(source.id, unit.content)}  # of copies, the first
    for unit in units:
        if pending.get(unit.content) is not unit:
            job.receipts.append(Receipt(source.id, unit.name, source.kind, unit.content, "already_imported"))
    chosen = [unit for unit in units if pending.get(unit.content) is unit]
    history = _history(job, source, chosen, fresh)
    for unit in chosen:
        try:
            job.receipts.append(_import_unit(job, source, unit, fresh=fresh, history=unit.content in history))
        except InputError as error:
            job.mistakes += error.mistakes


def _history(job: Import, source: FileSource | FolderSource | SqlSource, pending: list[Unit], fresh: set[str]) -> set[str]:
    """Contents that belong to the first import of a source whose series were all unknown. A folder's first import has many
    transactions: it is written down before the first of them, so that a killed import goes on as a first import."""
    opened = {unit.content: digest(OPENED, unit.content) for unit in pending}
    named = {entry.series for entry in source.mapping.columns} or {series.id for series in job.case.series}
    if len(pending) > 1 and named <= fresh:
        for unit in pending:
            if not job.already(source.id, opened[unit.content]):
                job.warehouse.add_observations(
                    job.case.name,
                    _batch([]),
                    source=source.id,
                    ingested_at=job.now,
                    file=IngestedFile(f"{OPENED} of {unit.name}", opened[unit.content]),
                )
        return set(opened)
    return {content for content, mark in opened.items() if job.already(source.id, mark)}


def _import_unit(job: Import, source: FileSource | FolderSource | SqlSource, unit: Unit, *, fresh: set[str], history: bool) -> Receipt:
    """Reads and checks all, then one transaction."""
    table = unit.read()
    mistakes = Mistakes(unit.name)
    notes: list[str] = []
    points = points_of(
        job.case, source.mapping, table, whole=not isinstance(source, FolderSource), now=job.now, mistakes=mistakes, notes=notes
    )
    stored = {} if mistakes.count else _stored(job, points, fresh)
    none = np.empty(0)
    cleaned = [
        clean(
            job.case,
            entry,
            resolution_min=source.mapping.resolution_min,
            history=stored.get(entry.target.series.id, none),
            mistakes=mistakes,
        )
        for entry in points
    ]
    mistakes.raise_if_any()
    timed = [_timed(entry, source.mapping, now=job.now, history=history or entry.series.id in fresh) for entry in cleaned]
    batch = _batch(timed)
    done = job.warehouse.add_observations(
        job.case.name, batch, source=source.id, ingested_at=job.now, file=IngestedFile(unit.name, unit.content)
    )
    read = sum(int((~np.isnan(entry.value)).sum()) for entry in points)
    return _receipt(
        source,
        unit.name,
        unit.content,
        done,
        starts=batch.valid_from,
        rows=len(table),
        values_read=read,
        gaps=sum(entry.gaps for entry in cleaned),
        flags=_flags(batch.quality),
        messages=(*notes, *_repairs(unit.name, batch)),
    )


def _stored(job: Import, points: list[Points], fresh: set[str]) -> dict[str, NDArray[np.float64]]:
    """Stored values of the four weeks before each known series' points, for the check of the unit."""
    known = [entry for entry in points if entry.target.series.id not in fresh and len(entry.start)]
    if not known:
        return {}
    first = min(int(entry.start.min()) for entry in known)
    read = job.warehouse.observations(
        job.case.name, [entry.target.series.id for entry in known], first - HISTORY_S, first, job.now
    ).latest()
    return {name: read.value[read.series_index == index] for index, name in enumerate(read.series)}


@dataclass(frozen=True)
class Timed:
    """A cleaned series with the moment each value became known, shape (n,)."""

    clean: Clean
    known_at: NDArray[np.int64]


def _timed(entry: Clean, mapping: Mapping, *, now: int, history: bool) -> Timed:
    """The first import of a history knows each value when it was available, or when its source says; live data are known now."""
    if not history:
        return Timed(entry, np.full(len(entry.start), now, dtype=np.int64))
    if entry.known_at is not None:
        return Timed(entry, entry.known_at)
    available = entry.start + 60 * entry.series.resolution_min + int(60 * mapping.available_after_min)
    return Timed(entry, np.minimum(available, now))


def _batch(entries: Sequence[Timed]) -> ObservationBatch:
    empty = np.empty(0, dtype=np.int64)
    return ObservationBatch(
        [entry.clean.series.id for entry in entries],
        np.repeat(np.arange(len(entries), dtype=np.int32), [len(entry.known_at) for entry in entries]),
        np.concatenate([empty, *(entry.clean.start for entry in entries)]),
        np.concatenate([empty, *(entry.known_at for entry in entries)]),
        np.concatenate([empty.astype(np.float64), *(entry.clean.value for entry in entries)]),
        np.concatenate([empty.astype(np.int16), *(entry.clean.quality for entry in entries)]),
        [60 * entry.clean.series.resolution_min for entry in entries],
    )


def _import_samples(job: Import, source: ErrorSampleSource | SessionSampleSource) -> None:
    """Synthetic sources. Their moments of knowledge are part of the sample."""
    name = f"{source.id} ({source.kind})"
    content = (
        error_samples.content_of(job.case, source) if isinstance(source, ErrorSampleSource) else ev_sessions.content_of(job.case, source)
    )
    if job.already(source.id, content):
        job.receipts.append(Receipt(source.id, name, source.kind, content, "already_imported"))
        return
    stamp = IngestedFile(name, content)
    if isinstance(source, ErrorSampleSource):
        batch = error_samples.batch_of(job.case, source)
        done = job.warehouse.add_observations(job.case.name, batch, source=source.id, ingested_at=job.now, file=stamp)
        starts = batch.valid_from
    else:
        sessions = ev_sessions.batch_of(job.case, source)
        done = job.warehouse.add_sessions(job.case.name, sessions, source=source.id, ingested_at=job.now, file=stamp)
        starts = sessions.arrival
    job.receipts.append(_receipt(source, name, content, done, starts=starts, rows=len(starts)))


def _receipt(source: AnySource, name: str, content: str, done: StoreReceipt, *, starts: Instants, rows: int, **more: Any) -> Receipt:
    span = {"first": int(starts.min()), "last": int(starts.max())} if len(starts) else {}
    return Receipt(
        source.id,
        name,
        source.kind,
        content,
        "imported",
        rows,
        rows_added=done.rows_added + done.versions_added,
        versions_added=done.versions_added,
        unchanged=done.unchanged,
        **({"values_read": rows} | span | more),
    )


def _repairs(name: str, batch: ObservationBatch) -> list[str]:
    """What was changed in values, for a person: the count, and where the first one is."""
    said = []
    for flag, words in REPAIRS.items():
        where = np.flatnonzero(batch.quality & flag)
        if len(where):
            start, series = from_epoch(int(batch.valid_from[where[0]])), batch.series[int(batch.series_index[where[0]])]
            said.append(f"{name}: {len(where)} values {words}, the first in {series} at {start:%Y-%m-%dT%H:%MZ}")
    return said


def _flags(quality: NDArray[np.int16]) -> dict[str, int]:
    return {flag.name.lower(): count for flag in Quality if flag and flag.name and (count := int((quality & flag != 0).sum()))}
