"""A case of one's own by the throw of a die: networks, devices, series and histories that a person could have, from a seed.

What `write_case` writes is meant to be legal: `case check` calls it good and `ingest` takes its files. The same seed writes the same bytes.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from pipeline.core.clock import DeliveryDay

QUARTERS_A_DAY = 96
ZONES = ("Europe/Berlin", "UTC", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Auckland", "America/Sao_Paulo")
HALF_HOURS = ("Asia/Kolkata", "Australia/Lord_Howe")  # whole hours of UTC are none on the clock there
# Ordinary days, both clock changes of each hemisphere, a leap day, a new year.
DATES = ("2024-06-12", "2024-03-31", "2024-10-27", "2024-03-10", "2024-11-03", "2024-04-07", "2024-10-06", "2024-09-29", "2024-02-29",
         "2024-01-01", "2024-12-25")
METHODS: tuple[dict[str, Any], ...] = (
    {"kind": "deterministic"}, {"kind": "deterministic"}, {"kind": "stochastic", "draw_count": 60, "representative_count": 3},
    {"kind": "cvar", "draw_count": 60, "representative_count": 3},
    {"kind": "wasserstein", "draw_count": 60, "representative_count": 3, "pre_reduction_count": 20},
    {"kind": "box_robust", "budget_share": 1.0}, {"kind": "affine", "budget_share": 0.25},
)
SHAPES = ("daily", "zero_at_night", "constant", "noise", "steps", "zero", "rare", "weekday_only")

Floats = np.ndarray[Any, np.dtype[np.float64]]


@dataclass
class AnyCase:
    """What was written, in words, and what a run is asked for."""

    folder: Path
    day: DeliveryDay
    words: list[str] = field(default_factory=list)
    overrides: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class _Draft:
    """A case while it is thrown."""

    rng: np.random.Generator
    networks: list[dict[str, Any]] = field(default_factory=list)
    buses: list[dict[str, Any]] = field(default_factory=list)
    branches: list[dict[str, Any]] = field(default_factory=list)
    ties: list[dict[str, Any]] = field(default_factory=list)
    series: list[dict[str, Any]] = field(default_factory=list)
    devices: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    histories: dict[str, Floats] = field(default_factory=dict)  # by series, per interval of its resolution
    sources: list[dict[str, Any]] = field(default_factory=list)
    words: list[str] = field(default_factory=list)

    def chance(self, share: float) -> bool:
        return bool(self.rng.random() < share)

    def one_of(self, choices: Sequence[Any]) -> Any:
        return choices[int(self.rng.integers(len(choices)))]

    def between(self, low: float, high: float) -> float:
        """A number with three digits, evenly spread by its size where it spans decades."""
        value = np.exp(self.rng.uniform(np.log(low), np.log(high))) if low > 0 and high / low > 20 else self.rng.uniform(low, high)
        return float(f"{value:.3g}")

    def add(self, kind: str, **fields: Any) -> None:
        self.devices.setdefault(kind, []).append(fields)

    def name(self, kind: str) -> str:
        return f"{kind}_{len(self.devices.get(kind, ())) + 1}"


def write_case(folder: Path, seed: int) -> AnyCase:
    """Write the case of a seed into a new folder, with its histories."""
    draft = _Draft(np.random.default_rng([20240612, seed]))
    zone, start = draft.one_of(ZONES), draft.one_of(("00:00", "00:00", "07:00", "22:00"))
    chosen = date.fromisoformat(draft.one_of(DATES))
    day = DeliveryDay(chosen, zone, datetime.strptime(start, "%H:%M").time())
    step = draft.one_of((30, 15) if zone in HALF_HOURS else (60, 60, 30, 15))
    scale = draft.one_of((1.0, 1.0, 1.0, 0.01, 1000.0))  # of power: a house, a village, a region
    _places(draft, scale)
    _loads(draft, scale, price_min=30 if zone in HALF_HOURS else 60)
    for throw in (_sources, _stores, _engines, _vehicles):
        throw(draft, scale)
    history_days = draft.one_of((12, 20, 30, 5, 3))
    span = _histories(draft, day, history_days)
    method = draft.one_of(METHODS)
    settings = {"method": method, "day_ahead_step_min": step, "real_time_window_steps": draft.one_of((4, 8)),
                "forecast": {"window_days": 14, "price_window_days": 14}, "solver_time_limit_s": 20.0}
    draft.words += [f"seed {seed}", f"{zone} {chosen} from {start}", f"step {step}", f"history {history_days} d", str(method["kind"])]
    _write(folder, draft, day, span, {
        "name": folder.name, "currency": "USD", "time_zone": zone, "day_start_local": start, "default_date": chosen.isoformat(),
        "balancing_tie": "grid", "settings": settings})
    return AnyCase(folder, day, draft.words, _overrides(draft, day))


# ---------------------------------------------------------------------- what there is


def _places(draft: _Draft, scale: float) -> None:
    """A feeder or a copper plate at the grid, and microgrids behind links."""
    count = int(draft.rng.integers(1, 5))
    if draft.chance(0.6):
        draft.networks.append({"id": "feeder", "kind": "lindistflow", "carriers": ["active", "reactive"], "slack_bus": "f1",
                               "base_kv": 20.0 if scale > 1 else 0.4, "voltage_min_pu": 0.9, "voltage_max_pu": 1.1})
        draft.buses += [{"id": f"f{k}", "network": "feeder"} for k in range(1, count + 1)]
        ohm = (40.0 if scale > 1 else 0.02) / max(scale, 1.0)
        draft.branches += [{"id": f"l{k}", "from_bus": f"f{int(draft.rng.integers(1, k))}", "to_bus": f"f{k}",
                            "r_ohm": draft.between(0.1 * ohm, ohm), "x_ohm": draft.between(0.1 * ohm, ohm)} for k in range(2, count + 1)]
    else:
        draft.networks.append({"id": "feeder", "kind": "copper_plate", "carriers": ["active", "heat"]})
        draft.buses += [{"id": f"f{k}", "network": "feeder"} for k in range(1, count + 1)]
    reach = scale * draft.between(20, 400)
    market: dict[str, Any] = {"price_series": "price"}
    if draft.chance(0.3):
        market |= {"imbalance_buy_factor": 1.3, "imbalance_sell_factor": 0.7}
    if draft.chance(0.3):
        market["sell_price_factor"] = 0.9
    draft.ties.append({"id": "grid", "lower_bus": "f1", "exchange_min_kw": -reach * draft.one_of((0.0, 0.3, 1.0)), "exchange_max_kw": reach,
                       "reactive_max_kvar": reach if "reactive" in draft.networks[0]["carriers"] else 0.0, "market": market,
                       "deviation_price_per_kwh": draft.one_of((0.0, 0.01)),
                       **({"ramp_kw_per_h": reach, "exchange_initial_kw": 0.0} if draft.chance(0.1) else {})})
    for k in range(int(draft.rng.integers(0, 3))):
        draft.networks.append({"id": f"mg{k}", "kind": "copper_plate", "carriers": ["active", "heat"]})
        draft.buses.append({"id": f"m{k}", "network": f"mg{k}"})
        link = scale * draft.between(10, 200)
        draft.ties.append({"id": f"link{k}", "upper_bus": draft.one_of(draft.buses[:count])["id"], "lower_bus": f"m{k}",
                           "exchange_min_kw": -link, "exchange_max_kw": link})


def _carries(draft: _Draft, bus: str, carrier: str) -> bool:
    network = next(one["network"] for one in draft.buses if one["id"] == bus)
    return any(one["id"] == network and carrier in one["carriers"] for one in draft.networks)


def _hot_buses(draft: _Draft) -> list[str]:
    return [bus["id"] for bus in draft.buses if _carries(draft, bus["id"], "heat")]


def _bus(draft: _Draft) -> str:
    return str(draft.one_of(draft.buses)["id"])


def _loads(draft: _Draft, scale: float, *, price_min: int) -> None:
    net = draft.chance(0.25)
    shape = draft.one_of(SHAPES)
    top = scale * draft.between(1, 80)
    draft.series.append({"id": "load", "kind": "load", "unit": "kW", "resolution_min": draft.one_of((15, 15, 30, price_min)),
                         **({"minimum": -3 * top} if net else {})})
    draft.histories["load"] = np.array([top, net, SHAPES.index(shape)], dtype=float)
    draft.words.append(f"load {shape}{' net' if net else ''} {top} kW")
    for _ in range(int(draft.rng.integers(1, 4))):
        bus = _bus(draft)
        kvar_per_kw = 0.3 if _carries(draft, bus, "reactive") and draft.chance(0.5) else 0.0
        draft.add("demand", id=draft.name("demand"), bus=bus, series="load", series_share=draft.between(0.1, 1), kvar_per_kw=kvar_per_kw,
                  dump_max_kw=draft.one_of((0.0, 0.0, scale * 10)))
    draft.series.append({"id": "price", "kind": "price", "unit": "USD/kWh", "resolution_min": price_min, "minimum": None})
    hot = _hot_buses(draft)
    if hot and draft.chance(0.6):
        shape = draft.one_of(SHAPES)
        heat = scale * draft.between(1, 50)
        draft.series.append({"id": "heat", "kind": "heat", "unit": "kWth", "resolution_min": 15})
        draft.histories["heat"] = np.array([heat, 0, SHAPES.index(shape)], dtype=float)
        draft.words.append(f"heat {shape} {heat} kWth")
        for bus in hot:
            draft.add("demand", id=draft.name("demand"), bus=bus, series="heat", carrier="heat", series_share=draft.between(0.1, 1))


def _sources(draft: _Draft, scale: float) -> None:
    for kind in ("pv", "wind"):
        if draft.chance(0.5):
            top = scale * draft.between(1, 100)
            draft.series.append({"id": kind, "kind": kind, "unit": "kW", "resolution_min": 15, "capacity_kw": top})
            shape = draft.one_of(("daily", "zero", "rare", "noise")) if kind == "wind" else "daily"
            draft.histories[kind] = np.array([top, 0, SHAPES.index(shape)], dtype=float)
            draft.add("source", id=draft.name("source"), bus=_bus(draft), series=kind,
                      curtailment_cost_per_kwh=draft.one_of((0.0, 0.05)))


def _stores(draft: _Draft, scale: float) -> None:
    hot = _hot_buses(draft)
    for _ in range(int(draft.rng.integers(0, 3))):
        carrier = "heat" if hot and draft.chance(0.3) else "active"
        energy, power = scale * draft.between(1, 200), scale * draft.between(1, 60)
        draft.add("store", id=draft.name("store"), bus=draft.one_of(hot) if carrier == "heat" else _bus(draft), carrier=carrier,
                  charge_max_kw=power, discharge_max_kw=draft.one_of((power, power / 2)), energy_max_kwh=energy,
                  energy_min_kwh=draft.one_of((0.0, 0.1 * energy)), energy_initial_kwh=draft.one_of((0.1, 0.5, 1.0)) * energy,
                  charge_efficiency_share=draft.one_of((1.0, 0.95, 0.8)), discharge_efficiency_share=draft.one_of((1.0, 0.95, 0.8)),
                  hourly_retention_share=draft.one_of((1.0, 0.99)), wear_cost_per_kwh=draft.one_of((0.0, 0.001)),
                  cycle=draft.one_of(("equal", "at_least", "none")))


def _engines(draft: _Draft, scale: float) -> None:
    """Generators with and without commitment, CHP, boilers, heaters."""
    hot = _hot_buses(draft)
    for _ in range(int(draft.rng.integers(0, 3))):
        power = scale * draft.between(2, 80)
        low = draft.one_of((0.0, 0.0, 0.3)) * power
        unit: dict[str, Any] = {"power_max_kw": power, "power_min_kw": low, "cost_linear_per_kwh": draft.between(0.02, 0.4),
                                "segment_count": 2}
        if draft.chance(0.4):
            unit |= {"commitment.start_cost": draft.one_of((0.0, 3.0)), "commitment.min_up_h": draft.one_of((0, 2, 5)),
                     "commitment.min_down_h": draft.one_of((0, 2)), "commitment.on_initially": draft.one_of((True, False))}
        elif low > 0:
            unit["power_min_kw"] = 0.0
        if draft.chance(0.3):
            begins = unit["power_min_kw"] if unit.get("commitment.on_initially", True) else 0.0
            unit |= {"ramp_kw_per_h": power * draft.one_of((0.5, 2.0)), "power_initial_kw": begins}
        draft.add("generator", id=draft.name("generator"), bus=_bus(draft), **unit)
    if hot and draft.chance(0.5):
        draft.add("chp", id="chp_1", bus=draft.one_of(hot), power_max_kw=scale * draft.between(2, 60), heat_to_power_factor=1.2,
                  fuel_cost_per_kwh=0.1, mode=draft.one_of(("cogeneration", "electric_heater")), vent_allowed=draft.one_of((True, False)))
    if hot and draft.chance(0.5):
        draft.add("converter", id="boiler_1", bus=draft.one_of(hot), input_carrier=draft.one_of(("fuel", "active")), output_carrier="heat",
                  power_max_kw=scale * draft.between(2, 60), conversion_factor=0.95, cost_per_kwh=0.06)


def _vehicles(draft: _Draft, scale: float) -> None:
    if not draft.chance(0.4):
        return
    observed = draft.chance(0.7)
    draft.add("ev_fleet", id="fleet", bus=_bus(draft), vehicle_count=int(draft.rng.integers(1, 12)), charger_kw=draft.one_of((3.7, 11.0)),
              battery_kwh=draft.one_of((24.0, 60.0)), charge_efficiency_share=0.9, departure_hours=draft.one_of(("4 6", "6")))
    if not observed:
        draft.devices["ev_fleet"][0] |= {
            "sessions.arrival_h.mean": 18, "sessions.arrival_h.sd": 1.5, "sessions.arrival_h.low": 14, "sessions.arrival_h.high": 22,
            "sessions.departure_h.mean": 6.5, "sessions.departure_h.sd": 0.5, "sessions.departure_h.low": 5, "sessions.departure_h.high": 8,
            "sessions.arrival_energy_share.mean": 0.4, "sessions.arrival_energy_share.sd": 0.1, "sessions.arrival_energy_share.low": 0.2,
            "sessions.arrival_energy_share.high": 0.6, "sessions.departure_energy_share": 0.9, "sessions.seed": 3}
    draft.words.append("fleet observed" if observed else "fleet by its law")


# ---------------------------------------------------------------------- what was measured


def _shape(draft: _Draft, name: str, hours: Floats) -> Floats:
    """(T,) relative values, 0 to about 1."""
    of_day, day = hours % 24, (hours // 24).astype(int)
    noise = draft.rng.random(len(hours))
    made: dict[str, Callable[[], Floats]] = {
        "daily": lambda: 0.4 + 0.3 * np.sin((of_day - 9) / 24 * 2 * np.pi) + 0.2 * noise,
        "zero_at_night": lambda: np.where((of_day > 7) & (of_day < 19), 0.5 + 0.4 * noise, 0.0),
        "constant": lambda: np.full(len(hours), 0.5),
        "noise": lambda: noise,
        "steps": lambda: np.repeat(draft.rng.random(len(hours) // 24 + 1), 24)[: len(hours)],
        "zero": lambda: np.zeros(len(hours)),
        "rare": lambda: np.where(noise > 0.95, 0.8, 0.0),
        "weekday_only": lambda: np.where(day % 7 < 5, 0.5 + 0.3 * noise, 0.0),
    }
    return made[name]()


def _histories(draft: _Draft, day: DeliveryDay, days: int) -> tuple[int, int]:
    """Replace what was thrown for each series by its values; returns the span as epoch seconds.

    The day before and the day itself are there; sometimes they end in the middle of the day, as on a live morning.
    """
    first, last = day.start - days * 86400, day.end
    if draft.chance(0.15):
        last = day.start + (day.end - day.start) // 3600 // 2 * 3600
        draft.words.append("half of the day is known")
    first, last = first // 3600 * 3600, last // 3600 * 3600
    for series in draft.series:
        minutes = series["resolution_min"]
        hours = np.arange(first, last, minutes * 60) / 3600.0
        if series["kind"] == "price":
            level = draft.one_of((0.1, 0.1, 0.03, 1500.0))
            values = level * (1 + 0.5 * np.sin(hours / 24 * 2 * np.pi) + 0.2 * draft.rng.standard_normal(len(hours)))
            if draft.chance(0.3):
                values -= level
            if draft.chance(0.1):
                values = np.zeros(len(hours))
            draft.words.append(f"price about {level}")
        else:
            top, net, shape = draft.histories[series["id"]]
            values = top * np.maximum(_shape(draft, SHAPES[int(shape)], hours), 0)
            if series["kind"] == "pv":
                values = top * np.clip(np.sin((hours % 24 - 6) / 12 * np.pi), 0, 1) * (0.3 + 0.7 * draft.rng.random(len(hours)))
            if net:
                values = values - top * np.clip(np.sin((hours % 24 - 6) / 12 * np.pi), 0, 1) * draft.rng.random(len(hours)) * 1.5
        if draft.chance(0.2):
            values[draft.rng.random(len(values)) < 0.03] = np.nan
        draft.histories[series["id"]] = values
    return first, last


def _sessions(draft: _Draft, day: DeliveryDay) -> list[list[str]]:
    """Charging sessions as a log has them: some want more than their stay allows, some stay for days, some leave at once."""
    rows = []
    fleet = draft.devices["ev_fleet"][0]
    gone = draft.chance(0.15)  # nobody came for the last weeks
    for back in range(-1, 20):
        for vehicle in range(fleet["vehicle_count"]):
            if draft.chance(0.4) or (gone and back < 15):
                continue
            arrival = day.start - back * 86400 + int(draft.rng.normal(17.5, 2) * 3600)
            stay = max(int(draft.rng.normal(10, 5) * 3600), 60 * int(draft.rng.integers(1, 40)))
            need = draft.between(0.5, fleet["battery_kwh"])
            times = [datetime.fromtimestamp(one, UTC).isoformat() for one in (arrival, arrival + stay)]
            rows.append([f"v{vehicle}_{back}", *times, str(need)])
    return rows


def _overrides(draft: _Draft, day: DeliveryDay) -> list[dict[str, Any]]:
    """A person's words, sometimes."""
    if not draft.chance(0.25):
        return []
    kinds = [one["id"] for kind in draft.devices for one in draft.devices[kind] if kind in ("store", "generator", "chp", "source")]
    if not kinds:
        return []
    draft.words.append("an override")
    start = day.start + 3600 * int(draft.rng.integers(0, 12))
    return [{"target": draft.one_of(kinds), "quantity": "out", "value": None, "start": datetime.fromtimestamp(start, UTC).isoformat(),
             "end": datetime.fromtimestamp(start + 7200, UTC).isoformat(), "author": "engineer", "reason": "work on the line",
             "known_at": datetime.fromtimestamp(start - 1800, UTC).isoformat()}]


