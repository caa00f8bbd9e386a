"""Real EV sessions from a file: one row per session with fleet, arrival, departure, need_kwh and, where it differs, charger_kw."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.cases.case import Case
from pipeline.cases.raw import nearest
from pipeline.cases.sources import SessionFileSource
from pipeline.core.clock import Instants
from pipeline.equipment import EvFleet
from pipeline.ingest.file import found_file
from pipeline.ingest.mistakes import Mistakes
from pipeline.ingest.number_text import is_gap, to_numbers
from pipeline.ingest.reading import RawTable
from pipeline.ingest.stamp_columns import lone_instants
from pipeline.ingest.stamps import check_zone
from pipeline.ingest.unit import Unit, unit_of_file
from pipeline.store.sessions import SessionBatch
from pipeline.store.warehouse import Warehouse

NO_SESSIONS = ("send it again, or of new chargers without sessions leave the source out until there are some, and plan the fleet by a law: "
               "sessions: {kind: window, ..} or {kind: sampling, ..} under devices, ev_fleet in case.yaml (docs/case.md)")
NEEDED = ("fleet", "arrival", "departure", "need_kwh")


def unit(case: Case, source: SessionFileSource, *, data_dir: Path) -> Unit:
    """The file by its content."""
    found = found_file(case, source.id, source.path, data_dir=data_dir)
    return unit_of_file(source.id, found, source.mapping, when_empty=NO_SESSIONS)


def batch_of(case: Case, warehouse: Warehouse, source: SessionFileSource, found: Unit, *, now: int) -> SessionBatch:
    """Every session of the file. Raises `InputError` with every mistake, by row and column.

    The first sessions of a fleet are history, known at their arrival; later ones are known when they are imported.
    """
    table, mistakes = found.read(), Mistakes(found.name)
    absent = [name for name in NEEDED if name not in table.columns]
    for name in absent:
        mistakes.add(f"the column {name!r} is missing", f"sessions have {', '.join(NEEDED)} and may have charger_kw, session", row=1)
    if absent or not check_zone(source.time_zone, mistakes):
        mistakes.raise_if_any()
    fleets = {device.id: device for device in case.devices if isinstance(device, EvFleet)}
    names = [str(name or "").strip() for name in table.columns["fleet"].to_pylist()]
    strange = np.flatnonzero([name not in fleets for name in names])
    mistakes.add_rows(strange, table.rows, lambda i: f"{names[i]!r} is no ev_fleet of the case",
                      nearest(names[strange[0]], fleets) if len(strange) else "", column="fleet")
    arrival, departure = (lone_instants(table, name, source, mistakes) for name in ("arrival", "departure"))
    need_kwh = _numbers(source, table, "need_kwh", mistakes)
    charger_kw = np.array([fleets[name].charger_kw if name in fleets else 0.0 for name in names])
    if "charger_kw" in table.columns:
        charger_kw = _numbers(source, table, "charger_kw", mistakes)
    mistakes.raise_if_any()
    batteries = np.array([fleets[name].battery_kwh for name in names])
    _check(table, arrival, departure, need_kwh, batteries, mistakes)
    mistakes.raise_if_any()
    seen = warehouse.fleets_with_sessions(case.name, sorted(set(names)))
    known_at = np.where([name in seen for name in names], now, np.minimum(arrival, now)).astype(np.int64)
    sessions = [str(name).strip() for name in table.columns["session"].to_pylist()] if "session" in table.columns else []
    return SessionBatch(names, arrival, departure, need_kwh, charger_kw, known_at, sessions)


def _numbers(source: SessionFileSource, table: RawTable, name: str, mistakes: Mistakes) -> NDArray[np.float64]:
    column: Any = table.columns[name]
    value = to_numbers(column, name=name, rows=table.rows, reading=source, mistakes=mistakes).value
    missing = np.isnan(value) & np.array([is_gap(cell, source) for cell in column.to_pylist()], dtype=bool)
    mistakes.add_rows(np.flatnonzero(missing), table.rows, lambda _: f"{name} is missing",
                      f"give {name} of every session: 0 where nothing was charged, or leave the row out", column=name)
    bad = np.flatnonzero(value < 0)
    mistakes.add_rows(bad, table.rows, lambda i: f"{name} is {value[i]:g}", "give a number from 0 on", column=name)
    return value


def _check(
    table: RawTable, arrival: Instants, departure: Instants, need_kwh: NDArray[np.float64], battery: NDArray[np.float64], mistakes: Mistakes
) -> None:
    late = np.flatnonzero(departure < arrival)
    mistakes.add_rows(late, table.rows, lambda _: "the vehicle departs before it arrives", "mend the stamps", column="departure")
    full = np.flatnonzero(need_kwh > battery)
    mistakes.add_rows(full, table.rows, lambda i: f"{need_kwh[i]:g} kWh is more than a battery of its fleet holds ({battery[i]:g} kWh)",
                      "need_kwh is stored energy in kWh per session: mend it, or battery_kwh of the fleet", column="need_kwh")
