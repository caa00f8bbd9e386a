"""Errors around expectation tables: independent ones, and those of a day that hang together."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.cases.error_law import ErrorLaw, law_of, law_of_series, recentred
from pipeline.cases.sources import CorrelatedErrors, ErrorSampleSource, KindOfErrors, Series
from pipeline.core.errors import InputError
from pipeline.core.statistics import mean_interval
from tests.helpers import case_of

SERIES = (Series(id="l1", kind="load"), Series(id="l2", kind="load"), Series(id="w", kind="wind", capacity_kw=99),
          Series(id="p", kind="price"))
MEAN = np.repeat(np.array([[100.0], [200.0], [50.0], [0.3]]), 96, axis=1)


def source(**more: object) -> ErrorSampleSource:
    return ErrorSampleSource(id="errors", first_date="2015-01-01", **more)  # type: ignore[arg-type]


def drawn(count: int = 4000, **more: object) -> np.ndarray:
    law = law_of_series(source(correlated=CorrelatedErrors(**more)), SERIES)  # type: ignore[arg-type]
    return np.asarray(law.draws(MEAN, count, np.random.default_rng(5)) / MEAN - 1)


def test_errors_of_a_day_have_the_book_s_law() -> None:
    """sd 3 % load and 10 % renewables; correlation of hours .64 phi^lag + .36, of series .36; none of the price."""
    errors = drawn()[:, :, ::4]
    assert errors.std(axis=0)[:3].mean(axis=1) == pytest.approx([0.03, 0.03, 0.1], rel=0.02)
    assert not errors[:, 3].any()
    for lag in (1, 3):
        found = np.corrcoef(errors[:, 0, 5], errors[:, 0, 5 + lag])[0, 1]
        assert found == pytest.approx(0.64 * 0.8**lag + 0.36, abs=0.03)
    assert np.corrcoef(errors[:, 0, 7], errors[:, 1, 7])[0, 1] == pytest.approx(0.36, abs=0.04)
    assert np.corrcoef(errors[:, 0, 7], errors[:, 2, 7])[0, 1] == pytest.approx(0.36, abs=0.04)


def test_errors_hold_over_the_hour_stay_in_the_box_and_have_mean_zero() -> None:
    errors = drawn(wind=KindOfErrors(sd_share=0.1, most_share=0.12))
    assert np.ptp(errors.reshape(*errors.shape[:2], 24, 4), axis=3).max() < 1e-12
    assert np.abs(errors[:, 2]).max() == pytest.approx(0.12)
    assert np.abs(errors.mean(axis=0)).max() < 1e-12


def test_nothing_is_drawn_above_the_capacity_and_the_mean_stays() -> None:
    tight = (*SERIES[:2], SERIES[2].model_copy(update={"capacity_kw": 52.0}), SERIES[3])
    law = law_of_series(source(correlated=CorrelatedErrors()), tight)
    draws = law.draws(MEAN, 500, np.random.default_rng(5))
    assert draws[:, 2].max() == pytest.approx(52.0) and draws[:, 2].max() <= 52.0 + 1e-9
    assert draws.mean(axis=0) == pytest.approx(MEAN, rel=1e-9)
    assert law.box(MEAN)[1][2].max() == 52.0
    assert law_of_series(source(sigma=0.5), tight).draws(MEAN, 50, np.random.default_rng(5))[:, 2].max() == 52.0


def test_independent_draws_have_the_standard_error_that_an_interval_claims() -> None:
    """Over 200 samples of 40 days: re-centred, every sample's mean is the forecast; independent, 95 % intervals hold it 95 % of times."""
    law = law_of_series(source(correlated=CorrelatedErrors()), SERIES)
    day = MEAN[:2].sum() / 4  # kWh of both loads
    means, held = [], 0
    for seed in range(200):
        energy = law.draws(MEAN, 40, np.random.default_rng(seed), independent=True)[:, :2].sum(axis=(1, 2)) / 4
        interval = mean_interval(energy[None], 0.95)
        means.append(interval.value)
        held += interval.low <= day <= interval.high
    one = law.draws(MEAN, 8000, np.random.default_rng(9), independent=True)[:, :2].sum(axis=(1, 2)).std() / 4
    assert np.std(means) == pytest.approx(one / np.sqrt(40), rel=0.15)
    assert 0.91 <= held / 200 <= 0.985


