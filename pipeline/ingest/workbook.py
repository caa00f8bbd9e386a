"""A sheet of a workbook (xlsx, xls, xlsb, ods) to rows of cells."""

from __future__ import annotations

import io
from datetime import date, datetime, time, timedelta
from typing import Any

from pipeline.cases.table_reading import TableReading
from pipeline.core.errors import InputError, Mistake

Cell = str | float | None
INSTALL = "install python-calamine (pip install 'feederflow[workbooks]'), or save the sheet as CSV"


def sheet_rows(name: str, content: bytes, reading: TableReading) -> list[tuple[int, list[Cell]]]:
    """Cells of every row that has some, with its number: numbers as numbers, stamps as ISO text. Raises InputError."""
    try:
        import python_calamine
    except ImportError as error:
        raise InputError(Mistake(name, "is a workbook, and the library that reads one is not there", INSTALL)) from error
    try:
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
    except python_calamine.CalamineError as error:
        raise InputError(Mistake(name, f"cannot be read as a workbook ({error})", "the file is broken; save the sheet as CSV")) from error
    names, sheet = book.sheet_names, reading.sheet
    if sheet is None and len(names) != 1:
        raise InputError(Mistake(name, f"has {len(names)} sheets: {', '.join(map(repr, names))}", f"declare sheet: {names[0]!r}"))
    if sheet is not None and sheet not in names:
        raise InputError(Mistake(name, f"has no sheet {sheet!r}; it has {', '.join(map(repr, names))}", f"declare sheet: {names[0]!r}"))
    try:
        rows = book.get_sheet_by_name(sheet or names[0]).to_python(skip_empty_area=False)
    except python_calamine.CalamineError as error:
        raise InputError(Mistake(name, f"cannot be read as a workbook ({error})", "the file is broken; save the sheet as CSV")) from error
    kept = [(number, [_cell(cell) for cell in row]) for number, row in enumerate(rows, 1) if any(cell != "" for cell in row)]
    return _cut([row for row in kept if row[0] > reading.skip_rows], reading)


def _cut(rows: list[tuple[int, list[Cell]]], reading: TableReading) -> list[tuple[int, list[Cell]]]:
    """Without comments, and without what stands from the footer on."""
    if reading.comment:
        rows = [row for row in rows if not str(row[1][0]).lstrip().startswith(reading.comment)]
    first = 0 if reading.header else 1
    footer = reading.footer
    ends = [at for at, (_, cells) in enumerate(rows) if footer and at >= first and str(cells[0]).lstrip().startswith(footer)]
    return rows[: ends[0]] if ends else rows


def _cell(value: Any) -> Cell:
    """Moments lose the rounding of the day's fraction that a workbook keeps them in."""
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, int | float):
        return float(value)
    if isinstance(value, datetime):
        return (value + timedelta(microseconds=500_000)).replace(microsecond=0).isoformat()
    if isinstance(value, timedelta):
        minutes, seconds = divmod(round(value.total_seconds()), 60)
        return f"{minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}"
    return value.isoformat() if isinstance(value, date | time) else str(value)
