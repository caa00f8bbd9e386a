"""Time. Stored time is UTC, an interval is named by its start, a delivery day has 92, 96 or 100 quarter-hours.

Instants are `int` UTC epoch seconds inside arrays and `datetime` (aware, UTC) at the edges: numpy's datetime64 has no
zone, and a naive stamp must never be mistaken for UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

QUARTER_S = 900
QUARTER_H = 0.25

Instants = NDArray[np.int64]
LocalDate = date  # inside DeliveryDay, `date` is the field


def to_epoch(moment: datetime) -> int:
    """UTC epoch seconds of an aware datetime; a naive one is refused."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment.isoformat()} has no time zone")
    return int(moment.timestamp())


def from_epoch(seconds: int) -> datetime:
    """Aware UTC datetime of epoch seconds."""
    return datetime.fromtimestamp(int(seconds), UTC)


@dataclass(frozen=True)
class DeliveryDay:
    """One delivery day: from its local day start to the next day's, as UTC quarter-hours."""

    date: date
    time_zone: str
    day_start_local: time = time(0)

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    def _start_of(self, day: LocalDate) -> int:
        return to_epoch(datetime.combine(day, self.day_start_local, tzinfo=self.zone))

    @property
    def start(self) -> int:
        """First instant, UTC epoch seconds."""
        return self._start_of(self.date)

    @property
    def end(self) -> int:
        """First instant of the next delivery day, UTC epoch seconds."""
        return self._start_of(self.date + timedelta(days=1))

    def steps(self, step_min: int = 15) -> int:
        """Number of steps; 92, 96 or 100 quarter-hours."""
        count, rest = divmod(self.end - self.start, 60 * step_min)
        if rest:
            raise ValueError(f"a step of {step_min} min does not divide the day {self.date}")
        return count

    def starts(self, step_min: int = 15) -> Instants:
        """Start of each step, shape (steps,), UTC epoch seconds."""
        return self.start + 60 * step_min * np.arange(self.steps(step_min), dtype=np.int64)

    def at(self, local: time, days_before: int = 0) -> int:
        """The instant of a local wall-clock time `days_before` this date (an issue time, say)."""
        return to_epoch(datetime.combine(self.date - timedelta(days=days_before), local, tzinfo=self.zone))

    def shifted(self, days: int) -> DeliveryDay:
        return DeliveryDay(self.date + timedelta(days=days), self.time_zone, self.day_start_local)


@lru_cache(maxsize=8192)
def _offset_s(second: int, zone: str) -> int:
    offset = datetime.fromtimestamp(second, UTC).astimezone(ZoneInfo(zone)).utcoffset()
    assert offset is not None
    return int(offset.total_seconds())


def _offset_of_hour(hour: int, zone: str) -> int | None:
    """The offset all through one UTC hour; None when it changes in or right after it, as in Adelaide at 16:30Z."""
    first, after = _offset_s(hour * 3600, zone), _offset_s((hour + 1) * 3600, zone)
    return first if first == after else None


def utc_offsets(starts: Instants, zone: str) -> Instants:
    """Local minus UTC in seconds for each instant. One look per UTC hour, one per instant in the hours of a change."""
    seconds = np.asarray(starts, dtype=np.int64)
    unique, inverse = np.unique(seconds // 3600, return_inverse=True)
    by_hour = [_offset_of_hour(int(hour), zone) for hour in unique]
    found = np.array([0 if offset is None else offset for offset in by_hour], dtype=np.int64)[inverse].reshape(seconds.shape)
    changing = np.array([offset is None for offset in by_hour], dtype=bool)[inverse].reshape(seconds.shape)
    if changing.any():
        instants, which = np.unique(seconds[changing], return_inverse=True)
        found[changing] = np.array([_offset_s(int(instant), zone) for instant in instants], dtype=np.int64)[which]
    return np.asarray(found)


def floor_local(starts: Instants, step_s: int, zone: str) -> Instants:
    """The last whole step of the local clock at or before each instant: hours begin at the half hour of UTC where the clock is so set."""
    return starts - (starts + utc_offsets(starts, zone)) % step_s


def local_seconds(starts: Instants, zone: str) -> Instants:
    """Epoch seconds of the local wall clock, as if it were UTC: for slots of day and day types."""
    starts = np.asarray(starts, dtype=np.int64)
    return starts + utc_offsets(starts, zone)


def local_hour(starts: Instants, zone: str) -> NDArray[np.int64]:
    """Local wall-clock hour 0..23: a repeated hour repeats, a skipped one drops."""
    return (local_seconds(starts, zone) // 3600) % 24


def local_dates(starts: Instants, zone: str) -> NDArray[np.datetime64]:
    """Local calendar date of each instant, datetime64[D]."""
    return (local_seconds(starts, zone) // 86400).astype("datetime64[D]")
