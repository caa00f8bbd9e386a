"""A counter's readings of other imports: what it counted between two files is known by the last of one and the first of the next."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from pipeline.ingest.points import COLUMNS, Points
from pipeline.store.counter_spans import CounterSpan
from pipeline.store.warehouse import Warehouse


class Reading(NamedTuple):
    """One reading of another import."""

    read_at: int
    reading: float  # as the source counts
    said_at: int


def span_of(points: Points) -> tuple[CounterSpan, ...]:
    """Where the readings of a counter, in order of time, begin and end; nothing where there are none."""
    if not len(points.start):
        return ()
    said_at = 0 if points.known_at is None else int(points.known_at[-1])
    (first_at, last_at), (first, last) = points.start[[0, -1]].tolist(), points.said[[0, -1]].tolist()
    return (CounterSpan(points.target.series.id, first_at, first, last_at, last, points.target.factor, said_at),)


def with_beside(points: Points, beside: Sequence[Reading], *, rows: int) -> Points:
    """The points between readings of other imports, which stand behind the `rows` that the source has of the series."""
    if not len(points.start) or not beside:
        return points
    said = np.array([one.reading for one in beside])
    ends = [0 if one.read_at < points.start[0] else -1 for one in beside]
    added: dict[str, Any] = {
        "start": np.array([one.read_at for one in beside], dtype=np.int64), "value": said * points.target.factor, "said": said,
        "length_s": points.length_s[ends], "at": np.arange(rows, rows + len(beside)), "row": points.row[ends],
        "quality": np.zeros(len(beside), dtype=np.int16), "stray": np.zeros(len(beside), dtype=bool),
    }
    arrays = {name: np.concatenate([getattr(points, name), added[name]]) for name in COLUMNS}
    order = np.argsort(arrays["start"], kind="stable")
    known = points.known_at
    if known is not None:
        known = np.concatenate([known, np.array([one.said_at for one in beside], dtype=np.int64)])[order]
    ordered: dict[str, Any] = {name: array[order] for name, array in arrays.items()}
    return replace(points, **ordered, known_at=known)


class _Spans:
    """Spans of one series in order of their beginning, each with the one that reaches furthest among those up to it."""

    def __init__(self) -> None:
        self.begins: list[int] = []
        self.spans: list[CounterSpan] = []
        self.furthest: list[CounterSpan] = []

    def add(self, span: CounterSpan) -> None:
        at = bisect_right(self.begins, span.first_at)
        self.begins.insert(at, span.first_at)
        self.spans.insert(at, span)
        del self.furthest[at:]
        for one in self.spans[at:]:
            self.furthest.append(max(one, self.furthest[-1], key=lambda held: held.last_at) if self.furthest else one)

    def beside(self, first: int, last: int) -> list[CounterSpan]:
        before, after = bisect_left(self.begins, first), bisect_right(self.begins, last)
        return [*self.furthest[max(before - 1, 0) : before], *self.furthest[max(after - 1, 0) : after], *self.spans[after : after + 1]]


class Counters:
    """Where the counters of a source begin and end in its imports: those stored, and those of the units that are read with this one."""

    def __init__(self, warehouse: Warehouse, namespace: str, source: str) -> None:
        self._stored = (warehouse, namespace, source)
        self._read: dict[str, _Spans] = {}

    def beside(self, points: Points) -> list[Reading]:
        """The reading next before and the one next after those of a counter; none for anything else, nor where another import has its
        readings on both sides: it knows better."""
        valued = ~np.isnan(points.value)
        if points.target.reading != "count" or not valued.any():
            return []
        (warehouse, namespace, source), series = self._stored, points.target.series.id
        first, last = int(points.start[valued].min()), int(points.start[valued].max())
        near = self._read[series].beside(first, last) if series in self._read else []
        near += warehouse.counter_spans(namespace, source, series, first=first, last=last)
        near = [one for one in near if one.factor == points.target.factor]
        found = []
        before = max((one for one in near if one.last_at < first), key=lambda one: one.last_at, default=None)
        if before is not None and not any(one.first_at < first <= one.last_at for one in near):
            found.append(Reading(before.last_at, before.last_count, before.said_at))
        after = min((one for one in near if one.first_at > last), key=lambda one: one.first_at, default=None)
        if after is not None and not any(one.first_at <= last < one.last_at for one in near):
            found.append(Reading(after.first_at, after.first_count, after.said_at))
        return found

    def note(self, spans: Iterable[CounterSpan]) -> None:
        """What a unit holds that was found to be good."""
        for one in spans:
            self._read.setdefault(one.series, _Spans()).add(one)
