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
    assert np.isnan(quantile_interval(np.array([7.0]), 0.95).high)


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


def test_the_interval_of_a_median_by_hand() -> None:
    """Ten values: of Binomial(10, 1/2) at most 1 in 1.07 %, at most 2 in 5.5 %: the 2nd and the 9th smallest hold it in 97.85 %."""
    found = quantile_interval(np.arange(10.0, 110.0, 10.0), 0.5)
    assert (found.value, found.low, found.high) == (55.0, 20.0, 90.0)


@pytest.mark.parametrize(("count", "bounded"), [(50, False), (71, False), (72, True)])
def test_a_quantile_that_may_lie_beyond_the_sample_has_no_upper_end(count: int, bounded: bool) -> None:
    """All of n values lie below the 95 % quantile in .95^n of the samples: 2.62 % of those of 71, 2.49 % of those of 72."""
    found = quantile_interval(np.arange(count, dtype=float), 0.95)
    assert np.isfinite(found.high) == bounded
    assert found.low < found.value


@pytest.mark.parametrize(("days", "each"), [(1, 150), (6, 25), (20, 25)])
def test_the_interval_of_a_quantile_holds_the_truth_as_often_as_it_says(days: int, each: int) -> None:
    """Days of a normal law with scenarios around them. Taken for independent, scenarios hold it far less often."""
    rng = np.random.default_rng(9)
    spread = 0.0 if days == 1 else 2.0
    truth = 1.6448536 * np.sqrt(spread**2 + 1)
    held, narrow = 0, 0
    for _ in range(400):
        sample = rng.normal(0, spread, (days, 1)) + rng.normal(0, 1, (days, each))
        for found, hit in ((quantile_interval(sample, 0.95), 1), (quantile_interval(sample.reshape(1, -1), 0.95), 0)):
            held_it = not (found.low > truth or found.high < truth)
            held, narrow = held + hit * held_it, narrow + (1 - hit) * held_it
    assert held / 400 >= 0.9
    assert days == 1 or narrow / 400 < held / 400 - 0.1


@pytest.mark.parametrize("sample", [np.zeros((0, 3)), np.array([1.0, np.nan]), np.array([np.inf])])
def test_no_number_is_made_of_nothing(sample: np.ndarray) -> None:
    with pytest.raises(ValueError, match="is empty, or holds"):
        mean_interval(sample)
