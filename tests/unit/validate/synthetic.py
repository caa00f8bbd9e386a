"""A consistent day of the case `tiny`, made by hand: what a correct engine would write, without an engine."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from pipeline.cases.case import Case
from pipeline.cases.load import load_case
from pipeline.core.clock import DeliveryDay, local_hour
from pipeline.core.units import CARRIER_UNITS
from pipeline.equipment import Chp, Demand, EvFleet, Generator, Source, Store
from pipeline.tables import TABLES
from pipeline.validate.check import SUFFIX, Check
from pipeline.validate.context import Context, Grid, grid_of
from pipeline.validate.frame import frame
from pipeline.validate.identity import unit_of
from pipeline.validate.money import has_position, terms
from pipeline.validate.radial import feeders

RUN = {"day_ahead": "da-0000000000000001", "real_time": "rt-0000000000000002"}
WEIGHTS = {"1": 0.5, "2": 0.3, "3": 0.2}


@dataclass
class Day:
    """Tables of both products, and what the gate is told besides."""

    case: Case
    day: DeliveryDay
    tables: dict[str, dict[str, pa.Table]]  # product -> table -> rows
    context: dict[str, Context]


def values_of(case: Case, grid: Grid, factor: float) -> dict[str, np.ndarray]:
    """Series by the case's expectation tables; what is drawn from the sun or the wind stays below its capacity."""
    hours = local_hour(grid.starts, case.time_zone)
    return {series.id: np.array(series.by_local_hour)[hours] * (factor if series.kind != "price" else 2 - factor) for series in case.series}


def rows_for(case: Case, grid: Grid, values: dict[str, np.ndarray]) -> dict[tuple[str, str, str, str], np.ndarray]:
    """One scenario: every device does something plain and feasible, the ties close the balances."""
    count, dt = grid.count, grid.step_h
    rows: dict[tuple[str, str, str, str], np.ndarray] = {}
    net: dict[tuple[str, str], np.ndarray] = {}
    half = np.arange(count) < count // 2

    def inject(device: str, bus: str, carrier: str, power: np.ndarray) -> None:
        rows[device, bus, carrier, "injection"] = power
        key = (case.network_of_bus[bus], carrier)
        net[key] = net.get(key, np.zeros(count)) + power

    hours = local_hour(grid.starts, case.time_zone)
    heat_taken: dict[str, np.ndarray] = {}
    for device in case.devices:
        match device:
            case Demand():
                load = values[device.series] * device.series_share
                inject(device.id, device.bus, device.carrier, -load)
                rows[device.id, device.bus, device.carrier, f"shed_{SUFFIX[device.carrier][0]}"] = np.zeros(count)
                if device.carrier == "heat":
                    heat_taken[device.bus] = heat_taken.get(device.bus, np.zeros(count)) + load
                elif device.kvar_profile or device.kvar_per_kw:
                    ratio = np.array(case.profiles[device.kvar_profile])[hours] if device.kvar_profile else device.kvar_per_kw
                    inject(device.id, device.bus, "reactive", -load * ratio)
            case Source():
                available = values[device.series] * device.series_share
                rows[device.id, device.bus, "active", "curtailed_kw"] = 0.1 * available
                inject(device.id, device.bus, "active", 0.9 * available)
            case Generator():
                inject(device.id, device.bus, "active", np.where(half, 25.0, 10.0))
                inject(device.id, device.bus, "reactive", np.full(count, 12.0))
            case Store():
                kw, kwh = SUFFIX[device.carrier]
                kept = device.hourly_retention_share**dt
                hold = device.energy_initial_kwh * (1 - kept) / (dt * device.charge_efficiency_share)
                charge = np.where(half, 3.0, 0.0) if device.carrier == "active" else np.full(count, hold)
                moved = device.charge_efficiency_share * device.discharge_efficiency_share
                discharge = np.where(half, 0.0, 3.0 * moved) if device.carrier == "active" else np.zeros(count)
                energy = np.empty(count)
                before = device.energy_initial_kwh
                for t in range(count):
                    before = energy[t] = kept * before + dt * (
                        device.charge_efficiency_share * charge[t] - discharge[t] / device.discharge_efficiency_share
                    )
                at = (device.id, device.bus, device.carrier)
                rows[*at, f"charge_{kw}"], rows[*at, f"discharge_{kw}"], rows[*at, f"energy_{kwh}"] = charge, discharge, energy
                inject(*at, discharge - charge)
                if device.carrier == "heat":
                    heat_taken[device.bus] = heat_taken.get(device.bus, np.zeros(count)) + charge
            case EvFleet():
                total = np.zeros(count)
                for c in range(len(device.departure_hours)):
                    power = np.where(np.arange(count) >= count - 4, 1.0 + c, 0.0)
                    rows[device.id, device.bus, "active", f"charge_kw[{c + 1}]"] = power
                    rows[device.id, device.bus, "active", f"energy_kwh[{c + 1}]"] = np.cumsum(power) * dt * device.charge_efficiency_share
                    total += power
                inject(device.id, device.bus, "active", -total)
    for device in case.devices:
        if isinstance(device, Chp):
            vent = np.full(count, 2.0)
            power = (heat_taken[device.bus] + vent) / device.heat_to_power_factor
            rows[device.id, device.bus, "heat", "vent_kwth"] = vent
            inject(device.id, device.bus, "heat", heat_taken[device.bus])
            inject(device.id, device.bus, "active", power)
    for tie in reversed(case.ties):  # microgrids first, the grid last
        exchange = -net[case.network_of_bus[tie.lower_bus], "active"]
        inject(tie.id, tie.lower_bus, "active", exchange)
        rows[tie.id, tie.lower_bus, "active", "exchange_kw"] = exchange
        if tie.upper_bus:
            inject(tie.id, tie.upper_bus, "active", -exchange)
        if tie.reactive_max_kvar:
            inject(tie.id, tie.lower_bus, "reactive", -net[case.network_of_bus[tie.lower_bus], "reactive"])
    return rows


