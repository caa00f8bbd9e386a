"""Every bad input that is refused: the message names file, row, column, value and remedy, and the store stays as it was."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.cases.sources import ColumnMap, Series
from tests.unit.ingest.support import LOAD, NOW, PRICE, mapping_of, quarter_hours, refused, stored, utc_csv

HEAD = "valid_from,load\n"
GOOD = "2016-03-01T00:00Z,100\n"
BERLIN = mapping_of(time_zone="Europe/Berlin")


def only(mistakes: list, *, place: str, says: str, remedy: str) -> None:
    """One mistake, at this place, with these words."""
    assert len(mistakes) == 1, "\n".join(map(str, mistakes))
    assert mistakes[0].place == place
    assert says in mistakes[0].message
    assert remedy in mistakes[0].remedy


@pytest.mark.parametrize(
    ("rows", "row", "column", "says", "remedy"),
    [
        ("2016-03-01T00:15Z,abc\n", 3, "load", "'abc' is not a number", "write a number, or leave the cell empty"),
        ("2016-03-01T00:15Z,12 34\n", 3, "load", "'12 34' is not a number", "write a number"),
        ("2016-03-01T00:15Z,99 kW\n", 3, "load", "'99 kW' is not a number", "write a number"),
        ('2016-03-01T00:15Z,"12,5"\n', 3, "load", "'12,5' is not a number", "declare decimal: ','"),
        ('2016-03-01T00:15Z,"1,234"\n', 3, "load", "'1,234' is not a number", "decimal: '.' where it is 1234 or decimal: ','"),
        ("2016-03-01T00:15Z,inf\n", 3, "load", "inf is not a finite number", "leave the cell empty"),
        ("2016-03-01T00:15Z,1e999\n", 3, "load", "inf is not a finite number", "leave the cell empty"),
        ("2016-03-01T00:15Z,-80\n", 3, "load", "-80 kW (load, 2016-03-01T00:15Z) is below the minimum of load, 0 kW", "or lower minimum"),
        ("2016-03-01T00:15Z,7000\n", 3, "load", "7000 kW (load, 2016-03-01T00:15Z) is above the maximum of load, 5000 kW", "raise maximum"),
        (
            "2016-03-01T00:15Z,2400\n",
            3,
            "load",
            "2400 kW (load, 2016-03-01T00:15Z) is more than 20 times what load usually has (100 kW)",
            "its unit",
        ),
        ("2016-03-01T00:00Z,101\n", 3, "load", "101 kW (load, 2016-03-01T00:00Z) contradicts 100 in row 2", "keep the row that is right"),
        ("2016-03-01T00:07Z,100\n", 3, "valid_from", "the stamp 2016-03-01T00:07Z is not on the grid of 15 min", "declare resolution_min"),
        ("01/03/2016 00:15,100\n", 3, "valid_from", "'01/03/2016 00:15' is not a stamp", "'%d/%m/%Y %H:%M' or '%m/%d/%Y %H:%M'"),
        ("2016-02-30T00:15Z,100\n", 3, "valid_from", "'2016-02-30T00:15Z' is not a stamp", "write ISO 8601"),
        (",100\n", 3, "valid_from", "the stamp is missing", "every row with a value needs a stamp"),
        ("0001-03-01T00:15Z,100\n", 3, "valid_from", "the stamp lies in the year 1", "check the clock"),
        (
            "2017-03-01T00:15Z,100\n",
            3,
            "valid_from",
            "the interval of 2017-03-01T00:15Z is not over at 2017-01-10T00:00Z",
            "only prices are known ahead",
        ),
        ("2016-03-01T00:15,100\n", 3, "valid_from", "the stamp 2016-03-01T00:15:00 has no offset while others have one", "the same way"),
        ("2016-03-01T00:15Z\n", 3, None, "has 1 cells, the header has 2", "mend the row"),
        ("2016-03-01T00:15Z,100,5\n", 3, None, "has 3 cells, the header has 2", "mend the row"),
        ('2016-03-01T00:15Z,"100\n', 3, None, "cannot be read as CSV", "close the quotes"),
    ],
)
def test_a_bad_row_is_refused(tmp_path: Path, rows: str, row: int, column: str | None, says: str, remedy: str) -> None:
    place = f"drop.csv, row {row}" + (f", column {column}" if column else "")
    only(refused(tmp_path, HEAD + GOOD + rows), place=place, says=says, remedy=remedy)


def test_all_causes_come_at_once_and_each_of_them_once(tmp_path: Path) -> None:
    mistakes = refused(tmp_path, utc_csv(quarter_hours(60), ["x", "-500", *["y"] * 58]))
    assert [mistake.place for mistake in mistakes] == ["drop.csv, row 2, column load", "drop.csv, row 3, column load"]
    assert mistakes[0].message == "'x' is not a number (59 of this kind, the last in row 61, column load)"
    assert "below the minimum" in mistakes[1].message


def test_one_cause_in_many_columns_is_one_message(tmp_path: Path) -> None:
    names = [f"load{number}" for number in range(30)]
    series = tuple(Series(id=name, kind="load") for name in names)
    mapping = mapping_of(*(ColumnMap(column=name, series=name, unit="kW") for name in names))
    content = ",".join(["valid_from", *names]) + "\n" + "2016-03-01T00:00Z" + ',"12,5"' * 30 + "\n"
    mistakes = refused(tmp_path, content, mapping=mapping, series=series)
    only(
        mistakes,
        place="drop.csv, row 2, column load0",
        says="'12,5' is not a number (so in 30 columns of this row)",
        remedy="declare decimal: ','",
    )


@pytest.mark.parametrize(
    ("content", "says"), [(b"", "the file is empty"), (b" \n\n", "the file is empty"), (HEAD.encode(), "has a header and no rows")]
)
def test_an_empty_file_is_refused(tmp_path: Path, content: bytes, says: str) -> None:
    only(refused(tmp_path, content), place="drop.csv", says=says, remedy="remove it, or send it again")


def test_broken_parquet_is_refused(tmp_path: Path) -> None:
    whole = parquet(valid_from=pa.array([datetime(2016, 3, 1)], pa.timestamp("us", tz="UTC")), load=[1.0])
    for content in (whole[:-20], b"PAR1" + b"\x00" * 50 + b"PAR1", b"not parquet at all"):
        only(
            refused(tmp_path, content, name="drop.parquet"), place="drop.parquet", says="cannot be read as Parquet", remedy="write it again"
        )


def test_a_column_of_truth_values_is_refused(tmp_path: Path) -> None:
    content = parquet(valid_from=[False], load=[True])
    mistakes = refused(tmp_path, content, name="drop.parquet")
    assert [mistake.place for mistake in mistakes] == ["drop.parquet, column load", "drop.parquet, column valid_from"]
    assert "bool, not numbers" in mistakes[0].message and "bool, not stamps" in mistakes[1].message


def test_an_unknown_column_is_refused_with_the_nearest_name(tmp_path: Path) -> None:
    only(
        refused(tmp_path, "valid_from,laod\n" + GOOD),
        place="drop.csv, row 1, column load",
        says="has no column 'load'; it has 'valid_from', 'laod'",
        remedy="did you mean 'laod'?",
    )
    only(
        refused(tmp_path, "valid_form,load\n" + GOOD),
        place="drop.csv, row 1, column valid_from",
        says="has no time column 'valid_from'",
        remedy="did you mean 'valid_form'?",
    )


def test_a_long_table_with_a_slip_in_a_name_is_refused(tmp_path: Path) -> None:
    mapping = mapping_of(
        ColumnMap(column="Meter A", series="load", unit="kW"),
        ColumnMap(column="Meter B", series="wind", unit="kW"),
        series_column="meter",
        value_column="value",
    )
    mistakes = refused(tmp_path, "valid_from,meter,value\n2016-03-01T00:00Z,Meter A,1\n2016-03-01T00:00Z,Metre B,1\n", mapping=mapping)
    assert mistakes[0].place == "drop.csv, row 3, column meter" and "'Metre B' is not in the mapping" in mistakes[0].message
    assert mistakes[0].remedy == "did you mean 'Meter B'?"


def test_the_wrong_separator_is_named(tmp_path: Path) -> None:
    only(
        refused(tmp_path, "valid_from;load\n2016-03-01T00:00Z;100\n"),
        place="drop.csv, row 1",
        says="is one column when split at ','",
        remedy="separator: ';'",
    )


def test_a_column_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    only(
        refused(tmp_path, "valid_from,load,load\n2016-03-01T00:00Z,1,2\n"),
        place="drop.csv, row 1, column load",
        says="is there 2 times",
        remedy="with a name of its own for every column",
    )


def test_another_encoding_is_refused_and_not_guessed(tmp_path: Path) -> None:
    only(
        refused(tmp_path, HEAD.encode() + GOOD.encode() + "2016-03-01T00:15Z,fünf\n".encode("latin-1")),
        place="drop.csv, row 3",
        says="is not UTF-8",
        remedy="save the file as UTF-8",
    )
    only(
        refused(tmp_path, HEAD.encode() + b"2016-03-01T00:15Z,\x00\n"),
        place="drop.csv, row 2",
        says="holds a zero byte",
        remedy="write it again",
    )


@pytest.mark.parametrize(
    ("numbers", "series", "said", "remedy"),
    [
        (
            [100_000.0] * 96,
            "load",
            "100000 kW (load, 2016-03-01T00:00Z) is about 1000 times what load usually has (100 kW)",
            "declare unit W",
        ),
        ([0.1] * 96, "load", "0.1 kW (load, 2016-03-01T00:00Z) is about 1/1000 of what load usually has (100 kW)", "declare unit MW"),
        (
            [250_000.0] * 5,
            "wind",
            "250000 kW (load, 2016-03-01T00:00Z) is about 1000 times what wind usually has (250 kW)",
            "declare unit W",
        ),
    ],
)
def test_a_unit_that_is_a_thousand_times_off_is_refused(tmp_path: Path, numbers: list[float], series: str, said: str, remedy: str) -> None:
    mapping = mapping_of(ColumnMap(column="load", series=series, unit="kW"))
    only(
        refused(tmp_path, utc_csv(quarter_hours(len(numbers)), numbers), mapping=mapping),
        place="drop.csv, row 2, column load",
        says=said,
        remedy=remedy,
    )


def test_a_unit_that_measures_something_else_is_refused(tmp_path: Path) -> None:
    for unit in ("kvar", "kWhth", "1"):
        mapping = mapping_of(ColumnMap(column="load", series="load", unit=unit))
        only(
            refused(tmp_path, HEAD + GOOD, mapping=mapping),
            place="drop.csv, column load",
            says=f"the unit '{unit}' cannot become 'kW'",
            remedy="W, kW, MW, GW, Wh, kWh, MWh, GWh",
        )


def test_a_price_below_zero_needs_leave(tmp_path: Path) -> None:
    series = (LOAD, PRICE.model_copy(update={"minimum": 0.0}))
    mapping = mapping_of(ColumnMap(column="load", series="price", unit="EUR/MWh"))
    only(
        refused(tmp_path, HEAD + "2016-03-01T00:00Z,50\n2016-03-01T00:15Z,-20\n", mapping=mapping, series=series),
        place="drop.csv, row 3, column load",
        says="-20 EUR/MWh (load, 2016-03-01T00:15Z) is below the minimum of price, 0 EUR/kWh",
        remedy="needs a lower `minimum`: a column of series.csv",
    )


def test_a_load_counted_the_other_way_is_refused_with_the_sign(tmp_path: Path) -> None:
    mistakes = refused(tmp_path, utc_csv(quarter_hours(4), [-100] * 4))
    assert len(mistakes) == 1 and "(4 of this kind" in mistakes[0].message
    assert mistakes[0].remedy == "most values are negative: declare sign: -1 in the mapping"


def test_naive_stamps_need_a_zone(tmp_path: Path) -> None:
    only(
        refused(tmp_path, HEAD + "2016-03-01 00:00,1\n2016-03-01 00:15,1\n"),
        place="drop.csv, row 2, column valid_from",
        says="the stamp 2016-03-01T00:00:00 and 1 others have no time zone",
        remedy="declare time_zone",
    )
    only(
        refused(tmp_path, HEAD + "2016-03-01 00:00,1\n", mapping=mapping_of(time_zone="Europe/Berln")),
        place="drop.csv",
        says="'Europe/Berln' does not exist",
        remedy="Europe/Berlin",
    )


def test_an_offset_that_the_zone_never_has_is_refused(tmp_path: Path) -> None:
    only(
        refused(tmp_path, HEAD + "2016-03-01T00:00+01:00,1\n2016-03-01T00:15-05:00,1\n", mapping=BERLIN),
        place="drop.csv, row 3, column valid_from",
        says="2016-03-01T00:15:00-05:00 bears an offset that Europe/Berlin does not have then",
        remedy="leave time_zone out",
    )


@pytest.mark.parametrize(("zone", "stamp"), [("Europe/Berlin", "2016-03-27 02:15"), ("America/New_York", "2016-03-13 02:45")])
def test_a_stamp_that_the_clock_jumps_over_is_refused(tmp_path: Path, zone: str, stamp: str) -> None:
    only(
        refused(tmp_path, f"{HEAD}{stamp},1\n", mapping=mapping_of(time_zone=zone), zone=zone),
        place="drop.csv, row 2, column valid_from",
        says=f"the stamp {stamp.replace(' ', 'T')}:00 does not exist in {zone}",
        remedy="write the offset",
    )


@pytest.mark.parametrize(("zone", "stamp"), [("Europe/Berlin", "2016-10-30 02:15"), ("America/New_York", "2016-11-06 01:45")])
@pytest.mark.parametrize("copies", [1, 3])
def test_a_repeated_hour_that_is_not_there_twice_is_refused(tmp_path: Path, zone: str, stamp: str, copies: int) -> None:
    mistakes = refused(tmp_path, HEAD + f"{stamp},1\n" * copies, mapping=mapping_of(time_zone=zone), zone=zone)
    assert len(mistakes) == 1 and ("(3 of this kind" in mistakes[0].message) == (copies == 3)
    assert mistakes[0].place == "drop.csv, row 2, column valid_from"
    assert f"the stamp {stamp.replace(' ', 'T')}:00 occurs twice in {zone}" in mistakes[0].message
    assert mistakes[0].remedy == "give both occurrences in order of time, or write the offset"


def test_a_repeated_hour_in_a_shuffled_file_is_refused(tmp_path: Path) -> None:
    stamps = ["2016-10-30 02:30", "2016-10-30 01:00", "2016-10-30 02:30", "2016-10-30 00:00"]
    mistakes = refused(tmp_path, HEAD + "".join(f"{stamp},{number}\n" for number, stamp in enumerate(stamps)), mapping=BERLIN)
    assert [mistake.place for mistake in mistakes] == ["drop.csv, row 2, column valid_from"]
    assert mistakes[0].message.endswith("(2 of this kind, the last in row 4, column valid_from)")


def test_steps_that_no_interval_has_are_refused(tmp_path: Path) -> None:
    place = "drop.csv, row 2, column valid_from"
    sevens = [quarter_hours(1)[0] + 420 * n for n in range(20)]
    said = refused(tmp_path / "7", utc_csv(sevens, [1] * 20))
    only(said, place=place, says="stamps are 7 min apart", remedy="send one value per 1, 2, 3")
    days = [quarter_hours(1)[0] + 86400 * n for n in range(20)]
    said = refused(tmp_path / "d", utc_csv(days, [1] * 20))
    only(said, place=place, says="stamps are 1440 min apart", remedy="declare resolution_min: 1440")


def test_the_hours_of_a_day_in_columns_are_to_be_turned_into_rows(tmp_path: Path) -> None:
    """A day's value is what `resolution_min: 1440` would make of each of them: wrong, and hard to see."""
    head = "valid_from,load," + ",".join(f"{hour:02d} - {hour + 1:02d}" for hour in range(1, 24)) + "\n"
    rows = "".join(f"2016-03-{day:02d}T00:00Z" + ",5" * 24 + "\n" for day in range(1, 20))
    only(refused(tmp_path, head + rows), place="drop.csv, row 2, column valid_from", says="stamps are 1440 min apart",
         remedy="send one row per interval")


