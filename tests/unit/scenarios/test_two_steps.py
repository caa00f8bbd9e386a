"""Reduction in two steps: close draws merged with their weights, then the map; what stands for a cluster; distances between them."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from pipeline.cases.case import Case
from pipeline.cases.sources import Series
from pipeline.core.errors import InputError
from pipeline.equipment import Demand, Source
from pipeline.scenarios.distance import median_distance, single_link
from pipeline.scenarios.extremes import deviations, extreme_gaps, representatives_keep_extremes
from pipeline.scenarios.probability import probability_distance_reduction
from pipeline.scenarios.reduce import Clusters, cluster, represent
from pipeline.scenarios.represent import adverse_direction, departures_of
from pipeline.scenarios.sample import Sample, pre_reduced, whole
from pipeline.scenarios.som import Map, merged, merged_by_cost, som_medoids, squared_distances
from tests.helpers import case_of

CASE = case_of(
    Demand(id="d", bus="plate", series="load"), Source(id="s", bus="plate", series="wind"),
    series=(Series(id="load", kind="load"), Series(id="wind", kind="wind", capacity_kw=500), Series(id="price", kind="price")))
FORECAST = np.repeat(np.array([[100.0], [40.0], [0.2]]), 96, axis=1)


def days(count: int, seed: int = 0) -> np.ndarray:
    """(count, 3, 96) relative errors that wander by the hour."""
    rng = np.random.default_rng(seed)
    noise = np.repeat(rng.standard_normal((count, 3, 24)), 4, axis=2) + rng.standard_normal((count, 3, 1))
    return np.asarray(FORECAST * (1 + np.array([0.03, 0.1, 0.02])[:, None] * noise))


def test_DRMG_RED_1_the_lighter_of_the_closest_pair_goes_and_its_weight_stays() -> None:
    kept, weights = probability_distance_reduction(np.array([[0.0], [1.0], [5.0]]), np.array([0.5, 0.2, 0.3]), 2)
    assert kept.tolist() == [0, 2]
    assert weights == pytest.approx([0.7, 0.3])


def test_probability_distance_reduction_is_the_pairwise_rule_done_slowly() -> None:
    rng = np.random.default_rng(3)
    rows, weights = rng.standard_normal((30, 4)), rng.dirichlet(np.ones(30))
    alive, mass = list(range(30)), weights.copy()
    while len(alive) > 9:
        pairs = [(float(np.linalg.norm(rows[a] - rows[b])), a, b) for a in alive for b in alive if a < b]
        _, a, b = min(pairs)
        lost, heir = (a, b) if mass[a] < mass[b] else (b, a)
        mass[heir] += mass[lost]
        alive.remove(lost)
    kept, found = probability_distance_reduction(rows, weights, 9)
    assert kept.tolist() == alive
    assert found == pytest.approx(mass[alive])


def test_DRMG_SOM_1_distance_and_step_of_a_neuron() -> None:
    from minisom import MiniSom

    neuron, sample = np.array([[0.2, 0.4]]), np.array([[0.6, 0.0]])
    assert squared_distances(sample, neuron)[0, 0] == pytest.approx(0.32)
    som = MiniSom(1, 1, 2, sigma=1.0, learning_rate=0.5, random_seed=0)
    som._weights[0, 0] = neuron[0]
    som.update(sample[0], som.winner(sample[0]), 0, 1000)
    assert som.get_weights()[0, 0] == pytest.approx([0.4, 0.2])


def test_merged_neurons_stand_at_the_mean_of_what_they_won_and_none_is_empty() -> None:
    found = Map(np.array([0, 0, 2, 3, 3]), np.array([[0.0], [9.0], [1.0], [5.0]]), dead=1)
    assert merged(found, 2, np.array([3.0, 3.0, 1.0, 1.0, 1.0])).tolist() == [0, 0, 0, 1, 1]
    # 0 and 1 merge at 1/7, so that 2.2 is nearer to it than to 4.9
    chain = Map(np.arange(4), np.array([[0.0], [1.0], [2.5], [4.9]]), dead=0)
    assert merged(chain, 2, np.array([0.1, 6.0, 1.0, 1.0])).tolist() == [0, 0, 0, 1]


def test_spare_neurons_leave_as_many_clusters_as_were_asked_for() -> None:
    rows = np.random.default_rng(0).standard_normal((60, 5))
    chosen, _ = som_medoids(rows, 7, seed=1, weight=np.full(60, 1 / 60), neurons=14)
    assert len(chosen) == 7


def test_neurons_are_merged_where_a_dearer_stand_in_costs_least() -> None:
    winner, weight, costs = np.array([0, 1, 1, 2, 5]), np.array([0.1, 0.2, 0.2, 0.4, 0.1]), np.array([10.0, 12.0, 9.0, 13.0, 30.0])
    # four neurons won: unions cost .1 x 2 = .2, .4 x 1 = .4 and .4 x 17 = 6.8; then the union of .5 at 12 joins 13 for .5
    assert merged_by_cost(winner, 4, weight, costs).tolist() == [0, 1, 1, 2, 3]
    assert merged_by_cost(winner, 3, weight, costs).tolist() == [0, 0, 0, 1, 2]
    assert merged_by_cost(winner, 2, weight, costs).tolist() == [0, 0, 0, 0, 1]


def test_what_nothing_meets_stays_by_itself_as_long_as_it_can() -> None:
    winner, weight = np.arange(4), np.full(4, 0.25)
    costs = np.array([np.inf, 1.0, np.inf, 9.0])
    assert merged_by_cost(winner, 3, weight, costs).tolist() == [0, 1, 0, 2]
    assert merged_by_cost(winner, 2, weight, costs).tolist() == [0, 1, 0, 1]
    assert merged_by_cost(winner, 1, weight, costs).tolist() == [0, 0, 0, 0]


def test_clusters_merged_by_cost_are_unions_of_more_clusters_and_cost_no_less() -> None:
    sample = pre_reduced(days(200), case=CASE, count=60)
    costs = np.random.default_rng(5).gamma(2.0, size=60)
    found = [cluster(sample, case=CASE, method="som", count=count, seed=1, costs=costs) for count in (12, 9, 7, 3)]
    means = [sum(one.weights[k] * costs[one.place == k].max() for k in range(len(one.weights))) for one in found]
    for finer, coarser in pairwise(found):
        assert len(set(zip(finer.place, coarser.place, strict=True))) == len(finer.weights)
        assert (coarser.place[coarser.medoids] == np.arange(len(coarser.medoids))).all()
    assert [len(one.weights) for one in found] == [12, 9, 7, 3] and all(a <= b + 1e-12 for a, b in pairwise(means))


def test_the_first_step_keeps_the_mean_and_stays_in_the_range() -> None:
    draws = days(200)
    sample = pre_reduced(draws, case=CASE, count=40)
    assert len(sample.rows) == 40 and sample.weights.sum() == pytest.approx(1.0)
    assert np.tensordot(sample.weights, sample.values, axes=1) == pytest.approx(draws.mean(axis=0), rel=1e-9)
    assert (sample.values >= draws.min(axis=0) - 1e-12).all() and (sample.values <= draws.max(axis=0) + 1e-12).all()
    assert pre_reduced(draws, case=CASE, count=None).values is draws
    assert pre_reduced(draws, case=CASE, count=200).values is draws


def test_weights_are_carried_into_the_clusters() -> None:
    sample = pre_reduced(days(200), case=CASE, count=40)
    found = cluster(sample, case=CASE, method="som", count=5, seed=1)
    assert found.weights.sum() == pytest.approx(1.0) and (np.diff(found.weights) <= 1e-12).all()
    assert np.bincount(found.place, weights=sample.weights) == pytest.approx(found.weights)
    assert (found.place[found.medoids] == np.arange(len(found.medoids))).all()


def test_as_many_representatives_as_draws_kept_are_those_draws() -> None:
    sample = pre_reduced(days(80), case=CASE, count=12)
    found = represent(cluster(sample, case=CASE, method="som", count=12, seed=0), case=CASE, kind="worst_member")
    order = np.argsort(-sample.weights, kind="stable")
    assert np.array_equal(found.values, sample.values[order])
    assert np.array_equal(found.chosen, sample.rows[order])
    with pytest.raises(InputError, match="13 representatives were asked of 12 draws"):
        cluster(sample, case=CASE, method="som", count=13, seed=0)


def two_clusters(values: np.ndarray) -> Clusters:
    sample = Sample(values, np.array([0.4, 0.2, 0.3, 0.1]), np.array([4, 7, 8, 9]), reduced=True)
    return Clusters("som", sample, np.array([0, 2]), np.array([0, 0, 1, 1]), np.array([0.6, 0.4]))


def test_what_stands_for_a_cluster() -> None:
    values = days(4, seed=2)
    clusters = two_clusters(values)
    costs = np.array([1.0, 2.0, 8.0, 7.0])
    medoid, worst, mean, envelope = (represent(clusters, case=CASE, kind=kind, costs=costs)  # type: ignore[arg-type]
                                     for kind in ("medoid", "worst_member", "mean", "adverse_envelope"))
    assert np.array_equal(medoid.values, values[[0, 2]]) and medoid.chosen.tolist() == [4, 8]
    assert np.array_equal(worst.values, values[[1, 2]]) and worst.chosen.tolist() == [7, 8]
    assert mean.values[0] == pytest.approx((0.4 * values[0] + 0.2 * values[1]) / 0.6)
    assert np.tensordot(mean.weights, mean.values, axes=1) == pytest.approx(np.tensordot(clusters.sample.weights, values, axes=1))
    assert np.array_equal(envelope.values[0, 0], values[:2, 0].max(axis=0))  # load
    assert np.array_equal(envelope.values[0, 1], values[:2, 1].min(axis=0))  # wind
    assert np.array_equal(envelope.values[:, 2], mean.values[:, 2])  # a price is adverse on neither side
    assert all(one.weights == pytest.approx([0.6, 0.4]) for one in (medoid, worst, mean, envelope))


def test_without_costs_the_largest_daily_net_load_stands_in() -> None:
    values = np.repeat(FORECAST[None], 4, axis=0)
    values[0, 0] += 1  # more load
    values[3, 1] -= 1  # less wind
    assert represent(two_clusters(values), case=CASE, kind="worst_member").chosen.tolist() == [4, 9]


def test_what_promises_a_bound_is_not_moved_to_the_moments() -> None:
    draws = days(50)
    clusters = cluster(pre_reduced(draws, case=CASE, count=30), case=CASE, method="som", count=4, seed=0)
    for kind in ("worst_member", "mean", "adverse_envelope"):
        assert np.array_equal(represent(clusters, case=CASE, kind=kind, draws=draws).values,  # type: ignore[arg-type]
                              represent(clusters, case=CASE, kind=kind).values)  # type: ignore[arg-type]
    assert not np.array_equal(represent(clusters, case=CASE, draws=draws).values, represent(clusters, case=CASE).values)


def test_an_envelope_stays_in_the_box_of_the_law() -> None:
    box = (0.95 * FORECAST, 1.05 * FORECAST)
    values = represent(two_clusters(days(4, seed=2)), case=CASE, kind="adverse_envelope", box=box).values
    assert (values >= box[0]).all() and (values <= box[1]).all()


def test_adverse_is_what_demands_need_and_sources_lack() -> None:
    assert adverse_direction(CASE).tolist() == [1.0, -1.0, 0.0]
    both = CASE.model_copy(update={"devices": (*CASE.devices, Source(id="s2", bus="plate", series="load"))})
    assert adverse_direction(both).tolist() == [0.0, -1.0, 0.0]


def test_deviations_leave_out_what_is_not_forecast() -> None:
    forecast = FORECAST.copy()
    forecast[1, :48] = 0.0
    values = np.array([forecast * 1.1])
    values[0, 1, :48] = 7.0
    assert deviations(values, forecast).shape == (1, 24 + 12 + 24)
    assert deviations(values, forecast) == pytest.approx(0.1)


def test_representatives_keep_extremes_within_five_percent_in_every_class() -> None:
    draws = np.repeat(FORECAST[None], 3, axis=0)
    draws[0, 0, :4] *= 1.14
    draws[1, 1, :4] *= 0.72
    gaps = extreme_gaps(CASE, draws, draws[1:2], FORECAST)
    assert gaps == pytest.approx({"load": 0.14, "wind": 0.0, "price": 0.0})
    assert not representatives_keep_extremes(gaps)
    assert representatives_keep_extremes(extreme_gaps(CASE, draws, draws[:2], FORECAST))


def test_an_extreme_below_the_forecast_counts_as_one_above_it() -> None:
    """28 % less wind beside 5 % more: without the first the representatives lack .23."""
    draws = np.repeat(FORECAST[None], 3, axis=0)
    draws[0, 1, :4] *= 1.05
    draws[1, 1, :4] *= 0.72
    gaps = extreme_gaps(CASE, draws, draws[:1], FORECAST)
    assert gaps == pytest.approx({"load": 0.0, "wind": 0.23, "price": 0.0}) and not representatives_keep_extremes(gaps)
    assert extreme_gaps(CASE, draws, draws[1:2], FORECAST) == pytest.approx({"load": 0.0, "wind": 0.0, "price": 0.0})


def test_distances_are_those_of_the_nearest_members() -> None:
    rows = np.array([[0.0, 0.0], [0.1, 0.1], [0.5, 0.1], [1.0, 1.0]])
    found = single_link(rows, np.array([0, 0, 1, 1]), 2)
    assert found == pytest.approx(np.array([[0.0, 0.2], [0.2, 0.0]]))
    assert median_distance(rows) == pytest.approx(np.median([0.1, 0.3, 1.0, 0.2, 0.9, 0.7]))
    assert median_distance(rows[:1]) == 0.0
    draws = days(20)
    alone = single_link(deviations(draws, FORECAST), np.arange(20), 20)
    assert np.array_equal(alone, alone.T) and (np.diag(alone) == 0).all() and (alone[~np.eye(20, dtype=bool)] > 0).all()


def test_early_departures_go_with_their_member_or_with_the_one_that_has_most() -> None:
    early = np.array([[[1, 0]], [[0, 3]], [[2, 0]], [[0, 1]]])
    place = np.array([0, 0, 1, 1])
    assert departures_of(place, early, np.array([0, 3])).tolist() == [[[1, 0]], [[0, 1]]]
    assert departures_of(place, early, None).tolist() == [[[0, 3]], [[2, 0]]]
    clusters = two_clusters(days(4, seed=2))
    costs = np.array([1.0, 2.0, 8.0, 7.0])
    assert represent(clusters, case=CASE, kind="worst_member", costs=costs).members.tolist() == [1, 2]  # type: ignore[union-attr]
    assert represent(clusters, case=CASE, kind="mean").members is None


def test_a_case_without_renewables_is_reduced_too() -> None:
    case: Case = CASE.model_copy(update={"devices": CASE.devices[:1]})
    assert len(cluster(whole(days(30)), case=case, method="som", count=3, seed=0).weights) == 3
