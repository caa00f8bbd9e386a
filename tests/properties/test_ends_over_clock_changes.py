"""Intervals named by their end in local time, over both clock changes: by the clock, or as the start on the wall plus the length."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from pipeline.core.clock import DeliveryDay
from tests.unit.ingest.support import mapping_of, stored

DAYS = [
    ("Europe/Berlin", "2016-03-27"),
    ("Europe/Berlin", "2016-10-30"),
    ("America/New_York", "2016-03-13"),
    ("America/New_York", "2016-11-06"),
    ("Australia/Adelaide", "2016-10-02"),
    ("Australia/Adelaide", "2016-04-03"),
    ("America/Santiago", "2016-08-14"),
    ("America/Santiago", "2016-05-15"),
    ("Australia/Lord_Howe", "2016-10-02"),
    ("Australia/Lord_Howe", "2016-04-03"),
]


def _end(start: int, step_min: int, zone: str, *, by_wall: bool) -> str:
    """How the end of an interval is written."""
    if by_wall:
        return (datetime.fromtimestamp(start, ZoneInfo(zone)).replace(tzinfo=None) + timedelta(minutes=step_min)).strftime("%Y-%m-%d %H:%M")
    return datetime.fromtimestamp(start + 60 * step_min, ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M")


@pytest.mark.parametrize(("zone", "day"), DAYS)
@pytest.mark.parametrize("step_min", [15, 30, 60])
@pytest.mark.parametrize("by_wall", [False, True])
def test_both_ways_of_writing_an_end_give_the_same_instants(tmp_path: Path, zone: str, day: str, step_min: int, by_wall: bool) -> None:
    if step_min == 60 and zone == "Australia/Lord_Howe":
        step_min = 30  # its clock moves by half an hour: whole hours do not tile the day
    around = DeliveryDay(date.fromisoformat(day), zone)
    starts = [start for shift in (-1, 0, 1) for start in around.shifted(shift).starts(step_min).tolist()]
    rows = [(_end(start, step_min, zone, by_wall=by_wall), 37 * number % 101) for number, start in enumerate(starts)]
    for order in (1, -1):
        text = "valid_from,load\n" + "".join(f"{stamp},{number}\n" for stamp, number in rows[::order])
        mapping = mapping_of(time_zone=zone, time_is="end", resolution_min=step_min)
        values, _, _ = stored(tmp_path / str(order), text, zone=zone, mapping=mapping)
        assert [values.get(start) for start in starts] == [float(number) for _, number in rows]


@pytest.mark.parametrize("stamp", ["2016-03-27 02:00", "2016-03-27 03:00"])
def test_the_end_before_the_clock_jumps_is_written_either_way(tmp_path: Path, stamp: str) -> None:
    values, _, _ = stored(tmp_path, f"valid_from,load\n{stamp},7\n", mapping=mapping_of(time_zone="Europe/Berlin", time_is="end"))
    assert values == {int(datetime(2016, 3, 27, 0, 45, tzinfo=UTC).timestamp()): 7.0}
