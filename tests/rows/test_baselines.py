"""The rows of one device or network over three steps, kept as readable text.

FEEDERFLOW_WRITE_BASELINES=1 writes them anew; read the difference before committing it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from pipeline.equipment import (
    Branch,
    Bus,
    Chp,
    Commitment,
    Converter,
    Demand,
    EvAggregator,
    EvFleet,
    Generator,
    Market,
    Network,
    Source,
    Store,
    Tie,
    Wheeling,
)
from tests.helpers import case_of, compiled_sample, market_tie

FOLDER = Path(__file__).parent / "baselines"
THREE_BUSES = {
    "networks": (Network(id="feeder", kind="lindistflow", carriers=("active", "reactive"), base_kv=12.66, slack_bus="b1"),),
    "buses": tuple(Bus(id=f"b{i}", network="feeder") for i in (1, 2, 3)),
    "branches": (
        Branch(id="b1_b2", from_bus="b1", to_bus="b2", r_ohm=0.0922, x_ohm=0.047),
        Branch(id="b2_b3", from_bus="b2", to_bus="b3", r_ohm=0, x_ohm=0, rating_kva=500),
    ),
    "ties": (market_tie(lower_bus="b1", reactive_max_kvar=100),),
}
DEVICES: dict[str, Any] = {
    "demand": Demand(id="d", bus="plate", series="load", series_share=0.5, dump_max_kw=20),
    "demand_heat": Demand(id="d", bus="plate", carrier="heat", series="heat", shed_price_per_kwh=3),
    "source_paid": Source(id="s", bus="plate", series="wind", feed_in_cost_per_kwh=0.02),
    "source": Source(id="s", bus="plate", series="wind", curtailment_cost_per_kwh=0.01),
    "generator": Generator(id="g", bus="plate", power_max_kw=100, cost_linear_per_kwh=0.08, cost_quadratic_per_kw2h=0.001,
                           cost_constant_per_h=2, segment_count=2, ramp_kw_per_h=40),
    "generator_committed": Generator(id="g", bus="plate", power_max_kw=100, power_min_kw=30, cost_linear_per_kwh=0.3, cost_constant_per_h=2,
                                     segment_count=1, ramp_kw_per_h=40,
                                     commitment=Commitment(start_cost=30, stop_cost=15, min_up_h=3, min_down_h=2)),
    "chp": Chp(id="c", bus="plate", power_max_kw=150, heat_to_power_factor=0.8, fuel_cost_per_kwh=0.1, vent_cost_per_kwh=0.002),
    "chp_heater": Chp(id="c", bus="plate", mode="electric_heater", power_max_kw=150, heat_to_power_factor=0.8, fuel_cost_per_kwh=0.1,
                      vent_allowed=False),
    "converter_boiler": Converter(id="eb", bus="plate", input_carrier="active", output_carrier="heat", power_max_kw=500, power_min_kw=5,
                                  conversion_factor=0.9, vent_allowed=False),
    "converter_fuel": Converter(id="fc", bus="plate", input_carrier="fuel", output_carrier="active", power_max_kw=450,
                                cost_per_kwh=0.5, ramp_kw_per_h=100, power_initial_kw=50),
    "store": Store(id="b", bus="plate", charge_max_kw=100, discharge_max_kw=90, charge_efficiency_share=0.95,
                   discharge_efficiency_share=0.9, energy_max_kwh=300, energy_initial_kwh=150, wear_cost_per_kwh=0.0001),
    "store_ramp": Store(id="b", bus="plate", charge_max_kw=100, discharge_max_kw=90, charge_efficiency_share=0.95,
                        discharge_efficiency_share=0.9, energy_max_kwh=300, energy_initial_kwh=150, ramp_kw_per_h=50),
    "store_heat_exclusive": Store(id="h", bus="plate", carrier="heat", charge_max_kw=30, discharge_max_kw=30, charge_efficiency_share=0.95,
                                  discharge_efficiency_share=0.95, energy_max_kwh=100, energy_initial_kwh=50,
                                  hourly_retention_share=0.99, cycle="at_least", exclusive="always"),
    "ev_fleet": EvFleet(id="e", bus="plate", vehicle_count=2, charger_kw=3.3, battery_kwh=24, charge_efficiency_share=0.9,
                        departure_hours=(6, 7), flexibility_cost_per_kwh=0.001),
    "ev_aggregator": EvAggregator(id="e", bus="plate", vehicle_count=9, charger_kw=4, battery_kwh=40, charge_efficiency_share=0.95,
                                  discharge_efficiency_share=0.9, arrival_energy_share=0.45, departure_energy_share=0.9, ramp_kw_per_h=8,
                                  discharge_cost_per_kwh=0.1, unserved_price_per_kwh=90),
    "ev_aggregator_strict": EvAggregator(id="e", bus="plate", vehicle_count=9, charger_kw=4, battery_kwh=40, charge_efficiency_share=0.95,
                                         discharge_efficiency_share=0.9, arrival_energy_share=0.45, departure_energy_share=0.9,
                                         departure_form="start_of_slot", start="handed_on", cross_cycle=False, energy_initial_kwh=80),
}
TIES = {
    "tie_market": market_tie(deviation_price_per_kwh=0.01, market=Market(
        price_series="price", sell_price_factor=0.9, imbalance_buy_factor=1.3, imbalance_sell_factor=0.7)),
}

LINE = Tie(id="mg_tie", upper_bus="plate", lower_bus="mg", exchange_min_kw=-200, exchange_max_kw=200, deviation_price_per_kwh=0.05,
           position="expected", ramp_kw_per_h=150, wheeling=Wheeling(upper_price_series="price", lower_price_series="wind"))


def check(name: str, text: str) -> None:
    path = FOLDER / f"{name}.lp"
    if os.environ.get("FEEDERFLOW_WRITE_BASELINES"):
        path.write_text(text)
    assert text == path.read_text(), f"{path.name} differs; FEEDERFLOW_WRITE_BASELINES=1 writes it anew"


@pytest.mark.parametrize("name", DEVICES)
def test_rows_of_a_device(name: str) -> None:
    _, text = compiled_sample(case_of(DEVICES[name], ties=()), positions=3)
    check(name, text)


def test_rows_of_an_electrolyser_and_the_fuel_cell_that_it_excludes() -> None:
    electrolyser = Converter(
        id="el", bus="plate", input_carrier="active", output_carrier="hydrogen", power_max_kw=450, conversion_factor=0.8,
        waste_heat_share=0.352, cost_per_kwh=0.0628, vent_cost_per_kwh=0.002, exclusive_with="fc", exclusive="always")
    fuel_cell = Converter(id="fc", bus="plate", input_carrier="hydrogen", output_carrier="active", power_max_kw=400, conversion_factor=0.65,
                          waste_heat_share=0.45, cost_per_kwh=0.0625, vent_allowed=False)
    networks = (Network(id="plate", kind="copper_plate", carriers=("active", "heat", "hydrogen")),)
    _, text = compiled_sample(case_of(electrolyser, fuel_cell, networks=networks, ties=()), positions=3)
    check("converter_pair", text)


def test_rows_of_a_store_in_a_rolling_program() -> None:
    _, text = compiled_sample(case_of(DEVICES["store"], ties=()), positions=3, step_h=0.25, rolling=True)
    check("store_rolling", text)


def test_rows_of_a_tie_with_market_and_schedule() -> None:
    _, text = compiled_sample(case_of(ties=(TIES["tie_market"],)), positions=3)
    check("tie_market", text)


def test_rows_of_a_tie_between_networks() -> None:
    tie = Tie(id="mg_tie", upper_bus="plate", lower_bus="mg", exchange_min_kw=-200, exchange_max_kw=200)
    check("tie_inner", between(tie))


def test_rows_of_a_tie_that_is_paid_for_and_ramps() -> None:
    check("tie_wheeling", between(LINE))


def test_rows_of_a_tie_whose_position_is_the_expected_exchange() -> None:
    check("tie_expected", between(LINE.model_copy(update={"wheeling": None, "ramp_kw_per_h": None}), held=True))


def test_rows_of_a_committed_unit_whose_commitment_is_decided() -> None:
    _, text = compiled_sample(case_of(DEVICES["generator_committed"], ties=()), positions=3, step_h=0.25, rolling=True)
    check("generator_committed_rolling", text)


def between(tie: Tie, *, held: bool = False) -> str:
    networks = (Network(id="plate", kind="copper_plate"), Network(id="mg", kind="copper_plate"))
    buses = (Bus(id="plate", network="plate"), Bus(id="mg", network="mg"))
    _, text = compiled_sample(case_of(ties=(tie,), networks=networks, buses=buses), positions=3, rolling=held)
    return text


def test_rows_of_lindistflow() -> None:
    load = Demand(id="d", bus="b3", series="load", kvar_per_kw=0.5)
    _, text = compiled_sample(case_of(load, **THREE_BUSES), positions=3)
    check("lindistflow", text)


def test_rows_of_a_generator_with_reactive_power() -> None:
    unit = Generator(id="g", bus="b2", power_max_kw=100, cost_linear_per_kwh=0.08, segment_count=1, reactive_max_kvar=60)
    _, text = compiled_sample(case_of(unit, **THREE_BUSES), positions=3)
    check("generator_reactive", text)
