"""One altered cell in any published table is caught by a gate that names the table and the row.

Every table, every column, one at a time. Provenance names each of them. Most are caught without it too, by a recomputation from the other
tables and the case; which are not is written down here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import pyarrow as pa
import pytest

from pipeline.core.errors import Mistake
from pipeline.publish.ledger import publish
from pipeline.store.lake import Lake
from pipeline.store.parquet import from_parquet, to_parquet
from pipeline.store.publications import Day as PublishedDay
from pipeline.store.runs import RunRecord
from pipeline.store.warehouse import Warehouse
from pipeline.tables import TABLES
from pipeline.tables.contract import ARROW, Column
from pipeline.validate.contract_gate import check_contract, row_place
from pipeline.validate.gates import check_published, check_stage
from pipeline.validate.provenance import check_provenance, compare, published_path
from tests.unit.validate.synthetic import RUN, Day, make_day, other_tables

CELLS = [(table.name, column.name) for table in TABLES.values() for column in table.columns]

# Words and measures that nothing else in the tables follows from: only the run's own table can tell.
ONLY_PROVENANCE = {
    (table, column)
    for table, columns in {
        "forecasts": "mean sd q95",
        "forecast_scores": "score value",
        "scenario_quality": "method measure value",
        "bus_state": "voltage_ac_pu",
        "branch_state": "loading_share loss_ac_kw",
        "prices": "price_per_kwh",
        "offers": "actor product offered_kw accepted_kw price_per_kwh",
        "settlement": "dispatched_kw settled",
        "kpis": "stage kpi unit value",
        "findings": "stage severity place message value limit",
    }.items()
    for column in columns.split()
}


@cache
def whole_day() -> Day:
    made = make_day()
    others = other_tables(made)
    return replace(made, tables={product: {**made.tables[product], **others[product]} for product in made.tables})


def product_of(table: str) -> str:
    return "day_ahead" if table in whole_day().tables["day_ahead"] else "real_time"


def row_to_alter(table: pa.Table) -> int:
    """An injection of the first wind or load row where the table is long, else a row in the middle."""
    if "quantity" in table.column_names and "carrier" in table.column_names:
        quantity, device = table.column("quantity").to_pylist(), table.column("device").to_pylist()
        return next(row for row in range(5, table.num_rows) if quantity[row] == "injection" and device[row].endswith("_load"))
    return table.num_rows // 2


def altered(table: pa.Table, column: Column, row: int) -> pa.Table:
    """The table with one cell changed to another value of the same kind."""
    values = table.column(column.name).to_pylist()
    before = values[row]
    if column.kind == "number":
        values[row] = 0.125 if before is None else before * 1.02 + 0.01
    elif column.kind == "integer":
        values[row] = before + 1
    elif column.kind == "flag":
        values[row] = not before
    elif column.kind == "instant":
        values[row] = before.replace(minute=(before.minute + 15) % 60)
    else:
        values[row] = next((other for other in column.allowed if other != before), f"{before}_x")
    index = table.schema.get_field_index(column.name)
    return table.set_column(index, table.schema.field(index), pa.array(values, ARROW[column.kind]))


def column_of(table: str, column: str) -> Column:
    return next(c for c in TABLES[table].columns if c.name == column)


@pytest.mark.parametrize(("name", "column"), CELLS, ids=[f"{table}.{column}" for table, column in CELLS])
def test_provenance_names_table_row_and_column(name: str, column: str) -> None:
    contract, table = TABLES[name], whole_day().tables[product_of(name)][name]
    row = row_to_alter(table)
    changed = altered(table, column_of(name, column), row)
    mistakes = compare(contract, changed, table)
    key_or_run = column in (*contract.key, "run_id")
    assert mistakes[0].place == (row_place(contract, changed, row) if key_or_run else row_place(contract, table, row, column))


@pytest.mark.parametrize(("name", "column"), CELLS, ids=[f"{table}.{column}" for table, column in CELLS])
def test_recomputation_catches_the_cell_without_provenance(name: str, column: str) -> None:
    made, product = whole_day(), product_of(name)
    tables = dict(made.tables[product])
    tables[name] = altered(tables[name], column_of(name, column), row_to_alter(tables[name]))
    mistakes = check_contract(TABLES[name], tables[name])
    if not mistakes:
        mistakes, _ = check_stage(made.case, tables, day=made.day, product=product, context=made.context[product], contracts=False)
    if (name, column) in ONLY_PROVENANCE:
        assert mistakes == []
    else:
        named = "schedule" if (name, column) == ("scenarios", "value") else name  # a load no longer follows from its scenario
        assert any(mistake.place.startswith(f"table {named}, row ") for mistake in mistakes), mistakes


# ------------------------------------------------------------------ the files as they lie on disk


@dataclass
class Home:
    warehouse: Warehouse
    lake: Lake
    day: PublishedDay


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    folder: Path = tmp_path_factory.mktemp("published")
    made = whole_day()
    warehouse, lake = Warehouse.open(folder), Lake(folder)
    date = made.day.date.isoformat()
    for number, product in enumerate(("day_ahead", "real_time")):
        parents = (RUN["day_ahead"],) if product == "real_time" else ()
        record = RunRecord(
            RUN[product],
            product,
            made.case.name,
            made.case.variant,
            "stochastic",
            date,
            1000 + number,
            1000 + number,
            parents,
            {"steps": [1, 96]} if product == "real_time" else {},
        )
        warehouse.register_run(record)
        lake.write(RUN[product], made.tables[product])
        warehouse.finish_run(RUN[product], status="done")
        publish(warehouse, lake, RUN[product])
    yield Home(warehouse, lake, PublishedDay(made.case.name, made.case.variant, date))
    warehouse.close()


def test_what_is_published_passes(home: Home) -> None:
    assert check_published(home.warehouse, home.lake, whole_day().case, home.day.delivery_date) == []


@pytest.mark.parametrize("name", list(TABLES))
def test_an_altered_file_is_refused_and_its_row_named(home: Home, name: str) -> None:
    path = published_path(name, home.day)
    good = home.lake.files.read(path)
    table = from_parquet(good)
    column = next(c for c in reversed(TABLES[name].columns) if c.kind == "number" or c is TABLES[name].columns[-1])
    row = row_to_alter(table)
    home.lake.files.replace(path, to_parquet(altered(table, column, row)))
    try:
        mistakes = check_published(home.warehouse, home.lake, whole_day().case, home.day.delivery_date)
    finally:
        home.lake.files.replace(path, good)
    assert f"file {path}" in {mistake.place for mistake in mistakes}
    assert row_place(TABLES[name], table, row, column.name) in {mistake.place for mistake in mistakes}


@pytest.mark.parametrize("name", ["schedule", "costs"])
def test_a_row_that_is_gone_and_a_row_that_no_run_wrote(home: Home, name: str) -> None:
    path = published_path(name, home.day)
    good = home.lake.files.read(path)
    table = from_parquet(good)
    try:
        home.lake.files.replace(path, to_parquet(table.slice(1)))
        gone = check_provenance(home.warehouse, home.lake, home.day)[0]
        home.lake.files.replace(
            path, to_parquet(pa.concat_tables([table, altered(table.slice(0, 1), column_of(name, TABLES[name].key[-1]), 0)]))
        )
        strange = check_provenance(home.warehouse, home.lake, home.day)[0]
    finally:
        home.lake.files.replace(path, good)
    assert any("is not published" in mistake.message for mistake in gone)
    assert any("no run wrote this row" in mistake.message or "more than one" in mistake.message for mistake in strange)


def test_a_missing_file_is_named(home: Home) -> None:
    path = published_path("costs", home.day)
    good = home.lake.files.read(path)
    home.lake.files.remove(path)
    mistakes = check_provenance(home.warehouse, home.lake, home.day)[0]
    home.lake.files.replace(path, good)
    assert Mistake(f"file {path}", "is recorded as published, and is not there") in mistakes