def test_independent_draws_stay_in_the_box_and_below_the_capacity() -> None:
    tight = (*SERIES[:2], SERIES[2].model_copy(update={"capacity_kw": 52.0}), SERIES[3])
    law = law_of_series(source(correlated=CorrelatedErrors(wind=KindOfErrors(sd_share=0.1, most_share=0.12))), tight)
    draws = law.draws(MEAN, 500, np.random.default_rng(5), independent=True)
    assert draws[:, 2].max() == pytest.approx(52.0) and draws[:, 2].min() == pytest.approx(50.0 * 0.88)


def test_a_day_of_92_quarters_has_errors_of_23_hours() -> None:
    law = law_of_series(source(correlated=CorrelatedErrors()), SERIES)
    assert law.draws(MEAN[:, :92], 3, np.random.default_rng(0)).shape == (3, 4, 92)


def test_plain_errors_are_independent_and_not_recentred() -> None:
    law = law_of_series(source(sigma=0.02, truncate_sd=1.5), SERIES)
    errors = law.draws(MEAN, 500, np.random.default_rng(1)) / MEAN - 1
    noise = np.clip(np.random.default_rng(1).standard_normal((500, 4, 96)), -1.5, 1.5)
    assert errors == pytest.approx(0.02 * noise, abs=1e-12)


def test_the_law_survives_the_cache_and_a_case_without_a_source_has_none() -> None:
    law = law_of_series(source(correlated=CorrelatedErrors(common_share=0.5)), SERIES)
    again = ErrorLaw.from_arrays(law.to_arrays())
    assert np.array_equal(again.draws(MEAN, 5, np.random.default_rng(1)), law.draws(MEAN, 5, np.random.default_rng(1)))
    plain = law_of_series(source(), SERIES)
    assert ErrorLaw.from_arrays(plain.to_arrays()).day is None
    case = case_of()
    assert not law_of(case).sd_share.any()
    assert law_of(case.model_copy(update={"sources": (source(sigma=0.02),)})).sd_share.tolist() == [0.02] * 4


def test_the_box_lies_around_the_forecast() -> None:
    net = tuple(Series(id=name, kind="load", minimum=-110.0, maximum=-20.0) for name in "abcd")
    law = law_of_series(source(correlated=CorrelatedErrors()), net)
    low, high = law.box(-MEAN)
    assert low[2, 0] == pytest.approx(-57.5) and high[2, 0] == pytest.approx(-42.5)
    assert low[0, 0] == pytest.approx(-110) and high[0, 0] == pytest.approx(-85)  # the series goes no lower
    assert law.reach(-MEAN)[0][0, 0] == pytest.approx(-0.15) and law.reach(-MEAN)[1][0, 0] == pytest.approx(0.1)


def test_draws_stay_inside_what_the_case_says_of_a_series() -> None:
    """Errors of 50 % around 100 kW, of a series between 80 and 120 kW; and around a net load below zero."""
    for bounds, mean in (((80.0, 120.0), MEAN[:1]), ((-120.0, -80.0), -MEAN[:1])):
        series = (Series(id="l", kind="load", minimum=bounds[0], maximum=bounds[1]),)
        for law in (law_of_series(source(sigma=0.5), series), law_of_series(source(correlated=CorrelatedErrors(
                load=KindOfErrors(sd_share=0.5, most_share=0.9))), series)):
            draws = law.draws(mean, 200, np.random.default_rng(2))
            assert (draws.min(), draws.max()) == pytest.approx(bounds)
            assert draws.min() >= bounds[0] and draws.max() <= bounds[1]


def test_recentring_moves_the_weighted_mean_and_not_beyond_the_range() -> None:
    values, weights = np.array([[0.0, 1.0], [1.0, 3.0], [1.0, 5.0]]), np.array([0.5, 0.25, 0.25])
    low, high = values.min(axis=0), values.max(axis=0)
    moved = recentred(values, weights, np.array([0.6, 3.4]), low=low, high=high)
    assert weights @ moved == pytest.approx([0.6, 3.4]) and (moved <= high + 1e-15).all() and (moved >= low).all()
    with pytest.raises(InputError, match="outside the range"):
        recentred(values, weights, np.array([1.2, 3.4]), low=low, high=high)
