"""Real EV sessions from a file: what is stored, when it became known, and what is refused by row and column."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.cases.case import Case
from pipeline.cases.sources import SessionFileSource
from pipeline.core.errors import InputError
from pipeline.equipment import EvFleet
from pipeline.ingest.run import ingest_case
from pipeline.store.warehouse import Warehouse
from tests.helpers import case_of
from tests.unit.ingest.support import NOW, epoch

HEAD = "fleet,arrival,departure,need_kwh,charger_kw\n"
FLEET = EvFleet(id="cars", bus="plate", vehicle_count=3, charger_kw=11, battery_kwh=50, charge_efficiency_share=0.9, departure_hours=(7,))


def _case(folder: Path, text: str, zone: str | None = "Europe/Berlin") -> Case:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sessions.csv").write_text(text)
    source = SessionFileSource(id="cars_log", path="sessions.csv", time_zone=zone)
    return case_of(FLEET, sources=(source,), folder=folder)


def test_sessions_of_a_file_are_stored_and_known_at_their_arrival(tmp_path: Path) -> None:
    text = HEAD + "cars,2016-06-14 18:00,2016-06-15 07:00,20,11\ncars,2016-06-14 18:00,2016-06-15 06:00,0,3.7\n"
    warehouse = Warehouse.open(tmp_path / "home")
    case = _case(tmp_path, text)
    (receipt,) = ingest_case(case, warehouse, now=NOW, data_dir=tmp_path)
    assert (receipt.kind, receipt.status, receipt.rows_added) == ("sessions", "imported", 2)
    found = warehouse.sessions(case.name, ["cars"], 0, 1 << 40, NOW)
    assert found.arrival.tolist() == [epoch("2016-06-14T18:00+02:00")] * 2
    assert (sorted(found.need_kwh), sorted(found.charger_kw)) == ([0.0, 20.0], [3.7, 11.0])
    assert found.known_at.tolist() == found.arrival.tolist()
    assert ingest_case(case, warehouse, now=NOW, data_dir=tmp_path)[0].status == "already_imported"
    later = _case(tmp_path, text + "cars,2016-06-15 18:00,2016-06-16 07:00,20,11\n")
    assert ingest_case(later, warehouse, now=NOW, data_dir=tmp_path)[0].rows_added == 1
    assert warehouse.sessions(case.name, ["cars"], 0, 1 << 40, NOW).known_at.tolist()[-1] == NOW
    warehouse.close()


def test_the_charger_of_the_fleet_is_the_default(tmp_path: Path) -> None:
    warehouse = Warehouse.open(tmp_path / "home")
    case = _case(tmp_path, "fleet,arrival,departure,need_kwh\ncars,2016-06-14T18:00Z,2016-06-15T07:00Z,20\n", None)
    ingest_case(case, warehouse, now=NOW, data_dir=tmp_path)
    assert warehouse.sessions(case.name, ["cars"], 0, 1 << 40, NOW).charger_kw.tolist() == [11.0]
    warehouse.close()


@pytest.mark.parametrize(("row", "column", "words"), [
    ("vans,2016-06-14 18:00,2016-06-15 07:00,20,11", "fleet", "'vans' is no ev_fleet of the case"),
    ("cars,2016-06-14 18:00,2016-06-14 17:00,20,11", "departure", "departs before it arrives"),
    ("cars,2016-06-14 18:00,2016-06-15 07:00,-20,11", "need_kwh", "need_kwh is -20"),
    ("cars,2016-06-14 18:00,2016-06-15 07:00,,11", "need_kwh", "need_kwh is missing"),
    ("cars,2016-06-14 18:00,2016-06-15 07:00,20000,11", "need_kwh", "more than a battery of its fleet holds (50 kWh)"),
    ("cars,2016-06-14 18:00,tomorrow,20,11", "departure", "'tomorrow' is not a stamp"),
    ("cars,2016-10-30 02:15,2016-10-30 07:00,20,11", "arrival", "occurs twice in Europe/Berlin"),
])
def test_a_bad_session_is_refused(tmp_path: Path, row: str, column: str, words: str) -> None:
    warehouse = Warehouse.open(tmp_path / "home")
    with pytest.raises(InputError) as caught:
        ingest_case(_case(tmp_path, f"{HEAD}{row}\n"), warehouse, now=NOW, data_dir=tmp_path)
    (mistake,) = caught.value.mistakes
    assert mistake.place == f"sessions.csv, row 2, column {column}" and words in mistake.message and mistake.remedy
    assert len(warehouse.sessions("sample", ["cars"], 0, 1 << 40, NOW)) == 0
    warehouse.close()


def test_a_missing_column_is_told(tmp_path: Path) -> None:
    warehouse = Warehouse.open(tmp_path / "home")
    with pytest.raises(InputError, match="the column 'need_kwh' is missing"):
        ingest_case(_case(tmp_path, "fleet,arrival,departure\ncars,a,b\n"), warehouse, now=NOW, data_dir=tmp_path)
    warehouse.close()


def _said(folder: Path, text: str) -> list[str]:
    warehouse, case = Warehouse.open(folder / "home"), _case(folder, text)
    with pytest.raises(InputError) as refused:
        ingest_case(case, warehouse, now=NOW, data_dir=folder)
    warehouse.close()
    return [str(one) for one in refused.value.mistakes]


def test_an_empty_need_and_a_negative_one_are_two_causes(tmp_path: Path) -> None:
    row = "cars,2016-06-14 18:00,2016-06-15 07:00,{},11\n"
    said = _said(tmp_path, HEAD + row.format(-3) + row.format("") + row.format("some"))
    wanted = ("row 2, column need_kwh: need_kwh is -3;", "row 3, column need_kwh: need_kwh is missing; give",
              "row 4, column need_kwh: 'some' is not a number;")
    assert len(said) == 3 and all(any(words in one for one in said) for words in wanted)


def test_a_row_whose_cells_are_shifted_is_one_row(tmp_path: Path) -> None:
    (said,) = _said(tmp_path, HEAD + "cars,2016-06-14 18:00,2016-06-15 07:00,20,11\ncars,14.06.14.06.2016,2016 07:00 h,20,11\n")
    assert said.startswith("sessions.csv, row 3, column arrival: ") and "(so in 2 columns of this row)" in said


def test_new_chargers_without_a_session_are_told_of_a_law(tmp_path: Path) -> None:
    (said,) = _said(tmp_path, HEAD)
    assert all(words in said for words in ("has a header and no rows", "leave the source out", "kind: window", "kind: sampling"))
