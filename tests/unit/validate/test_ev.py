from __future__ import annotations

import numpy as np
import pytest

from pipeline.equipment import EvFleet
from pipeline.tables import TABLES
from pipeline.validate.ev import FleetSessions, disaggregate, ev_check, hours_present
from pipeline.validate.ev_bound import unreachable_kwh
from tests.helpers import case_of


def sessions(*rows: tuple[float, float, float, float]) -> FleetSessions:
    """(arrival h, departure h, need kWh, charger kW) per vehicle."""
    arrival, departure, need, charger = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    come, gone = (arrival * 3600).astype(np.int64), (departure * 3600).astype(np.int64)
    return FleetSessions(come, gone, need, charger, gone)


def quarters(hours: float) -> np.ndarray:
    return 900 * np.arange(int(hours * 4), dtype=np.int64)


def test_one_vehicle_takes_what_its_charger_can() -> None:
    left, spare = disaggregate(sessions((0, 2, 10, 3.3)), np.full(8, 3.3), quarters(2), efficiency_share=0.9)
    assert left == pytest.approx([4.06])  # NMG-DRA-2: 5.94 kWh stored, 4.06 kWh unserved
    assert spare == pytest.approx(0.0)


def test_the_vehicle_that_must_leave_first_is_served_first() -> None:
    left, spare = disaggregate(
        sessions((0, 1, 3, 3), (0, 3, 3, 3)), np.array([3.0] * 4 + [0.0] * 4 + [3.0] * 4), quarters(3), efficiency_share=1.0
    )
    assert left == pytest.approx([0.0, 0.0], abs=1e-9)
    assert spare == pytest.approx(0.0, abs=1e-9)


def test_a_vehicle_that_leaves_within_a_quarter_counts_for_its_part() -> None:
    left, _ = disaggregate(sessions((0, 0.125, 1, 4)), np.array([4.0]), quarters(0.25), efficiency_share=1.0)
    assert left == pytest.approx([0.5])  # half a quarter at 4 kW


def test_energy_that_comes_too_late_is_spare_and_its_vehicle_is_short() -> None:
    left, spare = disaggregate(sessions((0, 1, 2, 2), (0, 2, 2, 2)), np.array([0.0] * 4 + [4.0] * 4), quarters(2), efficiency_share=1.0)
    assert left == pytest.approx([2.0, 0.0])
    assert spare == pytest.approx(2.0)


def test_sharing_within_a_step_keeps_equal_vehicles_equal() -> None:
    left, _ = disaggregate(sessions(*[(0, 1, 1, 2)] * 4), np.full(4, 3.0), quarters(1), efficiency_share=1.0)
    assert left == pytest.approx([0.25] * 4)


def test_energy_is_conserved() -> None:
    rng = np.random.default_rng(3)
    many = sessions(
        *[(a, a + d, n, 3.3) for a, d, n in zip(rng.uniform(0, 4, 30), rng.uniform(1, 6, 30), rng.uniform(0, 15, 30), strict=True)]
    )
    power = rng.uniform(0, 60, 40)
    left, spare = disaggregate(many, power, quarters(10), efficiency_share=0.9)
    assert (many.need_kwh - left).sum() + spare == pytest.approx(0.9 * power.sum() / 4)
    assert (left >= 0).all() and spare >= 0


def test_the_bound_of_one_vehicle_is_charger_times_stay() -> None:
    room = np.full((1, 8), 0.9 * 3.3 / 4)
    assert unreachable_kwh(np.array([10.0]), room, np.full(8, np.inf)) == pytest.approx(4.06)


def test_the_bound_under_a_connection_is_the_largest_flow() -> None:
    """Two want 2 kWh each. One leaves after two steps; together they may take 1 kWh a step, for three steps: 1 kWh is unreachable."""
    room = np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 1.0]])
    assert unreachable_kwh(np.array([2.0, 2.0]), room, np.ones(3)) == pytest.approx(1.0)
    assert unreachable_kwh(np.array([2.0, 1.0]), room, np.ones(3)) == pytest.approx(0.0, abs=1e-9)


def test_no_hand_out_beats_the_bound() -> None:
    rng = np.random.default_rng(5)
    for _ in range(20):
        many = sessions(*[(a, a + d, n, 3.3) for a, d, n in
                          zip(rng.uniform(0, 4, 12), rng.uniform(0.1, 6, 12), rng.uniform(0, 15, 12), strict=True)])
        limit_kw = rng.uniform(5, 40)
        power = np.minimum(rng.uniform(0, 60, 40), limit_kw)
        room = hours_present(many, quarters(10)) * 0.9 * 3.3
        bound = unreachable_kwh(many.need_kwh, room, np.full(40, limit_kw * 0.9 / 4))
        left, _ = disaggregate(many, power, quarters(10), efficiency_share=0.9)
        assert bound <= left.sum() + 1e-6


@pytest.mark.parametrize(("cohort_lacks_kwh", "unpriced"), [(0.0, 20.0), (1.5, 5.0), (2.0, 0.0)])
def test_what_a_cohort_in_sum_had_and_a_vehicle_had_not_is_no_cost_and_is_said(cohort_lacks_kwh: float, unpriced: float) -> None:
    """Two vehicles want 2 kWh each; 4 kW come in the second hour, when the first has gone: it lacks 2 kWh, at 10 a kWh."""
    fleet = EvFleet(id="cars", bus="plate", vehicle_count=2, charger_kw=4, battery_kwh=50, charge_efficiency_share=1.0,
                    departure_hours=(24,))
    case = case_of(fleet)
    day = case.day(case.default_date)
    mine = sessions((0, 1, 2, 4), (0, 2, 2, 4))
    moved = FleetSessions(mine.arrival + day.start, mine.departure + day.start, mine.need_kwh, mine.charger_kw, mine.left_at + day.start)
    steps = np.arange(1, day.steps() + 1)
    power = np.where((steps > 4) & (steps <= 8), -4.0, 0.0)
    lacking = np.where(steps > 3, cohort_lacks_kwh, 0.0)
    count = len(steps)
    table = TABLES["dispatch"].build({
        "run_id": ["rt-1"] * 2 * count, "step": [*steps, *steps], "valid_from": [*day.starts(), *day.starts()],
        "scenario": ["settled"] * 2 * count, "network": ["plate"] * 2 * count, "device": ["cars"] * 2 * count,
        "bus": ["plate"] * 2 * count, "carrier": ["active"] * 2 * count,
        "quantity": ["injection"] * count + ["unserved_kwh[1]"] * count, "unit": ["kW"] * count + ["kWh"] * count,
        "value": [*power, *lacking]})
    findings, figures = ev_check(case, table, {"cars": moved}, day=day)
    assert figures["ev_unserved_kwh"] == pytest.approx(2.0) and figures["ev_unpriced_cost"] == pytest.approx(unpriced)
    (said,) = [one.message for one in findings if one.check == "ev_unserved"]
    assert (f"{unpriced:.2f} USD of it are not in the settled cost" in said) == (unpriced > 0)
