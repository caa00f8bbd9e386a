"""Bitemporal observations: when a value is valid, and when it became known. Versions are appended, never overwritten."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from pipeline.core.clock import QUARTER_S, Instants
from pipeline.core.errors import InputError, Mistake
from pipeline.core.ids import canonical_json, digest
from pipeline.store import bulk
from pipeline.store.schema import INGESTED_FILES, INGESTS, OBSERVATIONS, SERIES

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class IngestedFile:
    """A file that a batch came from, so that a drop folder reads each content once."""

    path: str
    sha256: str


@dataclass(frozen=True)
class Receipt:
    """What a batch changed: intervals seen for the first time, further versions, rows that said nothing new."""

    rows_added: int
    versions_added: int
    unchanged: int


@dataclass(frozen=True)
class ObservationBatch:
    """Rows to add, all arrays of shape (n,). `series_index` points into `series` (distinct names). Values in the series' own unit.

    `resolution_s`: seconds that one value holds for, per series; a quarter-hour where it is empty.
    """

    series: Sequence[str]
    series_index: NDArray[np.int32]
    valid_from: Instants
    known_at: Instants
    value: Floats
    quality: NDArray[np.int16]
    resolution_s: Sequence[int] = field(default=())

    @property
    def resolutions(self) -> list[int]:
        return list(self.resolution_s) or [QUARTER_S] * len(self.series)


@dataclass(frozen=True)
class Observations:
    """Versions read, sorted by series, valid_from, known_at, ingest_seq; arrays of shape (n,).

    `series` are the names as asked for; a series without rows is one of them all the same.
    """

    series: tuple[str, ...]
    resolution_s: tuple[int, ...]
    series_index: NDArray[np.int32]
    valid_from: Instants
    known_at: Instants
    ingest_seq: Instants
    value: Floats
    quality: NDArray[np.int16]

    def __len__(self) -> int:
        return int(self.value.size)

    def _taken(self, keep: NDArray[np.bool_] | NDArray[np.int64]) -> Observations:
        return Observations(
            self.series, self.resolution_s, self.series_index[keep], self.valid_from[keep], self.known_at[keep],
            self.ingest_seq[keep], self.value[keep], self.quality[keep],
        )

    def as_of(self, moment: int) -> Observations:
        """The versions that were known at a moment."""
        return self._taken(self.known_at <= moment)

    def latest(self) -> Observations:
        """The last version of every interval."""
        if not len(self):
            return self
        last = np.empty(len(self), np.bool_)
        last[-1] = True
        last[:-1] = (self.series_index[1:] != self.series_index[:-1]) | (self.valid_from[1:] != self.valid_from[:-1])
        return self if last.all() else self._taken(last)

    @cached_property
    def _bounds(self) -> NDArray[np.int64]:
        return np.searchsorted(self.series_index, np.arange(len(self.series) + 1))

    def grid(self, starts: Instants) -> Floats:
        """Latest versions on a grid of interval starts -> (series, starts); NaN where none, longer intervals repeated."""
        return self._on_grid(starts, self.latest().value, np.nan)

    def quality_grid(self, starts: Instants) -> Floats:
        """Quality flags of the latest versions on a grid -> (series, starts); NaN where there is no value."""
        return self._on_grid(starts, self.latest().quality.astype(np.float64), np.nan)

    def _on_grid(self, starts: Instants, column: Floats, missing: float) -> Floats:
        latest = self.latest()
        starts = np.asarray(starts, np.int64)
        out = np.full((len(self.series), starts.size), missing)
        for s, (low, high) in enumerate(zip(latest._bounds[:-1], latest._bounds[1:], strict=True)):
            if low == high:
                continue
            valid = latest.valid_from[low:high]
            at = np.searchsorted(valid, starts, side="right") - 1
            held = (at >= 0) & (starts < valid[np.maximum(at, 0)] + self.resolution_s[s])
            out[s, held] = column[low:high][at[held]]
        return out

    def newest(self) -> Instants:
        """End of the newest interval of each series, shape (series,); the smallest integer where a series has no rows."""
        out = np.full(len(self.series), np.iinfo(np.int64).min)
        for s, (low, high) in enumerate(zip(self._bounds[:-1], self._bounds[1:], strict=True)):
            if high > low:
                out[s] = self.valid_from[high - 1] + self.resolution_s[s]
        return out

    def digest(self) -> str:
        """Hash of what was read. Leaves out the ingest sequence: the same knowledge got in another order is the same knowledge."""
        arrays = (self.series_index, self.valid_from, self.known_at, self.value, self.quality)
        return digest(canonical_json([self.series, self.resolution_s]), *(np.ascontiguousarray(array).tobytes() for array in arrays))


# ---------------------------------------------------------------------- writing


def add(
    connection: sa.Connection, namespace: str, batch: ObservationBatch, *, source: str, ingested_at: int,
    file: IngestedFile | None = None, trust_known_at: bool = False,
) -> Receipt:
    """Append the rows of a batch that say something new, inside the caller's transaction.

    A row is new when its interval has no value yet, or when its value differs from the version that held when it became known. A correction
    becomes known when it is ingested, whatever the batch says, or a past decision would seem to have known it; `trust_known_at` is for
    sources that carry their own record of when each version was known. Raises InputError for values that are not finite, for
    two values of one interval known at the same moment, and for a series that changes its resolution.
    """
    _check(batch)
    ids = _series_ids(connection, namespace, batch)
    order = np.lexsort((batch.known_at, batch.valid_from, ids[batch.series_index]))
    new = {
        "series_id": ids[batch.series_index][order], "valid_from": batch.valid_from[order], "known_at": batch.known_at[order],
        "value": batch.value[order], "quality": batch.quality[order],
    }
    old = _existing(connection, ids, new)
    keep, known_at, is_first = _novel(new, old, ingested_at=None if trust_known_at else ingested_at)
    sequence = next_sequence(connection)
    count, first_count = int(keep.sum()), int((keep & is_first).sum())
    receipt = Receipt(first_count, count - first_count, int(keep.size) - count)
    log_ingest(connection, namespace, sequence, source=source, ingested_at=ingested_at, receipt=receipt, file=file)
    if count:
        rows = {name: array[keep] for name, array in new.items()}
        rows |= {"known_at": known_at[keep], "ingest_seq": np.full(count, sequence, np.int64)}
        by_key = np.lexsort((rows["known_at"], rows["valid_from"], rows["series_id"]))
        bulk.insert_observations(connection, {name: array[by_key] for name, array in rows.items()})
    return receipt


def _check(batch: ObservationBatch) -> None:
    if len(set(batch.series)) != len(batch.series):
        raise InputError(Mistake("batch", "a series is named twice", "name each series once"))
    bad = np.flatnonzero(~np.isfinite(batch.value))
    if bad.size:
        row = int(bad[0])
        raise InputError(Mistake(
            f"series {batch.series[int(batch.series_index[row])]}, instant {int(batch.valid_from[row])}",
            f"the value is not finite ({bad.size} such rows)", "leave out what is missing",
        ))
    order = np.lexsort((batch.known_at, batch.valid_from, batch.series_index))
    s, v, k, x = (a[order] for a in (batch.series_index, batch.valid_from, batch.known_at, batch.value))
    twice = np.flatnonzero((s[1:] == s[:-1]) & (v[1:] == v[:-1]) & (k[1:] == k[:-1]) & (x[1:] != x[:-1]))
    if twice.size:
        row = int(twice[0])
        raise InputError(Mistake(
            f"series {batch.series[int(s[row])]}, instant {int(v[row])}", f"has two values, {x[row]} and {x[row + 1]}, known at the same moment",
            "keep one",
        ))


def _series_ids(connection: sa.Connection, namespace: str, batch: ObservationBatch) -> NDArray[np.int64]:
    """Integer ids of the batch's series, shape (series,); new ones are entered."""
    known = {name: (number, seconds) for name, number, seconds in _series_rows(connection, namespace, batch.series)}
    highest = int(connection.execute(sa.select(sa.func.coalesce(sa.func.max(SERIES.c.series_id), 0))).scalar_one())
    entries = []
    for name, seconds in zip(batch.series, batch.resolutions, strict=True):
        if name not in known:
            highest += 1
            known[name] = (highest, int(seconds))
            entries.append({"series_id": highest, "namespace": namespace, "series": name, "resolution_s": int(seconds)})
        elif known[name][1] != seconds:
            raise InputError(Mistake(f"series {name}", f"holds values of {known[name][1]} s, and the batch brings values of {seconds} s",
                                     "give the other resolution its own series"))
    if entries:
        connection.execute(sa.insert(SERIES), entries)
    return np.array([known[name][0] for name in batch.series], np.int64)


