"""Draws and reductions: weights, medoids, targets of the map, refusals."""

from __future__ import annotations

import time

import numpy as np
import pytest

from pipeline.cases.net_load import net_load_shares
from pipeline.core.errors import InputError
from pipeline.equipment import Demand, Source
from pipeline.scenarios.distance import nearest, w1
from pipeline.scenarios.features import features
from pipeline.scenarios.quality import quality
from pipeline.scenarios.reduce import reduce
from pipeline.scenarios.selection import backward, distances_between, fast_forward, k_medoids
from pipeline.scenarios.som import grid_of, som_medoids
from tests.helpers import case_of

CASE = case_of(Demand(id="d", bus="plate", series="load", series_share=2.0), Demand(id="h", bus="plate", series="heat", carrier="heat"),
               Source(id="s", bus="plate", series="wind"))
METHODS = ("som", "k_medoids", "fast_forward", "backward", "two_step", "random")


def sample(count: int, seed: int = 0) -> np.ndarray:
    """Days (count, 4 series, 96) that wander: load, heat, price, wind."""
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal((count, 4, 96)).cumsum(axis=2) / 10 + rng.standard_normal((count, 4, 1))
    return np.array([10.0, 5.0, 0.1, 6.0])[None, :, None] * (1 + 0.1 * noise + 0.2 * np.sin(np.arange(96) / 15))


@pytest.mark.parametrize("method", METHODS)
def test_every_method_gives_weighted_real_days(method: str) -> None:
    draws = sample(200)
    found = reduce(draws, case=CASE, method=method, count=5, seed=3, matched=False)  # type: ignore[arg-type]
    assert found.weights.sum() == pytest.approx(1.0)
    assert np.all(found.weights > 0)
    assert np.array_equal(found.values, draws[found.chosen])
    place, _ = nearest(features(CASE, draws), found.chosen)
    assert np.bincount(place, minlength=len(found.chosen)) / 200 == pytest.approx(found.weights)
    again = reduce(draws, case=CASE, method=method, count=5, seed=3, matched=False)  # type: ignore[arg-type]
    assert np.array_equal(again.chosen, found.chosen)


def test_the_map_meets_its_targets() -> None:
    draws = sample(1000)
    begun = time.process_time()
    found = reduce(draws, case=CASE, count=15, seed=1)
    seconds = time.process_time() - begun
    measures = quality(CASE, draws, found)
    assert seconds < 5
    assert measures["w1_to_k_medoids"] <= 1.03
    assert measures["mean_error_sd"] <= 0.02
    assert 0.9 <= measures["sd_ratio"] <= 1.1
    assert reduce(draws, case=CASE, method="random", count=15, seed=1, matched=False).method == "random"
    assert measures["w1"] < quality(CASE, draws, reduce(draws, case=CASE, method="random", count=15, seed=1))["w1"]


def test_features_are_49_numbers_of_net_load_price_and_daily_sum() -> None:
    assert features(CASE, sample(20)).shape == (20, 49)
    assert net_load_shares(CASE).tolist() == [2.0, 0.0, 0.0, -1.0]


def test_gaps_and_too_few_draws_are_refused() -> None:
    draws = sample(20)
    draws[3, 1, 5] = np.nan
    with pytest.raises(InputError, match="row 3"):
        reduce(draws, case=CASE, count=5)
    with pytest.raises(InputError, match="draw more"):
        reduce(sample(3), case=CASE, count=5)


def test_grids_of_the_page() -> None:
    assert [grid_of(count) for count in (7, 10, 15)] == [(1, 7), (2, 5), (3, 5)]


def test_three_clusters_are_found_by_all() -> None:
    rng = np.random.default_rng(5)
    rows = np.concatenate([centre + 0.01 * rng.standard_normal((30, 6)) for centre in (0.0, 5.0, 10.0)])
    distances = distances_between(rows)
    for chosen in (som_medoids(rows, 3, seed=0)[0], k_medoids(distances, 3, seed=0), fast_forward(distances, 3), backward(distances, 3)):
        assert sorted(np.array(chosen) // 30) == [0, 1, 2]
        assert w1(rows, np.array(chosen)) < 0.1


@pytest.mark.parametrize("seed", range(4))
def test_backward_drops_what_is_cheapest_to_move_to_its_neighbours(seed: int) -> None:
    """Against the plain rule: of all rows the one without which the sum of distances to the nearest kept row is least."""
    distances = distances_between(np.random.default_rng(seed).standard_normal((25, 3)))
    kept = list(range(25))
    while len(kept) > 5:
        costs = np.array([distances[:, [k for k in kept if k != dropped]].min(axis=1).sum() for dropped in kept])
        kept.pop(int(np.flatnonzero(costs <= costs.min() + 1e-9)[0]))  # of two that are as near to one another, the first
    assert backward(distances, 5).tolist() == kept


def test_one_dead_neuron_is_dropped_not_weighted_zero() -> None:
    rows = np.repeat(np.array([[0.0, 0.0], [1.0, 1.0]]), 20, axis=0)
    chosen, dead = som_medoids(rows, 5, seed=0)
    assert len(chosen) == 2
    assert dead == 3
