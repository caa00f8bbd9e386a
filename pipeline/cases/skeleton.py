"""`feederflow case new`: a commented case of one's own that checks, loads and runs as it is."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from pipeline.core.errors import InputError, Mistake

TEMPLATE = Path(__file__).parent / "skeleton_files" / "case.yaml"
FIRST_DAY = datetime(2024, 4, 30, 22, tzinfo=UTC)  # midnight of 1 May in Berlin
DAYS = 44
DEFAULT_DATE = "2024-06-12"

# An empty cell takes the default of its field, or what case.yaml gives for all devices of the kind.
TABLES = {
    "buses.csv": """\
# Every bus belongs to exactly one network.
id,network
b1,feeder
b2,feeder
b3,feeder
""",
    "branches.csv": """\
# A lindistflow network is a tree that hangs on its slack bus. rating_kva may stay empty: loading is then not reported.
id,from_bus,to_bus,r_ohm,x_ohm,rating_kva
b1_b2,b1,b2,0.010,0.004,150
b2_b3,b2,b3,0.015,0.006,150
""",
    "demand.csv": """\
# Load = series x series_share. It can be shed, at the slack price.
id,bus,series,series_share,kvar_per_kw
village,b2,load,0.7,0.3
farm,b3,load,0.3,0.3
""",
    "source.csv": """\
# PV or wind: the series is what is available; it may be curtailed.
id,bus,series
roof_pv,b3,pv
""",
    "store.csv": """\
# Energy is at the end of an interval; powers are at the bus.
id,bus,charge_max_kw,discharge_max_kw,energy_max_kwh,energy_initial_kwh
battery,b2,30,30,90,45
""",
    "series.csv": """\
# A history and its forecast. pv and wind need the installed power.
id,kind,unit,resolution_min,capacity_kw,synthetic
load,load,kW,15,,true
pv,pv,kW,15,60,true
price,price,USD/kWh,60,,true
""",
}


def new_case(folder: Path) -> list[Path]:
    """Writes the skeleton into a new or empty folder, whose name becomes the case's; the files written, case.yaml first.

    InputError where the name is no identifier or the folder already holds something.
    """
    folder = Path(folder)
    name = folder.resolve().name
    if not re.fullmatch(r"[a-z0-9][a-z0-9_]*", name):
        nearest = re.sub(r"[^a-z0-9_]+", "_", name.lower()).strip("_") or "my_case"
        raise InputError(Mistake(str(folder), f"'{name}' is no name of a case", f"use a-z, 0-9 and _ only: {nearest}"))
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(Mistake(str(folder), "is there already and is not empty", "give a new folder"))
    folder.mkdir(parents=True, exist_ok=True)
    text = TEMPLATE.read_text(encoding="utf-8").replace("{name}", name).replace("{default_date}", DEFAULT_DATE)
    files = {"case.yaml": text, **TABLES, **_histories()}
    for file, content in files.items():
        (folder / file).write_text(content, encoding="utf-8", newline="\n")
    return [folder / file for file in files]


def _histories() -> dict[str, str]:
    """Made-up weeks that look like a village: 15-minute load and PV, hourly price."""
    rng = np.random.default_rng(20240501)
    hour = np.arange(DAYS * 96) / 4.0
    of_day, day = hour % 24, (hour // 24).astype(np.int64)
    weekend = np.isin((day + 2) % 7, (5, 6))  # 1 May 2024 is a Wednesday
    shape = 28 + 14 * np.exp(-(((of_day - 8) / 2.2) ** 2)) + 24 * np.exp(-(((of_day - 19) / 2.6) ** 2))
    load = shape * np.where(weekend, 0.9, 1.0) * (1 + 0.05 * rng.standard_normal(DAYS)[day]) * (1 + _red_noise(rng, len(hour), 0.03))
    height = np.clip(np.sin(np.pi * (of_day - 5.5) / 15.5), 0, None) * ((of_day > 5.5) & (of_day < 21))
    clear = np.clip(rng.uniform(0.35, 1.0, DAYS)[day] * (1 + _red_noise(rng, len(hour), 0.12)), 0.05, 1.0)
    pv = 50 * height**1.3 * clear
    hours = np.arange(DAYS * 24)
    daily = 1 + 0.1 * rng.standard_normal(DAYS)[hours // 24]
    price = (95 + 35 * np.sin(2 * np.pi * (hours % 24 - 13) / 24) ** 2 - 30 * ((hours % 24) < 6)) * daily
    price = price * (1 + 0.05 * rng.standard_normal(len(hours)))
    meters = [f"{_stamp(15 * k)},{load[k]:.2f},{pv[k]:.2f}" for k in range(len(hour))]
    prices = [f"{_stamp(60 * k)},{price[k]:.2f}" for k in range(len(hours))]
    return {
        "history.csv": "\n".join(["time,load_kw,pv_kw", *meters]) + "\n",
        "prices.csv": "\n".join(["time,price_usd_per_mwh", *prices]) + "\n",
    }


def _stamp(minutes: int) -> str:
    return (FIRST_DAY + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _red_noise(rng: np.random.Generator, count: int, sd: float) -> np.ndarray:
    """AR(1) with coefficient 0.9 and the given stationary deviation, (count,)."""
    shocks = rng.standard_normal(count) * sd * np.sqrt(1 - 0.9**2)
    values = np.empty(count)
    level = 0.0
    for k in range(count):
        level = 0.9 * level + shocks[k]
        values[k] = level
    return values
