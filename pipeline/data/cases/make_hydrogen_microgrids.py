"""Writes the hydrogen-microgrid case from the small tables beside this script: `python pipeline/data/cases/make_hydrogen_microgrids.py`.

The 33-bus feeder (Baran and Wu 1989) with four gas turbines, and three microgrids with photovoltaics, wind, battery, electric boiler,
electrolyser, tank and fuel cell. case.yaml is written by hand and stays; only the CSV tables are made here.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from case_tables import read_table, write_table

HERE = Path(__file__).parent
TABLES = HERE / "tables" / "hydrogen_microgrids"
FEEDER = HERE / "tables" / "networked_microgrids"  # the 33-bus feeder is the same
FOLDER = HERE / "hydrogen_microgrids"
KWH_PER_M3 = 3.0  # lower heating value of hydrogen
VALVE_M3H = 350.0  # flow into and out of a tank (ours): more than any unit makes or takes in either reading of the efficiencies
CAPACITY_SHARE = 1.25  # installed renewable power over the peak of its profile (ours): above every error
TURBINES_BEFORE_KW = (500.0, 500.0, 500.0, 0.0)  # running before the day (ours): what the first hour of the book's optimum needs
Rows = list[dict[str, Any]]


GIVEN = {row["parameter"]: float(row["value"]) for row in read_table(TABLES, "parameters")}
SITES = {row["mg"]: int(row["bus"]) for row in read_table(TABLES, "microgrid_sites")}


def bus(number: int) -> str:
    return f"b{number:02d}"


def profiles() -> Rows:
    """Slot n is the hour that ends at n: slot 1 starts at midnight."""
    rows = []
    for load, price in zip(read_table(TABLES, "network_load"), read_table(TABLES, "tou"), strict=True):
        row = {"slot": load["hour_ending"], "network_load_kw": load["p_kw"],
               "network_kvar_per_kw": repr(float(load["q_kvar"]) / float(load["p_kw"])), "tou_cny_per_kwh": price["price_yuan_per_kwh"]}
        for own in read_table(TABLES, "microgrid_profiles"):
            if own["hour_ending"] == load["hour_ending"]:
                row |= {f"{own['mg']}_load_kw": own["load_kw"], f"{own['mg']}_heat_kwth": own["heat_kw"],
                        f"{own['mg']}_pv_kw": own["pv_kw"], f"{own['mg']}_wind_kw": own["wt_kw"]}
        rows.append(row)
    return rows


def networks() -> Rows:
    return [{"id": "distribution", "kind": "lindistflow", "carriers": "active reactive", "base_kv": GIVEN["voltage_kv"],
             "voltage_min_pu": GIVEN["voltage_min_pu"], "voltage_max_pu": GIVEN["voltage_max_pu"], "slack_bus": bus(1)},
            *({"id": name, "kind": "copper_plate", "carriers": "active heat hydrogen"} for name in SITES)]


def branches() -> Rows:
    return [{"id": f"{bus(int(line['from_bus']))}_{bus(int(line['to_bus']))}", "from_bus": bus(int(line["from_bus"])),
             "to_bus": bus(int(line["to_bus"])), "r_ohm": line["r_ohm"], "x_ohm": line["x_ohm"]}
            for line in read_table(FEEDER, "feeder33_lines")]


def ties() -> Rows:
    grid, inner = GIVEN["grid_power_max_kw"], GIVEN["tie_power_max_kw"]
    return [{"id": "grid", "lower_bus": bus(1), "exchange_min_kw": -grid, "exchange_max_kw": grid,
             "reactive_max_kvar": GIVEN["grid_reactive_max_kvar"], "market.price_series": "tou",
             "market.sell_price_factor": GIVEN["grid_sell_factor"]},
            *({"id": f"{name}_tie", "upper_bus": bus(at), "lower_bus": name, "exchange_min_kw": -inner, "exchange_max_kw": inner,
               "reactive_max_kvar": 0.0, "firm_price_series": "tou", "firm_price_factor": 2.0} for name, at in SITES.items())]


def demands() -> Rows:
    """The feeder's load is shared by nominal power. A microgrid can burn what its tie may bring by contract."""
    nominal = {int(row["bus"]): float(row["p_kw"]) for row in read_table(FEEDER, "feeder33_nominal_load")}
    total = sum(nominal.values())
    rows: Rows = [{"id": f"{bus(at)}_load", "bus": bus(at), "carrier": "active", "series": "network_load",
                   "series_share": repr(power / total), "kvar_per_kw": 0.5, "kvar_profile": "network_kvar_per_kw"}
                  for at, power in nominal.items() if power]
    for name in SITES:
        rows += [{"id": f"{name}_load", "bus": name, "carrier": "active", "series": f"{name}_load",
                  "dump_max_kw": GIVEN["tie_power_max_kw"]},
                 {"id": f"{name}_heat_load", "bus": name, "carrier": "heat", "series": f"{name}_heat"}]
    return rows


def sources() -> Rows:
    return [{"id": f"{name}_{kind}", "bus": name, "series": f"{name}_{kind}", "curtailment_cost_per_kwh": GIVEN["res_curtailment_cost"]}
            for name in SITES for kind in ("pv", "wind")]


