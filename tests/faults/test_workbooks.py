"""Workbooks and zstd: read as a file of text is, refused with the remedy where they are not what the mapping says."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tests.unit.ingest.support import mapping_of, quarter_hours, refused, stored
from tests.unit.ingest.workbooks import Cell, ods, xlsx

STARTS = quarter_hours(8, first="2016-03-01T00:00+01:00")
BEGINS = datetime(2016, 3, 1)
WHAT_IT_HOLDS = dict(zip(STARTS, [10.5, 11.5, 12.5, 13.5, 14.5, 15.5, 16.5, 17.5], strict=True))
MAPPING = mapping_of(time_zone="Europe/Berlin")
XLS = Path(__file__).parent / "files" / "meter.xls"


def table(*, above: int = 0, below: tuple[Cell, ...] = ()) -> list[list[Cell]]:
    rows: list[list[Cell]] = [["Meter 4711", None]] * above + [["valid_from", "load"]]
    rows += [[BEGINS + timedelta(minutes=15 * at), 10.5 + at] for at in range(8)]
    return rows + ([list(below)] if below else [])


@pytest.mark.parametrize("write", [xlsx, ods])
def test_a_workbook_of_one_sheet_is_read(tmp_path: Path, write: Callable[..., bytes]) -> None:
    values, quality, receipt = stored(tmp_path, write({"Sheet1": table()}), name="meter.dat", mapping=MAPPING)
    assert values == WHAT_IT_HOLDS and set(quality.values()) == {0}
    assert (receipt.rows_read, receipt.values_read) == (8, 8)


def test_a_workbook_of_the_old_form_is_read(tmp_path: Path) -> None:
    assert stored(tmp_path, XLS.read_bytes(), name="meter.xls", mapping=MAPPING)[0] == WHAT_IT_HOLDS


@pytest.mark.parametrize("write", [xlsx, ods])
def test_a_workbook_of_several_sheets_is_named_and_its_remedy_works(tmp_path: Path, write: Callable[..., bytes]) -> None:
    book = write({"Meter": table(), "Notes": [["by hand"]]})
    (mistake,) = refused(tmp_path / "a", book, name="meter.xlsx", mapping=MAPPING)
    assert (mistake.message, mistake.remedy) == ("has 2 sheets: 'Meter', 'Notes'", "declare sheet: 'Meter'")
    assert stored(tmp_path / "b", book, name="meter.xlsx", mapping=mapping_of(time_zone="Europe/Berlin", sheet="Meter"))[0] == WHAT_IT_HOLDS
    (mistake,) = refused(tmp_path / "c", book, name="meter.xlsx", mapping=mapping_of(time_zone="Europe/Berlin", sheet="meter"))
    assert mistake.message == "has no sheet 'meter'; it has 'Meter', 'Notes'"


def test_what_stands_around_the_table_of_a_sheet_is_declared_as_that_of_a_text(tmp_path: Path) -> None:
    book = xlsx({"Sheet1": table(above=2, below=("Sum", 112.0))})
    (mistake,) = refused(tmp_path / "a", book, name="meter.xlsx", mapping=MAPPING)
    assert mistake.remedy == "declare skip_rows: 2" and "row 3" in mistake.place
    (mistake,) = refused(tmp_path / "b", book, name="meter.xlsx", mapping=mapping_of(time_zone="Europe/Berlin", skip_rows=2))
    assert "declare footer: 'Sum'" in mistake.remedy and "row 12" in mistake.place
    whole = mapping_of(time_zone="Europe/Berlin", skip_rows=2, footer="Sum")
    assert stored(tmp_path / "c", book, name="meter.xlsx", mapping=whole)[0] == WHAT_IT_HOLDS


def test_text_in_a_column_of_numbers_is_named_with_its_row(tmp_path: Path) -> None:
    rows = table()
    rows[3][1] = "broken"
    (mistake,) = refused(tmp_path, xlsx({"Sheet1": rows}), name="meter.xlsx", mapping=MAPPING)
    assert mistake.place == "meter.xlsx, row 4, column load" and "missing: ['broken']" in mistake.remedy


def test_a_damaged_workbook_and_one_without_its_reader_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, book in (("cut.xls", XLS.read_bytes()[:1500]), ("cut.xlsx", xlsx({"Sheet1": table()})[:600])):
        (mistake,) = refused(tmp_path / name, book, name=name, mapping=MAPPING)
        assert "cannot be" in mistake.message and mistake.remedy
    real = builtins.__import__

    def without(name: str, *more: Any, **named: Any) -> Any:
        if name == "python_calamine":
            raise ImportError(name)
        return real(name, *more, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    (mistake,) = refused(tmp_path, xlsx({"Sheet1": table()}), name="meter.xlsx", mapping=MAPPING)
    assert "pip install 'feederflow[workbooks]'" in mistake.remedy


def zstd(content: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as out:
        out.write(content)
    return bytes(sink.getvalue())


TEXT = "valid_from,load\n" + "".join(f"{BEGINS + timedelta(minutes=15 * at)},{10.5 + at}\n" for at in range(8))


def test_zstd_is_read_in_one_frame_or_several_and_a_cut_one_is_refused(tmp_path: Path) -> None:
    half = len(TEXT) // 2
    for name, packed in (("one", zstd(TEXT.encode())), ("two", zstd(TEXT[:half].encode()) + zstd(TEXT[half:].encode()))):
        assert stored(tmp_path / name, packed, name="meter.csv", mapping=MAPPING)[0] == WHAT_IT_HOLDS
    for share in (0.3, 0.6, 0.95):
        packed = zstd(TEXT.encode())
        (mistake,) = refused(tmp_path / str(share), packed[: int(share * len(packed))], name="meter.csv.zst", mapping=MAPPING)
        assert "cannot be unpacked as zstd" in mistake.message and "send it again" in mistake.remedy
