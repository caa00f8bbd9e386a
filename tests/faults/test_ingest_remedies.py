"""Each message of a refused file names a remedy; here each is applied as it stands, and the same file is read."""

from __future__ import annotations

import bz2
import gzip
import lzma
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.cases.sources import ColumnMap
from tests.unit.ingest.support import epoch, mapping_of, quarter_hours, refused, stored, utc_csv
from tests.unit.ingest.workbooks import packed

HEAD = "valid_from,load\n"
DAY = quarter_hours(96)
SUMMER = "2016-03-13"  # the clocks of New York go forward


def _spring_hours() -> str:
    hours = [hour for hour in range(1, 25) if hour != 3]  # as a clock that names ends writes them
    return "day,he,load\n" + "".join(f"{SUMMER},{hour},{hour}\n" for hour in hours)


REMEDIES: list[tuple[str, str | bytes, dict[str, Any], str, dict[str, Any], dict[str, float]]] = [
    (
        "thousands or decimals",
        HEAD + '2016-03-01T00:00Z,"1,234"\n',
        {},
        "declare decimal: '.' where it is 1234 or decimal: ',' where it is 1.234",
        {"decimal": "."},
        {"2016-03-01T00:00+00:00": 1234.0},
    ),
    (
        "decimals or thousands",
        HEAD + '2016-03-01T00:00Z,"1,234"\n',
        {},
        "decimal: ',' where it is 1.234",
        {"decimal": ","},
        {"2016-03-01T00:00+00:00": 1.234},
    ),
    ("decimal comma", HEAD + '2016-03-01T00:00Z,"12,5"\n', {}, "declare decimal: ','", {"decimal": ","}, {"2016-03-01T00:00+00:00": 12.5}),
    ("decimal point", "valid_from;load\n2016-03-01T00:00Z;12.5\n", {"decimal": ",", "separator": ";"}, "declare decimal: '.'",
     {"decimal": "."}, {"2016-03-01T00:00+00:00": 12.5}),
    ("month first", HEAD + "03/13/2016 0:15,5\n", {"time_zone": "UTC"}, "declare time_format: '%m/%d/%Y %H:%M'",
     {"time_format": "%m/%d/%Y %H:%M"}, {"2016-03-13T00:15+00:00": 5.0}),
    ("day or month", HEAD + "03/04/2016 12:15 AM,5\n", {"time_zone": "UTC"},
     "'%d/%m/%Y %I:%M %p' or '%m/%d/%Y %I:%M %p'", {"time_format": "%d/%m/%Y %I:%M %p"}, {"2016-04-03T00:15+00:00": 5.0}),
    ("a form that is not there", HEAD + "2016-03-01T00:15Z,5\n", {"time_format": "%d/%m/%Y"}, "take time_format away",
     {"time_format": None}, {"2016-03-01T00:15+00:00": 5.0}),
    ("no zone", HEAD + "2016-03-01 00:15,5\n", {}, "declare time_zone in the mapping", {"time_zone": "Europe/Berlin"},
     {"2016-03-01T00:15+01:00": 5.0}),
    ("a foreign offset", HEAD + "2016-03-01T00:15-05:00,5\n", {"time_zone": "Europe/Berlin"}, "leave time_zone out",
     {"time_zone": None}, {"2016-03-01T00:15-05:00": 5.0}),
    ("a clock without summer time", HEAD + f"{SUMMER} 02:15,5\n", {"time_zone": "America/New_York"}, "declare time_zone: Etc/GMT+5",
     {"time_zone": "Etc/GMT+5"}, {f"{SUMMER}T02:15-05:00": 5.0}),
    ("separator", "valid_from;load\n2016-03-01T00:00Z;5\n", {}, "declare separator: ';'", {"separator": ";"},
     {"2016-03-01T00:00+00:00": 5.0}),
    ("separator under a preamble", "Meter,7\nvalid_from|load\n2016-03-01T00:00Z|5\n", {"skip_rows": 1}, "declare separator: '|'",
     {"separator": "|"}, {"2016-03-01T00:00+00:00": 5.0}),
    ("preamble", "Meter 7\nkW\n\n" + HEAD + "2016-03-01T00:00Z,5\n", {}, "declare skip_rows: 3", {"skip_rows": 3},
     {"2016-03-01T00:00+00:00": 5.0}),
    ("no header", "2016-03-01T00:00Z,5\n", {}, "declare header: [..], the names of its 2 columns", {"header": ("valid_from", "load")},
     {"2016-03-01T00:00+00:00": 5.0}),
    ("two rows of units", "TIMESTAMP,load\nTS,kW\n,Avg\n2016-03-01 00:00:00,5\n", {"time_column": "TIMESTAMP", "time_zone": "UTC"},
     "declare units_row: 2", {"units_row": 2}, {"2016-03-01T00:00+00:00": 5.0}),
    ("total", HEAD + "2016-03-01T00:00Z,5\nTotal,5\n", {}, "declare footer: 'Total'", {"footer": "Total"}, {"2016-03-01T00:00+00:00": 5.0}),
    ("words below", HEAD + "2016-03-01T00:00Z,5\n(1 rows affected)\n", {}, "declare footer: '(1 rows affected)'",
     {"footer": "(1 rows affected)"}, {"2016-03-01T00:00+00:00": 5.0}),
    ("a column twice", "valid_from,load,load\n2016-03-01T00:00Z,5,6\n", {}, "declare header: [..]",
     {"header": ("valid_from", "load", "reserve"), "skip_rows": 1}, {"2016-03-01T00:00+00:00": 5.0}),
    ("a mark of a gap", HEAD + "2016-03-01T00:00Z,5\n2016-03-01T00:15Z,offline\n", {}, "declare missing: ['offline']",
     {"missing": ("offline",)}, {"2016-03-01T00:00+00:00": 5.0}),
    ("western", "Zeit,Wert in €\n2016-03-01T00:00Z,5\n".encode("cp1252"), {"time_column": "Zeit", "columns": "Wert in €"},
     "declare encoding: cp1252", {"encoding": "cp1252"}, {"2016-03-01T00:00+00:00": 5.0}),
    ("Japanese", "日時,実績\n2016/3/1 0:00,5\n".encode("cp932"), {"time_column": "日時", "columns": "実績", "time_zone": "Asia/Tokyo"},
     "declare encoding: cp932", {"encoding": "cp932"}, {"2016-03-01T00:00+09:00": 5.0}),
    ("UTF-16 without its mark", (HEAD + "2016-03-01T00:00Z,5\n").encode("utf-16-le"), {}, "declare encoding: utf-16-le",
     {"encoding": "utf-16-le"}, {"2016-03-01T00:00+00:00": 5.0}),
    ("hours of the clock", _spring_hours(),
     {"time_columns": {"date": "day", "hour": "he"}, "resolution_min": 60, "time_zone": "America/New_York"},
     "declare time: he (and time_is: end) in place of hour: he", {"time_columns": {"date": "day", "time": "he"}, "time_is": "end"},
     {f"{SUMMER}T00:00-05:00": 1.0, f"{SUMMER}T01:00-05:00": 2.0, f"{SUMMER}T03:00-04:00": 4.0}),
    ("counted, not a clock", "day,period,load\n2016-03-01,1,5\n2016-03-01,50,6\n",
     {"time_columns": {"date": "day", "time": "period"}, "time_zone": "UTC"}, "with `hour` or `period` in place of `time`",
     {"time_columns": {"date": "day", "period": "period"}}, {"2016-03-01T00:00+00:00": 5.0, "2016-03-01T12:15+00:00": 6.0}),
    ("unit", utc_csv(DAY, [100_000.0] * 96), {}, "declare unit W", {"unit": "W"}, {"2016-03-01T00:00+00:00": 100.0}),
    ("unit of a larger one", utc_csv(DAY, [100.0] * 96), {"unit": "MW"}, "declare unit kW", {"unit": "kW"},
     {"2016-03-01T00:00+00:00": 100.0}),
    ("sign", utc_csv(DAY, [-100.0] * 96), {}, "declare sign: -1", {"sign": -1}, {"2016-03-01T00:00+00:00": 100.0}),
    ("middle of the hour", utc_csv([start + 1800 for start in DAY[::4]], [5.0] * 24), {"resolution_min": 60},
     "declare time_shift_min: -30", {"time_shift_min": -30}, {"2016-03-01T00:00+00:00": 5.0, "2016-03-01T01:45+00:00": 5.0}),
]  # fmt: skip


