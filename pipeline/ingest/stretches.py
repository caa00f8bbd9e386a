"""How long each value of a source holds: judged by its stamps, stretch by stretch, and the grid that follows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.cases.case import Case
from pipeline.core.clock import Instants, utc_offsets
from pipeline.ingest.mistakes import Mistakes

SNAP_S = 30
HOUR_S = 3600
DAY_S = 24 * HOUR_S
MANY = 8  # so many equal steps of time are a resolution
FEW = 3  # enough where the length held so far would overlap the next stamp
FINE = tuple(seconds for seconds in range(60, HOUR_S + 1, 60) if HOUR_S % seconds == 0)  # whole minutes that divide an hour


def lengths_of(stamps: Instants, *, declared_s: int, ends: bool) -> NDArray[np.int64]:
    """Seconds that each of the stamped values holds, shape (n,): `declared_s` but for stretches whose stamps show another resolution.

    stamps: UTC, in any order, with repetitions. A stretch is a run of equal steps that divide the hour, or are as declared.
    """
    distinct, inverse = np.unique((stamps + SNAP_S) // 60 * 60, return_inverse=True)
    steps = np.diff(distinct)
    if not len(steps):
        return np.full(len(stamps), declared_s, dtype=np.int64)
    sizes = np.repeat(*_runs(steps))
    sound = np.isin(steps, (*FINE, declared_s))
    claimed = np.where(sound & (sizes >= MANY), steps, 0)
    length = _of_stamps(claimed, declared_s, ends)
    reach = length[1:] if ends else length[:-1]
    short = sound & (sizes >= FEW) & (steps < reach)
    if short.any():
        length = _of_stamps(np.where(short, steps, claimed), declared_s, ends)
    return length[inverse.reshape(-1)]


def _runs(steps: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Length of each run of equal steps, twice: once as what is repeated, once as how often."""
    first = np.flatnonzero(np.concatenate([[True], steps[1:] != steps[:-1]]))
    sizes = np.diff(np.append(first, len(steps)))
    return sizes, sizes


def _of_stamps(claimed: NDArray[np.int64], declared_s: int, ends: bool) -> NDArray[np.int64]:
    """Length at each stamp from the claimed step after it (before it where stamps are ends); others take their neighbour's, 0 is none."""
    own = np.concatenate([[0], claimed]) if ends else np.concatenate([claimed, [0]])
    if not own.any():
        return np.full(len(own), declared_s, dtype=np.int64)
    last = np.maximum.accumulate(np.where(own > 0, np.arange(len(own)), -1))
    first = int(np.flatnonzero(own)[0])
    return np.where(last >= 0, own[np.maximum(last, 0)], own[first]).astype(np.int64)


def on_grid(case: Case, stamps: Instants, length: NDArray[np.int64]) -> tuple[Instants, NDArray[np.bool_], NDArray[np.bool_]]:
    """Stamps moved to the grid of their lengths; which were moved, and which are too far off (n,).

    The grid is counted on the case's wall clock, or in UTC where more of them fit that: in a zone of half hours both are written.
    """
    step = np.minimum(length, HOUR_S)  # longer values may begin at any hour
    room = np.minimum(SNAP_S, step // 10)
    clocks = (stamps + utc_offsets(stamps, case.time_zone), stamps)
    off, near = max((_off(clock, step, room) for clock in clocks), key=lambda one: int(one[1].sum()))
    return np.where(near, stamps - off, stamps), near & (off != 0), ~near


def _off(clock: Instants, step: NDArray[np.int64], room: NDArray[np.int64]) -> tuple[Instants, NDArray[np.bool_]]:
    """Seconds from the nearest point of the grid, and where these are few (n,)."""
    off = (clock + step // 2) % step - step // 2
    return off, np.abs(off) <= room


def within_others(stamps: Instants, length: NDArray[np.int64], sound: NDArray[np.bool_], *, ends: bool) -> NDArray[np.bool_]:
    """Which stamps lie inside an interval of one of the `sound` ones; shapes (n,)."""
    order = np.argsort(stamps[sound], kind="stable")
    starts = stamps[sound][order] - (length[sound][order] if ends else 0)
    if not len(starts):
        return np.zeros(len(stamps), dtype=bool)
    before = np.searchsorted(starts, stamps, side="right") - 1
    reach = starts[np.maximum(before, 0)] + length[sound][order][np.maximum(before, 0)]
    return np.asarray((before >= 0) & (stamps < reach))


def irregular(stamps: Instants, far: NDArray[np.bool_], *, column: str, row: int, mistakes: Mistakes) -> bool:
    """True, with a mistake, when most stamps lie `far` (n,) off every grid, each elsewhere: the source writes when something changes."""
    if 2 * far.sum() <= len(stamps) or len(np.unique(stamps[far] % HOUR_S)) <= max(MANY, FEW * len(FINE)):
        return False
    mistakes.add(
        f"stamps are irregular: {int(far.sum()):,} of {len(stamps):,} lie off the grid of any resolution, as where values are written "
        "when they change",
        "average it to a resolution first, one row per 15 minutes or hour, and send that",
        row=row,
        column=column,
    )
    return True


def wrong_resolution(
    stamps: Instants, length: NDArray[np.int64], *, columns: int, column: str, row: int, mistakes: Mistakes
) -> bool:
    """True, with a mistake, when most steps of time are of a length that no interval has. columns: how many the table has."""
    distinct, at = np.unique(stamps, return_index=True)
    steps = np.diff(distinct)
    if len(steps) < MANY:
        return False
    sizes, counts = np.unique(steps, return_counts=True)
    usual = int(sizes[np.argmax(counts)])
    if 2 * counts.max() <= len(steps) or (length[at] == usual).any() or usual in FINE:
        return False
    if usual == DAY_S and columns >= DAY_S // HOUR_S:
        remedy = "send one row per interval: a table with the intervals of a day in its columns is turned into rows first"
    elif usual > HOUR_S and usual % HOUR_S == 0:
        remedy = f"declare resolution_min: {usual // 60} if each value holds so long"
    else:
        remedy = f"send one value per {', '.join(str(seconds // 60) for seconds in FINE)} minutes"
    mistakes.add(f"stamps are {_said(usual)} apart", remedy, row=row, column=column)
    return True


def _said(seconds: int) -> str:
    return f"{seconds} s" if seconds < 60 else f"{seconds / 60:g} min"
