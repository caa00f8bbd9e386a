"""The written rules for one series: what is repaired with a flag, what is refused. docs/ingest.md says them in words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.cases.case import Case
from pipeline.cases.sources import Series
from pipeline.core.clock import Instants, from_epoch
from pipeline.core.units import thousandth
from pipeline.ingest.carrying import carried_kw
from pipeline.ingest.counters import Reading, span_of, with_beside
from pipeline.ingest.counts import differenced, is_undeclared_count
from pipeline.ingest.fates import Account, Fate, Fates
from pipeline.ingest.mistakes import Mistakes
from pipeline.ingest.points import Points, taken
from pipeline.ingest.quality import Quality
from pipeline.ingest.resolution import at_resolution, intervals_of
from pipeline.ingest.spikes import JUMPS, Context, without_spikes
from pipeline.store.counter_spans import CounterSpan

CLIP_SHARE = 0.02  # of the usual level: so far outside the plausible range is noise of a meter
LOW_COUNT = 96  # values that a judgement on the unit's low side needs
UNIT_RATIO = (300.0, 3000.0)  # about a thousand
BEYOND = 30.0  # times what the case can carry to a load: not its unit
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
    account: Account | None  # None where a mistake was found
    notes: tuple[str, ...]
    spans: tuple[CounterSpan, ...] = ()  # of a counter


def usual_level(series: Series, history: NDArray[np.float64]) -> float | None:
    """What a high value of a series is: the largest of the 95th percentile of stored values (a week of them), that of the expectation
    table, and half the capacity; None when nothing is known. In the series' unit."""
    levels = [series.capacity_kw / 2] if series.capacity_kw else []
    for known, enough in ((history, 7 * LOW_COUNT), (np.array(series.by_local_hour or ()), 1)):
        size = np.abs(known[known != 0])
        if len(size) >= enough:
            levels.append(float(np.quantile(size, 0.95)))
    return max(levels, default=None)


def clean(case: Case, points: Points, *, before: Context, mistakes: Mistakes, beside: Sequence[Reading] = ()) -> Clean:
    """Applies the rules in their order: gaps, order, repetitions, counters, unit, resolution, spikes, range.

    before: what is stored of the series before the first point; beside: a counter's readings of other imports next to its own.
    Every row is accounted for where there is no mistake.
    """
    series, found, fates = points.target.series, mistakes.count, Fates(len(points.value), beside=len(beside))
    rows, spans = len(points.value), tuple[CounterSpan, ...]()
    gap = np.isnan(points.value)
    fates.mark(points.at[gap & ~points.stray], Fate.GAP)
    fates.mark(points.at[points.stray], Fate.STRAY)
    points, notes = _sorted(taken(points, np.flatnonzero(~gap)))
    points = _distinct(points, mistakes, fates)
    if points.target.reading == "count":
        spans = span_of(points)
        points = differenced(with_beside(points, beside, rows=rows), fates)
    level = usual_level(series, before.value)
    judged = len(points.value) and not (
        is_undeclared_count(points, mistakes)
        or _wrong_unit(case, points, level, mistakes)
        or (level is None and _beyond_case(case, points, mistakes))
    )
    raw, points = points, at_resolution(case, points, fates)
    if judged:
        notes += _at_rest(points)
        points = without_spikes(points, before, level=usual_level(series, np.empty(0)))
        repaired = np.isin(intervals_of(case, raw), points.start[points.quality & Quality.SPIKE != 0])
        _check_range(taken(raw, np.flatnonzero(~repaired)), level, mistakes)
        points = _within_range(points)
    step = 60 * series.resolution_min
    distinct = np.unique(points.start)
    gaps = int((distinct[-1] - distinct[0]) // step + 1 - len(distinct)) if len(distinct) else 0
    if len(raw.start) and not len(points.start):
        notes += (f"no row of {series.id} was stored: together they hold less than half of an interval of {series.resolution_min} min; "
                  "send files in which its intervals are whole",)
    account = fates.account(series.id, points.target.label, len(points.start)) if mistakes.count == found else None
    return Clean(series, points.start, points.value, points.quality, points.known_at, gaps, account, notes, spans)


def _say(points: Points, words: str) -> Callable[[int], str]:
    """Wording of one position, with the value as the source has it."""
    target = points.target
    return lambda i: f"{points.said[i]:.10g} {target.unit} ({target.label}, {_utc(points.start[i])}) {words}"


def _utc(seconds: int | np.integer) -> str:
    return from_epoch(int(seconds)).strftime("%Y-%m-%dT%H:%MZ")


def _sorted(points: Points) -> tuple[Points, tuple[str, ...]]:
    """In order of time, versions in order of knowledge; and a note where the source was not in order."""
    moved = bool((np.diff(points.start) < 0).any())
    if not moved and points.known_at is None:
        return points, ()
    keys = (points.row, points.start) if points.known_at is None else (points.row, points.known_at, points.start)
    return taken(points, np.lexsort(keys)), ("rows were not in order of time and were sorted",) if moved else ()


def _distinct(points: Points, mistakes: Mistakes, fates: Fates) -> Points:
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
        lambda i: _say(points, f"contradicts {points.said[i - 1]:.10g} in row {points.row[i - 1]}")(i),
        "keep the row that is right",
        column=points.target.column,
    )
    fates.mark(points.at[again], Fate.MERGED)
    return taken(points, np.flatnonzero(np.concatenate([[True], ~same])))


