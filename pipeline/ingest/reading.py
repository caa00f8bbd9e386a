"""Bytes to a raw table: columns of text or of numbers, each row with the number a person sees. Nothing is interpreted here."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.cases.sources import Mapping
from pipeline.ingest.mistakes import Mistakes

PARQUET_MAGIC = b"PAR1"


@dataclass(frozen=True)
class RawTable:
    """Columns as pyarrow arrays of equal length; `rows` is the row number in the source, shape (n,)."""

    name: str
    columns: dict[str, Any]
    rows: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.rows)


def read_bytes(name: str, content: bytes, mapping: Mapping) -> RawTable:
    """A CSV or Parquet file as a raw table. Raises `InputError` with file and row where it cannot be read."""
    mistakes = Mistakes(name)
    if not content.strip():
        mistakes.add("the file is empty", "remove it, or send it again")
        mistakes.raise_if_any()
    is_parquet = name.lower().endswith((".parquet", ".pq")) or content.startswith(PARQUET_MAGIC)
    table = _parquet(name, content, mistakes) if is_parquet else _csv(name, content, mapping, mistakes)
    mistakes.raise_if_any()
    assert table is not None
    if not len(table):
        mistakes.add("the file has a header and no rows", "remove it, or send it again")
    mistakes.raise_if_any()
    return table


def _parquet(name: str, content: bytes, mistakes: Mistakes) -> RawTable | None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(pa.BufferReader(content), use_threads=False)
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:
        mistakes.add(f"cannot be read as Parquet ({_first_line(error)})", "the file is broken or cut short; write it again")
        return None
    _refuse_repeated(list(table.column_names), mistakes)
    columns = {column: table.column(column).combine_chunks() for column in dict.fromkeys(table.column_names)} if not mistakes.count else {}
    columns = {column: values.dictionary_decode() if hasattr(values, "dictionary_decode") else values for column, values in columns.items()}
    return RawTable(name, columns, np.arange(1, table.num_rows + 1, dtype=np.int64))


def _csv(name: str, content: bytes, mapping: Mapping, mistakes: Mistakes) -> RawTable | None:
    """Every cell stays text: what a number is depends on the column's mapping."""
    text = _decode(content, mistakes)
    if text is None:
        return None
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=mapping.separator, strict=True)
    header: list[str] | None = None
    rows: list[list[str]] = []
    numbers: list[int] = []
    while True:
        line = lines.line_num + 1
        try:
            cells = next(lines)
        except StopIteration:
            break
        except csv.Error as error:
            mistakes.add(f"cannot be read as CSV ({error})", "close the quotes, or write the file again", row=line)
            return None
        if not cells or (cells == [""] and header is None):
            continue
        if header is None:
            header = [cell.strip() for cell in cells]
            _check_header(header, mapping, mistakes)
            if mistakes.count:
                return None
        elif len(cells) != len(header):
            mistakes.add(
                f"has {len(cells)} cells, the header has {len(header)}",
                "mend the row; a row cut short means the file was not written to its end",
                row=line,
            )
        else:
            rows.append(cells)
            numbers.append(line)
    return _text_table(name, header or [], rows, numbers)


def _text_table(name: str, header: list[str], rows: list[list[str]], numbers: list[int]) -> RawTable:
    import pyarrow as pa

    cells = zip(*rows, strict=True) if rows else ([] for _ in header)
    return RawTable(
        name,
        {column: pa.array(values, pa.string()) for column, values in zip(header, cells, strict=True)},
        np.array(numbers, dtype=np.int64),
    )


def _decode(content: bytes, mistakes: Mistakes) -> str | None:
    """UTF-8 with or without a byte order mark, or UTF-16 with one. Other encodings are not guessed."""
    encoding = "utf-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        row = content[: error.start].count(b"\n") + 1
        mistakes.add(
            f"byte {content[error.start : error.start + 1]!r} is not {encoding.removesuffix('-sig').upper()}",
            "save the file as UTF-8",
            row=row,
        )
        return None
    if "\x00" in text:
        mistakes.add(
            "holds a zero byte",
            "the file is binary or broken; write it again as UTF-8 text",
            row=text[: text.index("\x00")].count("\n") + 1,
        )
        return None
    return text


def _check_header(header: list[str], mapping: Mapping, mistakes: Mistakes) -> None:
    other = next((mark for mark in (";", "\t", ",", "|") if mark != mapping.separator and len(header) == 1 and mark in header[0]), None)
    if other is not None:
        mistakes.add(f"the header {header[0]!r} is one column when split at {mapping.separator!r}", f"declare separator: {other!r}", row=1)
    _refuse_repeated(header, mistakes)


def _refuse_repeated(header: list[str], mistakes: Mistakes) -> None:
    for column in sorted({name for name in header if header.count(name) > 1}):
        mistakes.add(f"the column {column!r} is there {header.count(column)} times", "give every column its own name", row=1, column=column)


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:160]
