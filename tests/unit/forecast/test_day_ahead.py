"""The nightly forecast and its update in the day, on shipped series."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, time

import numpy as np
import pytest

from pipeline.core.clock import DeliveryDay
from pipeline.core.errors import InputError
from pipeline.forecast.day_ahead import DayAheadForecast, forecast, history_start
from pipeline.forecast.intraday import update
from pipeline.forecast.state import ForecastState
from pipeline.scenarios.generate import draw
from tests.shipped_series import between, history, only, poisoned, shipped_case

SERIES = ("f01_load", "f01_wind", "mg_f01_b09_pv", "price")
CASE = only(shipped_case(), *SERIES)


def issue_of(day: DeliveryDay) -> int:
    return day.at(time(11), days_before=1)


@pytest.fixture(scope="module")
def night() -> DayAheadForecast:
    day = CASE.day(date(2016, 4, 20))
    return forecast(CASE, history(*SERIES), issued_at=issue_of(day), day=day)


def test_what_is_known_later_changes_nothing(night: DayAheadForecast) -> None:
    again = forecast(CASE, poisoned(history(*SERIES), night.issued_at), issued_at=night.issued_at, day=night.day)
    assert np.array_equal(again.mean, night.mean)
    assert np.array_equal(again.quantiles, night.quantiles)
    assert again.scores == night.scores
    drawn = [draw(night, one, count=20, seed=1) for one in (history(*SERIES), poisoned(history(*SERIES), night.issued_at))]
    assert np.array_equal(drawn[0], drawn[1])


def test_each_outlook_reads_only_what_was_known_at_its_issue(night: DayAheadForecast) -> None:
    moment = int(night.starts[40])
    alone = update(night.state, poisoned(history(*SERIES), moment), issue_times=np.array([moment]), leads=16)
    among = update(night.state, history(*SERIES), issue_times=night.starts, leads=16)
    assert np.array_equal(alone.mean[0], among.mean[40])
    assert np.isfinite(among.mean).all()


def test_a_correction_counts_from_when_it_is_known(night: DayAheadForecast) -> None:
    whole, moment = history(*SERIES), int(night.starts[40])
    row = int(np.flatnonzero((whole.series_index == 0) & (whole.valid_from == moment - 3600))[0])
    fields = {name: np.insert(getattr(whole, name), row + 1, getattr(whole, name)[row])
              for name in ("series_index", "valid_from", "known_at", "ingest_seq", "value", "quality")}
    fields["known_at"][row + 1], fields["value"][row + 1] = moment + 900, 2 * whole.value[row]
    corrected = replace(whole, **fields)
    times = np.array([moment, moment + 900])
    before, after = (update(night.state, one, issue_times=times, leads=4).mean for one in (whole, corrected))
    assert np.array_equal(before[0], after[0])
    assert not np.array_equal(before[1, 0], after[1, 0])


def test_the_state_survives_storage(night: DayAheadForecast) -> None:
    loaded = ForecastState.from_arrays(night.state.to_arrays())
    times = night.starts[:2]
    assert np.array_equal(update(loaded, history(*SERIES), issue_times=times, leads=4).mean,
                          update(night.state, history(*SERIES), issue_times=times, leads=4).mean)


def test_updating_beats_persistence(night: DayAheadForecast) -> None:
    seen = history(*SERIES)
    actual, before = seen.grid(night.starts), seen.grid(night.starts - 1800)  # the newest value known at the start of an interval
    first = update(night.state, seen, issue_times=night.starts, leads=1).mean[:, :, 0].T
    for place in range(3):
        assert np.sqrt(np.mean((first - actual)[place] ** 2)) < np.sqrt(np.mean((before - actual)[place] ** 2))


def test_pv_is_exactly_zero_at_night_and_within_capacity(night: DayAheadForecast) -> None:
    local_night = np.r_[76:92]  # 02:00 to 06:00 of a day that starts at 07:00
    assert np.all(night.mean[2, local_night] == 0)
    assert np.all(night.quantiles[:, 2] >= 0)
    assert np.all(night.quantiles[:, 2] <= CASE.series_by_id["mg_f01_b09_pv"].capacity_kw)


def test_quantiles_are_ordered_and_the_tables_hold(night: DayAheadForecast) -> None:
    assert np.all(np.diff(night.quantiles, axis=0) >= 0)
    assert night.table("da-1").num_rows == 4 * 96
    outlooks = update(night.state, history(*SERIES), issue_times=night.starts[-2:], leads=16)
    assert outlooks.table("rt-1", night.day).num_rows == 4 * (2 + 1)  # leads beyond the day's end are not published
    names = "rmse mae mase skill coverage_80 coverage_90 crps fit_days flag_short_history"
    assert set(night.scores["f01_load"]) >= set(names.split())


@pytest.mark.parametrize(("delivery", "steps"), [(date(2016, 3, 26), 92), (date(2016, 10, 29), 100)])
def test_days_of_the_clock_change(delivery: date, steps: int) -> None:
    case = only(CASE, "f01_load", "price")
    day = case.day(delivery)
    found = forecast(case, history("f01_load", "price"), issued_at=issue_of(day), day=day)
    assert found.mean.shape == (2, steps)
    assert np.isfinite(found.mean).all()


def test_short_histories_step_down_and_say_so() -> None:
    case, whole = only(CASE, "f01_load"), history("f01_load")
    day = case.day(date(2016, 4, 20))
    for days, rung in ((10, "profile"), (30, "arima")):
        short = between(whole, issue_of(day) - days * 86400, day.end)
        found = forecast(case, short, issued_at=issue_of(day), day=day)
        assert found.rungs == (rung,)
        assert found.scores["f01_load"]["flag_short_history"] == 1
        assert np.isfinite(found.mean).all()


def test_no_history_is_refused_by_name() -> None:
    case = only(CASE, "f01_load", "f01_wind")
    day = case.day(date(2016, 4, 20))
    nothing = between(history("f01_load", "f01_wind"), day.end, day.end)
    with pytest.raises(InputError) as caught:
        forecast(case, nothing, issued_at=issue_of(day), day=day)
    assert [mistake.place for mistake in caught.value.mistakes] == [f"case {case.name}, series {name}" for name in ("f01_load", "f01_wind")]


def test_history_start_reaches_over_the_longest_window() -> None:
    assert history_start(CASE, 1_460_000_000) == 1_460_000_000 - 85 * 86400


def test_the_table_model_returns_the_tables() -> None:
    settings = CASE.settings.model_copy(update={"forecast": CASE.settings.forecast.model_copy(update={"model": "table"})})
    case = only(CASE.model_copy(update={"settings": settings}), "price")
    day = case.day(date(2016, 4, 20))
    found = forecast(case, history("price"), issued_at=issue_of(day), day=day)
    assert found.rungs == ("table",)
    assert found.mean[0, :4] == pytest.approx([case.series[0].by_local_hour[7]] * 4)
    outlook = update(ForecastState.from_arrays(found.state.to_arrays()), history("price"), issue_times=day.starts()[:1], leads=8)
    assert outlook.mean[0, 0] == pytest.approx(found.mean[0, :8])


def test_a_regressor_that_explains_lowers_the_error_and_a_wrong_name_is_refused() -> None:
    whole = history("f01_load", "f02_load")
    second = whole.series_index == 1
    driven = replace(whole, value=np.where(second, 0.5 * np.roll(whole.value, np.argmax(second)), whole.value))
    day = CASE.day(date(2016, 4, 20))
    errors = []
    for regressors in ({}, {"f02_load": ("f01_load",)}):
        settings = CASE.settings.model_copy(update={"forecast": CASE.settings.forecast.model_copy(update={"regressors": regressors})})
        case = only(shipped_case().model_copy(update={"settings": settings}), "f01_load", "f02_load")
        ahead = replace(driven, known_at=np.where(driven.series_index == 0, 0, driven.known_at))  # the regressor is known ahead
        found = forecast(case, ahead, issued_at=issue_of(day), day=day)
        errors.append(float(np.abs(found.mean[1] - driven.grid(day.starts())[1]).mean()))
    assert errors[1] < 0.7 * errors[0]
    wrong = CASE.settings.forecast.model_copy(update={"regressors": {"f01_load": ("no",)}})
    settings = CASE.settings.model_copy(update={"forecast": wrong})
    with pytest.raises(InputError, match="'no' is no series"):
        forecast(CASE.model_copy(update={"settings": settings}), history(*SERIES), issued_at=issue_of(day), day=day)


def test_hours_that_begin_at_half_past_in_utc_are_hours_as_anywhere() -> None:
    """Clocks half an hour apart show the same time half an hour apart: everything comes out the same, hourly prices too."""
    names, found = ("f01_load", "price"), []
    settings = CASE.settings.model_copy(update={"forecast": CASE.settings.forecast.model_copy(update={"holiday_country": "IN"})})
    for zone, shift in (("Asia/Karachi", 0), ("Asia/Kolkata", -1800)):
        case = only(CASE, *names).model_copy(update={"time_zone": zone, "settings": settings})
        whole = history(*names)
        moved = replace(whole, valid_from=whole.valid_from + shift, known_at=whole.known_at + shift)
        day = case.day(date(2016, 4, 20))
        night = forecast(case, moved, issued_at=issue_of(day), day=day)
        updated = update(night.state, moved, issue_times=night.starts[:3], leads=16)
        found.append((night.rungs, night.scores, night.mean, night.quantiles, draw(night, moved, count=20, seed=1), updated.mean))
    (_, scores, *expected), (_, moved_scores, *got) = found
    assert found[0][0] == found[1][0] and scores == moved_scores
    for one, other in zip(expected, got, strict=True):
        assert np.array_equal(one, other)
