"""One CSV table -> rows of text with a place per cell. Spreadsheet habits are met or named, never guessed."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

from pipeline.cases.mistakes import Mistakes
from pipeline.cases.raw import nearest


@dataclass(frozen=True)
class Row:
    """Cells by column; an empty cell is left out."""

    file: str
    line: int
    cells: dict[str, str]

    def place(self, column: str | None = None) -> str:
        return f"{self.file}, line {self.line}" + (f", column {column}" if column else "")


@dataclass(frozen=True)
class Table:
    """Rows of one CSV file, each with its line, so that a mistake names its place."""

    file: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


def read_csv(path: Path, mistakes: Mistakes) -> Table:
    """Comma or semicolon, with or without BOM, CRLF or LF; empty lines and lines that start with # are passed over."""
    empty = Table(path.name, (), ())
    text = _text(path, mistakes)
    if text is None:
        return empty
    header_line = next((line for line in text.splitlines() if line.strip(";, \t") and not line.startswith("#")), "")
    if not header_line:
        mistakes.note(path.name, "is empty", "write a header line and one line per record, or remove the file")
        return empty
    separator = ";" if header_line.count(";") > header_line.count(",") else "," if "\t" not in header_line else "\t"
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    columns: tuple[str, ...] = ()
    rows: list[Row] = []
    for cells in reader:
        cells = [cell.strip() for cell in cells]
        if not any(cells) or cells[0].startswith("#"):
            continue
        if not columns:
            columns = _header(cells, path.name, reader.line_num, mistakes)
            continue
        rows.extend(_row(cells, columns, path.name, reader.line_num, separator, mistakes))
    return Table(path.name, columns, tuple(rows))


def _text(path: Path, mistakes: Mistakes) -> str | None:
    data = path.read_bytes()
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        mistakes.note(path.name, "is UTF-16 text", "save it as 'CSV UTF-8'")
        return None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        mistakes.note(f"{path.name}, line {line}", f"is not UTF-8 text (byte {error.start})", "save it as 'CSV UTF-8'")
        return None


def _header(cells: list[str], file: str, line: int, mistakes: Mistakes) -> tuple[str, ...]:
    while cells and not cells[-1]:
        cells = cells[:-1]
    for position, name in enumerate(cells, start=1):
        if not name:
            mistakes.note(f"{file}, line {line}", f"column {position} has no name", "name it or remove it")
        elif name in cells[: position - 1]:
            mistakes.note(f"{file}, line {line}, column {name}", "the column is there twice", "keep one of them")
    return tuple(cells)


def _row(cells: list[str], columns: tuple[str, ...], file: str, line: int, separator: str, mistakes: Mistakes) -> list[Row]:
    while len(cells) > len(columns) and not cells[-1]:
        cells = cells[:-1]
    if len(cells) > len(columns):
        remedy = "a decimal comma? write 1.5, or separate by semicolons" if separator == "," else "remove the surplus"
        mistakes.note(f"{file}, line {line}", f"has {len(cells)} cells under {len(columns)} columns", remedy)
        return []
    if len(cells) < len(columns):
        mistakes.note(f"{file}, line {line}", f"has {len(cells)} cells under {len(columns)} columns", "write every separator")
        return []
    return [Row(file, line, {column: cell for column, cell in zip(columns, cells, strict=True) if cell})]


def check_columns(table: Table, required: set[str], known: set[str], mistakes: Mistakes) -> None:
    """Columns that must be there, and columns that nobody knows. A known name before a dot may hold a nested record."""
    if not table.columns:
        return
    for column in sorted(required - set(table.columns)):
        mistakes.note(f"{table.file}, line 1", f"the column '{column}' is missing", "add it")
    for column in table.columns:
        if column and column.split(".")[0] not in known:
            mistakes.note(f"{table.file}, line 1, column {column}", "no such field", nearest(column, sorted(known)))
