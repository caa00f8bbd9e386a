"""A raw column to numbers. What can be read in two ways is refused, not guessed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.ingest.mistakes import Mistakes

GAP_MARKS = frozenset({"", "nan", "na", "n/a", "null", "none", "-", "#n/a"})
_SPACES = re.compile("[ '\u00a0\u2009\u202f]")
_PLAIN = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?")


@dataclass(frozen=True)
class Numbers:
    """Values, NaN where the source has a gap; `reformatted` marks cells whose text had to be tidied. Shapes (n,)."""

    value: NDArray[np.float64]
    reformatted: NDArray[np.bool_]


def to_numbers(column: Any, *, name: str, rows: NDArray[np.int64], decimal: Literal[".", ","], mistakes: Mistakes) -> Numbers:
    """pyarrow column -> float64. Text that is no number, infinities and truth values are mistakes."""
    import pyarrow as pa

    kind = column.type
    if pa.types.is_null(kind):
        return Numbers(np.full(len(column), np.nan), np.zeros(len(column), dtype=bool))
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        numbers = _from_text(column, name, rows, decimal, mistakes)
    elif pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        values = column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
        numbers = Numbers(np.asarray(values, dtype=np.float64), np.zeros(len(column), dtype=bool))
    else:
        mistakes.add(f"holds {kind}, not numbers", "write the column as numbers", column=name)
        return Numbers(np.full(len(column), np.nan), np.zeros(len(column), dtype=bool))
    endless = np.isinf(numbers.value)
    mistakes.add_rows(
        np.flatnonzero(endless),
        rows,
        lambda i: f"{numbers.value[i]} is not a finite number",
        "leave the cell empty where there is no value",
        column=name,
    )
    return Numbers(np.where(endless, np.nan, numbers.value), numbers.reformatted)


def _from_text(column: Any, name: str, rows: NDArray[np.int64], decimal: Literal[".", ","], mistakes: Mistakes) -> Numbers:
    import pyarrow as pa
    import pyarrow.compute as pc

    trimmed = pc.utf8_trim_whitespace(column)
    reformatted = np.zeros(len(column), dtype=bool)
    if decimal == ".":
        try:  # the whole column at once: the common case
            lower = pc.utf8_lower(trimmed)
            gap = pc.is_in(lower, value_set=pa.array(sorted(GAP_MARKS), column.type))
            numbers = pc.if_else(gap, pa.scalar(None, column.type), trimmed).cast(pa.float64())
            return Numbers(np.asarray(numbers.to_numpy(zero_copy_only=False), dtype=np.float64), reformatted)
        except pa.ArrowInvalid:
            pass  # some cell is no plain number: read cell by cell to say which
    values = np.full(len(column), np.nan)
    faults: dict[int, tuple[str, str]] = {}
    cells = trimmed.to_pylist()
    for position, cell in enumerate(cells):
        if cell is None or cell.lower() in GAP_MARKS:
            continue
        plain, remedy = _plain(cell, decimal)
        if plain is None:
            faults[position] = (cell, remedy)
        else:
            values[position] = float(plain)
            reformatted[position] = plain != cell.replace(",", "." if decimal == "," else ",")
    for remedy in dict.fromkeys(remedy for _, remedy in faults.values()):
        where = np.array([position for position, fault in faults.items() if fault[1] == remedy], dtype=np.intp)
        mistakes.add_rows(where, rows, lambda i: f"{faults[i][0][:60]!r} is not a number", remedy, column=name)
    return Numbers(values, reformatted)


def _plain(cell: str, decimal: Literal[".", ","]) -> tuple[str | None, str]:
    """The cell in plain notation, or None and the remedy. `1,234` can be two numbers; with a second mark it can be one only."""
    other = "," if decimal == "." else "."
    text = _SPACES.sub("", cell)
    if other in text:
        whole, mark, fraction = text.partition(decimal)
        groups = whole.split(other)
        proper = all(len(group) == 3 for group in groups[1:]) and 1 <= len(groups[0].lstrip("+-")) <= 3
        if not (proper and (mark or len(groups) > 2) and other not in fraction):
            return None, f"write it without thousands separators, or declare decimal: {other!r}"
        text = "".join(groups) + mark + fraction
    text = text.replace(",", ".")
    if not _PLAIN.fullmatch(text) or _separated_wrongly(cell):
        return None, "write a number, or leave the cell empty where there is no value"
    return text, ""


def _separated_wrongly(cell: str) -> bool:
    """Spaces may separate thousands only: `12 34` is two numbers."""
    whole = re.split("[.,]", cell, maxsplit=1)[0]
    groups = _SPACES.split(whole.strip())
    rest = cell[len(whole) :]
    return bool(_SPACES.search(rest.strip())) or (len(groups) > 1 and any(len(group) != 3 for group in groups[1:]))
