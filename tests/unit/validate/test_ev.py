from __future__ import annotations

import numpy as np
import pytest

from pipeline.equipment import EvFleet
from pipeline.tables import TABLES
from pipeline.validate.ev import FleetSessions, ev_check, hours_present
from pipeline.validate.ev_bound import least_unserved_kwh
from tests.helpers import case_of


def sessions(*rows: tuple[float, float, float, float]) -> FleetSessions:
    """(arrival h, departure h, need kWh, charger kW) per vehicle."""
    arrival, departure, need, charger = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    come, gone = (arrival * 3600).astype(np.int64), (departure * 3600).astype(np.int64)
    return FleetSessions(come, gone, need, charger, gone)


def quarters(hours: float) -> np.ndarray:
    return 900 * np.arange(int(hours * 4), dtype=np.int64)


def unserved(mine: FleetSessions, power_kw: np.ndarray, *, efficiency_share: float = 1.0) -> float:
    room = hours_present(mine, quarters(len(power_kw) / 4)) * mine.charger_kw[:, None] * efficiency_share
    return least_unserved_kwh(mine.need_kwh, room, power_kw * efficiency_share / 4)


def test_one_vehicle_takes_what_its_charger_can() -> None:
    assert unserved(sessions((0, 2, 10, 3.3)), np.full(8, 3.3), efficiency_share=0.9) == pytest.approx(4.06)  # NMG-DRA-2: 5.94 kWh stored


def test_the_vehicle_that_must_leave_first_can_be_served_first() -> None:
    power = np.array([3.0] * 4 + [0.0] * 4 + [3.0] * 4)
    assert unserved(sessions((0, 1, 3, 3), (0, 3, 3, 3)), power) == pytest.approx(0.0, abs=1e-9)


def test_a_vehicle_that_leaves_within_a_quarter_counts_for_its_part() -> None:
    assert unserved(sessions((0, 0.125, 1, 4)), np.array([4.0])) == pytest.approx(0.5)  # half a quarter at 4 kW


def test_energy_that_comes_too_late_leaves_its_vehicle_short() -> None:
    assert unserved(sessions((0, 1, 2, 2), (0, 2, 2, 2)), np.array([0.0] * 4 + [4.0] * 4)) == pytest.approx(2.0)


def test_what_is_not_drawn_is_lacking() -> None:
    assert unserved(sessions(*[(0, 1, 1, 2)] * 4), np.full(4, 3.0)) == pytest.approx(1.0)


def test_the_longest_stay_is_not_always_the_last_to_charge() -> None:
    """Laxity by the clock would fill the small one first; then its charger idles while 4 kW come and the other can take 2."""
    mine = sessions((0, 2, 1, 2), (0, 3, 4, 2))
    assert unserved(mine, np.array([2.0] * 4 + [4.0] * 2 + [2.0] * 4)) == pytest.approx(0.0, abs=1e-9)


def test_the_bound_of_one_vehicle_is_charger_times_stay() -> None:
    room = np.full((1, 8), 0.9 * 3.3 / 4)
    assert least_unserved_kwh(np.array([10.0]), room, np.full(8, np.inf)) == pytest.approx(4.06)


def test_the_bound_under_a_connection_is_the_largest_flow() -> None:
    """Two want 2 kWh each. One leaves after two steps; together they may take 1 kWh a step, for three steps: 1 kWh is unreachable."""
    room = np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 1.0]])
    assert least_unserved_kwh(np.array([2.0, 2.0]), room, np.ones(3)) == pytest.approx(1.0)
    assert least_unserved_kwh(np.array([2.0, 1.0]), room, np.ones(3)) == pytest.approx(0.0, abs=1e-9)


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
