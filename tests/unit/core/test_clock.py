"""Delivery days have 92, 96 or 100 quarter-hours, wherever the day starts; no interval is lost or told twice."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.clock import DeliveryDay, from_epoch, local_dates, local_hour, to_epoch, utc_offsets

BERLIN = "Europe/Berlin"
days = st.dates(date(1990, 1, 1), date(2037, 12, 30))
zones = st.sampled_from([BERLIN, "UTC", "America/New_York", "Asia/Kolkata", "Australia/Sydney", "America/Sao_Paulo"])
day_starts = st.sampled_from([time(0), time(6), time(7), time(12)])


@pytest.mark.parametrize(("day", "start", "quarters"), [
    (date(2016, 3, 27), time(0), 92), (date(2016, 10, 30), time(0), 100), (date(2016, 6, 1), time(0), 96),
    # From seven to seven, the hour is missing or told twice in the night before.
    (date(2016, 3, 26), time(7), 92), (date(2016, 10, 29), time(7), 100),
    (date(2016, 3, 27), time(7), 96), (date(2016, 10, 30), time(7), 96),
])
def test_quarter_hours_of_a_day(day: date, start: time, quarters: int) -> None:
    delivery = DeliveryDay(day, BERLIN, start)
    assert delivery.steps() == quarters == delivery.starts().size
    assert delivery.steps(60) * 4 == quarters


def test_a_year_of_days_is_a_year_of_quarter_hours() -> None:
    starts = np.concatenate([DeliveryDay(date(2016, 1, 1) + timedelta(days=n), BERLIN, time(7)).starts() for n in range(366)])
    assert np.all(np.diff(starts) == 900)
    assert starts.size == 366 * 96


@given(day=days, zone=zones, start=day_starts)
def test_a_day_ends_where_the_next_one_starts(day: date, zone: str, start: time) -> None:
    delivery = DeliveryDay(day, zone, start)
    starts = delivery.starts()
    assert delivery.end == delivery.shifted(1).start
    assert starts[0] == delivery.start
    assert starts[-1] + 900 == delivery.end
    assert delivery.steps() in (92, 96, 100)
    assert to_epoch(from_epoch(delivery.start)) == delivery.start


@given(day=days, zone=zones)
def test_local_hours_and_dates_are_those_of_the_standard_library(day: date, zone: str) -> None:
    delivery = DeliveryDay(day, zone)
    starts = delivery.starts()
    expected = [datetime.fromtimestamp(int(s), UTC).astimezone(delivery.zone) for s in starts]
    assert local_hour(starts, zone).tolist() == [moment.hour for moment in expected]
    assert local_dates(starts, zone).tolist() == [moment.date() for moment in expected]


@pytest.mark.parametrize(("zone", "changes"), [
    ("Australia/Adelaide", ["2024-04-06T16:30", "2024-10-05T16:30"]), ("America/St_Johns", ["2024-03-10T05:30", "2024-11-03T04:30"]),
    ("Australia/Lord_Howe", ["2024-04-06T15:00", "2024-10-05T15:30"]), ("Asia/Kathmandu", []),
    ("America/St_Johns", ["2010-03-14T03:31", "2010-11-07T02:31"]),  # until 2011 at one minute past midnight
    (BERLIN, ["2024-03-31T01:00", "2024-10-27T01:00"]),
])
def test_clocks_change_in_the_middle_of_utc_hours_too(zone: str, changes: list[str]) -> None:
    moments = [to_epoch(datetime.fromisoformat(change + "+00:00")) for change in changes] or [to_epoch(datetime(2024, 6, 1, tzinfo=UTC))]
    minutes = np.concatenate([moment + 60 * np.arange(-180, 181) for moment in moments])
    expected = [datetime.fromtimestamp(int(one), UTC).astimezone(ZoneInfo(zone)) for one in minutes]
    offsets = utc_offsets(minutes, zone)
    assert offsets.tolist() == [int(moment.utcoffset().total_seconds()) for moment in expected]  # type: ignore[union-attr]
    assert local_hour(minutes, zone).tolist() == [moment.hour for moment in expected]
    assert local_dates(minutes, zone).tolist() == [moment.date() for moment in expected]
    turns = minutes[1:][(np.diff(offsets) != 0) & (np.diff(minutes) == 60)]
    assert turns.tolist() == [moment for moment in moments if changes]
    assert utc_offsets(minutes.reshape(-1, 19), zone).shape == (len(minutes) // 19, 19)


def test_a_repeated_hour_repeats_and_a_skipped_one_drops() -> None:
    spring, autumn = (local_hour(DeliveryDay(day, BERLIN).starts(60), BERLIN).tolist() for day in (date(2016, 3, 27), date(2016, 10, 30)))
    assert spring[:4] == [0, 1, 3, 4]
    assert autumn[:5] == [0, 1, 2, 2, 3]


def test_issue_time_is_local_wall_clock() -> None:
    assert DeliveryDay(date(2016, 3, 27), BERLIN).at(time(11), 1) == to_epoch(datetime(2016, 3, 26, 10, tzinfo=UTC))
    assert DeliveryDay(date(2016, 3, 28), BERLIN).at(time(11), 1) == to_epoch(datetime(2016, 3, 27, 9, tzinfo=UTC))


def test_a_naive_moment_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        to_epoch(datetime(2016, 1, 1))


def test_a_step_that_does_not_divide_the_day_is_refused() -> None:
    with pytest.raises(ValueError, match="does not divide"):
        DeliveryDay(date(2016, 3, 27), BERLIN).steps(7 * 60)
