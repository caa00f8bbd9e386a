"""A feeder of 20 buses with two workplace car parks, from recorded charging sessions; and the study of four weeks of it.

    python pipeline/data/cases/make_workplace_charging.py STUDY_DATA FOLDER
    feederflow study FOLDER/four_weeks.yaml --home HOME

STUDY_DATA holds `ev_sessions_2019.csv.gz` (ACN-Data, CC BY 4.0: arrival, departure, requested energy of two sites),
`real_time_15min.csv` and `day_ahead_hourly.csv` (a year of load, PV and prices; see SOURCE.md beside them). The sessions move 156 weeks
back, so that weekdays stay: October 2019 becomes October 2016. What is asked for in kWh is the need, at chargers of 7 kW.
"""

from __future__ import annotations

import argparse
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

ZONE = "America/Los_Angeles"
WEEKS = 156
FIRST, LAST = "2016-09-01", "2016-11-08"  # of the histories
STUDY = ("2016-10-10", "2016-11-06")  # the second Sunday is the night of the clock change
CHARGER_KW = 7.0
BUSES = tuple(f"b{number:02d}" for number in range(1, 21))
PARKS = {"caltech": "b08", "jpl": "b16"}
LOAD_KW, PV_KW = 600.0, 250.0


def sessions_of(path: Path) -> pd.DataFrame:
    """fleet, arrival, departure (aware), need_kwh, station of every recorded session, in 2016."""
    raw = pd.read_csv(path)
    moved = {name: pd.to_datetime(raw[name], utc=True).dt.tz_convert(ZONE).dt.tz_localize(None) - pd.Timedelta(weeks=WEEKS)
             for name in ("arrival", "departure")}
    found = pd.DataFrame({"fleet": raw["site"], **moved, "need_kwh": raw["requested_energy (kWh)"], "station": raw["station_id"]})
    return found[(found["arrival"] >= FIRST) & (found["arrival"] < LAST)].sort_values(["fleet", "arrival"])


def write_sessions(sessions: pd.DataFrame, folder: Path) -> None:
    """sessions.csv with offsets: a stamp of the hour that repeats says which it is."""
    found = sessions[["fleet", "arrival", "departure", "need_kwh"]].copy()
    for name in ("arrival", "departure"):
        local = found[name].dt.tz_localize(ZONE, ambiguous=np.zeros(len(found), dtype=bool), nonexistent="shift_forward")
        found[name] = local.map(lambda moment: moment.isoformat())
    found.to_csv(folder / "sessions.csv", index=False)


def write_histories(data: Path, folder: Path) -> None:
    """meters.csv and prices.csv of 2016, in the local clock's own order, stamped in UTC."""
    quarters, hours = (pd.read_csv(data / name, parse_dates=["timestamp"]) for name in ("real_time_15min.csv", "day_ahead_hourly.csv"))
    meters = pd.DataFrame({"time": quarters["timestamp"], "load_kw": LOAD_KW * quarters["load_pu"], "pv_kw": PV_KW * quarters["pv_pu"]})
    prices = pd.DataFrame({"time": hours["timestamp"], "usd_mwh": hours["price_da_caiso_usd_mwh"]})
    for name, table in (("meters", meters), ("prices", prices)):
        time = table["time"] - pd.DateOffset(years=4)  # 2020 and 2016 have the same days
        table["time"] = (time + pd.Timedelta(hours=8)).dt.strftime("%Y-%m-%dT%H:%M:%SZ")
        table[(time >= FIRST) & (time < LAST)].round(4).to_csv(folder / f"{name}.csv", index=False)


