"""One altered cell in any published table is caught by a gate that names the table and the row.

Every table, every column, one at a time. Provenance names each of them. Most are caught without it too, by a recomputation from the other
tables and the case; which are not is written down here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pytest

from pipeline.cases.case import Case
from pipeline.core.clock import DeliveryDay
from pipeline.core.errors import Mistake
from pipeline.stages import validating
from pipeline.stages.asked import request
from pipeline.stages.home import Home, open_home
from pipeline.stages.results import run_day_ahead, run_real_time
from pipeline.store.parquet import from_parquet, to_parquet
from pipeline.store.publications import Day as PublishedDay
from pipeline.tables import TABLES
from pipeline.tables.contract import ARROW, Column
from pipeline.validate.context import Context
from pipeline.validate.contract_gate import check_contract, row_place
from pipeline.validate.gates import check_published, check_stage
from pipeline.validate.provenance import check_provenance, compare, published_path
from tests.unit.validate.synthetic import make_day, other_tables

# Without a row in this case: nobody makes offers, nothing is switched, and its treatment has neither bounds nor distances.
UNWRITTEN = ("offers", "commitments", "bounds", "distribution", "scenario_distances")
# Of devices and treatments that the case lacks: what holds their cells is tested with them.
ELSEWHERE = ("affine_rule", "ev_connection", "scenario_departures")
CELLS = [(table.name, column.name) for table in TABLES.values() if table.name not in ELSEWHERE for column in table.columns]

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


@dataclass
class Published:
    """A delivery day of `tiny` as the pipeline published it, and what its gates were given."""

    home: Home
    day: PublishedDay
    case: Case
    delivery: DeliveryDay
    tables: dict[str, dict[str, pa.Table]]  # product -> table -> rows of its run
    context: dict[str, Context]

    def product_of(self, table: str) -> str:
        return "day_ahead" if table in self.tables["day_ahead"] else "real_time"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Published]:
    """The whole day through the pipeline, once. Tables without a row in this case (offers, commitments) get made ones in memory."""
    given: dict[str, dict[str, Any]] = {}

    def noted(case: Case, tables: Mapping[str, pa.Table], **more: Any) -> Any:
        if more.get("contracts", "suite") is not None:
            given[more["product"]] = {"case": case, **more}
        return check_stage(case, tables, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FEEDERFLOW_HOME", str(tmp_path_factory.mktemp("published")))
        patch.setattr(validating, "check_stage", noted)
        asked = request({"case": "tiny"})
        runs = {"day_ahead": run_day_ahead(asked)["run_id"], "real_time": run_real_time(asked)["run_id"]}
        home = open_home()
    case: Case = given["real_time"]["case"]
    tables = {
        product: {name: home.lake.read(run, name) for name in home.lake.tables(run) if name in TABLES} for product, run in runs.items()
    }
    made = make_day()
    for product, others in other_tables(made).items():
        for name, table in others.items():
            if all(tables[p].get(name, table.slice(0, 0)).num_rows == 0 for p in tables):
                columns = {column: table.column(column).to_pylist() for column in table.column_names}
                tables[product][name] = TABLES[name].build({**columns, "run_id": [runs[product]] * table.num_rows})
    day = PublishedDay(case.name, case.variant, case.default_date.isoformat())
    context = {product: kwargs["context"] for product, kwargs in given.items()}
    yield Published(home, day, case, case.day(case.default_date), tables, context)
    home.warehouse.close()


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
def test_provenance_names_table_row_and_column(tiny: Published, name: str, column: str) -> None:
    contract, table = TABLES[name], tiny.tables[tiny.product_of(name)][name]
    row = row_to_alter(table)
    changed = altered(table, column_of(name, column), row)
    mistakes = compare(contract, changed, table)
    key_or_run = column in (*contract.key, "run_id")
    assert mistakes[0].place == (row_place(contract, changed, row) if key_or_run else row_place(contract, table, row, column))


@pytest.mark.parametrize(("name", "column"), CELLS, ids=[f"{table}.{column}" for table, column in CELLS])
def test_recomputation_catches_the_cell_without_provenance(tiny: Published, name: str, column: str) -> None:
    product = tiny.product_of(name)
    tables = dict(tiny.tables[product])
    tables[name] = altered(tables[name], column_of(name, column), row_to_alter(tables[name]))
    mistakes = check_contract(TABLES[name], tables[name])
    if not mistakes:
        mistakes, _ = check_stage(tiny.case, tables, day=tiny.delivery, product=product, context=tiny.context[product], contracts=None)
    if (name, column) in ONLY_PROVENANCE:
        assert mistakes == []
    else:
        named = "schedule" if (name, column) == ("scenarios", "value") else name  # a load no longer follows from its scenario
        assert any(mistake.place.startswith(f"table {named}, row ") for mistake in mistakes), mistakes


# ------------------------------------------------------------------ the files as they lie on disk


def test_what_is_published_passes(tiny: Published) -> None:
    assert check_published(tiny.home.warehouse, tiny.home.lake, tiny.case, tiny.day.delivery_date) == []


def on_disk(tiny: Published) -> list[str]:
    return [name for name in TABLES if tiny.home.lake.files.exists(published_path(name, tiny.day))]


def test_every_table_of_the_day_is_on_disk(tiny: Published) -> None:
    assert set(TABLES) - set(on_disk(tiny)) <= {"offers", "scenario_distances", *ELSEWHERE}


@pytest.mark.parametrize("name", [name for name in TABLES if name not in (*UNWRITTEN, *ELSEWHERE)])
def test_an_altered_file_is_refused_and_its_row_named(tiny: Published, name: str) -> None:
    files, path = tiny.home.lake.files, published_path(name, tiny.day)
    good = files.read(path)
    table = from_parquet(good)
    column = next(c for c in reversed(TABLES[name].columns) if c.kind == "number" or c is TABLES[name].columns[-1])
    row = row_to_alter(table)
    files.replace(path, to_parquet(altered(table, column, row)))
    try:
        mistakes = check_published(tiny.home.warehouse, tiny.home.lake, tiny.case, tiny.day.delivery_date)
    finally:
        files.replace(path, good)
    assert f"file {path}" in {mistake.place for mistake in mistakes}
    assert row_place(TABLES[name], table, row, column.name) in {mistake.place for mistake in mistakes}


@pytest.mark.parametrize("name", ["schedule", "costs"])
def test_a_row_that_is_gone_and_a_row_that_no_run_wrote(tiny: Published, name: str) -> None:
    files, path = tiny.home.lake.files, published_path(name, tiny.day)
    good = files.read(path)
    table = from_parquet(good)
    another = altered(table.slice(0, 1), column_of(name, TABLES[name].key[-1]), 0)
    try:
        files.replace(path, to_parquet(table.slice(1)))
        gone = check_provenance(tiny.home.warehouse, tiny.home.lake, tiny.day)[0]
        files.replace(path, to_parquet(pa.concat_tables([table, another])))
        strange = check_provenance(tiny.home.warehouse, tiny.home.lake, tiny.day)[0]
    finally:
        files.replace(path, good)
    assert any("is not published" in mistake.message for mistake in gone)
    assert any("no run wrote this row" in mistake.message or "more than one" in mistake.message for mistake in strange)


def test_a_missing_file_is_named(tiny: Published) -> None:
    files, path = tiny.home.lake.files, published_path("costs", tiny.day)
    good = files.read(path)
    files.remove(path)
    mistakes = check_provenance(tiny.home.warehouse, tiny.home.lake, tiny.day)[0]
    files.replace(path, good)
    assert Mistake(f"file {path}", "is recorded as published, and is not there") in mistakes
