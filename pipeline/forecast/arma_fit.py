"""Fits ARIMA(2,0,1) on standardised residuals and steps down a ladder where it fails."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.forecast.kalman import ORDER, Arma

Floats = NDArray[np.float64]

RUNGS = ("arima", "arima_statespace", "ar3_burg", "profile", "table")
STATESPACE_DAYS = 21  # a fit with gaps costs ten times as much per value
ROOT_MAX = 0.9995  # largest modulus of an inverse root that counts as stationary and invertible


@dataclass(frozen=True)
class Fit:
    """AR (3,), MA (2,), innovation variance, and the rung of the ladder that gave them."""

    ar: tuple[float, float, float]
    ma: tuple[float, float]
    variance: float
    rung: str


PROFILE_ALONE = Fit((0.0, 0.0, 0.0), (0.0, 0.0), 1.0, "profile")


def fit_residual(residual: Floats, *, steps_per_day: int) -> Fit:
    """Fit of one standardised residual (T,), NaN where unknown; the first rung whose parameters hold."""
    known = np.flatnonzero(np.isfinite(residual))
    if known.size < 4 * ORDER * 10 or float(np.nanstd(residual)) < 1e-9:
        return PROFILE_ALONE
    residual = residual[known[0]: known[-1] + 1]
    gaps = bool(np.isnan(residual).any())
    for attempt in ((_statespace,) if gaps else (_innovations,)) + (_burg,):
        fit = attempt(residual, steps_per_day)
        if fit is not None and holds(fit):
            return fit
    return PROFILE_ALONE


def holds(fit: Fit) -> bool:
    """Finite, stationary, invertible and with a positive variance: `innovations_mle` reports no convergence itself."""
    numbers = np.array([*fit.ar, *fit.ma, fit.variance])
    if not np.isfinite(numbers).all() or fit.variance <= 0:
        return False
    ar_roots = np.roots([1.0, *(-phi for phi in fit.ar)])
    ma_roots = np.roots([1.0, *fit.ma])
    return bool(np.all(np.abs(ar_roots) < ROOT_MAX) and np.all(np.abs(ma_roots) < ROOT_MAX))


def _innovations(residual: Floats, steps_per_day: int) -> Fit | None:
    # From Hannan-Rissanen starting values, ten iterations end where a hundred do, in half the time.
    return _arima(residual, "arima", method="innovations_mle", method_kwargs={"minimize_kwargs": {"options": {"maxiter": 10}}})


def _statespace(residual: Floats, steps_per_day: int) -> Fit | None:
    recent = residual[-STATESPACE_DAYS * steps_per_day:]
    return _arima(recent, "arima_statespace", method="statespace", method_kwargs={"maxiter": 30, "disp": 0})


def _arima(residual: Floats, rung: str, **how: object) -> Fit | None:
    from statsmodels.tsa.arima.model import ARIMA  # 1.3 s; never on the way to a re-dispatch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # non-convergence is judged by the parameters
        try:
            result = ARIMA(residual, order=(2, 0, 1), trend="n").fit(low_memory=True, cov_type="none", **how)
        except (np.linalg.LinAlgError, ValueError):
            return None
    ar1, ar2, ma1, variance = (float(value) for value in result.params)
    return Fit((ar1, ar2, 0.0), (ma1, 0.0), variance, rung)


def _burg(residual: Floats, steps_per_day: int) -> Fit | None:
    from statsmodels.regression.linear_model import burg

    longest = _longest_run(residual)
    if longest.size < 10 * ORDER:
        return None
    try:
        phi, variance = burg(longest, order=ORDER, demean=False)
    except (np.linalg.LinAlgError, ValueError):
        return None
    return Fit((float(phi[0]), float(phi[1]), float(phi[2])), (0.0, 0.0), float(variance), "ar3_burg")


def _longest_run(residual: Floats) -> Floats:
    """Longest stretch without gaps."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], np.isfinite(residual).astype(np.int8), [0]])))
    starts, ends = edges[::2], edges[1::2]
    if not starts.size:
        return residual[:0]
    best = int(np.argmax(ends - starts))
    return residual[starts[best]: ends[best]]


def stack(fits: list[Fit]) -> Arma:
    """One `Arma` over series."""
    return Arma(np.array([fit.ar for fit in fits]).reshape(-1, ORDER), np.array([fit.ma for fit in fits]).reshape(-1, 2),
                np.array([fit.variance for fit in fits]))
