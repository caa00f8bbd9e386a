"""Exact Kalman filter of many small ARMA models at once: numpy over lanes, a Python loop over time only.

`statsmodels.extend` costs 1-24 ms per series and step. Here a lane is any (issue time, series) pair; a value that is
missing is predicted, an interval that does not count (night, for PV) leaves the state alone. Harvey's form:
`a1 = y`, `a' = T a + R e`, T the companion matrix of the AR part, R = (1, ma1, ma2).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
ORDER = 3  # largest AR order, and size of the state


@dataclass(frozen=True)
class Arma:
    """Parameters of S models: ar (S, 3), ma (S, 2), variance (S,) of the innovation. Unused orders are 0."""

    ar: Floats
    ma: Floats
    variance: Floats

    def take(self, index: NDArray[np.int64]) -> Arma:
        return Arma(self.ar[index], self.ma[index], self.variance[index])


@dataclass(frozen=True)
class Filtered:
    """One-step means and variances before each observation (T, L); state (3, L) and covariance after the last step."""

    mean: Floats
    variance: Floats
    states: Floats  # (T, 3, L) after the observation


def stationary_covariance(model: Arma) -> Floats:
    """(S, 3, 3) solution of P = T P T' + R R' variance."""
    count = len(model.variance)
    transition = np.zeros((count, ORDER, ORDER))
    transition[:, :, 0] = model.ar
    transition[:, 0, 1] = transition[:, 1, 2] = 1.0
    shock = np.concatenate([np.ones((count, 1)), model.ma], axis=1)
    noise = model.variance[:, None, None] * shock[:, :, None] * shock[:, None, :]
    kron = np.einsum("sij,skl->sikjl", transition, transition).reshape(count, 9, 9)
    solved = np.linalg.solve(np.eye(9) - kron, noise.reshape(count, 9, 1))
    return np.asarray(solved.reshape(count, ORDER, ORDER))


def run_filter(observed: Floats, model: Arma, *, active: Bools | None = None) -> Filtered:
    """Filter `observed` (T, L), NaN where unknown, with one model per lane.

    Returns predictions of every step given what came before it: from the last known value on these are the forecasts for
    all leads, means and variances.
    """
    steps, lanes = observed.shape
    p0 = stationary_covariance(model)
    a = [np.zeros(lanes) for _ in range(ORDER)]
    p = {(i, j): p0[:, i, j].copy() for i in range(ORDER) for j in range(i, ORDER)}
    phi, shock = model.ar.T, np.concatenate([np.ones((lanes, 1)), model.ma], axis=1).T
    noise = {(i, j): model.variance * shock[i] * shock[j] for i, j in p}
    mean, variance, states = np.empty((steps, lanes)), np.empty((steps, lanes)), np.empty((steps, ORDER, lanes))
    known = np.isfinite(observed)
    for t in range(steps):
        mean[t], variance[t] = a[0], p[0, 0]
        gain_on = known[t].astype(np.float64) if active is None else (known[t] & active[t]).astype(np.float64)
        _observe(a, p, np.where(gain_on > 0, observed[t] - a[0], 0.0), gain_on)
        states[t, 0], states[t, 1], states[t, 2] = a
        _advance(a, p, phi, noise, None if active is None else active[t])
    return Filtered(mean, variance, states)


def _observe(a: list[Floats], p: dict[tuple[int, int], Floats], error: Floats, gain_on: Floats) -> None:
    """Measurement update without measurement noise; `gain_on` is 0 where nothing was seen."""
    share = gain_on / p[0, 0]
    gains = [p[0, i] * share for i in range(ORDER)]
    first = [p[0, i].copy() for i in range(ORDER)]
    for i in range(ORDER):
        a[i] = a[i] + gains[i] * error
        for j in range(i, ORDER):
            p[i, j] = p[i, j] - gains[i] * first[j]


def _advance(a: list[Floats], p: dict[tuple[int, int], Floats], phi: Floats, noise: dict[tuple[int, int], Floats],
             moves: Bools | None) -> None:
    """Time update; lanes whose interval does not count keep their state."""
    old_a, old_p = list(a), dict(p)
    for i in range(ORDER):
        after = phi[i] * old_a[0] + (old_a[i + 1] if i + 1 < ORDER else 0.0)
        a[i] = after if moves is None else np.where(moves, after, old_a[i])
        for j in range(i, ORDER):
            moved = phi[i] * phi[j] * old_p[0, 0] + noise[i, j]
            if j + 1 < ORDER:
                moved = moved + phi[i] * old_p[0, j + 1]
            if i + 1 < ORDER:
                moved = moved + phi[j] * old_p[0, i + 1]
            if j + 1 < ORDER:
                moved = moved + old_p[i + 1, j + 1]
            p[i, j] = moved if moves is None else np.where(moves, moved, old_p[i, j])
