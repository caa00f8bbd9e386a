"""Vehicles from what was known to what is decided: at their own quarter-hour in every stage, by night, by day and when settled."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace

import numpy as np
import pytest

from pipeline.cases.settings import Stochastic
from pipeline.equipment import EvConnection
from pipeline.forecast.ev import realised_envelopes
from pipeline.forecast.ev_connection import cycle_of, expected_connections
from pipeline.schedule.outlook import coarse_connections
from pipeline.stages import deciding, redispatching
from pipeline.validate.ev import sessions_by_fleet
from pipeline.validate.fleets import fleet_limits
from tests.ev_case import park
from tests.unit.forecast.test_ev import DAY, FLEET, NEXT, at, case_with, sessions


def run_of(case, rows) -> SimpleNamespace:
    """What the stages read of a run: case, day, knowledge, issue time."""
    names = tuple(series.id for series in case.series)
    history = SimpleNamespace(grid=lambda starts: np.zeros((len(names), len(starts))))
    return SimpleNamespace(case=case, day=case.day(DAY), issued_at=at(date(2016, 6, 14), 11), steps=(1, 96), record=None,
                           knowledge=SimpleNamespace(sessions=rows, session_versions=rows, history=history))


def forecasts(case, count: int) -> SimpleNamespace:
    length = case.settings.real_time_window_steps
    return SimpleNamespace(series=tuple(s.id for s in case.series), mean=np.zeros((count, len(case.series), length)))


TODAY = (at(DAY, 22), at(NEXT, 0, 7) + 30, 5.0)
FIRST = (22 - 7) * 4  # place of the quarter-hour in which it comes


def test_a_night_expects_vehicles_in_the_hours_in_which_they_came() -> None:
    case = case_with(FLEET)
    run = run_of(case, sessions((at(date(2016, 6, 12), 22), at(date(2016, 6, 13), 0), 4.0)))
    (outlook,) = deciding.outlooks_of(run, np.zeros((1, len(case.series), 96)))
    power = outlook.envelopes["ev"].power_high_kw.sum(axis=0)
    assert np.flatnonzero(power).tolist() == [15, 16]
    assert power[[15, 16]] == pytest.approx([1.65, 1.65])  # on one of the two days since


@pytest.mark.parametrize(("step", "ahead"), [(FIRST + 2, 7), (FIRST + 9, 0)])
def test_a_re_dispatch_sees_who_has_come_to_the_quarter_hour(step: int, ahead: int) -> None:
    """It offers whole quarter-hours until midnight, then half of one; and its window begins with the interval that is decided."""
    case = case_with(FLEET)
    window = redispatching._windows(run_of(case, sessions(TODAY)), forecasts(case, 1), [step])[step]
    power, _, high, _ = window.vehicles("ev")
    offered = power.sum(axis=0)
    assert offered[: ahead + 2] == pytest.approx([*[3.3] * ahead, 1.65, 0.0])
    assert high.sum(axis=0)[0] == pytest.approx(min(5.0, offered[0] * 0.25 * 0.9))


def test_what_is_settled_is_who_came_when_they_came() -> None:
    case = case_with(FLEET)
    run = run_of(case, sessions(TODAY))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(redispatching, "known_share", lambda run: np.ones(96, dtype=bool))
        day = redispatching._what_came(run, run, {})
    offered = day.realised.vehicles("ev").power_high_kw.sum(axis=0)
    assert np.flatnonzero(offered).tolist() == list(range(FIRST, FIRST + 9))
    assert offered[[FIRST, FIRST + 8]] == pytest.approx([3.3, 1.65])
    assert day.realised.stays["ev"].names == ("0",)


def test_the_checker_finds_the_same_limits_by_itself() -> None:
    """Without a margin before the departure both ways of counting agree, to the quarter-hour and the watt-hour."""
    case = case_with(FLEET)
    rows = sessions(TODAY, (at(DAY, 22, 10), at(NEXT, 0), 30.0), (at(NEXT, 5), at(NEXT, 9), 8.0), (at(DAY, 9), at(DAY, 9), 2.0))
    ours = realised_envelopes(case, rows, day=case.day(DAY))["ev"]
    fleets = sessions_by_fleet(rows.fleet, rows.arrival, rows.departure, rows.need_kwh, rows.charger_kw)
    for mine, theirs in zip(ours, fleet_limits(case, fleets, case.day(DAY))["ev"], strict=True):
        assert mine == pytest.approx(theirs, abs=1e-6)


def test_early_departures_of_scenarios_reach_the_schedule() -> None:
    """A vehicle drawn to leave early is gone in the outlook that is decided for, in its own scenario and in no other."""
    case = park(early_departure_budget_count=2)
    method = Stochastic(draw_count=2, representative_count=2)
    case = case.model_copy(update={"settings": case.settings.model_copy(update={"method": method})})
    day = case.day(case.default_date)
    run = SimpleNamespace(case=case, day=day, issued_at=day.start, knowledge=SimpleNamespace(sessions=None))
    (device,) = [device for device in case.devices if device.kind == "ev_aggregator"]
    cap = cycle_of(device, case.ev_connections).early_departure_cap()
    due = int(np.flatnonzero(cap)[-1])
    early = np.zeros(24, dtype=np.int64)
    early[due] = 1
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(deciding, "expected_envelopes", lambda *given, **more: {})
        patch.setattr(deciding, "representatives", lambda run: (np.zeros((2, len(case.series), 96)), np.array([0.5, 0.5])))
        patch.setattr(deciding, "early_departures", lambda run, count: [{}, {device.id: early}])
        (staying, leaving), _ = deciding.day_ahead_outlooks(run)
    planned = coarse_connections(expected_connections(case, day=day, step_min=60), 4)[device.id]
    assert np.array_equal(staying.connections[device.id], planned)
    moved = leaving.connections[device.id][1] - planned[1]
    assert np.flatnonzero(moved).tolist() == [due - device.early_departure_h, due]
    assert moved[[due - device.early_departure_h, due]].tolist() == [1, -1]


def test_early_departures_that_came_reach_settlement() -> None:
    case = park(early_departure_budget_count=4, early_departure_share=0.9)
    day = case.day(case.default_date)
    names = tuple(series.id for series in case.series)
    history = SimpleNamespace(grid=lambda starts: np.zeros((len(names), len(starts))))
    knowledge = SimpleNamespace(sessions=None, session_versions=None, history=history)
    run = SimpleNamespace(case=case, day=day, steps=(1, 96), knowledge=knowledge)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(redispatching, "known_share", lambda run: np.ones(96, dtype=bool))
        patch.setattr(redispatching, "realised_envelopes", lambda *given, **more: {})
        patch.setattr(redispatching, "realised_stays", lambda *given, **more: {})
        patch.setattr(type(case.settings.forecast), "model", "arima", raising=False)
        came = redispatching._what_came(run, run, {}).realised.connections["park"]
    planned = expected_connections(case, day=day)["park"]
    assert came[1].sum() == planned[1].sum() and (came[1] != planned[1]).sum() >= 2


@pytest.mark.parametrize("day", [date(2016, 3, 26), date(2016, 3, 27)])
def test_no_vehicle_of_an_hour_that_the_clock_skips_is_lost(day: date) -> None:
    """02:00 is slot 20 of a day from 07:00: one connects in it, another leaves in it."""
    more = [EvConnection(aggregator="park", connect_slot=slot, dwell_h=9, vehicle_count=1) for slot in (11, 20)]
    case = park().model_copy(update={"time_zone": "Europe/Berlin", "ev_connections": (*park().ev_connections, *more)})
    counts = expected_connections(case, day=case.day(day))["park"]
    assert counts[0].sum() == counts[1].sum() == 13
