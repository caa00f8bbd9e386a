"""One site behind one meter, as files: a load, a price, a battery and a vehicle whose costs can be worked out beside the program."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp
import yaml
from scipy.optimize import linprog

from pipeline.core.clock import DeliveryDay

Floats = np.ndarray[Any, np.dtype[np.float64]]

DATE = date(2024, 6, 12)
ZONE = "Etc/GMT-1"  # an offset that is not zero keeps a mix-up of local time and UTC from passing unseen
DAY = DeliveryDay(DATE, ZONE)
HISTORY_DAYS = 18  # enough for a fitted model, which looks at what came during the day
STORE: dict[str, Any] = {"id": "battery", "bus": "site", "charge_max_kw": 10, "discharge_max_kw": 8, "charge_efficiency_share": 0.8,
                         "discharge_efficiency_share": 1, "energy_max_kwh": 32, "energy_initial_kwh": 0}
DEMAND: dict[str, Any] = {"id": "house", "bus": "site", "series": "load"}
NAMES = ("load", "price")


def write_site(folder: Path, devices: Mapping[str, Sequence[Mapping[str, Any]]], *, settings: Mapping[str, Any],
               variants: Mapping[str, Any] | None = None, tables: Mapping[str, Sequence[float]] | None = None,
               histories: Mapping[str, Floats] | None = None, tie: Mapping[str, Any] | None = None) -> Path:
    """Write a case folder. tables: (24,) by local hour and series, with which all is known; histories: else, from `history_start`
    on in quarter-hours (price too). tie: fields of the tie to the market to change."""
    folder.mkdir(parents=True)
    series = [{"id": "load", "kind": "load", "unit": "kW", "resolution_min": 15, "minimum": -1000},
              {"id": "price", "kind": "price", "unit": "USD/kWh", "resolution_min": 15, "minimum": None}]
    sources = []
    if tables is not None:
        rows = [[slot, *values] for slot, values in enumerate(zip(*tables.values(), strict=True), start=1)]
        write_table(folder / "profiles.csv", ["slot", *tables], rows)
        series = [{**one, "profile": one["id"], "resolution_min": 60} for one in series]
    for name, values in (histories or {}).items():
        starts = history_start() + 900 * np.arange(len(values))
        rows = [[datetime.fromtimestamp(int(at), UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), repr(float(value))]
                for at, value in zip(starts, values, strict=True)]
        write_table(folder / f"{name}.csv", ["valid_from", name], rows)
        unit = "USD/kWh" if name == "price" else "kW"
        sources.append({"kind": "file", "id": name, "path": f"{name}.csv", "mapping": {
            "resolution_min": 15, "columns": [{"column": name, "series": name, "unit": unit}]}})
    for kind, every in devices.items():
        write_table(folder / f"{kind}.csv", list(every[0]), [list(one.values()) for one in every])
    grid = {"id": "grid", "lower_bus": "site", "exchange_min_kw": -100, "exchange_max_kw": 100, "market": {"price_series": "price"}}
    (folder / "case.yaml").write_text(yaml.safe_dump({
        "name": folder.name, "currency": "USD", "time_zone": ZONE, "default_date": DATE, "slot_start_hour": 0, "balancing_tie": "grid",
        "networks": [{"id": "site", "kind": "copper_plate", "carriers": ["active"]}], "buses": [{"id": "site", "network": "site"}],
        "series": series, "sources": sources, "ties": [{**grid, **(tie or {})}], "settings": dict(settings),
        "variants": dict(variants or {}),
    }, sort_keys=False))
    return folder


def history_start() -> int:
    """UTC epoch seconds of the first value of a history."""
    return DAY.shifted(-HISTORY_DAYS).start


def write_table(path: Path, head: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(head)
        writer.writerows(rows)


def least_cost(prices: Floats, loads_kw: Floats, *, step_h: float, store: Mapping[str, Any] = STORE, scheduled_kw: Floats | None = None,
               deviation_price_per_kwh: float = 0.0) -> float:
    """What a day costs at best with a battery, USD; its energy returns to where it began, but with `cycle: none`.

    prices, loads and positions: (T,), by steps of `step_h`. Written apart from the program: charge, discharge, the energy after each step,
    and how far the exchange is off its position, above and below.
    """
    count, initial = len(prices), float(store["energy_initial_kwh"])
    one, none = sp.eye_array(count), sp.csr_array((count, count))
    before = sp.diags_array(np.ones(count - 1), offsets=-1, shape=(count, count))
    balance = sp.hstack([-store["charge_efficiency_share"] * step_h * one, step_h / store["discharge_efficiency_share"] * one, one - before,
                         none, none])
    positions = loads_kw if scheduled_kw is None else scheduled_kw
    off = sp.hstack([one, -one, none, -one, one])  # charge - discharge - over + under = position - load
    start = np.zeros(count)
    start[0] = initial
    limits = [*[(0.0, store["charge_max_kw"])] * count, *[(0.0, store["discharge_max_kw"])] * count,
              *[(0.0, store["energy_max_kwh"])] * count, *[(0.0, None)] * (2 * count)]
    if store.get("cycle") != "none":
        limits[3 * count - 1] = (initial, initial)
    weight = np.full(2 * count, deviation_price_per_kwh * step_h)
    found = linprog(np.concatenate([prices * step_h, -prices * step_h, np.zeros(count), weight]), A_eq=sp.vstack([balance, off]),
                    b_eq=np.concatenate([start, positions - loads_kw]), bounds=limits)
    assert found.status == 0, found.message
    return float(found.fun + (prices * loads_kw).sum() * step_h)


def measured(days: int = HISTORY_DAYS + 1) -> dict[str, Floats]:
    """Quarter-hours of a load (kW) and a price (USD/kWh) from `history_start` on: a daily course, and noise that lasts for hours."""
    rng, hours = np.random.default_rng(20240612), np.arange(96 * days) / 4 % 24

    def noise() -> Floats:
        return np.convolve(rng.standard_normal(96 * days + 11), np.ones(12) / np.sqrt(12), "valid")

    return {"load": 40 + 12 * np.sin((hours - 9) / 12 * np.pi) + 3 * noise(),
            "price": 0.2 + 0.08 * np.sin((hours - 14) / 12 * np.pi) + 0.02 * noise()}
