"""The connection matrix: counts, reserve, early departures, quarters. The DRMG-EV ids are the book's hand-worked numbers."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.core.errors import InputError
from pipeline.equipment import EvAggregator, EvConnection
from pipeline.forecast.ev_connection import (
    check_early,
    cycle_of,
    drawn_early,
    expected_connections,
    intraday_connections,
    matrix_of,
    moved,
    realised_connections,
    recursion,
    spread,
)
from tests.ev_case import park
from tests.robust_day import robust_case

PREVIOUS = [(3, 2, 1), (4, 2, 2), (4, 3, 1)]
CURRENT = [(1, 2, 3), (1, 3, 1), (2, 3, 2), (3, 2, 1)]


def small():
    return matrix_of(CURRENT, slots=4, dwell_min=2, dwell_max=3, previous=PREVIOUS)


def car_park(**more):
    fields = {"id": "a", "bus": "plate", "vehicle_count": 20, "charger_kw": 6, "battery_kwh": 24, "charge_efficiency_share": 0.95,
              "discharge_efficiency_share": 0.95, "arrival_energy_share": 0.45, "departure_energy_share": 0.9}
    return EvAggregator(**{**fields, **more})


def test_DRMG_EV_1_departures_and_connected_vehicles():
    matrix = small()
    assert matrix.departures().tolist() == [1, 2, 4, 1]
    assert matrix.connected().tolist() == [4, 7, 7, 4, 3]


def test_DRMG_EV_2_reserve_of_vehicles_that_leave_the_next_day():
    assert small().reserve_kwh(car_park()) == pytest.approx(47.7, abs=1e-9)


def test_the_reserve_asks_no_less_than_the_least_of_a_connected_vehicle():
    late = matrix_of([(4, 3, 2)], slots=4, dwell_min=2, dwell_max=3, previous=[])
    assert late.reserve_kwh(car_park(charger_kw=60)) == pytest.approx(2 * 0.2 * 24)


def test_DRMG_EV_3_early_departures_move_and_use_up_the_budget():
    planned = small().departures()
    now = moved(planned, np.array([0, 0, 2, 0]), 1)  # a stay of 2 cut by 1: arithmetic only, a case may not
    assert now.tolist() == [1, 4, 2, 1]
    assert np.abs(now - planned).sum() == 4
    with pytest.raises(InputError, match="half or less"):
        check_early(small(), np.array([0, 0, 2, 0]), ahead=1, budget=4)


def test_what_leaves_early_is_missing_later_and_nobody_is_lost():
    rng = np.random.default_rng(3)
    for _ in range(50):
        rows = [(int(slot), int(dwell), int(rng.integers(0, 5))) for slot in range(1, 25) for dwell in range(6, 15)]
        matrix = matrix_of(rows, slots=24, dwell_min=6, dwell_max=14)
        device = car_park(vehicle_count=1000, early_departure_share=0.3, early_departure_budget_count=12)
        early = drawn_early(matrix, device, rng)
        check_early(matrix, early, ahead=2, budget=12)
        now = moved(matrix.departures(), early, 2)
        change = now - matrix.departures()
        assert change[change > 0].sum() == -change[change < 0].sum()
        connected = recursion(int(matrix.connected()[0]), matrix.arrivals(), now)
        assert connected.min() >= 0
        assert connected[-1] == connected[0] == matrix.connected()[0]  # a cycle


def test_early_departures_beyond_who_may_leave_or_the_budget_are_refused():
    matrix = matrix_of([(1, 6, 2)], slots=24, dwell_min=6, dwell_max=14)
    early = np.zeros(24, dtype=np.int64)
    early[6] = 3
    with pytest.raises(InputError, match=r"slot 7: 3 vehicles leave early, of 2 that may.*|move 6 departures"):
        check_early(matrix, early, ahead=2, budget=4)
    early[6] = 2
    check_early(matrix, early, ahead=2, budget=4)


def test_quarters_share_an_hour_by_largest_remainder():
    counts = np.array([0, 1, 5, 6, 8])
    assert spread(counts).reshape(5, 4).tolist() == [[0] * 4, [1, 0, 0, 0], [2, 1, 1, 1], [2, 2, 1, 1], [2] * 4]
    assert spread(counts, late=True).reshape(5, 4).tolist() == [[0] * 4, [0, 0, 0, 1], [1, 1, 1, 2], [1, 1, 2, 2], [2] * 4]


def test_a_matrix_of_fractions_or_outside_its_range_names_every_entry():
    with pytest.raises(InputError) as error:
        matrix_of([(1, 6, 1.5), (25, 6, 1), (3, 5, 1), (4, 6, -1)], slots=24, dwell_min=6, dwell_max=14)  # type: ignore[list-item]
    said = str(error.value)
    assert all(words in said for words in ("1.5 vehicles", "outside 1 to 24", "outside 6 to 14 h", "fewer than none"))


def test_the_cycle_of_a_case_holds_its_own_rows_only():
    rows = [EvConnection(aggregator="a", connect_slot=20, dwell_h=8, vehicle_count=2),
            EvConnection(aggregator="b", connect_slot=1, dwell_h=8, vehicle_count=7)]
    matrix = cycle_of(car_park(), rows)
    assert matrix.counts.shape == (38, 9)
    assert matrix.connected()[0] == 2  # of yesterday
    assert matrix.departures()[3] == 2


def test_quarters_with_early_departures_stay_whole_and_return_to_the_hourly_counts():
    """Whoever leaves early is among those due in that quarter-hour, and at the end of every hour quarters and hours agree."""
    case = robust_case("reference")
    day = case.day(case.default_date)
    for device in (device for device in case.devices if device.kind == "ev_aggregator"):
        matrix = cycle_of(device, case.ev_connections)
        rng = np.random.default_rng(5)
        for _ in range(20):
            early = drawn_early(matrix, device.model_copy(update={"early_departure_share": 0.2}), rng)
            counts = expected_connections(case, day=day, early={device.id: early})[device.id]
            assert counts.min() >= 0
            now = moved(matrix.departures(), early, device.early_departure_h)
            assert counts[1].reshape(24, 4).sum(axis=1).tolist() == now.tolist()
            hourly = recursion(int(matrix.connected()[0]), matrix.arrivals(), now)
            assert counts[2].reshape(24, 4)[:, 0].tolist() == hourly[:-1].tolist()


def test_who_has_left_is_known_from_its_quarter_hour_on_and_not_before():
    case = robust_case("reference")
    day, start = case.day(case.default_date), case.day(case.default_date).start
    plain, came = expected_connections(case, day=day), realised_connections(case, day=day)
    times = start + 900 * np.arange(97)
    for name, counts in intraday_connections(case, issue_times=times, day=day).items():
        assert counts[0][1].tolist() == plain[name][1].tolist()
        assert counts[-1][1].tolist() == came[name][1].tolist()
        moved_at = np.flatnonzero(came[name][1] > plain[name][1])
        assert moved_at.size
        for at in moved_at:  # its departure shows in the outlook issued when the quarter-hour is over
            assert counts[at + 1][1, at] == came[name][1, at]
            assert counts[at][1, at] < came[name][1, at]


def test_what_leaves_between_two_steps_is_what_the_second_one_may_let_fall():
    """Errata, 4: (N_TP(t) - N_TP(t + 1))^+ goes with the ramp into t + 1, not with the one out of it."""
    case = park()
    _, _, connected, withdrawn, _ = expected_connections(case, day=case.day(case.default_date))["park"]
    assert withdrawn[1:] == pytest.approx(np.maximum(connected[:-1] - connected[1:], 0.0))
    assert withdrawn[1:].sum() > 0 and withdrawn[0] == 0.0
