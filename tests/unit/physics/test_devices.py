"""What the laws promise: units in names, elastic limits, energy kept, positions past the end of the day at rest."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.units import has_unit
from pipeline.equipment import Demand, EvFleet, Generator, Market, Store
from pipeline.physics.devices.generator import segment_slopes_per_kwh
from pipeline.physics.horizon import Horizon
from pipeline.program.linear_program import component_of
from pipeline.program.solve import Status, solve
from tests.helpers import case_of, compiled_sample, everything, inputs_of, market_tie, solved

STORE = Store(id="b", bus="plate", charge_max_kw=100, discharge_max_kw=100, charge_efficiency_share=0.95,
              discharge_efficiency_share=0.9, energy_max_kwh=300, energy_initial_kwh=150, hourly_retention_share=0.99)


@pytest.mark.parametrize("rolling", [False, True])
def test_every_column_and_input_carries_its_unit(rolling: bool) -> None:
    program, _ = compiled_sample(everything(), positions=2, rolling=rolling)
    names = {component_of(name) for name in (*program.column_names, *program.input_names)}
    assert not [name for name in names if not has_unit(name)]


def test_the_two_slopes_of_the_book() -> None:
    unit = Generator(id="g", bus="plate", power_max_kw=100, cost_linear_per_kwh=0.08, cost_quadratic_per_kw2h=0.001)
    assert segment_slopes_per_kwh(unit) == pytest.approx(np.arange(0.09, 0.28, 0.02))


@given(before=st.floats(-50, 400), low=st.floats(-200, 200), high=st.floats(-200, 200), end=st.floats(0, 300))
def test_no_set_point_of_a_store_makes_a_program_infeasible(before: float, low: float, high: float, end: float) -> None:
    inputs = inputs_of(ELASTIC, {"b.energy_before_kwh": before, "b.power_low_kw": low, "b.power_high_kw": high,
                                 "b.energy_low_kwh": [0, end], "b.energy_high_kwh": [300, end], "grid.price_per_kwh": 0.1})
    assert solve(ELASTIC.bind(inputs)).status is Status.optimal


ELASTIC, _ = compiled_sample(case_of(STORE), positions=2)


def test_a_store_gives_nothing_that_is_not_in_it() -> None:
    """Its lower limit is elastic at less than shedding costs here, so it is emptied, at that price; but never below nothing."""
    store = STORE.model_copy(update={"energy_min_kwh": 20.0, "energy_initial_kwh": 45.0, "hourly_retention_share": 1.0, "cycle": "none"})
    plant = case_of(store, Demand(id="d", bus="plate", series="load", shed_price_per_kwh=50.0))
    values = {"grid.price_per_kwh": 0.1, "grid.exchange_low_kw": 0, "grid.exchange_high_kw": 0, "d.load_kw": 60.0}
    answer = solved(plant, values, positions=2)
    assert answer["b.energy_kwh"][-1] == pytest.approx(0, abs=1e-7)
    assert answer["b.energy_short_kwh"].max() == pytest.approx(20)
    assert answer["b.discharge_kw"].sum() == pytest.approx(0.9 * 45) and answer["d.shed_kw"].sum() == pytest.approx(120 - 0.9 * 45)


def test_energy_is_kept_but_for_losses_and_retention() -> None:
    answer = solved(case_of(STORE), {"grid.price_per_kwh": [0.01, 0.3, 0.02, 0.4]}, positions=4, step_h=0.5)
    energy = np.concatenate([[150.0], answer["b.energy_kwh"]])
    kept = 0.99**0.5
    assert energy[1:] == pytest.approx(kept * energy[:-1] + 0.5 * (0.95 * answer["b.charge_kw"] - answer["b.discharge_kw"] / 0.9))
    assert energy[-1] == pytest.approx(150), "the cycle closes"


def test_doing_nothing_is_best_past_the_end_of_the_day() -> None:
    program, _ = compiled_sample(everything(), positions=3, step_h=0.25, rolling=True)
    inputs = inputs_of(program)
    past = [index for name, spec in program.inputs.items() if spec.role in ("series", "limit", "envelope")
            for index in program.input_index[name] if not (name.endswith(("energy_high_kwh", "energy_high_kwhth")))]
    inputs[past] = 0.0
    inputs[program.input_index["e.energy_high_kwh"]] = 100.0
    inputs[program.input_index["b.energy_before_kwh"]] = 0.0
    inputs[program.input_index["grid.price_per_kwh"]] = -1.0
    found = solve(program.bind(inputs))
    assert found.status is Status.optimal
    assert found.objective == pytest.approx(3 * 0.25 * 1.0), "only the generator's constant cost"


def test_a_ramp_binds_from_the_measured_state_and_is_elastic() -> None:
    unit = Generator(id="g", bus="plate", power_max_kw=100, cost_linear_per_kwh=0.05, ramp_kw_per_h=40, segment_count=1)
    values: dict[str, Any] = {"grid.price_per_kwh": 0.1, "g.power_before_kw": 30}
    assert solved(case_of(unit), values, positions=2, step_h=0.25)["g.segment_kw"] == pytest.approx([40, 50])
    held = solved(case_of(unit), {**values, "g.power_high_kw": 0.0}, positions=2, step_h=0.25)
    assert held["g.segment_kw"] == pytest.approx([0, 0])
    assert held["g.ramp_excess_kw"] == pytest.approx([20, 0])


@pytest.mark.parametrize("price", [0.1, -0.1])
def test_exports_earn_the_price_less_a_share_of_its_size(price: float) -> None:
    tie = market_tie(market=Market(price_series="price", sell_price_factor=0.9))
    fixed = {"grid.exchange_low_kw": -50, "grid.exchange_high_kw": -50, "grid.price_per_kwh": price, "grid.sell_discount_per_kwh": 0.01}
    sink = STORE.model_copy(update={"cycle": "none", "energy_initial_kwh": 300.0})
    answer = solved(case_of(sink, ties=(tie,)), fixed, positions=1)
    assert answer.objective == pytest.approx(-50 * (price - 0.1 * abs(price)))


def test_shed_load_is_bounded_and_takes_its_reactive_part_along() -> None:
    program, _ = compiled_sample(case_of(Demand(id="d", bus="plate", series="load"), ties=(market_tie(exchange_max_kw=10),)), positions=1)
    found = solve(program.bind(inputs_of(program, {"d.load_kw": 25, "grid.price_per_kwh": 0.1})))
    assert found.x is not None
    assert found.x[program.column_index["d.shed_kw"]] == pytest.approx([15])
    assert found.objective == pytest.approx(10 * 0.1 + 15 * 10)


def test_unserved_energy_of_a_cohort_never_comes_back() -> None:
    fleet = EvFleet(id="e", bus="plate", vehicle_count=1, charger_kw=3.0, battery_kwh=24, charge_efficiency_share=1.0, departure_hours=(7,))
    values = {"grid.price_per_kwh": 0.1, "e.power_high_kw": [3, 0, 3], "e.energy_low_kwh": [5, 5, 5], "e.energy_high_kwh": 5}
    answer = solved(case_of(fleet), values, positions=3)
    assert answer["e.unserved_kwh"] == pytest.approx([2, 2, 2])


@pytest.mark.parametrize(("positions", "step_h"), [(0, 1.0), (4, 0.0)])
def test_a_horizon_needs_positions_and_a_step(positions: int, step_h: float) -> None:
    with pytest.raises(ValueError, match="a horizon needs"):
        Horizon(positions, step_h)
