"""When a value became known: a history when it was available, live data and corrections when they came. Nothing is overwritten."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from pipeline.cases.sources import ColumnMap, FileSource, FolderSource, GivenForecast, Series, SqlSource
from pipeline.core.clock import from_epoch
from pipeline.core.errors import InputError
from pipeline.ingest.receipt import IngestRefused
from pipeline.store.warehouse import Warehouse
from tests.unit.ingest.support import (
    LOAD,
    NOW,
    case_with,
    epoch,
    everything,
    file_case,
    folder_case,
    mapping_of,
    quarter_hours,
    run,
    utc_csv,
    values,
)

STARTS = quarter_hours(4)
HOURLY = Series(id="price", kind="price", unit="EUR/kWh", minimum=None, resolution_min=60)


def known(warehouse: Warehouse, case: object, series: str = "load") -> list[tuple[int, int, float]]:
    read = warehouse.observations(case.name, [series], 0, 1 << 40, 1 << 40)  # type: ignore[attr-defined]
    return list(zip(read.valid_from.tolist(), read.known_at.tolist(), read.value.tolist(), strict=True))


def test_a_history_was_known_when_it_was_available(tmp_path: Path) -> None:
    warehouse = Warehouse.open(tmp_path)
    case = file_case(tmp_path, utc_csv(STARTS, range(4)), mapping=mapping_of(available_after_min=30))
    run(case, warehouse)
    assert known(warehouse, case) == [(start, start + 900 + 1800, float(n)) for n, start in enumerate(STARTS)]


PRICES = ColumnMap(column="price", series="price", unit="EUR/kWh")


def published(folder: Path, stamps: list[str], *, now: int = NOW, zone: str = "Europe/Berlin", **mapping: Any) -> dict[str, str]:
    """Local start -> local moment of publication, both in the case's zone, of a first import."""
    warehouse = Warehouse.open(folder / "home")
    content = utc_csv([epoch(stamp) for stamp in stamps], range(len(stamps)), "valid_from,price")
    case = file_case(folder, content, mapping=mapping_of(PRICES, resolution_min=60, **mapping), zone=zone, series=(HOURLY,))
    run(case, warehouse, now=now)
    local = ZoneInfo(zone)
    return {f"{from_epoch(start).astimezone(local):%d %H:%M}": f"{from_epoch(when).astimezone(local):%d %H:%M %z}"
            for start, when, _ in known(warehouse, case, "price")}


def test_prices_were_published_at_their_local_time_of_the_day_before(tmp_path: Path) -> None:
    """Over both clock changes: the day of 23 hours is told in winter time, the day after it in summer time."""
    stamps = ["2016-03-26T22:00Z", "2016-03-26T23:00Z", "2016-03-27T21:00Z", "2016-03-27T22:00Z"]
    assert published(tmp_path / "spring", stamps, published_local="12:45") == {
        "26 23:00": "25 12:45 +0100", "27 00:00": "26 12:45 +0100", "27 23:00": "26 12:45 +0100", "28 00:00": "27 12:45 +0200"}
    stamps = ["2016-10-29T21:00Z", "2016-10-29T22:00Z", "2016-10-30T22:00Z", "2016-10-30T23:00Z"]
    assert published(tmp_path / "autumn", stamps, published_local="12:45") == {
        "29 23:00": "28 12:45 +0200", "30 00:00": "29 12:45 +0200", "30 23:00": "29 12:45 +0200", "31 00:00": "30 12:45 +0100"}


def test_a_market_may_publish_earlier_and_by_the_clock_of_another_zone(tmp_path: Path) -> None:
    """The hour before midnight in Lisbon is the first of the market's next day."""
    stamps = ["2016-06-09T21:00Z", "2016-06-09T22:00Z", "2016-06-09T23:00Z"]
    one = published(tmp_path / "own", stamps, published_local="11:45", zone="Europe/Lisbon")
    assert one == {"09 22:00": "08 11:45 +0100", "09 23:00": "08 11:45 +0100", "10 00:00": "09 11:45 +0100"}
    other = published(tmp_path / "market", stamps, published_local="12:45", published_time_zone="Europe/Brussels", zone="Europe/Lisbon")
    assert other == {"09 22:00": "08 11:45 +0100", "09 23:00": "09 11:45 +0100", "10 00:00": "09 11:45 +0100"}
    early = published(tmp_path / "early", stamps[:1], published_local="09:00", published_before_days=3, zone="Europe/Lisbon")
    assert early == {"09 22:00": "06 09:00 +0100"}


