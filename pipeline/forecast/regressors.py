"""Outside information: other series, or the case's residual load, as regressors of a series' standardised residual.

It moves the error more than the order of the ARIMA. Past regressors are what was measured, coming ones their own forecasts; both
as anomalies against their recency-weighted profile, so that a day like the others shifts nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.cases.case import Case
from pipeline.cases.net_load import net_load_shares
from pipeline.cases.settings import RESIDUAL_LOAD
from pipeline.cases.sources import Series
from pipeline.core.errors import InputError, Mistake
from pipeline.forecast.arma_fit import fit_residual
from pipeline.forecast.given import Told
from pipeline.forecast.kalman import Arma
from pipeline.forecast.models import SeriesModels
from pipeline.forecast.predict import predict
from pipeline.forecast.profile import HALF_LIFE_DAYS, recency_weights, weighted_profile

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

RIDGE_DAYS = 2.0  # a response is shrunk as if so many days had shown none


@dataclass(frozen=True)
class Fitted:
    """One resolution: its series, models, and known values (S, T) on the grid from `start` to the end of the delivery day."""

    series: tuple[Series, ...]
    models: SeriesModels
    values: Floats
    start: int


def with_regressors(case: Case, groups: list[Fitted], told: dict[str, Told], *, issued_at: int) -> list[Fitted]:
    """Models whose series follow their regressors of `settings.forecast.regressors`. Raises InputError for unknown names.

    told: forecasts of others; of one that is a regressor the past is what had been issued with tonight's lead.
    """
    wanted = case.settings.forecast.regressors
    names = {one.id for one in (*case.series, *case.given_forecasts)}
    unknown = [(target, name) for target, found in wanted.items() for name in (target, *found) if name not in names | {RESIDUAL_LOAD}]
    if unknown:
        raise InputError(Mistake(f"case {case.name}, settings.forecast.regressors.{target}", f"{name!r} is no series of the case",
                                 f"name a series, or {RESIDUAL_LOAD}") for target, name in unknown)
    if not wanted:
        return groups
    complete = {id(group): _completed(group, issued_at) for group in groups}
    out = []
    for group in groups:
        for place, one in enumerate(group.series):
            if wanted.get(one.id):
                drivers = [_driver(case, name, groups, complete, told, group) for name in wanted[one.id]]
                group = replace(group, models=_driven(group, place, np.array(drivers), issued_at))
        out.append(group)
    return out


def _completed(group: Fitted, issued_at: int) -> Floats:
    """(S, T) values where known, forecasts from the issue time on."""
    first = max(0, (issued_at - group.start) // group.models.step_s - 4 * 3600 // group.models.step_s)
    values = group.values.copy()
    expected = predict(group.models, values.T, start=group.start, first=first).mean.T
    values[:, first:] = np.where(np.isfinite(values[:, first:]), values[:, first:], expected)
    return values


def _driver(case: Case, name: str, groups: list[Fitted], complete: dict[int, Floats], told: dict[str, Told],
            target: Fitted) -> Floats:
    """(T,) one regressor on the target's grid; NaN throughout where it is a forecast of others that nobody has seen."""
    if any(one.id == name for one in case.given_forecasts):
        found = told.get(name)
        return np.full(target.values.shape[1], np.nan) if found is None else _on_grid(found.values, found.start, found.step_s, target)
    names = [one.id for one in case.series]
    shares = dict(zip(names, net_load_shares(case) if name == RESIDUAL_LOAD else [float(one == name) for one in names], strict=True))
    total = np.zeros(target.values.shape[1])
    for group in groups:
        weights = np.array([shares[one.id] for one in group.series])
        for place in np.flatnonzero(weights):
            total += weights[place] * _on_grid(complete[id(group)][place], group.start, group.models.step_s, target)
    return total


def _on_grid(values: Floats, start: int, step_s: int, target: Fitted) -> Floats:
    """Means over, or repeats within, the target's steps; NaN where the source has nothing."""
    step = min(step_s, target.models.step_s)
    starts = target.start + step * np.arange(target.values.shape[1] * target.models.step_s // step)
    index = (starts - start) // step_s
    inside = (index >= 0) & (index < len(values))
    fine = np.where(inside, values[np.clip(index, 0, len(values) - 1)], np.nan)
    return np.asarray(fine.reshape(target.values.shape[1], -1).mean(axis=1))


def _driven(group: Fitted, place: int, drivers: Floats, issued_at: int) -> SeriesModels:
    """Models with the shift of one series, its ARMA refitted on what the regressors leave."""
    models, kind = group.models, group.series[place].kind
    starts = group.start + models.step_s * np.arange(group.values.shape[1], dtype=np.int64)
    types, slots = (bins[:, place] for bins in models.bins(starts))
    bins = np.broadcast_to(types * models.slot_count + slots, drivers.shape)
    past = np.where(starts < issued_at, drivers, np.nan)
    weights = recency_weights(starts, issued_at, np.full(len(drivers), HALF_LIFE_DAYS[kind]))
    mean, _ = weighted_profile(past, bins, weights, models.slot_count)
    anomaly = drivers - mean[:, types, slots]
    seen = np.isfinite(anomaly) & (starts < issued_at)
    squares = np.where(seen, anomaly, 0.0) ** 2
    scale = np.sqrt(squares.sum(axis=1, keepdims=True) / np.maximum(seen.sum(axis=1, keepdims=True), 1))
    anomaly = np.nan_to_num(anomaly / np.where(scale > 0, scale, 1.0))
    residual = models.standardise(group.values.T, models.level(starts))[:, place]
    used = np.isfinite(residual)
    w = weights[0, used]
    moments = (anomaly[:, used] * w) @ anomaly[:, used].T + RIDGE_DAYS * models.slot_count * np.eye(len(anomaly))
    response = np.linalg.solve(moments, (anomaly[:, used] * w) @ residual[used])
    shift = np.zeros((len(starts), len(models.ids))) if not models.shift.size else models.shift.copy()
    shift[:, place] = response @ anomaly
    fit = fit_residual(np.where(used, residual - shift[:, place], np.nan), steps_per_day=models.slot_count)
    ar, ma, variance = models.arma.ar.copy(), models.arma.ma.copy(), models.arma.variance.copy()
    ar[place], ma[place], variance[place] = fit.ar, fit.ma, fit.variance
    rungs = (*models.rungs[:place], fit.rung, *models.rungs[place + 1:])
    return replace(models, shift=shift, shift_start=group.start, arma=Arma(ar, ma, variance), rungs=rungs)
