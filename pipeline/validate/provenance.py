"""What is published against what the runs wrote: every row as its run wrote it, every row that a current run wrote."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.core.errors import Mistake
from pipeline.store.lake import Lake
from pipeline.store.parquet import from_parquet
from pipeline.store.publications import Day, current, files
from pipeline.store.warehouse import Warehouse
from pipeline.tables import TABLES, Table
from pipeline.validate.contract_gate import row_place
from pipeline.validate.frame import first, place


def compare(contract: Table, published: pa.Table, written: pa.Table, *, complete: bool = True) -> list[Mistake]:
    """Rows of `published` that differ from those `written` with the same key, or have none; and, where `complete`, the reverse.

    Column by column: a mistake names table, key, column, the published and the written value.
    """
    columns = [column.name for column in contract.columns]
    if sorted(published.column_names) != sorted(columns):
        return [Mistake(place(contract.name), f"has columns {published.column_names}")]
    published, written = published.select(columns), written.select(columns)
    if published.equals(written):
        return []
    theirs = {key: row for row, key in enumerate(_keys(contract, written))}
    ours = _keys(contract, published)
    times = Counter(ours)
    twice = [row for row, key in enumerate(ours) if times[key] > 1]
    mistakes = first((Mistake(row_place(contract, published, row), "more than one row has this key") for row in twice), of=len(twice))
    at = np.array([theirs.get(key, -1) for key in ours], dtype=np.int64)
    unknown = np.flatnonzero(at < 0)
    mistakes += first((Mistake(row_place(contract, published, int(row)), "no run wrote this row") for row in unknown), of=len(unknown))
    mine = np.flatnonzero(at >= 0)
    left, right = published.take(pa.array(mine)), written.take(pa.array(at[mine]))
    for name in columns:
        differs = _differs(left.column(name), right.column(name))
        mistakes += first(
            (
                Mistake(
                    row_place(contract, left, int(row), name),
                    f"{left.column(name)[int(row)].as_py()} is published, the run wrote {right.column(name)[int(row)].as_py()}",
                )
                for row in differs
            ),
            of=len(differs),
        )
    if complete:
        seen = set(ours)
        lost = [row for key, row in theirs.items() if key not in seen]
        mistakes += first(
            (Mistake(row_place(contract, written, row), "the run wrote this row, and it is not published") for row in lost), of=len(lost)
        )
    return mistakes


def _keys(contract: Table, table: pa.Table) -> list[tuple[object, ...]]:
    return list(zip(*(table.column(name).to_pylist() for name in (*contract.key, "run_id")), strict=True))


def _differs(left: pa.ChunkedArray, right: pa.ChunkedArray) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Rows whose values differ; two nulls are equal, two NaN too."""
    unequal = pc.fill_null(pc.not_equal(left, right), False)
    if pa.types.is_floating(left.type):
        unequal = pc.and_(unequal, pc.invert(pc.and_(pc.fill_null(pc.is_nan(left), False), pc.fill_null(pc.is_nan(right), False))))
    missing = pc.not_equal(pc.is_null(left), pc.is_null(right))
    return np.asarray(np.flatnonzero(pc.or_(unequal, missing).to_numpy(zero_copy_only=False)))


def published_path(table: str, day: Day) -> str:
    """Where a table of a day is published; restated here, so that the checker depends on no other room."""
    return f"published/{table}/case={day.case}/variant={day.variant}/delivery_date={day.delivery_date}/part-0.parquet"


def ancestry(warehouse: Warehouse, runs: Iterable[str]) -> frozenset[str]:
    """These runs and all their parents. A run that the warehouse does not know is not in it."""
    found: set[str] = set()
    todo = list(runs)
    while todo:
        run = todo.pop()
        if run in found:
            continue
        record = warehouse.run(run)
        if record is not None:
            found.add(run)
            todo += record.parents
    return frozenset(found)


def check_provenance(warehouse: Warehouse, lake: Lake, day: Day) -> tuple[list[Mistake], dict[str, pa.Table], frozenset[str]]:
    """Mistakes, the published tables as read, and the runs that stand behind them.

    Every published file has the checksum and the rows that the warehouse recorded; every row stands in the immutable table of the
    run that it names; that run is current or a parent of a current one; all rows of current runs are there.
    """
    with warehouse.reading() as connection:
        now = current(connection, day).get(day, {})
        recorded = {file.table: file for file in files(connection, day).get(day, [])}
    runs = frozenset(publication.run_id for publication in now.values())
    known = ancestry(warehouse, runs)
    if not runs:
        return [Mistake(f"case {day.case}, variant {day.variant}, day {day.delivery_date}", "nothing is published")], {}, known
    mistakes, tables = _read_published(lake, day, recorded={name: (file.path, file.sha256, file.rows) for name, file in recorded.items()})
    for name, table in tables.items():
        contract = TABLES[name]
        named = pc.unique(table.column("run_id")).to_pylist() if "run_id" in table.column_names else []
        strangers = sorted(str(run) for run in named if run not in known)
        mistakes += [Mistake(place(name, "run_id"), f"run {run} is not current, nor a parent of a current run") for run in strangers]
        written = [lake.read(run, name) for run in sorted((set(named) & known) | runs) if lake.has(run, name)]
        every = pa.concat_tables(written).sort_by([(key, "ascending") for key in contract.key]) if written else contract.empty()
        mistakes += compare(contract, table, every, complete=False)
        mistakes += _lost(contract, table, [lake.read(run, name) for run in sorted(runs) if lake.has(run, name)])
    return mistakes, tables, known


def _lost(contract: Table, published: pa.Table, written: list[pa.Table]) -> list[Mistake]:
    """Rows of current runs that are not published."""
    ours = set(_keys(contract, published))
    mistakes: list[Mistake] = []
    for table in written:
        lost = [row for row, key in enumerate(_keys(contract, table)) if key not in ours]
        mistakes += first(
            (Mistake(row_place(contract, table, row), "a current run wrote this row, and it is not published") for row in lost),
            of=len(lost),
        )
    return mistakes


def _read_published(lake: Lake, day: Day, *, recorded: Mapping[str, tuple[str, str, int]]) -> tuple[list[Mistake], dict[str, pa.Table]]:
    mistakes: list[Mistake] = []
    tables: dict[str, pa.Table] = {}
    for name in TABLES:
        path = published_path(name, day)
        if not lake.files.exists(path):
            if name in recorded:
                mistakes.append(Mistake(f"file {path}", "is recorded as published, and is not there"))
            continue
        data = lake.files.read(path)
        tables[name] = from_parquet(data)
        if name not in recorded:
            mistakes.append(Mistake(f"file {path}", "is published, and the warehouse does not know of it"))
            continue
        _, checksum, rows = recorded[name]
        if hashlib.sha256(data).hexdigest() != checksum:
            mistakes.append(Mistake(f"file {path}", "is not the file that was published: its checksum differs", "publish the run again"))
        if tables[name].num_rows != rows:
            mistakes.append(Mistake(f"file {path}", f"has {tables[name].num_rows} rows, {rows} were published"))
    return mistakes, tables
