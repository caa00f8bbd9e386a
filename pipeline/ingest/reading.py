"""Bytes to a raw table: columns of text or of numbers, each row with the number a person sees. Nothing is interpreted here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.cases.sources import Mapping
from pipeline.core.errors import InputError, Mistake
from pipeline.ingest.layout import Rows, laid_out, names_wanted
from pipeline.ingest.mistakes import Mistakes
from pipeline.ingest.text_rows import other_separator, rows_of
from pipeline.ingest.unpacking import unpacked
from pipeline.ingest.workbook import Cell, sheet_rows

EMPTY = "remove it, or send it again"
PARQUET_MAGIC = b"PAR1"


@dataclass(frozen=True)
class RawTable:
    """Columns as pyarrow arrays of equal length; `rows` is the row number in the source, shape (n,)."""

    name: str
    columns: dict[str, Any]
    rows: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.rows)


def read_bytes(name: str, content: bytes, mapping: Mapping, *, when_empty: str = EMPTY) -> RawTable:
    """A CSV or Parquet file or a workbook, compressed or not, as a raw table. Raises `InputError` with row where it cannot be read.

    when_empty: remedy for a file without a row.
    """
    mistakes = Mistakes(name)
    content, is_workbook = unpacked(name, content)
    if not content.strip():
        mistakes.add("the file is empty", when_empty)
        mistakes.raise_if_any()
    is_parquet = content.startswith(PARQUET_MAGIC) or name.lower().endswith((".parquet", ".pq"))
    if is_parquet:
        table = _parquet(name, content, mistakes)
    else:
        table = _laid_out(name, _rows(name, content, mapping, mistakes, is_workbook=is_workbook), mapping, mistakes)
    mistakes.raise_if_any()
    if table is None or not len(table):
        raise InputError(Mistake(name, "the file has a header and no rows", when_empty))
    return table


def _rows(name: str, content: bytes, mapping: Mapping, mistakes: Mistakes, *, is_workbook: bool) -> Rows:
    if is_workbook:
        return sheet_rows(name, content, mapping)
    rows = rows_of(content, mapping, names_wanted(mapping), mistakes)
    mark = other_separator(rows, mapping.separator, names_wanted(mapping)) if rows else None
    if mark is None or mapping.header:
        return rows
    head = mapping.separator.join(rows[0][1])
    mistakes.add(f"the header {head!r} is one column when split at {mapping.separator!r}", f"declare separator: {mark!r}", row=rows[0][0])
    return []


def _laid_out(name: str, rows: Rows, mapping: Mapping, mistakes: Mistakes) -> RawTable | None:
    """Cells of text stay text: what a number is depends on the column's mapping."""
    import pyarrow as pa

    layout = None if mistakes.count else laid_out(rows, mapping, mistakes)
    if layout is None:
        return None
    cells: Iterable[Sequence[Cell]] = zip(*(cells for _, cells in layout.rows), strict=True) if layout.rows else ([] for _ in layout.names)
    columns = {column: _array(values, mapping.decimal or ".", pa) for column, values in zip(layout.names, cells, strict=True)}
    return RawTable(name, columns, np.array([number for number, _ in layout.rows], dtype=np.int64))


def _array(values: Sequence[Cell], decimal: str, pa: Any) -> Any:
    """Numbers where a workbook has nothing else, otherwise text; a number among text is written as the source writes numbers."""
    if any(isinstance(value, float) for value in values):
        if not any(isinstance(value, str) and value.strip() for value in values):
            return pa.array([value if isinstance(value, float) else None for value in values], pa.float64())
        values = [f"{value:.15g}".replace(".", decimal) if isinstance(value, float) else value for value in values]
    return pa.array(values, pa.string())


def _parquet(name: str, content: bytes, mistakes: Mistakes) -> RawTable | None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(pa.BufferReader(content), use_threads=False)
        table.validate(full=True)  # text that is not UTF-8 would otherwise fail when it is looked at
        names = list(table.column_names)
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:
        mistakes.add(f"cannot be read as Parquet ({_first_line(error)})", "the file is broken or cut short; write it again")
        return None
    if not _all_once(names, mistakes):
        return None
    columns = {}
    for column in names:
        values = table.column(column).combine_chunks()
        columns[column] = values.dictionary_decode() if pa.types.is_dictionary(values.type) else values
    return RawTable(name, columns, np.arange(1, table.num_rows + 1, dtype=np.int64))


def _all_once(header: list[str], mistakes: Mistakes) -> bool:
    twice = sorted({name for name in header if header.count(name) > 1})
    for column in twice:
        mistakes.add(f"the column {column!r} is there {header.count(column)} times", "give every column its own name", row=1, column=column)
    return not twice


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:160]
