"""AC power flow of every interval with power-grid-model: what the lossless model leaves out, as findings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.cases.case import Case
from pipeline.equipment import Network
from pipeline.validate.findings import Finding, Severity
from pipeline.validate.frame import Floats, Frame, frame, numbers, texts
from pipeline.validate.radial import Feeder, feeders

SHORT_CIRCUIT_VA = 1e14  # a stiff slack bus: its own impedance must not show in the voltages
VOLTAGE_MARGIN_PU = 0.01  # what LinDistFlow may be off before a person should look
LOADING_MARGIN_SHARE = 0.03


@dataclass(frozen=True)
class AcResult:
    """One feeder, T intervals. NaN where the power flow did not converge."""

    voltage_pu: Floats  # (B, T)
    loss_kw: Floats  # (K, T)
    apparent_kva: Floats  # (K, T), the larger end
    failed: NDArray[np.bool_]  # (T,)


def power_flow(feeder: Feeder, p_kw: Floats, q_kvar: Floats) -> AcResult:
    """Balanced AC power flow of bus injections (B, T); the slack bus takes what is left. Newton-Raphson, one batch over T."""
    from power_grid_model import CalculationMethod, CalculationType, ComponentType, DatasetType, PowerGridModel, initialize_array
    from power_grid_model.validation import validate_input_data

    steps = p_kw.shape[1]
    data, line_at, link_at = _grid(feeder)
    mistakes = validate_input_data(data, calculation_type=CalculationType.power_flow)
    if mistakes:
        raise ValueError(f"network {feeder.network.id} makes no grid: {mistakes[0]}")
    loads = initialize_array(DatasetType.update, ComponentType.sym_load, (steps, len(feeder.buses)))
    loads["id"] = data[ComponentType.sym_load]["id"]
    loads["p_specified"], loads["q_specified"] = -1000.0 * p_kw.T, -1000.0 * q_kvar.T
    loads["p_specified"][:, 0] = loads["q_specified"][:, 0] = 0.0  # whatever is at the slack bus is the source's
    model = PowerGridModel(data, system_frequency=50.0)
    parts = [kind for kind, at in ((ComponentType.node, (0,)), (ComponentType.line, line_at), (ComponentType.link, link_at)) if len(at)]
    result = model.calculate_power_flow(
        update_data={ComponentType.sym_load: loads},
        calculation_method=CalculationMethod.newton_raphson,
        continue_on_batch_error=True,
        output_component_types=parts,
        error_tolerance=1e-9,
        max_iterations=50,
    )
    failed = np.zeros(steps, dtype=bool)
    if model.batch_error is not None:
        failed[np.asarray(model.batch_error.failed_scenarios, dtype=np.int64)] = True
    return _collect(feeder, result, line_at, link_at, failed)


def _grid(feeder: Feeder) -> tuple[dict[Any, Any], list[int], list[int]]:
    """Grid of power-grid-model, and which branch is which line or link. Zero impedance is a link: a line would be singular."""
    from power_grid_model import ComponentType, DatasetType, LoadGenType, initialize_array

    count = len(feeder.buses)
    volt = 1000.0 * feeder.network.base_kv
    node = initialize_array(DatasetType.input, ComponentType.node, count)
    node["id"], node["u_rated"] = np.arange(count), volt
    lines = [k for k, branch in enumerate(feeder.branches) if branch.r_ohm or branch.x_ohm]
    links = [k for k, branch in enumerate(feeder.branches) if not (branch.r_ohm or branch.x_ohm)]
    data: dict[Any, Any] = {ComponentType.node: node}
    for kind, members in ((ComponentType.line, lines), (ComponentType.link, links)):
        array = initialize_array(DatasetType.input, kind, len(members))
        array["id"] = count + np.array(members, dtype=np.int64)
        array["from_node"] = [feeder.index[feeder.branches[k].from_bus] for k in members]
        array["to_node"] = [feeder.index[feeder.branches[k].to_bus] for k in members]
        array["from_status"] = array["to_status"] = 1
        if kind == ComponentType.line:
            array["r1"] = [feeder.branches[k].r_ohm for k in members]
            array["x1"] = [feeder.branches[k].x_ohm for k in members]
            array["c1"] = array["tan1"] = 0.0
        if members:
            data[kind] = array
    load = initialize_array(DatasetType.input, ComponentType.sym_load, count)
    load["id"], load["node"], load["status"] = 10 * count + np.arange(count), np.arange(count), 1
    load["type"], load["p_specified"], load["q_specified"] = LoadGenType.const_power, 0.0, 0.0
    source = initialize_array(DatasetType.input, ComponentType.source, 1)
    source["id"], source["node"], source["status"], source["u_ref"] = 20 * count, 0, 1, feeder.network.slack_voltage_pu
    source["sk"] = SHORT_CIRCUIT_VA
    data[ComponentType.sym_load], data[ComponentType.source] = load, source
    return data, lines, links


def _collect(feeder: Feeder, result: Mapping[Any, Any], lines: list[int], links: list[int], failed: NDArray[np.bool_]) -> AcResult:
    from power_grid_model import ComponentType

    steps = len(failed)
    loss, apparent = np.zeros((len(feeder.branches), steps)), np.zeros((len(feeder.branches), steps))
    for kind, members in ((ComponentType.line, lines), (ComponentType.link, links)):
        if members:
            out = result[kind]
            if kind == ComponentType.line:  # a link has no loss of its own; its tiny model admittance is not the feeder's
                loss[members] = (out["p_from"] + out["p_to"]).T / 1000.0
            apparent[members] = np.maximum(out["s_from"], out["s_to"]).T / 1000.0
    voltage = np.array(result[ComponentType.node]["u_pu"].T, dtype=float)
    for array in (voltage, loss, apparent):
        array[:, failed] = np.nan
    return AcResult(voltage, loss, apparent, failed)


def bus_injections(case: Case, feeder: Feeder, long: Frame, scenario: int) -> tuple[Floats, Floats]:
    """Net active and reactive injection per bus, (B, T) each, of one scenario; the tie at the slack bus included."""
    p_kw, q_kvar = (np.zeros((len(feeder.buses), len(long.steps))) for _ in range(2))
    for (_, bus, carrier, quantity), values in long.values.items():
        if quantity == "injection" and carrier in ("active", "reactive") and bus in feeder.index:
            (p_kw if carrier == "active" else q_kvar)[feeder.index[bus]] += values[scenario]
    return p_kw, q_kvar


def ac_check(case: Case, tables: Mapping[str, pa.Table], *, stage: str) -> tuple[dict[str, pa.Table], list[Finding]]:
    """`bus_state` and `branch_state` with their AC columns filled for `stage`, and what the power flow shows.

    Needs `schedule` (scenario `expected`) for day_ahead, `dispatch` (scenario `settled`) for real_time.
    """
    name, scenario = ("schedule", "expected") if stage == "day_ahead" else ("dispatch", "settled")
    long = frame(name, tables[name])
    if scenario not in long.scenarios:
        return dict(tables), []
    done, findings = dict(tables), []
    for tree in feeders(case):
        p_kw, q_kvar = bus_injections(case, tree, long, long.scenarios.index(scenario))
        result = power_flow(tree, np.nan_to_num(p_kw), np.nan_to_num(q_kvar))
        done["bus_state"] = _filled(
            done["bus_state"], "bus", stage, tree, long, {"voltage_ac_pu": dict(zip(tree.buses, result.voltage_pu, strict=True))}
        )
        loading = np.array(
            [
                apparent / branch.rating_kva if branch.rating_kva else np.full(len(apparent), np.nan)
                for branch, apparent in zip(tree.branches, result.apparent_kva, strict=True)
            ]
        ).reshape(len(tree.branches), -1 if tree.branches else 0)  # a feeder of one bus has no branch
        ids = [branch.id for branch in tree.branches]
        done["branch_state"] = _filled(
            done["branch_state"],
            "branch",
            stage,
            tree,
            long,
            {"loading_share": dict(zip(ids, loading, strict=True)), "loss_ac_kw": dict(zip(ids, result.loss_kw, strict=True))},
        )
        findings += _findings(tree, long, result, loading, done["bus_state"], stage)
    return done, findings


def _filled(table: pa.Table, entity: str, stage: str, tree: Feeder, long: Frame, columns: Mapping[str, Mapping[str, Floats]]) -> pa.Table:
    """`table` with `columns` (entity -> (T,)) written into this network's rows of the stage; NaN becomes null."""
    stages, stage_names = texts(table, "stage")
    networks, network_names = texts(table, "network")
    entities, names = texts(table, entity)
    mine = (
        (
            np.array([n == stage for n in stage_names], dtype=bool)[stages]
            & np.array([n == tree.network.id for n in network_names], dtype=bool)[networks]
        )
        if table.num_rows
        else np.zeros(0, dtype=bool)
    )
    step = numbers(table, "step").astype(np.int64)
    at = np.searchsorted(long.steps, step)
    mine &= np.isin(step, long.steps)
    for column, by_entity in columns.items():
        value = numbers(table, column)
        grid = np.array([by_entity.get(name, np.full(len(long.steps), np.nan)) for name in names])
        if mine.any():
            value[mine] = grid[entities[mine], at[mine]]
        index = table.schema.get_field_index(column)
        table = table.set_column(index, table.schema.field(index), pa.array(value, pa.float64(), from_pandas=True))
    return table


