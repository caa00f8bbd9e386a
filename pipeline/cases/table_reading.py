"""How a table of somebody else is written: what stands around it, its stamps and its numbers."""

from __future__ import annotations

from typing import Literal

from pydantic import NonNegativeInt

from pipeline.equipment import Record

Decimal = Literal[".", ","]
TEXT_ONLY = ("separator", "skip_rows", "header", "units_row", "comment", "footer", "encoding", "sheet")  # Parquet and SQL have none


class TimeColumns(Record):
    """A stamp that is spread over columns: the local date, and one of `time`, `hour` and `period`.

    Hours and periods counted from 1 are counted on from local midnight, so that a day of the clock change has 23 or 25 hours.
    A clock that writes 24 hours on each day is a `time`.
    """

    date: str | tuple[str, ...]  # column of the date, or those of year, month and day
    time: str | tuple[str, ...] | None = None  # column of the clock (`0:15`, `12:15 AM`, `7`), or those of hour and minute
    hour: str | None = None  # column of hours counted from 1
    period: str | None = None  # column of intervals of resolution_min counted from 1

    @property
    def names(self) -> tuple[str, ...]:
        """Every column that a stamp is read from."""
        parts = (self.date, self.time or (), self.hour or (), self.period or ())
        return tuple(name for part in parts for name in ((part,) if isinstance(part, str) else part))


class TableReading(Record):
    """What every source that reads tables shares. Rows are counted as an editor counts lines."""

    time_zone: str | None = None  # needed for naive stamps
    time_format: str | None = None  # Python's codes (`%m/%d/%Y %H:%M`) for stamps that have two readings
    decimal: Decimal | None = None  # mark of decimals; undeclared: `.`, and what has two readings is refused
    missing: tuple[str | float, ...] = ()  # further marks of a gap, as -9999, beside the usual ones (`n/e`, `NA`, `-`, ..)
    separator: str = ","  # one character; a blank stands for any number of blanks
    skip_rows: NonNegativeInt = 0  # rows above the header
    header: tuple[str, ...] = ()  # names of the columns, of a file without a header
    units_row: NonNegativeInt = 0  # rows of units below the header; true is one
    comment: str | None = None  # rows that begin with it are left out
    footer: str | None = None  # the table ends above the first row that begins with it
    encoding: str | None = None  # as cp1252; undeclared: UTF-8, or UTF-16 with its mark
    sheet: str | None = None  # of a workbook; undeclared: its only one