def write_case(folder: Path, vehicles: dict[str, int]) -> None:
    """case.yaml with its tables and the study beside it. vehicles: chargers by car park."""
    file = {"kind": "file", "mapping": {"time_column": "time", "time_is": "start"}}
    case = {
        "name": "workplace_charging", "title": "Twenty buses with two workplace car parks", "currency": "USD", "time_zone": ZONE,
        "day_start_local": "00:00", "default_date": STUDY[0], "balancing_tie": "grid",
        "networks": [{"id": "feeder", "kind": "lindistflow", "carriers": ["active", "reactive"], "base_kv": 12.66,
                      "voltage_min_pu": 0.95, "voltage_max_pu": 1.05, "slack_bus": BUSES[0]}],
        "buses": [{"id": bus, "network": "feeder"} for bus in BUSES],
        "branches": [{"id": f"{one}_{other}", "from_bus": one, "to_bus": other, "r_ohm": 0.12, "x_ohm": 0.08}
                     for one, other in pairwise(BUSES)],
        "ties": [{"id": "grid", "lower_bus": BUSES[0], "exchange_min_kw": -1500, "exchange_max_kw": 1500, "reactive_max_kvar": 800,
                  "deviation_price_per_kwh": 0.01, "market": {"price_series": "price"}}],
        "series": [{"id": "load", "kind": "load", "unit": "kW", "resolution_min": 15},
                   {"id": "pv", "kind": "pv", "unit": "kW", "resolution_min": 15, "capacity_kw": PV_KW},
                   {"id": "price", "kind": "price", "unit": "USD/kWh", "resolution_min": 60, "minimum": -1}],
        "settings": {"method": {"kind": "deterministic"}, "forecast": {"model": "arima", "window_days": 28, "price_window_days": 28}},
        "sources": [
            {**file, "id": "meters", "path": "meters.csv", "mapping": {**file["mapping"], "resolution_min": 15, "columns": [
                {"column": "load_kw", "series": "load", "unit": "kW"}, {"column": "pv_kw", "series": "pv", "unit": "kW"}]}},
            {**file, "id": "market", "path": "prices.csv", "mapping": {**file["mapping"], "resolution_min": 60, "columns": [
                {"column": "usd_mwh", "series": "price", "unit": "USD/MWh"}]}},
            {"kind": "sessions", "id": "sessions", "path": "sessions.csv", "time_zone": ZONE},
        ],
        "devices": {"store": {"charge_efficiency_share": 0.95, "discharge_efficiency_share": 0.95, "wear_cost_per_kwh": 0.001,
                              "cycle": "equal"}},
    }
    (folder / "case.yaml").write_text(yaml.safe_dump(case, sort_keys=False))
    share = round(1 / (len(BUSES) - 1), 6)
    rows = {
        "demand.csv": ["id,bus,series,series_share,kvar_per_kw", *(f"load_{bus},{bus},load,{share},0.3" for bus in BUSES[1:])],
        "source.csv": ["id,bus,series", "roof_pv,b12,pv"],
        "store.csv": ["id,bus,charge_max_kw,discharge_max_kw,energy_max_kwh,energy_initial_kwh", "battery,b10,100,100,300,150"],
        "ev_fleet.csv": ["id,bus,vehicle_count,charger_kw,battery_kwh,charge_efficiency_share,departure_hours",
                         *(f"{park},{PARKS[park]},{count},{CHARGER_KW},200,0.9,11 13 15 16 17 18 23" for park, count in vehicles.items())],
    }
    for name, lines in rows.items():
        (folder / name).write_text("\n".join(lines) + "\n")
    study = {"title": "Four weeks of recorded charging sessions", "case": str(folder.resolve()), "first_date": STUDY[0],
             "last_date": STUDY[1]}
    (folder / "four_weeks.yaml").write_text(yaml.safe_dump(study, sort_keys=False))


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    words.add_argument("data", type=Path)
    words.add_argument("folder", type=Path)
    given = words.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    sessions = sessions_of(given.data / "ev_sessions_2019.csv.gz")
    write_sessions(sessions, given.folder)
    write_histories(given.data, given.folder)
    write_case(given.folder, sessions.groupby("fleet")["station"].nunique().to_dict())


if __name__ == "__main__":
    main()
