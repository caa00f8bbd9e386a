"""Great Expectations and arrays hold every declared table to the same verdict, mistake by mistake, on every kind of fault."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from pipeline.tables import TABLES, Column, Table
from pipeline.tables.contract import ARROW
from pipeline.validate.contract_gate import check_contract, check_contracts

GOOD_ROWS = 3


def _good(column: Column, row: int) -> Any:
    """A legal cell; cells of a key differ from row to row where their vocabulary lets them."""
    if column.allowed:
        return column.allowed[row % len(column.allowed)]
    if column.kind == "text":
        return f"word {row:04d}"
    if column.kind == "flag":
        return row % 2 == 0
    if column.kind == "instant":
        return 1_466_000_000_000_000 + 900_000_000 * row
    low = column.minimum if column.minimum is not None else 0
    high = column.maximum if column.maximum is not None else low + 1000
    value = low + (high - low) * (row % 50) / 50
    return int(value) if column.kind == "integer" else float(value)


def _faults(column: Column) -> list[Any]:
    """Cells that the declaration may forbid: both checkers are asked which of them it does."""
    faults: list[Any] = [None]
    if column.kind == "text":
        faults += ["", "gossip"]
    if column.kind == "number":
        faults += [float("nan"), float("inf"), float("-inf"), 1e301]
    if column.kind in ("integer", "number"):
        faults += [limit + step for limit, step in ((column.minimum, -1), (column.maximum, 1)) if limit is not None]
    return [int(one) if column.kind == "integer" and one is not None else one for one in faults]


def _table(contract: Table, rows: list[dict[str, Any]]) -> pa.Table:
    fields = [pa.field(column.name, ARROW[column.kind], nullable=True) for column in contract.columns]
    return pa.table([pa.array([row[field.name] for row in rows], field.type) for field in fields], schema=pa.schema(fields))


def _with_every_fault(contract: Table) -> pa.Table:
    """A row for each fault of each column, two rows of one key, and good ones between."""
    rows = [{column.name: _good(column, row) for column in contract.columns} for row in range(GOOD_ROWS)]
    for column in contract.columns:
        for fault in _faults(column):
            row = {one.name: _good(one, len(rows)) for one in contract.columns}
            rows.append({**row, column.name: fault})
    rows.append(dict(rows[1]))
    return _table(contract, rows)


@pytest.mark.parametrize("name", list(TABLES))
def test_both_checkers_name_the_same_cells_in_the_same_words(name: str) -> None:
    table = _with_every_fault(TABLES[name])
    by_arrays = check_contract(TABLES[name], table, by="arrays")
    assert sorted(by_arrays) == sorted(check_contract(TABLES[name], table, by="suite"))
    said = " ".join(mistake.message for mistake in by_arrays)
    assert "more than one row has this key" in said
    assert ("is not finite" in said or "is outside" in said) or not any(c.kind in ("integer", "number") for c in TABLES[name].columns)


def test_what_is_legal_passes_both() -> None:
    contract = TABLES["kpis"]
    good = _table(contract, [{column.name: _good(column, row) for column in contract.columns} for row in range(GOOD_ROWS)])
    assert check_contract(contract, good, by="arrays") == check_contract(contract, good, by="suite") == []


def test_columns_and_types_are_held_by_both() -> None:
    contract = TABLES["kpis"]
    good = _table(contract, [{column.name: _good(column, row) for column in contract.columns} for row in range(GOOD_ROWS)])
    broken = good.drop_columns(["unit"]).append_column("cable", pa.array(["x"] * GOOD_ROWS))
    broken = broken.set_column(broken.schema.get_field_index("value"), "value", pa.array(["1"] * GOOD_ROWS))
    tables = {"kpis": broken, "gossip": good}
    assert check_contracts(tables, by="arrays") == check_contracts(tables, by="suite")
    assert len(check_contracts(tables, by="arrays")) == 4


def test_many_rows_in_a_mixed_order_and_in_pieces() -> None:
    """A table of several chunks, with keys that repeat across them."""
    contract, rng = TABLES["dispatch"], np.random.default_rng(7)
    rows = [{column.name: _good(column, int(row)) for column in contract.columns} for row in rng.integers(40, size=60)]
    whole = _table(contract, rows)
    pieces = pa.concat_tables([whole.slice(0, 17), whole.slice(17)])
    found = check_contract(contract, pieces, by="arrays")
    assert found and found == check_contract(contract, whole, by="suite")
