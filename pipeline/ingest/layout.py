"""Where the table is among the rows of a file: its header, its rows of units, its end. What does not fit is said once."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.cases.sources import Mapping
from pipeline.ingest.mistakes import Mistakes
from pipeline.ingest.number_text import GAP_MARKS
from pipeline.ingest.workbook import Cell

LOOKED_AT = 60  # rows among which a header is looked for
_NUMBER = re.compile(r"[+-]?[\d.,]+([eE][+-]?\d+)?")
Rows = Sequence[tuple[int, Sequence[Cell]]]


@dataclass(frozen=True)
class Layout:
    """Names of the columns, and rows that have a cell for each."""

    names: list[str]
    rows: list[tuple[int, list[Cell]]]


def time_names(mapping: Mapping) -> tuple[str, ...]:
    """Columns that a stamp is read from."""
    return (mapping.time_column,) if mapping.time_columns is None else mapping.time_columns.names


def names_wanted(mapping: Mapping) -> list[str]:
    """Columns that a mapping names, each once."""
    long = mapping.series_column is not None
    values = [mapping.series_column, mapping.value_column] if long else [entry.column for entry in mapping.columns]
    return list(dict.fromkeys(name for name in (*time_names(mapping), *values, mapping.known_at_column) if name))


def laid_out(rows: Rows, mapping: Mapping, mistakes: Mistakes) -> Layout | None:
    """The table in the rows of a file; None, with one mistake, where it is not where the mapping says."""
    wanted = names_wanted(mapping)
    if not rows:
        return Layout([], [])
    if mapping.header:
        names, body = list(mapping.header), list(rows)
    else:
        names, body = [_text(cell) for cell in rows[0][1]], list(rows[1:])
        if not set(names) & set(wanted) and _header_is_elsewhere(rows, mapping, wanted, mistakes):
            return None
    while names and not names[-1]:
        names.pop()
    names = _named(names, wanted, mistakes)
    units = 0
    while units < len(body) and _is_units(names, body[units][1], mapping):
        units += 1
    if units > mapping.units_row:
        said = ", ".join(repr(_text(cell)) for cell in body[0][1] if _text(cell))
        remedy = "declare units_row: true" if units == 1 else f"declare units_row: {units}"
        mistakes.add(f"holds {said[:80]}, no values: {'a row' if units == 1 else f'one of {units} rows'} of units", remedy, row=body[0][0])
        return None
    body = body[mapping.units_row :]
    found = Layout(names, _fitting_rows(names, body, mapping, mistakes))
    return None if not mistakes.count and _has_totals(found, mapping, mistakes) else found


def _text(cell: Cell) -> str:
    return "" if cell is None else str(cell).strip()


def _header_is_elsewhere(rows: Rows, mapping: Mapping, wanted: Collection[str], mistakes: Mistakes) -> bool:
    """True, with a mistake, where the first row is no header: it stands further down, or there is none."""
    for number, cells in rows[1:LOOKED_AT]:
        if set(wanted) and set(wanted) <= {_text(cell) for cell in cells}:
            mistakes.add(f"the header is in row {number}, not in row {rows[0][0]}", f"declare skip_rows: {number - 1}", row=number)
            return True
    first = next((at for at, (_, cells) in enumerate(rows[:LOOKED_AT]) if _is_data(cells)), None)
    if first is None or (first and _is_header(rows[first - 1][1], rows[first][1])):
        return False
    number, cells = rows[first]
    shown = mapping.separator.join(_text(cell) for cell in cells)[:60]
    skipped = f", and skip_rows: {number - 1}" if number > 1 + mapping.skip_rows else ""
    mistakes.add(
        f"there is no header: the table begins with {shown!r}",
        f"declare header: [..], the names of its {_width(cells)} columns in their order{skipped}",
        row=number,
    )
    return True


def _width(cells: Sequence[Cell]) -> int:
    return max((at + 1 for at, cell in enumerate(cells) if _text(cell)), default=0)


def _is_data(cells: Sequence[Cell]) -> bool:
    """Two numbers or stamps and more."""
    texts = [_text(cell) for cell in cells]
    return sum(bool(text) and (text[:1].isdigit() or _NUMBER.fullmatch(text) is not None) for text in texts) >= 2


def _is_header(cells: Sequence[Cell], below: Sequence[Cell]) -> bool:
    """Words only, about as many as there are cells below."""
    texts = [_text(cell) for cell in cells if _text(cell)]
    return abs(_width(cells) - _width(below)) <= 1 and not any(map(_is_number, texts))


def _named(names: list[str], wanted: Collection[str], mistakes: Mistakes) -> list[str]:
    """Every column by a name of its own: `column 3` without one. A name that is there twice is refused where it is looked for."""
    twice = sorted({name for name in names if name and names.count(name) > 1 and name in wanted})
    for name in twice:
        mistakes.add(
            f"the column {name!r} is there {names.count(name)} times",
            "declare header: [..] with a name of its own for every column, and skip_rows past the header of the file",
            row=1,
            column=name,
        )
    found: list[str] = []
    for number, name in enumerate(names, 1):
        found.append(name if name and name not in found else f"{name} (column {number})" if name else f"column {number}")
    return found


def _is_units(names: list[str], cells: Sequence[Cell], mapping: Mapping) -> bool:
    """Words where numbers are looked for, and nothing where stamps are, or words too."""
    texts = dict(zip(names, map(_text, cells), strict=False))
    columns = [mapping.value_column] if mapping.value_column else [entry.column for entry in mapping.columns]
    stamps = [texts[name] for name in time_names(mapping) if name in texts]
    gaps = GAP_MARKS | {str(mark).lower() for mark in mapping.missing}
    values = [text for name in columns if name and (text := texts.get(name, "")) and text.lower() not in gaps]
    no_stamp = bool(stamps) and not any(letter.isdigit() for text in stamps for letter in text)
    return no_stamp and bool(values) and not any(map(_is_number, values))


def _has_totals(found: Layout, mapping: Mapping, mistakes: Mistakes) -> bool:
    """True, with a mistake, where rows with values but without anything like a stamp stand below the table."""
    at = [found.names.index(name) for name in time_names(mapping) if name in found.names]
    long = mapping.value_column is not None
    columns = [mapping.value_column] if long else [entry.column for entry in mapping.columns]
    values = [found.names.index(name) for name in columns if name in found.names]
    first = len(found.rows)
    while first and at and not any(letter.isdigit() for place in at for letter in _text(found.rows[first - 1][1][place])):
        first -= 1
    below = [
        (number, cells)
        for number, cells in found.rows[first:]
        if any(_is_number(_text(cells[place])) for place in values) and any(letter.isalpha() for cell in cells for letter in _text(cell))
    ]
    if not first or not below:
        return False
    number, cells = below[0]
    begins = _text(cells[0]) or mapping.separator
    mistakes.add(
        f"holds {mapping.separator.join(_text(cell) for cell in cells)[:60]!r} below the table, without a stamp",
        f"declare footer: {begins!r}, which ends the table there" if begins not in ("", mapping.separator) else "take the row out",
        row=number,
    )
    return True


def _is_number(text: str) -> bool:
    return _NUMBER.fullmatch(text) is not None


def _fitting_rows(names: list[str], body: Rows, mapping: Mapping, mistakes: Mistakes) -> list[tuple[int, list[Cell]]]:
    """Rows of as many cells as there are names; empty ones beyond them are no cells."""
    width, kept, odd = len(names), [], []
    for number, cells in body:
        if len(cells) == width:
            kept.append((number, list(cells)))
        elif len(cells) > width and not any(_text(cell) for cell in cells[width:]):
            kept.append((number, list(cells[:width])))
        else:
            odd.append((number, len(cells), _text(cells[0])))
    if odd:
        _say_odd_rows(odd, width, last=kept[-1][0] if kept else 0, mapping=mapping, mistakes=mistakes)
    return kept


def _say_odd_rows(odd: list[tuple[int, int, str]], width: int, *, last: int, mapping: Mapping, mistakes: Mistakes) -> None:
    """Below the table they are no part of it; within it each is a row that was cut short or has too many cells."""
    below = odd[0][0] > last
    where = "the header of the mapping" if mapping.header else "the header"
    remedy = "mend the row: one cut short was not written to its end, one too long may hold a decimal comma without quotes"
    if below and odd[0][2] and not odd[0][2][0].isdigit():
        remedy = f"declare footer: {odd[0][2]!r}, which ends the table there; or mend the row, where it was cut short"
    mistakes.add_rows(
        np.arange(len(odd)),
        np.array([number for number, _, _ in odd], dtype=np.int64),
        lambda i: f"has {odd[i][1]} cells, {where} has {width}",
        remedy,
        column=None,
    )