@pytest.mark.parametrize("minutes", [1, 3, 15])
def test_values_written_when_they_change_are_irregular_and_nothing_else_is_said(tmp_path: Path, minutes: int) -> None:
    steps = np.random.default_rng(7).integers(20, 900, 200)
    stamps = (quarter_hours(1)[0] + np.cumsum(steps)).tolist()
    rows = (f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%SZ},{place}\n" for place, at in enumerate(stamps))
    text = "valid_from,load\n" + "".join(rows)
    said = refused(tmp_path, text, mapping=mapping_of(resolution_min=minutes))
    only(said, place=said[0].place, says="stamps are irregular", remedy="average it to a resolution first")


def test_the_remedy_for_coarse_values_works(tmp_path: Path) -> None:
    three_hours = [quarter_hours(1)[0] + 10800 * n for n in range(20)]
    [mistake] = refused(tmp_path / "no", utc_csv(three_hours, range(20)))
    declared = mapping_of(resolution_min=int(mistake.remedy.split()[2]))
    values, _, receipt = stored(tmp_path / "yes", utc_csv(three_hours, range(20)), mapping=declared)
    assert len(values) == 240 and receipt.accounts[0].fates == {"held": 20}


def test_a_series_that_the_case_lacks_is_refused(tmp_path: Path) -> None:
    mapping = mapping_of(ColumnMap(column="load", series="laod", unit="kW"))
    only(
        refused(tmp_path, HEAD + GOOD, mapping=mapping),
        place="drop.csv, column load",
        says="'laod', which is no series of the case",
        remedy="did you mean 'load'?",
    )