def _findings(tree: Feeder, long: Frame, result: AcResult, loading: Floats, bus_state: pa.Table, stage: str) -> list[Finding]:
    network = tree.network
    findings = [
        Finding("warning", "ac_converged", f"{network.id} step {int(long.steps[t])}", "the AC power flow did not converge")
        for t in np.flatnonzero(result.failed)
    ]
    if result.failed.all():
        return findings
    findings += _voltages(network, tree, long, result) + _loadings(tree, long, loading)
    converged = int((~result.failed).sum())
    loss_kw = float(np.nansum(result.loss_kw)) / converged
    findings.append(Finding("info", "ac_loss", network.id, f"mean AC loss {loss_kw:.3f} kW", loss_kw))
    findings.append(_gap(tree, long, result, bus_state, stage))
    return findings


def _voltages(network: Network, tree: Feeder, long: Frame, result: AcResult) -> list[Finding]:
    """The extremes, and every bus whose worst voltage breaks a limit by more than the margin."""
    findings = []
    for worst, limit, sign, word in (
        (np.nanmin, network.voltage_min_pu, 1.0, "lowest"),
        (np.nanmax, network.voltage_max_pu, -1.0, "highest"),
    ):
        at_bus = worst(result.voltage_pu[:, ~result.failed], axis=1)
        value = float(worst(at_bus))
        b = int(np.flatnonzero(at_bus == value)[0])
        place = _place(tree, long, result, b, value)
        findings.append(Finding("info", f"ac_voltage_{word}", place, f"{word} AC voltage {value:.5f} p.u.", value, limit))
        for bus in np.flatnonzero(sign * (limit - at_bus) > VOLTAGE_MARGIN_PU):
            said = f"AC voltage {at_bus[bus]:.5f} p.u. breaks the limit {limit} by more than {VOLTAGE_MARGIN_PU}"
            place = _place(tree, long, result, int(bus), float(at_bus[bus]))
            findings.append(Finding("warning", "ac_voltage_limit", place, said, float(at_bus[bus]), limit))
    return findings


