"""How good forecasts are: against what came, and against the better of yesterday's and last week's values."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.forecast.distribution import QUANTILES, Distribution

Floats = NDArray[np.float64]
Scores = dict[str, float]


def naive_rows(values: Floats, index: NDArray[np.int64], last_known: int, per_day: int, days: int) -> Floats:
    """Seasonal naive for intervals `index` of values (T, S): the newest value known before `last_known` a multiple of `days` back."""
    period = per_day * days
    back = -(-(index - last_known + 1) // period) * period
    source = index - np.maximum(back, period)
    return np.where((source >= 0)[:, None], values[np.maximum(source, 0)], np.nan)


def score(actual: Floats, found: Distribution, daily: Floats, weekly: Floats, one_day_change: Floats) -> list[Scores]:
    """Scores per series. actual, daily, weekly (n, S); found.mean, found.sd (n, S), quantiles (7, n, S).

    skill: 1 - RMSE / the smaller naive RMSE, over intervals that all three know. rmae: the same ratio of mean absolute errors.
    mase: MAE over the mean absolute one-day change of the window, (S,). crps: twice the mean pinball loss over the quantiles.
    """
    common = np.isfinite(actual) & np.isfinite(daily) & np.isfinite(weekly)
    known = np.isfinite(actual)
    error = actual - found.mean
    levels = np.array(QUANTILES)[:, None, None]
    gap = actual[None] - found.quantiles
    pinball = np.maximum(levels * gap, (levels - 1) * gap)
    out: list[Scores] = []
    for s in range(actual.shape[1]):
        k, c = known[:, s], common[:, s]
        if not k.any():
            out.append({})
            continue
        naive_rmse = min(_rms(actual[c, s] - daily[c, s]), _rms(actual[c, s] - weekly[c, s]))
        naive_mae = min(_mean_abs(actual[c, s] - daily[c, s]), _mean_abs(actual[c, s] - weekly[c, s]))
        mae, q = _mean_abs(error[k, s]), found.quantiles[:, k, s]
        out.append({
            "rmse": _rms(error[k, s]), "mae": mae, "mase": mae / one_day_change[s] if one_day_change[s] > 0 else np.nan,
            "skill": 1 - _rms(error[c, s]) / naive_rmse if naive_rmse > 0 else np.nan,
            "rmae": _mean_abs(error[c, s]) / naive_mae if naive_mae > 0 else np.nan,
            "coverage_80": float(np.mean((actual[k, s] >= q[1]) & (actual[k, s] <= q[5]))),
            "coverage_90": float(np.mean((actual[k, s] >= q[0]) & (actual[k, s] <= q[6]))),
            "crps": float(2 * pinball[:, k, s].mean()),
        })
    return out


def one_day_change(values: Floats, per_day: int) -> Floats:
    """(S,) mean absolute difference of values (T, S) from one day to the next."""
    change = np.abs(values[per_day:] - values[:-per_day])
    known = np.isfinite(change)
    return np.asarray(np.where(known, change, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1))


def _rms(error: Floats) -> float:
    return float(np.sqrt(np.mean(error**2))) if error.size else np.nan


def _mean_abs(error: Floats) -> float:
    return float(np.mean(np.abs(error))) if error.size else np.nan