def test_prices_that_are_published_later_today_are_known_when_they_are_read(tmp_path: Path) -> None:
    stamps = ["2017-01-10T22:00Z", "2017-01-10T23:00Z", "2017-01-11T22:00Z"]  # today, and tomorrow before its publication
    assert published(tmp_path, stamps, published_local="12:45") == {
        "10 23:00": "09 12:45 +0100", "11 00:00": "10 01:00 +0100", "11 23:00": "10 01:00 +0100"}


def test_a_tariff_is_published_ahead_and_a_load_is_not(tmp_path: Path) -> None:
    tariff = Series(id="tariff", kind="other", unit="EUR/kWh", minimum=None)
    columns = (ColumnMap(column="tariff", series="tariff", unit="EUR/kWh"),)
    content = utc_csv([NOW + 3600], [0.1], "valid_from,tariff")
    for published_local, good in (("12:45", True), (None, False)):
        mapping = mapping_of(*columns, published_local=published_local)
        case = file_case(tmp_path / str(good), content, mapping=mapping, series=(tariff,))
        if good:
            assert run(case, Warehouse.open(tmp_path / "home"))[0].rows_added == 1
        else:
            with pytest.raises(IngestRefused, match="is not over at"):
                run(case, Warehouse.open(tmp_path / "other home"))


def test_a_history_is_not_known_before_it_is_read(tmp_path: Path) -> None:
    warehouse = Warehouse.open(tmp_path)
    case = file_case(tmp_path, utc_csv(STARTS, range(4)), mapping=mapping_of(available_after_min=30))
    run(case, warehouse, now=STARTS[-1] + 900)
    assert known(warehouse, case)[-1][1] == STARTS[-1] + 900


def test_live_data_and_corrections_are_known_when_they_come(tmp_path: Path) -> None:
    warehouse, drops = Warehouse.open(tmp_path / "home"), tmp_path / "drops"
    drops.mkdir()
    case = folder_case(drops)
    (drops / "a.csv").write_text(utc_csv(STARTS[:2], [1, 2]))
    run(case, warehouse, now=NOW)
    (drops / "b.csv").write_text(utc_csv(STARTS[1:3], [2.5, 3]))  # corrects the second, brings a third
    receipt = run(case, warehouse, now=NOW + 60)[-1]
    assert (receipt.rows_added, receipt.versions_added, receipt.unchanged) == (2, 1, 0)
    assert known(warehouse, case) == [
        (STARTS[0], STARTS[0] + 1800, 1.0),
        (STARTS[1], STARTS[1] + 1800, 2.0),
        (STARTS[1], NOW + 60, 2.5),
        (STARTS[2], NOW + 60, 3.0),
    ]
    assert values(warehouse, case, as_of=NOW) == {STARTS[0]: 1.0, STARTS[1]: 2.0}
    assert values(warehouse, case, as_of=NOW + 60)[STARTS[1]] == 2.5


def test_reading_again_changes_nothing(tmp_path: Path) -> None:
    warehouse = Warehouse.open(tmp_path)
    case = file_case(tmp_path, utc_csv(STARTS, range(4)))
    first = run(case, warehouse)
    before = everything(warehouse)
    again = run(case, warehouse, now=NOW + 5)
    assert [first[0].status, again[0].status] == ["imported", "already_imported"]
    assert everything(warehouse) == before


def test_another_mapping_reads_the_file_again(tmp_path: Path) -> None:
    warehouse, content = Warehouse.open(tmp_path), utc_csv(STARTS, range(1, 5))
    run(file_case(tmp_path, content), warehouse)
    receipt = run(file_case(tmp_path, content, mapping=mapping_of(available_after_min=60)), warehouse, now=NOW + 1)[0]
    assert (receipt.status, receipt.rows_added, receipt.unchanged) == ("imported", 0, 4)


def test_a_source_that_records_knowledge_keeps_its_versions(tmp_path: Path) -> None:
    warehouse = Warehouse.open(tmp_path)
    content = "valid_from,load,seen\n2016-03-01T00:00Z,1,2016-03-01T01:00Z\n2016-03-01T00:00Z,2,2016-03-02T00:00Z\n"
    case = file_case(tmp_path, content, mapping=mapping_of(known_at_column="seen"))
    run(case, warehouse)
    assert known(warehouse, case) == [(STARTS[0], STARTS[0] + 3600, 1.0), (STARTS[0], STARTS[0] + 86400, 2.0)]


