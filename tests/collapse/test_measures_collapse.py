"""Every measure where it must equal a simpler one, on random two-stage programs, with and without binaries in the first stage."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.program.solve import SolveOptions, solve
from pipeline.uncertainty.column_and_constraint import column_and_constraint
from pipeline.uncertainty.cvar import MeanCvar
from pipeline.uncertainty.expectation import recourse_of
from pipeline.uncertainty.measure import Expectation, WorstCase, value_of
from pipeline.uncertainty.monolith import solve_monolith
from pipeline.uncertainty.wasserstein import Wasserstein
from tests.unit.uncertainty.small_programs import alone, distances, two_stage

TIGHT = SolveOptions(mip_gap_share=1e-9)
PROGRAMS = st.builds(two_stage, st.integers(0, 500), scenarios=st.integers(1, 5), switched=st.booleans())
FEW = settings(max_examples=20)


def cost(given_program, measure):
    return solve_monolith(given_program, measure, TIGHT).objective


def close(value):
    return pytest.approx(value, rel=1e-6, abs=1e-6)


@FEW
@given(PROGRAMS)
def test_no_aversion_and_no_radius_are_the_expectation(drawn):
    expected = cost(drawn, Expectation())
    assert cost(drawn, MeanCvar(0.0, 0.1)) == close(expected)
    assert cost(drawn, MeanCvar(0.5, 1.0)) == close(expected)  # the whole law is the tail
    assert cost(drawn, Wasserstein(distances(drawn), 0.0)) == close(expected)


@FEW
@given(PROGRAMS)
def test_the_largest_distance_as_radius_is_the_worst_scenario(drawn):
    worst, far = cost(drawn, WorstCase()), distances(drawn)
    assert cost(drawn, Wasserstein(far, float(far.max()))) == close(worst)
    assert cost(drawn, Wasserstein(far, np.inf)) == close(worst)
    assert cost(drawn, MeanCvar(1.0, float(drawn.weights.min()))) <= worst + 1e-6


@FEW
@given(PROGRAMS)
def test_one_scenario_is_the_deterministic_program_under_every_measure(drawn):
    single = alone(drawn, 0)
    certain = solve(single.program.bind(single.scenarios[0]), TIGHT).objective
    for measure in (Expectation(), WorstCase(), MeanCvar(0.7, 0.2), Wasserstein(np.zeros((1, 1)), 3.0)):
        assert cost(single, measure) == close(certain)
        assert column_and_constraint(single, measure, TIGHT, gap_share=1e-8).objective == close(certain)


@FEW
@given(PROGRAMS, st.floats(0.0, 4.0), st.floats(0.0, 4.0), st.floats(0.02, 1.0), st.floats(0.0, 1.0))
def test_the_decision_never_costs_less_with_more_radius_more_aversion_or_less_tail(drawn, radius, more, tail, aversion):
    far = distances(drawn)
    def no_more(low, high):  # both are optima of interior point, which ends within 1e-8 of a cost
        return low <= high + 1e-8 * (1 + abs(high))

    assert no_more(cost(drawn, Wasserstein(far, radius)), cost(drawn, Wasserstein(far, radius + more)))
    risk = cost(drawn, MeanCvar(aversion, tail))
    assert no_more(risk, cost(drawn, MeanCvar(aversion + more / 4 * (1 - aversion), tail)))
    assert no_more(risk, cost(drawn, MeanCvar(aversion, tail / (1 + more))))


@FEW
@given(PROGRAMS, st.sampled_from([0.3, 1.0, 50.0]))
def test_column_and_constraint_is_the_monolith(drawn, radius):
    for measure in (Expectation(), MeanCvar(0.6, 0.3), Wasserstein(distances(drawn), radius)):
        whole, rounds = cost(drawn, measure), column_and_constraint(drawn, measure, TIGHT, gap_share=1e-7)
        assert rounds.objective == close(whole) and rounds.lower == close(whole)
        assert rounds.status.value == "optimal" and rounds.gap <= 1e-7
        lower, upper = [i.lower for i in rounds.iterations], [i.upper for i in rounds.iterations]
        assert lower == sorted(lower) and upper == sorted(upper, reverse=True)
        assert all(low <= high for low, high in zip(lower, upper, strict=True))


@FEW
@given(PROGRAMS, st.sampled_from([1, 2]))
def test_scenarios_that_wait_behind_cuts_change_nothing(drawn, at_once):
    measure = Wasserstein(distances(drawn), 1.0)
    rounds = column_and_constraint(drawn, measure, TIGHT, gap_share=1e-7, activated_per_round=at_once)
    assert rounds.objective == close(cost(drawn, measure))


@FEW
@given(PROGRAMS)
def test_the_first_lower_bound_is_the_deterministic_cost(drawn):
    mean = drawn.weights @ drawn.scenarios
    first = column_and_constraint(drawn, Wasserstein(distances(drawn), 0.5), TIGHT).iterations[0]
    assert first.lower == close(solve(drawn.program.bind(mean), TIGHT).objective) and first.proven


@FEW
@given(PROGRAMS, st.floats(0.5, 2.0))
def test_a_forecast_that_is_not_the_mean_seeds_and_proves_nothing(drawn, factor):
    """Its optimum may lie above the true cost: it must not stay in the bound."""
    forecast = (1 + factor) * drawn.scenarios.max(axis=0)
    measure = MeanCvar(0.5, 0.5)
    rounds = column_and_constraint(drawn, measure, TIGHT, gap_share=1e-7, forecast=forecast)
    assert not rounds.iterations[0].proven
    assert rounds.objective == close(cost(drawn, measure)) and rounds.lower <= rounds.objective


@FEW
@given(PROGRAMS, st.floats(0.0, 3.0))
def test_costs_and_law_of_the_decision_are_those_of_its_first_stage(drawn, radius):
    for measure in (MeanCvar(0.4, 0.5), Wasserstein(distances(drawn), radius)):
        found = solve_monolith(drawn, measure, TIGHT)
        recourse = recourse_of(drawn.program, drawn.first_stage, TIGHT)
        met = np.array([recourse.meet(found.first, inputs)[0].objective for inputs in drawn.scenarios])
        assert value_of(measure, met, drawn.weights) == close(found.objective)
        assert found.law @ found.costs == close(found.objective)
        assert (met <= found.costs + 1e-5).all()


def test_uncertain_prices_of_the_first_stage_stay_in_the_scenario_that_has_them():
    """min (1 + u) x: the worst price counts, the shared part once."""
    base = two_stage(3, scenarios=3)
    priced = np.zeros(base.program.cost_by_input.shape)
    priced[0, 0] = 0.5
    program = replace(base.program, cost_by_input=type(base.program.cost_by_input)(priced))
    given_program = replace(base, program=program)
    worst = solve_monolith(given_program, WorstCase(), TIGHT)
    by_hand = min(max(solve(replace_first(program, np.array([x0, x1])).bind(u), TIGHT).objective for u in base.scenarios)
                  for x0 in np.linspace(0, 15, 11) for x1 in np.linspace(0, 15, 11))
    assert worst.objective <= by_hand + 1e-6
    held = replace_first(program, worst.first)
    assert worst.objective == close(max(solve(held.bind(u), TIGHT).objective for u in base.scenarios))


def replace_first(program, first):
    low, high = program.col_lower.copy(), program.col_upper.copy()
    low[:2] = high[:2] = first
    return replace(program, col_lower=low, col_upper=high)
