"""Numbers -> the tables between stages. Whole days at once, no row by row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
import pyarrow as pa

from pipeline.core.clock import Instants
from pipeline.program.duals import nodal_prices
from pipeline.program.linear_program import Floats, Indices
from pipeline.program.solve import Solution, Status
from pipeline.schedule.complete import bus_injections
from pipeline.schedule.cost_range import scenario_range
from pipeline.schedule.decided import decision_figures, decision_findings, decision_tables
from pipeline.schedule.desk import Desk
from pipeline.schedule.findings import findings_table
from pipeline.schedule.ledger import TERMINAL
from pipeline.schedule.long_rows import constant, cube, long_table
from pipeline.schedule.measured import state_key
from pipeline.schedule.outlook import Connections
from pipeline.schedule.read_units import commitments_table, unit_states
from pipeline.schedule.real_time import RealTime
from pipeline.schedule.rules import rule_table
from pipeline.schedule.vehicles import connection_table
from pipeline.tables import TABLES

if TYPE_CHECKING:  # a re-dispatch reads out without the treatments of a day-ahead schedule
    from pipeline.schedule.day_ahead import DayAhead

Stage = Literal["day_ahead", "real_time"]
Kpis = Mapping[str, tuple[str, float]]


def day_ahead_tables(found: DayAhead, run_id: str, *, planned: Connections | None = None) -> dict[str, pa.Table]:
    """schedule, bus_state, branch_state, prices, costs, states, commitments, bounds, distribution, affine_rule,
    kpis, findings of a day-ahead run.

    `expected` is the probability-weighted schedule; with several scenarios each one's own recourse follows under its number.
    planned: what the connection matrices say at the schedule's own steps, where the case has EV aggregators: then `ev_connection` too.
    """
    desk, starts = found.desk, found.desk.starts()
    steps = np.arange(1, len(starts) + 1)
    expected, weights = found.expected[None], found.weights
    columns, inputs = expected, np.tensordot(weights, found.inputs, axes=1)[None]
    scenarios = ["expected"]
    if len(weights) > 1:
        columns, inputs = np.concatenate([expected, found.columns]), np.concatenate([inputs, found.inputs])
        scenarios += [str(s) for s in range(1, len(weights) + 1)]
    net = desk.readouts(columns[0], inputs[0])
    costs = dict(zip(desk.program.terms, np.tensordot(weights, found.costs, axes=1), strict=True))
    money = desk.case.currency
    said = decision_figures(found.decision, currency=money)
    tables = {
        "schedule": long_table(desk, "schedule", run_id, scenarios=scenarios, columns=columns, inputs=inputs, steps=steps, starts=starts,
                               drop_idle_slacks=True),
        "prices": _day_ahead_prices(found, run_id, starts),
        "costs": _costs(desk, run_id, "day_ahead", costs),
        "states": _states(desk, run_id, "day_ahead", columns[0], inputs[0], found.state.values, steps, starts,
                          _at_the_start(found, len(steps))),
        "commitments": commitments_table(desk, run_id, "day_ahead", columns[0], inputs[0], found.state.values, steps, starts),
        "kpis": kpis_table(run_id, "day_ahead", {
            **figures(desk, columns[0], inputs[0]), **said, **scenario_range(found.costs, weights, currency=money), **found.kpis}),
        "findings": findings_table((*found.findings, *decision_findings(found.decision, currency=money)), run_id),
        **decision_tables(found.decision, run_id, currency=money),
        "affine_rule": rule_table(desk, found.rules, run_id),
    }
    if planned:
        tables |= connection_table(desk, run_id, "day_ahead", scenarios=scenarios, columns=columns, inputs=inputs, steps=steps,
                                   starts=starts, planned=planned)
    return tables | _network_tables(desk, run_id, "day_ahead", net, steps, starts)


def real_time_tables(found: RealTime, run_id: str, *, kpis: Kpis | None = None, planned: Connections | None = None) -> dict[str, pa.Table]:
    """dispatch, settlement, bus_state, branch_state, prices, costs, states, commitments, kpis, findings of settled steps."""
    desk, day = found.rolling.desk, found.settled
    count = len(day.columns)
    steps = np.arange(day.first, day.first + count)
    starts = desk.day.starts(15)[steps - 1]
    net = desk.readouts(day.columns, day.inputs)
    costs = dict(zip(day.terms, day.costs.sum(axis=0), strict=True))
    tables = {
        "dispatch": long_table(desk, "dispatch", run_id, scenarios=["settled"], columns=day.columns[None], inputs=day.inputs[None],
                               steps=steps, starts=starts),
        "settlement": _settlement(found, run_id, steps, starts),
        "prices": _real_time_prices(found, run_id, steps, starts),
        "costs": _costs(desk, run_id, "real_time", costs),
        "states": _states(desk, run_id, "real_time", day.columns, day.inputs, found.begins, steps, starts,
                          None if found.course is None else found.course.taken[steps - 1]),
        "commitments": commitments_table(desk, run_id, "real_time", day.columns, day.inputs, found.begins, steps, starts),
        "kpis": kpis_table(run_id, "real_time", {**figures(desk, day.columns, day.inputs), **(kpis or {})}),
        "findings": findings_table(found.findings, run_id),
    }
    if planned:
        tables |= connection_table(desk, run_id, "real_time", scenarios=["settled"], columns=day.columns[None], inputs=day.inputs[None],
                                   steps=steps, starts=starts, planned=planned)
    return tables | _network_tables(desk, run_id, "real_time", net, steps, starts)


def _network_tables(desk: Desk, run_id: str, stage: Stage, net: Floats, steps: Indices, starts: Instants) -> dict[str, pa.Table]:
    """Voltages and flows by a sweep over the injections that are published beside them."""
    order = {bus.id: i for i, bus in enumerate(desk.case.buses)}
    active, reactive = bus_injections(desk, net, "active"), bus_injections(desk, net, "reactive")
    buses: list[tuple[str, str, Floats]] = []
    branches: list[tuple[str, str, Floats, Floats]] = []
    for feeder in desk.feeders:
        at = np.array([order[bus] for bus in feeder.buses])
        flow_kw, flow_kvar = feeder.flows(active[:, at]), feeder.flows(reactive[:, at])
        voltage = feeder.voltages_kv(flow_kw, flow_kvar) / feeder.base_kv
        buses += [(feeder.network, bus, voltage[:, i]) for i, bus in enumerate(feeder.buses)]
        branches += [(feeder.network, branch, flow_kw[:, i], flow_kvar[:, i]) for i, branch in enumerate(feeder.branches)]
    bus_state, branch_state = TABLES["bus_state"].empty(), TABLES["branch_state"].empty()
    if buses:
        head = _head(run_id, stage, len(buses), steps, starts)
        bus_state = TABLES["bus_state"].build({
            **head, "network": cube([b[0] for b in buses], len(steps)), "bus": cube([b[1] for b in buses], len(steps)),
            "voltage_pu": pa.array(np.concatenate([b[2] for b in buses])),
            "voltage_ac_pu": pa.nulls(len(buses) * len(steps), pa.float64())})
    if branches:
        head, none = _head(run_id, stage, len(branches), steps, starts), pa.nulls(len(branches) * len(steps), pa.float64())
        branch_state = TABLES["branch_state"].build({
            **head, "network": cube([b[0] for b in branches], len(steps)), "branch": cube([b[1] for b in branches], len(steps)),
            "p_kw": pa.array(np.concatenate([b[2] for b in branches])), "q_kvar": pa.array(np.concatenate([b[3] for b in branches])),
            "loading_share": none, "loss_ac_kw": none})
    return {"bus_state": bus_state, "branch_state": branch_state}


def _head(run_id: str, stage: Stage, labels: int, steps: Indices, starts: Instants) -> dict[str, pa.Array]:
    count = labels * len(steps)
    return {"run_id": constant(run_id, count), "stage": constant(stage, count), "step": pa.array(np.tile(steps, labels).astype(np.int32)),
            "valid_from": pa.array(np.tile(starts, labels) * 1_000_000, pa.timestamp("us", tz="UTC"))}


def _prices(desk: Desk, run_id: str, stage: Stage, found: Mapping[tuple[str, str, str], Floats], steps: Indices,
            starts: Instants) -> pa.Table:
    if not found:
        return TABLES["prices"].empty()
    # A copper plate has one price; its bus is named, whatever the network is called.
    first_bus = {network.id: next(bus.id for bus in desk.case.buses if bus.network == network.id) for network in desk.case.networks}
    buses = {bus.id for bus in desk.case.buses}
    keys = list(found)
    place = [bus if bus in buses else first_bus[network] for network, bus, _ in keys]
    values = np.concatenate([found[key] for key in keys])
    values[np.abs(values) < 1e-12] = 0.0
    return TABLES["prices"].build({
        **_head(run_id, stage, len(keys), steps, starts), "network": cube([key[0] for key in keys], len(steps)),
        "bus": cube(place, len(steps)), "carrier": cube([key[2] for key in keys], len(steps)), "price_per_kwh": pa.array(values)})


def _day_ahead_prices(found: DayAhead, run_id: str, starts: Instants) -> pa.Table:
    solution = Solution(Status.optimal, found.objective, found.bound, found.gap, None, found.row_dual, None, None, 0.0, 0)
    program = found.desk.program
    return _prices(found.desk, run_id, "day_ahead", nodal_prices(program, solution), np.arange(1, program.positions + 1), starts)


def _real_time_prices(found: RealTime, run_id: str, steps: Indices, starts: Instants) -> pa.Table:
    """Duals of the first interval of each window; in a fallback the market's price, which is all that is known."""
    rolling = found.rolling
    program = rolling.desk.program
    keys = []
    for row in rolling.balance_rows:
        component, _, rest = program.row_names[row].partition("[")
        network, _, law = component.partition(".")
        bus = rest[:-1].split(",")[0] if "," in rest else network
        keys.append((network, bus, law.partition("_")[0]))
    active = np.array([key[2] == "active" for key in keys])
    market = rolling.desk.binder.prices(found.settled.inputs)
    spare = market[:, 0] if market.shape[1] else np.zeros(len(steps))
    values = np.array([dispatch.duals if dispatch.duals is not None else np.where(active, spare[k], 0.0)
                       for k, dispatch in enumerate(found.dispatches)])
    return _prices(rolling.desk, run_id, "real_time", {key: values[:, i].copy() for i, key in enumerate(keys)}, steps, starts)


