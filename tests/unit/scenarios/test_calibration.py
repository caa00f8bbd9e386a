"""Draws are as wide as the forecast says, hold what comes as often, and keep together what moves together.

Fifty-eight days take minutes; their figures are in docs/decisions/052. These few
fail where draws are half as wide, or series go their own ways.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from pipeline.forecast.day_ahead import DayAheadForecast
from tests.calibrated_days import Floats, forecast_and_came
from tests.shipped_series import history, only, shipped_case

SERIES = ("f01_load", "f01_wind", "f02_wind", "mg_f02_b31_pv", "mg_f01_b09_heat", "price")
DAYS = (date(2016, 3, 26), date(2016, 11, 18), date(2016, 12, 12))


@pytest.fixture(scope="module")
def days() -> list[tuple[DayAheadForecast, Floats, Floats]]:
    """Forecast, draws (N, S, T) and what came (S, T) of each day."""
    case, known = only(shipped_case(), *SERIES), history(*SERIES)
    return [forecast_and_came(case, known, each) for each in DAYS]


@pytest.mark.parametrize("series", SERIES)
def test_draws_are_as_wide_as_the_forecast(days: list[tuple[DayAheadForecast, Floats, Floats]], series: str) -> None:
    """Of each series the bands from 5 to 95 %, summed over the days."""
    drawn, said = 0.0, 0.0
    for found, draws, _ in days:
        place = found.series.index(series)
        drawn += float(np.diff(np.quantile(draws[:, place], (0.05, 0.95), axis=0), axis=0).sum())
        said += float((found.quantiles[-1, place] - found.quantiles[0, place]).sum())
    assert drawn / said == pytest.approx(1.0, abs=0.1)


def test_both_hold_what_comes(days: list[tuple[DayAheadForecast, Floats, Floats]]) -> None:
    """Nine of ten, within what three days can tell; draws hold as much as quantiles."""
    quantiles, drawn = [], []
    for found, draws, came in days:
        live = found.quantiles[-1] > found.quantiles[0]
        low, high = np.quantile(draws, (0.05, 0.95), axis=0)
        quantiles.append(((came >= found.quantiles[0]) & (came <= found.quantiles[-1]))[live])
        drawn.append(((came >= low) & (came <= high))[live])
    of_quantiles, of_draws = (float(np.concatenate(held).mean()) for held in (quantiles, drawn))
    assert 0.84 <= of_quantiles <= 0.96 and of_draws == pytest.approx(of_quantiles, abs=0.03)


def test_what_moves_together_is_drawn_together(days: list[tuple[DayAheadForecast, Floats, Floats]]) -> None:
    """Two wind farms of one region; each drawing its own day, their draws would not be correlated."""
    for found, draws, _ in days:
        one, other = (draws[:, found.series.index(name)].mean(axis=1) for name in ("f01_wind", "f02_wind"))
        assert np.corrcoef(one, other)[0, 1] > 0.5
