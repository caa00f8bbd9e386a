"""Values of any length to the resolution of their series: held where they are coarser, averaged where they are finer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pipeline.cases.case import Case
from pipeline.cases.sources import GivenForecast
from pipeline.core.clock import Instants, floor_local
from pipeline.ingest.fates import Fate, Fates
from pipeline.ingest.points import Points, joined, last_versions, taken
from pipeline.ingest.quality import Quality


def intervals_of(case: Case, points: Points) -> Instants:
    """Start of the series' interval that holds the start of each value, counted on the case's wall clock; shape (n,)."""
    return floor_local(points.start, 60 * points.target.series.resolution_min, case.time_zone)


def at_resolution(case: Case, points: Points, fates: Fates) -> Points:
    """Values in order of time -> one per interval of the series (and version, where nothing is averaged); every row's fate is said.

    A mean needs at least half of its interval. `length_s` stays that of the source's value. No value reaches beyond the next stamp.
    Of a forecast every issue stands for itself.
    """
    step = 60 * points.target.series.resolution_min
    if not len(points.start):
        return points
    if isinstance(points.target.series, GivenForecast) and points.known_at is not None and np.ptp(points.known_at):
        issues = [np.flatnonzero(points.known_at == issue) for issue in np.unique(points.known_at)]
        return joined([at_resolution(case, taken(points, rows), fates) for rows in issues])
    length = np.minimum(points.length_s, _reach(points.start))
    whole = (length % step == 0) & (intervals_of(case, points) == points.start)
    if whole.all():
        fates.mark(points.at[length == step], Fate.STORED)
        fates.mark(points.at[length > step], Fate.HELD)
        return _split(points, length, step)
    points = last_versions(points, fates)
    length = np.minimum(points.length_s, _reach(points.start))
    offsets = points.start - intervals_of(case, points)
    piece = int(np.gcd.reduce(np.concatenate([length, offsets, [step]])))
    return _averaged(case, _split(points, length, piece), fates, piece)


def _reach(start: Instants) -> NDArray[np.int64]:
    """Seconds to the next later start, shape (n,); without end at the last one."""
    distinct, inverse = np.unique(start, return_inverse=True)
    return np.append(np.diff(distinct), np.iinfo(np.int64).max)[inverse.reshape(-1)]


def _split(points: Points, length: NDArray[np.int64], piece: int) -> Points:
    """Every value repeated over the pieces of its interval; those longer than an interval of the series are flagged."""
    parts = length // piece
    which = np.repeat(np.arange(len(parts)), parts)
    nth = np.arange(len(which)) - np.repeat(np.cumsum(parts) - parts, parts)
    held = length > 60 * points.target.series.resolution_min
    split = taken(points, which)
    return replace(split, start=split.start + piece * nth, quality=split.quality | np.where(held[which], Quality.HELD, 0).astype(np.int16))


def _averaged(case: Case, pieces: Points, fates: Fates, piece: int) -> Points:
    """Means of equal pieces per interval of the series."""
    step = 60 * pieces.target.series.resolution_min
    order = np.argsort(pieces.start, kind="stable")
    pieces = taken(pieces, order)
    interval = intervals_of(case, pieces)
    starts, first, inverse, counts = np.unique(interval, return_index=True, return_inverse=True, return_counts=True)
    enough = 2 * counts * piece >= step
    _say_fates(pieces, enough[inverse.reshape(-1)], fates, step)
    quality = np.bitwise_or.reduceat(pieces.quality, first) | np.where(counts * piece < step, Quality.PARTIAL, 0)
    known = None if pieces.known_at is None else np.maximum.reduceat(pieces.known_at, first)
    means = replace(
        taken(pieces, first),
        start=starts,
        value=np.add.reduceat(pieces.value, first) / counts,
        said=np.add.reduceat(pieces.said, first) / counts,
        length_s=np.maximum(np.maximum.reduceat(pieces.length_s, first), step),
        quality=quality.astype(np.int16),
        known_at=known,
    )
    return taken(means, np.flatnonzero(enough))


def _say_fates(pieces: Points, enough: NDArray[np.bool_], fates: Fates, step: int) -> None:
    """A row ends in a mean where any of its pieces does."""
    rows, first = np.unique(pieces.at, return_index=True)
    used = np.isin(rows, pieces.at[enough])
    length = pieces.length_s[first]
    fates.mark(rows[~used], Fate.INCOMPLETE)
    for fate, those in ((Fate.AVERAGED, length < step), (Fate.STORED, length == step), (Fate.HELD, length > step)):
        fates.mark(rows[used & those], fate)