def _costs(desk: Desk, run_id: str, stage: Stage, by_term: Mapping[str, float]) -> pa.Table:
    """One row per term, and `total`. The term that only steers a window is paid by nobody."""
    terms = {name: float(value) for name, value in by_term.items() if name != TERMINAL}
    terms["total"] = sum(terms.values())
    count = len(terms)
    return TABLES["costs"].build({"run_id": [run_id] * count, "stage": [stage] * count, "term": list(terms), "value": list(terms.values()),
                                  "currency": [desk.case.currency] * count})


def _states(
    desk: Desk, run_id: str, stage: Stage, columns: Floats, inputs: Floats, start: Floats, steps: Indices, starts: Instants,
    taken: Floats | None,
) -> pa.Table:
    """Energies of stores and cohorts, power of what ramps, units on or off and lost EV energy, at the END of each interval.

    taken: (T, n) state values that steps began with where they were measured, NaN elsewhere.
    """
    labels: list[tuple[str, str, str, Floats]] = []
    for j, label in enumerate(desk.layout.columns.labels):
        if label.quantity in {"energy_kwh", "energy_kwhth", "energy_m3", "unserved_kwh"}:
            unit = {"energy_kwhth": "kWhth", "energy_m3": "m3"}.get(label.quantity, "kWh")
            labels.append((label.device, label.quantity + (f"[{label.part}]" if label.part else ""), unit, columns[:, j]))
    labels += unit_states(desk, columns, inputs, start)
    if not labels:
        return TABLES["states"].empty()
    values = np.concatenate([label[3] for label in labels])
    place = {state_key(name): row for row, name in enumerate(desk.binder.state_names)}
    measured = np.full((len(labels), len(steps)), np.nan)
    for i, (device, quantity, *_) in enumerate(labels):
        if taken is not None and (device, quantity) in place:
            measured[i] = taken[:, place[device, quantity]]
    return TABLES["states"].build({
        **_head(run_id, stage, len(labels), steps, starts), "device": cube([label[0] for label in labels], len(steps)),
        "quantity": cube([label[1] for label in labels], len(steps)), "unit": cube([label[2] for label in labels], len(steps)),
        "value": pa.array(values), "measured_value": pa.array(measured.ravel(), mask=np.isnan(measured.ravel()))})


