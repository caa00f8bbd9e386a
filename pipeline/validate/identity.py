"""Every row says where it belongs: a known run, a step whose instant agrees, a place that the case has."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.cases.case import Case
from pipeline.core.clock import DeliveryDay
from pipeline.core.errors import Mistake
from pipeline.core.units import CARRIER_UNITS
from pipeline.tables import TABLES
from pipeline.validate.context import Context
from pipeline.validate.contract_gate import row_place
from pipeline.validate.frame import MOST_MISTAKES, first, instants, numbers, texts

SUFFIX_UNITS = (
    ("_per_kwh", "currency/kWh"),
    ("_kwhth", "kWhth"),
    ("_kwth", "kWth"),
    ("_kvarh", "kvarh"),
    ("_kwh", "kWh"),
    ("_kvar", "kvar"),
    ("_kw", "kW"),
    ("_m3h", "m3/h"),
    ("_m3", "m3"),
    ("_kv", "kV"),
    ("_pu", "p.u."),
    ("_share", "1"),
    ("_count", "1"),
)


def unit_of(quantity: str, carrier: str) -> str | None:
    """Unit that a quantity's name declares; None where the name says none."""
    if quantity == "injection":
        return CARRIER_UNITS.get(carrier)
    name = quantity.partition("[")[0]
    return next((unit for suffix, unit in SUFFIX_UNITS if name.endswith(suffix)), None)


def check_identity(case: Case, tables: Mapping[str, pa.Table], day: DeliveryDay, context: Context) -> list[Mistake]:
    """Rows whose run, instant or place is not what the case and the context say."""
    mistakes: list[Mistake] = []
    for name, table in tables.items():
        if table.num_rows:
            mistakes += _runs(name, table, context)
            mistakes += _instants(case, name, table, day)
            mistakes += _places(case, name, table)
    return mistakes


def bad_rows(name: str, table: pa.Table, bad: NDArray[np.bool_], column: str, message: Callable[[int], str]) -> list[Mistake]:
    """A mistake for each True of `bad` (rows,), named by the table's key."""
    rows = np.flatnonzero(bad)
    return first(
        (Mistake(row_place(TABLES[name], table, int(row), column), message(int(row))) for row in rows[:MOST_MISTAKES]), of=len(rows)
    )


def _cell(table: pa.Table, column: str, row: int) -> object:
    return table.column(column)[row].as_py()


def _runs(name: str, table: pa.Table, context: Context) -> list[Mistake]:
    if not context.known_runs:
        return []
    codes, runs = texts(table, "run_id")
    unknown = np.array([run not in context.known_runs for run in runs], dtype=bool)[codes]
    return bad_rows(
        name, table, unknown, "run_id", lambda row: f"run {_cell(table, 'run_id', row)} is neither this run nor one of its parents"
    )


def _instants(case: Case, name: str, table: pa.Table, day: DeliveryDay) -> list[Mistake]:
    if not {"step", "valid_from"} <= set(table.column_names):
        return []
    step = numbers(table, "step")
    valid_from = instants(table, "valid_from")
    step_s = np.full(table.num_rows, 900.0)
    if name == "schedule":
        step_s[:] = 60 * case.settings.day_ahead_step_min
    elif name in (
        "scenarios", "prices", "bus_state", "branch_state", "states", "commitments", "offers", "ev_connection", "forecasts",
    ):
        step_s = _stage_steps(case, name, table, day)
    expected = day.start + (step - 1) * step_s
    wrong = (valid_from != expected) | (valid_from >= day.end) | (step < 1)
    return bad_rows(
        name,
        table,
        wrong,
        "valid_from",
        lambda row: f"step {int(step[row])} starts at {int(expected[row])} s UTC, the row says {int(valid_from[row])}",
    )


def _stage_steps(case: Case, name: str, table: pa.Table, day: DeliveryDay) -> NDArray[np.float64]:
    """Seconds of a step per row. Forecasts and scenarios are issued in quarter-hours, or in the schedule's steps."""
    count = day.steps(case.settings.day_ahead_step_min)
    step_s = np.full(table.num_rows, 900.0)
    coarse = np.ones(table.num_rows, dtype=bool)
    if "stage" in table.column_names:
        codes, stages = texts(table, "stage")
        coarse = np.array([stage == "day_ahead" for stage in stages], dtype=bool)[codes]
    if name in ("forecasts", "scenarios") and numbers(table, "step")[coarse].max(initial=0) > count:
        coarse[:] = False
    step_s[coarse] = 60 * case.settings.day_ahead_step_min
    return step_s


