"""Column-and-constraint generation: the book's hand-worked rounds, and what it refuses or says when it cannot end."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp

from pipeline.core.errors import InputError
from pipeline.program.solve import SolveOptions, Status, solve
from pipeline.uncertainty.around import program_around, scenario_costs
from pipeline.uncertainty.column_and_constraint import column_and_constraint
from pipeline.uncertainty.expectation import recourse_of
from pipeline.uncertainty.measure import Expectation, WorstCase
from pipeline.uncertainty.monolith import NoDecision, solve_monolith
from pipeline.uncertainty.two_stage import TwoStage
from pipeline.uncertainty.wasserstein import Wasserstein
from tests.unit.uncertainty.small_programs import program_of, two_stage, worded_masters


def one_unit() -> TwoStage:
    """A unit on (20, .3 per kW) or off, the rest bought at .9; demand 10 or 40."""
    program = program_of(
        np.array([20.0, 0.3, 0.9]), np.array([[0.0, 1.0, 1.0], [-100.0, 1.0, 0.0]]), np.array([[-1.0], [0.0]]),
        row_lower=[0.0, -np.inf], row_upper=[0.0, 0.0], col_upper=[1.0, np.inf, np.inf], integer=[True, False, False])
    return TwoStage(program, np.array([0]), np.array([[10.0], [40.0]]), np.array([0.5, 0.5]))


def test_DRMG_CCG_1_the_two_rounds_of_the_book():
    measure = Wasserstein(np.array([[0.0, 30.0], [30.0, 0.0]]), 9.0)
    found = column_and_constraint(one_unit(), measure, SolveOptions(mip_gap_share=1e-9), forecast=np.array([25.0]))
    one, two = found.iterations
    assert (one.lower, one.upper, one.gap) == pytest.approx((22.5, 30.6, 0.36))
    assert one.law == pytest.approx([0.2, 0.8]) and one.proven
    assert (two.lower, two.upper) == pytest.approx((30.2, 30.2))
    assert found.first == pytest.approx([1.0]) and found.objective == pytest.approx(30.2) and found.law == pytest.approx([0.2, 0.8])


def test_the_optimum_of_the_mean_proves_nothing_where_prices_vary():
    """One kW at a price of 0 or 2, or at 1: the mean price costs 1, the scenarios 0 and 1."""
    program = program_of(np.array([0.0, 0.0, 1.0]), np.array([[0.0, 1.0, 1.0]]), np.array([[0.0]]), row_lower=[1.0], row_upper=[np.inf],
                         col_upper=[1.0, np.inf, np.inf], cost_by_input=np.array([[0.0], [1.0], [0.0]]))
    found = column_and_constraint(TwoStage(program, np.array([0]), np.array([[0.0], [2.0]]), np.array([0.5, 0.5])), Expectation())
    assert found.objective == pytest.approx(0.5) and found.lower == pytest.approx(0.5)
    assert not found.iterations[0].proven and found.iterations[0].lower == pytest.approx(1.0)


def test_a_forecast_off_the_mean_in_a_small_input_proves_nothing_beside_a_large_one():
    """A second input of 1e12 that no row sees must not widen what counts as the mean of the first: 20 is not 25."""
    given = one_unit()
    program = replace(given.program, cost_by_input=sp.csr_array((given.program.cost.size, 2)), offset_by_input=np.zeros(2),
                      matrix_by_input=sp.csr_array(np.pad(given.program.matrix_by_input.toarray(), ((0, 0), (0, 1)))),
                      readout_by_input=sp.csr_array((given.program.readout.shape[0], 2)),
                      input_names=(*given.program.input_names, "g.far[1]"))
    wide = replace(given, program=program, scenarios=np.column_stack([given.scenarios, [1e12, 1e12]]))
    for first, proven in ((25.0, True), (20.0, False)):
        found = column_and_constraint(wide, Expectation(), forecast=np.array([first, 1e12]))
        assert found.iterations[0].proven == proven


def without_recourse() -> TwoStage:
    """Demand must be made from what was sized ahead, at most 8: scenario 2 of 10 cannot be met."""
    program = program_of(np.array([1.0, 0.1]), np.array([[0.0, 1.0], [-1.0, 1.0]]), np.array([[-1.0], [0.0]]),
                         row_lower=[0.0, -np.inf], row_upper=[0.0, 0.0], col_upper=[8.0, np.inf])
    return TwoStage(program, np.array([0]), np.array([[2.0], [7.0], [3.0]]), np.array([0.5, 0.25, 0.25]))


def test_a_scenario_without_recourse_enters_the_master_with_its_rows():
    """The mean is 3.5; sized for it, 7 cannot be met."""
    found = column_and_constraint(without_recourse(), Expectation(), gap_share=1e-8)
    assert np.isinf(found.iterations[0].upper) and found.iterations[0].law is None
    assert found.first == pytest.approx([7.0]) and found.objective == pytest.approx(7.35)


@pytest.mark.parametrize("way", [solve_monolith, column_and_constraint])
def test_no_first_stage_for_all_scenarios_is_said(way):
    given = without_recourse()
    with pytest.raises(NoDecision, match="no first stage") as refused:
        way(replace(given, scenarios=np.array([[2.0], [9.0], [3.0]])), WorstCase())
    assert refused.value.status is Status.infeasible and refused.value.exit_code == 3


def test_integers_after_the_fact_are_refused_with_the_remedy():
    given = one_unit()
    with pytest.raises(InputError, match=r"settings\.method.*a\.column_kw\[0\].*integer.*monolith"):
        column_and_constraint(replace(given, first_stage=np.array([1])), Expectation())
    assert solve_monolith(replace(given, first_stage=np.array([1])), Expectation()).way == "mixed_integer"


@pytest.mark.parametrize(("scenarios", "weights", "said"), [
    (np.zeros((0, 1)), np.zeros(0), "no scenario"), ([[1.0], [np.nan]], [0.5, 0.5], r"scenario 2: a\.demand_kw\[0\] is nan"),
    ([[1.0], [2.0]], [0.5, 0.6], "sum to 1.1"), ([[1.0], [2.0]], [0.5, np.nan], "scenario 2 has nan"),
    ([[1.0], [2.0]], [1.0], "1 probabilities"),
])  # fmt: skip
@pytest.mark.parametrize("way", [solve_monolith, column_and_constraint])
def test_scenarios_and_weights_that_are_none_are_refused(way, scenarios, weights, said):
    with pytest.raises(InputError, match=said):
        way(replace(one_unit(), scenarios=np.array(scenarios), weights=np.array(weights)), Expectation())


@pytest.mark.parametrize("seed", [1, 5, 6])
def test_a_cut_touches_the_cost_of_its_scenario_and_lies_above_it_nowhere(monkeypatch, seed):
    given, cuts = two_stage(seed, scenarios=5), {}

    def around(two, epigraph, **named):
        cuts.update({(cut.scenario, cut.constant): cut for cut in named["cuts"]})
        return program_around(two, epigraph, **named)

    monkeypatch.setattr("pipeline.uncertainty.column_and_constraint.program_around", around)
    column_and_constraint(given, WorstCase(), gap_share=1e-9, activated_per_round=1)
    recourse, costs = recourse_of(given.program, given.first_stage, SolveOptions()), scenario_costs(given)
    firsts = [np.array([one, other]) for one in np.linspace(0, 15, 7) for other in np.linspace(0, 15, 7)]
    mean = solve(given.program.bind(given.weights @ given.scenarios)).x[given.first_stage]
    assert cuts
    for cut in cuts.values():
        room = [recourse.meet(first, given.scenarios[cut.scenario])[0].objective - costs.shared_at(first)
                - cut.constant - cut.slope @ first for first in [*firsts, mean]]
        assert min(room) >= -1e-6
    first_of = {cut.scenario: cut for cut in reversed(cuts.values())}  # the mean's, which round 1 met
    for s, cut in first_of.items():
        whole = recourse.meet(mean, given.scenarios[s])[0].objective
        assert cut.constant + cut.slope @ mean + costs.shared_at(mean) == pytest.approx(whole)


@pytest.mark.parametrize(("raised", "words"), [(0.0, "round 2 takes columns for granted"), (-1e3, "")])
def test_what_the_bound_of_a_master_takes_for_granted_is_said_where_that_bound_is_used(monkeypatch, raised, words):
    """Of masters whose bound lies below that of the mean nothing is said."""
    count = worded_masters(monkeypatch, "column_and_constraint", lambda number: raised, "round {} takes columns for granted", first=2)
    measure = Wasserstein(np.array([[0.0, 30.0], [30.0, 0.0]]), 9.0)
    found = column_and_constraint(one_unit(), measure, SolveOptions(mip_gap_share=1e-9), forecast=np.array([25.0]), rounds_max=2)
    assert count == [2] and found.words.removesuffix(found.ended).rstrip("; ") == words
    assert found.lower == pytest.approx(30.2 if words else 22.5)


def test_no_rounds_left_leaves_the_best_so_far_and_says_so():
    given = two_stage(5, scenarios=5)
    found = column_and_constraint(given, WorstCase(), gap_share=1e-9, rounds_max=1)
    assert found.status is Status.time_limit and found.gap > 1e-9 and len(found.iterations) == 1
    assert found.ended == found.words == "the search ended after 1 round before a gap of 1e-07 % was proven; time was left"
    assert found.objective >= solve_monolith(given, WorstCase()).objective - 1e-6