def _at_rest(points: Points) -> tuple[str, ...]:
    """A note on a load of a day and more without a single consumption."""
    if points.target.series.kind != "load" or len(points.value) < LOW_COUNT or points.value.any():
        return ()
    return (f"all {len(points.value)} values of {points.target.series.id} are zero: a wrong column or a dead meter, or it rests",)


def _wrong_unit(case: Case, points: Points, level: float | None, mistakes: Mistakes) -> bool:
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
    right = thousandth(points.target.unit, of=1 if big else -1, currency=case.currency)
    said = f"is about {ratio:.0f} times" if big else f"is about 1/{1 / ratio:.0f} of"
    mistakes.add(
        _say(points, f"{said} what {points.target.series.id} usually has ({level:.4g} {points.target.series.unit})")(at),
        f"the unit is not {points.target.unit}: " + (f"declare unit {right}" if right else "mend scale_factor"),
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
    unit = points.target.unit
    smaller = [one for one in (thousandth(unit, of=count, currency=case.currency) for count in (1, 2)) if one is not None]
    remedy = f"declare the unit that the source is in: {' or '.join(smaller)}; if it is {unit}" if smaller else f"if the unit is {unit}"
    mistakes.add(
        _say(points, f"{said} {series.id} ({carried:.4g} {series.unit})")(at),
        f"{remedy}, mend series_share or the ties' limits in the case",
        row=int(points.row[at]),
        column=points.target.column,
    )
    return True


def _check_range(points: Points, level: float | None, mistakes: Mistakes) -> None:
    """Refuses what lies outside the plausible range by more than a hair, or far above the usual level."""
    if not len(points.value):
        return
    series, column, value = points.target.series, points.target.column, points.value
    hair = CLIP_SHARE * (level if level is not None else float(np.quantile(np.abs(value), 0.95)))
    low, high = _range(series)
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


def _range(series: Series) -> tuple[float, float]:
    return -np.inf if series.minimum is None else series.minimum, np.inf if series.maximum is None else series.maximum


def _within_range(points: Points) -> Points:
    """What lies a hair outside the plausible range is moved to its edge."""
    clipped = np.clip(points.value, *_range(points.target.series))
    moved = np.where(clipped != points.value, Quality.CLIPPED, 0)
    return replace(points, value=clipped, quality=(points.quality | moved).astype(np.int16))


def _low_remedy(series: Series, value: NDArray[np.float64]) -> str:
    if series.kind == "price":
        return "a series that goes below it needs a lower `minimum`: a column of series.csv"
    if series.minimum == 0 and (value <= 0).mean() > 0.5:
        return "most values are negative: declare sign: -1 in the mapping"
    return "mend the value, or lower minimum of the series in the case: a net load goes below zero"


