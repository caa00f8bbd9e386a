"""The operator's set-points: next interval, local time, CSV and JSON."""

from __future__ import annotations

import csv
import io
import json
from datetime import date

import pyarrow as pa
import pytest

from pipeline.core.errors import NoSchedule
from pipeline.publish.operator import COLUMNS, setpoints, to_csv, to_json
from tests.unit.report.made_day import DAY, made_case, made_tables

CASE = made_case()


def _made(day: date = DAY, *, dispatched: bool = True) -> dict[str, pa.Table]:
    return made_tables(CASE, CASE.day(day), dispatched=dispatched)


def test_the_interval_that_holds_the_moment() -> None:
    day = CASE.day(DAY)
    tables = _made()
    for at in (day.start + 900, day.start + 901, day.start + 1799):
        rows = setpoints(CASE, tables, day=day, at=at)
        assert {row["step"] for row in rows} == {2}
        assert (rows[0]["from_local"], rows[0]["to_local"]) == ("2016-03-22T07:15+01:00", "2016-03-22T07:30+01:00")


def test_outside_the_day_there_are_none() -> None:
    day = CASE.day(DAY)
    for at in (day.start - 1, day.end):
        with pytest.raises(NoSchedule, match="no schedule is published that holds 2016-03-2"):
            setpoints(CASE, _made(), day=day, at=at)


def test_an_hourly_schedule_speaks_for_the_hour_that_holds_the_moment() -> None:
    """At 22:19 for 22:00 to 23:00, and not for the hour that starts next."""
    day = CASE.day(DAY)
    rows = setpoints(CASE, _made(dispatched=False), day=day, at=day.start + 15 * 3600 + 19 * 60)
    assert {(row["from_local"], row["to_local"]) for row in rows} == {("2016-03-22T22:00+01:00", "2016-03-22T23:00+01:00")}


def test_the_repeated_hour_is_told_apart_by_its_offset() -> None:
    day = CASE.day(date(2016, 10, 29))
    tables = _made(date(2016, 10, 29))
    twice = [setpoints(CASE, tables, day=day, at=day.start + 4 * 900 * k)[0]["from_local"] for k in (19, 20)]
    assert twice == ["2016-10-30T02:00+02:00", "2016-10-30T02:00+01:00"]


def test_values_are_the_published_ones_and_loads_are_no_set_points() -> None:
    day = CASE.day(DAY)
    tables = _made()
    rows = {row["device"]: row for row in setpoints(CASE, tables, day=day, at=day.start)}
    published = {
        row["device"]: row["value"]
        for row in tables["dispatch"].to_pylist()
        if row["step"] == 1
        and row["carrier"] == "active"
        and row["quantity"] == "injection"
        and row["bus"] not in {t.upper_bus for t in CASE.ties if row["device"] == t.id}
    }
    assert not any(name.endswith("_load") for name in rows)
    for name in ("grid", "f01_battery", "mg_f01_b04_chp", "mg_f01_b04_tie", "f02_ev"):
        assert rows[name]["active_kw"] == pytest.approx(published[name], abs=1e-4)
    assert rows["mg_f01_b04_chp"]["heat_kwth"] > 0 and rows["f01_battery"]["heat_kwth"] is None


def test_before_real_time_the_schedule_speaks_and_says_so() -> None:
    day = CASE.day(DAY)
    rows = setpoints(CASE, _made(dispatched=False), day=day, at=day.start)
    assert all("from the day-ahead schedule" in row["note"] for row in rows)
    assert rows[0]["to_local"].startswith("2016-03-22T08:00")


def test_a_shed_load_shows_what_is_not_served() -> None:
    day = CASE.day(DAY)
    tables = _made()
    shed = tables["dispatch"].slice(0, 1).to_pylist()[0] | {
        "step": 1,
        "valid_from": tables["dispatch"]["valid_from"][0].as_py(),
        "network": "distribution",
        "device": "f01_b02_load",
        "bus": "f01_b02",
        "carrier": "active",
        "quantity": "shed_kw",
        "unit": "kW",
        "value": 3.5,
    }
    tables["dispatch"] = pa.concat_tables([tables["dispatch"], pa.Table.from_pylist([shed], tables["dispatch"].schema)])
    row = next(row for row in setpoints(CASE, tables, day=day, at=day.start) if row["device"] == "f01_b02_load")
    assert row["note"] == "3.50 kW not served"


def test_csv_and_json_hold_the_same_rows() -> None:
    rows = setpoints(CASE, _made(), day=CASE.day(DAY), at=CASE.day(DAY).start)
    read = list(csv.DictReader(io.StringIO(to_csv(rows))))
    assert tuple(read[0]) == COLUMNS and [row["device"] for row in read] == [row["device"] for row in json.loads(to_json(rows))]


def test_without_a_schedule_the_remedy_is_named() -> None:
    with pytest.raises(NoSchedule, match="feederflow day-ahead made_up"):
        setpoints(CASE, {}, day=CASE.day(DAY), at=0)
