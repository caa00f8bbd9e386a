"""A raw table to points per series: UTC interval starts, values in the series' unit. Stamps are read once for the whole table."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.cases.case import Case
from pipeline.cases.sources import Mapping
from pipeline.core.clock import Instants, from_epoch, utc_offsets
from pipeline.ingest.mapping import Target, targets_of
from pipeline.ingest.mistakes import Mistakes
from pipeline.ingest.number_text import Numbers, to_numbers
from pipeline.ingest.quality import Quality
from pipeline.ingest.reading import RawTable
from pipeline.ingest.stamps import Resolved, check_mixture, check_zone, read_stamps, resolve

SNAP_S = 30
FAR = 1 << 62  # after every stamp
STEPS_TO_JUDGE = 8  # so many steps of time tell the resolution of a file


@dataclass(frozen=True)
class Points:
    """Values of one series in the order of the source, NaN at gaps. `known_at` is what the source says, or None. Shapes (n,)."""

    target: Target
    start: Instants
    value: NDArray[np.float64]
    row: NDArray[np.int64]
    quality: NDArray[np.int16]
    known_at: Instants | None


def points_of(
    case: Case, mapping: Mapping, table: RawTable, *, whole: bool, now: int, mistakes: Mistakes, notes: list[str]
) -> list[Points]:
    """All series of a table. Mistakes are collected; what is returned is only meant for use when there were none."""
    targets = targets_of(case, mapping, table, whole=whole, mistakes=mistakes, notes=notes)
    table, targets, groups = _mapped_rows(table, targets)
    columns = [_numbers(table, target, mapping, mistakes) for target in targets]
    if not targets or mapping.time_column not in table.columns or not check_zone(mapping.time_zone, mistakes):
        return []
    latest = FAR if any(mapping.knows_ahead(target.series) for target in targets) else now
    times = _instants(mapping, table, groups, latest=latest, mistakes=mistakes)
    if times is None:
        return []
    start, snapped = _on_grid(case, mapping, table, times, groups, mistakes)
    _refuse_future(mapping, table, start, times.good & _measured(mapping, table, targets, columns), now, mistakes)
    known_at = _known_at(mapping, table, now, mistakes)
    quality = np.where(times.repeated, Quality.REPEATED_HOUR, 0) | np.where(snapped, Quality.SNAPPED, 0)
    found = []
    for target, numbers in zip(targets, columns, strict=True):
        at = np.arange(len(table)) if target.where is None else target.where
        bits = (quality[at] | np.where(numbers.reformatted, Quality.REFORMATTED, 0)).astype(np.int16)
        value = np.where(times.good[at], numbers.value, np.nan)
        found.append(Points(target, start[at], value, table.rows[at], bits, None if known_at is None else known_at[at]))
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
    """Values of one target in the series' unit, shape (rows of the target,)."""
    column, rows = table.columns[target.column], table.rows
    if target.where is not None:
        column, rows = column.take(target.where), rows[target.where]
    numbers = to_numbers(column, name=target.column, rows=rows, decimal=mapping.decimal, mistakes=mistakes)
    with np.errstate(over="ignore"):
        value = numbers.value * target.factor
    endless = np.flatnonzero(np.isinf(value))
    series = target.series
    mistakes.add_rows(
        endless,
        rows,
        lambda i: f"{numbers.value[i]:g} {target.unit} is no finite number of {series.unit}",
        "mend the value or scale_factor",
        column=target.column,
    )
    value[endless] = np.nan
    return Numbers(value, numbers.reformatted)


def _measured(mapping: Mapping, table: RawTable, targets: list[Target], columns: list[Numbers]) -> NDArray[np.bool_]:
    """Rows that bear a value which cannot be known ahead, shape (n,)."""
    measured = np.zeros(len(table), dtype=bool)
    for target, numbers in zip(targets, columns, strict=True):
        if not mapping.knows_ahead(target.series):
            at = np.arange(len(table)) if target.where is None else target.where
            measured[at] |= ~np.isnan(numbers.value)
    return measured


