"""The hand-worked numbers of the hydrogen book, section 10, that are physics. Each is solved on a case of one bus."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pipeline.equipment import Branch, Bus, Converter, Demand, Generator, Market, Network, Store
from tests.helpers import Answer, case_of, market_tie, solved

PRICE = "grid.price_per_kwh"
SELL = "grid.sell_discount_per_kwh"
PLATE = (Network(id="plate", kind="copper_plate", carriers=("active", "heat", "hydrogen")),)
WEAR = 0.018 * 3  # per m3: the book's price is per kWh of hydrogen


def electrolyser(**more: Any) -> Converter:
    fields: dict[str, Any] = {
        "id": "el", "bus": "plate", "input_carrier": "active", "output_carrier": "hydrogen", "power_max_kw": 450, "conversion_factor": 0.8,
        "waste_heat_share": 0.352, "cost_per_kwh": 0.0628,
    }
    return Converter(**{**fields, **more})


def fuel_cell(**more: Any) -> Converter:
    fields: dict[str, Any] = {
        "id": "fc", "bus": "plate", "input_carrier": "hydrogen", "output_carrier": "active", "power_max_kw": 450, "conversion_factor": 0.65,
        "waste_heat_share": 0.45, "cost_per_kwh": 0.0625, "exclusive_with": "el",
    }
    return Converter(**{**fields, **more})


def tank(**more: Any) -> Store:
    fields: dict[str, Any] = {
        "id": "tank", "bus": "plate", "carrier": "hydrogen", "charge_max_kw": 350, "discharge_max_kw": 350, "charge_efficiency_share": 1,
        "discharge_efficiency_share": 1, "energy_min_kwh": 150, "energy_max_kwh": 1350, "energy_initial_kwh": 750, "cycle": "none",
    }
    return Store(**{**fields, **more})


def boiler() -> Converter:
    return Converter(id="eb", bus="plate", input_carrier="active", output_carrier="heat", power_max_kw=500, conversion_factor=0.9,
                     cost_per_kwh=0.063)


def held(power_kw: float | list[float], unit: str) -> dict[str, Any]:
    """A converter held at a power."""
    return {f"{unit}.power_low_kw": power_kw, f"{unit}.power_high_kw": power_kw}


def hydrogen(values: dict[str, Any], *devices: Any, positions: int = 1, step_h: float = 1.0) -> Answer:
    case = case_of(electrolyser(), fuel_cell(), *devices, networks=PLATE, ties=(market_tie(exchange_max_kw=3000),))
    return solved(case, {PRICE: 0.5, **values}, positions=positions, step_h=step_h)


def test_H2_EL_1() -> None:
    answer = hydrogen({**held(100, "el"), **held(0, "fc")}, tank())
    assert answer["tank.energy_m3"] - 750 == pytest.approx(26.6667, abs=5e-5)


def test_H2_EL_2() -> None:
    answer = hydrogen({**held(450, "el"), **held(0, "fc")}, tank(), step_h=0.25)
    assert answer["tank.energy_m3"] - 750 == pytest.approx(30)


def test_H2_FC_1() -> None:
    """The gas of 100 kW for an hour gives 52 kWh."""
    answer = hydrogen({**held(0, "el"), "fc.power_low_kw": 52, "fc.power_high_kw": 52}, tank())
    assert 750 - answer["tank.energy_m3"] == pytest.approx(26.6667, abs=5e-5)


def test_H2_TANK_1() -> None:
    fills = hydrogen({**held(450, "el"), **held(0, "fc")}, tank(energy_initial_kwh=150), positions=10)
    assert fills["tank.energy_m3"][-1] == pytest.approx(1350)
    assert fills["tank.energy_short_m3"].sum() == fills["tank.energy_over_m3"].sum() == 0
    empties = hydrogen({**held(0, "el"), **held(450, "fc")}, tank(energy_initial_kwh=1350), positions=26, step_h=0.2)
    assert empties["tank.energy_m3"][-1] == pytest.approx(150), "26 steps of 12 minutes are 5.2 h"


@pytest.mark.parametrize(("later", "cycles", "reading"), [(1.21, True, "heat"), (0.73, False, "heat"), (1.21, False, "conversion")])
def test_H2_ARB_1(later: float, cycles: bool, reading: str) -> None:
    """Bought in the valley at .45: a cycle to the peak earns .0551 per kWh of electrolyser input, to the flat hours it loses."""
    own = {"heat": (0.8, 0.65, 1.0, 1.0), "conversion": (0.352, 0.45, 0.8, 0.65)}[reading]
    store = tank(wear_cost_per_kwh=WEAR, charge_efficiency_share=own[2], discharge_efficiency_share=own[3], cycle="at_least")
    case = case_of(electrolyser(conversion_factor=own[0]), fuel_cell(conversion_factor=own[1]), store, networks=PLATE)
    answer = solved(case, {PRICE: [0.45, later]}, positions=2)
    assert bool(answer["el.power_kw"][0] > 0) is cycles
    if cycles:
        assert answer["fc.power_kw"][1] == pytest.approx(0.52 * answer["el.power_kw"][0])
        assert -answer.objective / answer["el.power_kw"][0] == pytest.approx(0.0551, abs=5e-5)
    else:
        assert answer.objective == pytest.approx(0)


def test_H2_BAT_1() -> None:
    battery = Store(id="b", bus="plate", charge_max_kw=200, discharge_max_kw=200, charge_efficiency_share=0.95,
                    discharge_efficiency_share=0.95, energy_min_kwh=40, energy_max_kwh=360, energy_initial_kwh=40, cycle="none")
    answer = solved(case_of(battery), {PRICE: [0.1, 1.0], "b.power_high_kw": [-200, 200]}, positions=2)
    assert answer["b.energy_kwh"][0] == pytest.approx(230)
    assert answer["b.discharge_kw"][1] == pytest.approx(180.5)


@pytest.mark.parametrize(("el_kw", "fc_kw", "eb_kw"), [(0, 0, 100), (100, 52, 78.1778)])
def test_H2_EB_1(el_kw: float, fc_kw: float, eb_kw: float) -> None:
    """90 kWth from the boiler alone, and beside the heat that the other two lose (7.04 and 12.6 kWth)."""
    heat = Demand(id="h", bus="plate", carrier="heat", series="heat")
    answer = hydrogen({**held(el_kw, "el"), **held(fc_kw, "fc"), "h.load_kwth": 90}, tank(), boiler(), heat)
    assert answer["eb.power_kw"][0] == pytest.approx(eb_kw, abs=5e-5)
    assert answer.readout("el.injection").tolist()[-1] == pytest.approx(0.0704 * el_kw)
    assert answer["eb.vent_kwth"][0] == answer["fc.vent_kwth"][0] == 0


TURBINES = ((0.60, "mgt1"), (0.65, "mgt2"), (0.70, "mgt3"), (0.75, "mgt4"))


@pytest.mark.parametrize(("price", "ramp", "powers", "exchange", "cost"), [
    (1.21, None, [500, 500, 200, 0], 0, 765), (0.45, None, [0, 0, 0, 0], 1200, 540), (1.21, 200, [200, 200, 200, 200], 400, 1024),
])
def test_H2_MGT_1(price: float, ramp: float | None, powers: list[float], exchange: float, cost: float) -> None:
    """1200 kW from four turbines in merit order, from the grid alone, and with ramps from standstill."""
    turbines = [Generator(id=name, bus="plate", power_max_kw=500, cost_linear_per_kwh=each, segment_count=1, ramp_kw_per_h=ramp)
                for each, name in TURBINES]
    grid = market_tie(exchange_min_kw=-2000, exchange_max_kw=2000, market=Market(price_series="price", sell_price_factor=0.8))
    load = Demand(id="d", bus="plate", series="load")
    own = {"d.load_kw": 1200, PRICE: price, SELL: 0.2 * price}
    # 500 + 500 + 200: selling the rest at .8 of the price would pay, and the book's sum leaves it out.
    limits = {"grid.exchange_low_kw": 0}
    answer = solved(case_of(load, *turbines, ties=(grid,)), own | limits, positions=1)
    assert [answer[f"{name}.segment_kw"][0] for _, name in TURBINES] == pytest.approx(powers)
    assert answer["grid.exchange_kw"][0] == pytest.approx(exchange)
    assert answer.objective == pytest.approx(cost)


def test_H2_NET_1() -> None:
    branches = tuple(Branch(id=f"b{i}_b{i + 1}", from_bus=f"b{i}", to_bus=f"b{i + 1}", r_ohm=0.5, x_ohm=0.3) for i in (1, 2))
    case = case_of(
        *(Demand(id=f"{bus}_load", bus=bus, series="load", kvar_per_kw=0.25) for bus in ("b2", "b3")),
        networks=(Network(id="feeder", kind="lindistflow", carriers=("active", "reactive"), base_kv=10, slack_bus="b1"),),
        buses=tuple(Bus(id=f"b{i}", network="feeder") for i in (1, 2, 3)), branches=branches,
        ties=(market_tie(lower_bus="b1", reactive_max_kvar=1000),),
    )
    loads = {f"{bus}_load.load_{unit}": value for bus in ("b2", "b3") for unit, value in (("kw", 400), ("kvar", 100))}
    answer = solved(case, {**loads, PRICE: 0.1}, positions=1)
    assert answer["feeder.voltage_kv"][1:] == pytest.approx([9.954, 9.931], abs=1e-9)


def test_a_pair_is_kept_apart_by_binaries_where_the_price_would_not() -> None:
    """At a negative price both would run, to burn power."""
    case = case_of(electrolyser(), fuel_cell(exclusive="always"), tank(), networks=PLATE)
    free = case_of(electrolyser(), fuel_cell(), tank(), networks=PLATE)
    apart = solved(case, {PRICE: -1.0, **{"fc.power_low_kw": 0}}, positions=1)
    both = solved(free, {PRICE: -1.0, "el.power_high_kw": 450, "tank.power_low_m3h": 0, "tank.power_high_m3h": 0}, positions=1)
    assert np.minimum(both["el.power_kw"], both["fc.power_kw"]).max() > 100
    assert np.minimum(apart["el.power_kw"], apart["fc.power_kw"]).max() == 0
