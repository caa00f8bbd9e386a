"""Text to rows of cells, each with the number of its line. Nothing is interpreted here."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Collection, Sequence

from pipeline.cases.table_reading import TableReading
from pipeline.ingest.mistakes import Mistakes

Row = tuple[int, list[str]]
LOOKED_AT = 60  # rows among which names of columns are looked for
MARKS = (";", "\t", ",", "|")  # what separates cells somewhere
EXCEL_MARK = "sep="  # first line of files for Excel: no part of the table
# What people's programs still write, tried in this order where a file is no UTF-8. Named in the remedy, never taken unasked.
ENCODINGS = ("cp1252", "cp932", "cp949", "gb18030", "cp1250", "cp1251", "mac_roman", "cp850")


def rows_of(content: bytes, reading: TableReading, names: Collection[str], mistakes: Mistakes) -> list[Row]:
    """Rows that have cells. `names` are the columns that are looked for: they tell which encoding is meant."""
    text = _decoded(content, reading.encoding, names, mistakes)
    if len(reading.separator) != 1 or reading.separator in '"\r\n':
        mistakes.add(f"the mapping's separator {reading.separator!r} cannot separate cells", "declare one character, as ';'")
        return []
    return [] if text is None else _cells(text, reading, mistakes)


def _cells(text: str, reading: TableReading, mistakes: Mistakes) -> list[Row]:
    lines = io.StringIO(text, newline="").readlines()
    for position, line in enumerate(lines):  # what is left out becomes empty, so that lines keep their numbers
        skipped = position < reading.skip_rows or (position == 0 and line.lower().startswith(EXCEL_MARK))
        if skipped or (reading.comment and line.lstrip().startswith(reading.comment)):
            lines[position] = "\n"
    first = reading.skip_rows + (0 if reading.header else 1)
    ends = [at for at, line in enumerate(lines) if reading.footer and at >= first and line.lstrip().lstrip('"').startswith(reading.footer)]
    reader = csv.reader(lines[: ends[0]] if ends else lines, delimiter=reading.separator, strict=True, skipinitialspace=True)
    found: list[Row] = []
    number = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                found.append((number, cells))
            number = reader.line_num + 1
    except csv.Error as error:
        mistakes.add(f"cannot be read as CSV ({error})", "close the quotes, or write the file again", row=number)
        return []
    return found


def other_separator(rows: Sequence[Row], separator: str, names: Collection[str]) -> str | None:
    """The mark that splits the first rows into the columns looked for, or at all; None where they are split already."""
    lines = [separator.join(cells) for _, cells in rows[:LOOKED_AT]]
    if len(names) > 1:
        fitting = (mark for mark in (separator, *MARKS) if any(_found(line, mark, names) > 1 for line in lines))
        mark = next(fitting, None)
        if mark is not None:
            return None if mark == separator else mark
    return next((mark for mark in MARKS if mark in lines[0]), None) if len(rows[0][1]) == 1 else None


def _found(line: str, mark: str, names: Collection[str]) -> int:
    return len(set(names) & {cell.strip(' "') for cell in line.split(mark)})


def _decoded(content: bytes, encoding: str | None, names: Collection[str], mistakes: Mistakes) -> str | None:
    """UTF-8 with or without a byte order mark, UTF-16 with one, or as declared. Other encodings are named, not guessed."""
    marked = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    chosen = encoding or ("utf-16" if marked else "utf-8-sig")
    try:
        text = content.decode(chosen)
    except LookupError:
        mistakes.add(f"the encoding {chosen!r} is not known", "declare one as cp1252, or none for UTF-8")
        return None
    except UnicodeError as error:
        at = error.start if isinstance(error, UnicodeDecodeError) else 0
        fitting = _fitting(content, names)
        mistakes.add(
            f"byte {content[at : at + 1]!r} is not {chosen.removesuffix('-sig').upper()}",
            (f"declare encoding: {fitting}, or " if fitting else "") + "save the file as UTF-8",
            row=content[:at].count(b"\n") + 1,
        )
        return None
    if "\x00" in text:
        head = content[:200]
        wide = next((name for name, odd in (("utf-16-le", 1), ("utf-16-be", 0)) if 3 * head[odd::2].count(0) > len(head)), "")
        mistakes.add(
            "holds a zero byte",
            f"declare encoding: {wide}" if wide and wide != encoding else "the file is binary or broken; write it again as UTF-8 text",
            row=text[: text.index("\x00")].count("\n") + 1,
        )
        return None
    return text.removeprefix("\ufeff")


def _fitting(content: bytes, names: Collection[str]) -> str | None:
    """An encoding in which every name that is looked for can be read; None where there is none."""
    for encoding in ENCODINGS:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if all(name in text for name in names):
            return encoding
    return None
