"""The stamps of a table: from one column, or from columns of date and clock, or of date and a count of hours or periods."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.cases.sources import Mapping, SessionFileSource, StateSource
from pipeline.cases.table_reading import TimeColumns
from pipeline.core.clock import Instants, from_epoch
from pipeline.ingest.layout import time_names
from pipeline.ingest.local_clock import midnight, resolve
from pipeline.ingest.mistakes import Mistakes
from pipeline.ingest.reading import RawTable
from pipeline.ingest.stamp_text import DAY_S, HOUR_TWICE, Moment, clock_of, declared_moment, moment_of
from pipeline.ingest.stamps import Stamps, as_texts, check_mixture, no_stamps, read_stamps
from pipeline.store.observations import FAR_S

HOUR_S = 3600


def mapped_stamps(table: RawTable, mapping: Mapping, *, needed: NDArray[np.bool_], mistakes: Mistakes) -> Stamps:
    """Stamps of every row, shapes (n,), as the mapping says. Only rows `needed` (n,) are complained about."""
    columns = mapping.time_columns
    if columns is None:
        name = mapping.time_column
        return read_stamps(
            table.columns[name], name=name, rows=table.rows, mistakes=mistakes, reading=mapping, side=mapping.time_is, needed=needed
        )
    if columns.hour is None and columns.period is None:
        return _with_clock(table, mapping, columns, needed=needed, mistakes=mistakes)
    return _counted(table, mapping, columns, needed=needed, mistakes=mistakes)


def lone_instants(table: RawTable, name: str, source: SessionFileSource | StateSource, mistakes: Mistakes) -> Instants:
    """Instants of a column, (n,), whose rows are in no order of time: a stamp of a repeated hour needs its offset."""
    stamps = read_stamps(table.columns[name], name=name, rows=table.rows, mistakes=mistakes, reading=source)
    if not check_mixture(stamps, source.time_zone, name=name, rows=table.rows, mistakes=mistakes):
        return stamps.seconds
    alone = np.arange(len(table))
    return resolve(stamps, alone, zone=source.time_zone, latest=FAR_S, name=name, rows=table.rows, mistakes=mistakes).utc


def _texts(table: RawTable, name: str) -> list[str]:
    return [(text or "").strip() for text in as_texts(table.columns[name]).to_pylist()]


def _date_texts(table: RawTable, date: str | tuple[str, ...]) -> list[str]:
    """Dates as text: of three columns year, month and day in ISO 8601."""
    if isinstance(date, str):
        return _texts(table, date)
    parts = zip(*(_texts(table, name) for name in date), strict=True)
    return ["-".join(part.zfill(2) for part in row) if all(row) else "" for row in parts]


def _day(text: str, mapping: Mapping) -> int | None:
    """Days since 1970 of a date; a clock behind it counts for nothing."""
    form = mapping.time_format
    read = moment_of(text) if form is None else declared_moment(text, form)
    return None if read is None else read.wall_s // DAY_S


def _with_clock(table: RawTable, mapping: Mapping, columns: TimeColumns, *, needed: NDArray[np.bool_], mistakes: Mistakes) -> Stamps:
    """The clock of each row on its date; `24:00` and an interval's end at midnight are the next day's."""
    dates = _date_texts(table, columns.date)
    names = (columns.time,) if isinstance(columns.time, str) else columns.time or ()
    clocks = [":".join(part.zfill(2) for part in row) for row in zip(*(_texts(table, name) for name in names), strict=True)]
    together = any(code in (mapping.time_format or "") for code in ("%H", "%I"))
    days = {text: _day(text, mapping) for text in set(dates)} if not together else {}
    read: list[Moment | None] = []
    for date, text in zip(dates, clocks, strict=True):
        if together:
            read.append(declared_moment(f"{date} {text}", mapping.time_format or "", mapping.time_is))
            continue
        day, clock = days[date], clock_of(text, mapping.time_is)
        read.append(None if day is None or clock is None else Moment(day * DAY_S + clock[0], *clock[1:]))
    bad = np.flatnonzero(np.array([one is None for one in read], dtype=bool) & needed)
    without = _bad_dates(table, mapping, dates, [days.get(text, 0) for text in dates], needed, mistakes)
    mistakes.add_rows(
        np.setdiff1d(bad, without),
        table.rows,
        lambda i: f"{clocks[i]!r} is no time of the day",
        "write HH:MM; where hours or periods are counted from 1, declare time_columns with `hour` or `period` in place of `time`",
        column=names[0],
    )
    offset = np.array([0 if one is None or one.offset_s is None else one.offset_s for one in read], dtype=np.int64)
    wall = np.array([0 if one is None else one.wall_s for one in read], dtype=np.int64)
    good, naive, season = (
        np.array([one is not None and test(one) for one in read], dtype=bool)
        for test in (lambda _: True, lambda one: one.offset_s is None, lambda one: one.season)
    )
    return Stamps(wall - offset, offset, naive, good, season)


def _bad_dates(
    table: RawTable, mapping: Mapping, dates: list[str], days: list[int | None], needed: NDArray[np.bool_], mistakes: Mistakes
) -> NDArray[np.intp]:
    """Rows whose date cannot be read, which are complained about by the rules of stamps."""
    import pyarrow as pa

    bad = np.array([day is None for day in days], dtype=bool) & needed
    if bad.any():
        column: Any = pa.array(dates, pa.large_string())
        read_stamps(column, name=time_names(mapping)[0], rows=table.rows, mistakes=mistakes, reading=mapping, needed=bad)
    return np.flatnonzero(bad)


def _counted(table: RawTable, mapping: Mapping, columns: TimeColumns, *, needed: NDArray[np.bool_], mistakes: Mistakes) -> Stamps:
    """Hours or periods counted on from local midnight: 23, 24 or 25 hours. They name their interval, whatever `time_is` says."""
    name = columns.hour or columns.period or ""
    zone, step = mapping.time_zone, HOUR_S if columns.hour else 60 * mapping.resolution_min
    if zone is None:
        mistakes.add("hours and periods are counted in local time", "declare time_zone in the mapping", column=name)
        return no_stamps(len(table))
    dates, texts = _date_texts(table, columns.date), _texts(table, name)
    by_text = {text: _day(text, mapping) for text in set(dates)}
    days = [by_text[text] for text in dates]
    begins = {day: midnight(day, zone) for day in {day + more for day in by_text.values() if day is not None for more in (0, 1)}}
    counts = [int(text) if text.isdigit() else 0 for text in texts]
    first = np.array([0 if day is None else begins[day] for day in days], dtype=np.int64)
    most = np.array([0 if day is None else (begins[day + 1] - begins[day]) // step for day in days], dtype=np.int64)
    _bad_dates(table, mapping, dates, days, needed, mistakes)
    good = np.array([day is not None for day in days], dtype=bool)
    count = np.array(counts, dtype=np.int64)
    outside = good & ((count < 1) | (count > most))
    word = "hour" if columns.hour else "period"
    clock = f"where the source writes hours of the clock, declare time: {name} (and time_is: end) in place of {word}: {name}"
    lettered = np.array([HOUR_TWICE.fullmatch(text) is not None for text in texts], dtype=bool)
    mistakes.add_rows(
        np.flatnonzero(outside & needed & lettered),
        table.rows,
        lambda i: f"{word} {texts[i]!r} is an hour of the clock that comes twice, not a count of {word}s",
        f"declare time: {name} and time_is: end in place of {word}: {name}",
        column=name,
    )
    mistakes.add_rows(
        np.flatnonzero(outside & needed & ~(lettered.any() & good)),
        table.rows,
        lambda i: f"{word} {texts[i]!r}: {from_epoch((days[i] or 0) * DAY_S):%Y-%m-%d} has {most[i]} {word}s in {zone}, counted from 1",
        f"mend it; {clock}",
        column=name,
    )
    start: Instants = first + (count - 1) * step + (step if mapping.time_is == "end" else 0)
    nothing = np.zeros(len(table), dtype=bool)
    return Stamps(start, nothing.astype(np.int64), nothing, good & ~outside, nothing)
