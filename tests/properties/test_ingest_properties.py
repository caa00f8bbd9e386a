"""However a history is written down, the same values are stored; and no bytes do more harm than an `InputError`."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import UTC, date, datetime
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pipeline.cases.sources import ColumnMap, Mapping, Series
from pipeline.cases.table_reading import TableReading
from pipeline.core.clock import DeliveryDay
from pipeline.core.errors import InputError
from pipeline.ingest.cleaning import Clean, clean
from pipeline.ingest.local_clock import local_to_utc
from pipeline.ingest.mistakes import Mistakes
from pipeline.ingest.number_text import to_numbers
from pipeline.ingest.points import points_of
from pipeline.ingest.reading import read_bytes
from pipeline.ingest.spikes import Context
from tests.unit.ingest.support import NOW, case_with, mapping_of

SETTINGS = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
SERIES = (Series(id="load", kind="other", minimum=None), Series(id="price", kind="price", unit="EUR/kWh", minimum=None))
CASE = case_with(series=SERIES)
ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "UTC")
CHANGES = {"Europe/Berlin": ("2016-03-27", "2016-10-30"), "America/New_York": ("2016-03-13", "2016-11-06")}


def imported(content: bytes, mapping: Mapping, *, name: str = "drop.csv", now: int = NOW) -> dict[int, float]:
    """Start -> value of `load` after reading and cleaning, without a store. Raises `InputError`."""
    mistakes, notes = Mistakes(name), list[str]()
    table = read_bytes(name, content, mapping)
    points = points_of(CASE, mapping, table, whole=True, now=now, mistakes=mistakes, notes=notes)
    cleaned: list[Clean] = [
        clean(CASE, entry, before=Context.empty(), mistakes=mistakes) for entry in points
    ]
    mistakes.raise_if_any()
    assert all(np.isfinite(entry.value).all() and (np.diff(entry.start) > 0).all() for entry in cleaned)
    return {int(start): float(value) for entry in cleaned for start, value in zip(entry.start, entry.value, strict=True)}


def csv_of(rows: Sequence[tuple[str, str]]) -> bytes:
    return ("valid_from,load\n" + "".join(f'{stamp},"{number}"\n' for stamp, number in rows)).encode()


@st.composite
def histories(draw: st.DrawFn) -> dict[int, float]:
    """Up to a day around a change of the clock or elsewhere, with gaps; numbers of four digits. Shorter than what spikes are judged by."""
    start = draw(st.sampled_from(["2016-03-13", "2016-03-26", "2016-06-01", "2016-10-30", "2016-11-06", "2015-12-31"]))
    first = int(datetime.fromisoformat(f"{start}T00:00+00:00").timestamp())
    count = draw(st.integers(20, 95))
    gaps = draw(st.sets(st.integers(1, count - 1), max_size=count // 4))
    numbers = draw(st.lists(st.integers(-9999, 9999), min_size=count, max_size=count))
    return {first + 900 * i: number / 10 for i, number in enumerate(numbers) if i not in gaps}


@SETTINGS
@given(histories(), st.randoms(use_true_random=False), st.integers(0, 20), st.sampled_from(ZONES), st.booleans())
def test_order_repetition_and_offsets_do_not_matter(history: dict[int, float], random: object, again: int, zone: str, ends: bool) -> None:
    """Rows shuffled and repeated, stamps written with the offset of any zone, intervals named by start or end."""
    rows = [(datetime.fromtimestamp(start + 900 * ends, ZoneInfo(zone)).isoformat(), str(value)) for start, value in history.items()]
    rows += rows[:again]
    random.shuffle(rows)  # type: ignore[attr-defined]
    assert imported(csv_of(rows), mapping_of(time_is="end" if ends else "start")) == history


@SETTINGS
@given(histories(), st.sampled_from(["W", "kW", "MW", "GW"]), st.sampled_from([1, -1]), st.booleans(), st.booleans())
def test_unit_sign_and_marks_do_not_matter(history: dict[int, float], unit: str, sign: int, comma: bool, grouped: bool) -> None:
    """Any unit of power, either sign, decimal point or comma, with or without thousands separators where these are plain."""
    per_kw, digits = {"W": (1e3, 0), "kW": (1.0, 1), "MW": (1e-3, 4), "GW": (1e-6, 7)}[unit]
    rows = []
    for start, value in history.items():
        text = f"{sign * value * per_kw:,.{digits}f}" if grouped and digits else f"{sign * value * per_kw:.{digits}f}"
        text = text.translate(str.maketrans(",.", ".,")) if comma else text
        rows.append((datetime.fromtimestamp(start, UTC).isoformat(), text))
    mapping = mapping_of(ColumnMap(column="load", series="load", unit=unit, sign=sign), decimal="," if comma else ".")
    found = imported(csv_of(rows), mapping)
    assert list(found) == list(history)
    assert list(found.values()) == pytest.approx(list(history.values()), rel=1e-12, abs=1e-9)


@SETTINGS
@given(
    st.sampled_from([(zone, day) for zone, days in CHANGES.items() for day in (*days, "2016-06-01")]),
    st.booleans(),
    st.booleans(),
    st.integers(0, 12),
    st.integers(0, 12),
)
def test_naive_local_days_are_stored_at_their_instants(where: tuple[str, str], backward: bool, ends: bool, skip: int, stop: int) -> None:
    """Days of 92, 96 and 100 quarter-hours, forward and backward, cut at both ends but not within the repeated hour."""
    zone, day = where
    starts = DeliveryDay(date.fromisoformat(day), zone).starts()
    starts = starts[min(skip, 3) : len(starts) - stop]
    rows = [
        (datetime.fromtimestamp(int(start) + 900 * ends, ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M"), str(i))
        for i, start in enumerate(starts)
    ]
    content = csv_of(rows[::-1] if backward else rows)
    found = imported(content, mapping_of(time_zone=zone, time_is="end" if ends else "start"))
    assert found == {int(start): float(i) for i, start in enumerate(starts)}


@SETTINGS
@given(st.sampled_from(ZONES[:2]), st.integers(0, 366 * 24 * 4), st.booleans())
def test_local_readings_are_inverse_to_the_clock(zone: str, quarter: int, naive: bool) -> None:
    """Every instant is one of the readings of its local stamp, and zoneinfo agrees which one."""
    instant = int(datetime(2016, 1, 1, tzinfo=UTC).timestamp()) + 900 * quarter
    local = datetime.fromtimestamp(instant, ZoneInfo(zone))
    wall = np.array([int(local.replace(tzinfo=UTC).timestamp())])
    early, late = local_to_utc(wall, zone)
    assert (late if local.fold else early)[0] == instant
    assert early[0] <= late[0]


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300), st.sampled_from(["drop.csv", "drop.parquet"]), st.sampled_from([None, "Europe/Berlin"]))
@example(b"PAR1" + b"\x15\x04\x15\x10" * 8 + b"\x08\x00\x00\x00PAR1", "drop.csv", None)
@example(b"\xff\xfe\x00", "drop.csv", None)
@example(b"valid_from,load\n\x1e,1", "drop.csv", None)
def test_no_bytes_do_more_than_an_input_error(content: bytes, name: str, zone: str | None) -> None:
    try:
        imported(content, mapping_of(time_zone=zone), name=name)
    except InputError as error:
        assert error.mistakes and all(mistake.place.startswith(name) and mistake.remedy for mistake in error.mistakes)


@cache
def parquet(as_text: bool) -> bytes:
    moments = [datetime(2016, 3, 1, hour, tzinfo=UTC) for hour in range(24)]
    stamps = pa.array([moment.isoformat() for moment in moments]) if as_text else pa.array(moments, pa.timestamp("us", tz="UTC"))
    numbers = [str(n) for n in range(24)] if as_text else [float(n) for n in range(24)]
    buffer = io.BytesIO()
    pq.write_table(pa.table({"valid_from": stamps, "load": numbers}), buffer)
    return buffer.getvalue()


@settings(max_examples=300, deadline=None)
@given(st.booleans(), st.lists(st.tuples(st.integers(0, 1 << 16), st.integers(0, 255)), min_size=1, max_size=5))
def test_no_broken_parquet_does_more_than_an_input_error(as_text: bool, changes: list[tuple[int, int]]) -> None:
    content = bytearray(parquet(as_text))
    for place, byte in changes:
        content[place % len(content)] = byte
    try:
        imported(bytes(content), mapping_of(resolution_min=60), name="drop.parquet")
    except InputError as error:
        assert all(mistake.place.startswith("drop.parquet") and mistake.remedy for mistake in error.mistakes)


CELLS = st.one_of(
    st.text(max_size=12),
    st.floats().map(str),
    st.integers().map(str),
    st.sampled_from(["1e308", "-1e308", "1,5", "1.5", "", "nan", "-inf", "1 2", "½", "٣", "１", "1_0"]),
)
STAMPS = st.one_of(
    st.text(max_size=12),
    st.datetimes().map(str),
    st.datetimes(timezones=st.timezones()).map(str),
    st.sampled_from(
        [
            "2016-03-27 02:15",
            "2016-10-30 02:15",
            "2016-10-30T02:15+01:00",
            "9999-12-31T23:59Z",
            "2016-03-01 24:00",
            "2016-13-01 00:00",
            "2016-03-01T00:00+99:99",
        ]
    ),
)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.tuples(STAMPS, CELLS), min_size=1, max_size=12),
    st.sampled_from([None, "Europe/Berlin", "America/New_York"]),
    st.sampled_from([1, 5, 15, 60]),
    st.sampled_from([".", ","]),
    st.sampled_from(["kW", "GW"]),
)
@example([("2016-03-01T00:00Z", "1e308"), ("2016-03-01T00:15Z", "-1e308")], None, 15, ".", "GW")
def test_no_cells_do_more_than_an_input_error(
    rows: list[tuple[str, str]], zone: str | None, resolution: int, decimal: str, unit: str
) -> None:
    content = csv_of([(stamp.replace(",", ""), number.replace('"', "")) for stamp, number in rows])
    mapping = mapping_of(ColumnMap(column="load", series="load", unit=unit), time_zone=zone, resolution_min=resolution, decimal=decimal)
    try:
        imported(content, mapping)
    except InputError as error:
        assert error.mistakes and all(mistake.place.startswith("drop.csv") and mistake.remedy for mistake in error.mistakes)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20), st.booleans())
def test_numbers_survive_text(numbers: list[float], comma: bool) -> None:
    texts = [repr(number).replace(".", ",") if comma else repr(number) for number in numbers]
    mistakes = Mistakes("drop.csv")
    reading = TableReading(decimal="," if comma else ".")
    read = to_numbers(pa.array(texts), name="load", rows=np.arange(len(texts)), reading=reading, mistakes=mistakes)
    assert not mistakes.count
    assert read.value.tolist() == numbers
    assert not read.reformatted.any()
