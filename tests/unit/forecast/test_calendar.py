"""Slots, day types and holidays."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from pipeline.cases.sources import Series
from pipeline.core.clock import DeliveryDay
from pipeline.core.errors import InputError
from pipeline.forecast.calendar import SATURDAY, SUNDAY, WORKDAY, country_of, day_types, holiday_dates, slots
from pipeline.forecast.transforms import choose

ZONE = "Europe/Berlin"


def noon(*days: date) -> np.ndarray:
    return np.array([int(datetime(day.year, day.month, day.day, 12, tzinfo=ZoneInfo(ZONE)).timestamp()) for day in days])


def price(**bounds: float | None) -> Series:
    return Series(id="price", kind="price", unit="USD/kWh", **bounds)  # type: ignore[arg-type]


def test_holidays_count_as_sundays() -> None:
    starts = noon(date(2016, 5, 4), date(2016, 5, 5), date(2016, 5, 7), date(2016, 5, 8))  # the 5th is Ascension Day
    known = holiday_dates(country_of(ZONE), int(starts[0]), int(starts[-1]))
    assert day_types(starts, "load", ZONE, known).tolist() == [WORKDAY, SUNDAY, SATURDAY, SUNDAY]
    assert day_types(starts, "pv", ZONE, known).tolist() == [0, 0, 0, 0]
    assert holiday_dates(country_of("UTC"), int(starts[0]), int(starts[-1])).size == 0
    assert country_of("UTC", "DE") == "DE"


def test_an_unknown_country_is_refused_by_name() -> None:
    with pytest.raises(InputError, match="XX"):
        holiday_dates("XX", 0, 1)


@pytest.mark.parametrize(("day", "missing"), [(date(2016, 3, 27), {8, 9, 10, 11}), (date(2016, 10, 30), set())])
def test_load_follows_the_wall_clock_and_wind_does_not(day: date, missing: set[int]) -> None:
    starts = DeliveryDay(day, ZONE).starts()
    assert set(range(96)) - set(slots(starts, "load", ZONE, 900).tolist()) == missing
    assert np.all(np.diff(slots(starts, "wind", ZONE, 900)) % 96 == 1)


def test_transforms_return_what_they_took_in_range() -> None:
    values = np.array([[3.0, 7.0, 5.0], [0.0, 4.0, 9.0], [0.0, 50.0, 100.0], [0.0, 20.0, 80.0], [-0.05, 0.12, 2.0]])
    series = (Series(id="load", kind="load"), Series(id="heat", kind="heat", unit="kWth"),
              Series(id="wind", kind="wind", capacity_kw=100.0), Series(id="pv", kind="pv", capacity_kw=90.0), price(minimum=None))
    found = choose(series, values)
    assert found.inverse(found.forward(values.T)) == pytest.approx(values.T)
    assert np.all(found.clip(found.inverse(np.full((1, 5), 50.0)))[0, 2:4] == [100.0, 90.0])


def test_a_price_stays_near_what_the_window_held() -> None:
    """sinh turns three standard deviations of a window with spikes into hundreds per kWh; on real prices that cost all skill."""
    found = choose((price(minimum=None),), np.array([[-0.02, 0.03, 0.05, 1.0]]))
    assert found.clip(found.inverse(np.array([[9.0], [-9.0]]))).ravel() == pytest.approx([1.102, -0.122])
    assert np.isfinite(choose((price(),), np.array([[np.nan]])).inverse(np.zeros((1, 1)))).all()


def test_a_price_in_another_currency_is_transformed_alike() -> None:
    """Nothing in the transform is an amount of money: 17,000 times the prices give the same residuals."""
    euros = np.array([[-0.02, 0.03, 0.05, 1.0]])
    one, other = choose((price(minimum=None),), euros), choose((price(minimum=None),), 17_000 * euros)
    assert other.forward(17_000 * euros.T) == pytest.approx(one.forward(euros.T), rel=1e-12)
    assert other.high == pytest.approx(17_000 * one.high)
