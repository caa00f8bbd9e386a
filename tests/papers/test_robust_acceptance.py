"""Numbers and acceptance checks of the robust book on the shipped case: case 1, low load, the worst corner, two days in a row."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.forecast.ev_connection import cycle_of
from pipeline.schedule.day_ahead import DayAhead
from tests.robust_day import RobustDay, robust_case, running_hours, vehicles, with_aggregators

UNITS = ("dg1", "dg2", "dg3", "dg4", "dg5")
EVAS = ("eva1", "eva2")
RESERVE_KWH = {"eva1": 1719.2, "eva2": 1648.0}


@pytest.fixture(scope="module")
def case_1() -> DayAhead:
    return RobustDay(robust_case("reference")).plan()


def from_energies(start: dict[str, float], **changes: object) -> DayAhead:
    """A day that begins with given energies."""
    each: dict[str, dict[str, object]] = {name: {"energy_initial_kwh": energy} for name, energy in start.items()}
    return RobustDay(with_aggregators(robust_case("reference"), each, start="handed_on", **changes)).plan()


def test_case_1_costs_what_the_book_measured_and_the_paper_printed(case_1: DayAhead) -> None:
    assert case_1.objective == pytest.approx(118414.9, abs=0.1)
    assert case_1.objective == pytest.approx(118418, rel=1e-3)
    assert case_1.findings == ()


def test_case_1_runs_all_units_and_uses_no_fuel_cell_and_no_slack(case_1: DayAhead) -> None:
    assert [running_hours(case_1, unit) for unit in UNITS] == [24] * 5
    roster, columns = case_1.desk.roster, case_1.columns[0]
    assert columns[:, roster.converters.power].max() < 1e-6
    assert columns[:, roster.demands.shed].max() < 1e-6
    assert max(vehicles(case_1, name).slack + vehicles(case_1, name).surplus for name in EVAS) < 1e-6


def test_the_reserve_of_the_matrix_is_the_book_s(case_1: DayAhead) -> None:
    case = robust_case("reference")
    for device in case.devices:
        if device.kind == "ev_aggregator":
            assert cycle_of(device, case.ev_connections).reserve_kwh(device) == pytest.approx(RESERVE_KWH[device.id])
            assert device.energy_initial_kwh == pytest.approx(cycle_of(device, case.ev_connections).needs_kwh(device, 4)[-1], abs=1e-3)
            assert vehicles(case_1, device.id).end >= RESERVE_KWH[device.id] - 1e-6


@pytest.mark.parametrize(("variant", "cost", "off"), [("low_load_75", 84933.90, {"dg4"}), ("low_load_50", 51684.80, {"dg1", "dg4"})])
def test_with_less_load_units_stay_off(variant: str, cost: float, off: set[str]) -> None:
    plan = RobustDay(robust_case(variant)).plan()
    assert plan.objective == pytest.approx(cost, rel=1e-4)
    assert {unit for unit in UNITS if running_hours(plan, unit) == 0} == off


def test_the_worst_corner_with_perfect_foresight(case_1: DayAhead) -> None:
    """Loads 15 % up, wind and sun 30 % down in every hour."""
    plan = RobustDay(robust_case("reference")).plan(load=1.15, renewable=0.7)
    assert plan.objective == pytest.approx(144201, abs=1)
    assert plan.objective / case_1.objective - 1 == pytest.approx(0.218, abs=0.001)
    assert max(vehicles(plan, name).slack for name in EVAS) < 1e-6


def test_a_day_that_begins_with_more_ends_at_its_reserve() -> None:
    plan = from_energies({"eva1": 1800.0, "eva2": 1750.0})
    assert plan.objective == pytest.approx(118353.0, abs=0.1)
    assert [vehicles(plan, name).end for name in EVAS] == pytest.approx([1719.2, 1648.0])
    assert max(vehicles(plan, name).slack for name in EVAS) < 1e-6


def test_5_across_the_night_with_the_reserve_and_without() -> None:
    """Two days in a row: what one leaves, the next begins with. Without the reserve the second day pays rho for what is lacking."""
    found = {}
    for cross_cycle in (True, False):
        first = from_energies(RESERVE_KWH, cross_cycle=cross_cycle)
        begun = {name: vehicles(first, name).end for name in EVAS}
        found[cross_cycle] = begun, from_energies(begun, cross_cycle=cross_cycle)
    (begun, with_reserve), (bare, without) = found[True], found[False]
    assert bare == pytest.approx({"eva1": 640.0, "eva2": 688.0})
    assert all(begun[name] > bare[name] for name in EVAS)
    assert max(vehicles(with_reserve, name).slack for name in EVAS) < 1e-6
    slack = [vehicles(without, name).slack for name in EVAS]
    assert slack == pytest.approx([814.0, 79.8], abs=0.05)
    assert without.objective == pytest.approx(198560, abs=1)
    excess = without.objective - with_reserve.objective
    assert excess == pytest.approx(90 * sum(slack), rel=0.02)
    assert peak_hours(without, with_reserve)[0] < 6


def peak_hours(dear: DayAhead, cheap: DayAhead) -> np.ndarray:
    """Hours by falling excess of what a day costs."""
    def hourly(plan: DayAhead) -> np.ndarray:
        desk = plan.desk
        return desk.ledger.by_term(plan.columns[0], plan.inputs[0], np.zeros((24, len(desk.ledger.final)))).sum(axis=1)

    return np.argsort(hourly(cheap) - hourly(dear))