def test_a_folder_reads_every_content_once_and_leaves_unfinished_files(tmp_path: Path) -> None:
    warehouse, drops = Warehouse.open(tmp_path / "home"), tmp_path / "drops"
    case = folder_case(drops, pattern="*.csv*")
    assert run(case, warehouse) == []
    drops.mkdir()
    (drops / "a.csv").write_text(utc_csv(STARTS[:2], [1, 2]))
    (drops / "copy of a.csv").write_text(utc_csv(STARTS[:2], [1, 2]))
    for name in (".hidden.csv", "b.csv.part", "notes.txt"):
        (drops / name).write_text("not to be read")
    assert {receipt.unit: receipt.status for receipt in run(case, warehouse)} == {"a.csv": "imported", "copy of a.csv": "already_imported"}
    (drops / "a.csv").rename(drops / "renamed.csv")
    assert {receipt.status for receipt in run(case, warehouse)} == {"already_imported"}


def test_a_refused_file_holds_up_no_other(tmp_path: Path) -> None:
    warehouse, drops = Warehouse.open(tmp_path / "home"), tmp_path / "drops"
    drops.mkdir()
    case = folder_case(drops)
    (drops / "a.csv").write_text(utc_csv(STARTS[:2], ["x", "y"]))
    (drops / "b.csv").write_text(utc_csv(STARTS[:2], [1, 2]))
    (drops / "c.csv").write_text("")
    with pytest.raises(IngestRefused) as caught:
        run(case, warehouse)
    assert [mistake.place for mistake in caught.value.mistakes] == ["a.csv, row 2, column load", "c.csv"]
    assert [receipt.unit for receipt in caught.value.receipts] == ["b.csv"]
    assert caught.value.exit_code == 2
    assert caught.value.aftermath == "Stored all the same: b.csv; that is not read again."
    assert values(warehouse, case) == {STARTS[0]: 1.0, STARTS[1]: 2.0}
    with pytest.raises(IngestRefused) as again:
        run(case, warehouse)
    assert again.value.aftermath == ""


def test_refused_files_of_a_first_import_leave_no_trace(tmp_path: Path) -> None:
    warehouse, drops = Warehouse.open(tmp_path / "home"), tmp_path / "drops"
    drops.mkdir()
    before = everything(warehouse)
    for name in ("a.csv", "b.csv", "c.csv"):
        (drops / name).write_text(utc_csv(STARTS[:2], ["x", name]))
    with pytest.raises(IngestRefused):
        run(folder_case(drops), warehouse)
    assert everything(warehouse) == before


