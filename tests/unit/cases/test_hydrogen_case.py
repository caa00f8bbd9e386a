"""The hydrogen case holds the book's numbers, section 1; what a converter cannot be is refused with its place."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pipeline.cases.load import DATA, load_case, variants
from pipeline.core.errors import InputError
from pipeline.equipment import Converter, Demand, Generator, Source, Store

FOLDER = DATA / "cases" / "hydrogen_microgrids"


def test_devices_are_those_of_table_2() -> None:
    case = load_case("hydrogen_microgrids")
    by_id = {device.id: device for device in case.devices}
    for name in ("mg1", "mg2", "mg3"):
        electrolyser, fuel_cell, boiler = (by_id[f"{name}_{unit}"] for unit in ("electrolyser", "fuel_cell", "boiler"))
        assert isinstance(electrolyser, Converter) and isinstance(fuel_cell, Converter) and isinstance(boiler, Converter)
        assert [unit.power_max_kw for unit in (electrolyser, fuel_cell, boiler)] == [450, 450, 500]
        assert [unit.cost_per_kwh for unit in (electrolyser, fuel_cell, boiler)] == [0.0628, 0.0625, 0.063]
        assert electrolyser.hydrogen_factor == pytest.approx(0.8 / 3) and fuel_cell.hydrogen_factor == pytest.approx(-1 / (3 * 0.65))
        assert electrolyser.heat_factor == pytest.approx(0.352 * (1 - 0.8))
        assert fuel_cell.heat_factor == pytest.approx(0.45 * (1 - 0.65) / 0.65)
        assert (boiler.heat_factor, boiler.active_factor) == (0.9, -1)
        tank, battery = by_id[f"{name}_tank"], by_id[f"{name}_battery"]
        assert isinstance(tank, Store) and isinstance(battery, Store)
        assert (tank.energy_min_kwh, tank.energy_initial_kwh, tank.energy_max_kwh, tank.wear_cost_per_kwh) == (150, 750, 1350, 0.054)
        assert (battery.energy_min_kwh, battery.energy_initial_kwh, battery.energy_max_kwh) == (40, 200, 360)
    turbines = [device for device in case.devices if isinstance(device, Generator)]
    assert [(unit.cost_linear_per_kwh, unit.ramp_kw_per_h) for unit in turbines] == [(0.6, 200), (0.65, 200), (0.7, 200), (0.75, 200)]
    assert {device.curtailment_cost_per_kwh for device in case.devices if isinstance(device, Source)} == {0.1}
    shares = sum(device.series_share for device in case.devices if isinstance(device, Demand) and device.series == "network_load")
    assert shares == pytest.approx(1)


def test_slots_are_hours_by_their_end() -> None:
    tariff = load_case("hydrogen_microgrids").profiles["tou_cny_per_kwh"]
    assert (tariff[5], tariff[6], tariff[11], tariff[12], tariff[22]) == (0.45, 1.21, 1.21, 0.73, 0.45)
    assert sorted({price: tariff.count(price) for price in tariff}.items()) == [(0.45, 8), (0.73, 5), (1.21, 11)]


def test_read_as_conversion_no_heat_is_recovered_and_the_tank_loses() -> None:
    case = load_case("hydrogen_microgrids", variant="conversion")
    converters = [device for device in case.devices if isinstance(device, Converter) and device.output_carrier != "heat"]
    assert {(unit.conversion_factor, unit.heat_factor) for unit in converters} == {(0.352, 0), (0.45, 0)}
    tanks = [device for device in case.devices if isinstance(device, Store) and device.carrier == "hydrogen"]
    assert {(tank.charge_efficiency_share, tank.discharge_efficiency_share) for tank in tanks} == {(0.8, 0.65)}


@pytest.mark.parametrize("variant", variants(FOLDER))
def test_every_variant_is_whole(variant: str) -> None:
    case = load_case("hydrogen_microgrids", variant=variant)
    assert all(branch.rating_kva is not None for branch in case.branches) == (variant == "flow_limits")


SLIPS = {
    "same carriers": ("mg1_electrolyser", "active,hydrogen", "active,active", "makes active from active"),
    "hydrogen from fuel": ("mg1_electrolyser", "active,hydrogen", "fuel,hydrogen", "makes hydrogen from fuel"),
    "heat of a boiler": ("mg1_boiler", "0.9,0.0,", "0.9,0.2,", "recovers heat beside the heat that it makes"),
    "heat of nothing": ("mg1_electrolyser", "0.8,0.352", "1.2,0.352", "recovers heat though nothing is lost"),
    "stranger": ("mg1_electrolyser", "mg1_fuel_cell", "mg1_fuel_sell", "did you mean 'mg1_fuel_cell'?"),
    "no converter": ("mg1_electrolyser", "mg1_fuel_cell", "mg1_tank", "excludes 'mg1_tank', which is no converter"),
    "itself": ("mg1_electrolyser", "mg1_fuel_cell", "mg1_electrolyser", "excludes itself"),
    "a boiler on fuel": ("mg1_boiler", "active,heat,500.0,0.9,0.0,0.063,true,", "fuel,heat,500.0,0.9,0.0,0.063,true,mg1_fuel_cell",
                         "has no electric side"),
    "no carrier": ("mg1_electrolyser", ",mg1,", ",b02,", "needs carrier heat, which network 'distribution' lacks"),
}


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_is_named_with_its_line(slip: str, tmp_path: Path) -> None:
    device, old, new, words = SLIPS[slip]
    folder = tmp_path / "hydrogen_microgrids"
    shutil.copytree(FOLDER, folder)
    lines = (folder / "converter.csv").read_text().splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith(f"{device},"))
    assert old in lines[at]
    lines[at] = f"{device}{lines[at].removeprefix(device).replace(old, new)}"
    (folder / "converter.csv").write_text("\n".join(lines) + "\n")
    with pytest.raises(InputError) as refused:
        load_case(folder)
    assert words in str(refused.value)
    assert f"converter.csv, line {at + 1}" in str(refused.value)


def test_two_that_name_each_other_and_a_firm_price_that_is_none_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "hydrogen_microgrids"
    shutil.copytree(FOLDER, folder)
    table = (folder / "converter.csv").read_text()
    (folder / "converter.csv").write_text(table.replace("0.65,0.45,0.0625,false,", "0.65,0.45,0.0625,false,mg1_electrolyser", 1))
    ties = (folder / "ties.csv").read_text()
    (folder / "ties.csv").write_text(ties.replace("tou,2.0", "network_load,2.0", 1))
    with pytest.raises(InputError) as refused:
        load_case(folder)
    assert "'mg1_electrolyser' name each other" in str(refused.value)
    assert "takes its price from 'network_load', a series of kind load" in str(refused.value)
