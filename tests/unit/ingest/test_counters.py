"""A meter's counter in several files: what it counted between the last reading of one and the first of the next is not lost."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from pipeline.cases.case import Case
from pipeline.cases.sources import ColumnMap
from pipeline.store.warehouse import Warehouse
from tests.unit.ingest.support import NOW, folder_case, mapping_of, quarter_hours, run, utc_csv, values

STARTS = quarter_hours(8)
COUNTS = [1000.0, 1010.0, 1025.0, 1045.0, 1070.0, 1100.0, 1135.0, 1175.0]  # kWh: 10, 15, 20, .. in a quarter-hour
POWERS = dict(zip(STARTS, [40.0, 60.0, 80.0, 100.0, 120.0, 140.0, 160.0], strict=False))


def counting(tmp_path: Path, **more: object) -> tuple[Warehouse, Case]:
    entry = ColumnMap(column="load", series="load", unit="kWh", reading="count", **more)
    (tmp_path / "drop").mkdir()
    return Warehouse.open(tmp_path / "home"), folder_case(tmp_path / "drop", mapping=mapping_of(entry))


def drop(tmp_path: Path, name: str, places: Iterable[int], more: float = 0.0) -> None:
    places = list(places)
    (tmp_path / "drop" / f"{name}.csv").write_text(utc_csv([STARTS[at] for at in places], [COUNTS[at] + more for at in places]))


def test_one_reading_in_each_file_gives_what_a_file_of_them_all_does(tmp_path: Path) -> None:
    warehouse, case = counting(tmp_path)
    for at in range(len(STARTS)):
        drop(tmp_path, f"live-{at}", [at])
        receipt = run(case, warehouse, now=NOW + 60 * at)[-1]
        assert receipt.rows_added == min(at, 1) and [one.fates for one in receipt.accounts] == [{"unmatched": 1}]
    found = warehouse.observations(case.name, ["load"], 0, 1 << 40, 1 << 40)
    assert values(warehouse, case, as_of=1 << 40) == POWERS
    first, *later = found.known_at.tolist()  # the first value of a series is history; later ones are known with the reading that ends them
    assert (first, later) == (STARTS[0] + 1800, [NOW + 60 * at for at in range(2, len(STARTS))])


@pytest.mark.parametrize("names", ["abc", "cba", "bca"])
def test_files_of_a_first_import_go_on_from_each_other_whatever_they_are_called(tmp_path: Path, names: str) -> None:
    warehouse, case = counting(tmp_path)
    for name, places in zip(names, (range(3), range(3, 5), range(5, 8)), strict=True):
        drop(tmp_path, name, places)
    run(case, warehouse)
    assert values(warehouse, case) == POWERS


def test_a_file_that_came_late_is_bound_to_both_its_neighbours(tmp_path: Path) -> None:
    warehouse, case = counting(tmp_path)
    drop(tmp_path, "a", range(2))
    drop(tmp_path, "c", range(5, 8))
    run(case, warehouse)
    assert [values(warehouse, case)[start] for start in STARTS[:6]] == [40.0, *[90.0] * 4, 140.0]  # an hour of which the sum is known
    drop(tmp_path, "b", range(2, 5))
    run(case, warehouse, now=NOW + 60)
    assert values(warehouse, case, as_of=NOW + 60) == POWERS


def test_a_reading_in_both_files_counts_once_and_one_taken_back_counts_no_longer(tmp_path: Path) -> None:
    warehouse, case = counting(tmp_path)
    drop(tmp_path, "a", range(4))
    run(case, warehouse)
    drop(tmp_path, "b", range(3, 5))
    assert run(case, warehouse, now=NOW + 60)[-1].rows_added == 1
    drop(tmp_path, "c", [5], more=50.0)  # a wrong one
    wrong = run(case, warehouse, now=NOW + 120)[-1]
    assert wrong.import_id is not None
    warehouse.withdraw(case.name, wrong.import_id, now=NOW + 180)
    drop(tmp_path, "d", [5, 6])
    run(case, warehouse, now=NOW + 240)
    assert values(warehouse, case, as_of=NOW + 240) == {start: POWERS[start] for start in STARTS[:6]}


def test_a_counter_in_another_unit_does_not_go_on(tmp_path: Path) -> None:
    warehouse, case = counting(tmp_path)
    drop(tmp_path, "a", range(4))
    run(case, warehouse)
    doubled = ColumnMap(column="load", series="load", unit="kWh", reading="count", scale_factor=2.0)
    other = folder_case(tmp_path / "drop", mapping=mapping_of(doubled))
    (tmp_path / "drop" / "a.csv").unlink()
    drop(tmp_path, "b", range(4, 6))
    run(other, warehouse, now=NOW + 60)
    assert set(values(warehouse, case, as_of=NOW + 60)) == {*STARTS[:3], STARTS[4]}