# ---------------------------------------------------------------------- files


def _write(folder: Path, draft: _Draft, day: DeliveryDay, span: tuple[int, int], head: dict[str, Any]) -> None:
    folder.mkdir(parents=True)
    sources = []
    for series in draft.series:
        step = series["resolution_min"] * 60
        rows = [[datetime.fromtimestamp(span[0] + k * step, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), "" if np.isnan(value) else f"{value:.6g}"]
                for k, value in enumerate(draft.histories[series["id"]])]
        _table(folder / f"history_{series['id']}.csv", ["time", "value"], rows)
        sources.append({"kind": "file", "id": f"file_{series['id']}", "path": f"history_{series['id']}.csv", "mapping": {
            "time_column": "time", "resolution_min": series["resolution_min"],
            "columns": [{"column": "value", "series": series["id"], "unit": series["unit"]}]}})
    fleets = draft.devices.get("ev_fleet", [])
    if fleets and "sessions.seed" not in fleets[0]:
        rows = [["fleet", *row] for row in _sessions(draft, day)]
        _table(folder / "sessions.csv", ["fleet", "session", "arrival", "departure", "need_kwh"], rows)
        sources.append({"kind": "sessions", "id": "log", "path": "sessions.csv"})
    elif fleets:
        sources.append({"kind": "ev_sessions", "id": "log", "first_date": str(day.date - timedelta(days=20)), "days": 22})
    for kind, devices in draft.devices.items():
        columns = list(dict.fromkeys(name for one in devices for name in one))
        _table(folder / f"{kind}.csv", columns, [[_cell(one.get(name)) for name in columns] for one in devices])
    tables = {name: getattr(draft, name) for name in ("networks", "buses", "branches", "ties", "series")}
    case = {**head, **tables, "sources": sources}
    (folder / "case.yaml").write_text(yaml.safe_dump(case, sort_keys=False), encoding="utf-8")


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def _table(path: Path, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