def test_a_value_claimed_to_be_known_in_the_future_is_refused(tmp_path: Path) -> None:
    content = "valid_from,load,seen\n2016-03-01T00:00Z,1,2018-01-01T00:00Z\n"
    only(
        refused(tmp_path, content, mapping=mapping_of(known_at_column="seen")),
        place="drop.csv, row 2, column seen",
        says="claims to be known at 2018-01-01T00:00Z, after the import at 2017-01-10T00:00Z",
        remedy="check time zone",
    )


def test_the_row_of_a_file_with_empty_lines_and_quoted_breaks_is_the_line(tmp_path: Path) -> None:
    content = 'valid_from,load,note\n\n2016-03-01T00:00Z,1,"two\nlines"\n\n2016-03-01T00:15Z,abc,x\n'
    only(refused(tmp_path, content), place="drop.csv, row 6, column load", says="'abc' is not a number", remedy="write a number")


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    from pipeline.cases.sources import FileSource
    from pipeline.core.errors import InputError
    from pipeline.store.warehouse import Warehouse
    from tests.unit.ingest.support import case_with, run

    case = case_with(FileSource(kind="file", id="meter", path="gone.csv", mapping=mapping_of()), folder=tmp_path)
    with pytest.raises(InputError) as caught:
        run(case, Warehouse.open(tmp_path / "home"), now=NOW)
    only(list(caught.value.mistakes), place="source meter", says="the file 'gone.csv' is not there", remedy="put the file there")