def _series_rows(connection: sa.Connection, namespace: str, series: Sequence[str]) -> list[tuple[str, int, int]]:
    wanted = set(series)
    rows = connection.execute(sa.select(SERIES.c.series, SERIES.c.series_id, SERIES.c.resolution_s).where(SERIES.c.namespace == namespace))
    return [(str(name), int(number), int(seconds)) for name, number, seconds in rows if name in wanted]


def _existing(connection: sa.Connection, ids: NDArray[np.int64], new: bulk.Columns) -> bulk.Columns:
    """All stored versions in the span of a batch."""
    o = OBSERVATIONS.c
    low, high = (int(new["valid_from"].min()), int(new["valid_from"].max())) if new["valid_from"].size else (0, -1)
    where = sa.and_(o.series_id.in_([int(i) for i in ids]), o.valid_from >= low, o.valid_from <= high)
    return bulk.select_observations(connection, sa.select(*(o[name] for name, _ in bulk.FIELDS)).where(where))


def _novel(
    new: bulk.Columns, old: bulk.Columns, *, ingested_at: int | None,
) -> tuple[NDArray[np.bool_], Instants, NDArray[np.bool_]]:
    """Which new rows to keep (n,), when each is known (n,), and which open an interval that had no value (n,)."""
    count = new["value"].size
    seen = _in_pairs(new, old)
    known_at = new["known_at"].astype(np.int64)
    if ingested_at is not None:
        known_at = np.where(seen, np.maximum(known_at, ingested_at), known_at)
    series, valid, known, value = (np.concatenate([old[name], array]) for name, array in (
        ("series_id", new["series_id"]), ("valid_from", new["valid_from"]), ("known_at", known_at), ("value", new["value"])))
    is_new = np.arange(series.size) >= old["value"].size
    # Stored versions come before the batch's at the same moment; the batch's own keep the order of what they said they knew.
    rank = np.concatenate([old["ingest_seq"] - np.iinfo(np.int64).max // 2, np.arange(count)])
    order = np.lexsort((rank, known, valid, series))
    same = np.zeros(order.size, np.bool_)
    s, v, k, x, n = series[order], valid[order], known[order], value[order], is_new[order]
    same[1:] = (s[1:] == s[:-1]) & (v[1:] == v[:-1])
    novel = np.ones(order.size, np.bool_)
    novel[1:] = ~same[1:] | (x[1:] != x[:-1])
    superseded = np.zeros(order.size, np.bool_)  # of several rows of a batch that become known at one moment, the last one stands
    superseded[:-1] = same[1:] & (k[1:] == k[:-1]) & n[:-1] & n[1:]
    novel = _without_superseded(novel, superseded, same, x) & n
    keep, first = np.zeros(count, np.bool_), np.zeros(count, np.bool_)
    back = order[n] - old["value"].size
    keep[back], first[back] = novel[n], ~same[n]
    return keep, known_at, first & ~seen


def _without_superseded(
    novel: NDArray[np.bool_], superseded: NDArray[np.bool_], same: NDArray[np.bool_], value: Floats,
) -> NDArray[np.bool_]:
    """Novelty after the superseded rows are gone: each row is compared with the last one that stands before it."""
    if not superseded.any():
        return novel
    stands = np.flatnonzero(~superseded)
    group = np.cumsum(~same)
    s, x = group[stands], value[stands]
    out = np.zeros(novel.size, np.bool_)
    out[stands] = np.r_[True, (s[1:] != s[:-1]) | (x[1:] != x[:-1])]
    return out


def _in_pairs(new: bulk.Columns, old: bulk.Columns) -> NDArray[np.bool_]:
    """Which new rows' (series, valid_from) is stored already, shape (n,)."""
    if not old["value"].size:
        return np.zeros(new["value"].size, np.bool_)
    low = min(int(new["valid_from"].min()), int(old["valid_from"].min()))
    width = max(int(new["valid_from"].max()), int(old["valid_from"].max())) - low + 1
    return np.isin(new["series_id"].astype(np.int64) * width + new["valid_from"] - low,
                   old["series_id"].astype(np.int64) * width + old["valid_from"] - low)


def next_sequence(connection: sa.Connection) -> int:
    """The next ingest sequence number; writers wait for each other, so it only grows."""
    return int(connection.execute(sa.select(sa.func.coalesce(sa.func.max(INGESTS.c.ingest_seq), 0))).scalar_one()) + 1


def log_ingest(
    connection: sa.Connection, namespace: str, sequence: int, *, source: str, ingested_at: int, receipt: Receipt, file: IngestedFile | None,
) -> None:
    """Enter an ingest and the file it came from."""
    connection.execute(sa.insert(INGESTS), {
        "ingest_seq": sequence, "namespace": namespace, "source": source, "ingested_at": int(ingested_at),
        "rows_added": receipt.rows_added, "versions_added": receipt.versions_added, "unchanged": receipt.unchanged,
    })
    if file is not None and not has_file(connection, namespace, source, file.sha256):
        connection.execute(sa.insert(INGESTED_FILES), {
            "namespace": namespace, "source": source, "sha256": file.sha256, "path": file.path, "ingest_seq": sequence,
        })


# ---------------------------------------------------------------------- reading


def read(connection: sa.Connection, namespace: str, series: Sequence[str], *, start: int, end: int, as_of: int) -> Observations:
    """All versions with known_at <= as_of of the intervals that overlap [start, end). A series never seen has no rows."""
    known = {name: (number, seconds) for name, number, seconds in _series_rows(connection, namespace, series)}
    ids = [known[name][0] for name in series if name in known]
    longest = max((seconds for _, seconds in known.values()), default=0)
    o = OBSERVATIONS.c
    where = sa.and_(o.series_id.in_(ids), o.valid_from > int(start) - longest, o.valid_from < int(end), o.known_at <= int(as_of))
    columns = bulk.select_observations(connection, sa.select(*(o[name] for name, _ in bulk.FIELDS)).where(where))
    seconds = np.array([known[name][1] if name in known else QUARTER_S for name in series], np.int64)
    position = np.full(max(ids, default=0) + 1, -1, np.int32)
    for index, name in enumerate(series):
        if name in known:
            position[known[name][0]] = index
    index = position[columns["series_id"]]
    overlaps = columns["valid_from"] + seconds[index] > int(start)
    order = np.flatnonzero(overlaps)
    order = order[np.lexsort(tuple(a[order] for a in (columns["ingest_seq"], columns["known_at"], columns["valid_from"], index)))]
    return Observations(
        tuple(series), tuple(int(x) for x in seconds), index[order], columns["valid_from"][order], columns["known_at"][order],
        columns["ingest_seq"][order], columns["value"][order], columns["quality"][order],
    )


def has_file(connection: sa.Connection, namespace: str, source: str, sha256: str) -> bool:
    f = INGESTED_FILES.c
    found = connection.execute(sa.select(f.ingest_seq).where(f.namespace == namespace, f.source == source, f.sha256 == sha256)).first()
    return found is not None


def has_series(connection: sa.Connection, namespace: str, series: str) -> bool:
    return bool(_series_rows(connection, namespace, [series]))
