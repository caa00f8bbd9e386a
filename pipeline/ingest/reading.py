"""Bytes to a raw table: columns of text or of numbers, each row with the number a person sees. Nothing is interpreted here."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.cases.sources import Mapping
from pipeline.core.errors import InputError, Mistake
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
    if table is None or not len(table):
        raise InputError(Mistake(name, "the file has a header and no rows", "remove it, or send it again"))
    return table


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


def _csv(name: str, content: bytes, mapping: Mapping, mistakes: Mistakes) -> RawTable | None:
    """Every cell stays text: what a number is depends on the column's mapping."""
    text = _decode(content, mistakes)
    if len(mapping.separator) != 1 or mapping.separator in '"\r\n':
        mistakes.add(f"the mapping's separator {mapping.separator!r} cannot separate cells", "declare one character, as ';'")
        return None
    lines = _lines(text, mapping.separator, mistakes) if text is not None else []
    if not lines:
        return None
    header = [cell.strip() for cell in lines[0][1]]
    if not _header_is_good(header, mapping, mistakes):
        return None
    for number, cells in lines[1:]:
        if len(cells) != len(header):
            mistakes.add(
                f"has {len(cells)} cells, the header has {len(header)}",
                "mend the row: one cut short was not written to its end, one too long may hold a decimal comma without quotes",
                row=number,
            )
    return _text_table(name, header, [line for line in lines[1:] if len(line[1]) == len(header)])


def _lines(text: str, separator: str, mistakes: Mistakes) -> list[tuple[int, list[str]]]:
    """Cells of every line that has some, with its number; nothing, with a mistake, where quotes do not close."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    found: list[tuple[int, list[str]]] = []
    number = 1
    try:
        for cells in reader:
            if cells and (found or cells != [""]):
                found.append((number, cells))
            number = reader.line_num + 1
    except csv.Error as error:
        mistakes.add(f"cannot be read as CSV ({error})", "close the quotes, or write the file again", row=number)
        return []
    return found


def _text_table(name: str, header: list[str], lines: list[tuple[int, list[str]]]) -> RawTable:
    import pyarrow as pa

    cells = zip(*(cells for _, cells in lines), strict=True) if lines else ([] for _ in header)
    columns = {column: pa.array(values, pa.string()) for column, values in zip(header, cells, strict=True)}
    return RawTable(name, columns, np.array([number for number, _ in lines], dtype=np.int64))


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


def _header_is_good(header: list[str], mapping: Mapping, mistakes: Mistakes) -> bool:
    marks = [mark for mark in (";", "\t", ",", "|") if mark != mapping.separator and len(header) == 1 and mark in header[0]]
    if marks:
        mistakes.add(
            f"the header {header[0]!r} is one column when split at {mapping.separator!r}", f"declare separator: {marks[0]!r}", row=1
        )
    return _all_once(header, mistakes) and not marks


def _all_once(header: list[str], mistakes: Mistakes) -> bool:
    twice = sorted({name for name in header if header.count(name) > 1})
    for column in twice:
        mistakes.add(f"the column {column!r} is there {header.count(column)} times", "give every column its own name", row=1, column=column)
    return not twice


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:160]
