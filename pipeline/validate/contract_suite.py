"""Values of a table against its declaration, by Great Expectations.

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

from pipeline.tables import TABLES, Table
from pipeline.validate.contract_law import LARGEST, Broken, Law

LAWS: Mapping[str, Law] = {
    "expect_column_values_to_not_be_null": "present",
    "expect_column_values_to_be_in_set": "vocabulary",
    "expect_column_value_lengths_to_be_between": "worded",
    "expect_column_values_to_be_between": "range",
    "expect_compound_columns_to_be_unique": "key",
    "expect_column_values_to_be_unique": "key",
}


def broken_by_suite(contract: Table, table: pa.Table) -> Iterator[Broken]:
    """Yield what the suite finds in a table whose columns and types are as declared: a law, its column and the rows that break it."""
    data = table.replace_schema_metadata(None).to_pandas()
    yield from (_broken(outcome) for outcome in _validate(contract, data))


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


def _broken(outcome: Any) -> Broken:
    """An expectation that was not met. Raises RuntimeError where it could not be evaluated: a bug of ours."""
    config, result = outcome.expectation_config, outcome.result
    if outcome.exception_info.get("raised_exception"):
        raise RuntimeError(f"{config.type} could not be evaluated: {outcome.exception_info.get('exception_message')}")
    rows = result.get("unexpected_index_list") or []
    law = LAWS[config.type]
    return Broken(law, "" if law == "key" else config.kwargs["column"], tuple(int(row) for row in rows))
