"""Forecasts that others make: in place of ours with our law of their errors, as regressors, and nothing of them from the future."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from pipeline.cases.case import Case
from pipeline.cases.settings import ForecastSettings, Settings
from pipeline.cases.sources import GivenForecast, Series
from pipeline.forecast.day_ahead import DayAheadForecast, forecast
from pipeline.forecast.given import as_issued
from pipeline.forecast.intraday import update
from pipeline.forecast.state import ForecastState
from pipeline.scenarios.generate import draw
from pipeline.store.observations import Observations
from tests.helpers import case_of

DAYS, HOUR = 40, 3600
CASE = case_of(
    series=(Series(id="load", kind="load", resolution_min=60), Series(id="price", kind="price", unit="USD/kWh", resolution_min=60,
                                                                     minimum=None)),
    given_forecasts=(GivenForecast(id="load_told", kind="load", resolution_min=60),
                     GivenForecast(id="weather", kind="other", unit="1", resolution_min=60, minimum=None)),
)
DAY = CASE.day(date(2016, 6, 15))
ISSUED = DAY.start - 13 * HOUR
START = DAY.start - DAYS * 86400
ERROR_KW = 2.0  # standard deviation of what others get wrong; the load itself moves by 10 around its profile


def _with(**settings: object) -> Case:
    return CASE.model_copy(update={"settings": Settings(forecast=ForecastSettings(window_days=35, price_window_days=35, **settings))})


GIVEN = _with(given={"load": "load_told"})


def _observations(names: tuple[str, ...], values: np.ndarray, known_at: np.ndarray) -> Observations:
    """values, known_at (S, T) of hours from START on."""
    count = values.shape[1]
    valid = np.tile(START + HOUR * np.arange(count), len(names))
    return Observations(names, (HOUR,) * len(names), np.repeat(np.arange(len(names), dtype=np.int32), count), valid, known_at.ravel(),
                        np.ones(valid.size, np.int64), values.ravel(), np.zeros(valid.size, np.int16))


def _made_up() -> tuple[Observations, Observations, np.ndarray]:
    """What came (its last 24 hours are the day's), what others said at 9:00 of the day before, and the load (T,)."""
    rng = np.random.default_rng(5)
    hours = np.arange((DAYS + 1) * 24)
    weather = 10 * np.convolve(rng.standard_normal(len(hours) + 5), np.ones(6) / 6**0.5, mode="valid")
    load = 100 + 20 * np.sin(2 * np.pi * hours / 24) + weather
    price = 0.05 + 0.002 * weather
    starts = START + HOUR * hours
    came = _observations(("load", "price"), np.stack([load, price]), np.tile(starts + HOUR + 900, (2, 1)))
    told = load + ERROR_KW * rng.standard_normal(len(hours)) + 3.0  # others are 3 kW too high as a rule
    said_at = starts // 86400 * 86400 - 15 * HOUR
    return came, _observations(("load_told", "weather"), np.stack([told, weather]), np.tile(said_at, (2, 1))), load


CAME, SAID, LOAD = _made_up()
TRUTH = np.repeat(LOAD[-24:], 4)


def _night(case: Case, said: Observations | None = SAID, came: Observations = CAME) -> DayAheadForecast:
    return forecast(case, came.as_of(ISSUED), issued_at=ISSUED, day=DAY, given=None if said is None else said.as_of(ISSUED))


@pytest.fixture(scope="module")
def given() -> DayAheadForecast:
    return _night(GIVEN)


@pytest.fixture(scope="module")
def own() -> DayAheadForecast:
    return _night(_with(), None)


def test_a_given_forecast_stands_in_place_of_ours_without_its_bias(given: DayAheadForecast, own: DayAheadForecast) -> None:
    error, ours = given.mean[0] - TRUTH, own.mean[0] - TRUTH
    assert given.rungs == ("given+arima", own.rungs[1]) and not own.rungs[0].startswith("given")
    assert np.sqrt(np.mean(error**2)) < 1.3 * ERROR_KW < 0.4 * np.sqrt(np.mean(ours**2))
    assert abs(error.mean()) < 1.2  # of the 3 kW that others are too high
    assert set(given.table("da-1").to_pydict()["model"]) == {"given+arima", own.rungs[1]}
    assert np.array_equal(given.mean[1], own.mean[1])


def test_quantiles_draws_and_scores_are_those_of_the_errors(given: DayAheadForecast) -> None:
    assert np.median(given.sd[0]) == pytest.approx(ERROR_KW, rel=0.25)
    drawn = draw(given, CAME.as_of(ISSUED), count=400, seed=1)[:, 0]
    assert np.median(drawn.std(axis=0)) == pytest.approx(ERROR_KW, rel=0.25)
    assert np.abs(drawn.mean(axis=0) - given.mean[0]).max() < ERROR_KW
    assert given.scores["load"]["rmse"] == pytest.approx(ERROR_KW, rel=0.25)
    assert 0.8 <= given.scores["load"]["coverage_90"] <= 1.0


def test_without_a_fortnight_of_errors_our_spread_stands(own: DayAheadForecast) -> None:
    recent = SAID._taken(SAID.valid_from >= DAY.start - 5 * 86400)
    made = _night(GIVEN, recent)
    assert made.rungs[0] == "given+profile"
    assert np.abs(made.mean[0] - TRUTH - 3).max() < 5 * ERROR_KW
    assert np.median(made.sd[0]) == pytest.approx(10, rel=0.4)


def test_what_others_do_not_say_of_the_day_is_ours(own: DayAheadForecast) -> None:
    silent = _night(GIVEN, SAID._taken(SAID.valid_from < DAY.start))
    assert silent.rungs == own.rungs and np.array_equal(silent.mean, own.mean) and np.array_equal(silent.sd, own.sd)
    half = _night(GIVEN, SAID._taken(SAID.valid_from < DAY.start + 12 * HOUR))
    assert np.sqrt(np.mean((half.mean[0] - TRUTH)[:48] ** 2)) < 1.3 * ERROR_KW
    assert half.sd[0, 60:].min() > 2 * half.sd[0, :40].max()


def test_the_newest_issue_counts_and_none_that_came_later(given: DayAheadForecast) -> None:
    """A later version, absurd, of all that is ahead: known a second too late it changes nothing; known in time it is taken."""
    for moment, taken in ((ISSUED + 1, False), (ISSUED, True)):
        made = _night(GIVEN, _also(SAID, DAY.start, 55.0, moment).as_of(ISSUED))
        assert np.array_equal(made.mean[0], given.mean[0]) is not taken
        if taken:
            assert np.abs(made.mean[0] - 52).max() < 4


def _also(said: Observations, since: int, value: float, known_at: int) -> Observations:
    """A further version of the given load of all hours from `since` on."""
    pick = np.flatnonzero((said.series_index == 0) & (said.valid_from >= since))
    order = np.argsort(np.concatenate([np.arange(len(said)), pick + 0.5]), kind="stable")
    fields = {name: np.concatenate([getattr(said, name), getattr(said, name)[pick]]) for name in
              ("series_index", "valid_from", "known_at", "ingest_seq", "value", "quality")}
    fields["known_at"][len(said):], fields["value"][len(said):] = known_at, value
    return replace(said, **{name: array[order] for name, array in fields.items()})


def test_past_days_are_judged_by_what_had_been_issued_with_tonights_lead() -> None:
    """An hour-ahead forecast of past days, without error, must not make tonight's look better than it is."""
    hindsight = replace(SAID, value=np.concatenate([LOAD, SAID.value[len(LOAD):]]), known_at=SAID.valid_from - HOUR)
    both = replace(SAID, **{name: np.stack([getattr(SAID, name), getattr(hindsight, name)], axis=1).ravel() for name in
                            ("series_index", "valid_from", "known_at", "ingest_seq", "value", "quality")})
    made = _night(GIVEN, both.as_of(ISSUED))
    assert np.median(made.sd[0]) == pytest.approx(ERROR_KW, rel=0.25)
    told = as_issued(GIVEN, both, start=START, issued_at=ISSUED, day=DAY)["load_told"]
    past = slice(24, (DAYS - 2) * 24)
    assert np.array_equal(told.values[past], SAID.value[: len(LOAD)][past])


def test_real_time_takes_the_newest_issue_of_its_moment(given: DayAheadForecast) -> None:
    noon = DAY.start + 12 * HOUR
    said = _also(SAID, noon, 55.0, noon)
    times = np.array([noon - 900, noon])
    found = update(given.state, CAME, issue_times=times, leads=16, given=said)
    plain = update(given.state, CAME, issue_times=times, leads=16, given=SAID)
    assert np.array_equal(found.mean[0], plain.mean[0])
    assert np.abs(found.mean[1, 0, 8:] - 52).max() < 6 < np.abs(plain.mean[1, 0, 8:] - 52).min()
    alone = update(given.state, CAME, issue_times=times[1:], leads=16, given=said.as_of(noon))
    assert np.array_equal(alone.mean[0], found.mean[1])
    stored = ForecastState.from_arrays(given.state.to_arrays())
    assert np.array_equal(update(stored, CAME, issue_times=times, leads=16, given=said).mean, found.mean)
    assert np.array_equal(update(stored, CAME, issue_times=times, leads=16).mean, plain.mean)  # what the night was told


def test_what_is_said_of_the_past_is_no_forecast(given: DayAheadForecast) -> None:
    noon = DAY.start + 12 * HOUR
    afterwards = replace(SAID, value=SAID.value + 50, known_at=np.maximum(SAID.known_at, SAID.valid_from + 60))
    both = replace(SAID, **{name: np.stack([getattr(SAID, name), getattr(afterwards, name)], axis=1).ravel() for name in
                            ("series_index", "valid_from", "known_at", "ingest_seq", "value", "quality")})
    found, plain = (update(given.state, CAME, issue_times=np.array([noon]), leads=8, given=one).mean for one in (both, SAID))
    assert np.array_equal(found, plain)


@pytest.mark.parametrize("regressor", ["weather", "load as others tell it"])
def test_a_known_future_of_a_regressor_moves_the_forecast(own: DayAheadForecast, regressor: str) -> None:
    price = np.repeat(CAME.value[-24:], 4)
    if regressor == "weather":
        made = _night(_with(regressors={"price": ("weather",)}))
    else:  # the load as others tell it, and the price that follows it
        case = _with(given={"load": "load_told"}, regressors={"price": ("load",)})
        made = _night(case)
    ours, driven = (np.sqrt(np.mean((one.mean[1] - price) ** 2)) for one in (own, made))
    assert driven < 0.6 * ours
    later = replace(SAID, known_at=np.where(SAID.valid_from >= DAY.start, ISSUED + 1, SAID.known_at))
    blind = _night(made_case := (_with(regressors={"price": ("weather",)}) if regressor == "weather" else case), later.as_of(ISSUED))
    absurd = _night(made_case, replace(later, value=np.where(later.known_at > ISSUED, 1e4, later.value)).as_of(ISSUED))
    assert np.array_equal(blind.mean, absurd.mean)
