"""Each treatment where it must equal a simpler one."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.program.solve import SolveOptions, solve
from pipeline.schedule.day_ahead import DayAheadOptions
from pipeline.uncertainty.expectation import expected_cost, recourse_of
from pipeline.uncertainty.extensive import extensive_form
from tests.unit.schedule.tiny_day import setting


@pytest.fixture(scope="module", params=[None, "two_price"])
def tiny(request):
    return setting(variant=request.param)


def test_one_scenario_is_the_deterministic_schedule(tiny):
    """The extensive form of one scenario has the program's own optimum."""
    plan = tiny.plan()
    program = tiny.hourly
    inputs = np.zeros(len(program.input_names))
    inputs[plan.desk.layout.inputs.index] = plan.inputs[0]
    inputs[plan.desk.binder.scalars.state] = plan.state.values
    bound, _ = extensive_form(program, first_stage=program.columns_like(["*.schedule_kw"]), scenarios=inputs[None], weights=np.ones(1))
    assert solve(bound).objective == pytest.approx(plan.objective, rel=1e-9)


def test_equal_scenarios_are_the_deterministic_schedule(tiny):
    truth = tiny.truth()
    plan = tiny.plan(truth, truth, truth)
    assert plan.objective == pytest.approx(tiny.plan(truth).objective, rel=1e-7)
    assert plan.gap == 0.0 and plan.status == "optimal"


def test_the_value_of_the_stochastic_solution_is_never_negative(tiny):
    outlooks = [tiny.truth(error=0.2, seed=seed) for seed in range(4)]
    plan = tiny.plan(*outlooks, options=DayAheadOptions())
    unit, value = plan.kpis["value_of_stochastic_solution"]
    assert unit == "USD" and value >= -1e-6
    if tiny.variant == "two_price":
        assert value > 0.0


def test_the_expected_cost_lies_above_every_scenario_solved_on_its_own(tiny):
    """Wait and see <= here and now <= any other first stage."""
    outlooks = [tiny.truth(error=0.2, seed=seed) for seed in range(3)]
    together = tiny.plan(*outlooks)
    alone = np.mean([tiny.plan(outlook).objective for outlook in outlooks])
    assert alone <= together.objective + 1e-6
    program = tiny.hourly
    first = program.columns_like(["*.schedule_kw"])
    scenarios = np.zeros((3, len(program.input_names)))
    for s in range(3):
        scenarios[s, together.desk.layout.inputs.index] = together.inputs[s]
        scenarios[s, together.desk.binder.scalars.state] = together.state.values
    other = expected_cost(recourse_of(program, first, SolveOptions()),
                          np.zeros(first.size), scenarios, together.weights)
    assert together.objective <= other + 1e-6


def test_costs_by_term_sum_to_the_objective(tiny):
    plan = tiny.plan(*(tiny.truth(error=0.1, seed=seed) for seed in range(3)))
    assert float(plan.weights @ plan.costs.sum(axis=1)) == pytest.approx(plan.objective, rel=1e-9)


def test_positions_are_the_same_in_every_scenario(tiny):
    plan = tiny.plan(*(tiny.truth(error=0.1, seed=seed) for seed in range(3)))
    held = [j for j, label in enumerate(plan.desk.layout.columns.labels) if label.quantity == "schedule_kw"]
    assert held
    assert np.array_equal(plan.columns[1:, :, held], np.repeat(plan.columns[:1, :, held], 2, axis=0))
