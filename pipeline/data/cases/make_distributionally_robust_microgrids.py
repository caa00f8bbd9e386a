"""Writes the case of four microgrids with two EV aggregators: `python pipeline/data/cases/make_distributionally_robust_microgrids.py`.

Four microgrids joined by six lines, five diesel units, two fuel cells, two stores, wind and PV in each, two EV aggregators. case.yaml is
written by hand and stays; only the CSV tables are made here.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from case_tables import read_table, write_table

HERE = Path(__file__).parent
TABLES = HERE / "tables" / "distributionally_robust_microgrids"
FOLDER = HERE / "distributionally_robust_microgrids"
MICROGRIDS = ("mg1", "mg2", "mg3", "mg4")
WIND_KW, PV_KW = 1200.0, 400.0  # installed in every microgrid
RENEWABLE_COST = 0.02  # running cost of wind and PV, yuan/kWh
WHEELING_SHARE = 0.02  # of the mean tariff of a line's ends
DEVIATION_PRICE = 0.05  # of a line from its scheduled flow, yuan/kWh
MAIN_GRID_FACTOR = 1.5  # purchase from the main grid over the tariff, dearer than every unit
SURPLUS_KW = 10000.0  # that a microgrid can burn at the price of slack: more than all its units give
DEAR, BEFORE_SHARE = 0.337, 0.65
UNCONTROLLED = {"eva1": 40.0, "eva2": 60.0}
SITES = {"eva1": "mg1", "eva2": "mg3"}
Rows = list[dict[str, Any]]


EV = {row["parameter"]: float(row["value"]) for row in read_table(TABLES, "ev_parameters")}


def profiles() -> Rows:
    """Slot n is the n-th hour from 03:00."""
    rows = []
    for load, renewable, tariff in zip(*(read_table(TABLES, name) for name in ("load_forecast", "res_forecast", "tou")), strict=True):
        row: dict[str, Any] = {"slot": load["slot"]}
        for mg in MICROGRIDS:
            price = float(tariff[f"{mg}_yuan_per_kwh"])
            row |= {f"{mg}_load_kw": load[f"{mg}_kw"], f"{mg}_pv_kw": renewable[f"{mg}_pv_kw"], f"{mg}_wind_kw": renewable[f"{mg}_wt_kw"],
                    f"{mg}_tou_cny_per_kwh": price}
        row["main_grid_cny_per_kwh"] = round(MAIN_GRID_FACTOR * float(tariff["mg1_yuan_per_kwh"]), 6)
        row["flat"] = 1.0
        rows.append(row)
    return rows


def series() -> Rows:
    own = {"resolution_min": 60, "synthetic": "true"}
    rows: Rows = []
    for mg in MICROGRIDS:
        rows.append({"id": f"{mg}_load", "kind": "load", "unit": "kW", "profile": f"{mg}_load_kw", "capacity_kw": "", **own})
        rows.append({"id": f"{mg}_wind", "kind": "wind", "unit": "kW", "profile": f"{mg}_wind_kw", "capacity_kw": WIND_KW, **own})
        rows.append({"id": f"{mg}_pv", "kind": "pv", "unit": "kW", "profile": f"{mg}_pv_kw", "capacity_kw": PV_KW, **own})
    for mg in MICROGRIDS:
        rows.append({"id": f"{mg}_tou", "kind": "price", "unit": "CNY/kWh", "profile": f"{mg}_tou_cny_per_kwh", "capacity_kw": "", **own})
    rows.append({"id": "main_grid_price", "kind": "price", "unit": "CNY/kWh", "profile": "main_grid_cny_per_kwh", "capacity_kw": "", **own})
    rows.append({"id": "ev_uncontrolled", "kind": "other", "unit": "kW", "profile": "flat", "capacity_kw": "", **own})
    return rows


def generators() -> Rows:
    return [
        {"id": unit["unit"].lower(), "bus": unit["mg"], "power_max_kw": unit["power_max_kw"], "power_min_kw": unit["power_min_kw"],
         "cost_linear_per_kwh": unit["energy_cost_yuan_per_kwh"], "segment_count": 1, "ramp_kw_per_h": unit["ramp_kw_per_h"],
         "power_initial_kw": before_kw(unit), "commitment.start_cost": unit["start_cost_yuan"],
         "commitment.stop_cost": unit["stop_cost_yuan"], "commitment.min_up_h": unit["min_up_h"],
         "commitment.min_down_h": unit["min_down_h"]}
        for unit in read_table(TABLES, "diesel_generators")
    ]


def before_kw(unit: dict[str, str]) -> float:
    """Power before the day (ours): the dear units at their least, from which they may stop; the others where all is in an hour's reach."""
    dear = float(unit["energy_cost_yuan_per_kwh"]) > DEAR
    return float(unit["power_min_kw"]) if dear else round(BEFORE_SHARE * float(unit["power_max_kw"]), 3)


