"""Imports all sources of a case. Every file or query is read and checked whole before its one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.cases.case import Case
from pipeline.cases.sources import (
    AnySource,
    ErrorSampleSource,
    FileSource,
    FolderSource,
    SessionFileSource,
    SessionSampleSource,
    StateSource,
)
from pipeline.core.clock import Instants, from_epoch
from pipeline.core.errors import InputError, Mistake
from pipeline.ingest import error_samples, ev_sessions, file, folder, session_file, sql, state_file
from pipeline.ingest.counters import Counters
from pipeline.ingest.knowledge import batch_of, first_import, timed
from pipeline.ingest.prepare import Prepared, ReadSource, prepare
from pipeline.ingest.quality import Quality
from pipeline.ingest.receipt import IngestRefused, Receipt, Status
from pipeline.ingest.unit import Unit
from pipeline.store.observations import IngestedFile, ObservationBatch
from pipeline.store.observations import Receipt as StoreReceipt
from pipeline.store.seen_files import SeenFile
from pipeline.store.warehouse import Warehouse

REPAIRS = {
    Quality.SPIKE: "were spikes and became the last value before them",
    Quality.SUSPECT: "look like spikes and were kept",
    Quality.CLIPPED: "lay a hair outside the plausible range and were moved to its edge",
    Quality.PARTIAL: "are means over incomplete intervals",
    Quality.ROLLOVER: "are differences of a counter that rolled over",
    Quality.REPEATED_HOUR: "bear stamps of a repeated hour, taken in order of appearance",
}


@dataclass
class Import:
    """What one call of `ingest_case` shares."""

    case: Case
    warehouse: Warehouse
    now: int
    fresh: set[str]  # series of which nothing was stored when the call began
    receipts: list[Receipt] = field(default_factory=list)
    mistakes: list[Mistake] = field(default_factory=list)

    def already(self, source: AnySource, name: str, content: str) -> bool:
        """True, with its receipt, where this content was imported before."""
        known = self.warehouse.has_file(self.case.name, source.id, content)
        if known:
            self.known(source, name, content, self.warehouse.withdrawn_files(self.case.name, source.id))
        return known

    def known(self, source: AnySource, name: str, content: str, withdrawn: dict[str, int]) -> None:
        """Enter the receipt of what was imported before."""
        number = withdrawn.get(content)
        status: Status = "already_imported" if number is None else "withdrawn"
        self.receipts.append(Receipt(source.id, name, source.kind, content, status, number))


def ingest_case(
    case: Case, warehouse: Warehouse, *, now: int, data_dir: Path, sources: Sequence[str] | None = None, home: Path | None = None
) -> list[Receipt]:
    """Reads the sources of a case (or those named) into the warehouse; what was read before is skipped by its content.

    A refused file or query changes nothing; the others are still imported, and `IngestRefused` (an `InputError`) then
    carries every mistake and the receipts. `now`, UTC epoch seconds, is when live data and corrections become known.
    `home` is where a relative drop folder may also lie.
    """
    chosen = _chosen(case, sources)
    fresh = {name for name in case.series_by_id if not warehouse.has_series(case.name, name)}
    job = Import(case, warehouse, int(now), fresh)
    for source in chosen:
        try:
            if isinstance(source, ErrorSampleSource | SessionSampleSource):
                _import_samples(job, source)
            elif isinstance(source, SessionFileSource):
                _import_sessions(job, source, session_file.unit(job.case, source, data_dir=Path(data_dir)))
            elif isinstance(source, StateSource):
                _import_states(job, source, state_file.unit(job.case, source, data_dir=Path(data_dir)))
            else:
                _import_units(job, source, Path(data_dir), home)
        except InputError as error:
            job.mistakes += error.mistakes
    if job.mistakes:
        raise IngestRefused(job.mistakes, job.receipts)
    return job.receipts


def _chosen(case: Case, names: Sequence[str] | None) -> list[AnySource]:
    by_id = {source.id: source for source in case.sources}
    there = f"it has {', '.join(by_id) or 'none'}"
    unknown = [name for name in names or () if name not in by_id]
    if unknown:
        raise InputError([Mistake(f"source {name}", f"the case {case.name} has no such source", there) for name in unknown])
    return [source for source in case.sources if names is None or source.id in names]


def _units(job: Import, source: ReadSource, data_dir: Path, home: Path | None, seen: dict[str, SeenFile]) -> tuple[list[Unit], int]:
    """What a source holds, and how many more of its files are as they were when they were imported."""
    if isinstance(source, FileSource):
        return file.units(job.case, source, data_dir=data_dir), 0
    if isinstance(source, FolderSource):
        return folder.units(source, places=[place for place in (job.case.folder, home, data_dir) if place is not None], seen=seen)
    return sql.units(source), 0


def _import_units(job: Import, source: ReadSource, data_dir: Path, home: Path | None) -> None:
    """Those not imported before: all are prepared, then each is stored in a transaction of its own."""
    seen, contents = job.warehouse.seen_files(job.case.name, source.id)
    withdrawn = job.warehouse.withdrawn_files(job.case.name, source.id)
    units, untouched = _units(job, source, data_dir, home, {path: one for path, one in seen.items() if one.sha256 not in withdrawn})
    if untouched:
        job.receipts.append(Receipt(source.id, f"{untouched:,} files", source.kind, "", "already_imported"))
    pending = {unit.content: unit for unit in reversed(units) if unit.content not in contents}  # of copies, the first
    prepared, counters = list[Prepared](), Counters(job.warehouse, job.case.name, source.id)
    for unit in units:
        if pending.get(unit.content) is not unit:
            job.known(source, unit.name, unit.content, withdrawn)
            continue
        try:
            prepared.append(prepare(job.case, job.warehouse, source, unit, fresh=job.fresh, counters=counters, now=job.now))
        except InputError as error:
            job.mistakes += error.mistakes
    history = first_import(job.case, job.warehouse, source, prepared, fresh=job.fresh, now=job.now)
    for entry in sorted(prepared, key=_last_said):  # of forecasts, whatever the files are called, the newest issue comes last
        try:
            _store(job, source, entry, history=entry.unit.content in history)
        except InputError as error:  # the store keeps a series at the resolution it began with
            job.mistakes += [replace(mistake, place=f"{entry.unit.name}, {mistake.place}") for mistake in error.mistakes]
    if isinstance(source, FolderSource):
        known, contents = job.warehouse.seen_files(job.case.name, source.id)
        job.warehouse.mark_seen(job.case.name, source.id, folder.to_be_marked([one for one in units if one.content in contents], known))


def _last_said(entry: Prepared) -> int:
    """When the newest value of a unit was known, as it says itself; 0 where it says nothing, which keeps the order of the units."""
    return max((int(one.known_at.max()) for one in entry.cleaned if one.known_at is not None and len(one.known_at)), default=0)


def _store(job: Import, source: ReadSource, prepared: Prepared, *, history: bool) -> None:
    unit = prepared.unit
    batch = batch_of(
        [timed(job.case, entry, source.mapping, now=job.now, history=history or entry.series.id in job.fresh) for entry in prepared.cleaned]
    )
    stamp = IngestedFile(unit.name, unit.content)
    records = history and source.mapping.known_by_column is not None  # of a history in many files each says itself when it was known
    done = job.warehouse.add_observations(
        job.case.name, batch, source=source.id, ingested_at=job.now, file=stamp, trust_known_at=records,
        counters=[span for entry in prepared.cleaned for span in entry.spans],
    )
    more = {
        "values_read": prepared.values,
        "gaps": sum(entry.gaps for entry in prepared.cleaned),
        "accounts": tuple(entry.account for entry in prepared.cleaned if entry.account is not None),
        "other_rows": prepared.other_rows,
        "flags": _flags(batch.quality),
        "messages": (*prepared.notes, *_repairs(unit.name, batch)),
    }
    job.receipts.append(_receipt(source, unit.name, unit.content, done, starts=batch.valid_from, rows=prepared.rows, **more))


def _import_samples(job: Import, source: ErrorSampleSource | SessionSampleSource) -> None:
    """Synthetic sources. Their moments of knowledge are part of the sample."""
    name = f"{source.id} ({source.kind})"
    content = (
        error_samples.content_of(job.case, source) if isinstance(source, ErrorSampleSource) else ev_sessions.content_of(job.case, source)
    )
    if job.already(source, name, content):
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
    job.receipts.append(_receipt(source, name, content, done, starts=starts, rows=len(starts), values_read=len(starts)))


def _import_sessions(job: Import, source: SessionFileSource, unit: Unit) -> None:
    """A file of EV sessions, in one transaction."""
    if job.already(source, unit.name, unit.content):
        return
    batch = session_file.batch_of(job.case, job.warehouse, source, unit, now=job.now)
    stamp = IngestedFile(unit.name, unit.content)
    try:
        done = job.warehouse.add_sessions(job.case.name, batch, source=source.id, ingested_at=job.now, file=stamp)
    except InputError as error:
        raise InputError(replace(mistake, place=f"{unit.name}, {mistake.place}") for mistake in error.mistakes) from error
    count = len(batch.arrival)
    job.receipts.append(_receipt(source, unit.name, unit.content, done, starts=batch.arrival, rows=count, values_read=count))


def _import_states(job: Import, source: StateSource, unit: Unit) -> None:
    """Measured states of a file or query, in one transaction."""
    if job.already(source, unit.name, unit.content):
        return
    batch = state_file.batch_of(job.case, job.warehouse, source, unit, now=job.now)
    stamp = IngestedFile(unit.name, unit.content)
    done = job.warehouse.add_measured_states(job.case.name, batch.states, source=source.id, ingested_at=job.now, file=stamp)
    moments = np.array([state.measured_at for state in batch.states], dtype=np.int64)
    job.receipts.append(_receipt(source, unit.name, unit.content, done, starts=moments, rows=batch.rows,
                                 values_read=batch.rows - batch.gaps, gaps=batch.gaps))


def _receipt(source: AnySource, name: str, content: str, done: StoreReceipt, *, starts: Instants, rows: int, **more: Any) -> Receipt:
    return Receipt(
        source=source.id,
        unit=name,
        kind=source.kind,
        content=content,
        status="imported",
        import_id=done.sequence,
        rows_read=rows,
        rows_added=done.rows_added + done.versions_added,
        versions_added=done.versions_added,
        unchanged=done.unchanged,
        first=int(starts.min()) if len(starts) else None,
        last=int(starts.max()) if len(starts) else None,
        **more,
    )


def _flags(quality: NDArray[np.int16]) -> dict[str, int]:
    return {flag.name.lower(): count for flag in Quality if flag and flag.name and (count := int((quality & flag != 0).sum()))}


def _repairs(name: str, batch: ObservationBatch) -> list[str]:
    """What was changed in values, for a person: the count, and where the first one is."""
    said = []
    for flag, words in REPAIRS.items():
        where = np.flatnonzero(batch.quality & flag)
        if len(where):
            start, series = from_epoch(int(batch.valid_from[where[0]])), batch.series[int(batch.series_index[where[0]])]
            said.append(f"{name}: {len(where)} values {words}, the first in {series} at {start:%Y-%m-%dT%H:%MZ}")
    return said