def test_a_first_import_that_was_killed_goes_on_as_a_first_import(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed after the first of three files: the other two are history all the same."""
    drops = tmp_path / "drops"
    drops.mkdir()
    for number in range(3):
        (drops / f"{number}.csv").write_text(utc_csv(STARTS[number : number + 1], [number]))
    case = folder_case(drops)
    whole = Warehouse.open(tmp_path / "whole")
    run(case, whole)
    killed = Warehouse.open(tmp_path / "killed")
    add, calls = killed.add_observations, []

    def add_then_die(namespace: str, batch: object, **more: object) -> object:
        calls.append(len(batch.value))  # type: ignore[attr-defined]
        if sum(calls) == 2:
            raise KeyboardInterrupt
        return add(namespace, batch, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(killed, "add_observations", add_then_die)
    with pytest.raises(KeyboardInterrupt):
        run(case, killed)
    monkeypatch.undo()
    assert len(values(killed, case)) == 1
    run(case, killed, now=NOW + 3600)
    assert known(killed, case) == known(whole, case) == [(start, start + 1800, float(n)) for n, start in enumerate(STARTS[:3])]


def test_a_series_keeps_the_resolution_it_began_with(tmp_path: Path) -> None:
    warehouse = Warehouse.open(tmp_path)
    run(file_case(tmp_path, utc_csv(STARTS, range(4)), series=(LOAD,)), warehouse)
    before = everything(warehouse)
    hourly = file_case(tmp_path, utc_csv(STARTS, range(1, 5)), series=(LOAD.model_copy(update={"resolution_min": 60}),))
    with pytest.raises(InputError, match=r"drop\.csv, series load: holds values of 900 s, and the batch brings values of 3600 s"):
        run(hourly, warehouse)
    assert everything(warehouse) == before


def test_an_unknown_source_is_refused(tmp_path: Path) -> None:
    from pipeline.ingest.run import ingest_case

    case = file_case(tmp_path, utc_csv(STARTS, range(4)))
    with pytest.raises(InputError, match="has no such source; it has meter"):
        ingest_case(case, Warehouse.open(tmp_path), now=NOW, data_dir=tmp_path, sources=["metre"])


# ------------------------------------------------------------------ forecasts of others

TOLD = GivenForecast(id="told", kind="load", resolution_min=60)
TELLS = (ColumnMap(column="mw", series="told", unit="MW"),)


def told(*rows: tuple[str, str, float]) -> str:
    """(issued, valid from, MW) as a file."""
    return "\n".join(["issued,valid_from,mw", *(f"{issued}:00Z,{valid}:00Z,{value}" for issued, valid, value in rows)]) + "\n"


TWO_ISSUES = told(("2016-03-01T06", "2016-03-02T00", 1.0), ("2016-03-01T06", "2016-03-02T01", 2.0), ("2016-03-01T12", "2016-03-02T00", 1.5))


def telling(source: Any, folder: Path) -> Any:
    """A case with one forecast of others, read from a source."""
    return case_with(source, series=(LOAD,), given_forecasts=(TOLD,), folder=folder)


def as_told(warehouse: Warehouse, case: Any) -> list[tuple[str, str, float]]:
    """(known at, valid from, kW) of every version."""
    return [(f"{from_epoch(when):%d %H:%M}", f"{from_epoch(start):%d %H}", value) for start, when, value in known(warehouse, case, "told")]


ISSUES = [("01 09:00", "02 00", 1000.0), ("01 15:00", "02 00", 1500.0), ("01 09:00", "02 01", 2000.0)]


def test_a_forecast_of_others_is_known_from_its_issue_on(tmp_path: Path) -> None:
    """In the order of its issues, three hours after each; of a file, a folder with an issue per file, and a query."""
    mapping = mapping_of(*TELLS, resolution_min=60, issued_at_column="issued", available_after_min=180)
    (tmp_path / "a.csv").write_text(TWO_ISSUES)
    case = telling(FileSource(id="f", path="a.csv", mapping=mapping), tmp_path)
    run(case, warehouse := Warehouse.open(tmp_path / "file"))
    assert as_told(warehouse, case) == ISSUES
    drops = tmp_path / "drops"
    drops.mkdir()
    header, *rows = TWO_ISSUES.splitlines()
    (drops / "z.csv").write_text("\n".join([header, *rows[:2]]) + "\n")
    (drops / "a.csv").write_text("\n".join([header, rows[2]]) + "\n")  # the later issue comes first in order of name
    case = telling(FolderSource(id="f", path=str(drops), pattern="*.csv", mapping=mapping), tmp_path)
    run(case, warehouse := Warehouse.open(tmp_path / "folder"))
    assert as_told(warehouse, case) == ISSUES


def test_a_query_tells_forecasts_of_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(sqlite3.connect(tmp_path / "weather.sqlite")) as sql, sql:
        sql.execute("CREATE TABLE told (issued TEXT, valid_from TEXT, mw REAL)")
        sql.executemany("INSERT INTO told VALUES (?, ?, ?)", [row.split(",") for row in TWO_ISSUES.splitlines()[1:]])
    monkeypatch.setenv("WEATHER", f"sqlite:///{tmp_path / 'weather.sqlite'}")
    mapping = mapping_of(*TELLS, resolution_min=60, issued_at_column="issued", available_after_min=180)
    case = telling(SqlSource(id="f", url_env="WEATHER", query="told", mapping=mapping), tmp_path)
    run(case, warehouse := Warehouse.open(tmp_path / "home"))
    assert as_told(warehouse, case) == ISSUES


def test_of_issues_that_come_at_once_the_newest_counts(tmp_path: Path) -> None:
    """Live: all of an import is known when it is read, whatever its files are called."""
    drops, mapping = tmp_path / "drops", mapping_of(*TELLS, resolution_min=60, issued_at_column="issued")
    drops.mkdir()
    case = telling(FolderSource(id="f", path=str(drops), pattern="*.csv", mapping=mapping), tmp_path)
    warehouse = Warehouse.open(tmp_path / "home")
    (drops / "first.csv").write_text(told(("2016-03-01T00", "2016-03-01T01", 9.0)))
    run(case, warehouse, now=epoch("2016-03-01T01:00+00:00"))
    (drops / "b.csv").write_text(told(("2016-03-01T06", "2016-03-02T00", 1.0)))
    (drops / "a.csv").write_text(told(("2016-03-01T12", "2016-03-02T00", 1.5), ("2016-03-01T08", "2016-03-02T00", 1.2)))
    run(case, warehouse, now=epoch("2016-03-01T13:00+00:00"))
    assert values(warehouse, case, "told", as_of=NOW)[epoch("2016-03-02T00:00+00:00")] == 1500.0
    assert as_told(warehouse, case)[0] == ("01 00:15", "01 01", 9000.0)


def test_each_issue_of_a_finer_forecast_is_averaged_for_itself(tmp_path: Path) -> None:
    rows = [f"2016-03-01T{issue}:00Z,2016-03-02T00:{minute}Z,{value + step}" for issue, value in (("06", 1.0), ("12", 11.0))
            for step, minute in enumerate(("00", "30"))]
    (tmp_path / "a.csv").write_text("\n".join(["issued,valid_from,mw", *rows]) + "\n")
    mapping = mapping_of(*TELLS, resolution_min=30, issued_at_column="issued")
    case = telling(FileSource(id="f", path="a.csv", mapping=mapping), tmp_path)
    run(case, warehouse := Warehouse.open(tmp_path / "home"))
    assert as_told(warehouse, case) == [("01 06:15", "02 00", 1500.0), ("01 12:15", "02 00", 11500.0)]


def test_an_issue_of_the_future_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(told(("2017-01-10T12", "2017-01-11T00", 1.0)))
    mapping = mapping_of(*TELLS, resolution_min=60, issued_at_column="issued")
    with pytest.raises(InputError, match=r"a\.csv, row 2, column issued: claims to be known at 2017-01-10T12:00Z, after the import"):
        run(telling(FileSource(id="f", path="a.csv", mapping=mapping), tmp_path), Warehouse.open(tmp_path / "home"))


def test_a_file_that_was_seen_is_not_opened_again_until_it_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    warehouse, drops = Warehouse.open(tmp_path / "home"), tmp_path / "drops"
    drops.mkdir()
    case = folder_case(drops)
    for number in range(3):
        (drops / f"{number}.csv").write_text(utc_csv(STARTS[number : number + 1], [number]))
        os.utime(drops / f"{number}.csv", (NOW, NOW))
    run(case, warehouse)
    opened: list[str] = []
    plainly = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: (opened.append(path.name), plainly(path))[1])
    assert [(receipt.unit, receipt.status) for receipt in run(case, warehouse)] == [("3 files", "already_imported")]
    assert not opened
    (drops / "1.csv").write_text(utc_csv(STARTS[1:2], [7]))
    os.utime(drops / "1.csv", (NOW + 9, NOW + 9))
    assert [receipt.unit for receipt in run(case, warehouse, now=NOW + 10)] == ["2 files", "1.csv"] and opened == ["1.csv"]
    assert values(warehouse, case, as_of=NOW + 10)[STARTS[1]] == 7.0
    assert run(folder_case(drops, mapping=mapping_of(available_after_min=5)), warehouse)[0].unit == "0.csv"  # another mapping reads anew


def test_a_column_without_values_is_no_first_import_of_its_series(tmp_path: Path) -> None:
    """The history of a meter that is filled in later is history."""
    columns = [ColumnMap(column=name, series=name, unit="kW") for name in ("load", "wind")]
    warehouse, case = Warehouse.open(tmp_path / "home"), folder_case(tmp_path, mapping=mapping_of(*columns), pattern="*.csv")
    stamps = [from_epoch(start).isoformat() for start in STARTS]
    for name, wind, now in (("a", "", NOW), ("b", "7", NOW + 86400)):
        (tmp_path / f"{name}.csv").write_text("valid_from,load,wind\n" + "".join(f"{stamp},5,{wind}\n" for stamp in stamps))
        run(case, warehouse, now=now)
    assert known(warehouse, case, "wind") == [(start, start + 1800, 7.0) for start in STARTS]  # its end and 15 min
