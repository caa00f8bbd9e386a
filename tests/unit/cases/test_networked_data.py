"""The networked-microgrid cases hold the book's numbers, section 1."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from pipeline.cases.load import DATA, load_case
from pipeline.equipment import Chp, Demand, EvFleet, Generator, Store
from pipeline.equipment.ev_fleet import EvSampling, EvWindow

TABLES = DATA / "cases" / "tables" / "networked_microgrids"
SIZES = [("networked_microgrids_66", 66, 10, 2), ("networked_microgrids_165", 165, 25, 5), ("networked_microgrids_330", 330, 50, 10)]


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(("name", "buses", "microgrids", "feeders"), SIZES)
def test_acceptance_1_sizes(name: str, buses: int, microgrids: int, feeders: int) -> None:
    case = load_case(name)
    feeder_buses = [bus for bus in case.buses if bus.network == "distribution"]
    assert (len(feeder_buses), len(case.branches)) == (buses, buses - 1)
    assert sum(network.kind == "copper_plate" for network in case.networks) == microgrids
    grid = next(tie for tie in case.ties if tie.market is not None)
    assert (grid.exchange_min_kw, grid.exchange_max_kw, grid.reactive_max_kvar) == (-1500 * feeders, 1500 * feeders, 1000 * feeders)
    assert sum(branch.r_ohm == 0 and branch.x_ohm == 0 for branch in case.branches) == feeders - 1


@pytest.mark.parametrize(
    ("profile", "total"),
    [
        ("dso_load_kw", 16475.5), ("dso_load_kvar", 7747.3), ("dso_wind_kw", 2650.0), ("mg_pv_kw", 263.0),
        ("rtp_usd_per_kwh", 3.2413), ("mg_load_kw", 406.08), ("mg_heat_kwth", 332.33),
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["networked_microgrids_66", "networked_microgrids_66_simbench", "tiny"])
def test_profiles_add_up_to_the_printed_sums(name: str, profile: str, total: float) -> None:
    values = load_case(name).profiles[profile]
    assert len(values) == 24
    assert sum(values) == pytest.approx(total, abs=1e-9)


def test_slots_are_mapped_by_local_hour() -> None:
    price = load_case("networked_microgrids_66").profiles["rtp_usd_per_kwh"]
    assert (price[7], price[4], price[6]) == (0.0891, 0.0731, 0.0844)  # slots 1, 22 and 24
    assert min(price) == price[4]


def test_table_4_repeats_table_3() -> None:
    assert _rows(TABLES / "t03_res.csv") == _rows(TABLES / "t04_res_duplicate.csv")


def test_cross_checks_of_the_tables() -> None:
    profiles = load_case("networked_microgrids_66").profiles
    ratio = np.array(profiles["dso_load_kvar"]) / np.array(profiles["dso_load_kw"])
    assert ratio.min() >= 0.4700 and ratio.max() <= 0.4705
    assert np.array(profiles["dso_kvar_per_kw"]) == pytest.approx(ratio, abs=1e-15)
    assert np.array(profiles["mg_load_kw"]) == pytest.approx(10.06 + 0.01 * np.array(profiles["dso_load_kw"]), abs=0.04)


@pytest.mark.parametrize("name", ["networked_microgrids_66", "networked_microgrids_66_simbench"])
def test_load_ratios_are_used_as_printed(name: str) -> None:
    shares = Counter()
    for device in load_case(name).devices:
        if isinstance(device, Demand) and device.series in ("f01_load", "f02_load"):
            shares[device.series] += device.series_share
    assert shares == {"f01_load": pytest.approx(0.9404, abs=1e-12), "f02_load": pytest.approx(0.9404, abs=1e-12)}


def test_devices_carry_tables_7_to_12() -> None:
    devices = {device.id: device for device in load_case("networked_microgrids_66").devices}
    battery, small, heat = devices["f01_battery"], devices["mg_f01_b09_battery"], devices["mg_f01_b09_heat_store"]
    assert isinstance(battery, Store) and isinstance(small, Store) and isinstance(heat, Store)
    assert (battery.charge_max_kw, battery.energy_max_kwh, battery.energy_initial_kwh, battery.cycle) == (100, 300, 150, "equal")
    assert (small.charge_max_kw, small.energy_max_kwh, small.energy_initial_kwh, small.wear_cost_per_kwh) == (30, 90, 45, 0.0001)
    assert (heat.hourly_retention_share, heat.energy_initial_kwh, heat.cycle, heat.carrier) == (0.99, 50, "at_least", "heat")
    generator, chp = devices["f01_generator"], devices["mg_f01_b09_chp"]
    assert isinstance(generator, Generator) and isinstance(chp, Chp)
    assert (generator.power_min_kw, generator.power_max_kw, generator.segment_count) == (0, 100, 10)
    assert (generator.cost_linear_per_kwh, generator.cost_quadratic_per_kw2h, generator.reactive_max_kvar) == (0.08, 0.001, 100)
    assert (chp.power_max_kw, chp.heat_to_power_factor, chp.fuel_cost_per_kwh) == (150, 0.8, 0.1)


def test_every_vehicle_of_the_law_can_be_served() -> None:
    fleets = [device for device in load_case("networked_microgrids_66").devices if isinstance(device, EvFleet)]
    assert sorted(fleet.vehicle_count for fleet in fleets) == [50] * 10 + [100] * 2
    law = fleets[0].sessions
    assert isinstance(law, EvSampling)
    worst = (law.departure_energy_share - law.arrival_energy_share.low) * fleets[0].battery_kwh / fleets[0].charge_efficiency_share
    assert worst <= fleets[0].charger_kw * (24 + law.departure_h.low - law.arrival_h.high)


def test_a_microgrid_can_burn_what_it_cannot_export() -> None:
    case = load_case("networked_microgrids_66")
    demand = next(device for device in case.devices if device.id == "mg_f01_b09_load")
    assert isinstance(demand, Demand)
    assert demand.dump_max_kw >= 150 + 30 + (case.series_by_id["mg_f01_b09_pv"].capacity_kw or 0)


@pytest.mark.parametrize("name", [name for name, *_ in SIZES])
def test_reference_variant_is_the_errata_s(name: str) -> None:
    case = load_case(name, variant="reference")
    assert case.settings.method.kind == "deterministic"
    assert case.settings.forecast.model == "table"
    assert {tie.deviation_price_per_kwh for tie in case.ties} == {0.0}
    windows = {device.sessions for device in case.devices if isinstance(device, EvFleet)}
    assert windows == {EvWindow(first_hour=19, last_hour=4, need_kwh=12)}


@pytest.mark.parametrize("name", [*(name for name, *_ in SIZES), "networked_microgrids_66_simbench", "tiny"])
def test_two_price_variant(name: str) -> None:
    grid = next(tie for tie in load_case(name, variant="two_price").ties if tie.id == "grid")
    assert grid.market is not None
    assert (grid.market.imbalance_buy_factor, grid.market.imbalance_sell_factor, grid.market.price_series) == (1.3, 0.7, "price")


def test_tables_are_what_the_script_makes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import runpy

    monkeypatch.syspath_prepend(str(DATA / "cases"))  # as for a script that is run: what it shares with its neighbours
    made = runpy.run_path(str(DATA / "cases" / "make_networked_microgrids.py"))
    monkeypatch.setitem(made["main"].__globals__, "HERE", tmp_path)
    made["main"]()
    for path in sorted(tmp_path.glob("*/*.csv")):
        assert path.read_bytes() == (DATA / "cases" / path.parent.name / path.name).read_bytes(), path
