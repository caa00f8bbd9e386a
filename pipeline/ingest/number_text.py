"""A raw column to numbers. What can be read in two ways is refused, not guessed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.cases.table_reading import Decimal, TableReading
from pipeline.ingest.mistakes import Mistakes

GAP_MARKS = frozenset(
    {
        "", "nan", "na", "n/a", "n/e", "n.a.", "n.v.", "k.a.", "null", "none", "nil", "-", "--", "---", "–", "—", ".", "?", "<na>", "nat",
        "\\n", "#n/a", "#na", "#value!", "#div/0!", "#ref!", "#num!", "#null!", "unavailable", "unknown", "missing", "no data", "nodata",
        "bad", "not available",
    }
)  # fmt: skip
SHOWN = 4  # marks in a remedy
_SPACES = re.compile("[ '\u00a0\u2009\u202f]")
_PLAIN = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?")


@dataclass(frozen=True)
class Numbers:
    """Values, NaN where the source has a gap; `reformatted` marks cells whose text had to be tidied. Shapes (n,)."""

    value: NDArray[np.float64]
    reformatted: NDArray[np.bool_]


def to_numbers(column: Any, *, name: str, rows: NDArray[np.int64], reading: TableReading, mistakes: Mistakes) -> Numbers:
    """pyarrow column -> float64. Text that is no number, infinities and truth values are mistakes."""
    import pyarrow as pa

    kind = column.type
    if pa.types.is_null(kind):
        return Numbers(np.full(len(column), np.nan), np.zeros(len(column), dtype=bool))
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        numbers = _from_text(column, name, rows, reading, mistakes)
    elif pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        values = column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
        numbers = Numbers(np.array(values, dtype=np.float64), np.zeros(len(column), dtype=bool))
    else:
        mistakes.add(f"holds {kind}, not numbers", "write the column as numbers", column=name)
        return Numbers(np.full(len(column), np.nan), np.zeros(len(column), dtype=bool))
    for mark in _number_marks(reading):
        numbers.value[numbers.value == mark] = np.nan
    endless = np.isinf(numbers.value)
    mistakes.add_rows(
        np.flatnonzero(endless),
        rows,
        lambda i: f"{numbers.value[i]} is not a finite number",
        "leave the cell empty where there is no value",
        column=name,
    )
    return Numbers(np.where(endless, np.nan, numbers.value), numbers.reformatted)


def is_gap(cell: object, reading: TableReading) -> bool:
    """True for a cell as it was read that bears no value: nothing, or a mark of a gap."""
    return cell is None or str(cell).strip().lower() in _gap_marks(reading) or cell != cell


def _gap_marks(reading: TableReading) -> frozenset[str]:
    return GAP_MARKS | {str(mark).strip().lower() for mark in reading.missing}


def _number_marks(reading: TableReading) -> list[float]:
    """Declared marks of a gap that are numbers, as -9999."""
    texts = [str(mark).strip() for mark in reading.missing]
    return [float(text) for text in texts if _PLAIN.fullmatch(text)]


def _from_text(column: Any, name: str, rows: NDArray[np.int64], reading: TableReading, mistakes: Mistakes) -> Numbers:
    import pyarrow as pa
    import pyarrow.compute as pc

    trimmed = pc.utf8_trim_whitespace(column)
    reformatted = np.zeros(len(column), dtype=bool)
    marks = _gap_marks(reading)
    if reading.decimal != ",":
        try:  # the whole column at once: the common case
            lower = pc.utf8_lower(trimmed)
            gap = pc.is_in(lower, value_set=pa.array(sorted(marks), column.type))
            numbers = pc.if_else(gap, pa.scalar(None, column.type), trimmed).cast(pa.float64())
            return Numbers(np.array(numbers.to_numpy(zero_copy_only=False), dtype=np.float64), reformatted)
        except pa.ArrowInvalid:
            pass  # some cell is no plain number: read cell by cell to say which
    return _cell_by_cell(trimmed.to_pylist(), marks, name, rows, reading.decimal, mistakes)


def _cell_by_cell(
    cells: list[str | None], marks: frozenset[str], name: str, rows: NDArray[np.int64], declared: Decimal | None, mistakes: Mistakes
) -> Numbers:
    values, reformatted = np.full(len(cells), np.nan), np.zeros(len(cells), dtype=bool)
    decimal: Decimal = declared or "."
    sure = declared is not None or any(_shows_marks(cell or "", decimal) for cell in cells)
    faults: dict[int, str] = {}
    for position, cell in enumerate(cells):
        if cell is None or cell.lower() in marks:
            continue
        plain = _plain(cell, decimal, sure=sure)
        if plain is None:
            faults[position] = cell
        else:
            values[position] = float(plain)
            reformatted[position] = plain != cell.replace(",", "." if decimal == "," else ",")
    _say_faults(faults, name, rows, decimal, mistakes)
    return Numbers(values, reformatted)


def _shows_marks(cell: str, decimal: Decimal) -> bool:
    """`1,234.5`: a cell with both marks shows what each of them means in its column."""
    return "," in cell and "." in cell and _plain(cell, decimal, sure=True) is not None


def _say_faults(faults: dict[int, str], name: str, rows: NDArray[np.int64], decimal: Decimal, mistakes: Mistakes) -> None:
    """One mistake per remedy."""
    other: Decimal = "," if decimal == "." else "."
    kinds: dict[str, list[int]] = {}
    for position, cell in faults.items():
        here, there = (_plain(cell, mark, sure=True) for mark in (decimal, other))
        kind = "both" if here and there else "other" if there else "word"
        kinds.setdefault(kind, []).append(position)
    for kind, where in kinds.items():
        texts = list(dict.fromkeys(faults[position] for position in where))
        first = texts[0]
        if kind == "both":
            reads = [f"decimal: {mark!r} where it is {_plain(first, mark, sure=True)}" for mark in (decimal, other)]
            remedy = f"it has two readings: declare {' or '.join(reads)}"
        elif kind == "other":
            remedy = f"declare decimal: {other!r}"
        else:
            remedy = "write a number, or leave the cell empty where there is no value"
            if len(texts) <= SHOWN and not any(letter.isdigit() for text in texts for letter in text):
                remedy += f"; or declare missing: [{', '.join(map(repr, texts))}]"
        mistakes.add_rows(
            np.array(where, dtype=np.intp), rows, lambda i: f"{faults[i][:60]!r} is not a number", remedy, column=name
        )


def _plain(cell: str, decimal: Decimal, *, sure: bool) -> str | None:
    """The cell in plain notation, or None. `1,234` can be two numbers unless one is `sure` of the decimal mark; with a second mark it
    can be one only."""
    other = "," if decimal == "." else "."
    text = _SPACES.sub("", cell).replace("\u2212", "-")
    if other in text:
        whole, mark, fraction = text.partition(decimal)
        groups = whole.split(other)
        proper = all(len(group) == 3 for group in groups[1:]) and 1 <= len(groups[0].lstrip("+-")) <= 3
        if not (proper and (mark or len(groups) > 2 or sure) and other not in fraction):
            return None
        text = "".join(groups) + mark + fraction
    text = text.replace(",", ".")
    return text if _PLAIN.fullmatch(text) and not _separated_wrongly(cell) else None


def _separated_wrongly(cell: str) -> bool:
    """Spaces may separate thousands only: `12 34` is two numbers."""
    whole = re.split("[.,]", cell, maxsplit=1)[0]
    groups = _SPACES.split(whole.strip())
    rest = cell[len(whole) :]
    return bool(_SPACES.search(rest.strip())) or (len(groups) > 1 and any(len(group) != 3 for group in groups[1:]))