def _mapping(fields: dict[str, Any]) -> Any:
    fields = dict(fields)
    column = ColumnMap(
        column=fields.pop("columns", "load"), series="load", unit=fields.pop("unit", "kW"), sign=fields.pop("sign", 1)
    )
    return mapping_of(column, **{name: value for name, value in fields.items() if value is not None})


@pytest.mark.parametrize(
    ("content", "declared", "remedy", "mended", "read"), [row[1:] for row in REMEDIES], ids=[row[0] for row in REMEDIES]
)
def test_a_remedy_works(
    tmp_path: Path, content: str | bytes, declared: dict[str, Any], remedy: str, mended: dict[str, Any], read: dict[str, float]
) -> None:
    mistakes = refused(tmp_path / "as it stands", content, mapping=_mapping(declared))
    assert len(mistakes) == 1, "\n".join(map(str, mistakes))
    assert remedy in mistakes[0].remedy
    values, _, _ = stored(tmp_path / "mended", content, mapping=_mapping(declared | mended))
    assert {stamp: values.get(epoch(stamp)) for stamp in read} == {stamp: pytest.approx(value) for stamp, value in read.items()}


def test_a_stamp_that_names_the_end_is_not_ahead(tmp_path: Path) -> None:
    """A live file whose last interval has just ended."""
    content, now = HEAD + "2016-03-01T12:00Z,5\n2016-03-01T12:15Z,6\n", epoch("2016-03-01T12:16+00:00")
    (mistake,) = refused(tmp_path / "start", content, now=now)
    assert "declare time_is: end" in mistake.remedy
    values, _, _ = stored(tmp_path / "end", content, now=now, mapping=mapping_of(time_is="end"))
    assert values == {epoch("2016-03-01T11:45+00:00"): 5.0, epoch("2016-03-01T12:00+00:00"): 6.0}


PLAIN = (HEAD + "2016-03-01T00:00Z,5\n").encode()


@pytest.mark.parametrize(
    "pack", [gzip.compress, bz2.compress, lzma.compress, lambda plain: packed({"meter.csv": plain, "__MACOSX/._meter.csv": b"x"})]
)
def test_a_compressed_file_is_read_and_a_cut_one_is_refused(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    packed = pack(PLAIN)
    assert list(stored(tmp_path / "whole", packed, name="drop.dat")[0].values()) == [5.0]
    (mistake,) = refused(tmp_path / "cut", packed[: len(packed) // 2], name="drop.dat")
    assert "cannot be unpacked as" in mistake.message and "send it again" in mistake.remedy


def test_a_zip_of_several_files_is_refused_with_their_names(tmp_path: Path) -> None:
    (mistake,) = refused(tmp_path, packed({"a.csv": PLAIN, "b.csv": PLAIN}), name="drop.zip")
    assert mistake.message == "holds 2 files ('a.csv', 'b.csv')" and "kind: folder" in mistake.remedy
