"""Values of a table against its declaration, by pyarrow and numpy: the verdicts of the suite in milliseconds.

A re-dispatch and a study take this one; Great Expectations stays the gate of ingest and of the nightly day-ahead schedule.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.tables import Column, Table
from pipeline.validate.contract_law import LARGEST, Broken, Law

Flags = NDArray[np.bool_]


def broken_by_arrays(contract: Table, table: pa.Table) -> Iterator[Broken]:
    """Yield what breaks the declaration in a table whose columns and types are as declared, in the order of the suite."""
    repeated = _repeated(contract, table)
    if repeated.any():
        yield _found("key", "", repeated)
    for column in contract.columns:
        yield from _of_column(column, table.column(column.name))


def _of_column(column: Column, values: pa.ChunkedArray) -> Iterator[Broken]:
    absent = _flags(pc.is_null(values, nan_is_null=column.kind == "number"))
    if not column.nullable and absent.any():
        yield _found("present", column.name, absent)
    if column.allowed:
        foreign = ~absent & ~_flags(pc.is_in(values, value_set=pa.array(column.allowed, values.type)))
        if foreign.any():
            yield _found("vocabulary", column.name, foreign)
    elif column.kind == "text" and not column.nullable:
        wordless = ~absent & ~_flags(pc.fill_null(pc.greater(pc.utf8_length(values), 0), True))
        if wordless.any():
            yield _found("worded", column.name, wordless)
    if column.kind in ("integer", "number"):
        numbers = values.cast(pa.float64()).to_numpy()
        low = -LARGEST if column.minimum is None else column.minimum
        high = LARGEST if column.maximum is None else column.maximum
        outside = ~absent & ((numbers < low) | (numbers > high))
        if outside.any():
            yield _found("range", column.name, outside)


def _repeated(contract: Table, table: pa.Table) -> Flags:
    """(rows,) True for every row whose key another row has, too. An empty cell is a value like any other, but never alone a key."""
    codes = np.zeros(table.num_rows, dtype=np.int64)
    for name in contract.key:
        encoded = pc.dictionary_encode(table.column(name).combine_chunks(), null_encoding="encode")
        column = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
        codes = np.unique(codes * len(encoded.dictionary) + column, return_inverse=True)[1]
    repeated: Flags = np.bincount(codes, minlength=1)[codes] > 1
    return repeated & ~_flags(pc.is_null(table.column(contract.key[0]))) if len(contract.key) == 1 else repeated


def _flags(values: pa.ChunkedArray) -> Flags:
    return np.asarray(values.to_numpy(), dtype=bool)


def _found(law: Law, column: str, where: Flags) -> Broken:
    return Broken(law, column, tuple(int(row) for row in np.flatnonzero(where)))
