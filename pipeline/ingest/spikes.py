"""Spikes, judged from what came before them and nothing else: what a value is called never depends on a later one."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.core.clock import Instants
from pipeline.ingest.points import Points
from pipeline.ingest.quality import Quality

DAY_S = 86400
WINDOW_S = 28 * DAY_S  # before the day of a value: what its series was like
MARGIN_S = 2 * DAY_S  # read beside, so that medians at the window's edge are the same wherever a file begins
SPIKE_SDS = 10.0
SPIKE_LEVELS = 2.0  # a spike stands so many times the highest smoothed level above its neighbours
ENOUGH = 96  # values that tell what a series is like
NEIGHBOURS = 5
FEWEST = 3  # neighbours that a judgement needs
NEAR = 8  # lengths of a value: what lies further back is no neighbour
RUN = 2  # values in a row that may be a spike; what lasts longer is true
JUMPS = ("price", "other")  # kinds of which nobody can say how far they may go
MARKED = int(Quality.SPIKE | Quality.SUSPECT)


@dataclass(frozen=True)
class Context:
    """What is stored of a series before its first point, in order of time. Shapes (n,)."""

    start: Instants
    value: NDArray[np.float64]
    quality: NDArray[np.int16]

    @classmethod
    def empty(cls) -> Context:
        """Nothing is stored."""
        return cls(np.empty(0, dtype=np.int64), np.empty(0), np.empty(0, dtype=np.int16))


class _Trail:
    """A series in order of time, stored values first, as it is while its spikes are taken out."""

    def __init__(self, points: Points, before: Context) -> None:
        self.first = len(before.start)
        self.start = np.concatenate([before.start, points.start])
        self.value = np.concatenate([before.value, points.value])
        self.quality = np.concatenate([before.quality, points.quality])
        self.middle = np.empty(len(self.value))  # median of a value and the four before it
        self.smooth(0, len(self.value))

    def smooth(self, low: int, high: int) -> None:
        """Medians of the places low to high anew."""
        for i in range(low, min(high, NEIGHBOURS - 1)):
            self.middle[i] = np.median(self.value[: i + 1])
        low, high = max(low, NEIGHBOURS - 1), min(high, len(self.value))
        if low < high:
            windows = np.lib.stride_tricks.sliding_window_view(self.value[low - NEIGHBOURS + 1 : high], NEIGHBOURS)
            self.middle[low:high] = np.median(windows, axis=1)


def without_spikes(points: Points, before: Context, *, level: float | None) -> Points:
    """One or two values that stand far above what was before become the last value before them; what may jump is only flagged.

    points: one value per interval, in order of time. level: what is known of a high value beforehand (table, capacity), or None. A
    third value in a row is true: the level has changed. Until a day of values (or a level) is known nothing is judged.
    """
    if not len(points.value) or points.known_at is not None:
        return points
    trail = _Trail(points, before)
    days = trail.start[trail.first :] // DAY_S
    for day in np.unique(days):
        low, high = (trail.first + int(np.searchsorted(days, edge)) for edge in (day, day + 1))
        _judge_day(trail, points, slice(low, high), int(day) * DAY_S, level)
    return replace(points, value=trail.value[trail.first :], quality=trail.quality[trail.first :])


def _judge_day(trail: _Trail, points: Points, day: slice, begins: int, level: float | None) -> None:
    window = slice(int(np.searchsorted(trail.start, begins - WINDOW_S)), int(np.searchsorted(trail.start, begins)))
    known = window.stop - window.start >= ENOUGH
    if level is None and not (known and np.median(np.abs(trail.value[window]))):
        return  # nothing is known, or at rest most of the time: nobody knows what it does when it wakes
    top = max(level or 0.0, float(np.abs(trail.middle[window]).max()) if known else 0.0)
    high = np.flatnonzero(np.abs(trail.value[day]) > SPIKE_LEVELS * top) + day.start
    if not len(high):
        return
    scatter = np.abs(trail.value[window][1:] - trail.middle[window][:-1])
    least = max(SPIKE_LEVELS * top, SPIKE_SDS * 1.4826 * float(np.median(scatter)) if known else 0.0)
    done = -1
    for place in high.tolist():
        if place > done:
            done = _judge(trail, points, place, least)


def _judge(trail: _Trail, points: Points, place: int, least: float) -> int:
    """Judge the source's value that begins here; returns the last place that it holds."""
    own = place - trail.first
    end = own
    while end + 1 < len(points.at) and points.at[end + 1] == points.at[own]:
        end += 1
    parts, near = end - own + 1, NEAR * int(points.length_s[own])
    last = place + parts - 1
    behind = np.arange(place - 1, max(place - 1 - parts * NEIGHBOURS, -1), -parts)
    behind = behind[trail.start[place] - trail.start[behind] <= near]
    if len(behind) < FEWEST:
        return last
    marked = trail.quality[behind] & MARKED != 0
    if marked[:RUN].all():
        return last
    known = behind[~marked] if points.target.series.kind in JUMPS else behind
    if not len(known) or np.abs(trail.value[known] - trail.value[place]).min() <= least:
        return last
    group = slice(place, last + 1)
    if points.target.series.kind in JUMPS:
        trail.quality[group] |= np.int16(Quality.SUSPECT)
    else:
        trail.quality[group] |= np.int16(Quality.SPIKE)
        trail.value[group] = trail.value[place - 1]
        trail.smooth(place, last + NEIGHBOURS)
    return last
