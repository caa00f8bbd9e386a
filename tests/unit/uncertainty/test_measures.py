"""Each measure's two faces agree, and the law is the worst of its set: by hand, and against linear programs written out here."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog

from pipeline.core.errors import InputError
from pipeline.uncertainty.cvar import MeanCvar
from pipeline.uncertainty.measure import Expectation, Measure, WorstCase, largest_of, value_of
from pipeline.uncertainty.wasserstein import Wasserstein

COSTS, WEIGHTS = np.array([100.0, 130.0, 160.0]), np.array([0.5, 0.3, 0.2])
DISTANCE = np.array([[0.0, 1.0, 3.0], [1.0, 0.0, 2.0], [3.0, 2.0, 0.0]])


def epigraph_value(epigraph, costs):
    """min cost' theta + aux_cost' z over the epigraph's rows with theta >= costs."""
    count, aux = costs.size, epigraph.aux_cost.size
    rows = np.hstack([epigraph.rows.toarray(), epigraph.aux_rows.toarray()]) if epigraph.row_names else np.zeros((0, count + aux))
    bounds = [(c, None) for c in costs] + [(None if np.isinf(low) else low, None) for low in epigraph.aux_lower]
    found = linprog(np.concatenate([epigraph.cost, epigraph.aux_cost]), A_ub=-rows, b_ub=np.zeros(len(rows)), bounds=bounds)
    assert found.status == 0
    return found.fun


def worst_distribution(costs, weights, distance, radius):
    """The transport program, written out."""
    count = costs.size
    leaves = np.kron(np.eye(count), np.ones(count))
    return -linprog(-np.tile(costs, count), A_ub=distance.reshape(1, -1), b_ub=[radius], A_eq=leaves, b_eq=weights).fun


@st.composite
def uncertain_costs(draw):
    """Costs and weights (S,), distances (S, S); whole numbers, so that ties happen."""
    count = draw(st.integers(1, 6))
    costs = np.array(draw(st.lists(st.integers(-5, 20), min_size=count, max_size=count)), dtype=float)
    weights = np.array(draw(st.lists(st.integers(1, 5), min_size=count, max_size=count)), dtype=float)
    places = np.array(draw(st.lists(st.integers(0, 9), min_size=count, max_size=count)), dtype=float)
    return costs, weights / weights.sum(), np.abs(places[:, None] - places[None])


@pytest.mark.parametrize(("radius", "worst"), [(0.0, 121.0), (0.3, 130.0), (0.8, 140.5), (9.0, 160.0)])
def test_DRMG_W_1_the_worst_mean_over_the_radius(radius, worst):
    measure = Wasserstein(DISTANCE, radius)
    assert value_of(measure, COSTS, WEIGHTS) == pytest.approx(worst, rel=1e-12)
    assert epigraph_value(measure.epigraph(WEIGHTS), COSTS) == pytest.approx(worst, rel=1e-9)


@given(uncertain_costs(), st.floats(0.0, 10.0))
def test_the_worst_law_is_the_optimum_of_the_transport_program(drawn, radius):
    costs, weights, distance = drawn
    measure = Wasserstein(distance, radius)
    law = measure.law(costs, weights)
    assert law.sum() == pytest.approx(1.0, abs=1e-12) and (law >= 0).all()
    if radius > 0:
        assert law @ costs == pytest.approx(worst_distribution(costs, weights, distance, radius), abs=1e-7)
    leaving = np.kron(np.eye(costs.size), np.ones(costs.size))
    arriving = np.kron(np.ones(costs.size), np.eye(costs.size))
    moved = linprog(distance.ravel(), A_eq=np.vstack([leaving, arriving]), b_eq=np.concatenate([weights, law]))
    assert moved.fun <= radius + 1e-7  # the law lies within the radius


@given(uncertain_costs(), st.floats(0.01, 1.0), st.floats(0.0, 1.0))
def test_the_tail_law_is_the_worst_density(drawn, tail, aversion):
    costs, weights, _ = drawn
    worst = -linprog(-costs, A_eq=np.ones((1, costs.size)), b_eq=[1.0], bounds=[(0, w / tail) for w in weights]).fun
    law = MeanCvar(aversion, tail).law(costs, weights)
    assert law.sum() == pytest.approx(1.0, abs=1e-12) and (law >= 0).all()
    assert law @ costs == pytest.approx((1 - aversion) * (weights @ costs) + aversion * worst, abs=1e-7)


@given(uncertain_costs(), st.floats(0.0, 10.0), st.floats(0.05, 1.0), st.floats(0.0, 1.0))
def test_epigraph_and_law_give_the_same_value(drawn, radius, tail, aversion):
    costs, weights, distance = drawn
    measures: list[Measure] = [Expectation(), WorstCase(), MeanCvar(aversion, tail), Wasserstein(distance, radius)]
    for measure in measures:
        assert epigraph_value(measure.epigraph(weights), costs) == pytest.approx(value_of(measure, costs, weights), abs=1e-6)


@given(uncertain_costs(), st.floats(0.0, 5.0), st.floats(0.0, 5.0), st.floats(0.01, 1.0), st.floats(0.0, 1.0))
def test_more_radius_more_aversion_or_less_tail_never_costs_less(drawn, radius, more, tail, aversion):
    costs, weights, distance = drawn
    rising = [(Wasserstein(distance, radius), Wasserstein(distance, radius + more)),
              (MeanCvar(aversion, tail), MeanCvar(min(1.0, aversion + more / 5), tail)),
              (MeanCvar(aversion, tail), MeanCvar(aversion, tail / (1 + more)))]
    for less, greater in rising:
        assert value_of(less, costs, weights) <= value_of(greater, costs, weights) + 1e-9


def test_the_extremes_are_the_mean_and_the_dearest():
    for measure in (MeanCvar(0.0, 0.1), MeanCvar(1.0, 1.0), Wasserstein(DISTANCE, 0.0), Expectation()):
        assert measure.law(COSTS, WEIGHTS) == pytest.approx(WEIGHTS)
    for worst in (MeanCvar(1.0, 0.2), Wasserstein(DISTANCE, 3.0), Wasserstein(DISTANCE, np.inf), WorstCase()):
        assert worst.law(COSTS, WEIGHTS) == pytest.approx([0, 0, 1])


def test_the_largest_of_listed_laws():
    laws = np.array([[1.0, 0.0, 0.0], [0.0, 0.5, 0.5]])
    assert epigraph_value(largest_of(laws), COSTS) == pytest.approx(145.0)


@pytest.mark.parametrize(("make", "place"), [
    (lambda: Wasserstein(DISTANCE, -0.1), "settings.method.radius_share"),
    (lambda: Wasserstein(DISTANCE, np.nan), "settings.method.radius_share"),
    (lambda: Wasserstein(DISTANCE - 1, 1.0), "distances"), (lambda: Wasserstein(DISTANCE * np.nan, 1.0), "distances"),
    (lambda: Wasserstein(DISTANCE + np.triu(DISTANCE), 1.0), "distances"), (lambda: MeanCvar(1.1, 0.5), "settings.method.aversion_share"),
    (lambda: MeanCvar(np.nan, 0.5), "settings.method.aversion_share"), (lambda: MeanCvar(0.5, 0.0), "settings.method.tail_share"),
])  # fmt: skip
def test_what_is_no_measure_is_refused_with_place_and_remedy(make, place):
    with pytest.raises(InputError, match=place) as refused:
        make()
    assert refused.value.mistakes[0].remedy
