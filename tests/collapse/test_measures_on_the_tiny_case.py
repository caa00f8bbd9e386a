"""The measures on a case: positions of the ties ahead, five days of errors."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.program.solve import SolveOptions, solve
from pipeline.uncertainty.column_and_constraint import column_and_constraint
from pipeline.uncertainty.cvar import MeanCvar
from pipeline.uncertainty.measure import Expectation, WorstCase
from pipeline.uncertainty.monolith import solve_monolith
from pipeline.uncertainty.two_stage import TwoStage
from pipeline.uncertainty.wasserstein import Wasserstein
from tests.unit.schedule.tiny_day import setting
from tests.unit.uncertainty.small_programs import alone, distances

WEIGHTS = np.array([0.3, 0.25, 0.2, 0.15, 0.1])


@pytest.fixture(scope="module")
def day() -> TwoStage:
    tiny = setting(variant="two_price")
    plan = tiny.plan(*(tiny.truth(error=0.15, seed=seed) for seed in range(5)))
    program = tiny.hourly
    scenarios = np.zeros((5, len(program.input_names)))
    scenarios[:, plan.desk.layout.inputs.index] = plan.inputs
    scenarios[:, plan.desk.binder.scalars.state] = plan.state.values
    return TwoStage(program, program.columns_like(["*.schedule_kw"]), scenarios, WEIGHTS)


@pytest.fixture(scope="module")
def expected(day):
    return solve_monolith(day, Expectation()).objective


@pytest.fixture(scope="module")
def worst(day):
    return solve_monolith(day, WorstCase()).objective


def test_no_aversion_and_no_radius_are_the_expectation(day, expected):
    assert solve_monolith(day, MeanCvar(0.0, 0.1)).objective == pytest.approx(expected, rel=1e-6)
    assert solve_monolith(day, MeanCvar(1.0, 1.0)).objective == pytest.approx(expected, rel=1e-6)
    assert solve_monolith(day, Wasserstein(distances(day), 0.0)).objective == pytest.approx(expected, rel=1e-6)


def test_the_largest_distance_is_the_worst_scenario(day, worst):
    assert solve_monolith(day, Wasserstein(distances(day), float(distances(day).max()))).objective == pytest.approx(worst, rel=1e-6)
    assert solve_monolith(day, MeanCvar(1.0, 0.1)).objective == pytest.approx(worst, rel=1e-6)


def test_one_scenario_is_the_deterministic_day(day):
    certain = solve(day.program.bind(day.scenarios[0])).objective
    for measure in (WorstCase(), MeanCvar(0.5, 0.1), Wasserstein(np.zeros((1, 1)), 1.0)):
        assert solve_monolith(alone(day, 0), measure).objective == pytest.approx(certain, rel=1e-9)


def test_more_radius_costs_more(day, expected, worst):
    far = distances(day)
    costs = [solve_monolith(day, Wasserstein(far, share * float(np.median(far[far > 0])))).objective for share in (0.05, 0.2, 0.6)]
    assert expected < costs[0] < costs[1] < costs[2] <= worst * (1 + 1e-7)


@pytest.mark.parametrize("measure", ["cvar", "wasserstein"])
def test_column_and_constraint_is_the_monolith(day, measure):
    far = distances(day)
    chosen = MeanCvar(0.5, 0.3) if measure == "cvar" else Wasserstein(far, 0.1 * float(np.median(far[far > 0])))
    whole = solve_monolith(day, chosen)
    rounds = column_and_constraint(day, chosen, SolveOptions(), gap_share=1e-7)
    assert rounds.objective == pytest.approx(whole.objective, rel=1e-6)
    assert rounds.lower == pytest.approx(whole.objective, rel=1e-6)
    assert column_and_constraint(day, chosen, gap_share=1e-3).gap <= 1e-3
