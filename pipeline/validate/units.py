"""Units that go on and off: the commitments table against itself, the case and the states that are handed on."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.cases.case import Case
from pipeline.core.errors import Mistake
from pipeline.equipment import Generator
from pipeline.equipment.generator import Commitment
from pipeline.validate.balances import rows_of_stage
from pipeline.validate.check import Check, UnitRows
from pipeline.validate.context import wide
from pipeline.validate.frame import Floats, Ints, first, place

BINARY = 1e-6
_EXACT_H = 1e-6
Flags = NDArray[np.bool_]


def committed(case: Case) -> list[tuple[Generator, Commitment]]:
    """Generators with commitment."""
    return [(device, device.commitment) for device in case.devices if isinstance(device, Generator) and device.commitment is not None]


def read_units(case: Case, table: pa.Table | None, *, stage: str, steps: Ints) -> tuple[dict[str, UnitRows], list[Mistake]]:
    """Rows of every unit with commitment at these steps, and the rows that are missing; of whatever else the table holds too."""
    found: dict[str, UnitRows] = {}
    mistakes: list[Mistake] = []
    if table is None:
        return found, mistakes
    mine = table.filter(pa.array(rows_of_stage(table, stage)))
    grids = {name: wide(mine, ("device",), name) for name in ("on", "on_share", "start", "stop")}
    units = [unit.id for unit, _ in committed(case)]
    for unit in dict.fromkeys((*units, *(device for (device,) in grids["on"]))):
        width = int(steps.max())
        cells = {name: np.full(width, np.nan) for name in grids}
        for name, grid in grids.items():
            row = grid.get((unit,), np.zeros(0))[:width]
            cells[name][: len(row)] = row
        at = {name: row[steps - 1] for name, row in cells.items()}
        missing = np.flatnonzero(~np.isfinite(at["on"]))
        mistakes += first(
            (Mistake(place("commitments", stage=stage, device=unit, step=int(steps[t])), "row is missing") for t in missing[:20]),
            of=len(missing),
        )
        if not missing.size:
            found[unit] = UnitRows(at["on"] > 0.5, at["on_share"], at["start"] > 0.5, at["stop"] > 0.5)
    return found, mistakes


def check_units(check: Check, tables: Mapping[str, pa.Table]) -> list[Mistake]:
    """On and off are whole, starts and stops are their changes, least times hold, and states hand on what the table says."""
    mistakes: list[Mistake] = []
    for name, rows in check.units.items():
        mistakes += _whole(check, name, rows) + _changes(check, name, rows)
    for unit, own in committed(check.case):
        held = check.units.get(unit.id)
        if held is not None:
            mistakes += _least_times(check, unit, own, held) + _states(check, unit.id, held, tables.get("states"))
    return mistakes


def _taken(check: Check, unit: str, quantity: str) -> Floats:
    """(T,) what steps began with where it was measured, NaN elsewhere."""
    return check.taken.get((unit, quantity), np.full(len(check.long.steps), np.nan))


def _told(check: Check, unit: str, column: str, bad: Flags, message: str) -> list[Mistake]:
    at = np.flatnonzero(bad)
    return first(
        (Mistake(place("commitments", column, stage=check.stage, device=unit, step=int(check.long.steps[t])), message) for t in at[:20]),
        of=len(at),
    )


def _whole(check: Check, unit: str, rows: UnitRows) -> list[Mistake]:
    bad = np.abs(rows.on_share - rows.on) > BINARY
    return _told(check, unit, "on_share", bad, "is neither 0 nor 1 as `on` says")


def _changes(check: Check, unit: str, rows: UnitRows) -> list[Mistake]:
    known = check.context.before.get((unit, "on_share"))
    before = np.concatenate([[rows.on[0] if known is None else known > 0.5], rows.on[:-1]])
    found = _taken(check, unit, "on_share")
    before = np.where(np.isfinite(found), found > 0.5, before)
    unknown = np.zeros(len(rows.on), dtype=bool)
    unknown[0] = known is None and not np.isfinite(found[0])
    message = "does not agree with `on` of this step and the last"
    mistakes = _told(check, unit, "start", (rows.start != (rows.on & ~before)) & ~unknown, message)
    return mistakes + _told(check, unit, "stop", (rows.stop != (before & ~rows.on)) & ~unknown, message)


def _least_times(check: Check, unit: Generator, own: Commitment, rows: UnitRows) -> list[Mistake]:
    """A state that ended lasted its least time, unless a word forced the unit off. What began before the table counts as far as known."""
    step_h = check.grid.step_h
    lasted = check.context.before.get((unit.id, "in_state_h"), np.inf)
    state = check.context.before.get((unit.id, "on_share"), float(rows.on[0])) > 0.5
    tripped, bad = check.forced_off(unit.id, unit.power_min_kw), np.zeros(len(rows.on), dtype=bool)
    found, hours = _taken(check, unit.id, "on_share"), _taken(check, unit.id, "in_state_h")
    for t, now in enumerate(rows.on):
        state = state if np.isnan(found[t]) else bool(found[t] > 0.5)
        lasted = lasted if np.isnan(hours[t]) else hours[t]
        if now != state:
            least = own.min_up_h if state else own.min_down_h
            bad[t] = lasted < least - _EXACT_H and not (state and tripped[t])
            lasted, state = 0.0, bool(now)
        lasted += step_h
    return _told(check, unit.id, "on", bad, f"changes before {own.min_up_h:g} h on or {own.min_down_h:g} h off are over")


def _states(check: Check, unit: str, rows: UnitRows, table: pa.Table | None) -> list[Mistake]:
    if table is None or not table.num_rows:
        return []
    cells = wide(table.filter(pa.array(rows_of_stage(table, check.stage))), ("device", "quantity"), "value")
    hours = np.full(len(rows.on), np.nan)
    lasted = check.context.before.get((unit, "in_state_h"), np.nan)
    state = check.context.before.get((unit, "on_share"), float(rows.on[0])) > 0.5
    found, taken = _taken(check, unit, "on_share"), _taken(check, unit, "in_state_h")
    for t, now in enumerate(rows.on):
        state = state if np.isnan(found[t]) else bool(found[t] > 0.5)
        lasted = lasted if np.isnan(taken[t]) else taken[t]
        lasted = lasted + check.grid.step_h if now == state else check.grid.step_h
        hours[t], state = lasted, bool(now)
    mistakes: list[Mistake] = []
    for quantity, wanted in (("on_share", rows.on.astype(float)), ("in_state_h", hours)):
        row = np.full(int(check.long.steps.max()), np.nan)
        given = cells.get((unit, quantity), np.zeros(0))[: len(row)]
        row[: len(given)] = given
        value = row[check.long.steps - 1]
        bad = ~np.isfinite(value) | (np.isfinite(wanted) & (np.abs(value - wanted) > _EXACT_H))
        mistakes += first(
            Mistake(place("states", "value", stage=check.stage, device=unit, quantity=quantity, step=int(check.long.steps[t])),
                    f"{value[t]:.6g}, the commitments make {wanted[t]:.6g}") for t in np.flatnonzero(bad)
        )
    return mistakes
