"""The extensive form on a program small enough to check by hand: buy ahead at 1, later at 3, sell back at 0.5."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from pipeline.core.errors import InputError
from pipeline.program.linear_program import InputSpec, LinearProgram
from pipeline.program.solve import SolveOptions, solve
from pipeline.uncertainty.expectation import expected_cost, mean, recourse_of
from pipeline.uncertainty.extensive import extensive_form, repeated


def newsvendor() -> LinearProgram:
    """min a + 3 b - 0.5 c  s.t.  a + b - c = demand; a first stage."""
    return LinearProgram(
        cost=np.array([1.0, 3.0, -0.5]), cost_by_input=sp.csr_array((3, 1)), offset=0.0, offset_by_input=np.zeros(1),
        matrix=sp.csr_array(np.array([[1.0, 1.0, -1.0]])), matrix_by_input=sp.csr_array(np.array([[-1.0]])),
        row_lower=np.zeros(1), row_upper=np.zeros(1), col_lower=np.zeros(3), col_upper=np.full(3, 100.0), integer=np.zeros(3, dtype=bool),
        row_names=("a.balance[1]",), column_names=("a.ahead_kw[1]", "a.later_kw[1]", "a.back_kw[1]"), input_names=("a.demand_kw[1]",),
        column_term=np.zeros(3, dtype=np.int16), terms=("cost",), readout=sp.csr_array((0, 3)), readout_by_input=sp.csr_array((0, 1)),
        readout_offset=np.zeros(0), readout_names=(), inputs={"a.demand_kw": InputSpec("a", "demand_kw", "series")},
        positions=1, step_h=1.0, rolling=False,
    )


FIRST = np.array([0])
DEMANDS = np.array([[2.0], [4.0], [10.0]])


@pytest.mark.parametrize(("weights", "ahead"), [((0.2, 0.4, 0.4), 10.0), ((0.3, 0.6, 0.1), 4.0), ((0.85, 0.1, 0.05), 2.0)])
def test_the_first_stage_is_the_newsvendor_quantile(weights, ahead):
    """One more ahead pays while 3 P(demand above) + 0.5 P(demand below) exceeds 1."""
    bound, index = extensive_form(newsvendor(), first_stage=FIRST, scenarios=DEMANDS, weights=np.array(weights))
    solution = solve(bound)
    assert solution.x is not None and solution.row_dual is not None
    assert [index.slice(solution.x, s)[0] for s in range(3)] == pytest.approx([ahead] * 3)
    hand = ahead + sum(w * (3 * max(d - ahead, 0) - 0.5 * max(ahead - d, 0)) for w, d in zip(weights, DEMANDS[:, 0], strict=True))
    assert solution.objective == pytest.approx(hand)
    assert sum(index.duals(solution.row_dual, s).sum() for s in range(3)) == pytest.approx(1.0)  # ahead costs 1, whoever needs it


def test_a_frozen_first_stage_costs_what_the_extensive_form_says():
    weights = np.array([0.3, 0.6, 0.1])
    bound, index = extensive_form(newsvendor(), first_stage=FIRST, scenarios=DEMANDS, weights=weights)
    solution = solve(bound)
    first = index.slice(solution.x, 0)[FIRST]
    recourse = recourse_of(newsvendor(), FIRST, SolveOptions())
    assert expected_cost(recourse, first, DEMANDS, weights) == pytest.approx(solution.objective)
    assert expected_cost(recourse, np.array([3.0]), DEMANDS, weights) > solution.objective
    _, x = recourse.meet(np.array([4.0]), DEMANDS[2])
    assert x == pytest.approx([4.0, 6.0, 0.0])


def test_binaries_of_the_first_stage_are_shared():
    program = newsvendor()
    whole = LinearProgram(**{**program.__dict__, "integer": np.array([True, False, False])})
    bound, _ = extensive_form(whole, first_stage=FIRST, scenarios=DEMANDS, weights=np.full(3, 1 / 3))
    assert bound.program.integer.tolist() == [True] + [False] * 6
    assert bound.program.column_names[:2] == ("a.ahead_kw[1]", "a.later_kw[1]@1")


def test_names_say_the_scenario_and_no_column_is_lost():
    bound, index = extensive_form(newsvendor(), first_stage=FIRST, scenarios=DEMANDS, weights=np.full(3, 1 / 3))
    assert bound.program.row_names == ("a.balance[1]@1", "a.balance[1]@2", "a.balance[1]@3")
    assert sorted(set(index.columns.ravel())) == list(range(7))


def test_the_matrix_is_laid_out_as_block_matrices_say():
    """[common, recourse on the diagonal] for first-stage columns anywhere, empty rows and columns included."""
    rng = np.random.default_rng(3)
    dense = rng.normal(size=(7, 9)) * (rng.random((7, 9)) < 0.4)
    dense[2], dense[:, 5] = 0.0, 0.0
    for first in ([], [3], [0, 4, 8], list(range(9))):
        shared, own = np.array(first, dtype=np.int64), np.array([j for j in range(9) if j not in first], dtype=np.int64)
        found = repeated(sp.csr_array(dense), shared, own, 3)
        expected = np.hstack([np.vstack([dense[:, shared]] * 3), np.kron(np.eye(3), dense[:, own])])
        assert found.toarray() == pytest.approx(expected)
        assert found.has_canonical_format and found.indices.dtype == np.int32


@pytest.mark.parametrize("weights", [(0.5, 0.5, 0.5), (1.0, 0.0, 0.0), (0.5, 0.5), (np.nan, 0.5, 0.5), (1.5, -0.5, 0.0)])
def test_weights_that_are_no_probabilities_are_refused(weights):
    with pytest.raises(InputError, match="probabilities"):
        extensive_form(newsvendor(), first_stage=FIRST, scenarios=DEMANDS, weights=np.array(weights))


def test_the_mean_weighs_scenarios():
    assert mean(np.array([[1.0, 2.0], [3.0, 6.0]]), np.array([0.25, 0.75])) == pytest.approx([2.5, 5.0])