def stores() -> Rows:
    return [
        {"id": unit["unit"].lower(), "bus": unit["mg"], "carrier": "active", "charge_max_kw": unit["power_max_kw"],
         "discharge_max_kw": unit["power_max_kw"], "charge_efficiency_share": unit["eta_charge"],
         "discharge_efficiency_share": unit["eta_discharge"], "energy_max_kwh": float(unit["energy_kwh"]) * float(unit["soc_max"]),
         "energy_min_kwh": float(unit["energy_kwh"]) * float(unit["soc_min"]),
         "energy_initial_kwh": float(unit["energy_kwh"]) * float(unit["soc_start_end"]),
         "wear_cost_per_kwh": unit["wear_cost_yuan_per_kwh"], "ramp_kw_per_h": unit["ramp_kw_per_h"], "cycle": "equal"}
        for unit in read_table(TABLES, "energy_storage")
    ]


def connections() -> Rows:
    return [{"aggregator": row["aggregator"].lower(), "connect_slot": row["connect_slot"], "dwell_h": row["dwell_h"],
             "vehicle_count": row["vehicles"]} for row in read_table(TABLES, "ev_connection")]


def start_kwh(name: str) -> float:
    """Energy with which the first day begins: what vehicles need then that leave on that day, equation (11) of the book.

    Counted in quarter-hours, which is a little more than in hours: of n vehicles that leave in an hour, the last go at its end.
    """
    rows = [row for row in connections() if row["aggregator"] == name]
    leaving = dict.fromkeys(range(1, 25), 0)
    for row in rows:
        leaving[(int(row["connect_slot"]) + int(row["dwell_h"]) - 1) % 24 + 1] += int(row["vehicle_count"])
    total = 0.0
    for row in rows:
        after = int(row["connect_slot"]) + int(row["dwell_h"]) - 24
        for quarter in range(4) if after > 0 else ():
            share = (leaving[after] + quarter) // 4 / leaving[after]
            still = (after - (3 - quarter) / 4) * EV["eta_charge"] * EV["power_max_kw"] / EV["battery_kwh"]
            total += share * int(row["vehicle_count"]) * EV["battery_kwh"] * max(EV["soc_min"], EV["soc_depart"] - still)
    return round(total, 3)


def aggregators() -> Rows:
    return [
        {"id": name, "bus": mg, "vehicle_count": sum(int(row["vehicle_count"]) for row in connections() if row["aggregator"] == name),
         "early_departure_budget_count": int(EV[f"early_leave_budget_{name}"]), "energy_initial_kwh": start_kwh(name)}
        for name, mg in SITES.items()
    ]


def lines() -> Rows:
    rows: Rows = [
        {"id": line["line"].lower(), "upper_bus": line["from_mg"], "lower_bus": line["to_mg"],
         "exchange_min_kw": -float(line["power_max_kw"]), "exchange_max_kw": line["power_max_kw"],
         "ramp_kw_per_h": line["ramp_kw_per_h"], "deviation_price_per_kwh": DEVIATION_PRICE,
         "position": "expected", "reactance_pu": line["reactance_pu"], "wheeling.price_share": WHEELING_SHARE,
         "wheeling.upper_price_series": f"{line['from_mg']}_tou", "wheeling.lower_price_series": f"{line['to_mg']}_tou"}
        for line in read_table(TABLES, "tie_lines")
    ]
    # The main grid is there, but nothing may pass: the variant `main_grid` opens it.
    return [*rows, {"id": "main_grid", "lower_bus": "mg1", "exchange_min_kw": 0.0, "exchange_max_kw": 0.0, "scheduled": "false",
                    "market.price_series": "main_grid_price"}]


def main() -> None:
    write_table(FOLDER, "networks", ({"id": mg, "kind": "copper_plate", "carriers": "active"} for mg in MICROGRIDS))
    write_table(FOLDER, "buses", ({"id": mg, "network": mg} for mg in MICROGRIDS))
    write_table(FOLDER, "profiles", profiles())
    write_table(FOLDER, "series", series())
    demands: Rows = [{"id": f"{mg}_load", "bus": mg, "series": f"{mg}_load", "series_share": 1.0, "dump_max_kw": SURPLUS_KW}
                     for mg in MICROGRIDS]
    demands += [{"id": f"{name}_uncontrolled", "bus": SITES[name], "series": "ev_uncontrolled", "series_share": power}
                for name, power in UNCONTROLLED.items()]
    write_table(FOLDER, "demand", demands)
    write_table(FOLDER, "source", ({"id": f"{mg}_{kind}", "bus": mg, "series": f"{mg}_{kind}", "feed_in_cost_per_kwh": RENEWABLE_COST}
                     for mg in MICROGRIDS for kind in ("wind", "pv")))
    write_table(FOLDER, "generator", generators())
    write_table(FOLDER, "converter", ({"id": unit["unit"].lower(), "bus": unit["mg"], "input_carrier": "fuel", "output_carrier": "active",
                         "power_max_kw": unit["power_max_kw"], "power_min_kw": unit["power_min_kw"],
                         "cost_per_kwh": unit["energy_cost_yuan_per_kwh"], "ramp_kw_per_h": unit["ramp_kw_per_h"]}
                        for unit in read_table(TABLES, "fuel_cells")))
    write_table(FOLDER, "store", stores())
    write_table(FOLDER, "ev_aggregator", aggregators())
    write_table(FOLDER, "ev_connections", connections())
    write_table(FOLDER, "ties", lines())


if __name__ == "__main__":
    main()