def _places(case: Case, name: str, table: pa.Table) -> list[Mistake]:
    columns = set(table.column_names)
    mistakes: list[Mistake] = []
    known: dict[str, set[str]] = {
        "series": {series.id for series in case.series},
        "bus": set(case.network_of_bus),
        "network": {n.id for n in case.networks},
        "branch": {branch.id for branch in case.branches},
        "tie": {tie.id for tie in case.ties},
        "device": {device.id for device in case.devices} | {tie.id for tie in case.ties},
        "aggregator": {device.id for device in case.devices if device.kind == "ev_aggregator"},
        "currency": {case.currency},
    }
    if name in ("schedule", "dispatch"):
        known["device"] |= known["network"]  # a network's own slack (voltage) is written under its name
        known["bus"] |= known["branch"]
    for column, allowed in known.items():
        if column in columns:
            codes, labels = texts(table, column)
            foreign = np.array([label not in allowed for label in labels], dtype=bool)[codes]
            mistakes += bad_rows(name, table, foreign, column, lambda row, c=column: f"{c} '{_cell(table, c, row)}' is not in the case")  # type: ignore[misc]
    if mistakes:
        return mistakes
    mistakes += _bus_in_network(case, name, table) if {"bus", "network"} <= columns else []
    mistakes += _branch_in_network(case, name, table) if {"branch", "network"} <= columns else []
    mistakes += _device_at_bus(case, name, table) if {"device", "bus"} <= columns else []
    return mistakes + _units(case, name, table)


def _pairs(table: pa.Table, one: str, other: str, right: Callable[[str, str], bool]) -> NDArray[np.bool_]:
    """True for rows whose pair of labels is not right; each pair is asked once."""
    a, names_a = texts(table, one)
    b, names_b = texts(table, other)
    code = a * len(names_b) + b
    unique, at = np.unique(code, return_inverse=True)
    wrong = np.array([not right(names_a[c // len(names_b)], names_b[c % len(names_b)]) for c in unique], dtype=bool)
    return np.asarray(wrong[at])


def _bus_in_network(case: Case, name: str, table: pa.Table) -> list[Mistake]:
    network_of = case.network_of_bus
    wrong = _pairs(table, "bus", "network", lambda bus, network: network_of.get(bus, network) == network)
    return bad_rows(
        name, table, wrong, "network", lambda row: f"bus {_cell(table, 'bus', row)} is not in network {_cell(table, 'network', row)}"
    )


def _branch_in_network(case: Case, name: str, table: pa.Table) -> list[Mistake]:
    network_of = {branch.id: case.network_of_bus[branch.from_bus] for branch in case.branches}
    wrong = _pairs(table, "branch", "network", lambda branch, network: network_of.get(branch) == network)
    return bad_rows(
        name, table, wrong, "network", lambda row: f"branch {_cell(table, 'branch', row)} is not in network {_cell(table, 'network', row)}"
    )


def _device_at_bus(case: Case, name: str, table: pa.Table) -> list[Mistake]:
    buses: dict[str, set[str]] = {device.id: {device.bus} for device in case.devices}
    for tie in case.ties:
        buses[tie.id] = {tie.lower_bus} | ({tie.upper_bus} if tie.upper_bus else set())
    wrong = _pairs(table, "device", "bus", lambda device, bus: device not in buses or bus in buses[device])
    return bad_rows(name, table, wrong, "bus", lambda row: f"device {_cell(table, 'device', row)} is not at bus {_cell(table, 'bus', row)}")


def _units(case: Case, name: str, table: pa.Table) -> list[Mistake]:
    if "unit" not in table.column_names:
        return []
    if "series" in table.column_names:
        units = {series.id: series.unit for series in case.series}
        wrong = _pairs(table, "series", "unit", lambda series, unit: units[series] == unit)
    elif "carrier" in table.column_names:
        return _long_units(case, name, table)
    elif "quantity" in table.column_names:
        wrong = _pairs(table, "quantity", "unit", lambda quantity, unit: unit_of(quantity, "active") in (None, unit))
    else:
        return []
    return bad_rows(name, table, wrong, "unit", lambda row: f"unit '{_cell(table, 'unit', row)}' is not the declared one")


def _long_units(case: Case, name: str, table: pa.Table) -> list[Mistake]:
    carrier, carriers = texts(table, "carrier")
    quantity, quantities = texts(table, "quantity")
    unit, units = texts(table, "unit")
    code = (carrier * len(quantities) + quantity) * len(units) + unit
    unique, at = np.unique(code, return_inverse=True)
    wrong = []
    for value in unique:
        rest, u = divmod(int(value), len(units))
        c, q = divmod(rest, len(quantities))
        expected = unit_of(quantities[q], carriers[c])
        if expected == "currency/kWh":
            expected = f"{case.currency}/kWh"
        wrong.append(expected is not None and expected != units[u])
    return bad_rows(
        name,
        table,
        np.array(wrong, dtype=bool)[at],
        "unit",
        lambda row: (
            f"unit '{_cell(table, 'unit', row)}' does not belong to {_cell(table, 'quantity', row)} of {_cell(table, 'carrier', row)}"
        ),
    )
