"""Vehicles one by one: what each has stored moves what its cohort may charge, and nobody's share is charged twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, time

import numpy as np
import pytest

from pipeline.equipment import EvFleet
from pipeline.forecast.ev import realised_stays
from pipeline.physics.horizon import Horizon
from pipeline.physics.vehicles import FleetEnvelopes, first_interval, handed_out
from pipeline.program.cached import compiled
from pipeline.schedule.charging import as_charged
from pipeline.schedule.desk import Desk, open_desk
from pipeline.schedule.outlook import Outlook, coarsen, weighted_mean
from pipeline.schedule.settle import Reality, reality_of, settle
from pipeline.schedule.state import State
from pipeline.store.sessions import NEVER, Sessions
from tests.helpers import case_of

# One cohort, 4 kW stored per hour at full power: a vehicle stores 1 kWh in a quarter-hour.
FLEET = EvFleet(id="ev", bus="plate", vehicle_count=2, charger_kw=5, battery_kwh=40, charge_efficiency_share=0.8,
                departure_hours=(23,), ready_before_min=0)
CASE = case_of(FLEET, day_start_local=time(0))
DAY = CASE.day(date(2016, 6, 15))
QUARTER = 900


def sessions(*rows: tuple[int, int, float]) -> Sessions:
    """(first quarter-hour, end, need) per vehicle."""
    arrival, departure = (np.array([DAY.start + QUARTER * row[k] for row in rows], np.int64) for k in (0, 1))
    n = len(rows)
    return Sessions(("ev",), np.zeros(n, np.int32), tuple("abc"[:n]), arrival, departure, np.array([row[2] for row in rows], float),
                    np.full(n, 5.0), arrival, np.full(n, NEVER))


def day_of(*rows: tuple[int, int, float]) -> Outlook:
    none = FleetEnvelopes(*(np.zeros((1, 96)) for _ in range(4)))
    values = np.zeros((len(CASE.series), 96))
    return Outlook(tuple(s.id for s in CASE.series), values, {"ev": none}, {}, realised_stays(CASE, sessions(*rows), day=DAY))


@pytest.fixture(scope="module")
def desk() -> Desk:
    return open_desk(CASE, DAY, compiled(CASE, Horizon(4, 0.25, rolling=True), cache_dir=None))


def settled(desk: Desk, came: Outlook, charge_kw: list[float]) -> tuple[State, list[float], Reality]:
    """The day's first intervals with these set-points of the cohort; what it charged."""
    state = desk.binder.initial_state()
    reality = reality_of(desk, came, np.zeros((96, len(desk.binder.frozen_labels))), state)
    drawn = []
    for kw in charge_kw:
        columns = np.zeros(len(desk.layout.columns.labels))
        columns[desk.roster.cohorts.charge] = kw
        each, state = settle(desk, columns, state, reality)
        drawn.append(float(each.columns[desk.roster.cohorts.charge[0]]))
    return state, drawn, reality


def test_who_is_full_takes_no_more_though_its_cohort_could(desk: Desk) -> None:
    """Two vehicles of 1 and 4 kWh: in the second quarter-hour one charger is idle, whatever is asked for. Sums would give 10 kW."""
    state, drawn, _ = settled(desk, day_of((0, 8, 1.0), (0, 8, 4.0)), [10, 10, 10])
    assert drawn == pytest.approx([10, 5, 5])
    assert state.stored_kwh == {"ev": {"a": pytest.approx(1.0), "b": pytest.approx(3.0)}}
    assert not state.lost_kwh.any()


def test_who_can_wait_no_longer_charges_whatever_is_asked_for(desk: Desk) -> None:
    """The vehicle that leaves after two quarter-hours needs both; the other's slack is no help to it."""
    state, drawn, _ = settled(desk, day_of((0, 2, 2.0), (0, 8, 1.0)), [0, 0, 0])
    assert drawn == pytest.approx([5, 5, 0])
    assert state.stored_kwh["ev"] == {"a": pytest.approx(2.0)} and not state.lost_kwh.any()


