"""An import that is taken back: what reads see before and after, and what an import can be tried for."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.core.errors import InputError
from pipeline.forecast.history import latest
from pipeline.store.warehouse import Warehouse
from tests.unit.ingest.support import NOW, everything, folder_case, quarter_hours, run, utc_csv, values

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
    with pytest.raises(InputError, match="nothing was imported yet"):
        warehouse.withdraw(case.name, 7, now=LATER)
    (tmp_path / "a.csv").write_text(utc_csv(STARTS, range(4)))
    run(case, warehouse)
    with pytest.raises(InputError, match=r"is no import of the case .*; the newest are 1 \(meter, 2017-01-10T00:00Z\)"):
        warehouse.withdraw(case.name, 7, now=LATER)


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
