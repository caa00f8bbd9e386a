"""Every table against its declaration, by Great Expectations.

The suite is generated from `pipeline/tables`: nothing about a column is written twice. Great Expectations costs seconds to
import, so it is imported inside, once per process.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.core.errors import Mistake
from pipeline.tables import TABLES, Table
from pipeline.validate.frame import first, place

LARGEST = 1e300  # beyond it a number is infinite or a fault


def check_contracts(tables: Mapping[str, pa.Table]) -> list[Mistake]:
    """Mistakes of all tables by name; an undeclared table is one."""
    mistakes: list[Mistake] = []
    for name, table in tables.items():
        contract = TABLES.get(name)
        if contract is None:
            mistakes.append(Mistake(f"table {name}", "is not declared", "declare it in pipeline/tables"))
        else:
            mistakes += check_contract(contract, table)
    return mistakes


def check_contract(contract: Table, table: pa.Table) -> list[Mistake]:
    """Columns and types by Arrow, values by Great Expectations. Names table, row (key values), column and value."""
    mistakes = _schema_mistakes(contract, table)
    if mistakes or table.num_rows == 0:
        return mistakes
    data = table.replace_schema_metadata(None).to_pandas()
    for outcome in _validate(contract, data):
        mistakes += _outcome_mistakes(contract, table, outcome)
    return mistakes + _nan_mistakes(contract, table)


def suite(contract: Table) -> Any:
    """The Great Expectations suite of one declaration."""
    gx, _ = _session()
    expect = gx.expectations
    expectations: list[Any] = [
        expect.ExpectTableColumnsToMatchSet(column_set=[c.name for c in contract.columns], exact_match=True),
        expect.ExpectCompoundColumnsToBeUnique(column_list=list(contract.key), ignore_row_if="never")
        if len(contract.key) > 1
        else expect.ExpectColumnValuesToBeUnique(column=contract.key[0]),
    ]
    for column in contract.columns:
        if not column.nullable:
            expectations.append(expect.ExpectColumnValuesToNotBeNull(column=column.name))
        if column.allowed:
            expectations.append(expect.ExpectColumnValuesToBeInSet(column=column.name, value_set=list(column.allowed)))
        if column.kind == "text" and not column.allowed and not column.nullable:
            expectations.append(expect.ExpectColumnValueLengthsToBeBetween(column=column.name, min_value=1))
        if column.kind in ("integer", "number"):
            low = -LARGEST if column.minimum is None else column.minimum
            high = LARGEST if column.maximum is None else column.maximum
            expectations.append(expect.ExpectColumnValuesToBeBetween(column=column.name, min_value=low, max_value=high))
    return gx.ExpectationSuite(name=contract.name, expectations=expectations)


@cache
def _session() -> tuple[Any, Any]:
    """Great Expectations and one batch definition of an ephemeral context: no files, no telemetry, no progress bars."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # its own imports are deprecated ones: not ours to mend
        import great_expectations as gx
        from great_expectations.data_context.types.base import ProgressBarsConfig

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    asset = context.data_sources.add_pandas("tables").add_dataframe_asset("table")
    return gx, asset.add_batch_definition_whole_dataframe("whole")


@cache
def _suite_of(name: str) -> Any:
    return suite(TABLES[name])


def _validate(contract: Table, data: Any) -> Iterator[Any]:
    _, definition = _session()
    expected = _suite_of(contract.name) if TABLES.get(contract.name) is contract else suite(contract)
    batch = definition.get_batch({"dataframe": data})
    result = batch.validate(expected, result_format={"result_format": "COMPLETE"})
    yield from (outcome for outcome in result.results if not outcome.success)


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


def _outcome_mistakes(contract: Table, table: pa.Table, outcome: Any) -> list[Mistake]:
    config, result = outcome.expectation_config, outcome.result
    if outcome.exception_info.get("raised_exception"):
        return [Mistake(place(contract.name), f"{config.type} could not be evaluated: {outcome.exception_info.get('exception_message')}")]
    column = config.kwargs.get("column", "")
    law = _law(config.type, config.kwargs)
    rows = result.get("unexpected_index_list") or []
    if not rows:
        return [Mistake(place(contract.name, column), law)]
    found = (
        Mistake(row_place(contract, table, int(row), column), f"value {_cell(table, column, int(row))} {law}" if column else law)
        for row in rows
    )
    return first(found, of=len(rows))


def _law(kind: str, kwargs: Mapping[str, Any]) -> str:
    if kind == "expect_column_values_to_not_be_null":
        return "is empty, and must not be"
    if kind == "expect_column_values_to_be_in_set":
        return f"is not one of {', '.join(kwargs['value_set'])}"
    if kind == "expect_column_values_to_be_between":
        low, high = kwargs["min_value"], kwargs["max_value"]
        if low == -LARGEST and high == LARGEST:
            return "is not finite"
        return f"is outside [{'' if low == -LARGEST else low}, {'' if high == LARGEST else high}]"
    if kind == "expect_column_value_lengths_to_be_between":
        return "is an empty text"
    if kind in ("expect_compound_columns_to_be_unique", "expect_column_values_to_be_unique"):
        return "more than one row has this key"
    return f"breaks {kind}"


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
