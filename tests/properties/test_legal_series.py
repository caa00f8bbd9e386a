"""Whatever a case allows a series to be, its forecast, its outlooks and its draws pass the gates: 2,000 series of every shape."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipeline.cases.case import Case
from pipeline.cases.settings import ForecastSettings, Settings
from pipeline.cases.sources import NEVER_NEGATIVE, Series
from pipeline.forecast.day_ahead import forecast
from pipeline.forecast.intraday import update
from pipeline.scenarios.generate import draw
from pipeline.scenarios.publication import scenario_table
from pipeline.scenarios.reduce import Representatives
from pipeline.validate.inputs import check_forecasts, check_scenarios
from tests.helpers import case_of

TOGETHER = 50  # series of one example: the filter runs over all of them at once
WINDOW = Settings(day_ahead_step_min=30, forecast=ForecastSettings(window_days=14, price_window_days=14))  # short: the filter is a loop
KINDS = ("load", "heat", "pv", "wind", "price", "other")
UNITS = {"heat": "kWth", "price": "USD/kWh"}


@dataclass(frozen=True)
class Known:
    """Observations of hours, each known a quarter-hour after its end."""

    series: tuple[str, ...]
    series_index: NDArray[np.int32]
    valid_from: NDArray[np.int64]
    known_at: NDArray[np.int64]
    value: NDArray[np.float64]

    def as_of(self, instant: int) -> Known:
        seen = self.known_at <= instant
        return Known(self.series, self.series_index[seen], self.valid_from[seen], self.known_at[seen], self.value[seen])


def shape(rng: np.random.Generator, hours: NDArray[np.int64]) -> NDArray[np.float64]:
    """One history: a rhythm, a constant, steps, noise, spikes; at rest for a part of the time; of any size, with gaps."""
    of_day = hours // 3600 % 24
    found = [
        lambda: 1 + 0.5 * np.sin(2 * np.pi * of_day / 24) + 0.1 * rng.standard_normal(len(hours)),
        lambda: np.ones(len(hours)),
        lambda: np.repeat(rng.uniform(-1, 1, len(hours) // 12 + 1), 12)[: len(hours)],
        lambda: rng.standard_normal(len(hours)),
        lambda: np.where(rng.random(len(hours)) < 0.02, 1000.0, 1.0),
        lambda: np.exp(3 * rng.standard_normal(len(hours))),
        lambda: np.zeros(len(hours)),
    ][rng.integers(7)]()
    rest = [np.zeros(len(hours), bool), (of_day < 8) | (of_day > 18), rng.random(len(hours)) < 0.5][rng.integers(3)]
    found = np.where(rest, 0.0, found) * 10.0 ** rng.integers(-6, 8)
    return np.where(rng.random(len(hours)) < [0.0, 0.0, 0.1, 0.6][rng.integers(4)], np.nan, found)


def bounded(rng: np.random.Generator, name: str, values: NDArray[np.float64]) -> tuple[Series, NDArray[np.float64]]:
    """A series whose declared bounds hold its history, often tightly."""
    kind = KINDS[rng.integers(len(KINDS))]
    values = np.abs(values) if kind in NEVER_NEGATIVE or (kind == "load" and rng.random() < 0.5) else values
    values = np.clip(values, -1e8, 1e8)
    low, high = float(np.nanmin(values, initial=0.0)), float(np.nanmax(values, initial=0.0))
    fields: dict[str, object] = {"minimum": low if kind not in NEVER_NEGATIVE else 0.0}
    if rng.random() < 0.5:
        fields["maximum"] = high
    if kind in ("pv", "wind"):
        fields["capacity_kw"] = max(high, 1e-6)
    return Series(id=name, kind=kind, unit=UNITS.get(kind, "kW"), resolution_min=60, **fields), values  # type: ignore[arg-type]


def example(seed: int) -> tuple[Case, Known, int]:
    """A case of fifty series and what is known of them; the history is a few hours to two weeks long."""
    rng = np.random.default_rng(seed)
    zone = ("UTC", "Europe/Berlin", "Australia/Lord_Howe")[rng.integers(3)]
    day = date(2016, 10, 2) if rng.random() < 0.5 else date(2016, 6, 15)
    case = case_of(time_zone=zone, default_date=day, settings=WINDOW)
    end = case.day(day).start - 12 * 3600
    hours = (end // 3600 * 3600) - 3600 * np.arange(int(rng.choice([5, 30, 100, 300])), 0, -1)
    made = [bounded(rng, f"s{i}", shape(rng, hours)) for i in range(TOGETHER)]
    values = np.array([one for _, one in made])
    values[:, 0] = np.nan_to_num(values[:, 0])  # without any history a series is refused
    index, place = np.nonzero(np.isfinite(values))
    begins = hours[place]
    names = tuple(one.id for one, _ in made)
    known = Known(names, index.astype(np.int32), begins, begins + 4500, values[index, place])
    return case.model_copy(update={"series": tuple(one for one, _ in made)}), known, int(end)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None, derandomize=True, database=None)
def test_whatever_a_series_may_be_is_forecast_inside_its_bounds(seed: int) -> None:
    case, known, issued_at = example(seed)
    day = case.day(case.default_date)
    made = forecast(case, known, issued_at=issued_at, day=day)  # type: ignore[arg-type]
    assert not check_forecasts(case, made.table("da-1"), day)
    later = day.start + 5 * 900
    outlooks = update(made.state, known, issue_times=np.array([later]), leads=8)
    assert not check_forecasts(case, outlooks.table("rt-1", day), day)
    draws = draw(made, known, count=20, seed=seed % 1000)
    every = Representatives("random", draws, np.full(20, 0.05), np.arange(20))
    assert not check_scenarios(case, scenario_table(every, case, day.starts(), "da-1"), (day.steps(),))


@pytest.mark.parametrize("seed", range(4))
def test_the_fitted_models_of_longer_histories_stay_inside_too(seed: int) -> None:
    """The same with four weeks, of which ARIMA takes part."""
    rng = np.random.default_rng(1000 + seed)
    case = case_of(settings=Settings(day_ahead_step_min=30))
    day = case.day(case.default_date)
    end = day.start - 12 * 3600
    hours = end - 3600 * np.arange(28 * 24, 0, -1)
    made = [bounded(rng, f"s{i}", shape(rng, hours)) for i in range(4)]
    values = np.array([one for _, one in made])
    index, place = np.nonzero(np.isfinite(values))
    known = Known(tuple(one.id for one, _ in made), index.astype(np.int32), hours[place], hours[place] + 4500, values[index, place])
    case = case.model_copy(update={"series": tuple(one for one, _ in made)})
    found = forecast(case, known, issued_at=end, day=day)  # type: ignore[arg-type]
    assert not check_forecasts(case, found.table("da-1"), day)