def test_the_wind_series_without_a_table_is_judged_by_what_is_stored(tmp_path: Path) -> None:
    """A series of kind `other` has no expectation: four stored weeks tell its unit."""
    from pipeline.core.errors import InputError
    from pipeline.store.warehouse import Warehouse
    from tests.unit.ingest.support import file_case, run

    series = (Series(id="load", kind="other"),)
    warehouse = Warehouse.open(tmp_path / "home")
    starts = quarter_hours(800)
    run(file_case(tmp_path, utc_csv(starts[:700], [40.0] * 700), series=series), warehouse)
    with pytest.raises(InputError, match="about 1000 times what load usually has"):
        run(file_case(tmp_path, utc_csv(starts[700:], [40_000.0] * 100), series=series), warehouse)


def parquet(**columns: object) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer)
    return buffer.getvalue()


def test_a_long_file_without_a_mapped_name_is_refused_but_a_drop_may_carry_a_part(tmp_path: Path) -> None:
    from pipeline.store.warehouse import Warehouse
    from tests.unit.ingest.support import folder_case, run

    columns = ColumnMap(column="A", series="load", unit="kW"), ColumnMap(column="B", series="wind", unit="kW")
    mapping = mapping_of(*columns, series_column="meter", value_column="value")
    content = "valid_from,meter,value\n2016-03-01T00:00Z,A,1\n"
    mistakes = refused(tmp_path, content, mapping=mapping)
    only(mistakes, place="drop.csv, column meter", says="no row for 'B'", remedy="take them out of it")
    drops = tmp_path / "drops"
    drops.mkdir()
    (drops / "part.csv").write_text(content)
    assert run(folder_case(drops, mapping=mapping), Warehouse.open(tmp_path / "other"))[0].rows_added == 1
