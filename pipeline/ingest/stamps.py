"""A raw column of stamps to UTC epoch seconds. Gaps and repeated hours of local clocks are resolved, not guessed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from numpy.typing import NDArray

from pipeline.cases.table_reading import TableReading
from pipeline.core.clock import Instants, from_epoch, utc_offsets
from pipeline.ingest.mistakes import Mistakes
from pipeline.ingest.stamp_text import Side, declared_moment, forms_seen, moment_of

ISO_REMEDY = "write ISO 8601, as 2016-03-27T01:15+01:00"
FORM_REMEDY = "or declare time_format in Python's codes, as '%d/%m/%Y %H:%M'"
MISSING, MISSING_REMEDY = "the stamp is missing", "every row with a value needs a stamp"


@dataclass(frozen=True)
class Stamps:
    """Instants as read. `seconds` counts from 1970 on the clock the stamp is written in; shapes (n,)."""

    seconds: Instants
    offset_s: Instants  # what the stamp itself declares, where it does
    naive: NDArray[np.bool_]  # no offset of its own
    good: NDArray[np.bool_]
    season: NDArray[np.bool_]  # the offset is an abbreviation, as CEST: some write it in the repeated hour only


def read_stamps(
    column: Any,
    *,
    name: str,
    rows: NDArray[np.int64],
    mistakes: Mistakes,
    reading: TableReading,
    side: Side = "start",
    needed: NDArray[np.bool_] | None = None,
) -> Stamps:
    """pyarrow column (text, timestamps, or numbers that count from 1970) -> stamps; of intervals "from - to" the `side`.

    Only rows `needed` (n,) are complained about: all of them unless told otherwise."""
    import pyarrow as pa

    kind, count = column.type, len(column)
    needed = np.ones(count, dtype=bool) if needed is None else needed
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        zone = None if pa.types.is_date(kind) else kind.tz
        missing = np.asarray(column.is_null().to_numpy(zero_copy_only=False), dtype=bool)
        micro = column.cast(pa.timestamp("us", tz=zone), safe=False).cast(pa.int64()).fill_null(0)
        seconds = np.asarray(micro.to_numpy(zero_copy_only=False), dtype=np.int64) // 1_000_000
        mistakes.add_rows(np.flatnonzero(missing & needed), rows, lambda _: MISSING, MISSING_REMEDY, column=name)
        nothing = np.zeros(count, dtype=np.int64)
        stamps = Stamps(seconds, nothing, np.full(count, zone is None), ~missing, nothing.astype(bool))
    elif pa.types.is_boolean(kind) or not (pa.types.is_primitive(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        mistakes.add(f"holds {kind}, not stamps", ISO_REMEDY, column=name)
        return no_stamps(count)
    else:
        stamps = stamps_of_texts(as_texts(column), name, rows, mistakes, reading=reading, side=side, needed=needed)
    return _plausible(stamps, name, rows, mistakes, needed)


def no_stamps(count: int) -> Stamps:
    """None that can be used, shapes (count,)."""
    nothing = np.zeros(count, dtype=bool)
    return Stamps(nothing.astype(np.int64), nothing.astype(np.int64), nothing, nothing, nothing)


def as_texts(column: Any) -> Any:
    """A pyarrow column as text, as it would stand in a file: whole numbers without a decimal point."""
    import pyarrow as pa

    if pa.types.is_floating(column.type) or pa.types.is_decimal(column.type):
        values = [None if value is None or value != value else value for value in column.to_pylist()]
        texts = [None if value is None else f"{value:.0f}" if value == int(value) else f"{value:.9f}" for value in values]
        return pa.array(texts, pa.large_string())
    return column.cast(pa.large_string())


def _plausible(stamps: Stamps, name: str, rows: NDArray[np.int64], mistakes: Mistakes, needed: NDArray[np.bool_]) -> Stamps:
    low, high = 315532800, 4102444800  # 1980 and 2100: outside, a clock or a unit is wrong
    outside = stamps.good & ((stamps.seconds < low) | (stamps.seconds >= high))
    mistakes.add_rows(
        np.flatnonzero(outside & needed),
        rows,
        lambda i: f"the stamp lies in the year {1970 + int(stamps.seconds[i]) // 31556952}",
        "stamps lie between 1980 and 2100; check the clock of the sender",
        column=name,
    )
    return replace(stamps, good=stamps.good & ~outside)


def stamps_of_texts(
    column: Any,
    name: str,
    rows: NDArray[np.int64],
    mistakes: Mistakes,
    *,
    reading: TableReading,
    side: Side,
    needed: NDArray[np.bool_],
) -> Stamps:
    """Each text is read once, however many rows bear it: a long table repeats its stamps."""
    encoded = column.dictionary_encode()
    texts = [*(text.strip() for text in encoded.dictionary.to_pylist()), ""]  # the last one stands for no text at all
    which = np.asarray(encoded.indices.fill_null(len(texts) - 1).to_numpy(zero_copy_only=False), dtype=np.int64)
    form = reading.time_format
    read = [None if not text else moment_of(text, side) if form is None else declared_moment(text, form, side) for text in texts]
    offset = [0 if one is None or one.offset_s is None else one.offset_s for one in read]
    seconds = [0 if one is None else one.wall_s - at for one, at in zip(read, offset, strict=True)]
    flags = [(one is not None, one is not None and one.offset_s is None, one is not None and one.season) for one in read]
    good, naive, season = (np.array([flag[part] for flag in flags], dtype=bool)[which] for part in range(3))
    empty = np.array([not text for text in texts], dtype=bool)[which]
    mistakes.add_rows(np.flatnonzero(empty & needed), rows, lambda _: MISSING, MISSING_REMEDY, column=name)
    bad = np.flatnonzero(~good & ~empty & needed)
    if len(bad):
        strange = [texts[at] for at in dict.fromkeys(which[bad].tolist())]
        mistakes.add_rows(bad, rows, lambda i: _strange(texts[which[i]], form), _remedy(strange, form), column=name)
    return Stamps(np.array(seconds, dtype=np.int64)[which], np.array(offset, dtype=np.int64)[which], naive, good, season)


def _strange(text: str, form: str | None) -> str:
    return f"{text[:60]!r} is not a stamp" + (" that can be read in one way only" if form is None else f" of the form {form!r}")


def _remedy(strange: list[str], form: str | None) -> str:
    """The declared form that reads all of them; two where day and month cannot be told apart."""
    fitting = forms_seen(strange)
    if form is not None:
        plain = all(moment_of(text) is not None for text in strange)
        return "take time_format away" if plain else f"declare time_format: {fitting[0]!r}" if fitting else FORM_REMEDY
    if not fitting:
        return f"{ISO_REMEDY}; {FORM_REMEDY}"
    if len(fitting) == 1:
        return f"declare time_format: {fitting[0]!r}"
    return f"declare time_format: {fitting[0]!r} or {fitting[1]!r}, as the source means it"


def check_zone(zone: str | None, mistakes: Mistakes) -> bool:
    """False, with a mistake, when the declared zone does not exist."""
    if zone is None:
        return True
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        mistakes.add(f"the mapping's time zone {zone!r} does not exist", "name one as Europe/Berlin or UTC")
        return False
    return True


def check_mixture(stamps: Stamps, zone: str | None, *, name: str, rows: NDArray[np.int64], mistakes: Mistakes) -> bool:
    """False when the file mixes naive stamps with others, lacks a zone, or bears offsets that the declared zone never has."""
    naive, aware = np.flatnonzero(stamps.good & stamps.naive), np.flatnonzero(stamps.good & ~stamps.naive)
    mixed = aware if zone is None else np.flatnonzero(stamps.good & ~stamps.naive & ~stamps.season)
    if len(naive) and len(mixed):
        odd = naive if len(naive) <= len(mixed) else mixed
        said = "has no offset while others have one" if odd is naive else "has an offset while others have none"
        mistakes.add_rows(
            odd, rows, lambda i: f"the stamp {shown(stamps, i)} {said}", "write every stamp of a file the same way", column=name
        )
        return False
    if len(naive) and zone is None:
        mistakes.add(
            f"the stamp {shown(stamps, naive[0])} and {len(naive) - 1} others have no time zone",
            "declare time_zone in the mapping, or write the offset",
            row=int(rows[naive[0]]),
            column=name,
        )
        return False
    if len(aware) and zone is not None:
        declared = stamps.offset_s[aware]
        foreign = aware[(declared != 0) & (declared != utc_offsets(stamps.seconds[aware], zone))]
        mistakes.add_rows(
            foreign,
            rows,
            lambda i: f"the stamp {shown(stamps, i)} bears an offset that {zone} does not have then",
            "mend the offset, or leave time_zone out of the mapping",
            column=name,
        )
        return not len(foreign)
    return True


def shown(stamps: Stamps, position: int | np.intp) -> str:
    """A stamp in words, with the offset that it declares."""
    offset = int(stamps.offset_s[position])
    wall = from_epoch(int(stamps.seconds[position]) + offset).strftime("%Y-%m-%dT%H:%M:%S")
    if stamps.naive[position]:
        return wall
    return f"{wall}{'+' if offset >= 0 else '-'}{abs(offset) // 3600:02d}:{abs(offset) % 3600 // 60:02d}"


