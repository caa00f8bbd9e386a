"""Taking a wrong import back: from now on its values are not there, and what stood before them stands again. Nothing is deleted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from pipeline.core.clock import from_epoch
from pipeline.core.errors import InputError, Mistake
from pipeline.store import bulk, measured, sessions
from pipeline.store.ingests import PREFIX, Receipt, log_ingest, next_sequence, withdrawn_imports
from pipeline.store.observations import NO_VALUE
from pipeline.store.schema import INGESTED_FILES, INGESTS, OBSERVATIONS, SEEN_FILES, SERIES

LISTED = 8


@dataclass(frozen=True)
class Withdrawal:
    """What a withdrawal changed: how many values, sessions or states are again what they were and are gone; files to be read again."""

    source: str
    restored: int
    emptied: int
    read_again: tuple[str, ...]  # files of later imports that said the same of some intervals, which nobody wrote down


def withdraw(connection: sa.Connection, namespace: str, sequence: int, *, now: int) -> Withdrawal:
    """Take back what one import brought, observations, EV sessions or measured states, known from `now` on. Raises InputError for an
    import that is unknown, was withdrawn before, or brought nothing new."""
    source, others = _source(connection, namespace, sequence), withdrawn_imports(connection, namespace)
    entry = next_sequence(connection)
    log_ingest(connection, namespace, entry, source=f"{PREFIX}{sequence}", ingested_at=now, receipt=Receipt(0, 0, 0), file=None)
    brought = [
        _observations_back(connection, namespace, sequence, others, entry=entry, now=now),
        *(kind.withdraw(connection, namespace, sequence, others=others, now=now) for kind in (sessions, measured)),
    ]
    done = [counts for counts in brought if counts is not None]
    if not done:
        raise InputError(Mistake(f"import {sequence}", "brought nothing new, so there is nothing to take back",
                                 "withdraw the import that brought it first"))
    again = _forget_marks(connection, namespace, sequence)
    return Withdrawal(source, sum(restored for restored, _ in done), sum(emptied for _, emptied in done), again)


def _observations_back(
    connection: sa.Connection, namespace: str, sequence: int, others: list[int], *, entry: int, now: int,
) -> tuple[int, int] | None:
    """Intervals that have their earlier value again, and those without one; None where the import brought no observation."""
    columns = _versions(connection, namespace, sequence)
    if not columns["value"].size:
        return None
    rows = _replacements(columns, sequence, others, entry=entry, now=now)
    bulk.insert_observations(connection, rows)
    emptied = int((rows["quality"] & NO_VALUE != 0).sum())
    return int(rows["value"].size) - emptied, emptied


def _source(connection: sa.Connection, namespace: str, sequence: int) -> str:
    i = INGESTS.c
    asked = sa.select(i.ingest_seq, i.source, i.ingested_at, i.rows_added, i.versions_added).where(i.namespace == namespace)
    entries = {int(row.ingest_seq): row for row in connection.execute(asked.order_by(i.ingest_seq))}
    gone = {row.source for row in entries.values() if row.source.startswith(PREFIX)}
    if f"{PREFIX}{sequence}" in gone:
        raise InputError(Mistake(f"import {sequence}", "was withdrawn before",
                                 f"import what is right; `feederflow ingest CASE --again {sequence}` reads the same file again"))
    if sequence not in entries or entries[sequence].source.startswith(PREFIX):
        brought = [number for number, row in entries.items()
                   if row.rows_added + row.versions_added and f"{PREFIX}{number}" not in gone]
        said = [f"{number} ({entries[number].source}, {from_epoch(entries[number].ingested_at):%Y-%m-%dT%H:%MZ})" for number in brought]
        raise InputError(Mistake(f"import {sequence}", f"is no import of the case {namespace}",
                                 f"the newest are {', '.join(said[-LISTED:])}" if said else "no import stands"))
    return str(entries[sequence].source)


def _versions(connection: sa.Connection, namespace: str, sequence: int) -> bulk.Columns:
    """Every version of every interval that the import wrote, in order of series, interval and knowledge."""
    o, s = OBSERVATIONS.c, SERIES.c
    of_case = sa.select(s.series_id).where(s.namespace == namespace)
    written = sa.select(o.series_id, sa.func.min(o.valid_from), sa.func.max(o.valid_from)).where(
        o.ingest_seq == sequence, o.series_id.in_(of_case)).group_by(o.series_id)
    spans = [(int(number), int(low), int(high)) for number, low, high in connection.execute(written)]
    inside = sa.or_(sa.false(), *(sa.and_(o.series_id == number, o.valid_from >= low, o.valid_from <= high) for number, low, high in spans))
    found = bulk.select_observations(connection, sa.select(*(o[name] for name, _ in bulk.FIELDS)).where(inside))
    order = np.lexsort((found["ingest_seq"], found["known_at"], found["valid_from"], found["series_id"]))
    return {name: column[order] for name, column in found.items()}


def _replacements(columns: bulk.Columns, sequence: int, withdrawn: list[int], *, entry: int, now: int) -> bulk.Columns:
    """The rows that make an end of the import: of each interval that it holds now, what stood before it, or that there is no value."""
    series, valid, by = columns["series_id"], columns["valid_from"], columns["ingest_seq"]
    last = np.append((series[1:] != series[:-1]) | (valid[1:] != valid[:-1]), True)
    first = np.flatnonzero(np.concatenate([[True], last[:-1]]))
    ends: NDArray[np.intp] = np.flatnonzero(last)
    stands = ~np.isin(by, [sequence, *withdrawn])
    before = np.maximum.accumulate(np.where(stands, np.arange(len(by)), -1))[ends]
    ours = by[ends] == sequence
    at, found, begins = ends[ours], before[ours], first[ours]
    restored = found >= begins
    origin = np.where(restored, found, at)
    empty = ~restored
    return {
        "series_id": series[at], "valid_from": valid[at], "known_at": np.maximum(columns["known_at"][at] + 1, now),
        "ingest_seq": np.where(empty, entry, by[origin]),  # what is restored stays the word of its own import
        "value": np.where(empty, 0.0, columns["value"][origin]),
        "quality": np.where(empty, NO_VALUE, columns["quality"][origin]).astype(np.int16),
    }


def _forget_marks(connection: sa.Connection, namespace: str, sequence: int) -> tuple[str, ...]:
    """Files of later imports that brought a value which was there already are read again: they may have said what is now missing."""
    i, f = INGESTS.c, INGESTED_FILES.c
    later = sa.select(i.ingest_seq).where(i.namespace == namespace, i.ingest_seq > sequence, i.unchanged > 0)
    where = sa.and_(f.namespace == namespace, f.ingest_seq.in_(later))
    paths = tuple(str(row.path) for row in connection.execute(sa.select(f.path).where(where).order_by(f.ingest_seq)))
    seen = SEEN_FILES.c
    connection.execute(sa.delete(SEEN_FILES).where(seen.namespace == namespace, seen.sha256.in_(sa.select(f.sha256).where(where))))
    connection.execute(sa.delete(INGESTED_FILES).where(where))
    return paths
