"""Whatever a file holds, every row of it is accounted for, and in growing pieces it gives what it gives at once."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.cases.sources import ColumnMap, Series
from pipeline.core.errors import InputError
from pipeline.ingest.fates import Account, Fate, Fates
from pipeline.ingest.receipt import Receipt
from pipeline.store.warehouse import Warehouse
from tests.unit.ingest.support import NOW, folder_case, mapping_of, qualities, quarter_hours, run, utc_csv, values

FIRST = quarter_hours(1)[0]
LOAD = (Series(id="load", kind="load", maximum=None),)
RARELY = settings(max_examples=30, deadline=None, derandomize=True)


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[int], list[object]]:
    """Stamps of one to three stretches of different steps, with gaps, repetitions and empty cells, in any order of rows."""
    moment, stamps = FIRST, []
    for _ in range(draw(st.integers(1, 3))):
        step = draw(st.sampled_from([300, 600, 900, 1800, 3600]))
        stamps += [moment + step * n for n in range(draw(st.integers(1, 30)))]
        moment = (stamps[-1] // 3600 + 1) * 3600
    stamps = [stamp for stamp in stamps if draw(st.integers(0, 9))]
    rows: list[tuple[int, object]] = [(stamp, draw(st.sampled_from(["", "1", "2.5", "7", "n/e"]))) for stamp in stamps]
    rows += [row for row in rows if not draw(st.integers(0, 7))]
    rows = draw(st.permutations(rows)) if draw(st.booleans()) else rows
    return [stamp for stamp, _ in rows], [cell for _, cell in rows]


@RARELY
@given(tables(), st.sampled_from([15, 30, 60]), st.sampled_from([5, 15, 60]), st.sampled_from(["interval", "count"]))
def test_every_row_has_one_fate(table: tuple[list[int], list[object]], resolution: int, declared: int, reading: str) -> None:
    """The sums are asserted where the receipt is made: no generated file may break them, whether it is taken or refused."""
    column = ColumnMap(column="load", series="load", unit="kWh", reading=reading)  # type: ignore[arg-type]
    with tempfile.TemporaryDirectory() as folder:
        drops = Path(folder) / "drops"
        drops.mkdir()
        case = folder_case(drops, mapping=mapping_of(column, resolution_min=declared),
                           series=(LOAD[0].model_copy(update={"resolution_min": resolution}),))
        (drops / "a.csv").write_text(utc_csv(*table))
        warehouse = Warehouse.open(Path(folder) / "home")
        try:
            receipts: list[Receipt] = run(case, warehouse)
        except InputError as refused:
            assert refused.mistakes
            return
        [account] = receipts[0].accounts
        assert account.rows == len(table[0]) == sum(account.fates.values()) and account.values == receipts[0].rows_added
        assert len(values(warehouse, case)) == account.values


@RARELY
@given(st.lists(st.tuples(st.integers(100, 599), st.sampled_from([3.0, 40.0, 400.0, -1.0, 900.0])), max_size=12),
       st.lists(st.integers(1, 599), min_size=1, max_size=4), st.sampled_from(["load", "price"]))
def test_a_file_in_growing_pieces_gives_what_it_gives_at_once(jumps: list[tuple[int, float]], cuts: list[int], kind: str) -> None:
    """Values and flags: nothing that comes later changes what an earlier value is called."""
    numbers = 50 + 5 * np.sin(np.arange(600) / 96 * 2 * np.pi)
    for place, factor in jumps:
        numbers[place] *= factor if kind == "price" else abs(factor) if factor < 0 or factor > 15 else factor
    starts = quarter_hours(600)
    series = (Series(id="load", kind=kind, unit="kW" if kind == "load" else "EUR/kWh", maximum=None),)  # type: ignore[arg-type]
    mapping = mapping_of(ColumnMap(column="load", series="load", unit=series[0].unit))
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for name, edges in (("whole", []), ("pieces", sorted(set(cuts)))):
            drops = Path(folder) / name
            drops.mkdir()
            warehouse, case = Warehouse.open(Path(folder) / f"home-{name}"), folder_case(drops, mapping=mapping, series=series)
            try:
                for low, high in zip([0, *edges], [*edges, 600], strict=True):
                    (drops / f"{low:03d}.csv").write_text(utc_csv(starts[low:high], numbers[low:high]))
                    run(case, warehouse, now=NOW)
            except InputError:
                return  # refused for its size: a refusal may know more than a flag
            found.append((values(warehouse, case), qualities(warehouse, case)))
    assert found[0] == found[1]


def test_a_row_that_is_lost_or_counted_twice_is_a_bug() -> None:
    fates = Fates(3)
    fates.mark(np.array([0, 1]), Fate.STORED)
    with pytest.raises(AssertionError, match="1 of 3 rows of load are unaccounted for"):
        fates.account("load", "load", 2)
    with pytest.raises(AssertionError, match="have another fate already"):
        fates.mark(np.array([1, 2]), Fate.GAP)
    with pytest.raises(AssertionError, match="4 rows were read and 3 accounted for"):
        Account("load", "load", 4, {"stored": 3}, 3)
