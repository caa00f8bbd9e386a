"""Writes the networked-microgrid cases from the small tables beside this script: `python pipeline/data/cases/make_networked_microgrids.py`.

F copies of the 33-bus feeder (Baran and Wu 1989), five microgrids on each: 66, 165 and 330 buses; and `tiny`, five buses
of one feeder with one microgrid. case.yaml files are written by hand and stay; only the CSV tables are made here.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from case_tables import read_table, write_table

HERE = Path(__file__).parent
TABLES = HERE / "tables" / "networked_microgrids"
DSO_BUS = 3  # renewables, battery, generator and fleet of the network operator: the sixth of the load-reduced buses
MG_BUSES = (9, 16, 18, 31, 33)
GRID_KW_PER_FEEDER, GRID_KVAR_PER_FEEDER = 1500.0, 1000.0
DUMP_MAX_KW = 250.0  # above all that a microgrid can feed in (150 + 30 + 40 kW), so that it is never infeasible
DEVIATION_PRICE_PER_KWH = 0.01  # kappa_dev
Rows = list[dict[str, Any]]


def parameters(device: str) -> dict[str, float]:
    """Tables 7-12: the device's numbers by parameter."""
    return {row["parameter"]: float(row["value"]) for row in read_table(TABLES, "t07_t12_devices") if row["device"] == device}


def kvar_per_kw() -> float:
    """Of the operator's load over the day."""
    load = read_table(TABLES, "t01_dso_load")
    return sum(float(row["q_kvar"]) for row in load) / sum(float(row["p_kw"]) for row in load)


def profiles() -> Rows:
    """Tables 1, 3, 5 and 6 side by side. Table 4 repeats Table 3 and is kept as evidence only."""
    sides = zip(*(read_table(TABLES, name) for name in ("t01_dso_load", "t03_res", "t05_rtp", "t06_mg_load")), strict=True)
    return [
        {
            "slot": load["slot"], "dso_load_kw": load["p_kw"], "dso_load_kvar": load["q_kvar"],
            "dso_kvar_per_kw": repr(float(load["q_kvar"]) / float(load["p_kw"])),
            "dso_wind_kw": res["dso_res_kw"], "mg_pv_kw": res["mg_res_kw"], "rtp_usd_per_kwh": price["rtp_usd_per_kwh"],
            "mg_load_kw": mg["elec_kw"], "mg_heat_kwth": mg["thermal_kw"],
        }
        for load, res, price, mg in sides
    ]


def store(prefix: str, device: str, bus: str, name: str, **more: Any) -> dict[str, Any]:
    given = parameters(device)
    return {
        "id": f"{prefix}_{name}", "bus": bus, **more,
        "charge_max_kw": given["charge_max_kw"], "discharge_max_kw": given["discharge_max_kw"],
        "charge_efficiency_share": given["eta_charge"], "discharge_efficiency_share": given["eta_discharge"],
        "energy_max_kwh": given["energy_max_kwh"], "energy_min_kwh": given["energy_min_kwh"],
        "energy_initial_kwh": given["energy_max_kwh"] / 2, "hourly_retention_share": given.get("hourly_retention", 1.0),
        "wear_cost_per_kwh": given["wear_cost"],
    }


