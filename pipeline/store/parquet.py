"""Parquet bytes that depend on the content alone: same rows, same bytes."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.core.errors import Damaged, Mistake

ROW_GROUP_ROWS = 131_072


def to_parquet(table: pa.Table) -> bytes:
    """Bytes of a table: zstd, fixed row groups, none of Arrow's or a frame library's metadata, whatever chunks the table comes in."""
    sink = pa.BufferOutputStream()
    pq.write_table(
        table, sink, compression="zstd", compression_level=3, version="2.6", row_group_size=ROW_GROUP_ROWS,
        store_schema=False, write_statistics=True, use_dictionary=True,
    )
    return bytes(sink.getvalue())


def from_parquet(data: bytes, place: str = "a Parquet file") -> pa.Table:
    """Table of Parquet bytes. Raises Damaged, naming the place, for bytes that are no Parquet any more."""
    try:
        with pq.ParquetFile(pa.BufferReader(data)) as file:
            return file.read()
    except (pa.ArrowException, OSError) as error:
        said = str(error).splitlines()[0]
        raise Damaged(Mistake(place, f"is damaged ({said})", "run the same command again: it is made again from the warehouse")) from error


def sorted_rows(table: pa.Table, key: tuple[str, ...]) -> pa.Table:
    """Rows by key, then by every other column: one order even where a key repeats."""
    others = [name for name in table.column_names if name not in key]
    return table.sort_by([(name, "ascending") for name in (*key, *others)])
