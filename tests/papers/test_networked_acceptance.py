"""Acceptance checks of the model book "networked microgrids", section 8, with the errata.

Checks 1 and 8 (sizes and error samples) are data: tests/unit/cases and tests/papers/test_networked_error_samples.py.
"""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.schedule.day_ahead import DayAhead
from pipeline.schedule.read_out import day_ahead_tables
from pipeline.schedule.yardsticks import no_redispatch, perfect_foresight
from tests.unit.schedule.tiny_day import QUIET, case_of, setting

PER_FEEDER = 1499.2777  # USD, the book's measured reference


@pytest.fixture(scope="module")
def reference():
    return setting("networked_microgrids_66", "reference")


@pytest.fixture(scope="module")
def plan(reference) -> DayAhead:
    return reference.plan(options=QUIET)


def column(plan, device, quantity):
    """(T,) or (T, parts) of the expected schedule."""
    return plan.expected[:, plan.desk.layout.columns.entries(device, quantity)]


@pytest.mark.parametrize(("name", "buses", "microgrids"), [
    ("networked_microgrids_66", 66, 10), ("networked_microgrids_165", 165, 25), ("networked_microgrids_330", 330, 50)])
def test_1_sizes(name, buses, microgrids):
    case = case_of(name)
    assert len([bus for bus in case.buses if bus.network == "distribution"]) == buses
    assert len([network for network in case.networks if network.kind == "copper_plate"]) == microgrids


def test_the_reference_costs_what_the_book_measured(plan):
    assert plan.objective == pytest.approx(2 * PER_FEEDER, rel=1e-6)
    assert plan.status == "optimal" and plan.gap == 0.0 and not plan.findings


def test_the_reference_moves_the_energies_that_the_book_measured(plan):
    desk = plan.desk
    units = plan.expected[:, desk.roster.chps.power].sum()
    segments = desk.roster.generators.segment
    exchange = column(plan, "grid", "exchange_kw")[:, 0]
    assert units == pytest.approx(2 * 13815.4, rel=1e-4)
    assert plan.expected[:, segments[segments >= 0]].sum() == pytest.approx(2 * 660.0, rel=1e-4)
    assert np.maximum(exchange, 0).sum() == pytest.approx(2 * 7885.5, rel=1e-3)
    assert np.maximum(-exchange, 0).sum() == pytest.approx(2 * 4058.3, rel=2e-3)


@pytest.mark.parametrize(("name", "feeders"), [
    ("networked_microgrids_165", 5), pytest.param("networked_microgrids_330", 10, marks=pytest.mark.slow)])
def test_2_costs_scale_with_the_feeders(name, feeders, plan):
    larger = setting(name, "reference").plan(options=QUIET)
    assert larger.objective / plan.objective == pytest.approx(feeders / 2, rel=1e-6)


def test_3_generators_follow_the_nodal_price(plan):
    """Merit order in the nodal price: import sits at its limit in slots 20-22, and the generator runs at 10 kW there."""
    assert plan.row_dual is not None
    program = plan.desk.program
    rows = {name: i for i, name in enumerate(program.row_names)}
    for feeder in ("f01", "f02"):
        power = column(plan, f"{feeder}_generator", "segment_kw").sum(axis=1)
        price = np.array([plan.row_dual[rows[f"distribution.active_flow[{feeder}_b03,{t}]"]] for t in range(1, 25)])
        slopes = 0.08 + 0.001 * (2 * np.arange(1, 11) - 1) * 10
        below, above = 10 * (slopes < price[:, None] - 1e-6).sum(axis=1), 10 * (slopes < price[:, None] + 1e-6).sum(axis=1)
        assert (below - 1e-6 <= power).all() and (power <= above + 1e-6).all()
        assert power[19:22] == pytest.approx(10.0)
        assert power[np.argmax(price)] == pytest.approx(50.0)
    assert column(plan, "grid", "exchange_kw")[19:22, 0] == pytest.approx(3000.0)


def test_4_units_run_at_least_at_heat_need_and_flat_out_above_their_fuel_cost(reference, plan):
    outlook = reference.truth()
    price = outlook.values[outlook.series.index("price")][::4]
    for device in (d for d in reference.case.devices if d.kind == "chp"):
        power = column(plan, device.id, "power_kw")[:, 0]
        tie = column(plan, device.id.replace("_chp", "_tie"), "exchange_kw")[:, 0]
        heat = outlook.values[outlook.series.index(device.id.replace("_chp", "_heat"))][::4]
        assert device.heat_to_power_factor * power.sum() >= heat.sum() - 1e-6  # over the day: the heat store shifts, and ends no lower
        flat_out = price > 0.1 + 1e-6
        assert ((power[flat_out] > 150.0 - 1e-6) | (tie[flat_out] < -200.0 + 1e-6)).all()


def test_5_a_battery_cycles_only_where_it_pays(plan):
    """(p_charge + w) / 0.9025 + w <= p_discharge, in the price at its bus."""
    program = plan.desk.program
    rows = {name: i for i, name in enumerate(program.row_names)}
    price = np.array([plan.row_dual[rows[f"distribution.active_flow[f01_b03,{t}]"]] for t in range(1, 25)])
    charge, discharge = (column(plan, "f01_battery", f"{way}_kw")[:, 0] for way in ("charge", "discharge"))
    wear = next(d for d in plan.desk.case.devices if d.id == "f01_battery").wear_cost_per_kwh
    charging, discharging = np.flatnonzero(charge > 1e-6), np.flatnonzero(discharge > 1e-6)
    assert charging.size and discharging.size
    energy = column(plan, "f01_battery", "energy_kwh")[:, 0]
    for before in charging:
        later = discharging[discharging > before]
        empty = np.flatnonzero((energy < 1e-6) & (np.arange(24) >= before))
        within = later[later <= empty[0]] if empty.size else later  # what was stored is out by the time it is empty
        assert ((price[before] + wear) / 0.9025 + wear <= price[within] + 1e-6).all()


def test_6_no_slack_and_every_voltage_in_its_limits(plan):
    labels = plan.desk.layout.columns.labels
    slacks = ("shed_", "dump_", "unserved_", "energy_short", "energy_over", "power_below", "power_above", "voltage_above", "voltage_below")
    slack = [j for j, label in enumerate(labels) if label.quantity.startswith(slacks)]
    assert np.abs(plan.expected[:, slack]).max() < 1e-6
    voltage = day_ahead_tables(plan, "da-test")["bus_state"]["voltage_pu"].to_numpy()
    assert voltage.min() >= 0.95 and voltage.max() <= 1.05
    assert voltage.min() == pytest.approx(0.958, abs=2e-3) and voltage.max() == pytest.approx(1.021, abs=2e-3)


@pytest.mark.slow
def test_7_perfect_foresight_costs_no_more_than_rolling():
    """One real-size day: rolling against its bound; the 30-day mean against no re-dispatch is a study."""
    system = setting("networked_microgrids_66", "deterministic")
    rolling = system.rolling()
    found = system.whole_day(rolling, error=0.01)
    came = system.truth(error=0.01)
    best = perfect_foresight(rolling, system.quarters, came).total
    assert best <= found.settled.total + 1e-6 * abs(best)
    assert np.isfinite(no_redispatch(rolling, came).total)
    assert not found.findings
