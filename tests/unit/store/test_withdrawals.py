"""An import that is taken back: what reads see before and after, and what an import can be tried for."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pipeline.cases.case import Case
from pipeline.core.errors import InputError
from pipeline.forecast.history import latest
from pipeline.store.measured import MeasuredState, standing
from pipeline.store.observations import extent
from pipeline.store.sessions import SessionBatch
from pipeline.store.warehouse import Warehouse
from tests.unit.ingest.support import NOW, everything, file_case, folder_case, quarter_hours, run, utc_csv, values

STARTS = quarter_hours(4)
LATER = NOW + 1000


def test_a_correction_is_taken_back_and_an_earlier_read_still_sees_it(tmp_path: Path) -> None:
    warehouse, case = Warehouse.open(tmp_path / "home"), folder_case(tmp_path)
    (tmp_path / "a.csv").write_text(utc_csv(STARTS[:2], [1, 2]))
    run(case, warehouse)
    (tmp_path / "b.csv").write_text(utc_csv(STARTS[1:], [20, 3, 4]))
    receipt = run(case, warehouse, now=NOW + 60)[-1]
    assert receipt.import_id is not None
    done = warehouse.withdraw(case.name, receipt.import_id, now=LATER)
    assert (done.restored, done.emptied, done.read_again) == (1, 2, ())
    assert values(warehouse, case, as_of=LATER - 1) == dict(zip(STARTS, [1.0, 20.0, 3.0, 4.0], strict=True))
    assert values(warehouse, case, as_of=LATER) == {STARTS[0]: 1.0, STARTS[1]: 2.0}
    read = warehouse.observations(case.name, ["load"], 0, 1 << 40, 1 << 40)
    grid = latest(read, ("load",), start=STARTS[0], step_s=900, count=4, known_by=LATER)
    assert grid[0, :2].tolist() == [1.0, 2.0] and (grid[0, 2:] != grid[0, 2:]).all()
    assert latest(read, ("load",), start=STARTS[0], step_s=900, count=4, known_by=LATER - 1)[0].tolist() == [1.0, 20.0, 3.0, 4.0]
    assert read.newest()[0] == STARTS[2]
    (tmp_path / "c.csv").write_text(utc_csv(STARTS[1:], [2, 0, 4]))  # a value that stands there, one of zero, one as it was
    assert run(case, warehouse, now=LATER + 60)[-1].rows_added == 2
    assert values(warehouse, case, as_of=LATER + 60) == dict(zip(STARTS, [1.0, 2.0, 0.0, 4.0], strict=True))


def test_a_series_of_which_all_was_taken_back_reaches_from_nowhere_to_nowhere(tmp_path: Path) -> None:
    """Who asks why a forecast knows nothing is not told of values that are gone."""
    warehouse, case = Warehouse.open(tmp_path / "home"), folder_case(tmp_path)
    (tmp_path / "a.csv").write_text(utc_csv(STARTS, [1, 2, 3, 4]))
    receipt = run(case, warehouse)[-1]
    with warehouse.reading() as connection:
        assert extent(connection, case.name, "load") == (STARTS[0], STARTS[-1] + 900, STARTS[0] + 1800)
    warehouse.withdraw(case.name, receipt.import_id or 0, now=LATER)
    with warehouse.reading() as connection:
        assert extent(connection, case.name, "load") is None and extent(connection, case.name, "wind") is None


def test_what_another_file_said_too_is_read_again(tmp_path: Path) -> None:
    warehouse, case = Warehouse.open(tmp_path / "home"), folder_case(tmp_path)
    (tmp_path / "a.csv").write_text(utc_csv(STARTS[:3], [1, 2, 3]))
    first = run(case, warehouse)[-1]
    (tmp_path / "b.csv").write_text(utc_csv(STARTS[1:], [2, 3, 4]))
    run(case, warehouse, now=NOW + 60)
    assert first.import_id is not None
    assert warehouse.withdraw(case.name, first.import_id, now=LATER).read_again == ("b.csv",)
    assert values(warehouse, case, as_of=LATER) == {STARTS[3]: 4.0}
    run(case, warehouse, now=LATER + 60)
    assert values(warehouse, case, as_of=LATER + 60) == dict(zip(STARTS[1:], [2.0, 3.0, 4.0], strict=True))


@pytest.mark.parametrize("make", [folder_case, lambda folder: file_case(folder, utc_csv(STARTS, [1, 2, 3, 4]), name="a.csv")])
def test_a_withdrawn_file_says_so_and_is_read_again_when_it_is_asked_for(tmp_path: Path, make: Callable[[Path], Case]) -> None:
    warehouse, case = Warehouse.open(tmp_path / "home"), make(tmp_path)
    (tmp_path / "a.csv").write_text(utc_csv(STARTS, [1, 2, 3, 4]))
    os.utime(tmp_path / "a.csv", (1e9, 1e9))  # a drop folder does not open again what has lain there
    number = run(case, warehouse)[-1].import_id or 0
    with pytest.raises(InputError, match=f"is not withdrawn; `--withdraw {number}` takes it back first"):
        warehouse.read_again(case.name, number)
    warehouse.withdraw(case.name, number, now=LATER)
    for _ in range(2):
        (known,) = run(case, warehouse, now=LATER + 60)
        assert (known.status, known.import_id, known.unit) == ("withdrawn", number, "a.csv")
    assert warehouse.read_again(case.name, number) == "meter"
    again = run(case, warehouse, now=LATER + 120)[-1]
    assert (again.status, again.rows_added) == ("imported", 4) and again.import_id != number
    assert values(warehouse, case, as_of=LATER + 60) == {}
    assert values(warehouse, case, as_of=LATER + 120) == dict(zip(STARTS, [1.0, 2.0, 3.0, 4.0], strict=True))
    assert run(case, warehouse, now=LATER + 180)[-1].status == "already_imported"
    with pytest.raises(InputError, match="was read again since"):
        warehouse.read_again(case.name, number)
    with pytest.raises(InputError, match="is no import of the case"):
        warehouse.read_again(case.name, 99)


def test_what_was_restored_can_be_taken_back_too(tmp_path: Path) -> None:
    warehouse, case = Warehouse.open(tmp_path / "home"), folder_case(tmp_path)
    ids = []
    for number, name in enumerate("abc"):
        (tmp_path / f"{name}.csv").write_text(utc_csv(STARTS[:1], [number + 1]))
        ids.append(run(case, warehouse, now=NOW + 60 * number)[-1].import_id)
    for moment, (number, left) in enumerate(((2, {STARTS[0]: 2.0}), (1, {STARTS[0]: 1.0}), (0, {}))):
        warehouse.withdraw(case.name, ids[number] or 0, now=LATER)  # at one moment: the order in which it was said counts
        assert values(warehouse, case, as_of=LATER + moment) == left
    with pytest.raises(InputError, match="was withdrawn before"):
        warehouse.withdraw(case.name, ids[0] or 0, now=LATER)


def test_an_unknown_import_is_refused_with_those_that_are_there(tmp_path: Path) -> None:
    warehouse, case = Warehouse.open(tmp_path / "home"), folder_case(tmp_path)
    with pytest.raises(InputError, match="no import stands"):
        warehouse.withdraw(case.name, 7, now=LATER)
    (tmp_path / "a.csv").write_text(utc_csv(STARTS, range(4)))
    run(case, warehouse)
    with pytest.raises(InputError, match=r"is no import of the case .*; the newest are 1 \(meter, 2017-01-10T00:00Z\)"):
        warehouse.withdraw(case.name, 7, now=LATER)


def test_the_same_file_comes_back_by_the_remedy_and_what_is_gone_is_not_named(tmp_path: Path) -> None:
    warehouse, case = Warehouse.open(tmp_path / "home"), folder_case(tmp_path)
    text = utc_csv(STARTS, range(4))
    (tmp_path / "a.csv").write_text(text)
    number = run(case, warehouse)[-1].import_id or 0
    warehouse.withdraw(case.name, number, now=LATER)
    assert run(case, warehouse, now=LATER + 60)[-1].status == "withdrawn"
    with pytest.raises(InputError, match=r"was withdrawn before; .*--again 1` reads the same file again"):
        warehouse.withdraw(case.name, number, now=LATER)
    with pytest.raises(InputError, match="no import stands"):
        warehouse.withdraw(case.name, 77, now=LATER)
    (tmp_path / "a.csv").write_text(text + "\n")
    assert run(case, warehouse, now=LATER + 120)[-1].rows_added == 4


def test_a_trial_reads_what_it_wrote_and_leaves_nothing(tmp_path: Path) -> None:
    warehouse, case = Warehouse.open(tmp_path / "home"), folder_case(tmp_path)
    (tmp_path / "a.csv").write_text(utc_csv(STARTS, range(4)))
    before = everything(warehouse)
    with warehouse.trial():
        assert run(case, warehouse)[-1].rows_added == 4
        assert len(values(warehouse, case)) == 4
        (tmp_path / "b.csv").write_text("valid_from,load\n2016-03-01T00:00Z,x\n")
        with pytest.raises(InputError):
            run(case, warehouse)
        assert len(values(warehouse, case)) == 4
    assert everything(warehouse) == before
    (tmp_path / "b.csv").unlink()
    assert run(case, warehouse)[-1].rows_added == 4


FAR = 1 << 40


def _sessions(*departures: int, need: float = 9.0) -> SessionBatch:
    count = len(departures)
    return SessionBatch(["ev"] * count, 1000 * (1 + np.arange(count)), np.array(departures), np.full(count, need), np.full(count, 7.0))


def test_sessions_are_again_what_they_were_before_the_import(tmp_path: Path) -> None:
    warehouse = Warehouse.open(tmp_path / "home")
    warehouse.add_sessions("case", _sessions(9000), source="real", ingested_at=NOW)
    wrong = warehouse.add_sessions("case", _sessions(9500, 9900), source="real", ingested_at=NOW + 60)
    done = warehouse.withdraw("case", wrong.sequence, now=LATER)
    assert (done.source, done.restored, done.emptied) == ("real", 1, 1)
    assert warehouse.sessions("case", ["ev"], 0, FAR, LATER - 1).departure.tolist() == [9500, 9900]
    assert warehouse.sessions("case", ["ev"], 0, FAR, LATER).departure.tolist() == [9000]
    every = warehouse.sessions("case", ["ev"], 0, FAR, LATER, versions=True)
    assert every.departure.tolist() == [9000, 9000, 9500, 9900] and every.superseded_at[-1] == LATER
    # The last session that stands is the one of before: 2000 is not there any more.
    assert warehouse.sessions("case", ["ev"], 5000, FAR, LATER, past_before=6000).departure.tolist() == [9000]
    with pytest.raises(InputError, match="was withdrawn before"):
        warehouse.withdraw("case", wrong.sequence, now=LATER)
    again = warehouse.add_sessions("case", _sessions(9000, 9900), source="real", ingested_at=LATER + 60)
    assert (again.rows_added + again.versions_added, again.unchanged) == (1, 1)
    assert warehouse.sessions("case", ["ev"], 0, FAR, LATER + 60).departure.tolist() == [9000, 9900]


def test_the_last_sessions_of_a_fleet_that_stand_are_found_behind_those_taken_back(tmp_path: Path) -> None:
    warehouse = Warehouse.open(tmp_path / "home")
    warehouse.add_sessions("case", _sessions(1500), source="real", ingested_at=NOW)
    late = SessionBatch(["ev"], np.array([70_000]), np.array([71_000]), np.array([9.0]), np.array([7.0]))
    wrong = warehouse.add_sessions("case", late, source="real", ingested_at=NOW + 60)
    asked = {"start": 100_000, "end": FAR, "past_before": 101_000}
    assert warehouse.sessions("case", ["ev"], as_of=LATER, **asked).arrival.tolist() == [70_000]
    warehouse.withdraw("case", wrong.sequence, now=LATER)
    assert warehouse.sessions("case", ["ev"], as_of=LATER, **asked).arrival.tolist() == [1000]


def test_measured_states_are_again_what_they_were_before_the_import(tmp_path: Path) -> None:
    warehouse = Warehouse.open(tmp_path / "home")
    right = [MeasuredState("case", "bess", "energy_kwh", 1000, 5.0, "scada", NOW)]
    wrong = [MeasuredState("case", "bess", "energy_kwh", moment, 500.0, "scada", NOW + 60) for moment in (1000, 2000)]
    warehouse.add_measured_states("case", right, source="scada", ingested_at=NOW)
    done = warehouse.add_measured_states("case", wrong, source="scada", ingested_at=NOW + 60)
    back = warehouse.withdraw("case", done.sequence, now=LATER)
    assert (back.restored, back.emptied) == (1, 1)
    stand = {moment: standing(warehouse.measured_states("case", 0, FAR, moment)) for moment in (LATER - 1, LATER)}
    assert [(one.measured_at, one.value) for one in stand[LATER - 1]] == [(1000, 500.0), (2000, 500.0)]
    assert [(one.measured_at, one.value) for one in stand[LATER]] == [(1000, 5.0)]


def test_an_import_that_said_nothing_new_has_nothing_to_take_back(tmp_path: Path) -> None:
    warehouse = Warehouse.open(tmp_path / "home")
    for moment in (NOW, NOW + 60):
        done = warehouse.add_sessions("case", _sessions(9000), source="real", ingested_at=moment)
    with pytest.raises(InputError, match="brought nothing new, so there is nothing to take back"):
        warehouse.withdraw("case", done.sequence, now=LATER)
