"""Box-robust and budgeted prices on a case: without budget the deterministic day, with it never cheaper."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp

from pipeline.program.solve import SolveOptions, solve
from pipeline.uncertainty.box_robust import box_robust
from pipeline.uncertainty.budgeted import budgeted_prices
from pipeline.uncertainty.deviations import Deviations
from tests.unit.schedule.tiny_day import setting


@pytest.fixture(scope="module")
def day():
    """Program and inputs of the forecast."""
    tiny = setting(variant="two_price")
    plan, program = tiny.plan(), tiny.hourly
    inputs = np.zeros(len(program.input_names))
    inputs[plan.desk.layout.inputs.index] = plan.inputs[0]
    inputs[plan.desk.binder.scalars.state] = plan.state.values
    return program, inputs


def around(inputs, places, share, budget) -> Deviations:
    """Two-sided deviations of some inputs by a share of their value."""
    count = len(places)
    directions = sp.csr_array((share * np.abs(inputs[places]), (places, np.arange(count))), shape=(inputs.size, count))
    return Deviations(inputs, directions, -np.ones(count), np.ones(count), np.arange(count), np.full(count, -1),
                      np.zeros(count, dtype=np.int64), np.array([float(budget)]), tuple(f"d[{k}]" for k in range(count)))


def test_a_box_without_budget_is_the_deterministic_day(day):
    program, inputs = day
    box = around(inputs, program.input_index["mg_f01_b04_pv.available_kw"], 0.3, 0)
    certain = solve(program.bind(inputs)).objective
    assert box_robust(program, program.columns_like(["*.schedule_kw"]), box).decision.objective == pytest.approx(certain, rel=1e-7)


def test_a_box_costs_more_with_more_budget_and_proves_it(day):
    program, inputs = day
    first, pv = program.columns_like(["*.schedule_kw"]), program.input_index["mg_f01_b04_pv.available_kw"]
    costs = [solve(program.bind(inputs)).objective]
    for budget in (1.5, 24):
        found = box_robust(program, first, around(inputs, pv, 0.3, budget), SolveOptions(time_limit_s=60.0), gap_share=1e-3)
        assert found.decision.status.value == "optimal" and found.decision.gap <= 1e-3
        costs.append(found.worst_cost)
    assert costs[0] < costs[1] < costs[2]
    dark = inputs.copy()
    dark[pv] *= 0.7  # more sun never hurts: it may be curtailed
    assert costs[2] == pytest.approx(solve(program.bind(dark)).objective, rel=1e-3)


def test_guarded_prices_cost_more_with_more_budget(day):
    program, inputs = day
    prices = program.input_index["grid.price_per_kwh"]
    certain = solve(program.bind(inputs)).objective
    assert budgeted_prices(program, around(inputs, prices, 0.2, 0)) is program
    costs = [solve(budgeted_prices(program, around(inputs, prices, 0.2, budget)).bind(inputs)).objective for budget in (1, 6, 24)]
    assert certain < costs[0] < costs[1] < costs[2]
    half = replace(around(inputs, prices, 0.1, 24))
    assert certain < solve(budgeted_prices(program, half).bind(inputs)).objective < costs[2]
