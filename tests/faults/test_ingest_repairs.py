"""Every bad input that is repaired: what is stored, with which flag, and what the receipt says."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.cases.sources import ColumnMap, Series
from pipeline.ingest.quality import Quality
from tests.unit.ingest.support import LOAD, PRICE, epoch, folder_case, mapping_of, quarter_hours, run, stored, utc_csv
from tests.unit.ingest.support import values as values_of

HEAD = "valid_from,load\n"
STARTS = quarter_hours(8)


def test_a_plain_file_is_stored_as_it_is(tmp_path: Path) -> None:
    values, quality, receipt = stored(tmp_path, utc_csv(STARTS, range(8)))
    assert values == dict(zip(STARTS, map(float, range(8)), strict=True))
    assert set(quality.values()) == {0}
    assert (receipt.rows_read, receipt.values_read, receipt.rows_added, receipt.gaps, receipt.flags, receipt.messages) == (
        8,
        8,
        8,
        0,
        {},
        (),
    )
    assert (receipt.first, receipt.last) == (STARTS[0], STARTS[-1])


@pytest.mark.parametrize("mark", ["", "nan", "NaN", "NA", "null", "-", "#N/A"])
def test_a_gap_is_an_absence_and_counted(tmp_path: Path, mark: str) -> None:
    values, _, receipt = stored(tmp_path, utc_csv([*STARTS[:3], *STARTS[4:]], [1, 2, mark, 4, 5, 6, 7]))
    assert sorted(values) == [STARTS[0], STARTS[1], *STARTS[4:]]
    assert (receipt.rows_read, receipt.values_read, receipt.gaps) == (7, 6, 2)


def test_reversed_and_shuffled_files_are_sorted_and_it_is_said(tmp_path: Path) -> None:
    """Order is a fact of the file, not of a value: no flag."""
    for number, order in enumerate(([*range(7, -1, -1)], [3, 1, 0, 2, 7, 6, 5, 4])):
        values, quality, receipt = stored(tmp_path / str(number), utc_csv([STARTS[i] for i in order], order))
        assert values == dict(zip(STARTS, map(float, range(8)), strict=True))
        assert set(quality.values()) == {0}
        assert receipt.messages == ("drop.csv: rows were not in order of time and were sorted",)


def test_identical_rows_become_one(tmp_path: Path) -> None:
    values, quality, receipt = stored(tmp_path, utc_csv([*STARTS, STARTS[3], STARTS[3]], [*range(8), 3, "3.0"]))
    assert values == dict(zip(STARTS, map(float, range(8)), strict=True))
    assert set(quality.values()) == {0}
    assert receipt.rows_added == 8 and receipt.accounts[0].fates == {"stored": 8, "merged": 2}


def test_a_spike_becomes_the_last_value_before_it(tmp_path: Path) -> None:
    numbers = [100.0 + np.sin(i) for i in range(40)]
    numbers[20], numbers[21] = 4000.0, 90_000.0
    starts = quarter_hours(40)
    values, quality, receipt = stored(tmp_path, utc_csv(starts, numbers))
    assert values[starts[20]] == values[starts[21]] == numbers[19]
    assert {start for start, bits in quality.items() if bits} == {starts[20], starts[21]}
    assert receipt.flags == {"spike": 2}


def test_what_lasts_longer_than_two_values_is_true(tmp_path: Path) -> None:
    """The level has changed: the third value is believed, and those that follow it."""
    numbers = [100.0] * 20 + [500.0] * 20
    starts = quarter_hours(40)
    values, quality, _ = stored(tmp_path, utc_csv(starts, numbers))
    assert [start for start, bits in quality.items() if bits] == starts[20:22]
    assert [values[start] for start in starts[19:24]] == [100, 100, 100, 500, 500]


def test_a_spike_in_a_single_live_row_is_judged_as_one_in_a_file_is(tmp_path: Path) -> None:
    from pipeline.store.warehouse import Warehouse

    starts = quarter_hours(300)
    numbers = [100.0 + np.sin(i) for i in range(299)]
    warehouse, drops = Warehouse.open(tmp_path / "home"), tmp_path / "drops"
    drops.mkdir()
    case = folder_case(drops, series=(Series(id="load", kind="load"),))
    (drops / "a.csv").write_text(utc_csv(starts[:299], numbers))
    run(case, warehouse)
    (drops / "b.csv").write_text(utc_csv(starts[299:], [4000.0]))
    receipt = run(case, warehouse)[-1]
    assert receipt.flags == {"spike": 1}
    assert values_of(warehouse, case)[starts[299]] == numbers[298]


def test_what_is_at_rest_most_of_the_time_has_no_spikes(tmp_path: Path) -> None:
    numbers = [0.0] * 200
    numbers[120] = 3.0
    values, quality, _ = stored(tmp_path, utc_csv(quarter_hours(200), numbers), series=(Series(id="load", kind="load"),))
    assert values[quarter_hours(200)[120]] == 3.0
    assert set(quality.values()) == {0}


def test_a_price_that_jumps_is_kept_and_flagged(tmp_path: Path) -> None:
    numbers = [30.0] * 200
    numbers[150] = 3000.0
    mapping = mapping_of(ColumnMap(column="load", series="price", unit="EUR/MWh"))
    values, quality, _ = stored(tmp_path, utc_csv(quarter_hours(200), numbers), series_id="price", mapping=mapping)
    assert values[quarter_hours(200)[150]] == pytest.approx(3.0)
    assert {start: bits for start, bits in quality.items() if bits} == {quarter_hours(200)[150]: Quality.SUSPECT}


def test_a_hair_outside_the_range_is_moved_to_its_edge(tmp_path: Path) -> None:
    values, quality, receipt = stored(tmp_path, utc_csv(STARTS, [-0.9, 1, 2, 3, 4, 5, 6, 7]))
    assert values[STARTS[0]] == 0.0 and quality[STARTS[0]] == Quality.CLIPPED
    assert receipt.flags == {"clipped": 1}


def test_a_stamp_a_few_seconds_off_is_snapped(tmp_path: Path) -> None:
    values, quality, _ = stored(tmp_path, HEAD + "2016-03-01T00:00:03Z,1\n2016-03-01T00:14:58.7Z,2\n2016-03-01T00:30Z,3\n")
    assert list(values) == STARTS[:3]
    assert list(quality.values()) == [Quality.SNAPPED, Quality.SNAPPED, 0]


@pytest.mark.parametrize(
    ("cell", "decimal", "number", "tidied"),
    [
        ("1234.5", ".", 1234.5, False),
        ('"1,234.5"', ".", 1234.5, True),
        ("1 234.5", ".", 1234.5, True),
        ("1e3", ".", 1000.0, False),
        (" 7 ", ".", 7.0, False),
        ("1\u202f234.5", ".", 1234.5, True),
        ("+8", ".", 8.0, False),
        ('"12,5"', ",", 12.5, False),
        ('"1.234,5"', ",", 1234.5, True),
    ],
)
def test_numbers_as_people_write_them(tmp_path: Path, cell: str, decimal: str, number: float, tidied: bool) -> None:
    series = (Series(id="load", kind="other"),)
    values, quality, _ = stored(tmp_path, f"{HEAD}2016-03-01T00:00Z,{cell}\n", series=series, mapping=mapping_of(decimal=decimal))
    assert list(values.values()) == [number]
    assert list(quality.values()) == [Quality.REFORMATTED if tidied else 0]


@pytest.mark.parametrize(
    "encode",
    [
        lambda text: b"\xef\xbb\xbf" + text.encode(),
        lambda text: text.encode("utf-16"),
        lambda text: text.replace("\n", "\r\n").encode(),
        lambda text: text.rstrip("\n").encode(),
        lambda text: ("\n" + text + "\n\n").encode(),
    ],
)
def test_byte_order_marks_line_ends_and_empty_lines_do_not_matter(tmp_path: Path, encode: object) -> None:
    values, quality, _ = stored(tmp_path, encode(utc_csv(STARTS, range(8))))  # type: ignore[operator]
    assert values == dict(zip(STARTS, map(float, range(8)), strict=True))
    assert set(quality.values()) == {0}


def test_columns_without_a_mapping_are_named_and_left_out(tmp_path: Path) -> None:
    _, _, receipt = stored(tmp_path, "valid_from,load,weather,note\n2016-03-01T00:00Z,1,sunny,\n")
    assert receipt.messages == ("drop.csv: columns without a mapping were left out: 'weather', 'note'",)


@pytest.mark.parametrize(("unit", "number", "kw"), [("W", 5000, 5.0), ("kW", 5, 5.0), ("MW", 0.005, 5.0)])
@pytest.mark.parametrize("sign", [1, -1])
def test_unit_and_sign_are_settled_here(tmp_path: Path, unit: str, number: float, kw: float, sign: int) -> None:
    mapping = mapping_of(ColumnMap(column="load", series="load", unit=unit, sign=sign))
    values, _, _ = stored(tmp_path, utc_csv(STARTS[:1], [sign * number]), mapping=mapping)
    assert list(values.values()) == [pytest.approx(kw)]


def test_a_profile_gets_its_unit_from_the_scale_factor(tmp_path: Path) -> None:
    mapping = mapping_of(ColumnMap(column="load", series="load", unit="1", scale_factor=250.0))
    assert list(stored(tmp_path, utc_csv(STARTS[:1], [0.5]), mapping=mapping)[0].values()) == [125.0]


def test_an_interval_named_by_its_end_is_shifted(tmp_path: Path) -> None:
    content = HEAD + "2016-03-01T24:00+00:00,4\n2016-03-01T23:45+00:00,3\n"
    values, _, _ = stored(tmp_path, content, mapping=mapping_of(time_is="end"))
    assert values == {epoch("2016-03-01T23:30+00:00"): 3.0, epoch("2016-03-01T23:45+00:00"): 4.0}


def test_coarser_values_hold_and_finer_ones_are_averaged(tmp_path: Path) -> None:
    hourly = stored(tmp_path / "hourly", utc_csv(STARTS[::4], [1, 2]), mapping=mapping_of(resolution_min=60))
    assert hourly[0] == dict(zip(STARTS, [1.0] * 4 + [2.0] * 4, strict=True))
    assert set(hourly[1].values()) == {Quality.HELD}
    five = [STARTS[0] + 300 * i for i in range(6)]
    finer = stored(tmp_path / "finer", utc_csv([*five, STARTS[2]], [1, 2, 3, 4, "", 8, 5]), mapping=mapping_of(resolution_min=5))
    assert finer[0] == {STARTS[0]: 2.0, STARTS[1]: 6.0}  # a third of the third interval is not enough
    assert finer[1] == {STARTS[0]: 0, STARTS[1]: Quality.PARTIAL}


def test_a_price_may_be_known_ahead_of_its_interval(tmp_path: Path) -> None:
    mapping = mapping_of(ColumnMap(column="load", series="price", unit="EUR/MWh"))
    now = STARTS[0] - 3600
    values, _, _ = stored(tmp_path, utc_csv(STARTS, range(8)), series_id="price", mapping=mapping, now=now)
    assert len(values) == 8


def test_parquet_with_and_without_a_zone(tmp_path: Path) -> None:
    moment = datetime(2016, 3, 1, 12, tzinfo=UTC)
    for number, (column, zone, expected) in enumerate(
        [
            (pa.array([moment], pa.timestamp("ns", tz="America/New_York")), None, "2016-03-01T12:00+00:00"),
            (pa.array([moment.replace(tzinfo=None)], pa.timestamp("ms")), "Europe/Berlin", "2016-03-01T11:00+00:00"),
            (pa.array(["2016-03-01 12:00"]), "Europe/Berlin", "2016-03-01T11:00+00:00"),
            (pa.array(["2016-03-01T12:00Z"]).dictionary_encode(), None, "2016-03-01T12:00+00:00"),
        ]
    ):
        buffer = io.BytesIO()
        pq.write_table(pa.table({"valid_from": column, "load": pa.array([7], pa.int32())}), buffer)
        values, _, _ = stored(tmp_path / str(number), buffer.getvalue(), name="drop.parquet", mapping=mapping_of(time_zone=zone))
        assert values == {epoch(expected): 7.0}


@pytest.mark.parametrize(
    ("zone", "day", "hour", "count"),
    [
        ("Europe/Berlin", "2016-03-27", "02", 92),
        ("Europe/Berlin", "2016-10-30", "02", 100),
        ("America/New_York", "2016-03-13", "02", 92),
        ("America/New_York", "2016-11-06", "01", 100),
        ("Australia/Adelaide", "2016-10-02", "02", 92),
        ("Australia/Adelaide", "2016-04-03", "02", 100),
        ("America/St_Johns", "2016-03-13", "02", 92),
        ("America/St_Johns", "2016-11-06", "01", 100),
        ("Australia/Lord_Howe", "2016-10-02", "02", 94),
        ("Australia/Lord_Howe", "2016-04-03", "01", 98),
    ],
)
@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("time_is", ["start", "end"])
def test_a_local_day_of_92_or_100_quarters(
    tmp_path: Path, zone: str, day: str, hour: str, count: int, backward: bool, time_is: str
) -> None:
    """A naive local file of the day the clock changes is stored at the right instants, in both orders."""
    from datetime import date

    from pipeline.core.clock import DeliveryDay

    starts = DeliveryDay(date.fromisoformat(day), zone).starts().tolist()
    assert len(starts) == count
    from zoneinfo import ZoneInfo

    shift = 900 if time_is == "end" else 0
    rows = [
        (datetime.fromtimestamp(start + shift, ZoneInfo(zone)).strftime("%d.%m.%Y %H:%M"), number) for number, start in enumerate(starts)
    ]
    text = HEAD + "".join(f"{stamp},{number}\n" for stamp, number in (rows[::-1] if backward else rows))
    values, quality, _ = stored(tmp_path, text, zone=zone, mapping=mapping_of(time_zone=zone, time_is=time_is))
    assert values == dict(zip(starts, map(float, range(count)), strict=True))
    flagged = sum(bits & Quality.REPEATED_HOUR != 0 for bits in quality.values())
    assert flagged == {100: 8, 98: 4}.get(count, 0)


@pytest.mark.parametrize(("resolution_min", "expected"), [(15, [10.0, 10.0, 20.0, 20.0]), (30, [10.0, 20.0]), (60, [15.0])])
def test_hours_of_utc_are_read_where_the_clock_is_half_an_hour_off(tmp_path: Path, resolution_min: int, expected: list[float]) -> None:
    """Weather and market data come by hours of UTC everywhere: an hour of the clock in India holds half of each of two."""
    text = HEAD + "".join(f"2016-03-01T{hour:02d}:00Z,{10 * hour}\n" for hour in range(12))
    series = [LOAD.model_copy(update={"resolution_min": resolution_min, "by_local_hour": None})]
    values, _, _ = stored(tmp_path, text, zone="Asia/Kolkata", series=series, mapping=mapping_of(resolution_min=60))
    begins = epoch("2016-03-01T07:00+05:30")
    assert [values[begins + 60 * resolution_min * n] for n in range(len(expected))] == expected


def test_in_the_repeated_hour_what_is_not_over_yet_cannot_be_meant(tmp_path: Path) -> None:
    """A live file at 02:31 summer time: its 02:15 can only be the first."""
    values, _, _ = stored(
        tmp_path, HEAD + "2016-10-30 02:15,1\n", mapping=mapping_of(time_zone="Europe/Berlin"), now=epoch("2016-10-30T02:31+02:00")
    )
    assert values == {epoch("2016-10-30T02:15+02:00"): 1.0}


def test_a_long_table_gives_every_series_its_rows(tmp_path: Path) -> None:
    mapping = mapping_of(
        ColumnMap(column="A", series="load", unit="kW"),
        ColumnMap(column="B", series="price", unit="EUR/MWh"),
        series_column="meter",
        value_column="value",
        time_zone="Europe/Berlin",
    )
    stamps = ["2016-10-30 01:45", "2016-10-30 02:00", "2016-10-30 02:00", "2016-10-30 03:00"]
    text = (
        "valid_from,meter,value\n"
        + "".join(f"{stamp},{name},{n}\n" for n, stamp in enumerate(stamps) for name in "AB")
        + "2016-10-30 03:00,C,5\n"
    )
    values, _, receipt = stored(tmp_path, text, mapping=mapping, series=(Series(id="load", kind="other"), PRICE))
    assert values == {
        epoch(f"2016-10-{stamp}"): float(n)
        for n, stamp in enumerate(["30T01:45+02:00", "30T02:00+02:00", "30T02:00+01:00", "30T03:00+01:00"])
    }
    assert receipt.messages == (
        "drop.csv: series without a mapping were left out: 'C'",
        "drop.csv: 4 values bear stamps of a repeated hour, taken in order of appearance, the first in load at 2016-10-30T00:00Z",
    )
    assert receipt.rows_added == 8


def test_rows_that_are_too_few_for_any_interval_are_said(tmp_path: Path) -> None:
    """A meter of 5 minutes with one row in each file would never give a value: the receipt says so, not only its counts."""
    values, _, receipt = stored(tmp_path, HEAD + "2016-03-01T00:05Z,5\n", mapping=mapping_of(resolution_min=5))
    assert values == {} and receipt.accounts[0].fates == {"incomplete": 1}
    assert "together they hold less than half of an interval of 15 min" in receipt.messages[-1]
    two = HEAD + "2016-03-01T00:05Z,5\n2016-03-01T00:10Z,6\n"
    assert not any("less than half" in said for said in stored(tmp_path / "b", two, mapping=mapping_of(resolution_min=5))[2].messages)
