"""One text to a moment, where it can be read in one way only; or by the form that the mapping declares."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple

Side = Literal["start", "end"]
DAY_S = 86400
_MONTHS = {name: at for at, name in enumerate(["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], 1)}
_MONTH = r"(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_WEEKDAY = r"(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?,? +)?"
_YEAR_FIRST = re.compile(r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(?!\d)")
_DAY_FIRST = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4}|\d{2})(?!\d)")  # with dots the day is always first
_DAY_NAMED = re.compile(rf"{_WEEKDAY}(\d{{1,2}})[- ]{_MONTH}[- ,]+(\d{{4}}|\d{{2}})(?!\d)", re.IGNORECASE)
_MONTH_NAMED = re.compile(rf"{_WEEKDAY}{_MONTH} +(\d{{1,2}}),? +(\d{{4}})(?!\d)", re.IGNORECASE)
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})(?:[T: ]?(\d{2})(\d{2})?(\d{2})?)?")
_CLOCK = re.compile(
    r"(?:(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d{1,9})?)?|(\d{2})(\d{2})(\d{2})?|(\d{1,2})\.(\d{2})(?:\.(\d{2}))?|(\d{1,2}))"
    r" ?([ap]\.?m\.?)?",
    re.IGNORECASE,
)
HOUR_TWICE = re.compile(r"(\d{1,2})[ABX]", re.IGNORECASE)  # ISO New England's 02 and 02X, EPEX SPOT's 3A and 3B; order tells which
_OFFSET = re.compile(r" ?(?:UTC|GMT)?([+-])(\d{1,2}):?(\d{2})?")
_ABBREVIATION = re.compile(r" ?\(?([A-Z]{1,4})\)?", re.IGNORECASE)
_ZONE_NAME = re.compile(r"\[[\w/+-]+\]$")  # as Java appends it; the offset before it says the same
_BETWEEN = re.compile(r" +(?:-|–|—|to|bis|until) +| *[–—] *")
# Those that mean one offset everywhere; CST, IST and BST do not.
ABBREVIATIONS_H = {
    "Z": 0, "UTC": 0, "GMT": 0, "WET": 0, "WEST": 1, "CET": 1, "MEZ": 1, "CEST": 2, "MESZ": 2, "EET": 2, "EEST": 3,
    "EST": -5, "EDT": -4, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7, "AEST": 10, "AEDT": 11, "NZST": 12, "NZDT": 13, "JST": 9,
}  # fmt: skip
UNIVERSAL = ("Z", "UTC", "GMT")
EXCEL_EPOCH_S = -2209161600  # 1899-12-30, day 0 of a workbook
_EPOCHS = {9: 1, 10: 1, 13: 1_000, 16: 1_000_000, 19: 1_000_000_000}  # digits -> parts of a second that they count


class Moment(NamedTuple):
    """Seconds since 1970 on the clock that the text is written in, and the offset it declares; `season` is one by an abbreviation."""

    wall_s: int
    offset_s: int | None
    season: bool = False


def moment_of(text: str, side: Side = "start") -> Moment | None:
    """A stamp, or one side of an interval "from - to". None for what is no stamp or has two readings."""
    text = _ZONE_NAME.sub("", " ".join(text.split()))
    first, second = halves(text)
    if second is None:
        return _moment(first)
    return _moment(first) if side == "start" else _second(first, second)


def halves(text: str) -> tuple[str, str | None]:
    """The two sides of an interval; None for the second where there is none."""
    parts = _BETWEEN.split(text) if not _MONTH_NAMED.match(text) else [text]
    if len(parts) == 1 and text.count("/") == 1 and "T" in text:
        parts = text.split("/")  # ISO 8601
    return (parts[0], parts[1]) if len(parts) == 2 else (text, None)


def _second(first: str, second: str) -> Moment | None:
    whole, begun, clock = _moment(second), _moment(first), _clock(second)
    if whole is not None or begun is None or clock is None:
        return whole
    end = begun.wall_s - begun.wall_s % DAY_S + clock[0]
    return Moment(end if end > begun.wall_s else end + DAY_S, begun.offset_s if clock[1] is None else clock[1], clock[2])


def _moment(text: str) -> Moment | None:
    plain = text.strip()
    if re.fullmatch(r"\d+(\.\d+)?", plain):
        return _counted(plain)
    for form in (_YEAR_FIRST, _DAY_FIRST, _COMPACT, _DAY_NAMED, _MONTH_NAMED):
        found = form.match(plain)
        if found:
            day = _day(form, found)
            compact = form is _COMPACT
            rest = "".join(part for part in found.groups()[3:] if part) + plain[found.end() :] if compact else plain[found.end() :]
            clock = _clock(rest[1:].lstrip() if rest[:1] in ("T", " ", ",") else rest)
            return None if day is None or clock is None else Moment(day + clock[0], clock[1], clock[2])
    return None


def _day(form: re.Pattern[str], found: re.Match[str]) -> int | None:
    """Local midnight, in seconds since 1970."""
    parts = found.groups()
    if form is _YEAR_FIRST:
        year, month, day = parts[0], parts[2], parts[3]
    elif form is _COMPACT:
        year, month, day = parts[:3]
    elif form is _DAY_FIRST:
        day, month, year = parts
    elif form is _DAY_NAMED:
        day, month, year = parts[0], _MONTHS[parts[1].lower()], parts[2]
    else:
        day, month, year = parts[1], _MONTHS[parts[0].lower()], parts[2]
    return _midnight(int(year) + (2000 if len(year) == 2 else 0), int(month), int(day))


def _midnight(year: int, month: int, day: int) -> int | None:
    try:
        return int(datetime(year, month, day, tzinfo=UTC).timestamp())
    except ValueError:
        return None


def clock_of(text: str, side: Side = "start") -> tuple[int, int | None, bool] | None:
    """A time of the day, or one side of an interval of it: seconds (an end at midnight is that of the day), offset, and whether that is
    an abbreviation. None for what is no time. Of an hour that the clock has twice both are the same time, with a letter behind it."""
    text = HOUR_TWICE.sub(r"\1", text) if HOUR_TWICE.fullmatch(text) else text
    parts = [part.strip() for part in re.split(r" *(?:-|–|—|\bto\b|\bbis\b) *", text)] if not re.search(r":\d\d ?[+]", text) else [text]
    read = [_clock(part) if part else None for part in parts]
    if len(read) > 2 or any(one is None for one in read):
        return None
    first, last = read[0], read[-1]
    if side == "start" or len(read) == 1 or first is None or last is None:
        return first
    return (last[0] + (DAY_S if last[0] <= first[0] else 0), *last[1:])


def _clock(text: str) -> tuple[int, int | None, bool] | None:
    """Seconds of the day, the offset behind them, and whether that is an abbreviation. Nothing at all is midnight."""
    if not text:
        return 0, None, False
    found = _CLOCK.match(text)
    if not found:
        return None
    *digits, half = found.groups()
    at = next(at for at in (0, 3, 6, 9) if digits[at] is not None)
    hour, minute, second = (*digits, None, None)[at : at + 3]
    zone = _zone(text[found.end() :])
    if zone is None or (digits[9] is not None and half is None and zone[0] is not None and not zone[1]):
        return None  # `00-05` may be hours
    seconds = _seconds(int(hour or 0), int(minute or 0), int(second or 0), half)
    return None if seconds is None else (seconds, *zone)


def _seconds(hour: int, minute: int, second: int, half: str | None) -> int | None:
    if half:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half[0] in "pP" else 0)
    if minute > 59 or second > 59 or hour > 24 or (hour == 24 and (minute or second)):
        return None
    return 3600 * hour + 60 * minute + second


def _zone(text: str) -> tuple[int | None, bool] | None:
    """Offset in seconds, None where there is none, and whether it is an abbreviation; None for what is no zone."""
    if not text:
        return None, False
    found = _OFFSET.fullmatch(text)
    if found:
        sign, hours, minutes = found.groups()
        if int(hours) > 14 or int(minutes or 0) > 59:
            return None
        return (1 if sign == "+" else -1) * (3600 * int(hours) + 60 * int(minutes or 0)), False
    named = _ABBREVIATION.fullmatch(text)
    offset_h = ABBREVIATIONS_H.get(named[1].upper()) if named else None
    return None if named is None or offset_h is None else (3600 * offset_h, named[1].upper() not in UNIVERSAL)


def _counted(text: str) -> Moment | None:
    """Digits alone: a compact date, or what is counted from 1970 (s, ms, us, ns), or a workbook's days."""
    whole, _, fraction = text.partition(".")
    if len(whole) == 5:
        return Moment(EXCEL_EPOCH_S + round(float(text) * DAY_S), None)
    compact = None if fraction.strip("0") or len(whole) not in (8, 10, 12, 14) else _COMPACT.fullmatch(whole)
    if compact and 1980 <= int(compact[1]) < 2100:
        day = _day(_COMPACT, compact)
        hour, minute, second = (int(part or 0) for part in compact.groups()[3:])
        seconds = _seconds(hour, minute, second, None)
        if day is not None and seconds is not None:
            return Moment(day + seconds, None)
    return Moment(int(whole) // _EPOCHS[len(whole)], 0) if len(whole) in _EPOCHS else None


# ------------------------------------------------------------ declared forms

_DATES = ("%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y", "%d/%m/%y", "%m/%d/%y", "%d-%m-%y", "%m-%d-%y", "%Y/%d/%m", "%Y-%d-%m")
_CLOCKS = (
    "", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", " %I:%M %p", " %I:%M:%S %p", " %H.%M", " %Hh%M", " %H", ":%H:%M", "T%H:%M:%S", " %H%M",
)  # fmt: skip


def declared_moment(text: str, form: str, side: Side = "start") -> Moment | None:
    """A stamp, or one side of an interval, in the declared form (Python's codes); a zone behind it and `24:00` are understood."""
    text = " ".join(text.split())
    whole = _by_form(text, form)
    first, second = halves(text)
    if whole is not None or second is None:
        return whole
    if side == "start":
        return _by_form(first, form)
    end, begun, clock = _by_form(second, form), _by_form(first, form), _clock(second)
    if end is not None or begun is None or clock is None:
        return end
    wall = begun.wall_s - begun.wall_s % DAY_S + clock[0]
    return Moment(wall if wall > begun.wall_s else wall + DAY_S, begun.offset_s, begun.season)


def _by_form(text: str, form: str) -> Moment | None:
    read = _parsed(text, form)
    if read is not None:
        return read
    cut = re.search(r" ?\(?[A-Za-z]{2,4}\)?$| ?(?:UTC|GMT)?[+-]\d{2}:?(?:\d{2})?$|Z$", text)
    zone = _zone(text[cut.start() :]) if cut else None
    read = _parsed(text[: cut.start()], form) if cut and zone is not None else None
    return None if read is None or zone is None or read.offset_s is not None else Moment(read.wall_s, *zone)


def _parsed(text: str, form: str) -> Moment | None:
    if "%f" in form:
        text = re.sub(r"(\.\d{6})\d+", r"\1", text)
    late = re.search(r"\b24([:.h]?00)", text)
    moments = [(text, 0)] + ([(text[: late.start()] + "00" + late[1] + text[late.end() :], 1)] if late else [])
    for one, days in moments:
        try:
            read = datetime.strptime(one, form) + timedelta(days=days)
        except ValueError:
            continue
        offset = read.utcoffset()
        return Moment(int(read.replace(tzinfo=UTC).timestamp()), None if offset is None else int(offset.total_seconds()))
    return None


def forms_seen(texts: Iterable[str]) -> list[str]:
    """Declared forms that read every one of these texts, the day first before the month first."""
    samples = list(texts)
    return [day + clock for day in _DATES for clock in _CLOCKS if all(declared_moment(text, day + clock) for text in samples)]
