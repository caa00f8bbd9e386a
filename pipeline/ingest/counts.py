"""A meter's counter to means over the intervals between its readings, and loads that are counters without saying so."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pipeline.core.clock import from_epoch
from pipeline.core.units import AMOUNTS, measured_in
from pipeline.ingest.fates import Fate, Fates
from pipeline.ingest.mistakes import Mistakes
from pipeline.ingest.points import HOUR_S, Points, last_versions, taken
from pipeline.ingest.quality import Quality

DAYS_OF_RISE = 2
VALUES_OF_RISE = 96
FALLS_SHARE = 0.005  # of the steps of a counter: a reset or two
RISES_SHARE = 0.1
NEARLY_FULL = 0.9  # of a counter's largest number: what falls from there has rolled over
PLAUSIBLE = 20.0  # times the usual amount, at a rollover
COUNTED = ("load", "heat", "pv", "wind")


def is_undeclared_count(points: Points, mistakes: Mistakes) -> bool:
    """True, with a mistake, for a power that rises over days and never falls: that is what a counter does."""
    if points.target.reading == "count" or points.target.series.kind not in COUNTED or len(points.value) < VALUES_OF_RISE:
        return False
    days = (points.start[-1] - points.start[0]) / 86400
    steps = np.diff(points.value)
    if days < DAYS_OF_RISE or (steps < 0).mean() > FALLS_SHARE or (steps > 0).mean() < RISES_SHARE:
        return False
    target = points.target
    units = [name for name in AMOUNTS if measured_in(name) == target.series.unit]
    unit = target.unit if target.amount else next((name for name in units if name.startswith("k")), units[0])
    mistakes.add(
        f"{target.series.id} rises from {points.said[0]:.10g} to {points.said[-1]:.10g} {target.unit} in {days:.1f} days"
        f" (from {from_epoch(int(points.start[0])):%Y-%m-%dT%H:%MZ}) and never falls: that is a meter's counter, not a power",
        f"declare reading: count and what it counts, as unit: {unit} ({', '.join(units)})",
        row=int(points.row[0]),
        column=target.column,
    )
    return True


def differenced(points: Points, fates: Fates) -> Points:
    """Readings in order of time -> the mean of each interval between two of them, named by its start.

    A reading that falls below its neighbours, or stands above them, is taken out. Where a counter began again the interval is a gap;
    where it rolled over, what it counted is known. Between readings more than an hour (or the declared length) apart nothing is said.
    """
    points = _without_impossible(last_versions(points, fates), fates)
    if not len(points.start):
        return points
    step, delta = np.diff(points.start), np.diff(points.said)
    rolled = _rolled(points.said, step, delta)
    delta = np.where(rolled > 0, delta + rolled, delta)
    far, reset = step > np.maximum(points.length_s[:-1], HOUR_S), delta < 0
    fates.mark(points.at[:-1][reset & ~far], Fate.RESET)
    fates.mark(points.at[np.append(far, True)], Fate.UNMATCHED)
    kept = np.flatnonzero(~far & ~reset)
    known = None if points.known_at is None else np.maximum(points.known_at[:-1], points.known_at[1:])[kept]
    quality = points.quality[kept] | np.where(rolled[kept] > 0, Quality.ROLLOVER, 0).astype(np.int16)
    value = delta[kept] * points.target.factor * HOUR_S / step[kept]
    return replace(taken(points, kept), value=value, length_s=step[kept], quality=quality, known_at=known)


def _rolled(said: NDArray[np.float64], step: NDArray[np.int64], delta: NDArray[np.float64]) -> NDArray[np.float64]:
    """The counter's range where it rolled over between two readings, else 0; shape (n - 1,)."""
    found = np.zeros(len(delta))
    rises = delta > 0
    usual = float(np.quantile(delta[rises] / step[rises], 0.95)) if rises.any() else 0.0
    for i in np.flatnonzero(delta < 0):
        if said[i] <= 0 or said[i + 1] < 0:
            continue
        full = 10.0 ** np.ceil(np.log10(said[i]))
        if said[i] >= NEARLY_FULL * full and full + delta[i] <= PLAUSIBLE * usual * step[i]:
            found[i] = full
    return found


def _without_impossible(points: Points, fates: Fates) -> Points:
    """Without single readings that dip below, or stand above, a counter that goes on as if they were not there."""
    said, wrong = points.said, set[int]()
    for i in np.flatnonzero(np.diff(said) < 0).tolist():
        if i in wrong:
            continue
        if i + 2 < len(said) and said[i + 2] >= said[i]:
            wrong.add(i + 1)
        elif i and said[i + 1] >= said[i - 1]:
            wrong.add(i)
    if not wrong:
        return points
    out = np.array(sorted(wrong), dtype=np.intp)
    fates.mark(points.at[out], Fate.RESET)
    return taken(points, np.setdiff1d(np.arange(len(said)), out))