def _at_the_start(found: DayAhead, count: int) -> Floats | None:
    """(T, n) what was measured of the state in which the day begins."""
    if found.measured is None:
        return None
    taken = np.full((count, len(found.measured)), np.nan)
    taken[0] = found.measured
    return taken


def _settlement(found: RealTime, run_id: str, steps: Indices, starts: Instants) -> pa.Table:
    desk, day, ties = found.rolling.desk, found.settled, found.rolling.desk.roster.ties
    dt, rows = desk.program.step_h, [i for i, tie in enumerate(desk.case.ties) if tie.market is not None]
    if not rows:
        return TABLES["settlement"].empty()
    held = np.array([dispatch.columns for dispatch in found.dispatches])
    parts: dict[str, list[Floats]] = {name: [] for name in ("scheduled_kw", "dispatched_kw", "realised_kw", "price_per_kwh", "energy_cost",
                                                            "deviation_cost")}
    for i in rows:
        name = ties.names[i]

        def given(quantity: str, name: str = name) -> Floats:
            entry = desk.layout.inputs.one(name, quantity)
            return day.inputs[:, entry] if entry >= 0 else np.zeros(len(steps))

        def column(entries: Indices, i: int = i) -> Floats:
            return day.columns[:, entries[i]] if entries[i] >= 0 else np.zeros(len(steps))

        planned = ties.schedule_input[i] >= 0
        parts["scheduled_kw"].append(given("schedule_kw") if planned else found.rolling.held.set_points[steps - 1, ties.exchange[i]])
        parts["dispatched_kw"].append(held[:, ties.exchange[i]])
        parts["realised_kw"].append(column(ties.exchange))
        parts["price_per_kwh"].append(given("price_per_kwh"))
        parts["energy_cost"].append(dt * (given("price_per_kwh") * column(ties.exchange)
                                          + given("sell_discount_per_kwh") * column(ties.export)))
        parts["deviation_cost"].append(dt * (given("deviation_up_price_per_kwh") * column(ties.up)
                                             + given("deviation_down_price_per_kwh") * column(ties.down)))
    head = _head(run_id, "real_time", len(rows), steps, starts)
    del head["stage"]
    return TABLES["settlement"].build({
        **head, "tie": cube([ties.names[i] for i in rows], len(steps)),
        **{name: pa.array(np.concatenate(values)) for name, values in parts.items()},
        "settled": pa.array(np.ones(len(rows) * len(steps), dtype=bool))})


