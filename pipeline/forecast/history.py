"""Observations as arrays: latest versions on a grid, and what was known at each of many issue times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class History(Protocol):
    """What forecasting needs of `store.observations.Observations`: rows sorted by series, valid_from, known_at, ingest_seq."""

    @property
    def series(self) -> tuple[str, ...]: ...
    @property
    def series_index(self) -> NDArray[np.int32]: ...
    @property
    def valid_from(self) -> Ints: ...
    @property
    def known_at(self) -> Ints: ...
    @property
    def value(self) -> Floats: ...


@dataclass(frozen=True)
class Rows:
    """Some rows of a history, in their order."""

    series: tuple[str, ...]
    series_index: NDArray[np.int32]
    valid_from: Ints
    known_at: Ints
    value: Floats


def taken(history: History, keep: NDArray[np.bool_]) -> Rows:
    """The rows of a history that are kept, (n,) bool."""
    return Rows(history.series, np.asarray(history.series_index)[keep], np.asarray(history.valid_from)[keep],
                np.asarray(history.known_at)[keep], np.asarray(history.value)[keep])


def ahead_of_time(given: History) -> Rows:
    """Versions that were known before their interval began: what is said of the past is no forecast."""
    return taken(given, np.asarray(given.known_at) <= np.asarray(given.valid_from))


def _cells(history: History, ids: tuple[str, ...], start: int, step_s: int, count: int) -> tuple[Ints, Ints, Ints, Floats]:
    """(series position, interval, known_at, value) of the rows by the interval that they begin in, in order."""
    position = np.full(len(history.series) + 1, -1, dtype=np.int64)
    place = {name: index for index, name in enumerate(ids)}
    for index, name in enumerate(history.series):
        position[index] = place.get(name, -1)
    row_series = position[np.asarray(history.series_index, dtype=np.int64)]
    # Where the clock changes by half an hour, hours begin half an hour later or earlier from then on: they are taken as they come.
    interval = (np.asarray(history.valid_from, dtype=np.int64) - start) // step_s
    keep = (row_series >= 0) & (interval >= 0) & (interval < count)
    return row_series[keep], interval[keep], np.asarray(history.known_at, dtype=np.int64)[keep], np.asarray(history.value)[keep]


def latest(history: History, ids: tuple[str, ...], *, start: int, step_s: int, count: int, known_by: int) -> Floats:
    """(S, count) newest version known at `known_by`; NaN where nothing was."""
    grid = np.full((len(ids), count), np.nan)
    series, interval, known, value = _cells(history, ids, start, step_s, count)
    seen = known <= known_by
    grid[series[seen], interval[seen]] = value[seen]  # rows are sorted by knowledge: the last one written is the newest
    return grid


def as_known(history: History, ids: tuple[str, ...], *, firsts: Ints, step_s: int, count: int, issue_times: Ints) -> Floats:
    """(count, K, S): for issue k, the intervals from firsts[k] on, as known at issue_times[k]. Nothing later can enter."""
    origin = int(firsts.min())
    total = int((firsts.max() - origin) // step_s) + count
    series, interval, known, value = _cells(history, ids, origin, step_s, total)
    out = np.full((count, len(firsts), len(ids)), np.nan)
    lags = (firsts - origin) // step_s
    cell = series * total + interval
    rank = _rank_in_run(cell)
    for version in range(int(rank.max(initial=-1)) + 1):
        pick = rank == version
        grid, when = np.full((total, len(ids)), np.nan), np.full((total, len(ids)), np.iinfo(np.int64).max)
        grid[interval[pick], series[pick]], when[interval[pick], series[pick]] = value[pick], known[pick]
        for k, lag in enumerate(lags):
            seen = when[lag: lag + count] <= issue_times[k]
            np.copyto(out[:, k], grid[lag: lag + count], where=seen)
    return out


def _rank_in_run(cell: Ints) -> Ints:
    """0, 1, 2.. for the versions of each cell; rows of one cell are adjacent."""
    if not cell.size:
        return np.zeros(0, dtype=np.int64)
    new = np.concatenate([[True], cell[1:] != cell[:-1]])
    first = np.flatnonzero(new)
    return np.arange(cell.size) - np.repeat(first, np.diff(np.append(first, cell.size)))
