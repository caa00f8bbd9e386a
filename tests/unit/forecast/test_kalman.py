"""The filter against statsmodels, which is exact but takes a millisecond per step and series."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.tsa.arima.model import ARIMA

from pipeline.forecast.arma_fit import Fit, fit_residual, holds
from pipeline.forecast.kalman import Arma, run_filter


def simulated(count: int, ar: tuple[float, float], ma: float, seed: int) -> np.ndarray:
    shock = np.random.default_rng(seed).standard_normal(count + 100)
    value = np.zeros(count + 100)
    for t in range(2, value.size):
        value[t] = ar[0] * value[t - 1] + ar[1] * value[t - 2] + shock[t] + ma * shock[t - 1]
    return value[100:]


def test_equals_statsmodels_with_gaps_and_over_all_leads() -> None:
    parameters = [(1.5, -0.55, -0.3, 0.8), (0.7, 0.1, 0.4, 1.3)]
    observed = np.stack([simulated(300, p[:2], p[2], seed) for seed, p in enumerate(parameters)], axis=1)
    observed[80:90, 0] = observed[150, 1] = np.nan
    observed[260:] = np.nan
    model = Arma(np.array([[p[0], p[1], 0.0] for p in parameters]), np.array([[p[2], 0.0] for p in parameters]),
                 np.array([p[3] for p in parameters]))
    found = run_filter(observed, model)
    for lane, parameter in enumerate(parameters):
        exact = ARIMA(observed[:, lane], order=(2, 0, 1), trend="n").filter(list(parameter)).filter_results
        assert found.mean[20:, lane] == pytest.approx(exact.forecasts[0][20:], abs=1e-6)
        assert found.variance[20:, lane] == pytest.approx(exact.forecasts_error_cov[0, 0][20:], abs=1e-6)


def test_an_inactive_interval_leaves_the_state_alone() -> None:
    model = Arma(np.array([[0.9, 0.0, 0.0]]), np.zeros((1, 2)), np.ones(1))
    observed = np.array([[1.0], [2.0], [np.nan], [np.nan], [np.nan]])
    active = np.array([[True], [True], [False], [False], [True]])
    assert run_filter(observed, model, active=active).mean[-1, 0] == pytest.approx(0.9 * 2.0)


def test_the_ladder_names_its_rung() -> None:
    value = simulated(1500, (0.8, 0.1), 0.2, 7)
    assert fit_residual(value, steps_per_day=96).rung == "arima"
    gap = value.copy()
    gap[700:720] = np.nan
    assert fit_residual(gap, steps_per_day=96).rung == "arima_statespace"
    assert fit_residual(value[:50], steps_per_day=96).rung == "profile"
    assert fit_residual(np.zeros(1500), steps_per_day=96).rung == "profile"


def test_a_walk_or_a_negative_variance_does_not_hold() -> None:
    assert holds(Fit((0.5, 0.2, 0.0), (0.3, 0.0), 1.0, "arima"))
    assert not holds(Fit((1.0, 0.0, 0.0), (0.0, 0.0), 1.0, "arima"))
    assert not holds(Fit((0.5, 0.0, 0.0), (1.0, 0.0), 1.0, "arima"))
    assert not holds(Fit((0.5, 0.0, 0.0), (0.0, 0.0), -1.0, "arima"))
    assert not holds(Fit((float("nan"), 0.0, 0.0), (0.0, 0.0), 1.0, "arima"))
