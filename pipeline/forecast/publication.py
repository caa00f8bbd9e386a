"""Forecasts and scores as the declared tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.core.clock import QUARTER_S, DeliveryDay
from pipeline.tables.forecast_scores import FORECAST_SCORES
from pipeline.tables.forecasts import FORECASTS

if TYPE_CHECKING:
    from pipeline.forecast.day_ahead import DayAheadForecast
    from pipeline.forecast.intraday import Outlooks

KNOWN = "known"  # a published price; of a plan made late, what came before
QUANTILE_COLUMNS = ("q05", "q10", "q25", "q50", "q75", "q90", "q95")


def _text(values: tuple[str, ...], index: NDArray[np.int64]) -> pa.Array:
    return pa.array(values, pa.string()).take(pa.array(index))


def _models(rungs: tuple[str, ...], series: NDArray[np.int64], known: NDArray[np.bool_]) -> pa.Array:
    """The rung that made each row; `known` where the value was known and nothing had to be made."""
    return _text((*rungs, KNOWN), np.where(known, len(rungs), series))


def day_ahead_table(forecast: DayAheadForecast, run_id: str) -> pa.Table:
    """Contract FORECASTS, stage day_ahead."""
    from pipeline.forecast.day_ahead import steps_ahead

    count, steps = forecast.mean.shape
    series, step = (axis.ravel() for axis in np.indices((count, steps)))
    quantiles = {name: forecast.quantiles[q].ravel() for q, name in enumerate(QUANTILE_COLUMNS)}
    columns: dict[str, Any] = {
        "run_id": pa.repeat(run_id, series.size), "stage": pa.repeat("day_ahead", series.size), "series": _text(forecast.series, series),
        "issued_at": np.full(series.size, forecast.issued_at, dtype=np.int64), "step": step + 1,
        "valid_from": forecast.starts[step], "lead": np.maximum(0, steps_ahead(forecast.starts, forecast.issued_at))[step],
        "unit": _text(forecast.units, series), "mean": forecast.mean.ravel(), "sd": forecast.sd.ravel(),
        **quantiles, "model": _models(forecast.rungs, series, forecast.known.ravel())}
    return FORECASTS.build(columns)


def outlook_table(outlooks: Outlooks, run_id: str, day: DeliveryDay) -> pa.Table:
    """Contract FORECASTS, stage real_time: every lead inside the delivery day."""
    issue, series, lead = (axis.ravel() for axis in np.indices(outlooks.mean.shape))
    valid_from = outlooks.firsts[issue] + QUARTER_S * lead
    keep = (valid_from >= day.start) & (valid_from < day.end)
    issue, series, lead, valid_from = issue[keep], series[keep], lead[keep], valid_from[keep]
    quantiles = {name: outlooks.quantiles[q][issue, series, lead] for q, name in enumerate(QUANTILE_COLUMNS)}
    columns: dict[str, Any] = {
        "run_id": pa.repeat(run_id, issue.size), "stage": pa.repeat("real_time", issue.size), "series": _text(outlooks.series, series),
        "issued_at": outlooks.issue_times[issue], "step": (valid_from - day.start) // QUARTER_S + 1, "valid_from": valid_from,
        "lead": lead + 1, "unit": _text(outlooks.units, series), "mean": outlooks.mean[issue, series, lead],
        "sd": outlooks.sd[issue, series, lead], **quantiles, "model": _models(outlooks.rungs, series, outlooks.known[issue, series, lead])}
    return FORECASTS.build(columns)


def score_table(forecast: DayAheadForecast, run_id: str) -> pa.Table:
    """Contract FORECAST_SCORES."""
    rows = [(series, score, value) for series, scores in forecast.scores.items() for score, value in scores.items()]
    return FORECAST_SCORES.build({
        "run_id": [run_id] * len(rows), "series": [row[0] for row in rows], "score": [row[1] for row in rows],
        "value": [float(row[2]) if np.isfinite(row[2]) else None for row in rows]})
