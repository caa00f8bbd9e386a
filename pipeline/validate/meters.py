"""Meters that stand still, or rest at zero, for longer than their own habit: dead or frozen, though values keep coming."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.cases.case import Case
from pipeline.core.clock import Instants, from_epoch
from pipeline.store.observations import Observations
from pipeline.validate.findings import Finding

HOUR_S, DAY_S = 3600, 86400
HABIT_DAYS = 3  # of values before the run: less tells no habit
FEWEST = 6  # values in a run


@dataclass(frozen=True)
class Rule:
    """When a run is too long for a kind of series: so many hours at least, and so many times the longest earlier run of its sort."""

    still_h: float  # at one value that is not zero
    zero_h: float
    zero_habits: float = 2.0
    habit_most_h: float = np.inf  # what rested longer than this before has seasons: its rest is no fault


STILL_HABITS = 2.0
RULES: dict[str, Rule] = {
    "load": Rule(still_h=3, zero_h=3),
    "heat": Rule(still_h=6, zero_h=6, habit_most_h=3),
    "pv": Rule(still_h=3, zero_h=48, zero_habits=3),
    "wind": Rule(still_h=6, zero_h=24),
    "other": Rule(still_h=6, zero_h=24),
}


@dataclass(frozen=True)
class Standing:
    """A run of equal values up to the newest one."""

    since: int  # UTC epoch seconds
    value: float
    lasts_s: int
    habit_s: int  # the longest earlier run at zero, or at one other value


def standing(start: Instants, value: NDArray[np.float64], *, resolution_s: int, kind: str) -> Standing | None:
    """The run of equal values that a series ends with, where it is longer than the series ever stood so; None where it is as ever.

    start, value: in order of time, shapes (n,). Kinds that no meter measures (prices) never stand.
    """
    rule = RULES.get(kind)
    if rule is None or len(value) < FEWEST:
        return None
    first = np.flatnonzero(np.concatenate([[True], value[1:] != value[:-1]]))
    last = np.append(first[1:], len(value)) - 1
    lasts = start[last] + resolution_s - start[first]
    at_rest = value[first] == 0
    alike = at_rest[:-1] == at_rest[-1]
    habit = int(lasts[:-1][alike].max(initial=0))
    run, known = int(lasts[-1]), start[first[-1]] - start[0] >= HABIT_DAYS * DAY_S
    least_h, habits = (rule.zero_h, rule.zero_habits) if at_rest[-1] else (rule.still_h, STILL_HABITS)
    seasonal = at_rest[-1] and habit > rule.habit_most_h * HOUR_S
    if not known or seasonal or last[-1] - first[-1] + 1 < FEWEST or run < least_h * HOUR_S or run <= habits * habit:
        return None
    return Standing(int(start[first[-1]]), float(value[-1]), run, habit)


def may_stand(case: Case, known: Observations) -> tuple[str, ...]:
    """Series whose newest values are all equal for as long as their kind asks, or for as long as `known` goes back."""
    latest = known.latest()
    found = []
    for index, name in enumerate(latest.series):
        value, rule = latest.value[latest.series_index == index], RULES.get(case.series_by_id[name].kind)
        if rule is None or len(value) < FEWEST:
            continue
        least_h = rule.zero_h if value[-1] == 0 else rule.still_h
        count = max(FEWEST, int(least_h * HOUR_S / latest.resolution_s[index]))
        if (value[-count:] == value[-1]).all():
            found.append(name)
    return tuple(found)


def standing_meters(case: Case, known: Observations) -> list[Finding]:
    """A warning for every measured series that stands still; `known` is what was known at the issue time."""
    latest = known.latest()
    found = []
    for index, (name, resolution_s) in enumerate(zip(latest.series, latest.resolution_s, strict=True)):
        rows = latest.series_index == index
        series = case.series_by_id[name]
        one = standing(latest.valid_from[rows], latest.value[rows], resolution_s=resolution_s, kind=series.kind)
        if one is None:
            continue
        what = "rests at zero" if one.value == 0 else f"stands at {one.value:g} {series.unit}"
        hours, habit_h = one.lasts_s / HOUR_S, one.habit_s / HOUR_S
        said = f"{what} since {from_epoch(one.since).isoformat()}, for {hours:g} h; the longest time before was {habit_h:g} h"
        found.append(Finding("warning", "standing_meter", name, said, hours, habit_h))
    return found
