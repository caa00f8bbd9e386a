"""Units that go on and off and everything that ramps, as rows of `states` and `commitments`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import pyarrow as pa

from pipeline.core.clock import Instants
from pipeline.equipment import EvAggregator
from pipeline.program.linear_program import Floats, Indices
from pipeline.schedule.desk import Desk
from pipeline.schedule.long_rows import constant, cube
from pipeline.schedule.units import Flags
from pipeline.tables import TABLES

if TYPE_CHECKING:  # a re-dispatch reads out without the treatments of a day-ahead schedule
    from pipeline.schedule.day_ahead import DayAhead

Rows = list[tuple[str, str, str, Floats]]  # device, quantity, unit, values by step
_UNITS = {"kw": "kW", "kwth": "kWth", "m3h": "m3/h"}


def running(desk: Desk, columns: Floats, inputs: Floats) -> Flags:
    """On or off of every unit with commitment, (T, n), from columns (T, J) and inputs (T, I)."""
    return desk.roster.units.running(columns, inputs)


def begun(desk: Desk, on: Flags, start: Floats) -> tuple[Flags, Floats]:
    """On or off, and for how many hours, before every step, (T, n) each. on: (T, n). start: state values before the first step (m,),
    or before every step (T, m) where a measurement may have come between."""
    units, step_h = desk.roster.units, desk.program.step_h
    if start.ndim == 2:
        return start[:, units.on_before] > 0.5, start[:, units.in_state]
    before, hours = np.vstack([start[units.on_before] > 0.5, on[:-1]]), np.empty(on.shape)
    lasted = start[units.in_state]
    for t, now in enumerate(on):
        hours[t] = lasted
        lasted = np.where(now == before[t], lasted + step_h, step_h)
    return before, hours


def unit_states(desk: Desk, columns: Floats, inputs: Floats, start: Floats) -> Rows:
    """What ramps and commitments hand on at the end of each step. start: as of `begun`."""
    units, ramps = desk.roster.units, desk.roster.ramps
    power = ramps.of(columns)
    rows: Rows = []
    for row, name in enumerate(ramps.names):
        quantity = desk.binder.state_names[ramps.before[row]].split(".", 1)[1].replace("_before", "")
        rows.append((name, quantity, _UNITS[quantity.rsplit("_", 1)[1]], power[:, row]))
    if units.names:
        on = running(desk, columns, inputs)
        before, lasted = begun(desk, on, start)
        hours = np.where(on == before, lasted, 0.0) + desk.program.step_h
        for row, name in enumerate(units.names):
            rows += [(name, "on_share", "1", on[:, row].astype(float)), (name, "in_state_h", "h", hours[:, row])]
    return rows


def commitments_table(
    desk: Desk, run_id: str, stage: Literal["day_ahead", "real_time"], columns: Floats, inputs: Floats, start: Floats, steps: Indices,
    starts: Instants,
) -> pa.Table:
    """On, start and stop of every unit with commitment. columns (T, J), inputs (T, I); start: as of `begun`."""
    units, count = desk.roster.units, len(steps)
    if not units.names:
        return TABLES["commitments"].empty()
    on = running(desk, columns, inputs)
    before, _ = begun(desk, on, start)
    share = inputs[:, units.on] if units.decided else columns[:, units.on_column]
    total = len(units.names) * count
    step = np.tile(steps, len(units.names)).astype(np.int32)
    return TABLES["commitments"].build({
        "run_id": constant(run_id, total), "stage": constant(stage, total), "step": pa.array(step),
        "valid_from": pa.array(np.tile(starts, len(units.names)) * 1_000_000, pa.timestamp("us", tz="UTC")),
        "device": cube(units.names, count), "on": pa.array(on.T.ravel()), "on_share": pa.array(np.abs(np.round(share, 9)).T.ravel()),
        "start": pa.array((on & ~before).T.ravel()), "stop": pa.array((before & ~on).T.ravel())})


def handed_to_the_next_day(found: DayAhead) -> dict[str, float]:
    """State inputs at the end of a schedule: of units and ramps on or off, for how long, and at what power; of EV aggregators that
    begin with what is handed on their energy, power and vehicles. Other energies return by rule."""
    desk, columns = found.desk, found.expected
    rows = unit_states(desk, columns, np.tensordot(found.weights, found.inputs, axes=1), found.state.values)
    ends = {(device, quantity): float(values[-1]) for device, quantity, _, values in rows}
    names = (name for name in desk.binder.state_names if "energy" not in name)
    pairs = {name: (name.split(".", 1)[0], name.split(".", 1)[1].replace("_before", "")) for name in names}
    return {name: ends[pair] for name, pair in pairs.items() if pair in ends} | _of_aggregators(found)


def _of_aggregators(found: DayAhead) -> dict[str, float]:
    """kWh, kW and vehicles of those with `start: handed_on`, as the mean over the scenarios."""
    desk, columns = found.desk, found.expected
    a, inputs = desk.roster.aggregators, np.tensordot(found.weights, found.inputs, axes=1)
    chosen = [d.id for d in desk.case.devices if isinstance(d, EvAggregator) and d.start == "handed_on"]
    ends: dict[str, float] = {}
    for i in (a.names.index(name) for name in chosen):
        for state, value in ((a.before, columns[-1, a.energy[i]]), (a.connected_before, inputs[-1, a.connected[i]]),
                             (a.charge_before, columns[-1, a.charge[i]]), (a.discharge_before, columns[-1, a.discharge[i]])):
            if state[i] >= 0:
                ends[desk.binder.state_names[state[i]]] = float(value)
    return ends