def _place(tree: Feeder, long: Frame, result: AcResult, bus: int, voltage_pu: float) -> str:
    """The bus and the first step at which it has this voltage."""
    t = int(np.flatnonzero(result.voltage_pu[bus] == voltage_pu)[0])
    return f"{tree.buses[bus]} step {int(long.steps[t])}"


def _loadings(tree: Feeder, long: Frame, loading: Floats) -> list[Finding]:
    """Branches above their rating, (K, T) in shares of it; NaN without a rating."""
    findings = []
    for k in np.flatnonzero(np.isfinite(loading).any(axis=1)):
        t = int(np.nanargmax(loading[k]))
        if loading[k, t] > 1.0:
            severity: Severity = "warning" if loading[k, t] > 1.0 + LOADING_MARGIN_SHARE else "info"
            place, said = f"{tree.branches[k].id} step {int(long.steps[t])}", f"loaded at {100 * loading[k, t]:.1f} % of its rating"
            findings.append(Finding(severity, "ac_loading", place, said, float(loading[k, t]), 1.0))
    return findings


def _gap(tree: Feeder, long: Frame, result: AcResult, bus_state: pa.Table, stage: str) -> Finding:
    """Largest distance between the decided (LinDistFlow) and the AC voltage, from the filled table."""
    decided, ac = numbers(bus_state, "voltage_pu"), numbers(bus_state, "voltage_ac_pu")
    gap = np.where(np.isfinite(ac), np.abs(decided - ac), -1.0)
    for column, wanted in (("stage", stage), ("network", tree.network.id)):
        codes, labels = texts(bus_state, column)
        gap[np.array([label != wanted for label in labels], dtype=bool)[codes]] = -1.0
    row = int(np.argmax(gap)) if gap.size else 0
    if not gap.size or gap[row] < 0:
        return Finding("info", "ac_gap", tree.network.id, "no interval to compare")
    bus, step = bus_state.column("bus")[row].as_py(), bus_state.column("step")[row].as_py()
    return Finding(
        "info", "ac_gap", f"{bus} step {step}", f"LinDistFlow and AC voltage differ by at most {gap[row]:.5f} p.u.", float(gap[row])
    )
