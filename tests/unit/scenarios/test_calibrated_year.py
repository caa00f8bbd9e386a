"""Bands from 5 to 95 % of quantiles and of draws over every sixth day of 2016: nine tenths of what comes, within .03.

One series of each kind; the others are in docs/decisions/052. Hours at rest (night, heat at zero) are sure and do not count.
"""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

from pipeline.cases.case import Case
from pipeline.store.observations import Observations
from tests.calibrated_days import Floats, forecast_and_came
from tests.shipped_series import history, only, shipped_case

SERIES = ("f01_load", "f01_wind", "mg_f01_b09_pv", "mg_f01_b09_heat", "price")
DAYS = [date(2016, 1, 19) + timedelta(days) for days in range(0, 348, 6)]
AT_REST = 1e-3  # of the highest value of the year: a band and a value below it are rest


@pytest.fixture(scope="module")
def held() -> dict[str, tuple[float, float]]:
    """Share of what came inside the band of the quantiles, and of the draws, by series."""
    case, known = only(shipped_case(), *SERIES), history(*SERIES)
    days = [_bands(case, known, each) for each in DAYS]
    low, high, least, most, came = (np.concatenate(part, axis=1) for part in zip(*days, strict=True))
    order = [series.id for series in case.series]
    rest = AT_REST * np.abs(came).max(axis=1, keepdims=True)
    live = (high - low > rest) | (came > rest)
    return {name: (_share(low, high, came, live, place), _share(least, most, came, live, place)) for place, name in enumerate(order)}


def _bands(case: Case, known: Observations, each: date) -> tuple[Floats, ...]:
    found, draws, came = forecast_and_came(case, known, each)
    assert found.series == tuple(series.id for series in case.series)
    return found.quantiles[0], found.quantiles[-1], *np.quantile(draws, (0.05, 0.95), axis=0), came


def _share(low: Floats, high: Floats, came: Floats, live: np.ndarray, place: int) -> float:
    inside = (came >= low - 1e-9) & (came <= high + 1e-9)
    return float(inside[place][live[place]].mean())


@pytest.mark.slow
@pytest.mark.parametrize("series", SERIES)
def test_nine_tenths_of_a_year_lie_inside(held: dict[str, tuple[float, float]], series: str) -> None:
    of_quantiles, of_draws = held[series]
    assert 0.87 <= of_quantiles <= 0.93
    assert 0.87 <= of_draws <= 0.93
