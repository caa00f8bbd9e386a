"""A made-up delivery day in published tables: two feeders, microgrids on them, balances that add up. Nothing is optimised."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time

import numpy as np
import pyarrow as pa

from pipeline.cases.case import Case
from pipeline.cases.sources import Series
from pipeline.core.clock import DeliveryDay, local_hour
from pipeline.equipment import Branch, Bus, Chp, Demand, EvFleet, Generator, Market, Network, Source, Store, Tie
from pipeline.tables import TABLES

DAY = date(2016, 3, 22)
PRICE = [
    0.08,
    0.08,
    0.075,
    0.073,
    0.074,
    0.08,
    0.095,
    0.115,
    0.13,
    0.128,
    0.12,
    0.11,
    0.105,
    0.1,
    0.1,
    0.108,
    0.12,
    0.14,
    0.165,
    0.172,
    0.16,
    0.14,
    0.11,
    0.09,
]


def made_case(
    *, feeders: int = 2, buses: int = 8, microgrid_buses: tuple[int, ...] = (4, 7), title: str = "Two made-up feeders", **more: object
) -> Case:
    """Ids as in the shipped cases."""
    bus_ids = [f"f{f:02d}_b{b:02d}" for f in range(1, feeders + 1) for b in range(1, buses + 1)]
    grids = [f"mg_f{f:02d}_b{b:02d}" for f in range(1, feeders + 1) for b in microgrid_buses]
    devices: list[object] = []
    series = [Series(id="price", kind="price", unit="USD/kWh", synthetic=True, minimum=None)]
    for f in range(1, feeders + 1):
        series += [Series(id=f"f{f:02d}_load", kind="load"), Series(id=f"f{f:02d}_wind", kind="wind", capacity_kw=150)]
        devices += [
            Demand(
                id=f"f{f:02d}_b{b:02d}_load",
                bus=f"f{f:02d}_b{b:02d}",
                series=f"f{f:02d}_load",
                series_share=1 / (buses - 1),
                kvar_per_kw=0.47,
            )
            for b in range(2, buses + 1)
        ]
        home = f"f{f:02d}_b03"
        devices += [
            Source(id=f"f{f:02d}_wind", bus=home, series=f"f{f:02d}_wind"),
            Store(
                id=f"f{f:02d}_battery",
                bus=home,
                charge_max_kw=100,
                discharge_max_kw=100,
                charge_efficiency_share=0.95,
                discharge_efficiency_share=0.95,
                energy_max_kwh=400,
                energy_initial_kwh=200,
            ),
            Generator(id=f"f{f:02d}_generator", bus=home, power_max_kw=100, cost_linear_per_kwh=0.08),
            EvFleet(
                id=f"f{f:02d}_ev",
                bus=home,
                vehicle_count=100,
                charger_kw=3.3,
                battery_kwh=24,
                charge_efficiency_share=0.9,
                departure_hours=(6, 7),
            ),
        ]
    for mg in grids:
        series += [
            Series(id=f"{mg}_load", kind="load"),
            Series(id=f"{mg}_heat", kind="heat", unit="kWth"),
            Series(id=f"{mg}_pv", kind="pv", capacity_kw=40),
        ]
        devices += [
            Demand(id=f"{mg}_load", bus=mg, series=f"{mg}_load"),
            Demand(id=f"{mg}_heat_load", bus=mg, carrier="heat", series=f"{mg}_heat"),
            Source(id=f"{mg}_pv", bus=mg, series=f"{mg}_pv"),
            Chp(id=f"{mg}_chp", bus=mg, power_max_kw=150, heat_to_power_factor=0.8, fuel_cost_per_kwh=0.1),
            Store(
                id=f"{mg}_battery",
                bus=mg,
                charge_max_kw=30,
                discharge_max_kw=30,
                charge_efficiency_share=0.95,
                discharge_efficiency_share=0.95,
                energy_max_kwh=120,
                energy_initial_kwh=60,
            ),
            Store(
                id=f"{mg}_heat_store",
                bus=mg,
                carrier="heat",
                charge_max_kw=30,
                discharge_max_kw=30,
                charge_efficiency_share=0.95,
                discharge_efficiency_share=0.95,
                energy_max_kwh=80,
                energy_initial_kwh=40,
                hourly_retention_share=0.99,
            ),
            EvFleet(
                id=f"{mg}_ev", bus=mg, vehicle_count=50, charger_kw=3.3, battery_kwh=24, charge_efficiency_share=0.9, departure_hours=(6, 7)
            ),
        ]
    ties = [
        Tie(
            id="grid",
            lower_bus="f01_b01",
            exchange_min_kw=-3000,
            exchange_max_kw=3000,
            deviation_price_per_kwh=0.01,
            market=Market(price_series="price"),
        )
    ]
    ties += [Tie(id=f"{mg}_tie", upper_bus=mg[3:], lower_bus=mg, exchange_min_kw=-200, exchange_max_kw=200) for mg in grids]
    branches = [
        Branch(id=f"f{f:02d}_b{b:02d}_b{b + 1:02d}", from_bus=f"f{f:02d}_b{b:02d}", to_bus=f"f{f:02d}_b{b + 1:02d}", r_ohm=0.1, x_ohm=0.1)
        for f in range(1, feeders + 1)
        for b in range(1, buses)
    ]
    return Case.model_validate(
        {
            "name": "made_up",
            "title": title,
            "time_zone": "Europe/Berlin",
            "day_start_local": time(7),
            "default_date": DAY,
            "networks": (
                Network(id="distribution", kind="lindistflow", carriers=("active", "reactive"), base_kv=12.66, slack_bus="f01_b01"),
                *(Network(id=mg, kind="copper_plate", carriers=("active", "heat")) for mg in grids),
            ),
            "buses": (*(Bus(id=b, network="distribution") for b in bus_ids), *(Bus(id=mg, network=mg) for mg in grids)),
            "branches": tuple(branches),
            "devices": tuple(devices),
            "ties": tuple(ties),
            "balancing_tie": "grid",
            "series": tuple(series),
            **more,
        }
    )


@dataclass
class _Side:
    """One of schedule (hourly) and dispatch (quarters): injections by device, and energies."""

    case: Case
    day: DeliveryDay
    step_min: int
    values: dict[str, np.ndarray]  # series on this side's grid

    def injections(self) -> dict[tuple[str, str, str, str], np.ndarray]:
        """(network, device, bus, carrier) -> (T,)."""
        case, starts = self.case, self.day.starts(self.step_min)
        hour = local_hour(starts, case.time_zone).astype(float)
        zero = np.zeros(len(starts))
        rows: dict[tuple[str, str, str, str], np.ndarray] = {}
        price = self.values["price"]
        cycle = np.where(price < 0.09, -1.0, np.where(price > 0.14, 1.0, 0.0))
        for device in case.devices:
            network, place = case.network_of_bus[device.bus], (device.id, device.bus)
            if isinstance(device, Demand):
                rows[(network, *place, device.carrier)] = -device.series_share * self.values[device.series]
                if device.kvar_per_kw:
                    rows[(network, *place, "reactive")] = -device.kvar_per_kw * device.series_share * self.values[device.series]
            elif isinstance(device, Source):
                rows[(network, *place, "active")] = device.series_share * self.values[device.series]
            elif isinstance(device, Generator):
                rows[(network, *place, "active")] = np.where(price > 0.12, 50.0, zero)
            elif isinstance(device, EvFleet):
                rows[(network, *place, "active")] = -np.where((hour >= 23) | (hour < 6), 0.35 * device.vehicle_count * 3.3, zero)
            elif isinstance(device, Store):
                reach = min(device.charge_max_kw, device.energy_max_kwh / 16)
                rows[(network, *place, device.carrier)] = reach * (cycle if device.carrier == "active" else 0.5 * cycle)
        for device in case.devices:
            if isinstance(device, Chp):
                heat = sum(v for k, v in rows.items() if k[0] == device.bus and k[3] == "heat")
                rows[(device.bus, device.id, device.bus, "heat")] = -heat
                rows[(device.bus, device.id, device.bus, "active")] = np.maximum(0, -heat) / 0.8
        for tie in case.ties[1:]:
            inside = sum(v for k, v in rows.items() if k[0] == tie.lower_bus and k[3] == "active")
            rows[(tie.lower_bus, tie.id, tie.lower_bus, "active")] = -inside
            rows[("distribution", tie.id, str(tie.upper_bus), "active")] = inside
        for carrier in ("active", "reactive"):
            rows[("distribution", "grid", "f01_b01", carrier)] = -sum(
                v for k, v in rows.items() if k[0] == "distribution" and k[3] == carrier
            )
        return rows

    def table(self, name: str, run_id: str, scenario: str) -> pa.Table:
        starts = self.day.starts(self.step_min)
        units = {"active": "kW", "reactive": "kvar", "heat": "kWth"}
        blocks = [(*key, "injection", units[key[3]], values) for key, values in self.injections().items()]
        for device in self.case.devices:
            if isinstance(device, Store):
                power = next(v for *k, q, _, v in blocks if k[1] == device.id and q == "injection")
                energy = (device.energy_initial_kwh - np.cumsum(power) * self.step_min / 60).clip(0, device.energy_max_kwh)
                quantity, unit = ("energy_kwh", "kWh") if device.carrier == "active" else ("energy_kwhth", "kWhth")
                blocks.append((self.case.network_of_bus[device.bus], device.id, device.bus, device.carrier, quantity, unit, energy))
        columns: dict[str, list[object]] = {c.name: [] for c in TABLES[name].columns}
        for network, device_id, bus, carrier, quantity, unit, values in blocks:
            count = len(starts)
            for column, value in (
                ("run_id", run_id),
                ("scenario", scenario),
                ("network", network),
                ("device", device_id),
                ("bus", bus),
                ("carrier", carrier),
                ("quantity", quantity),
                ("unit", unit),
            ):
                columns[column] += [value] * count
            columns["step"] += range(1, count + 1)
            columns["valid_from"] += starts.tolist()
            columns["value"] += values.tolist()
        return TABLES[name].build(columns)


def made_tables(case: Case, day: DeliveryDay, *, warnings: int = 0, dispatched: bool = True, seed: int = 5) -> dict[str, pa.Table]:
    """All tables of a day; `warnings` findings make it degraded; not `dispatched`: the day-ahead side only."""
    rng = np.random.default_rng(seed)
    quarters = day.starts(15)
    hour = local_hour(quarters, case.time_zone) + (quarters // 900 % 4) / 4
    mean = {s.id: _shape(s, hour, rng) for s in case.series}
    noise = {s.id: np.convolve(rng.normal(0, 1, len(quarters) + 15), np.ones(16) / 4, "valid") * 0.05 for s in case.series}
    came = {name: values * (1 + noise[name]) for name, values in mean.items()}
    per_hour = {name: values[: len(values) // 4 * 4].reshape(-1, 4).mean(axis=1) for name, values in mean.items()}
    plan, real = _Side(case, day, 60, per_hour), _Side(case, day, 15, came)
    made = {"schedule": plan.table("schedule", "da-00000000000000aa", "expected")}
    made |= {"forecasts": _forecasts(case, day, mean, noise, dispatched), "scenarios": _scenarios(case, day, mean, rng)}
    stages = ("day_ahead", "real_time") if dispatched else ("day_ahead",)
    made |= _decided(case)
    made["costs"] = _costs(case, stages)
    made["findings"] = _findings(warnings)
    made["bus_state"] = _bus_state(case, day, stages[-1], plan if not dispatched else real)
    if dispatched:
        made["dispatch"] = real.table("dispatch", "rt-00000000000000bb", "settled")
        made["settlement"] = _settlement(day, plan, real, came["price"])
        made["kpis"] = _kpis(case)
        made["forecast_scores"] = _scores(case)
    return {name: made.get(name, table.empty()) for name, table in TABLES.items()}


def _shape(series: Series, hour: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    shift = rng.uniform(0.85, 1.15)
    base = {
        "price": np.array(PRICE)[hour.astype(int)],
        "load": (18 if series.id.startswith("mg") else 650)
        * (1 + 0.35 * np.sin((hour - 9) / 24 * 2 * np.pi) + 0.15 * np.sin((hour - 16) / 6 * np.pi)),
        "heat": 15 * (1 + 0.3 * np.cos((hour - 6) / 24 * 2 * np.pi)),
        "pv": 40 * np.clip(np.sin((hour - 6) / 12 * np.pi), 0, None) * (hour < 18.5),
        "wind": 75 + 50 * np.cos((hour - 2) / 24 * 2 * np.pi),
    }[series.kind]
    return np.asarray(base * (1 if series.kind == "price" else shift))


def _forecasts(case: Case, day: DeliveryDay, mean: dict[str, np.ndarray], noise: dict[str, np.ndarray], dispatched: bool) -> pa.Table:
    columns: dict[str, list[object]] = {c.name: [] for c in TABLES["forecasts"].columns}
    starts = day.starts(15)
    wide = {"q05": -1.64, "q10": -1.28, "q25": -0.67, "q50": 0.0, "q75": 0.67, "q90": 1.28, "q95": 1.64}
    issued = day.at(time(11), 1)
    for series in case.series:
        for stage in ("day_ahead", "real_time") if dispatched else ("day_ahead",):
            values = mean[series.id] * (1 + (0.85 * noise[series.id] if stage == "real_time" else 0))
            sd = np.abs(values) * (0.06 if stage == "day_ahead" else 0.015)
            count = len(starts)
            columns["run_id"] += ["da-00000000000000aa" if stage == "day_ahead" else "rt-00000000000000bb"] * count
            columns["stage"] += [stage] * count
            columns["series"] += [series.id] * count
            columns["issued_at"] += [issued] * count if stage == "day_ahead" else (starts - 0).tolist()
            columns["step"] += range(1, count + 1)
            columns["valid_from"] += starts.tolist()
            columns["lead"] += range(80, 80 + count) if stage == "day_ahead" else [1] * count
            columns["unit"] += [series.unit] * count
            columns["model"] += ["arima"] * count
            columns["mean"] += values.tolist()
            columns["sd"] += sd.tolist()
            for name, z in wide.items():
                columns[name] += (values + z * sd).tolist()
    return TABLES["forecasts"].build(columns)


def _scenarios(case: Case, day: DeliveryDay, mean: dict[str, np.ndarray], rng: np.random.Generator) -> pa.Table:
    columns: dict[str, list[object]] = {c.name: [] for c in TABLES["scenarios"].columns}
    starts = day.starts(15)
    for number, weight in enumerate((0.24, 0.2, 0.16, 0.14, 0.12, 0.08, 0.06), start=1):
        for series in case.series:
            values = mean[series.id] * (
                1 + 0.05 * np.convolve(rng.normal(0, 1, len(starts) + 15), np.ones(16) / 4, "valid") + rng.normal(0, 0.03)
            )
            for column, value in (
                ("run_id", "da-00000000000000aa"),
                ("scenario", str(number)),
                ("series", series.id),
                ("unit", series.unit),
                ("weight", weight),
            ):
                columns[column] += [value] * len(starts)
            columns["step"] += range(1, len(starts) + 1)
            columns["valid_from"] += starts.tolist()
            columns["value"] += values.tolist()
    return TABLES["scenarios"].build(columns)


def _decided(case: Case) -> dict[str, pa.Table]:
    """Three rounds, the first without a lower bound, and the law of the decision beside those of two rounds."""
    run = "da-00000000000000aa"
    bounds = TABLES["bounds"].build({
        "run_id": [run] * 3, "iteration": [1, 2, 3], "lower": [None, 2895.0, 2931.6], "upper": [3120.4, 2950.2, 2934.52],
        "gap_share": [None, (2950.2 - 2895.0) / 2895.0, (2934.52 - 2931.6) / 2931.6], "currency": [case.currency] * 3,
    })
    laws = {0: (0.20, 0.2, 0.16, 0.14, 0.12, 0.08, 0.10), 1: (0.0,) * 6 + (1.0,), 2: (0.24, 0.2, 0.16, 0.14, 0.12, 0.08, 0.06)}
    rows = [(iteration, str(s), weight) for iteration, law in laws.items() for s, weight in enumerate(law, start=1)]
    distribution = TABLES["distribution"].build({
        "run_id": [run] * len(rows), "iteration": [row[0] for row in rows], "scenario": [row[1] for row in rows],
        "weight": [row[2] for row in rows],
    })
    return {"bounds": bounds, "distribution": distribution}


def _costs(case: Case, stages: tuple[str, ...]) -> pa.Table:
    terms = {
        "energy_cost": (-412.2, -371.31),
        "storage_wear_cost": (3.2, 3.61),
        "generator_cost": (61.5, 66.0),
        "cogeneration_cost": (3224.9, 3212.8),
        "deviation_cost": (18.9, 23.42),
        "penalty_cost": (0.0, 0.0),
    }
    rows = [(stage, term, pair[place]) for place, stage in enumerate(stages) for term, pair in terms.items()]
    rows += [(stage, "total", sum(pair[place] for pair in terms.values())) for place, stage in enumerate(stages)]
    return TABLES["costs"].build(
        {
            "run_id": ["da-00000000000000aa" if s == "day_ahead" else "rt-00000000000000bb" for s, _, _ in rows],
            "stage": [s for s, _, _ in rows],
            "term": [t for _, t, _ in rows],
            "value": [v for _, _, v in rows],
            "currency": [case.currency] * len(rows),
        }
    )


def _findings(warnings: int) -> pa.Table:
    rows: list[tuple[str, str, str, str, str, float | None, float | None]] = [
        ("day_ahead", "info", "reconstruction", "f01_wind", "3 gaps of the history were filled", 3.0, None),
        ("real_time", "info", "voltage_ac", "f01_b08, step 52", "AC voltage .9482 p.u. is within .01 p.u. of the limit .95", 0.9482, 0.95),
    ]
    rows += [
        (
            "real_time",
            "warning",
            "load_shed",
            f"f01_b{place + 2:02d}_load, step {40 + place}",
            f"{3.2 + place:.1f} kW of load were not served",
            3.2 + place,
            0.0,
        )
        for place in range(warnings)
    ]
    names = ("stage", "severity", "check", "place", "message", "value", "limit")
    return TABLES["findings"].build(
        {"run_id": ["rt-00000000000000bb"] * len(rows), **{name: [row[i] for row in rows] for i, name in enumerate(names)}}
    )


def _bus_state(case: Case, day: DeliveryDay, stage: str, side: _Side) -> pa.Table:
    starts = day.starts(side.step_min)
    buses = [bus.id for bus in case.buses if bus.network == "distribution"]
    last = max(int(bus[5:]) for bus in buses)
    load = sum(v for k, v in side.values.items() if k.startswith("f") and k.endswith("_load"))
    drop = {bus: (int(bus[5:]) - 1) / last * 0.055 * load / load.max() * (1.0 if int(bus[2:3]) % 2 else 0.8) for bus in buses}
    decided = np.concatenate([1 - drop[bus] for bus in buses])
    return TABLES["bus_state"].build(
        {
            "run_id": ["rt-00000000000000bb"] * len(decided),
            "stage": [stage] * len(decided),
            "step": list(range(1, len(starts) + 1)) * len(buses),
            "valid_from": starts.tolist() * len(buses),
            "network": ["distribution"] * len(decided),
            "bus": [bus for bus in buses for _ in starts],
            "voltage_pu": decided.tolist(),
            "voltage_ac_pu": (decided - 0.1 * (1 - decided)).tolist(),
        }
    )


def _settlement(day: DeliveryDay, plan: _Side, real: _Side, price: np.ndarray) -> pa.Table:
    starts = day.starts(15)
    key = ("distribution", "grid", "f01_b01", "active")
    scheduled, realised = np.repeat(plan.injections()[key], 4), real.injections()[key]
    dispatched = scheduled + 0.8 * (realised - scheduled)
    return TABLES["settlement"].build(
        {
            "run_id": ["rt-00000000000000bb"] * len(starts),
            "step": list(range(1, len(starts) + 1)),
            "valid_from": starts.tolist(),
            "tie": ["grid"] * len(starts),
            "scheduled_kw": scheduled.tolist(),
            "dispatched_kw": dispatched.tolist(),
            "realised_kw": realised.tolist(),
            "price_per_kwh": price.tolist(),
            "energy_cost": (0.25 * price * realised).tolist(),
            "deviation_cost": (0.25 * 0.01 * np.abs(realised - scheduled)).tolist(),
            "settled": [True] * len(starts),
        }
    )


def _kpis(case: Case) -> pa.Table:
    rows = [
        ("real_time", "perfect_foresight_cost", case.currency, 2890.11),
        ("real_time", "rolling_cost", case.currency, 2934.52),
        ("real_time", "no_redispatch_cost", case.currency, 3011.9),
        ("day_ahead", "value_of_stochastic_solution", case.currency, 1.25),
        ("day_ahead", "import_peak_grid", "kW", 1710.0),
        ("real_time", "import_peak_grid", "kW", 1793.2),
        ("day_ahead", "voltage_min", "p.u.", 0.952),
        ("real_time", "voltage_min", "p.u.", 0.9512),
    ]
    columns = {name: [row[place] for row in rows] for place, name in enumerate(("stage", "kpi", "unit", "value"))}
    return TABLES["kpis"].build({"run_id": ["rt-00000000000000bb"] * len(rows), **columns})


def _scores(case: Case) -> pa.Table:
    scores = {"rmse": 12.5, "skill": 0.26, "coverage_90": 0.91, "crps": None}
    rows = [(series.id, score, value) for series in case.series for score, value in scores.items()]
    columns = {name: [row[place] for row in rows] for place, name in enumerate(("series", "score", "value"))}
    return TABLES["forecast_scores"].build({"run_id": ["da-00000000000000aa"] * len(rows), **columns})
