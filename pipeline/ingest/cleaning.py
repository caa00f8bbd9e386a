"""The written rules for one series: what is repaired with a flag, what is refused. docs/ingest.md says them in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.cases.case import Case
from pipeline.cases.sources import Series
from pipeline.core.clock import Instants, from_epoch, utc_offsets
from pipeline.ingest.carrying import carried_kw
from pipeline.ingest.mistakes import Mistakes
from pipeline.ingest.points import Points
from pipeline.ingest.quality import Quality

CLIP_SHARE = 0.02  # of the usual level: so far outside the plausible range is noise of a meter
SPIKE_SDS = 10.0
SPIKE_LEVELS = 2.0  # a spike stands so many times the highest smoothed level away from its neighbours
LOW_COUNT = 96  # values that a judgement on the unit's low side needs
UNIT_RATIO = (300.0, 3000.0)  # about a thousand
BEYOND = 30.0  # times what the case can carry to a load: not its unit
JUMPS = ("price", "other")  # kinds of which nobody can say how far they may go
EXCESS = 20.0  # times the usual level: neither a spike nor a measurement


@dataclass(frozen=True)
class Clean:
    """One series ready for the store: sorted, distinct, on the series' own resolution. Shapes (n,)."""

    series: Series
    start: Instants
    value: NDArray[np.float64]
    quality: NDArray[np.int16]
    known_at: Instants | None
    gaps: int


def usual_level(series: Series, history: NDArray[np.float64]) -> float | None:
    """What a high value of a series is: the largest of the 95th percentile of stored values (a week of them), that of the expectation
    table, and half the capacity; None when nothing is known. In the series' unit."""
    levels = [series.capacity_kw / 2] if series.capacity_kw else []
    for known, enough in ((history, 7 * LOW_COUNT), (np.array(series.by_local_hour or ()), 1)):
        size = np.abs(known[known != 0])
        if len(size) >= enough:
            levels.append(float(np.quantile(size, 0.95)))
    return max(levels, default=None)


