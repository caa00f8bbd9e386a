"""What a run wrote is immutable, and its bytes follow from its rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.store.lake import Lake, LakeConflict
from pipeline.store.parquet import from_parquet, sorted_rows, to_parquet

TABLE = pa.table({"name": ["a", "b"], "value": [1.0, 2.0]})


def test_what_is_written_is_read_back(lake: Lake) -> None:
    lake.write("da-1", {"costs": TABLE})
    assert lake.read("da-1", "costs").equals(TABLE)
    assert lake.has("da-1", "costs")
    assert not lake.has("da-1", "prices")
    assert lake.tables("da-1") == ["costs"]
    assert lake.tables("da-2") == []


def test_the_same_again_is_reused_and_other_rows_are_refused(lake: Lake, home: Path) -> None:
    sums = lake.write("da-1", {"costs": TABLE})
    file = home / "runs" / "da-1" / "costs.parquet"
    written = file.stat().st_mtime_ns
    assert lake.write("da-1", {"costs": TABLE}) == sums
    assert file.stat().st_mtime_ns == written
    with pytest.raises(LakeConflict, match="immutable"):
        lake.write("da-1", {"costs": TABLE.slice(1)})
    assert lake.read("da-1", "costs").equals(TABLE)


def test_equal_rows_in_other_bytes_are_the_same_table(lake: Lake) -> None:
    import pyarrow.parquet as pq

    lake.write("da-1", {"costs": TABLE})
    pq.write_table(TABLE, lake.files.full("runs/da-1/costs.parquet"), compression="none")  # as another library version may
    lake.write("da-1", {"costs": TABLE})


def test_no_temporary_file_stays_or_shows(lake: Lake, home: Path) -> None:
    lake.write("da-1", {"costs": TABLE})
    (home / "runs" / "da-1" / ".costs.parquet.0.tmp").write_bytes(b"half")
    assert lake.tables("da-1") == ["costs"]
    assert sorted(path.name for path in (home / "runs" / "da-1").iterdir()) == [".costs.parquet.0.tmp", "costs.parquet"]


def test_the_lake_may_be_an_object_store() -> None:
    lake = Lake("memory://lake")
    lake.write("da-1", {"costs": TABLE})
    assert lake.read("da-1", "costs").equals(TABLE)
    assert lake.tables("da-1") == ["costs"]


@given(rows=st.lists(st.tuples(st.text(max_size=3), st.floats(allow_nan=False)), min_size=1, max_size=30), cut=st.integers(0, 30))
def test_bytes_follow_from_rows_alone(rows: list[tuple[str, float]], cut: int) -> None:
    name, value = zip(*rows, strict=True)
    table = pa.table({"name": name, "value": value})
    chunked = pa.concat_tables([table.slice(0, cut), table.slice(cut)]).replace_schema_metadata({"pandas": "{}"})
    assert to_parquet(table) == to_parquet(chunked)
    assert from_parquet(to_parquet(table)).equals(table)


def test_bytes_of_a_long_table_follow_from_rows_alone() -> None:
    count = 200_000  # more than one row group and more names than a dictionary page holds
    table = pa.table({"value": np.random.default_rng(0).random(count), "name": [f"device {number % 60_000}" for number in range(count)]})
    chunked = pa.concat_tables([table.slice(0, 70_001), table.slice(70_001, 5), table.slice(70_006)])
    assert to_parquet(table) == to_parquet(chunked)


@given(rows=st.permutations([("a", 1, 0.5), ("a", 1, 0.25), ("a", 2, 0.0), ("b", 1, 1.0)]))
def test_rows_have_one_order_even_where_a_key_repeats(rows: list[tuple[str, int, float]]) -> None:
    name, step, value = zip(*rows, strict=True)
    ordered = sorted_rows(pa.table({"name": name, "step": step, "value": value}), ("name", "step"))
    assert ordered.to_pylist()[0] == {"name": "a", "step": 1, "value": 0.25}
    assert [row["value"] for row in ordered.to_pylist()] == [0.25, 0.5, 0.0, 1.0]