def test_what_a_stay_cannot_give_is_unserved_and_the_rest_of_it_is_charged(desk: Desk) -> None:
    came = day_of((1, 3, 5.0), (0, 8, 1.0))
    state, drawn, reality = settled(desk, came, [0, 0, 0, 0])
    assert drawn == pytest.approx([0, 5, 5, 0])
    each, _ = settle(desk, np.zeros(len(desk.layout.columns.labels)), state, reality)
    assert each.columns[desk.roster.cohorts.unserved] == pytest.approx([3.0])
    assert not state.lost_kwh.any()


def test_a_window_knows_who_is_full(desk: Desk) -> None:
    came = day_of((0, 8, 1.0), (0, 8, 4.0))
    state, _, _ = settled(desk, came, [10])
    power, low, high, beyond = as_charged(desk, came.window(1, 4), state).vehicles("ev")
    assert power[0] == pytest.approx([5, 5, 5, 5])  # of the vehicle that is not full
    assert high[0] == pytest.approx([3, 4, 5, 5]) and low[0] == pytest.approx([2, 2, 2, 2]) and not beyond.any()
    late = as_charged(desk, came.window(4, 4), replace(state, step=5)).vehicles("ev")
    assert late.energy_low_kwh[0] == pytest.approx([2, 3, 4, 5])  # three quarter-hours of charging in the four that are left


def test_laxity_is_kept_by_who_is_known_as_a_sum_alone(desk: Desk) -> None:
    """A vehicle that is known keeps its latest charging: its envelopes begin anew with every step, and a share of them would be charged
    in each. The same vehicle as a sum keeps half of the way to its earliest.
    """
    settings = CASE.settings.model_copy(update={"ev_laxity_share": 0.5})
    lax = replace(desk, case=CASE.model_copy(update={"settings": settings}))
    came = day_of((0, 8, 2.0))
    state, _, _ = settled(desk, came, [0])
    known = as_charged(lax, came.window(1, 7), state).vehicles("ev")
    assert known.energy_low_kwh[0] == pytest.approx([0, 0, 0, 0, 0, 1, 2])
    of_sum = replace(came, envelopes=came.all_vehicles(), stays={})
    expected = as_charged(lax, of_sum.window(1, 7), state).vehicles("ev")
    assert expected.energy_low_kwh[0] == pytest.approx([1, 1, 1, 1, 1, 1.5, 2])


def test_what_was_stored_survives_a_file(desk: Desk) -> None:
    state, _, _ = settled(desk, day_of((0, 8, 1.0), (0, 8, 4.0)), [10])
    arrays = state.to_arrays()
    assert State.from_arrays(arrays).stored_kwh == state.stored_kwh
    old = State.from_arrays({name: values for name, values in arrays.items() if not name.startswith("vehicle")})
    assert old.stored_kwh == {}


def test_energy_is_handed_out_to_who_must_and_then_to_who_has_least_time(desk: Desk) -> None:
    stays = realised_stays(CASE, sessions((0, 2, 2.0), (0, 8, 1.0), (0, 4, 3.5)), day=DAY)["ev"]
    roomy = replace(stays, most_kw=1e9)
    least, most = first_interval(roomy)
    assert least == pytest.approx([1, 0, 0.5]) and most == pytest.approx([1, 1, 1])
    for stored, given in ((0.9, [0.9, 0, 0]), (1.7, [1, 0, 0.7]), (2.5, [1, 0.5, 1]), (9, [1, 1, 1])):
        assert handed_out(roomy, np.array([stored])) == pytest.approx(given)


def test_vehicles_known_one_by_one_are_in_hourly_steps_and_in_means_too() -> None:
    """Two hours by the charger hold eight quarters of 5 kW; a mean of both days holds half of them."""
    one, none = day_of((0, 8, 8.0)), day_of()
    assert coarsen(one, 4).all_vehicles()["ev"].power_high_kw[0, :3].tolist() == [5.0, 5.0, 0.0]
    assert weighted_mean([one, none], np.array([0.5, 0.5])).all_vehicles()["ev"].power_high_kw[0, :9].tolist() == [2.5] * 8 + [0.0]