def long_table(name: str, case: Case, grid: Grid, scenarios: dict[str, dict[tuple[str, str, str, str], np.ndarray]], run: str) -> pa.Table:
    columns: dict[str, list] = {c.name: [] for c in TABLES[name].columns}
    for scenario, rows in scenarios.items():
        for (device, bus, carrier, quantity), values in rows.items():
            n = len(values)
            for column, cell in (
                ("run_id", run),
                ("scenario", scenario),
                ("network", case.network_of_bus[bus]),
                ("device", device),
                ("bus", bus),
                ("carrier", carrier),
                ("quantity", quantity),
                ("unit", unit_of(quantity, carrier) or CARRIER_UNITS[carrier]),
            ):
                columns[column] += [cell] * n
            columns["step"] += list(range(1, n + 1))
            columns["valid_from"] += [int(t) for t in grid.starts]
            columns["value"] += values.tolist()
    return TABLES[name].build(columns)


def network_tables(case: Case, grid: Grid, long: pa.Table, name: str, stage: str) -> dict[str, pa.Table]:
    from pipeline.validate.ac import bus_injections

    view = frame(name, long)
    s = view.scenarios.index("expected" if stage == "day_ahead" else "settled")
    (tree,) = feeders(case)
    p_kw, q_kvar = bus_injections(case, tree, view, s)
    flow_kw, flow_kvar = tree.flows(p_kw), tree.flows(q_kvar)
    voltage = tree.voltages_pu(flow_kw, flow_kvar)
    n = grid.count

    def common(entities: list[str], column: str) -> dict[str, list]:
        many = len(entities)
        return {
            "run_id": [RUN[stage]] * many * n,
            "stage": [stage] * many * n,
            "step": list(range(1, n + 1)) * many,
            "valid_from": [int(t) for t in grid.starts] * many,
            "network": [tree.network.id] * many * n,
            column: [entity for entity in entities for _ in range(n)],
        }

    branches = [branch.id for branch in tree.branches]
    none = [None] * (len(branches) * n)
    return {
        "bus_state": TABLES["bus_state"].build(
            {**common(list(tree.buses), "bus"), "voltage_pu": voltage.ravel().tolist(), "voltage_ac_pu": [None] * (len(tree.buses) * n)}
        ),
        "branch_state": TABLES["branch_state"].build(
            {
                **common(branches, "branch"),
                "p_kw": flow_kw.ravel().tolist(),
                "q_kvar": flow_kvar.ravel().tolist(),
                "loading_share": none,
                "loss_ac_kw": none,
            }
        ),
    }


