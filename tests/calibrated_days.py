"""Days of the shipped series with their forecast, their draws and what came."""

from __future__ import annotations

from datetime import date

import numpy as np
from numpy.typing import NDArray

from pipeline.cases.case import Case
from pipeline.forecast.day_ahead import DayAheadForecast, forecast, history_start
from pipeline.scenarios.generate import draw
from pipeline.store.observations import Observations
from tests.shipped_series import between

Floats = NDArray[np.float64]
BEFORE_S = 13 * 3600  # issued at 11:00 of the day before


def forecast_and_came(case: Case, known: Observations, each: date) -> tuple[DayAheadForecast, Floats, Floats]:
    """Forecast of a day, 200 draws of it (N, S, T) and what came (S, T)."""
    day = case.day(each)
    issued_at = day.start - BEFORE_S
    past = between(known.as_of(issued_at), history_start(case, issued_at), issued_at)
    found = forecast(case, past, issued_at=issued_at, day=day)
    came = known.grid(day.starts())[[known.series.index(name) for name in found.series]]
    return found, draw(found, past, count=200, seed=4), came
