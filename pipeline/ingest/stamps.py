"""A raw column of stamps to UTC epoch seconds. Gaps and repeated hours of local clocks are resolved, not guessed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from numpy.typing import NDArray

from pipeline.core.clock import Instants, from_epoch, utc_offsets
from pipeline.ingest.mistakes import Mistakes

DAY_S = 86400
ISO_REMEDY = "write ISO 8601, as 2016-03-27T01:15+01:00"
_ISO = re.compile(r"(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?) ?(Z|z|[+-]\d{2}:?\d{2})?")
_DOTTED = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)()")


@dataclass(frozen=True)
class Stamps:
    """Instants as read. `seconds` counts from 1970 on the clock the stamp is written in; shapes (n,)."""

    seconds: Instants
    offset_s: Instants  # what the stamp itself declares, where it does
    naive: NDArray[np.bool_]  # no offset of its own
    good: NDArray[np.bool_]


@dataclass(frozen=True)
class Resolved:
    """UTC instants; `repeated` marks naive stamps of a repeated hour that were resolved. Shapes (n,)."""

    utc: Instants
    repeated: NDArray[np.bool_]
    good: NDArray[np.bool_]


def read_stamps(column: Any, *, name: str, rows: NDArray[np.int64], mistakes: Mistakes) -> Stamps:
    """pyarrow column (text or timestamp) -> stamps. Numbers are no stamps: nobody can tell what they count."""
    import pyarrow as pa

    kind, count = column.type, len(column)
    if pa.types.is_timestamp(kind):
        missing = np.asarray(column.is_null().to_numpy(zero_copy_only=False), dtype=bool)
        micro = column.cast(pa.timestamp("us", tz=kind.tz), safe=False).cast(pa.int64()).fill_null(0)
        seconds = np.asarray(micro.to_numpy(zero_copy_only=False), dtype=np.int64) // 1_000_000
        mistakes.add_rows(np.flatnonzero(missing), rows, lambda _: "the stamp is missing", "every row needs a stamp", column=name)
        stamps = Stamps(seconds, np.zeros(count, dtype=np.int64), np.full(count, kind.tz is None), ~missing)
    elif pa.types.is_string(kind) or pa.types.is_large_string(kind):
        stamps = _from_text(column, name, rows, mistakes)
    else:
        mistakes.add(f"holds {kind}, not stamps", ISO_REMEDY, column=name)
        return Stamps(
            np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64), np.zeros(count, dtype=bool), np.zeros(count, dtype=bool)
        )
    return _plausible(stamps, name, rows, mistakes)


def _plausible(stamps: Stamps, name: str, rows: NDArray[np.int64], mistakes: Mistakes) -> Stamps:
    low, high = 315532800, 4102444800  # 1980 and 2100: outside, a clock or a unit is wrong
    outside = stamps.good & ((stamps.seconds < low) | (stamps.seconds >= high))
    mistakes.add_rows(
        np.flatnonzero(outside),
        rows,
        lambda i: f"the stamp lies in the year {1970 + int(stamps.seconds[i]) // 31556952}",
        "stamps lie between 1980 and 2100; check the clock of the sender",
        column=name,
    )
    return Stamps(stamps.seconds, stamps.offset_s, stamps.naive, stamps.good & ~outside)


def _from_text(column: Any, name: str, rows: NDArray[np.int64], mistakes: Mistakes) -> Stamps:
    """Each text is read once, however many rows bear it: a long table repeats its stamps."""
    import pyarrow as pa

    encoded = column.cast(pa.large_string()).dictionary_encode()
    texts = [*encoded.dictionary.to_pylist(), ""]  # the last one stands for no text at all
    which = np.asarray(encoded.indices.fill_null(len(texts) - 1).to_numpy(zero_copy_only=False), dtype=np.int64)
    read = [_one(text.strip()) for text in texts]
    empty = np.array([not text.strip() for text in texts], dtype=bool)[which]
    good = np.array([one is not None for one in read], dtype=bool)[which]
    seconds, offset, naive = (np.array([one[part] if one else 0 for one in read], dtype=np.int64)[which] for part in range(3))
    mistakes.add_rows(np.flatnonzero(empty), rows, lambda _: "the stamp is missing", "every row needs a stamp", column=name)
    mistakes.add_rows(np.flatnonzero(~good & ~empty), rows, lambda i: f"{texts[which[i]][:60]!r} is not a stamp", ISO_REMEDY, column=name)
    return Stamps(seconds, offset, naive.astype(bool), good)


def _one(text: str) -> tuple[int, int, bool] | None:
    """Seconds since 1970, declared offset, and whether there is none; None for what is no stamp."""
    found, dotted = _ISO.fullmatch(text), _DOTTED.fullmatch(text)
    try:
        if found:
            day, clock, zone = found.groups()
        elif dotted:
            date, month, year, clock, zone = dotted.groups()
            day = f"{year}-{int(month):02d}-{int(date):02d}"
        else:
            return None
        offset = _offset(zone)
        return int(_wall(day, clock).astype(np.int64)) - offset, offset, not zone
    except ValueError:
        return None


def _wall(day: str, clock: str) -> Any:
    if clock.startswith("24:00") and not clock.strip("24:0."):  # ISO 8601: the end of a day
        return np.datetime64(day, "s") + np.timedelta64(1, "D")
    return np.datetime64(f"{day}T{clock}").astype("datetime64[s]")


def _offset(zone: str | None) -> int:
    if not zone or zone in "Zz":
        return 0
    hours, minutes = int(zone[1:3]), int(zone[-2:])
    if hours > 14 or minutes > 59:
        raise ValueError(f"{zone} is no offset")
    return (1 if zone[0] == "+" else -1) * (3600 * hours + 60 * minutes)


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
    if len(naive) and len(aware):
        odd = naive if len(naive) <= len(aware) else aware
        said = "has no offset while others have one" if odd is naive else "has an offset while others have none"
        mistakes.add_rows(
            odd, rows, lambda i: f"the stamp {_clock(stamps, i)} {said}", "write every stamp of a file the same way", column=name
        )
        return False
    if len(naive) and zone is None:
        mistakes.add(
            f"the stamp {_clock(stamps, naive[0])} and {len(naive) - 1} others have no time zone",
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
            lambda i: f"the stamp {_clock(stamps, i)} bears an offset that {zone} does not have then",
            "mend the offset, or leave time_zone out of the mapping",
            column=name,
        )
        return not len(foreign)
    return True


def _clock(stamps: Stamps, position: int | np.intp) -> str:
    offset = int(stamps.offset_s[position])
    wall = from_epoch(int(stamps.seconds[position]) + offset).strftime("%Y-%m-%dT%H:%M:%S")
    if stamps.naive[position]:
        return wall
    return f"{wall}{'+' if offset >= 0 else '-'}{abs(offset) // 3600:02d}:{abs(offset) % 3600 // 60:02d}"


def local_to_utc(wall: Instants, zone: str) -> tuple[Instants, Instants]:
    """Earlier and later reading of local wall-clock seconds, shapes (n,): equal where the clock is plain, -1 where it jumps over them."""
    day = wall // DAY_S
    days, inverse = np.unique(day, return_inverse=True)
    before = utc_offsets((days - 1) * DAY_S + DAY_S // 2, zone)[inverse]
    after = utc_offsets((days + 1) * DAY_S + DAY_S // 2, zone)[inverse]
    early, late = wall - np.maximum(before, after), wall - np.minimum(before, after)
    change = np.flatnonzero(before != after)
    if len(change):
        early_holds = utc_offsets(early[change], zone) == wall[change] - early[change]
        late_holds = utc_offsets(late[change], zone) == wall[change] - late[change]
        first = np.where(early_holds, early[change], np.where(late_holds, late[change], -1))
        second = np.where(late_holds, late[change], np.where(early_holds, early[change], -1))
        early[change], late[change] = first, second
    return early, late


def resolve(
    stamps: Stamps, groups: NDArray[np.int64], *, zone: str | None, latest: int, name: str, rows: NDArray[np.int64], mistakes: Mistakes
) -> Resolved:
    """Naive stamps to UTC. `groups` (n,) tells apart the series of a long table, whose stamps repeat; `latest` is the last instant that
    can have been measured. A repeated hour needs both occurrences (order of appearance decides), or one that can only be the first."""
    utc, good, repeated = stamps.seconds.copy(), stamps.good.copy(), np.zeros(len(rows), dtype=bool)
    naive = np.flatnonzero(stamps.naive & stamps.good)
    if zone is None or not len(naive):
        return Resolved(utc, repeated, good)
    early, late = local_to_utc(stamps.seconds[naive], zone)
    skipped = naive[early < 0]
    mistakes.add_rows(
        skipped,
        rows,
        lambda i: f"the stamp {_clock(stamps, i)} does not exist in {zone}: the clock jumps over it",
        "write the offset, or declare the zone the sender's clock keeps (a fixed one, as Etc/GMT-1)",
        column=name,
    )
    good[skipped] = False
    utc[naive] = early
    twice = (early >= 0) & (early != late)
    if twice.any():
        which = naive[twice]
        second, unclear = _occurrences(stamps.seconds, groups, which, late[twice], latest)
        utc[which] = np.where(second, late[twice], early[twice])
        repeated[which] = True
        good[which[unclear]] = False
        mistakes.add_rows(
            which[unclear],
            rows,
            lambda i: f"the stamp {_clock(stamps, i)} occurs twice in {zone}, and the file does not tell which it is",
            "give both occurrences in order of time, or write the offset",
            column=name,
        )
    return Resolved(utc, repeated, good)


def _occurrences(
    wall: Instants, groups: NDArray[np.int64], which: NDArray[np.intp], late: Instants, latest: int
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """For each stamp of a repeated hour: is it the second occurrence, and is that unclear. The order of appearance counts only in a
    file that runs forward, or backward, throughout."""
    twice = np.zeros(len(wall), dtype=bool)
    twice[which] = True
    direction = _direction(wall, groups, twice)
    second, unclear = np.zeros(len(which), dtype=bool), np.zeros(len(which), dtype=bool)
    keys = np.stack([groups[which], wall[which]], axis=1)
    _, inverse, counts = np.unique(keys, axis=0, return_inverse=True, return_counts=True)
    inverse = inverse.reshape(-1)
    order = np.argsort(inverse, kind="stable")
    firsts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    rank = np.empty(len(which), dtype=np.int64)
    rank[order] = np.arange(len(which)) - firsts[inverse[order]]
    count = counts[inverse]
    pair = count == 2
    second[pair] = (rank[pair] == 1) if direction >= 0 else (rank[pair] == 0)
    unclear |= pair & (direction == 0)
    unclear |= (count == 1) & (late <= latest) | (count > 2)
    return second, unclear


def _direction(wall: Instants, groups: NDArray[np.int64], twice: NDArray[np.bool_]) -> int:
    """1 when each series runs forward, -1 backward, 0 when neither. Once a day it may turn back inside the repeated hour."""
    order = np.argsort(groups, kind="stable")
    same = np.diff(groups[order]) == 0
    steps = np.where(same, np.diff(wall[order]), 0)
    inside = twice[order][1:] & twice[order][:-1]
    days = np.stack([groups[order][1:], wall[order][1:] // DAY_S], axis=1)
    for sign in (1, -1):
        turns = sign * steps < 0
        _, per_day = np.unique(days[turns], axis=0, return_counts=True)
        if inside[turns].all() and (per_day <= 1).all() and (sign > 0 or (steps < 0).any()):
            return sign
    return 0
