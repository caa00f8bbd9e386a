"""Conservation: injections over a network, flows and voltages over a feeder, both ends of a tie. From tables and case alone."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from pipeline.cases.case import Case
from pipeline.core.errors import Mistake
from pipeline.validate.ac import VOLTAGE_MARGIN_PU, bus_injections
from pipeline.validate.converters import flows
from pipeline.validate.findings import Finding, Severity
from pipeline.validate.frame import MOST_MISTAKES, Floats, Frame, first, numbers, place, texts
from pipeline.validate.identity import bad_rows
from pipeline.validate.radial import Feeder, feeders

BALANCE_KW = 1e-4
VOLTAGE_PU = 1e-7
VOLTAGE_SLACK_PU = 1e-6


def check_complete(case: Case, long: Frame) -> list[Mistake]:
    """Every device and every end of every tie inside a network has one injection per step, scenario and carrier."""
    mistakes: list[Mistake] = []
    expected = _expected_injections(case)
    for key in expected:
        values = long.values.get(key)
        if values is None:
            mistakes.append(Mistake(place(long.table, device=key[0], bus=key[1], carrier=key[2], quantity=key[3]), "has no row"))
        else:
            mistakes += long.mistakes(key, ~np.isfinite(values), "row is missing")
    extra = [key for key in long.values if key[3] == "injection" and key not in expected]
    mistakes += [
        Mistake(place(long.table, device=key[0], bus=key[1], carrier=key[2], quantity=key[3]), "is not an injection that the case has")
        for key in sorted(extra)
        if np.nanmax(np.abs(long.values[key])) > 0
    ]
    for key, values in long.values.items():
        if key[3] != "injection":
            mistakes += long.mistakes(key, ~np.isfinite(values) & np.isfinite(values).any(), "row is missing")
    return mistakes


def _expected_injections(case: Case) -> set[tuple[str, str, str, str]]:
    carriers = {network.id: network.carriers for network in case.networks}
    network_of = case.network_of_bus
    expected: set[tuple[str, str, str, str]] = set()
    for device in case.devices:
        if device.kind == "converter":
            expected |= {(device.id, device.bus, carrier, "injection") for carrier, factor in flows(device).items() if factor}
            continue
        own = getattr(device, "carrier", "active")
        expected.add((device.id, device.bus, own, "injection"))
        if device.kind == "chp" and "heat" in carriers[network_of[device.bus]]:
            expected.add((device.id, device.bus, "heat", "injection"))
        reactive = "reactive" in carriers[network_of[device.bus]]
        if reactive and device.kind == "generator" and (device.reactive_max_kvar or device.reactive_min_kvar):
            expected.add((device.id, device.bus, "reactive", "injection"))
        if reactive and device.kind == "demand" and own == "active" and (device.kvar_per_kw or device.kvar_profile):
            expected.add((device.id, device.bus, "reactive", "injection"))
    for tie in case.ties:
        for bus in (tie.lower_bus, tie.upper_bus):
            if bus is not None:
                expected.add((tie.id, bus, "active", "injection"))
                if tie.reactive_max_kvar > 0 and "reactive" in carriers[network_of[bus]]:
                    expected.add((tie.id, bus, "reactive", "injection"))
    return expected


def left_over(findings: pa.Table | None) -> dict[int, float]:
    """Power by step that the run itself says nothing could take."""
    if findings is None:
        return {}
    rows = findings.select(["check", "place", "value"]).to_pylist()
    return {int(row["place"].removeprefix("step ")): float(row["value"]) for row in rows if row["check"] == "unbalanced"}


def check_network_sums(case: Case, long: Frame, left: Mapping[int, float] | None = None) -> list[Mistake]:
    """Per network, carrier, scenario and step the injections sum to zero: no network of the decision model has losses.

    left: power by step that the run itself publishes as a finding: so much may be missing from all sums of a step together, and no more.
    """
    allowed = np.array([(left or {}).get(int(step), 0.0) for step in long.steps]) * (1 + 1e-6)
    totals: dict[tuple[str, str], Floats] = {}
    for (_, bus, carrier, quantity), values in long.values.items():
        if quantity == "injection" and bus in case.network_of_bus:
            key = (case.network_of_bus[bus], carrier)
            totals[key] = totals.get(key, np.zeros(long.shape)) + values
    missing = sum((np.maximum(np.abs(total) - BALANCE_KW, 0.0) for total in totals.values()), np.zeros(long.shape))
    told = missing <= allowed
    mistakes: list[Mistake] = []
    for (network, carrier), total in totals.items():
        where = np.argwhere((np.abs(total) > BALANCE_KW) & ~told)
        found = (
            Mistake(
                place(
                    long.table,
                    "value",
                    network=network,
                    carrier=carrier,
                    scenario=long.scenarios[s],
                    quantity="injection",
                    step=int(long.steps[t]),
                ),
                f"injections sum to {total[s, t]:.6g}, not to zero",
            )
            for s, t in where[:MOST_MISTAKES]
        )
        mistakes += first(found, of=len(where))
    return mistakes


def check_feeders(case: Case, long: Frame, tables: Mapping[str, pa.Table], *, stage: str) -> list[Mistake]:
    """`branch_state` and `bus_state` of a stage equal a tree sweep over the bus injections (`expected` or `settled`)."""
    scenario = "expected" if stage == "day_ahead" else "settled"
    if scenario not in long.scenarios:
        return [Mistake(place(long.table), f"has no scenario `{scenario}`")]
    mistakes: list[Mistake] = []
    for tree in feeders(case):
        p_kw, q_kvar = bus_injections(case, tree, long, long.scenarios.index(scenario))
        flow_kw, flow_kvar = tree.flows(p_kw), tree.flows(q_kvar)
        voltage = tree.voltages_pu(flow_kw, flow_kvar)
        ids = [branch.id for branch in tree.branches]
        mistakes += _against(
            tables, "branch_state", "branch", "p_kw", tree, long, stage, dict(zip(ids, flow_kw, strict=True)), 10 * BALANCE_KW
        )
        mistakes += _against(
            tables, "branch_state", "branch", "q_kvar", tree, long, stage, dict(zip(ids, flow_kvar, strict=True)), 10 * BALANCE_KW
        )
        mistakes += _against(
            tables, "bus_state", "bus", "voltage_pu", tree, long, stage, dict(zip(tree.buses, voltage, strict=True)), VOLTAGE_PU
        )
    return mistakes


def voltage_findings(case: Case, table: pa.Table, *, stage: str) -> list[Finding]:
    """Decided voltages outside their limits, one finding per bus at its worst step: `info` within the margin that AC figures have."""
    findings: list[Finding] = []
    step, voltage = numbers(table, "step"), numbers(table, "voltage_pu")
    codes, buses = texts(table, "bus")
    for network in case.networks:
        if network.kind != "lindistflow":
            continue
        mine = rows_of_stage(table, stage) & rows_of_label(table, "network", network.id)
        beyond = np.where(mine, np.maximum(voltage - network.voltage_max_pu, network.voltage_min_pu - voltage), -1.0)
        for code in np.unique(codes[beyond > VOLTAGE_SLACK_PU]):
            row = int(np.argmax(np.where(codes == code, beyond, -1.0)))
            severity: Severity = "warning" if beyond[row] > VOLTAGE_MARGIN_PU else "info"
            limit = network.voltage_max_pu if voltage[row] > network.voltage_max_pu else network.voltage_min_pu
            message = f"voltage {voltage[row]:.5f} p.u. is outside its limits"
            findings.append(Finding(severity, "voltage_limit", f"{buses[code]} step {int(step[row])}", message, float(voltage[row]), limit))
    return findings


def _against(
    tables: Mapping[str, pa.Table],
    name: str,
    entity: str,
    column: str,
    tree: Feeder,
    long: Frame,
    stage: str,
    expected: Mapping[str, Floats],
    tolerance: float,
) -> list[Mistake]:
    """Every (entity, step) of `expected` has its row in table `name`, within the tolerance."""
    table = tables.get(name)
    if table is None:
        return [Mistake(place(name), "is missing")]
    if not expected:  # a feeder of one bus has no branch
        return []
    mine = rows_of_stage(table, stage) & rows_of_label(table, "network", tree.network.id)
    entities, labels = texts(table, entity)
    names = list(expected)
    position = (
        np.array([names.index(label) if label in expected else -1 for label in labels], dtype=np.int64)[entities] if labels else entities
    )
    step = numbers(table, "step").astype(np.int64)
    at = np.clip(np.searchsorted(long.steps, step), 0, len(long.steps) - 1)
    mine &= (position >= 0) & np.isin(step, long.steps)
    grid = np.array([expected[label] for label in names])
    value = numbers(table, column)
    wanted = np.where(mine, grid[np.maximum(position, 0), at], 0.0)
    bad = mine & ~(np.abs(value - wanted) <= tolerance)
    mistakes = bad_rows(name, table, bad, column, lambda row: f"{value[row]:.8g}, recomputed from the injections {wanted[row]:.8g}")
    seen = np.zeros(grid.shape, dtype=bool)
    seen[position[mine], at[mine]] = True
    absent = np.argwhere(~seen)
    mistakes += first(
        (
            Mistake(
                place(name, column, stage=stage, network=tree.network.id, **{entity: names[i]}, step=int(long.steps[t])), "row is missing"
            )
            for i, t in absent[:MOST_MISTAKES]
        ),
        of=len(absent),
    )
    return mistakes


def rows_of_stage(table: pa.Table, stage: str) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    return rows_of_label(table, "stage", stage)


def rows_of_label(table: pa.Table, column: str, label: str) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """True for the rows whose text column holds the label."""
    codes, labels = texts(table, column)
    return np.array([name == label for name in labels], dtype=bool)[codes] if labels else np.zeros(table.num_rows, dtype=bool)