def cost_table(check: Check, weights: dict[str, float], positions: dict[str, np.ndarray]) -> pa.Table:
    share = np.array([weights.get(s, 0.0) for s in check.long.scenarios])
    cost = {name: float(share[share > 0] @ per[share > 0].sum(axis=1)) for name, per in terms(check, positions).items()}
    cost["total"] = sum(cost.values())
    n = len(cost)
    return TABLES["costs"].build(
        {
            "run_id": [RUN[check.stage]] * n,
            "stage": [check.stage] * n,
            "term": list(cost),
            "value": list(cost.values()),
            "currency": [check.case.currency] * n,
        }
    )


def state_table(case: Case, grid: Grid, rows: dict, stage: str) -> pa.Table:
    columns: dict[str, list] = {c.name: [] for c in TABLES["states"].columns}
    for (device, _, carrier, quantity), values in rows.items():
        if quantity.startswith("energy_"):
            for t, value in enumerate(values):
                for column, cell in (
                    ("run_id", RUN[stage]),
                    ("stage", stage),
                    ("step", t + 1),
                    ("valid_from", int(grid.starts[t])),
                    ("device", device),
                    ("quantity", quantity),
                    ("unit", unit_of(quantity, carrier)),
                    ("value", float(value)),
                    ("measured_value", None),
                ):
                    columns[column].append(cell)
    return TABLES["states"].build(columns)


def forecast_table(case: Case, day: DeliveryDay) -> pa.Table:
    grid = Grid(day, 15)
    issued = day.at(case.settings.day_ahead_issue_local, 1)
    values = values_of(case, grid, 0.98)
    columns: dict[str, list] = {c.name: [] for c in TABLES["forecasts"].columns}
    for series in case.series:
        for t, mean in enumerate(values[series.id]):
            cells = {
                "run_id": RUN["day_ahead"],
                "stage": "day_ahead",
                "series": series.id,
                "issued_at": issued,
                "step": t + 1,
                "valid_from": int(grid.starts[t]),
                "lead": t + 1,
                "unit": series.unit,
                "mean": float(mean),
                "sd": 0.01 * float(mean),
                "model": "arima",
            }
            cells |= {
                q: float(mean) * k
                for q, k in zip(("q05", "q10", "q25", "q50", "q75", "q90", "q95"), (0.97, 0.98, 0.99, 1.0, 1.005, 1.01, 1.015), strict=True)
            }
            for column, cell in cells.items():
                columns[column].append(cell)
    return TABLES["forecasts"].build(columns)


def scenario_table(case: Case, day: DeliveryDay, drawn: dict[str, dict[str, np.ndarray]]) -> pa.Table:
    grid = Grid(day, 15)
    columns: dict[str, list] = {c.name: [] for c in TABLES["scenarios"].columns}
    for scenario, weight in WEIGHTS.items():
        for series in case.series:
            for t, value in enumerate(drawn[scenario][series.id]):
                for column, cell in (
                    ("run_id", RUN["day_ahead"]),
                    ("scenario", scenario),
                    ("series", series.id),
                    ("step", t + 1),
                    ("valid_from", int(grid.starts[t])),
                    ("unit", series.unit),
                    ("value", float(value)),
                    ("weight", weight),
                ):
                    columns[column].append(cell)
    return TABLES["scenarios"].build(columns)