def figures(desk: Desk, columns: Floats, inputs: Floats) -> dict[str, tuple[str, float]]:
    """Figures of a day that are no cost: peaks, energies over ties, slack, voltages. (T, J), (T, I)."""
    roster, dt = desk.roster, desk.program.step_h
    found: dict[str, tuple[str, float]] = {}
    ties = roster.ties
    for i, name in enumerate(ties.names):
        exchange = columns[:, ties.exchange[i]]
        found[f"exchange_energy_{name}"] = ("kWh", float(exchange.sum() * dt))
        if ties.upper[i] < 0:
            found[f"import_energy_{name}"] = ("kWh", float(np.maximum(exchange, 0).sum() * dt))
            found[f"export_energy_{name}"] = ("kWh", float(np.maximum(-exchange, 0).sum() * dt))
            found[f"import_peak_{name}"] = ("kW", float(exchange.max()))
    found["curtailed_energy"] = ("kWh", float(columns[:, roster.sources.curtailed].sum() * dt))
    found["shed_energy"] = ("kWh", float(columns[:, roster.demands.shed].sum() * dt))
    found["unmet_heat"] = ("kWhth", float(columns[:, roster.heat_demands.shed].sum() * dt))
    # Of cohorts cumulative, of aggregators what each interval lacks; single vehicles may lack more (`ev_unserved_kwh`).
    lacking = columns[-1, roster.cohorts.unserved].sum() + columns[:, roster.aggregators.slack].sum()
    found["ev_unserved_priced"] = ("kWh", float(lacking))
    if roster.aggregators.names:
        found["ev_surplus"] = ("kWh", float(columns[:, roster.aggregators.surplus].sum()))
    net = desk.readouts(columns, inputs)
    order = {bus.id: i for i, bus in enumerate(desk.case.buses)}
    lowest: Sequence[float] = [np.inf]
    highest: Sequence[float] = [-np.inf]
    for feeder in desk.feeders:
        at = np.array([order[bus] for bus in feeder.buses])
        flows = [feeder.flows(bus_injections(desk, net, carrier)[:, at]) for carrier in ("active", "reactive")]
        voltage = feeder.voltages_kv(flows[0], flows[1]) / feeder.base_kv
        lowest, highest = [*lowest, float(voltage.min())], [*highest, float(voltage.max())]
    if desk.feeders:
        found["voltage_min"], found["voltage_max"] = ("p.u.", min(lowest)), ("p.u.", max(highest))
    return {name: (unit, 0.0 if abs(value) < 1e-9 else value) for name, (unit, value) in found.items()}


def kpis_table(run_id: str, stage: Stage, kpis: Kpis) -> pa.Table:
    """One row per figure."""
    count = len(kpis)
    return TABLES["kpis"].build({
        "run_id": [run_id] * count, "stage": [stage] * count, "kpi": list(kpis), "unit": [unit for unit, _ in kpis.values()],
        "value": [float(value) for _, value in kpis.values()]})
