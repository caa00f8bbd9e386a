"""Local time on the axes. Positions are hours since the day start, so a repeated hour never folds a curve back on itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.core.clock import DeliveryDay, Instants, from_epoch

Floats = NDArray[np.float64]


def zone_name_of(moment: datetime) -> str:
    """`CET`, or `UTC+01` for a zone that has no letters of its own."""
    name = moment.strftime("%Z")
    return name if name[:1].isalpha() else f"UTC{name}"


def local_label(instant: int, day: DeliveryDay, *, zone_name: bool = False) -> str:
    """Wall-clock time, `02:15`, or `02:15 CEST` where the hour happens twice or a zone name is wanted."""
    moment = from_epoch(instant).astimezone(day.zone)
    return f"{moment:%H:%M} {zone_name_of(moment)}" if zone_name else f"{moment:%H:%M}"


@dataclass(frozen=True)
class TimeGrid:
    """Intervals of one length over the delivery day. `key` names its shared coordinates in the page."""

    key: str
    starts: Instants  # (T,) UTC epoch seconds
    step_s: int
    day: DeliveryDay

    @property
    def step_h(self) -> float:
        return self.step_s / 3600

    def __len__(self) -> int:
        return len(self.starts)

    @cached_property
    def edges_h(self) -> Floats:
        """(T+1,) hours since the day start."""
        return np.append((self.starts - self.day.start) / 3600, (self.starts[-1] + self.step_s - self.day.start) / 3600)

    @cached_property
    def labels(self) -> list[str]:
        """(T+1,) local time of each edge; with zone name on the two days a year when the clock changes."""
        named = changes_clock(self.day)
        return [local_label(int(t), self.day, zone_name=named) for t in np.append(self.starts, self.starts[-1] + self.step_s)]

    @cached_property
    def spans(self) -> list[str]:
        """(T,) `02:00 to 02:15` for hover text of values that hold over an interval."""
        return [f"{a} to {b}" for a, b in zip(self.labels[:-1], self.labels[1:], strict=True)]

    def place(self, instants: Instants, values: Floats) -> Floats:
        """Values onto the grid, NaN where none, shape (T,). Instants between two starts belong to the earlier one."""
        out = np.full(len(self.starts), np.nan)
        index = (np.asarray(instants) - self.starts[0]) // self.step_s
        inside = (index >= 0) & (index < len(out))
        out[index[inside]] = np.asarray(values)[inside]
        return out

    def coordinates(self) -> dict[str, list[Any]]:
        """What the page's plots share instead of repeating it."""
        edges = self.edges_h
        return {
            f"{self.key}_edges": _short(edges),
            f"{self.key}_mids": _short((edges[:-1] + edges[1:]) / 2),
            f"{self.key}_ends": _short(edges[1:]),
            f"{self.key}_at": self.labels,
            f"{self.key}_span": [*self.spans, self.spans[-1]],
            f"{self.key}_end_at": self.labels[1:],
        }


def _short(values: Floats) -> list[float]:
    return [round(float(v), 4) for v in values]


def changes_clock(day: DeliveryDay) -> bool:
    """True on the two delivery days a year with 23 or 25 hours."""
    return day.end - day.start != 86400


def ticks(day: DeliveryDay, *, every_h: int = 2) -> tuple[list[float], list[str]]:
    """Positions and local-time labels of the ticks; both halves of a repeated hour are named with their zone."""
    positions: list[float] = []
    texts: list[str] = []
    offsets = {from_epoch(t).astimezone(day.zone).utcoffset() for t in (day.start, day.end)}
    for instant in range(day.start, day.end + 1, 1800):
        moment = from_epoch(instant).astimezone(day.zone)
        if moment.minute or moment.hour % every_h:
            continue
        text = moment.strftime("%H:%M")
        if len(offsets) > 1:
            text += f"<br>{zone_name_of(moment)}"
        elif moment.hour == 0:
            text += f"<br>{moment.day} {moment:%b}"
        positions.append((instant - day.start) / 3600)
        texts.append(text)
    return positions, texts


def zone_title(day: DeliveryDay) -> str:
    """Axis title: `local time (Europe/Berlin, CET; clock changes to CEST)`."""
    names: list[str] = []
    for instant in range(day.start, day.end, 1800):
        name = zone_name_of(from_epoch(instant).astimezone(day.zone))
        if name not in names:
            names.append(name)
    change = f"; clock changes to {names[1]}" if len(names) > 1 else ""
    return f"local time ({day.time_zone}, {names[0]}{change})"
