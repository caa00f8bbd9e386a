"""Arrays of intervals -> the long tables `schedule` and `dispatch`, whole days at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.core.clock import Instants
from pipeline.core.units import CARRIER_UNITS
from pipeline.program.linear_program import Floats, Indices
from pipeline.schedule.desk import Desk
from pipeline.tables import TABLES

# Longest first: a suffix names carrier and unit.
_SUFFIXES = (("_kwhth", "heat", "kWhth"), ("_kwth", "heat", "kWth"), ("_kvarh", "reactive", "kvarh"), ("_kvar", "reactive", "kvar"),
             ("_kwh", "active", "kWh"), ("_kw", "active", "kW"), ("_m3h", "hydrogen", "m3/h"), ("_m3", "hydrogen", "m3"))
_ELASTIC = ("energy_short_", "energy_over_", "power_below_", "power_above_", "ramp_excess_", "terminal_", "ev_slack_", "ev_surplus_")
_INTERNAL = ("segment_kw", "charging_share", "on_share", "start_share", "stop_share")  # commitments have a table
_NOISE = 1e-10  # solver dust below this is zero: it must not differ between a day and the same day resumed


@dataclass(frozen=True)
class Rows:
    """One label per entry of `index` into columns; injections come from the read-outs."""

    network: tuple[str, ...]
    device: tuple[str, ...]
    bus: tuple[str, ...]
    carrier: tuple[str, ...]
    quantity: tuple[str, ...]
    unit: tuple[str, ...]
    columns: Indices  # column entries, then
    readouts: Indices  # read-out entries


def rows_of(desk: Desk) -> Rows:
    """Every device's and tie's columns, and one injection per device, carrier and end of a tie inside a network."""
    case = desk.case
    home = {device.id: device.bus for device in case.devices} | {tie.id: tie.lower_bus for tie in case.ties}
    table: list[tuple[str, str, str, str, str]] = []
    columns, readouts = [], []
    for j, label in enumerate(desk.layout.columns.labels):
        if label.device not in home or label.quantity.startswith(_INTERNAL):
            continue
        found = next(((c, u) for suffix, c, u in _SUFFIXES if label.quantity.endswith(suffix)), None)
        if found is None:
            raise ValueError(f"{label.name} names no unit")
        quantity = label.quantity + (f"[{label.part}]" if label.part else "")
        table.append((label.device, home[label.device], found[0], quantity, found[1]))
        columns.append(j)
    for r, bus in enumerate(desk.readouts.bus):
        if bus >= 0:
            carrier = desk.readouts.carrier[r]
            table.append((desk.readouts.device[r], case.buses[bus].id, carrier, "injection", CARRIER_UNITS[carrier]))
            readouts.append(r)
    device, bus_ids, carriers, quantities, units = zip(*table, strict=True)
    return Rows(tuple(case.network_of_bus[bus] for bus in bus_ids), device, bus_ids, carriers, quantities, units,
                np.array(columns, dtype=np.int64), np.array(readouts, dtype=np.int64))


def long_table(desk: Desk, name: str, run_id: str, *, scenarios: Sequence[str], columns: Floats, inputs: Floats, steps: Indices,
               starts: Instants, drop_idle_slacks: bool = False) -> pa.Table:
    """(S, T, J) columns and (S, T, I) inputs -> rows of table `name`. `steps`: (T,) from 1."""
    rows = rows_of(desk)
    count_s, count_t, _ = columns.shape
    flat, given = columns.reshape(count_s * count_t, -1), inputs.reshape(count_s * count_t, -1)
    injections = desk.readouts(flat, given)
    values = np.concatenate([flat[:, rows.columns], injections[:, rows.readouts]], axis=1).reshape(count_s, count_t, -1)
    values[np.abs(values) < _NOISE] = 0.0
    keep = np.arange(values.shape[2])
    if drop_idle_slacks:
        idle = np.array([quantity.startswith(_ELASTIC) for quantity in rows.quantity]) & (values == 0.0).all(axis=(0, 1))
        keep = np.flatnonzero(~idle)
    values = values[:, :, keep].transpose(0, 2, 1)  # scenario, label, step
    shape = values.shape

    def text(labels: Sequence[str]) -> pa.Array:
        return _spread(np.array(labels, dtype=object)[keep], shape, axis=1)

    return TABLES[name].build({
        "run_id": _constant(run_id, values.size),
        "step": pa.array(np.broadcast_to(steps[None, None, :], shape).ravel().astype(np.int32)),
        "valid_from": pa.array(np.broadcast_to(starts[None, None, :], shape).ravel() * 1_000_000, pa.timestamp("us", tz="UTC")),
        "scenario": _spread(np.array(scenarios, dtype=object), shape, axis=0),
        "network": text(rows.network), "device": text(rows.device), "bus": text(rows.bus), "carrier": text(rows.carrier),
        "quantity": text(rows.quantity), "unit": text(rows.unit), "value": pa.array(values.ravel()),
    })


def _spread(labels: NDArray[np.object_], shape: tuple[int, ...], *, axis: int) -> pa.Array:
    """Labels along one axis of a cube, as an Arrow text column over the whole cube."""
    names, codes = np.unique(labels.astype(str), return_inverse=True)
    view = [1] * len(shape)
    view[axis] = len(labels)
    flat = np.broadcast_to(codes.reshape(view), shape).ravel().astype(np.int32)
    return pa.DictionaryArray.from_arrays(pa.array(flat), pa.array(names.tolist(), pa.string())).cast(pa.string())


def _constant(value: str, count: int) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(count, dtype=np.int32)), pa.array([value])).cast(pa.string())


def cube(labels: Sequence[str], count: int) -> pa.Array:
    """Each label repeated `count` times in a row: for (label, step) tables."""
    return _spread(np.array(labels, dtype=object), (len(labels), count), axis=0)


def constant(value: str, count: int) -> pa.Array:
    return _constant(value, count)
