"""The wall clock of a zone to UTC: hours that are skipped and hours that come twice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from pipeline.core.clock import Instants, utc_offsets
from pipeline.ingest.mistakes import Mistakes
from pipeline.ingest.stamp_text import DAY_S
from pipeline.ingest.stamps import Stamps, shown


@dataclass(frozen=True)
class Resolved:
    """UTC instants; `repeated` marks naive stamps of a repeated hour that were resolved. Shapes (n,)."""

    utc: Instants
    repeated: NDArray[np.bool_]
    good: NDArray[np.bool_]


@dataclass(frozen=True)
class _Reading:
    """Naive stamps read in one way: instants, and which the clock jumps over, has twice, and does not tell. Shapes (n,)."""

    utc: Instants
    skipped: NDArray[np.bool_]
    twice: NDArray[np.bool_]
    unclear: NDArray[np.bool_]

    def faults(self, latest: int) -> int:
        """How many stamps cannot be meant this way: those that are not told apart, and those that are still to come."""
        return int(self.unclear.sum() + (~self.skipped & (self.utc > latest)).sum())


def midnight(day: int, zone: str) -> int:
    """UTC second at which a local day (counted from 1970) begins."""
    wall = datetime.fromtimestamp(day * DAY_S, UTC).replace(tzinfo=ZoneInfo(zone))
    return int(wall.timestamp())


def local_to_utc(wall: Instants, zone: str) -> tuple[Instants, Instants]:
    """Earlier and later reading of local wall-clock seconds, shapes (n,): equal where the clock is plain, -1 where it jumps over them."""
    day = wall // DAY_S
    days, inverse = np.unique(day, return_inverse=True)
    before = utc_offsets((days - 1) * DAY_S + DAY_S // 2, zone)[inverse]
    after = utc_offsets((days + 1) * DAY_S + DAY_S // 2, zone)[inverse]
    early, late = wall - np.maximum(before, after), wall - np.minimum(before, after)
    change = np.flatnonzero(before != after)
    if len(change):
        early_holds = utc_offsets(early[change], zone) == wall[change] - early[change]
        late_holds = utc_offsets(late[change], zone) == wall[change] - late[change]
        first = np.where(early_holds, early[change], np.where(late_holds, late[change], -1))
        second = np.where(late_holds, late[change], np.where(early_holds, early[change], -1))
        early[change], late[change] = first, second
    return early, late


def resolve(
    stamps: Stamps,
    groups: NDArray[np.int64],
    *,
    zone: str | None,
    latest: int,
    name: str,
    rows: NDArray[np.int64],
    mistakes: Mistakes,
    end_of_s: int = 0,
    needed: NDArray[np.bool_] | None = None,
) -> Resolved:
    """Naive stamps to UTC. `groups` (n,) tells apart the series of a long table, whose stamps repeat; `latest` is the last instant that
    can have been measured. A repeated hour needs both occurrences (order of appearance decides), or one that can only be the first.

    `end_of_s` is the length of intervals that are named by their end: some write it by the clock, some as the start on the wall plus
    the length, and over a clock change the two differ; the file shows which it is. Only rows `needed` (n,) are complained about."""
    utc, good, repeated = stamps.seconds.copy(), stamps.good.copy(), np.zeros(len(rows), dtype=bool)
    naive = np.flatnonzero(stamps.naive & stamps.good)
    if zone is None or not len(naive):
        return Resolved(utc, repeated, good)
    wall, own = stamps.seconds[naive], groups[naive]
    read = _read(wall, own, zone, latest)
    if end_of_s:
        by_start = _read(wall - end_of_s, own, zone, latest - end_of_s)
        by_start = _Reading(by_start.utc + end_of_s, by_start.skipped, by_start.twice, by_start.unclear)
        first, second = (by_start, read) if by_start.faults(latest) < read.faults(latest) else (read, by_start)
        other = first.skipped & ~second.skipped  # where the clock jumps, both ways of writing name one instant
        read = _Reading(np.where(other, second.utc, first.utc), first.skipped & ~other, first.twice, first.unclear)
    utc[naive], repeated[naive] = read.utc, read.twice & ~read.skipped
    good[naive[read.skipped | read.unclear]] = False
    asked = np.ones(len(naive), dtype=bool) if needed is None else needed[naive]
    _complain(stamps, naive[read.skipped & asked], naive[read.unclear & asked], zone, name, rows, mistakes)
    return Resolved(utc, repeated, good)


def _complain(
    stamps: Stamps,
    skipped: NDArray[np.intp],
    unclear: NDArray[np.intp],
    zone: str,
    name: str,
    rows: NDArray[np.int64],
    mistakes: Mistakes,
) -> None:
    fixed = _fixed_zone(int(stamps.seconds[skipped[0]]), zone) if len(skipped) else ""
    mistakes.add_rows(
        skipped,
        rows,
        lambda i: f"the stamp {shown(stamps, i)} does not exist in {zone}: the clock jumps over it",
        "write the offset" + (f", or declare time_zone: {fixed}, if the sender's clock knows no summer time" if fixed else ""),
        column=name,
    )
    mistakes.add_rows(
        unclear,
        rows,
        lambda i: f"the stamp {shown(stamps, i)} occurs twice in {zone}, and the file does not tell which it is",
        "give both occurrences in order of time, or write the offset",
        column=name,
    )


def _fixed_zone(wall: int, zone: str) -> str:
    """The zone without summer time whose clock went on where this one jumped; empty where it has no name."""
    offset = int(utc_offsets(np.array([wall - DAY_S], dtype=np.int64), zone)[0])
    return "" if offset % 3600 else f"Etc/GMT{-offset // 3600:+d}" if offset else "UTC"


def _read(wall: Instants, groups: NDArray[np.int64], zone: str, latest: int) -> _Reading:
    early, late = local_to_utc(wall, zone)
    skipped, twice = early < 0, (early >= 0) & (early != late)
    utc, unclear = early.copy(), np.zeros(len(wall), dtype=bool)
    if twice.any():
        which = np.flatnonzero(twice)
        second, unclear[which] = _occurrences(wall, groups, which, late[which], latest)
        utc[which] = np.where(second, late[which], early[which])
    return _Reading(utc, skipped, twice, unclear)


def _occurrences(
    wall: Instants, groups: NDArray[np.int64], which: NDArray[np.intp], late: Instants, latest: int
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """For each stamp of a repeated hour: is it the second occurrence, and is that unclear. The order of appearance counts only in a
    file that runs forward, or backward, throughout."""
    twice = np.zeros(len(wall), dtype=bool)
    twice[which] = True
    direction = _direction(wall, groups, twice)
    second, unclear = np.zeros(len(which), dtype=bool), np.zeros(len(which), dtype=bool)
    keys = np.stack([groups[which], wall[which]], axis=1)
    _, inverse, counts = np.unique(keys, axis=0, return_inverse=True, return_counts=True)
    inverse = inverse.reshape(-1)
    order = np.argsort(inverse, kind="stable")
    firsts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    rank = np.empty(len(which), dtype=np.int64)
    rank[order] = np.arange(len(which)) - firsts[inverse[order]]
    count = counts[inverse]
    pair = count == 2
    second[pair] = (rank[pair] == 1) if direction >= 0 else (rank[pair] == 0)
    unclear |= pair & (direction == 0)
    unclear |= (count == 1) & (late <= latest) | (count > 2)
    return second, unclear


def _direction(wall: Instants, groups: NDArray[np.int64], twice: NDArray[np.bool_]) -> int:
    """1 when each series runs forward, -1 backward, 0 when neither. Once a day it may turn back inside the repeated hour."""
    order = np.argsort(groups, kind="stable")
    same = np.diff(groups[order]) == 0
    steps = np.where(same, np.diff(wall[order]), 0)
    inside = twice[order][1:] & twice[order][:-1]
    days = np.stack([groups[order][1:], wall[order][1:] // DAY_S], axis=1)
    for sign in (1, -1):
        turns = sign * steps < 0
        _, per_day = np.unique(days[turns], axis=0, return_counts=True)
        if inside[turns].all() and (per_day <= 1).all() and (sign > 0 or (steps < 0).any()):
            return sign
    return 0