def make_day() -> Day:
    case = load_case("tiny")
    day = case.day(case.default_date)
    hourly, quarters = grid_of(case, day, "day_ahead"), grid_of(case, day, "real_time")
    drawn = {s: values_of(case, Grid(day, 15), f) for s, f in (("1", 0.99), ("2", 0.97), ("3", 0.95))}
    per_scenario = {s: rows_for(case, hourly, {k: hourly.fit(v) for k, v in values.items()}) for s, values in drawn.items()}
    schedule = {"expected": {key: sum(w * per_scenario[s][key] for s, w in WEIGHTS.items()) for key in per_scenario["1"]}, **per_scenario}
    positions: dict[str, np.ndarray] = {}
    for tie in case.ties:
        if has_position(tie):
            positions[tie.id] = schedule["expected"][tie.id, tie.lower_bus, "active", "injection"] + 1.0
            for rows in schedule.values():
                rows[tie.id, tie.lower_bus, "active", "schedule_kw"] = positions[tie.id]
    long = long_table("schedule", case, hourly, schedule, RUN["day_ahead"])
    ahead = {
        "forecasts": forecast_table(case, day),
        "scenarios": scenario_table(case, day, drawn),
        "schedule": long,
        **network_tables(case, hourly, long, "schedule", "day_ahead"),
        "states": state_table(case, hourly, schedule["expected"], "day_ahead"),
    }
    expected = {key: sum(w * drawn[s][key] for s, w in WEIGHTS.items()) for key in drawn["1"]}
    check = Check(case, frame("schedule", long), hourly, Context(), {**drawn, "expected": expected}, "day_ahead")
    ahead["costs"] = cost_table(check, WEIGHTS, positions)

    realised = values_of(case, quarters, 0.96)
    settled = rows_for(case, quarters, realised)
    dispatch = long_table("dispatch", case, quarters, {"settled": settled}, RUN["real_time"])
    context = Context(known_runs=frozenset(RUN.values()), values={"settled": realised}, parents={"schedule": long})
    check = Check(case, frame("dispatch", dispatch), quarters, context, {"settled": realised}, "real_time")
    spread = {tie: np.repeat(position, quarters.count // hourly.count) for tie, position in positions.items()}
    live = {
        "dispatch": dispatch,
        **network_tables(case, quarters, dispatch, "dispatch", "real_time"),
        "states": state_table(case, quarters, settled, "real_time"),
        "costs": cost_table(check, {"settled": 1.0}, spread),
        "settlement": settlement_table(case, quarters, settled, realised, spread),
    }
    return Day(
        case, day, {"day_ahead": ahead, "real_time": live}, {"day_ahead": Context(known_runs=frozenset(RUN.values())), "real_time": context}
    )


def settlement_table(case: Case, grid: Grid, settled: dict, realised: dict[str, np.ndarray], positions: dict[str, np.ndarray]) -> pa.Table:
    tie = next(tie for tie in case.ties if tie.market)
    exchange = settled[tie.id, tie.lower_bus, "active", "injection"]
    price, position, n = realised[tie.market.price_series], positions[tie.id], grid.count
    return TABLES["settlement"].build(
        {
            "run_id": [RUN["real_time"]] * n,
            "step": list(range(1, n + 1)),
            "valid_from": [int(t) for t in grid.starts],
            "tie": [tie.id] * n,
            "scheduled_kw": position.tolist(),
            "dispatched_kw": (exchange - 0.5).tolist(),
            "realised_kw": exchange.tolist(),
            "price_per_kwh": price.tolist(),
            "energy_cost": (grid.step_h * price * exchange).tolist(),
            "deviation_cost": (grid.step_h * tie.deviation_price_per_kwh * np.abs(exchange - position)).tolist(),
            "settled": [True] * n,
        }
    )


def other_tables(made: Day) -> dict[str, dict[str, pa.Table]]:
    """The tables that no figure of another follows from, small ones, by product."""
    case, grid = made.case, grid_of(made.case, made.day, "day_ahead")
    run, n, start = RUN["day_ahead"], grid.count, [int(t) for t in grid.starts]
    step = list(range(1, n + 1))
    generator = next(device for device in case.devices if isinstance(device, Generator))
    nodes = [
        (bus.network, bus.id, network_carrier)
        for bus in case.buses
        for network in case.networks
        if network.id == bus.network
        for network_carrier in network.carriers
    ]
    many = len(nodes)
    head = {"run_id": [run] * n, "stage": ["day_ahead"] * n, "step": step, "valid_from": start}
    series = [s.id for s in case.series]
    return {
        "day_ahead": {
            "forecast_scores": TABLES["forecast_scores"].build(
                {"run_id": [run] * len(series), "series": series, "score": ["skill"] * len(series), "value": [0.2] * len(series)}
            ),
            "scenario_quality": TABLES["scenario_quality"].build(
                {"run_id": [run] * 2, "method": ["som"] * 2, "measure": ["w1", "w1_ratio"], "value": [0.4, 1.01]}
            ),
            "scenario_distances": TABLES["scenario_distances"].build(
                {
                    "run_id": [run] * 9,
                    "from_scenario": [one for one in "123" for _ in "123"],
                    "to_scenario": [other for _ in "123" for other in "123"],
                    "distance_share": [0.02 * abs(one - other) for one in range(3) for other in range(3)],
                }
            ),
            "bounds": TABLES["bounds"].build(
                {
                    "run_id": [run] * 3,
                    "iteration": [1, 2, 3],
                    "lower": [None, 90.0, 99.0],
                    "upper": [120.0, 110.0, 100.0],
                    "gap_share": [None, 20 / 90, 1 / 99],
                    "currency": [case.currency] * 3,
                }
            ),
            "distribution": TABLES["distribution"].build(
                {"run_id": [run] * 4, "iteration": [0, 0, 1, 1], "scenario": ["1", "2"] * 2, "weight": [0.4, 0.6, 0.0, 1.0]}
            ),
            "commitments": TABLES["commitments"].build({**head, "device": [generator.id] * n, "on": [True] * n, "on_share": [1.0] * n,
                                                        "start": [False] * n, "stop": [False] * n}),
            "offers": TABLES["offers"].build(
                {
                    **head,
                    "actor": ["mg"] * n,
                    "product": ["energy"] * n,
                    "offered_kw": [2.0] * n,
                    "accepted_kw": [1.5] * n,
                    "price_per_kwh": [0.1] * n,
                }
            ),
            "prices": TABLES["prices"].build(
                {
                    "run_id": [run] * n * many,
                    "stage": ["day_ahead"] * n * many,
                    "step": step * many,
                    "valid_from": start * many,
                    "network": [a for a, _, _ in nodes for _ in step],
                    "bus": [b for _, b, _ in nodes for _ in step],
                    "carrier": [c for _, _, c in nodes for _ in step],
                    "price_per_kwh": [0.1] * n * many,
                }
            ),
            "findings": TABLES["findings"].build(
                {
                    "run_id": [run],
                    "stage": ["day_ahead"],
                    "severity": ["info"],
                    "check": ["ac_gap"],
                    "place": ["f01_b02 step 1"],
                    "message": ["LinDistFlow and AC voltage differ"],
                    "value": [0.001],
                    "limit": [None],
                }
            ),
        },
        "real_time": {
            "kpis": TABLES["kpis"].build(
                {"run_id": [RUN["real_time"]], "stage": ["real_time"], "kpi": ["ev_need_kwh"], "unit": ["kWh"], "value": [12.0]}
            )
        },
    }
