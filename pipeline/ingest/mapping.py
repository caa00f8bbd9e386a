"""Which column of a source is which series, in which unit: checked against the case and the columns that are there."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.cases.case import Case
from pipeline.cases.sources import ColumnMap, Mapping, Series
from pipeline.core.units import amount, conversion, units_becoming
from pipeline.ingest.layout import time_names
from pipeline.ingest.mistakes import Mistakes
from pipeline.ingest.reading import RawTable


@dataclass(frozen=True)
class Target:
    """One series to be filled: from a column (wide) or from the rows that bear its name (long)."""

    series: Series
    column: str  # where the values are
    label: str  # what a person knows it by: the column, or the name in the series column
    factor: float  # source -> unit of the series (of an amount: times hours), sign and scale included
    unit: str  # unit in the source
    amount: bool = False  # the source says how much came in each interval, or counts it
    reading: Literal["interval", "count"] = "interval"
    where: NDArray[np.intp] | None = None  # rows of a long table; None: all


def _target(series: Series, column: str, entry: ColumnMap, factor: float, where: NDArray[np.intp] | None = None) -> Target:
    return Target(series, column, entry.column, factor, entry.unit, amount(entry.unit) is not None, entry.reading, where)


def factor_of(entry: ColumnMap, series: Series) -> float | None:
    """Factor from the source's unit to the series' own, or None when the two do not measure the same thing.

    A dimensionless column (unit `1`) is a profile: its `scale_factor` carries the unit."""
    scale = entry.sign * entry.scale_factor
    if scale == 0:
        return None
    if entry.unit == "1" and series.unit != "1" and entry.scale_factor != 1.0:
        return scale
    source, target = conversion(entry.unit) or amount(entry.unit), conversion(series.unit)
    if source is None or target is None or source[0] != target[0]:
        return None
    return scale * source[1] / target[1]


def targets_of(case: Case, mapping: Mapping, table: RawTable, *, whole: bool, mistakes: Mistakes, notes: list[str]) -> list[Target]:
    """Targets of one table. `whole`: every mapped name must be there; otherwise (a drop) a long file may carry some of the series."""
    entries = _entries(case, mapping, table, mistakes)
    for name in dict.fromkeys(time_names(mapping)):
        if name not in table.columns:
            _unknown(name, table.columns, "time column", mistakes)
    if (mapping.series_column is None) != (mapping.value_column is None):
        mistakes.add("the mapping names only one of series_column and value_column", "name both for a long table, none for a wide one")
        return []
    if mapping.series_column is not None and mapping.value_column is not None:
        return _long(case, mapping, table, entries, whole=whole, mistakes=mistakes, notes=notes)
    found = []
    for entry, factor in entries:
        if entry.column in table.columns:
            found.append(_target(case.series_by_id[entry.series], entry.column, entry, factor))
        else:
            others = {other.column for other, _ in entries}
            _unknown(entry.column, [name for name in table.columns if name not in others], "column", mistakes)
    used = {entry.column for entry, _ in entries} | {*time_names(mapping), mapping.known_at_column}
    extra = [column for column in table.columns if column not in used]
    if extra:
        notes.append(f"{table.name}: columns without a mapping were left out: {_some(extra)}")
    return found


def _entries(case: Case, mapping: Mapping, table: RawTable, mistakes: Mistakes) -> list[tuple[ColumnMap, float]]:
    entries: Iterable[ColumnMap] = mapping.columns
    if not mapping.columns:  # no list: names and units are the series' own
        if mapping.series_column is None:
            entries = [
                ColumnMap(column=name, series=name, unit=case.series_by_id[name].unit)
                for name in table.columns
                if name in case.series_by_id
            ]
        else:
            entries = [ColumnMap(column=series.id, series=series.id, unit=series.unit) for series in case.series]
        if not entries:
            mistakes.add("no column is named like a series of the case", "list the columns in the mapping")
    found = []
    for entry in entries:
        series = case.series_by_id.get(entry.series)
        if series is None:
            near = _near(entry.series, case.series_by_id)
            mistakes.add(
                f"is mapped to {entry.series!r}, which is no series of the case", near or "name a series of the case", column=entry.column
            )
            continue
        factor = factor_of(entry, series)
        if factor is None:
            own = conversion(series.unit)
            fitting = units_becoming(own[0], case.currency) if own else ()
            mistakes.add(
                f"the unit {entry.unit!r} cannot become {series.unit!r}, the unit of {series.id}",
                f"declare one of {', '.join(fitting)}, or unit '1' with a scale_factor for a profile",
                column=entry.column,
            )
        else:
            found.append((entry, factor))
    return found


def _long(
    case: Case,
    mapping: Mapping,
    table: RawTable,
    entries: list[tuple[ColumnMap, float]],
    *,
    whole: bool,
    mistakes: Mistakes,
    notes: list[str],
) -> list[Target]:
    assert mapping.series_column is not None and mapping.value_column is not None
    absent = [name for name in (mapping.series_column, mapping.value_column) if name not in table.columns]
    for name in absent:
        _unknown(name, table.columns, "column", mistakes)
    if absent:
        return []
    rows_of = _rows_by_name(table.columns[mapping.series_column])
    if rows_of is None:
        kind = table.columns[mapping.series_column].type
        mistakes.add(f"holds {kind}, not names", "write the name of the series as text", column=mapping.series_column)
        return []
    found = [
        _target(case.series_by_id[entry.series], mapping.value_column, entry, factor, rows_of[entry.column])
        for entry, factor in entries
        if entry.column in rows_of
    ]
    missing = [entry.column for entry, _ in entries if entry.column not in rows_of]
    strange = [name for name in rows_of if name not in {entry.column for entry, _ in entries}]
    for name in strange:
        near = _near(name, missing) if name else "name the series in every row"
        if near:  # a name that nearly fits one that is missing is a slip of the pen, not another series
            mistakes.add(
                f"the series name {name!r} is not in the mapping", near, row=int(table.rows[rows_of[name][0]]), column=mapping.series_column
            )
    if missing and (whole or not found):
        mistakes.add(f"no row for {_some(missing)}", "mend the names in the mapping, or take them out of it", column=mapping.series_column)
    if strange and not mistakes.count:
        notes.append(f"{table.name}: series without a mapping were left out: {_some(strange)}")
    return found


def _rows_by_name(column: Any) -> dict[str, NDArray[np.intp]] | None:
    """Positions of every name of the series column, in the order in which names appear; '' where there is none. None: no names."""
    import pyarrow as pa

    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type) or pa.types.is_integer(column.type)):
        return None
    encoded = column.cast(pa.large_string()).dictionary_encode()
    names = [*(name.strip() for name in encoded.dictionary.to_pylist()), ""]
    which = np.asarray(encoded.indices.fill_null(len(names) - 1).to_numpy(zero_copy_only=False), dtype=np.int64)
    order = np.argsort(which, kind="stable")
    parts = np.split(order, np.cumsum(np.bincount(which, minlength=len(names)))[:-1])
    found: dict[str, NDArray[np.intp]] = {}
    for name, part in zip(names, parts, strict=True):
        if len(part):
            found[name] = np.sort(np.concatenate([found[name], part])) if name in found else part
    return found


def _unknown(name: str, there: Iterable[str], what: str, mistakes: Mistakes) -> None:
    there = list(there)
    mistakes.add(
        f"has no {what} {name!r}; it has {_some(there)}",
        _near(name, there) or "name the column in the mapping as it is in the source",
        row=1,
        column=name,
    )


def _near(name: str, there: Iterable[str]) -> str:
    by_lower = {known.lower().strip(): known for known in there}
    close = difflib.get_close_matches(name.lower().strip(), by_lower, n=1, cutoff=0.6)
    return f"did you mean {by_lower[close[0]]!r}?" if close else ""


def _some(names: Iterable[str], most: int = 8) -> str:
    names = list(names)
    return ", ".join(repr(name) for name in names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
