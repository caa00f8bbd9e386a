"""Bitemporal observations: when a value is valid, and when it became known. Versions are appended, never overwritten."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from pipeline.core.clock import QUARTER_S, Instants
from pipeline.core.ids import canonical_json, digest
from pipeline.store import bulk
from pipeline.store.ingests import IngestedFile, Receipt
from pipeline.store.schema import OBSERVATIONS, SERIES

Floats = NDArray[np.float64]
FAR_S = 1 << 40  # after every stamp
NO_VALUE = 1 << 14  # bit of `quality`: from now on the interval has no value, as its import was withdrawn; read as NaN


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
        """The last version of every interval that has a value."""
        if not len(self):
            return self
        last = np.empty(len(self), np.bool_)
        last[-1] = True
        last[:-1] = (self.series_index[1:] != self.series_index[:-1]) | (self.valid_from[1:] != self.valid_from[:-1])
        last &= ~np.isnan(self.value)
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

    def known_since(self, starts: Instants) -> Floats:
        """When the latest versions became known, UTC epoch seconds on a grid -> (series, starts); infinite where there is none."""
        return self._on_grid(starts, self.latest().known_at.astype(np.float64), np.inf)

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
        latest = self.latest()
        for s, (low, high) in enumerate(zip(latest._bounds[:-1], latest._bounds[1:], strict=True)):
            if high > low:
                out[s] = latest.valid_from[high - 1] + self.resolution_s[s]
        return out

    def digest(self) -> str:
        """Hash of what was read. Leaves out the ingest sequence: the same knowledge got in another order is the same knowledge."""
        arrays = (self.series_index, self.valid_from, self.known_at, self.value, self.quality)
        return digest(canonical_json([self.series, self.resolution_s]), *(np.ascontiguousarray(array).tobytes() for array in arrays))


def series_rows(connection: sa.Connection, namespace: str, series: Sequence[str]) -> list[tuple[str, int, int]]:
    """(series, number, resolution in seconds) of those of `series` that are stored."""
    wanted = set(series)
    rows = connection.execute(sa.select(SERIES.c.series, SERIES.c.series_id, SERIES.c.resolution_s).where(SERIES.c.namespace == namespace))
    return [(str(name), int(number), int(seconds)) for name, number, seconds in rows if name in wanted]


def read(connection: sa.Connection, namespace: str, series: Sequence[str], *, start: int, end: int, as_of: int) -> Observations:
    """All versions with known_at <= as_of of the intervals that overlap [start, end). A series never seen has no rows."""
    known = {name: (number, seconds) for name, number, seconds in series_rows(connection, namespace, series)}
    ids = [known[name][0] for name in series if name in known]
    longest = max((seconds for _, seconds in known.values()), default=0)
    o = OBSERVATIONS.c
    where = sa.and_(o.series_id.in_(ids), o.valid_from > int(start) - longest, o.valid_from < int(end), o.known_at <= int(as_of))
    columns = bulk.select_observations(connection, sa.select(*(o[name] for name, _ in bulk.FIELDS)).where(where))
    seconds = np.array([known[name][1] if name in known else QUARTER_S for name in series], np.int64)
    position = np.full(max(ids, default=0) + 1, -1, np.int32)
    for place, name in enumerate(series):
        if name in known:
            position[known[name][0]] = place
    index = position[columns["series_id"]]
    overlaps = columns["valid_from"] + seconds[index] > int(start)
    order = np.flatnonzero(overlaps)
    order = order[np.lexsort(tuple(a[order] for a in (columns["ingest_seq"], columns["known_at"], columns["valid_from"], index)))]
    return Observations(
        tuple(series), tuple(int(x) for x in seconds), index[order], columns["valid_from"][order], columns["known_at"][order],
        columns["ingest_seq"][order], valued(columns)[order], columns["quality"][order],
    )


def valued(columns: bulk.Columns) -> Floats:
    """The values (n,), NaN where a withdrawal says that there is none."""
    return np.where(columns["quality"] & NO_VALUE != 0, np.nan, columns["value"])


def extent(connection: sa.Connection, namespace: str, series: str) -> tuple[int, int, int] | None:
    """Start of the first interval that has a value, end of the newest one, and when the first value became known; None where there is
    none, or none any more."""
    found = read(connection, namespace, [series], start=0, end=FAR_S, as_of=FAR_S).latest()
    if not len(found):
        return None
    return int(found.valid_from[0]), int(found.valid_from[-1]) + found.resolution_s[0], int(found.known_at.min())


def has_series(connection: sa.Connection, namespace: str, series: str) -> bool:
    """True when at least one value of this series is stored: a column without any value said nothing of it yet."""
    o = OBSERVATIONS.c
    return any(connection.execute(sa.select(o.valid_from).where(o.series_id == number).limit(1)).first() is not None
               for _, number, _ in series_rows(connection, namespace, [series]))


__all__ = ["IngestedFile", "ObservationBatch", "Observations", "Receipt", "extent", "has_series", "read", "series_rows"]