class Tables:
    """Rows of one case's tables, filled feeder by feeder."""

    def __init__(self) -> None:
        self.rows: dict[str, Rows] = {}

    def add(self, name: str, **row: Any) -> None:
        self.rows.setdefault(name, []).append(row)

    def add_feeder_devices(self, feeder: str, bus: str, vehicles: int, kvar_per_kw: float, shares: dict[str, float]) -> None:
        for at, share in shares.items():
            if share:
                self.add("demand", id=f"{at}_load", bus=at, carrier="active", series=f"{feeder}_load", series_share=share,
                         kvar_per_kw=round(kvar_per_kw, 6), kvar_profile="dso_kvar_per_kw", dump_max_kw=0.0)
        generator = parameters("dso_dg")
        self.add("source", id=f"{feeder}_wind", bus=bus, series=f"{feeder}_wind", series_share=1.0)
        self.add("generator", id=f"{feeder}_generator", bus=bus,
                 power_max_kw=generator["power_max_kw"], power_min_kw=generator["power_min_kw"],
                 reactive_min_kvar=generator["reactive_min_kvar"], reactive_max_kvar=generator["reactive_max_kvar"],
                 cost_constant_per_h=generator["cost_constant"], cost_linear_per_kwh=generator["cost_linear"],
                 cost_quadratic_per_kw2h=generator["cost_quadratic"], segment_count=10)
        self.rows.setdefault("store", []).append(store(feeder, "dso_bs", bus, "battery", carrier="active", cycle="equal"))
        self.add("ev_fleet", id=f"{feeder}_ev", bus=bus, vehicle_count=vehicles)

    def add_microgrid(self, at: str, vehicles: int) -> None:
        name = f"mg_{at}"
        self.add("networks", id=name, kind="copper_plate", carriers="active heat")
        self.add("buses", id=name, network=name)
        self.add("demand", id=f"{name}_load", bus=name, carrier="active", series=f"{name}_load", series_share=1.0, dump_max_kw=DUMP_MAX_KW)
        self.add("demand", id=f"{name}_heat_load", bus=name, carrier="heat", series=f"{name}_heat", series_share=1.0, dump_max_kw=0.0)
        self.add("source", id=f"{name}_pv", bus=name, series=f"{name}_pv", series_share=1.0)
        cogeneration = parameters("mg_rc")
        self.add("chp", id=f"{name}_chp", bus=name, power_max_kw=cogeneration["power_max_kw"], power_min_kw=cogeneration["power_min_kw"],
                 heat_to_power_factor=cogeneration["heat_to_power"], fuel_cost_per_kwh=cogeneration["fuel_cost"])
        self.rows["store"].append(store(name, "mg_bs", name, "battery", carrier="active", cycle="equal"))
        self.rows["store"].append(store(name, "mg_ts", name, "heat_store", carrier="heat", cycle="at_least"))
        self.add("ev_fleet", id=f"{name}_ev", bus=name, vehicle_count=vehicles)
        limits = parameters("mg_exchange")
        self.add("ties", id=f"{name}_tie", upper_bus=at, lower_bus=name, exchange_min_kw=limits["power_min_kw"],
                 exchange_max_kw=limits["power_max_kw"], reactive_max_kvar=0.0, deviation_price_per_kwh=DEVIATION_PRICE_PER_KWH)

    def add_series(self, feeders: list[str], microgrids: list[str], capacity: dict[str, float], **more: Any) -> None:
        for feeder in feeders:
            self.add("series", id=f"{feeder}_load", kind="load", unit="kW", profile="dso_load_kw", **more)
            self.add("series", id=f"{feeder}_wind", kind="wind", unit="kW", profile="dso_wind_kw", capacity_kw=capacity["wind"], **more)
        for name in microgrids:
            self.add("series", id=f"{name}_load", kind="load", unit="kW", profile="mg_load_kw", **more)
            self.add("series", id=f"{name}_heat", kind="heat", unit="kWth", profile="mg_heat_kwth", **more)
            self.add("series", id=f"{name}_pv", kind="pv", unit="kW", profile="mg_pv_kw", capacity_kw=capacity["pv"], **more)
        more |= {"resolution_min": 60, "synthetic": "true"}
        self.add("series", id="price", kind="price", unit="USD/kWh", profile="rtp_usd_per_kwh", **more)

    def write(self, folder: Path) -> None:
        for name, rows in self.rows.items():
            write_table(folder, name, rows)
        write_table(folder, "profiles", profiles())