def _instants(mapping: Mapping, table: RawTable, groups: NDArray[np.int64], *, latest: int, mistakes: Mistakes) -> Resolved | None:
    name = mapping.time_column
    stamps = read_stamps(table.columns[name], name=name, rows=table.rows, mistakes=mistakes)
    if not check_mixture(stamps, mapping.time_zone, name=name, rows=table.rows, mistakes=mistakes):
        return None
    last = latest - (60 * mapping.resolution_min if mapping.time_is == "start" else 0)
    return resolve(stamps, groups, zone=mapping.time_zone, latest=last, name=name, rows=table.rows, mistakes=mistakes)


def _on_grid(
    case: Case, mapping: Mapping, table: RawTable, times: Resolved, groups: NDArray[np.int64], mistakes: Mistakes
) -> tuple[Instants, NDArray[np.bool_]]:
    """Interval starts on the grid of the declared resolution, counted on the case's wall clock, and which stamps were moved (n,)."""
    step = 60 * mapping.resolution_min
    good, zeros = np.flatnonzero(times.good), np.zeros(len(table), dtype=bool)
    wall = times.utc.copy()
    wall[good] += utc_offsets(times.utc[good], case.time_zone)
    off = np.where(times.good, (wall + step // 2) % step - step // 2, 0)
    snap = min(SNAP_S, step // 10)
    start = times.utc - np.where(np.abs(off) <= snap, off, 0) - (step if mapping.time_is == "end" else 0)
    if _wrong_resolution(mapping, table, start[good], groups[good], mistakes):
        return start, zeros
    loose = np.flatnonzero(np.abs(off) > snap)
    mistakes.add_rows(
        loose,
        table.rows,
        lambda i: f"the stamp {_utc(times.utc[i])} is not on the grid of {mapping.resolution_min} min",
        "declare resolution_min as the source has it, or mend the stamp",
        column=mapping.time_column,
    )
    return start, (off != 0) & (np.abs(off) <= snap)


def _wrong_resolution(mapping: Mapping, table: RawTable, start: Instants, groups: NDArray[np.int64], mistakes: Mistakes) -> bool:
    """True, with a mistake, when most steps of time are not of the declared length."""
    order = np.lexsort((start, groups))
    steps = np.diff(start[order])[np.diff(groups[order]) == 0]
    steps = steps[steps > SNAP_S]
    if len(steps) < STEPS_TO_JUDGE:
        return False
    lengths, counts = np.unique(steps, return_counts=True)
    usual = int(lengths[np.argmax(counts)])
    if usual == 60 * mapping.resolution_min or 2 * counts.max() <= len(steps):
        return False
    mistakes.add(
        f"stamps are {usual / 60:g} min apart, the mapping declares {mapping.resolution_min}",
        f"declare resolution_min: {usual / 60:g}",
        row=int(table.rows[0]),
        column=mapping.time_column,
    )
    return True


def _refuse_future(mapping: Mapping, table: RawTable, start: Instants, good: NDArray[np.bool_], now: int, mistakes: Mistakes) -> None:
    ahead = np.flatnonzero(good & (start + 60 * mapping.resolution_min > now + SNAP_S))
    mistakes.add_rows(
        ahead,
        table.rows,
        lambda i: f"the interval of {_utc(start[i])} is not over at {_utc(now)}",
        "only prices are known ahead, and tariffs with published_local; check time zone and clock of the sender",
        column=mapping.time_column,
    )


def _known_at(mapping: Mapping, table: RawTable, now: int, mistakes: Mistakes) -> Instants | None:
    name = mapping.known_at_column
    if name is None:
        return None
    if name not in table.columns:
        mistakes.add(f"has no column {name!r}", "name the column in the mapping as it is in the source", row=1, column=name)
        return None
    stamps = read_stamps(table.columns[name], name=name, rows=table.rows, mistakes=mistakes)
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
    return np.minimum(known.utc, now)


def _utc(seconds: int | np.integer) -> str:
    return from_epoch(int(seconds)).strftime("%Y-%m-%dT%H:%MZ")