def generators() -> Rows:
    return [{"id": row["unit"].lower(), "bus": bus(int(row["bus"])), "power_max_kw": GIVEN["gas_turbine_power_max_kw"],
             "power_min_kw": GIVEN["gas_turbine_power_min_kw"], "cost_linear_per_kwh": row["cost_yuan_per_kwh"], "segment_count": 1,
             "ramp_kw_per_h": GIVEN["gas_turbine_ramp_kw"], "power_initial_kw": before}
            for row, before in zip(read_table(TABLES, "gas_turbines"), TURBINES_BEFORE_KW, strict=True)]


def stores() -> Rows:
    """Hydrogen is counted in m3: its cost per kWh is charged on the energy content."""
    rows: Rows = []
    for name in SITES:
        rows += [
            {"id": f"{name}_battery", "bus": name, "carrier": "active", "cycle": "equal",
             "charge_max_kw": GIVEN["battery_power_max_kw"], "discharge_max_kw": GIVEN["battery_power_max_kw"],
             "charge_efficiency_share": GIVEN["battery_eta_charge"], "discharge_efficiency_share": GIVEN["battery_eta_discharge"],
             "energy_max_kwh": GIVEN["battery_energy_max_kwh"], "energy_min_kwh": GIVEN["battery_energy_min_kwh"],
             "energy_initial_kwh": GIVEN["battery_energy_start_kwh"], "wear_cost_per_kwh": GIVEN["battery_wear_cost"]},
            {"id": f"{name}_tank", "bus": name, "carrier": "hydrogen", "cycle": "at_least", "charge_max_kw": VALVE_M3H,
             "discharge_max_kw": VALVE_M3H, "charge_efficiency_share": 1.0, "discharge_efficiency_share": 1.0,
             "energy_max_kwh": GIVEN["h2_volume_max_m3"], "energy_min_kwh": GIVEN["h2_volume_min_m3"],
             "energy_initial_kwh": GIVEN["h2_volume_start_m3"], "wear_cost_per_kwh": round(GIVEN["h2_storage_cost"] * KWH_PER_M3, 9)}]
    return rows


def converters() -> Rows:
    """Heat of electrolyser and fuel cell is a share of what they lose; what is not used leaves over the boiler's vent."""
    rows: Rows = []
    for name in SITES:
        rows += [
            {"id": f"{name}_electrolyser", "bus": name, "input_carrier": "active", "output_carrier": "hydrogen",
             "power_max_kw": GIVEN["electrolyzer_power_max_kw"], "conversion_factor": GIVEN["h2_eta_in"],
             "waste_heat_share": GIVEN["electrolyzer_heat_coef"], "cost_per_kwh": GIVEN["electrolyzer_cost"], "vent_allowed": "false",
             "exclusive_with": f"{name}_fuel_cell"},
            {"id": f"{name}_fuel_cell", "bus": name, "input_carrier": "hydrogen", "output_carrier": "active",
             "power_max_kw": GIVEN["fuel_cell_power_max_kw"], "conversion_factor": GIVEN["h2_eta_out"],
             "waste_heat_share": GIVEN["fuel_cell_heat_coef"], "cost_per_kwh": GIVEN["fuel_cell_cost"], "vent_allowed": "false"},
            {"id": f"{name}_boiler", "bus": name, "input_carrier": "active", "output_carrier": "heat",
             "power_max_kw": GIVEN["boiler_power_max_kw"], "conversion_factor": GIVEN["boiler_eta"],
             "waste_heat_share": 0.0, "cost_per_kwh": GIVEN["boiler_cost"], "vent_allowed": "true"}]
    return rows


def series() -> Rows:
    common = {"resolution_min": 60, "synthetic": "true"}
    rows: Rows = [{"id": "network_load", "kind": "load", "unit": "kW", "profile": "network_load_kw", "capacity_kw": "", **common}]
    own = read_table(TABLES, "microgrid_profiles")
    for name in SITES:
        rows.append({"id": f"{name}_load", "kind": "load", "unit": "kW", "profile": f"{name}_load_kw", **common})
        rows.append({"id": f"{name}_heat", "kind": "heat", "unit": "kWth", "profile": f"{name}_heat_kwth", **common})
        for kind, column in (("pv", "pv_kw"), ("wind", "wt_kw")):
            peak = max(float(row[column]) for row in own if row["mg"] == name)
            rows.append({"id": f"{name}_{kind}", "kind": kind, "unit": "kW", "profile": f"{name}_{kind}_kw",
                         "capacity_kw": CAPACITY_SHARE * peak, **common})
    return [*rows, {"id": "tou", "kind": "price", "unit": "CNY/kWh", "profile": "tou_cny_per_kwh", **common}]


def main() -> None:
    buses = [*({"id": bus(number), "network": "distribution"} for number in range(1, 34)), *({"id": n, "network": n} for n in SITES)]
    made = {"profiles": profiles(), "networks": networks(), "buses": buses, "branches": branches(), "ties": ties(), "demand": demands(),
            "source": sources(), "generator": generators(), "store": stores(), "converter": converters(), "series": series()}
    for name, rows in made.items():
        write_table(FOLDER, name, rows)


if __name__ == "__main__":
    main()
