"""Checks of how a table is said to be written, before a file of it is there."""

from __future__ import annotations

import codecs
from zoneinfo import available_timezones

from pipeline.cases.mistakes import Mistakes
from pipeline.cases.raw import nearest
from pipeline.cases.sources import Mapping
from pipeline.cases.stamp_form import form_is_good
from pipeline.cases.table_reading import TEXT_ONLY, TableReading


def check_reading(name: str, reading: TableReading, place: str, mistakes: Mistakes, *, is_text: bool) -> None:
    """Notes codes, encodings and zones that nobody knows, and fields that say nothing of the source."""

    def note(message: str, remedy: str) -> None:
        mistakes.note(place, f"source '{name}' {message}", remedy)

    zone, form, encoding = reading.time_zone, reading.time_format, reading.encoding
    if zone is not None and zone not in available_timezones():
        note(f"has the time zone '{zone}', which does not exist", nearest(zone, sorted(available_timezones())))
    if form is not None and not form_is_good(form):
        note(f"has the time_format '{form}', which does not tell a date", "write Python's codes for year, month and day: '%d/%m/%Y %H:%M'")
    if encoding is not None and not _is_encoding(encoding):
        note(f"has the encoding '{encoding}', which is not known", "write one as cp1252, or none for UTF-8")
    if len(reading.separator) != 1 or reading.separator in '"\r\n':
        note(f"has the separator '{reading.separator}', which cannot separate cells", "write one character, as ';'")
    twice = sorted({one for one in reading.header if reading.header.count(one) > 1})
    if twice:
        note(f"names the column '{twice[0]}' twice in its header", "give every column its own name")
    for field in ("comment", "footer"):
        if getattr(reading, field) == "":
            note(f"has an empty {field}, with which every row begins", f"write what such rows begin with, or take {field} away")
    if not is_text:
        for field in sorted(set(TEXT_ONLY) & reading.model_fields_set):
            note(f"has {field}, and a query has no text around its table", f"take {field} away")
    if isinstance(reading, Mapping):
        _check_time_columns(name, reading, place, mistakes)


def _check_time_columns(name: str, mapping: Mapping, place: str, mistakes: Mistakes) -> None:
    columns = mapping.time_columns
    if columns is None:
        return
    given = [field for field in ("time", "hour", "period") if getattr(columns, field) is not None]
    if len(given) != 1:
        said = " and ".join(given) or "none of time, hour and period"
        mistakes.note(place, f"source '{name}': time_columns have {said}", "give the date and one of time, hour and period")
    if not isinstance(columns.date, str) and len(columns.date) != 3:
        mistakes.note(place, f"source '{name}': the date has {len(columns.date)} columns", "give one, or those of year, month and day")
    if columns.hour is not None and mapping.resolution_min != 60:
        remedy = "declare resolution_min: 60, or period in place of hour"
        mistakes.note(place, f"source '{name}' counts hours, and its resolution_min is {mapping.resolution_min}", remedy)


def _is_encoding(name: str) -> bool:
    try:
        return codecs.lookup(name).name not in ("rot13", "hex", "base64", "bz2", "zlib", "quopri", "uu")
    except LookupError:
        return False
