"""Vehicle envelopes: hand-worked sessions, cohorts, expectation and the day's update."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from pipeline.core.errors import InputError
from pipeline.equipment import EvFleet
from pipeline.equipment.ev_fleet import EvSampling, EvWindow, Normal
from pipeline.forecast.ev import expected_envelopes, intraday_vehicles, realised_envelopes, unlike_yesterday
from pipeline.forecast.visits import cohort_of
from pipeline.physics.vehicles import cohort_envelopes
from pipeline.store.sessions import NEVER, Sessions
from tests.helpers import case_of

ZONE = ZoneInfo("Europe/Berlin")
FLEET = EvFleet(id="ev", bus="plate", vehicle_count=2, charger_kw=3.3, battery_kwh=24,
                charge_efficiency_share=0.9, departure_hours=(6, 7), ready_before_min=0)


def case_with(fleet: EvFleet):
    from datetime import time

    return case_of(fleet, time_zone="Europe/Berlin", day_start_local=time(7))


def at(day: date, hour: int, minute: int = 0) -> int:
    return int(datetime(day.year, day.month, day.day, hour, minute, tzinfo=ZONE).timestamp())


def sessions(*rows: tuple[int, int, float]) -> Sessions:
    rows = tuple(sorted(rows))
    arrival, departure = np.array([row[0] for row in rows], np.int64), np.array([row[1] for row in rows], np.int64)
    return Sessions(("ev",), np.zeros(len(rows), np.int32), tuple(str(i) for i in range(len(rows))), arrival, departure,
                    np.array([row[2] for row in rows], float), np.full(len(rows), 3.3), arrival, np.full(len(rows), NEVER))


DAY, NEXT = date(2016, 6, 15), date(2016, 6, 16)


def test_one_vehicle_by_hand() -> None:
    case = case_with(FLEET)
    # Present 22:00 to 00:07:30, a need of 5 kWh; 2.97 kWh stored per hour at full power.
    power, low, high, beyond = realised_envelopes(case, sessions((at(DAY, 22), at(NEXT, 0, 7) + 30, 5.0)), day=case.day(DAY))["ev"]
    assert not beyond.any()
    assert power.shape == (2, 96)
    first = (22 - 7) * 4
    assert power[0, first: first + 8] == pytest.approx(np.full(8, 3.3))
    assert power[0, first + 8] == pytest.approx(3.3 / 2)  # half a quarter offers half the power
    assert power[0, first + 9] == power[0, first - 1] == 0
    assert high[0, first] == pytest.approx(2.97 / 4)
    assert high[0, -1] == low[0, -1] == pytest.approx(5.0)
    assert low[0, first + 7] == pytest.approx(5.0 - 2.97 / 8)
    assert np.all(low[0, :first] == 0)
    assert np.all(power[1] == 0)


def test_a_need_beyond_reach_is_unserved_not_forgotten() -> None:
    case = case_with(FLEET)
    _, low, high, beyond = realised_envelopes(case, sessions((at(DAY, 22), at(NEXT, 0), 10.0)), day=case.day(DAY))["ev"]
    assert [low[0, -1], high[0, -1]] == pytest.approx([5.94] * 2)
    assert np.all(low <= high + 1e-9)
    assert beyond[0, 60:] == pytest.approx(np.full(36, 4.06)) and not beyond[0, :60].any()  # NMG-DRA-2, from the arrival on


def test_a_vehicle_that_leaves_as_it_comes_needs_what_nobody_can_charge() -> None:
    case = case_with(FLEET)
    rows = sessions((at(DAY, 7), at(DAY, 7), 2.0), (at(DAY, 22), at(DAY, 22), 3.0))
    power, low, high, beyond = realised_envelopes(case, rows, day=case.day(DAY))["ev"]
    assert not power.any() and not low.any() and not high.any()
    assert beyond[:, [0, 59, 60, 95]].sum(axis=0) == pytest.approx([2.0, 2.0, 5.0, 5.0])


def test_more_vehicles_than_chargers_share_them() -> None:
    """Three vehicles of 3.3 kW at two chargers for an hour: each gets two thirds of one, in every number."""
    case = case_with(FLEET)
    rows = sessions(*[(at(DAY, 22), at(DAY, 23), need) for need in (1.0, 2.0, 5.0)])
    power, low, high, beyond = realised_envelopes(case, rows, day=case.day(DAY))["ev"]
    assert power[:, 60:64].sum(axis=0) == pytest.approx(np.full(4, 6.6))
    assert [part[:, -1].sum() for part in (low, high)] == pytest.approx([1.0 + 2 * 1.98] * 2)
    assert beyond[:, -1].sum() == pytest.approx(0.02 + 3.02)


def test_cohorts_leave_up_to_their_hour_and_the_last_takes_the_rest() -> None:
    leaving = np.array([at(NEXT, 5), at(NEXT, 6), at(NEXT, 6, 1), at(NEXT, 7), at(NEXT, 18)], np.int64)
    assert cohort_of(FLEET, leaving, "Europe/Berlin").tolist() == [0, 0, 1, 1, 1]


def test_a_session_over_two_days_splits_its_need() -> None:
    case = case_with(FLEET)
    stay = sessions((at(NEXT, 5), at(NEXT, 9), 8.0))
    parts = [realised_envelopes(case, stay, day=case.day(day))["ev"][2][:, -1].sum() for day in (DAY, NEXT)]
    assert parts == pytest.approx([4.0, 4.0])


def test_the_window_fleet_is_the_books_sum_row() -> None:
    case = case_with(FLEET.model_copy(update={"sessions": EvWindow(first_hour=19, last_hour=4, need_kwh=12.0)}))
    power, low, high, _ = realised_envelopes(case, sessions(), day=case.day(DAY))["ev"]
    inside = slice(48, 88)
    assert power[:, inside].sum(axis=0) == pytest.approx(np.full(40, 6.6))
    assert power.sum() == pytest.approx(40 * 6.6)
    assert low[:, 87].sum() == high[:, 87].sum() == pytest.approx(24.0)
    assert low[:, 60].sum() == 0


def intraday_high(case, rows: Sessions, times: list[int]) -> list[float]:
    """Energy of all vehicles by the end of the day, at each issue time: those who have come and those expected."""
    found = intraday_vehicles(case, rows, issue_times=np.array(times, np.int64), day=case.day(DAY))
    assert found.expected["ev"].energy_high_kwh.shape == (len(times), 2, 96)
    return [float(later[:, -1].sum() + cohort_envelopes(here).energy_high_kwh[:, -1].sum())
            for later, here in zip(found.expected["ev"].energy_high_kwh, found.here["ev"], strict=True)]


def past_and_today() -> Sessions:
    rows = [(at(date(2016, 6, day), 18), at(date(2016, 6, day + 1), 6), float(need)) for day, need in ((11, 6), (12, 8), (13, 10), (15, 3))]
    return sessions(*rows)


def test_expectation_is_the_mean_of_whole_past_days() -> None:
    case = case_with(FLEET)
    issued = at(date(2016, 6, 14), 11)
    _, low, high, _ = expected_envelopes(case, past_and_today(), issued_at=issued, day=case.day(DAY))["ev"]
    assert high[0, -1] == low[0, -1] == pytest.approx((6 + 8 + 10) / 3)
    with pytest.raises(InputError, match="fleet ev"):
        expected_envelopes(case, past_and_today(), issued_at=at(date(2016, 6, 11), 17), day=case.day(DAY))


@pytest.mark.parametrize("ahead", [9, 30, 60])
def test_a_day_planned_long_ahead_expects_the_last_whole_days(ahead: int) -> None:
    case = case_with(FLEET)
    day = case.day(DAY + timedelta(days=ahead))
    _, _, high, _ = expected_envelopes(case, past_and_today(), issued_at=at(date(2016, 6, 14), 11), day=day)["ev"]
    assert high[0, -1] == pytest.approx((6 + 8 + 10) / 3)


def test_in_the_day_those_who_came_replace_those_expected() -> None:
    case = case_with(FLEET)
    before, after = intraday_high(case, past_and_today(), [at(DAY, 17, 45), at(DAY, 18)])
    assert before == pytest.approx((6 + 8 + 10 + 0) / 4)  # four past days, one of them without a vehicle
    assert after == pytest.approx(3.0)


def test_past_days_move_by_the_wall_clock_over_the_clock_change() -> None:
    case = case_with(FLEET)
    rows = sessions((at(date(2016, 3, 24), 18), at(date(2016, 3, 25), 6), 6.0))
    day = case.day(date(2016, 3, 26))
    power, *_ = expected_envelopes(case, rows, issued_at=at(date(2016, 3, 25), 11), day=day)["ev"]
    assert power.shape[1] == 92
    assert np.flatnonzero(power[0])[[0, -1]].tolist() == [44, 87]  # from 18:00 to 06:00: eleven hours this night


def test_a_window_that_the_clock_shortens_leaves_the_rest_unserved() -> None:
    """01:00 to 02:59 on the night that skips 02:00: one hour, so half of what two vehicles need."""
    fleet = FLEET.model_copy(update={"sessions": EvWindow(first_hour=1, last_hour=2, need_kwh=5.94)})
    case = case_with(fleet)
    _, low, high, beyond = realised_envelopes(case, sessions(), day=case.day(date(2016, 3, 26)))["ev"]
    assert [part[:, -1].sum() for part in (low, high, beyond)] == pytest.approx([5.94] * 3)


def test_who_stays_over_the_start_of_the_day_is_expected_in_the_morning_too() -> None:
    """Days from midnight on, a vehicle from 18:00 to 06:00 each night: half of its need in the evening, half in the morning."""
    case = case_of(FLEET, time_zone="Europe/Berlin")
    rows = sessions(*[(at(date(2016, 6, day), 18), at(date(2016, 6, day + 1), 6), 8.0) for day in range(8, 15)])
    power, _, high, _ = expected_envelopes(case, rows, issued_at=at(date(2016, 6, 14), 11), day=case.day(DAY))["ev"]
    mornings, evenings = 5 / 6, 1.0  # the first of six days has no night before it
    assert np.unique(power.sum(axis=0).round(6)) == pytest.approx([0.0, 3.3 * mornings, 3.3 * evenings])
    assert high[:, -1].sum() == pytest.approx(4.0 * (mornings + evenings))


def test_a_fleet_that_stood_still_for_two_weeks_expects_its_last_days() -> None:
    case = case_with(FLEET)
    rows = sessions(*[(at(date(2016, 4, day), 18), at(date(2016, 4, day + 1), 6), 6.0) for day in (1, 2)])
    issued = at(date(2016, 6, 14), 11)
    _, _, high, _ = expected_envelopes(case, rows, issued_at=issued, day=case.day(DAY))["ev"]
    assert high[0, -1] == pytest.approx(6.0)
    assert unlike_yesterday(case, rows, issued_at=issued, day=case.day(DAY)) == {"ev": 72}
    assert unlike_yesterday(case, past_and_today(), issued_at=issued, day=case.day(DAY)) == {}
    assert intraday_high(case, rows, [at(DAY, 12)]) == pytest.approx([6.0])


def test_a_fleet_with_a_law_and_no_session_is_expected_as_its_law_draws() -> None:
    law = EvSampling(arrival_h=Normal(mean=18, sd=1, low=17, high=19), departure_h=Normal(mean=6, sd=0.5, low=5, high=6.5),
                     arrival_energy_share=Normal(mean=0.5, sd=0.1, low=0.4, high=0.6), departure_energy_share=0.9)
    case = case_with(FLEET.model_copy(update={"sessions": law}))
    issued = at(date(2016, 6, 14), 11)
    _, _, high, _ = expected_envelopes(case, sessions(), issued_at=issued, day=case.day(DAY))["ev"]
    assert high[:, -1].sum() == pytest.approx(2 * 0.4 * 24, rel=0.1)
    assert unlike_yesterday(case, sessions(), issued_at=issued, day=case.day(DAY)) == {"ev": None}


def test_a_departure_in_the_hour_that_the_clock_skips_comes_after_its_arrival() -> None:
    case = case_with(FLEET)
    rows = sessions((at(date(2016, 3, 25), 2, 30), at(date(2016, 3, 25), 3, 10), 1.0))
    power, low, high, beyond = expected_envelopes(case, rows, issued_at=at(date(2016, 3, 25), 11), day=case.day(date(2016, 3, 26)))["ev"]
    assert power.sum() * 0.25 == pytest.approx(3.3 * 40 / 60)
    assert high[:, -1].sum() == pytest.approx(1.0) and not beyond.any() and np.all(low <= high)
