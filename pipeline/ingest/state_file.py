"""Measured states from a file or a query: one row per measurement with measured_at, device, quantity, value, and maybe unit and since."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.cases.case import Case
from pipeline.cases.measured import accepted
from pipeline.cases.sources import SqlSource, StateSource
from pipeline.core.clock import from_epoch
from pipeline.core.errors import Mistake
from pipeline.ingest import sql
from pipeline.ingest.file import found_file
from pipeline.ingest.mistakes import Mistakes
from pipeline.ingest.number_text import to_numbers
from pipeline.ingest.reading import RawTable
from pipeline.ingest.stamp_columns import lone_instants
from pipeline.ingest.stamps import check_zone
from pipeline.ingest.unit import Unit, unit_of_file
from pipeline.store.measured import MeasuredState
from pipeline.store.warehouse import Warehouse

NEEDED = ("measured_at", "device", "quantity", "value")


@dataclass(frozen=True)
class StateBatch:
    """What one file or query says. `gaps`: rows without a value, which say nothing."""

    states: list[MeasuredState]
    rows: int
    gaps: int


def unit(case: Case, source: StateSource, *, data_dir: Path) -> Unit:
    """The file, or the answer of the query, by its content."""
    if source.path is not None:
        return unit_of_file(source.id, found_file(case, source.id, source.path, data_dir=data_dir), source.mapping)
    assert source.url_env is not None and source.query is not None, "the check of the case asks for a path or a query"
    (answer,) = sql.units(SqlSource(id=source.id, url_env=source.url_env, query=source.query, mapping=source.mapping))
    return answer


def batch_of(case: Case, warehouse: Warehouse, source: StateSource, found: Unit, *, now: int) -> StateBatch:
    """Every measurement of the input. Raises `InputError` with every mistake, by row and column.

    The first measurements of a device are history, known when they were measured; later ones are known when they are imported.
    """
    table, mistakes = found.read(), Mistakes(found.name)
    absent = [name for name in NEEDED if name not in table.columns]
    for name in absent:
        mistakes.add(f"the column {name!r} is missing", f"states have {', '.join(NEEDED)} and may have unit, since", row=1)
    if absent or not check_zone(source.time_zone, mistakes):
        mistakes.raise_if_any()
    measured_at = lone_instants(table, "measured_at", source, mistakes)
    since = _since(source, table, mistakes)
    values = to_numbers(table.columns["value"], name="value", rows=table.rows, reading=source, mistakes=mistakes).value
    mistakes.raise_if_any()
    devices, quantities, units = (_texts(table, name) for name in ("device", "quantity", "unit"))
    live = {device for device in set(devices) if warehouse.has_measured(case.name, device)}
    states: list[MeasuredState] = []
    for row in np.flatnonzero(np.isfinite(values)).tolist():
        at, device, number = int(measured_at[row]), devices[row], int(table.rows[row])
        stored = accepted(case, device, quantities[row], float(values[row]), units[row])
        if isinstance(stored, Mistake):
            mistakes.add(stored.message, stored.remedy, row=number)
            continue
        if at > now:
            mistakes.add(f"is measured at {from_epoch(at):%Y-%m-%dT%H:%MZ}, which has not come",
                         "a state is what was measured: mend the stamp or time_zone", row=number, column="measured_at")
            continue
        known_at = now if device in live else at
        states.append(MeasuredState(case.name, device, stored[0], at, stored[1], source.id, known_at))
        if row in since:
            if stored[0] != "on_share" or since[row] > at:
                mistakes.add("says since when a unit is on or off, no later than it was measured", "leave `since` empty in other rows",
                             row=number, column="since")
            states.append(MeasuredState(case.name, device, "in_state_h", at, (at - since[row]) / 3600, source.id, known_at))
    _check_twice(states, found.name, mistakes)
    mistakes.raise_if_any()
    return StateBatch(states, len(table), int(np.count_nonzero(~np.isfinite(values))))


def _check_twice(states: list[MeasuredState], name: str, mistakes: Mistakes) -> None:
    """Two values of one state at one moment: nobody can say which holds."""
    seen: dict[tuple[str, str, int], float] = {}
    for state in states:
        if seen.setdefault(state.key, state.value) != state.value:
            mistakes.add(f"{state.quantity} of {state.device} is {seen[state.key]:g} and {state.value:g} at one moment "
                         f"({from_epoch(state.measured_at):%Y-%m-%dT%H:%MZ})", "keep one row")


def _texts(table: RawTable, name: str) -> list[str]:
    if name not in table.columns:
        return [""] * len(table)
    return [str(value or "").strip() for value in table.columns[name].to_pylist()]


def _since(source: StateSource, table: RawTable, mistakes: Mistakes) -> dict[int, int]:
    """Row -> instant, of the rows that say since when a unit is in its state."""
    filled = [row for row, text in enumerate(_texts(table, "since")) if text]
    if not filled:
        return {}
    import pyarrow as pa

    chosen = pa.array(filled)
    part = RawTable(table.name, {"since": table.columns["since"].take(chosen)}, table.rows[filled])
    return dict(zip(filled, lone_instants(part, "since", source, mistakes).tolist(), strict=True))