def networked(feeder_count: int, capacity: dict[str, float], **series: Any) -> Tables:
    """F feeders: bus 1 of feeder 1 is the grid supply point, bus 1 of each other feeder hangs on it by a busbar tie."""
    tables = Tables()
    ratios = {int(row["bus"]): float(row["load_ratio"]) for row in read_table(TABLES, "t02_load_ratio")}
    ratio = kvar_per_kw()
    vehicles, mg_vehicles = int(parameters("dso_dra")["vehicles"]), int(parameters("mg_dra")["vehicles"])
    feeders = [f"f{number:02d}" for number in range(1, feeder_count + 1)]
    microgrids = [f"{feeder}_b{bus:02d}" for feeder in feeders for bus in MG_BUSES]
    tables.add("networks", id="distribution", kind="lindistflow", carriers="active reactive", base_kv=12.66, voltage_min_pu=0.95,
               voltage_max_pu=1.05, slack_bus="f01_b01")
    tables.add("ties", id="grid", upper_bus="", lower_bus="f01_b01", exchange_min_kw=-GRID_KW_PER_FEEDER * feeder_count,
               exchange_max_kw=GRID_KW_PER_FEEDER * feeder_count, reactive_max_kvar=GRID_KVAR_PER_FEEDER * feeder_count,
               deviation_price_per_kwh=DEVIATION_PRICE_PER_KWH, **{"market.price_series": "price"})
    for feeder in feeders:
        for bus in ratios:
            tables.add("buses", id=f"{feeder}_b{bus:02d}", network="distribution")
        if feeder != "f01":
            tables.add("branches", id=f"f01_{feeder}", from_bus="f01_b01", to_bus=f"{feeder}_b01", r_ohm=0.0, x_ohm=0.0)
        for line in read_table(TABLES, "feeder33_lines"):
            one, other = f"{feeder}_b{int(line['from_bus']):02d}", f"{feeder}_b{int(line['to_bus']):02d}"
            tables.add("branches", id=f"{one}_b{int(line['to_bus']):02d}", from_bus=one, to_bus=other,
                       r_ohm=line["r_ohm"], x_ohm=line["x_ohm"])
        shares = {f"{feeder}_b{bus:02d}": share for bus, share in ratios.items()}
        tables.add_feeder_devices(feeder, f"{feeder}_b{DSO_BUS:02d}", vehicles, ratio, shares)
    for at in microgrids:
        tables.add_microgrid(at, mg_vehicles)
    tables.add_series(feeders, [f"mg_{at}" for at in microgrids], capacity, **series)
    return tables


def tiny() -> Tables:
    """Five buses: 1 - 2 - 3 - 4 of the feeder (the operator's devices at 3, the microgrid at 4) and the microgrid's own bus."""
    tables = Tables()
    tables.add("networks", id="distribution", kind="lindistflow", carriers="active reactive", base_kv=12.66, voltage_min_pu=0.95,
               voltage_max_pu=1.05, slack_bus="f01_b01")
    tables.add("ties", id="grid", upper_bus="", lower_bus="f01_b01", exchange_min_kw=-500.0, exchange_max_kw=500.0,
               reactive_max_kvar=500.0, deviation_price_per_kwh=DEVIATION_PRICE_PER_KWH, **{"market.price_series": "price"})
    for bus in range(1, 5):
        tables.add("buses", id=f"f01_b{bus:02d}", network="distribution")
    for line in read_table(TABLES, "feeder33_lines")[:3]:
        one, other = int(line["from_bus"]), int(line["to_bus"])
        tables.add("branches", id=f"f01_b{one:02d}_b{other:02d}", from_bus=f"f01_b{one:02d}", to_bus=f"f01_b{other:02d}",
                   r_ohm=line["r_ohm"], x_ohm=line["x_ohm"])
    ratio = kvar_per_kw()
    tables.add_feeder_devices("f01", "f01_b03", 4, ratio, {"f01_b02": 0.1, "f01_b03": 0.05, "f01_b04": 0.05})
    tables.add_microgrid("f01_b04", 3)
    tables.add_series(["f01"], ["mg_f01_b04"], {"wind": 200.0, "pv": 40.0}, resolution_min=60, synthetic="true")
    return tables


def main() -> None:
    plain = {"resolution_min": 60, "synthetic": "true"}
    for feeder_count in (2, 5, 10):
        networked(feeder_count, {"wind": 200.0, "pv": 40.0}, **plain).write(HERE / f"networked_microgrids_{33 * feeder_count}")
    # The same system; its histories are real profiles, scaled to the tables' energy, which takes more installed power.
    networked(2, {"wind": 400.0, "pv": 100.0}, resolution_min=15).write(HERE / "networked_microgrids_66_simbench")
    tiny().write(HERE / "tiny")


if __name__ == "__main__":
    main()
