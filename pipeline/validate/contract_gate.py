"""Every table against its declaration: columns and types by Arrow, values by Great Expectations or by arrays, with one verdict."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.core.errors import Mistake
from pipeline.tables import TABLES, Table
from pipeline.validate.contract_arrays import broken_by_arrays
from pipeline.validate.contract_law import Broken, law_in_words
from pipeline.validate.contract_suite import broken_by_suite
from pipeline.validate.frame import first, place

Checker = Literal["suite", "arrays"]  # Great Expectations; pyarrow and numpy
broken_by: Mapping[Checker, Callable[[Table, pa.Table], Iterator[Broken]]] = {"suite": broken_by_suite, "arrays": broken_by_arrays}


def check_contracts(tables: Mapping[str, pa.Table], *, by: Checker = "suite") -> list[Mistake]:
    """Mistakes of all tables by name; an undeclared table is one."""
    mistakes: list[Mistake] = []
    for name, table in tables.items():
        contract = TABLES.get(name)
        if contract is None:
            mistakes.append(Mistake(f"table {name}", "is not declared", "declare it in pipeline/tables"))
        else:
            mistakes += check_contract(contract, table, by=by)
    return mistakes


def check_contract(contract: Table, table: pa.Table, *, by: Checker = "suite") -> list[Mistake]:
    """Columns and types first, then values. Names table, row (key values), column and value, the same whoever checks."""
    mistakes = _schema_mistakes(contract, table)
    if mistakes or table.num_rows == 0:
        return mistakes
    for broken in broken_by[by](contract, table):
        mistakes += _mistakes_of(contract, table, broken)
    return mistakes + _nan_mistakes(contract, table)


def _mistakes_of(contract: Table, table: pa.Table, broken: Broken) -> list[Mistake]:
    law, column = law_in_words(contract, broken), broken.column
    found = (
        Mistake(row_place(contract, table, row, column), f"value {_cell(table, column, row)} {law}" if column else law)
        for row in broken.rows
    )
    return first(found, of=len(broken.rows))


def _schema_mistakes(contract: Table, table: pa.Table) -> list[Mistake]:
    declared, given = {c.name for c in contract.columns}, set(table.column_names)
    mistakes = [Mistake(place(contract.name, name), "declared column is missing") for name in sorted(declared - given)]
    mistakes += [
        Mistake(place(contract.name, name), "column is not declared", "an undeclared column is an error")
        for name in sorted(given - declared)
    ]
    for expected in contract.schema:
        if expected.name in given and table.schema.field(expected.name).type != expected.type:
            mistakes.append(
                Mistake(
                    place(contract.name, expected.name), f"has type {table.schema.field(expected.name).type}, declared is {expected.type}"
                )
            )
    return mistakes


def row_place(contract: Table, table: pa.Table, row: int, column: str = "") -> str:
    """One row named by its key values."""
    return place(contract.name, column, **{name: _cell(table, name, row) for name in contract.key})


def _cell(table: pa.Table, column: str, row: int) -> object:
    value = table.column(column)[row].as_py() if column else ""
    return value.isoformat() if hasattr(value, "isoformat") else value


def _nan_mistakes(contract: Table, table: pa.Table) -> list[Mistake]:
    """pandas makes one of null and NaN; in a published table a value that is not there is null, never NaN."""
    mistakes: list[Mistake] = []
    for column in contract.columns:
        if column.kind == "number" and column.nullable:
            bad = pc.fill_null(pc.is_nan(table.column(column.name)), False).to_numpy(zero_copy_only=False).nonzero()[0]
            mistakes += first(Mistake(row_place(contract, table, int(row), column.name), "is NaN; a missing value is null") for row in bad)
    return mistakes
