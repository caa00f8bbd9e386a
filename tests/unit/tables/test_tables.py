"""Every table is declared by the same rules, and builds what it declares."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from pipeline.core.errors import GateFailed
from pipeline.core.units import has_unit
from pipeline.tables import TABLES, Column, Table
from pipeline.tables.dictionary import TARGET, dictionary

EVERY = pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)
# Numbers whose unit stands beside them in the row, or that have none; money is in the case's currency.
WITHOUT_SUFFIX = {"mean", "sd", "value", "measured_value", "weight", "limit", "lower", "upper",
                  *(f"q{level}" for level in ("05", "10", "25", "50", "75", "90", "95"))}
AT_LEAST = (
    "forecasts", "scenarios", "scenario_quality", "schedule", "dispatch", "commitments", "bus_state", "branch_state", "prices", "offers",
    "settlement", "costs", "states", "findings",
)


def sample(column: Column) -> list[object]:
    text = column.allowed[0] if column.allowed else "a"
    return [{"text": text, "integer": 1, "number": 0.5, "instant": 900, "flag": True}[column.kind]]


def columns_of(table: Table) -> dict[str, list[object]]:
    return {column.name: sample(column) for column in table.columns}


def test_all_promised_tables_are_declared() -> None:
    assert set(AT_LEAST) <= set(TABLES)
    assert all(name == table.name for name, table in TABLES.items())


@EVERY
def test_a_number_carries_its_unit(table: Table) -> None:
    for column in table.columns:
        if column.kind == "number" and column.name not in WITHOUT_SUFFIX and not column.name.endswith("_cost"):
            assert has_unit(column.name), f"{table.name}.{column.name}"


@EVERY
def test_a_unit_that_stands_in_another_column_stands_there(table: Table) -> None:
    names = {column.name for column in table.columns}
    assert all(column.unit.removeprefix("column:") in names for column in table.columns if column.unit.startswith("column:"))


@EVERY
def test_a_table_says_which_run_wrote_a_row_and_what_names_it(table: Table) -> None:
    by_name = {column.name: column for column in table.columns}
    assert table.columns[0].name == "run_id"
    assert set(table.key) <= set(by_name)
    assert not any(by_name[name].nullable for name in table.key)
    assert len(by_name) == len(table.columns)
    assert all(column.doc for column in table.columns)
    assert not {"case", "variant", "delivery_date"} & set(by_name), "the partition keys are in the path"


@EVERY
def test_builds_what_it_declares(table: Table) -> None:
    built = table.build(columns_of(table))
    assert built.schema == table.schema
    assert built.num_rows == 1
    assert table.empty().schema == table.schema


@EVERY
def test_an_undeclared_or_missing_column_is_refused(table: Table) -> None:
    columns = columns_of(table)
    with pytest.raises(GateFailed, match="undeclared"):
        table.build({**columns, "colour": ["red"]})
    with pytest.raises(GateFailed, match=table.columns[-1].name):
        table.build({name: values for name, values in columns.items() if name != table.columns[-1].name})


def test_rows_are_sorted_by_key_and_then_by_the_rest() -> None:
    same = {"run_id": ["r"] * 3, "stage": ["day_ahead"] * 3, "severity": ["info"] * 3, "check": ["voltage"] * 3, "limit": [None] * 3}
    built = TABLES["findings"].build({**same, "place": ["b02", "b01", "b02"], "message": ["b", "c", "a"], "value": [1.0, None, 1.0]})
    assert built["message"].to_pylist() == ["c", "a", "b"]


def test_instants_are_utc_and_empty_numbers_are_empty() -> None:
    built = TABLES["bus_state"].build({**columns_of(TABLES["bus_state"]), "voltage_ac_pu": [float("nan")]})
    assert built["valid_from"].type == pa.timestamp("us", tz="UTC")
    assert built["valid_from"].to_pylist()[0].isoformat() == "1970-01-01T00:15:00+00:00"
    assert built["voltage_ac_pu"].null_count == 1


def test_the_dictionary_is_up_to_date() -> None:
    assert Path(TARGET).read_text() == dictionary(), "run `python -m pipeline.tables.dictionary`"