def clean(case: Case, points: Points, *, resolution_min: int, history: NDArray[np.float64], mistakes: Mistakes) -> Clean:
    """Applies the rules in their order: gaps, order, duplicates, unit, spikes, range, resolution."""
    series = points.target.series
    present = ~np.isnan(points.value)
    points = _taken(points, np.flatnonzero(present))
    points = _distinct(_sorted(points), mistakes)
    level = usual_level(series, history)
    if len(points.value) and not (_wrong_unit(points, level, mistakes) or (level is None and _beyond_case(case, points, mistakes))):
        points = _at_rest(points)
        points = _within_range(_without_spikes(points, level, 60 * resolution_min), level, mistakes)
    points = _at_resolution(case, points, resolution_min, mistakes)
    step = 60 * series.resolution_min
    distinct = np.unique(points.start)
    gaps = int((distinct[-1] - distinct[0]) // step + 1 - len(distinct)) if len(distinct) else 0
    return Clean(series, points.start, points.value, points.quality, points.known_at, gaps)


def _taken(points: Points, where: NDArray[np.intp]) -> Points:
    return replace(
        points,
        start=points.start[where],
        value=points.value[where],
        row=points.row[where],
        quality=points.quality[where],
        known_at=None if points.known_at is None else points.known_at[where],
    )


def _say(points: Points, words: str) -> Callable[[int], str]:
    """Wording of one position, with the value as the source has it."""
    unit, factor = points.target.unit, points.target.factor
    return lambda i: f"{points.value[i] / factor:.10g} {unit} ({points.target.label}, {_utc(points.start[i])}) {words}"


def _utc(seconds: int | np.integer) -> str:
    return from_epoch(int(seconds)).strftime("%Y-%m-%dT%H:%MZ")


def _sorted(points: Points) -> Points:
    if len(points.start) < 2 or ((np.diff(points.start) >= 0).all() and points.known_at is None):
        return points
    keys = (points.row, points.start) if points.known_at is None else (points.row, points.known_at, points.start)
    moved = (np.diff(points.start) < 0).any()
    ordered = _taken(points, np.lexsort(keys))
    return replace(ordered, quality=ordered.quality | np.int16(Quality.REORDERED)) if moved else ordered


def _distinct(points: Points, mistakes: Mistakes) -> Points:
    """Identical rows become one. Two values of one interval (known at the same moment) are refused."""
    if len(points.start) < 2:
        return points
    same = np.diff(points.start) == 0
    if points.known_at is not None:
        same &= np.diff(points.known_at) == 0
    if not same.any():
        return points
    again = np.flatnonzero(same) + 1
    differs = again[points.value[again] != points.value[again - 1]]
    mistakes.add_rows(
        differs,
        points.row,
        lambda i: _say(points, f"contradicts {points.value[i - 1] / points.target.factor:.10g} in row {points.row[i - 1]}")(i),
        "keep the row that is right",
        column=points.target.column,
    )
    first = np.concatenate([[True], ~same])
    kept = np.flatnonzero(first)
    quality = points.quality.copy()
    quality[kept[np.cumsum(first)[again] - 1]] |= np.int16(Quality.DUPLICATE)
    return _taken(replace(points, quality=quality), kept)


def _wrong_unit(points: Points, level: float | None, mistakes: Mistakes) -> bool:
    """True, with a mistake, when the values are about a thousand times too big or too small for the series."""
    size = np.abs(points.value[points.value != 0])
    if level is None or not len(size):
        return False
    ratio = float(np.quantile(size, 0.95)) / level
    big = UNIT_RATIO[0] <= ratio <= UNIT_RATIO[1]
    small = len(size) >= LOW_COUNT and 1 / UNIT_RATIO[1] <= ratio <= 1 / UNIT_RATIO[0]
    if not (big or small):
        return False
    at = int(np.argmax(np.abs(points.value)))
    smaller, larger = {"kW": ("W", "MW"), "kWth": ("Wth", "MWth"), "kvar": ("var", "Mvar")}.get(
        points.target.series.unit, ("per MWh", "per kWh")
    )
    said = f"is about {ratio:.0f} times" if big else f"is about 1/{1 / ratio:.0f} of"
    mistakes.add(
        _say(points, f"{said} what {points.target.series.id} usually has ({level:.4g} {points.target.series.unit})")(at),
        f"the unit is not {points.target.unit}: declare unit {smaller if big else larger}",
        row=int(points.row[at]),
        column=points.target.column,
    )
    return True


def _beyond_case(case: Case, points: Points, mistakes: Mistakes) -> bool:
    """True, with a mistake, when a load of which nothing is known yet is far above what the case can carry to it."""
    series, size = points.target.series, np.abs(points.value[points.value != 0])
    carried = carried_kw(case, series) if series.kind in ("load", "heat") else None
    if not carried or not len(size) or float(np.quantile(size, 0.95)) <= BEYOND * carried:
        return False
    at = int(np.argmax(np.abs(points.value)))
    said = f"and its like are {float(np.quantile(size, 0.95)) / carried:.0f} times what ties, branches and own supply can bring to"
    units = "Wth, kWth or MWth" if series.unit == "kWth" else "W, kW or MW"
    mistakes.add(
        _say(points, f"{said} {series.id} ({carried:.4g} {series.unit})")(at),
        f"declare the unit the source is in: {units}; if it is {points.target.unit}, mend series_share or the ties' limits in the case",
        row=int(points.row[at]),
        column=points.target.column,
    )
    return True


def _at_rest(points: Points) -> Points:
    """A load of a day and more without a single consumption is kept and flagged."""
    if points.target.series.kind != "load" or len(points.value) < LOW_COUNT or points.value.any():
        return points
    return replace(points, quality=points.quality | np.int16(Quality.ALL_ZERO))


def _without_spikes(points: Points, level: float | None, step: int) -> Points:
    """One or two values that stand far above or below steady neighbours become the line between them. What may jump is only flagged."""
    count = len(points.value)
    if count < 5 or points.known_at is not None:
        return points
    if level is None and (count < LOW_COUNT or not np.median(np.abs(points.value))):
        return points  # too short, or at rest most of the time: nobody knows what it does when it wakes
    windows = np.lib.stride_tricks.sliding_window_view(points.value, 5)
    centre = np.median(windows, axis=1)
    away = np.abs(points.value[2:-2] - centre)
    close = points.start[4:] - points.start[:-4] <= 8 * step
    top = max(level or 0.0, float(np.abs(centre).max()))
    found = np.flatnonzero(close & (away > SPIKE_LEVELS * top) & (away > SPIKE_SDS * 1.4826 * float(np.median(away)))) + 2
    if not len(found):
        return points
    quality, value = points.quality.copy(), points.value.copy()
    if points.target.series.kind in JUMPS:
        quality[found] |= np.int16(Quality.SUSPECT)
        return replace(points, quality=quality)
    steady = np.ones(count, dtype=bool)
    steady[found] = False
    value[found] = np.interp(points.start[found], points.start[steady], value[steady])
    quality[found] |= np.int16(Quality.SPIKE)
    return replace(points, value=value, quality=quality)


def _within_range(points: Points, level: float | None, mistakes: Mistakes) -> Points:
    """A hair outside the plausible range is moved to its edge, more is refused."""
    series, column, value = points.target.series, points.target.column, points.value
    hair = CLIP_SHARE * (level if level is not None else float(np.quantile(np.abs(value), 0.95)))
    low = -np.inf if series.minimum is None else series.minimum
    high = np.inf if series.maximum is None else series.maximum
    under, over = np.flatnonzero(value < low - hair), np.flatnonzero(value > high + hair)
    mistakes.add_rows(
        under,
        points.row,
        _say(points, f"is below the minimum of {series.id}, {low:g} {series.unit}"),
        _low_remedy(series, value),
        column=column,
    )
    mistakes.add_rows(
        over,
        points.row,
        _say(points, f"is above the maximum of {series.id}, {high:g} {series.unit}"),
        "mend the value, or raise maximum in the case",
        column=column,
    )
    if level is not None and series.kind not in JUMPS:
        excess = np.flatnonzero((np.abs(value) > EXCESS * level) & (value <= high + hair) & (value >= low - hair))
        mistakes.add_rows(
            excess,
            points.row,
            _say(points, f"is more than {EXCESS:g} times what {series.id} usually has ({level:.4g} {series.unit})"),
            "mend the value or its unit; if it is true, raise capacity_kw or by_local_hour in the case",
            column=column,
        )
    clipped = np.clip(value, low, high)
    moved = clipped != value
    return (
        replace(points, value=clipped, quality=(points.quality | np.where(moved, Quality.CLIPPED, 0)).astype(np.int16))
        if moved.any()
        else points
    )


def _low_remedy(series: Series, value: NDArray[np.float64]) -> str:
    if series.kind == "price":
        return "a series that goes below it needs a lower `minimum`: a column of series.csv"
    if series.minimum == 0 and (value <= 0).mean() > 0.5:
        return "most values are negative: declare sign: -1 in the mapping"
    return "mend the value; declare sign: -1 if the meter counts the other way"


def _at_resolution(case: Case, points: Points, resolution_min: int, mistakes: Mistakes) -> Points:
    """Coarser values hold over the parts of their interval; finer ones are averaged where at least half of the interval is there."""
    series, step = points.target.series, 60 * points.target.series.resolution_min
    source = 60 * resolution_min
    if source == step or not len(points.start):
        return points
    if source % step and step % source:
        mistakes.add(
            f"steps of {resolution_min} min do not fit {series.id}, which has {series.resolution_min} min",
            "give the series its own resolution_min",
            column=points.target.column,
        )
        return points
    if source > step:
        parts = source // step
        held = _taken(points, np.repeat(np.arange(len(points.start)), parts))
        return replace(
            held, start=held.start + np.tile(step * np.arange(parts), len(points.start)), quality=held.quality | np.int16(Quality.HELD)
        )
    wall = points.start + utc_offsets(points.start, case.time_zone)
    return _averaged(points, points.start - wall % step, step // source)


def _averaged(points: Points, interval: Instants, parts: int) -> Points:
    """Means per interval. Versions of a value are not averaged: of each part the last known stands."""
    last = np.concatenate([np.diff(points.start) != 0, [True]])
    points, interval = _taken(points, np.flatnonzero(last)), interval[last]
    starts, first, counts = np.unique(interval, return_index=True, return_counts=True)
    mean = np.add.reduceat(points.value, first) / counts
    quality = np.bitwise_or.reduceat(points.quality, first) | np.where(counts < parts, Quality.PARTIAL, 0).astype(np.int16)
    known = None if points.known_at is None else np.maximum.reduceat(points.known_at, first)
    enough = 2 * counts >= parts
    return replace(
        points,
        start=starts[enough],
        value=mean[enough],
        row=points.row[first][enough],
        quality=quality[enough].astype(np.int16),
        known_at=None if known is None else known[enough],
    )
