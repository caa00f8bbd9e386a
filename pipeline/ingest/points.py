"""A raw table to points per series: UTC interval starts, values in the series' unit. Stamps are read once for the whole table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.cases.case import Case
from pipeline.cases.sources import Mapping
from pipeline.core.clock import Instants, from_epoch, utc_offsets
from pipeline.ingest.fates import Fate, Fates
from pipeline.ingest.layout import time_names
from pipeline.ingest.local_clock import Resolved, resolve
from pipeline.ingest.mapping import Target, targets_of
from pipeline.ingest.mistakes import Mistakes
from pipeline.ingest.number_text import Numbers, to_numbers
from pipeline.ingest.quality import Quality
from pipeline.ingest.reading import RawTable
from pipeline.ingest.stamp_columns import mapped_stamps
from pipeline.ingest.stamps import check_mixture, check_zone, read_stamps
from pipeline.ingest.stretches import MANY, SNAP_S, irregular, lengths_of, on_grid, within_others, wrong_resolution

FAR = 1 << 62  # after every stamp
HOUR_S = 3600
COLUMNS = ("start", "value", "said", "length_s", "at", "row", "quality", "stray")  # of `Points`, beside known_at
LARGEST = 1e15  # in any unit: sums of such numbers are still finite
STRAY_SHARE = 0.02  # of the rows: more are no strays but another resolution


@dataclass(frozen=True)
class Points:
    """Values of one series in the order of the source, NaN at gaps. `known_at` is what the source says, or None. Shapes (n,).

    A counter's `start` is the moment of the reading and its `value` the reading, until `counts.differenced` made intervals of them.
    """

    target: Target
    start: Instants
    value: NDArray[np.float64]  # in the unit of the series
    said: NDArray[np.float64]  # as the source has it
    length_s: NDArray[np.int64]  # how long the value holds
    at: NDArray[np.intp]  # place among the rows that the source has of this series
    row: NDArray[np.int64]
    quality: NDArray[np.int16]
    stray: NDArray[np.bool_]  # off the grid, within an interval that has a value of its own: no value here
    known_at: Instants | None


def taken(points: Points, where: NDArray[np.intp]) -> Points:
    """The points at these places."""
    arrays = {name: getattr(points, name)[where] for name in COLUMNS}
    return replace(points, **arrays, known_at=None if points.known_at is None else points.known_at[where])


def joined(parts: Sequence[Points]) -> Points:
    """Points of one series with what their source says of their knowledge, in order of time, of one interval in that of knowledge."""
    known = np.concatenate([part.known_at for part in parts if part.known_at is not None])
    order = np.lexsort((known, np.concatenate([part.start for part in parts])))
    arrays: dict[str, Any] = {name: np.concatenate([getattr(part, name) for part in parts])[order] for name in COLUMNS}
    return replace(parts[0], **arrays, known_at=known[order])


def last_versions(points: Points, fates: Fates) -> Points:
    """Of several versions of a value, in their order, the last one."""
    last = np.append(np.diff(points.start) != 0, True) if len(points.start) else np.ones(0, dtype=bool)
    if last.all():
        return points
    fates.mark(points.at[~last], Fate.MERGED)
    return taken(points, np.flatnonzero(last))


@dataclass(frozen=True)
class _Grid:
    """Starts and lengths of the intervals of the rows of one series, and which stamps were moved; shapes (n,)."""

    start: Instants
    length_s: NDArray[np.int64]
    snapped: NDArray[np.bool_]
    stray: NDArray[np.bool_]


def points_of(
    case: Case, mapping: Mapping, table: RawTable, *, whole: bool, now: int, mistakes: Mistakes, notes: list[str]
) -> list[Points]:
    """All series of a table. Mistakes are collected; what is returned is only meant for use when there were none."""
    targets = targets_of(case, mapping, table, whole=whole, mistakes=mistakes, notes=notes)
    table, targets, groups = _mapped_rows(table, targets)
    columns = [_numbers(table, target, mapping, mistakes) for target in targets]
    if not targets or any(name not in table.columns for name in time_names(mapping)) or not check_zone(mapping.time_zone, mistakes):
        return []
    latest = FAR if any(mapping.knows_ahead(target.series) for target in targets) else now
    times = _instants(mapping, table, groups, latest=latest, needed=_valued(table, targets, columns), mistakes=mistakes)
    if times is None:
        return []
    places = [np.arange(len(table)) if target.where is None else target.where for target in targets]
    grids = _grids(case, mapping, table, times, list(zip(targets, places, columns, strict=True)), now=now, mistakes=mistakes)
    known_at = _known_at(mapping, table, now, mistakes)
    found = []
    for target, at, numbers, grid in zip(targets, places, columns, grids, strict=True):
        stamped = np.where(times.repeated[at], Quality.REPEATED_HOUR, 0) | np.where(grid.snapped, Quality.SNAPPED, 0)
        bits: NDArray[np.int16] = (stamped | np.where(numbers.reformatted, Quality.REFORMATTED, 0)).astype(np.int16)
        said = np.where(times.good[at] & ~grid.stray, numbers.value, np.nan)
        per_hour = HOUR_S / grid.length_s if target.amount and target.reading == "interval" else 1.0
        found.append(Points(target, grid.start, said * target.factor * per_hour, said, grid.length_s, np.arange(len(at)), table.rows[at],
                            bits, grid.stray, None if known_at is None else known_at[at]))
    return found


def _mapped_rows(table: RawTable, targets: list[Target]) -> tuple[RawTable, list[Target], NDArray[np.int64]]:
    """A long table cut to the rows of its targets, and which target each row belongs to (0 throughout in a wide one), shape (n,)."""
    groups = np.full(len(table), -1 if any(target.where is not None for target in targets) else 0, dtype=np.int64)
    for number, target in enumerate(targets):
        if target.where is not None:
            groups[target.where] = number
    kept = np.flatnonzero(groups >= 0)
    if len(kept) == len(table):
        return table, targets, groups
    cut = RawTable(table.name, {name: column.take(kept) for name, column in table.columns.items()}, table.rows[kept])
    targets = [target if target.where is None else replace(target, where=np.searchsorted(kept, target.where)) for target in targets]
    return cut, targets, groups[kept]


def _numbers(table: RawTable, target: Target, mapping: Mapping, mistakes: Mistakes) -> Numbers:
    """Values of one target as the source has them, shape (rows of the target,)."""
    column, rows = table.columns[target.column], table.rows
    if target.where is not None:
        column, rows = column.take(target.where), rows[target.where]
    numbers = to_numbers(column, name=target.column, rows=rows, reading=mapping, mistakes=mistakes)
    with np.errstate(over="ignore"):
        value = numbers.value * target.factor * (HOUR_S / 60 if target.amount else 1.0)  # at most: an amount per minute
    endless = np.flatnonzero(np.abs(value) > LARGEST)
    series = target.series
    mistakes.add_rows(
        endless,
        rows,
        lambda i: f"{numbers.value[i]:g} {target.unit} is beyond what any series holds ({LARGEST:g} {series.unit})",
        "mend the value or scale_factor",
        column=target.column,
    )
    said = numbers.value.copy()
    said[endless] = np.nan
    return Numbers(said, numbers.reformatted)


def _valued(table: RawTable, targets: list[Target], columns: list[Numbers]) -> NDArray[np.bool_]:
    """Rows that bear a value of some series, shape (n,): the others need no stamp."""
    valued = np.zeros(len(table), dtype=bool)
    for target, numbers in zip(targets, columns, strict=True):
        at = np.arange(len(table)) if target.where is None else target.where
        valued[at] |= ~np.isnan(numbers.value)
    return valued


def _instants(
    mapping: Mapping, table: RawTable, groups: NDArray[np.int64], *, latest: int, needed: NDArray[np.bool_], mistakes: Mistakes
) -> Resolved | None:
    name = time_names(mapping)[0]
    stamps = mapped_stamps(table, mapping, needed=needed, mistakes=mistakes)
    if not check_mixture(stamps, mapping.time_zone, name=name, rows=table.rows, mistakes=mistakes):
        return None
    step = 60 * mapping.resolution_min
    last, end_of_s = (latest - step, 0) if mapping.time_is == "start" else (latest, step)
    zone, rows = mapping.time_zone, table.rows
    times = resolve(
        stamps, groups, zone=zone, latest=last, name=name, rows=rows, mistakes=mistakes, end_of_s=end_of_s, needed=needed
    )
    return replace(times, utc=times.utc + round(60 * mapping.time_shift_min), good=times.good & needed)


def _grids(
    case: Case,
    mapping: Mapping,
    table: RawTable,
    times: Resolved,
    series: Sequence[tuple[Target, NDArray[np.intp], Numbers]],
    *,
    now: int,
    mistakes: Mistakes,
) -> list[_Grid]:
    """Per series the intervals of its rows. A row without a value has no interval: its stamp may lie anywhere. A bad stamp is said once."""
    made: dict[tuple[bytes, bytes, bool], _Grid] = {}
    loose, ahead = np.zeros(len(table), dtype=bool), np.zeros(len(table), dtype=bool)
    length, start = np.full(len(table), 60 * mapping.resolution_min, dtype=np.int64), times.utc.copy()
    found = []
    for target, at, numbers in series:
        judged = times.good[at] & ~np.isnan(numbers.value)
        ends = mapping.time_is == "end" and target.reading == "interval"
        key = (judged.tobytes(), at.tobytes(), ends)
        if key not in made:
            made[key], far = _grid(case, mapping, table, times, at, judged, ends=ends, mistakes=mistakes)
            rows = at[judged]
            loose[at[far]] = True
            start[rows], length[rows] = made[key].start[judged], made[key].length_s[judged]
        grid = made[key]
        if not mapping.knows_ahead(target.series):
            over = grid.start + (grid.length_s if target.reading == "interval" else 0)
            ahead[at[judged & (over > now + SNAP_S)]] = True
        found.append(grid)
    mistakes.add_rows(
        np.flatnonzero(loose),
        table.rows,
        lambda i: f"the stamp {_utc(times.utc[i])} is not on the grid of {length[i] / 60:g} min",
        _grid_remedy(case, times.utc, np.flatnonzero(loose), length),
        column=time_names(mapping)[0],
    )
    mistakes.add_rows(
        np.flatnonzero(ahead),
        table.rows,
        lambda i: f"the interval of {_utc(start[i])} is not over at {_utc(now)}",
        "only prices are known ahead, and tariffs with published_local; "
        + ("declare time_is: end if stamps name the end, or " if mapping.time_is == "start" else "")
        + "check time zone and clock of the sender",
        column=time_names(mapping)[0],
    )
    return found


def _grid_remedy(case: Case, utc: Instants, loose: NDArray[np.intp], length: NDArray[np.int64]) -> str:
    """Where all lie equally far off the grid, they are named by a moment within their interval."""
    wall = utc[loose] + utc_offsets(utc[loose], case.time_zone)
    off = np.unique(wall % np.minimum(length[loose], HOUR_S))
    if len(loose) < MANY or len(off) != 1:
        return "declare resolution_min as the source has it, or mend the stamp"
    return f"declare time_shift_min: {-off[0] / 60:g}, if each names its interval by a moment within it"


def _grid(
    case: Case,
    mapping: Mapping,
    table: RawTable,
    times: Resolved,
    at: NDArray[np.intp],
    judged: NDArray[np.bool_],
    *,
    ends: bool,
    mistakes: Mistakes,
) -> tuple[_Grid, NDArray[np.intp]]:
    """The intervals of the rows `at`, of which those `judged` bear a value; and which of them are off the grid."""
    declared = 60 * mapping.resolution_min
    start, length = times.utc[at].copy(), np.full(len(at), declared, dtype=np.int64)
    snapped, stray = np.zeros(len(at), dtype=bool), np.zeros(len(at), dtype=bool)
    some = np.flatnonzero(judged)
    if not len(some):
        return _Grid(start, length, snapped, stray), some
    stamps = start[some]
    length[some] = lengths_of(stamps, declared_s=declared, ends=ends)
    row = int(table.rows[at[some[0]]])
    name = time_names(mapping)[0]
    moved, near, far = on_grid(case, stamps, length[some])
    if wrong_resolution(stamps, length[some], columns=len(table.columns), column=name, row=row, mistakes=mistakes) or irregular(
        stamps, far, column=name, row=int(table.rows[at[some[far]][0]]) if far.any() else row, mistakes=mistakes
    ):
        return _Grid(start, length, snapped, np.ones(len(at), dtype=bool)), some[:0]  # nothing else is said of values without intervals
    start[some] = moved - (length[some] if ends else 0)
    snapped[some] = near
    within = far & within_others(moved, length[some], ~far, ends=ends)
    if within.sum() <= STRAY_SHARE * len(some):
        stray[some[within]] = True
        far = far & ~within
    return _Grid(start, length, snapped, stray), some[far]


def _known_at(mapping: Mapping, table: RawTable, now: int, mistakes: Mistakes) -> Instants | None:
    name = mapping.known_by_column
    if name is None:
        return None
    if name not in table.columns:
        mistakes.add(f"has no column {name!r}", "name the column in the mapping as it is in the source", row=1, column=name)
        return None
    stamps = read_stamps(table.columns[name], name=name, rows=table.rows, mistakes=mistakes, reading=mapping)
    if not check_mixture(stamps, mapping.time_zone, name=name, rows=table.rows, mistakes=mistakes):
        return None
    # Neighbouring rows of a long table repeat the same moment, so order of appearance says nothing here: each row stands alone.
    known = resolve(stamps, np.arange(len(table)), zone=mapping.time_zone, latest=now, name=name, rows=table.rows, mistakes=mistakes)
    ahead = np.flatnonzero(known.good & (known.utc > now + SNAP_S))
    mistakes.add_rows(
        ahead,
        table.rows,
        lambda i: f"claims to be known at {_utc(known.utc[i])}, after the import at {_utc(now)}",
        "check time zone and clock of the sender",
        column=name,
    )
    delay_s = 60 * mapping.available_after_min if mapping.issued_at_column else 0
    return known.utc + np.int64(delay_s)


def _utc(seconds: int | np.integer) -> str:
    return from_epoch(int(seconds)).strftime("%Y-%m-%dT%H:%MZ")
