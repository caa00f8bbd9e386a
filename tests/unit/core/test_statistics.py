"""Quantiles and intervals by hand, and how often an interval holds the truth of a known law."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.core.statistics import mean_interval, quantile, quantile_interval


def test_a_mean_and_its_interval_by_hand() -> None:
    """1, 2, 3: mean 2, standard error 1 / sqrt(3), Student's t of two degrees of freedom at 97.5 % is 4.30265."""
    found = mean_interval(np.array([1.0, 2.0, 3.0]))
    assert found.value == 2.0
    assert (found.low, found.high) == pytest.approx((2 - 4.302653 / np.sqrt(3), 2 + 4.302653 / np.sqrt(3)), abs=1e-5)


def test_days_are_the_units_where_there_are_several() -> None:
    """Two days of three scenarios, means 2 and 6: standard error 2, t of one degree of freedom at 97.5 % is 12.7062."""
    found = mean_interval(np.array([[1.0, 2.0, 3.0], [6.0, 6.0, 6.0]]))
    assert found.value == 4.0
    assert (found.low, found.high) == pytest.approx((4 - 25.4124, 4 + 25.4124), abs=1e-3)


def test_quantiles_by_hand() -> None:
    """Between the order statistics 4 (75 %) and 5 (100 %) of five values, 95 % lies four fifths of the way."""
    assert quantile(np.array([5.0, 1.0, 3.0, 2.0, 4.0]), 0.95) == pytest.approx(4.8)
    assert quantile(np.array([[10.0, 20.0], [30.0, 40.0]]), 0.5) == 25.0


def test_one_value_says_nothing_of_its_spread() -> None:
    alone = mean_interval(np.array([7.0]))
    assert alone.value == 7.0 and np.isnan([alone.low, alone.high]).all()
    assert np.isnan(quantile_interval(np.array([7.0]), 0.95, seed=1).low)


def test_an_interval_holds_the_truth_as_often_as_it_says() -> None:
    """Days of a normal law with scenarios around them: 2000 studies of 6 days and 4 scenarios; the binomial error is 0.5 %."""
    rng = np.random.default_rng(7)
    held = 0
    for _ in range(2000):
        found = mean_interval(rng.normal(3.0, 2.0, (6, 1)) + rng.normal(0.0, 1.0, (6, 4)), 0.9)
        held += found.low <= 3.0 <= found.high
    assert 0.88 <= held / 2000 <= 0.92


def test_scenarios_of_one_day_are_not_taken_for_days() -> None:
    """Were all 24 values independent, the interval would be too short: it would hold the truth in about 60 % of the studies."""
    rng = np.random.default_rng(8)
    wide, narrow = [], []
    for _ in range(200):
        sample = rng.normal(0.0, 2.0, (6, 1)) + rng.normal(0.0, 0.2, (6, 4))
        whole, pooled = mean_interval(sample), mean_interval(sample.reshape(1, -1))
        wide.append(whole.high - whole.low)
        narrow.append(pooled.high - pooled.low)
    assert np.mean(wide) > 2 * np.mean(narrow)


def test_a_bootstrapped_quantile_holds_the_truth() -> None:
    rng = np.random.default_rng(9)
    truth = -np.log(0.2)  # 80 % quantile of the unit exponential
    held = 0
    for k in range(200):
        found = quantile_interval(rng.exponential(size=(1, 150)), 0.8, 0.9, seed=k, resamples=200)
        held += found.low <= truth <= found.high
    assert 0.83 <= held / 200 <= 0.96


def test_the_same_seed_gives_the_same_interval() -> None:
    sample = np.random.default_rng(1).normal(size=(3, 40))
    assert quantile_interval(sample, 0.5, seed=5) == quantile_interval(sample, 0.5, seed=5)
    assert quantile_interval(sample, 0.5, seed=5) != quantile_interval(sample, 0.5, seed=6)


@pytest.mark.parametrize("sample", [np.zeros((0, 3)), np.array([1.0, np.nan]), np.array([np.inf])])
def test_no_number_is_made_of_nothing(sample: np.ndarray) -> None:
    with pytest.raises(ValueError, match="is empty, or holds"):
        mean_interval(sample)
