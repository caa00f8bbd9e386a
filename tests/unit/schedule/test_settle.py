"""Realised values meet the held dispatch: every mismatch ends at the balancing tie, or in what is priced."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pipeline.physics.horizon import Horizon
from pipeline.physics.vehicles import FleetEnvelopes
from pipeline.program.cached import compiled
from pipeline.schedule.fallback import plain_set_points
from pipeline.schedule.outlook import Outlook
from pipeline.schedule.plain_rule import plain_rule
from pipeline.schedule.real_time import open_day
from pipeline.schedule.settle import reality_of, settle, settled_day
from pipeline.schedule.yardsticks import no_redispatch, perfect_foresight
from tests.unit.schedule.test_bind import Word

DAY = 96  # quarter-hours


def network_sums(desk, columns, inputs):
    """Sum of injections per (network, carrier), (K, ...)."""
    values = desk.readouts(columns, inputs)
    buses = [bus.network for bus in desk.case.buses]
    sums = {}
    for r, bus in enumerate(desk.readouts.bus):
        if bus >= 0:
            key = (buses[bus], desk.readouts.carrier[r])
            sums[key] = sums.get(key, 0.0) + values[:, r]
    return sums


def test_a_settled_day_balances_every_network_and_carrier(tiny, rolling):
    day = tiny.whole_day(rolling, error=0.1).settled
    for key, total in network_sums(rolling.desk, day.columns, day.inputs).items():
        assert np.abs(total).max() < 1e-8, key
    assert day.unmet.max() < 1e-8


def test_what_came_as_expected_is_settled_as_dispatched(tiny, rolling):
    found = tiny.whole_day(rolling, error=0.0)
    decided = np.array([dispatch.columns for dispatch in found.dispatches])
    labels = rolling.desk.layout.columns.labels
    ties = [j for j, label in enumerate(labels) if label.quantity in {"exchange_kw", "exchange_kvar", "charge_kw", "power_kw"}]
    assert found.settled.columns[:, ties] == pytest.approx(decided[:, ties], abs=1e-5)


def test_more_load_is_bought_at_the_balancing_tie(tiny, rolling):
    truth = tiny.truth()
    row = [s.id for s in tiny.case.series].index("mg_f01_b04_load")
    values = truth.values.copy()
    values[row, 0] += 1.0
    desk = rolling.desk
    set_points = plain_set_points(desk, rolling.held, 1)
    exchange = {}
    for name, outlook in (("as expected", truth), ("more", replace(truth, values=values))):
        reality = reality_of(desk, outlook, rolling.held.frozen, rolling.start)
        settled, _ = settle(desk, set_points, rolling.start, reality)
        exchange[name] = settled.columns[desk.roster.ties.exchange]
    assert exchange["more"] - exchange["as expected"] == pytest.approx(np.ones(2))  # grid and the microgrid's tie


def test_vehicles_that_never_came_are_not_charged(tiny, rolling):
    truth = tiny.truth()
    empty = {fleet: FleetEnvelopes(*(np.zeros_like(part) for part in parts)) for fleet, parts in truth.envelopes.items()}
    nobody = Outlook(truth.series, truth.values, empty)
    day = no_redispatch(rolling, nobody)
    assert not day.columns[:, rolling.desk.roster.cohorts.charge].any()
    assert not day.columns[:, rolling.desk.roster.cohorts.unserved].any()


def test_energy_that_was_not_served_is_paid_once(tiny, rolling):
    """No charger works all day: at the end each vehicle's need is lost, at the slack price, and only once."""
    desk, state = rolling.desk, rolling.start
    words = [Word("f01_ev", "out"), Word("mg_f01_b04_ev", "out")]
    reality = reality_of(desk, tiny.truth(), rolling.held.frozen, state, told=[words] * DAY)
    settled = []
    for step in range(1, tiny.count + 1):
        columns = plain_set_points(desk, rolling.held, step)
        each, state = settle(desk, columns, state, reality)
        settled.append(each)
    need = sum(device.vehicle_count * 10.0 for device in tiny.case.devices if device.kind == "ev_fleet")
    day = settled_day(desk, settled, reality)
    penalty = (day.columns[:, desk.roster.cohorts.unserved] @ desk.ledger.final_cost)[-1]
    paid = day.costs[:, day.terms.index("penalty_cost")].sum()
    assert penalty <= paid < penalty + 5.0  # and a little for stores that end off their level
    assert state.lost_kwh.sum() == pytest.approx(need)
    assert penalty == pytest.approx(need * tiny.case.settings.slack_price_per_kwh, rel=1e-6)


def test_heat_is_unmet_only_where_the_store_and_the_unit_give_all_they_can(tiny, rolling):
    desk, stores = rolling.desk, rolling.desk.roster.heat_stores
    truth = tiny.truth()
    row = [s.id for s in tiny.case.series].index("mg_f01_b04_heat")
    values = truth.values.copy()
    values[row] *= 10.0
    day = no_redispatch(rolling, replace(truth, values=values))
    energy = day.columns[:, stores.energy]
    assert energy.min() >= -1e-9
    short = day.columns[:, desk.roster.heat_demands.shed].sum(axis=1) > 1e-6
    full_power = day.columns[:, stores.discharge] > day.inputs[:, stores.power_high] - 1e-6
    assert short.any() and not short.all()
    unit = desk.roster.chps
    assert (day.columns[short][:, unit.power] > day.inputs[short][:, unit.high] - 1e-6).all()
    before_the_end = short & (np.arange(len(short)) < len(short) - 1)  # there the store owes as much
    assert ((energy < 1e-6) | full_power)[before_the_end].all()
    assert not day.columns[short][:, stores.charge].any()
    assert not day.columns[short][:, desk.roster.chps.vent].any()


def test_a_cut_tie_is_met_inside_the_microgrid(tiny, rolling):
    """The microgrid's tie is out: its exchange is zero, the balance holds, and nothing is left over."""
    desk = rolling.desk
    word = Word("mg_f01_b04_tie", "out")
    day = no_redispatch(rolling, tiny.truth(), told=[[word]] * DAY)
    tie = desk.roster.ties.names.index("mg_f01_b04_tie")
    assert np.abs(day.columns[:, desk.roster.ties.exchange[tie]]).max() == 0.0
    for key, total in network_sums(desk, day.columns, day.inputs).items():
        assert np.abs(total).max() <= day.unmet.max() + 1e-8, key


def test_settlement_follows_the_price_that_came(tiny, rolling):
    truth = tiny.truth()
    row = [s.id for s in tiny.case.series].index("price")
    values = truth.values.copy()
    values[row] *= 2.0
    once, twice = (no_redispatch(rolling, outlook) for outlook in (truth, replace(truth, values=values)))
    term = once.terms.index("energy_cost")
    assert twice.costs[:, term] == pytest.approx(2 * once.costs[:, term])


def test_what_is_lost_is_what_the_lower_envelope_asked_for_while_no_charger_worked(tiny, rolling):
    """Chargers out until step 80: after it vehicles charge all they can, and no more is lost than the envelope was ahead."""
    desk, state, truth = rolling.desk, rolling.start, tiny.truth()
    words = [Word(name, "out", None, 0, tiny.day.start + 80 * 900) for name in ("f01_ev", "mg_f01_b04_ev")]
    reality = reality_of(desk, truth, rolling.held.frozen, state, told=[words] * DAY)
    for step in range(1, tiny.count + 1):
        _, state = settle(desk, plain_set_points(desk, rolling.held, step), state, reality)
    ahead = np.concatenate([truth.envelopes[fleet][1][:, 79] for fleet in desk.binder.plan.fleets])
    assert ahead.min() > 0
    assert state.lost_kwh == pytest.approx(ahead)


def test_a_store_that_ends_off_its_level_pays_for_it(tiny, rolling):
    desk, state = rolling.desk, rolling.start
    reality = reality_of(desk, tiny.truth(), rolling.held.frozen, state)
    settled = []
    for step in range(1, tiny.count + 1):
        columns = plain_set_points(desk, rolling.held, step)
        columns[desk.roster.stores.charge], columns[desk.roster.stores.discharge] = 0.0, 0.0
        columns[desk.roster.stores.discharge[0]] = 100.0 if step == 1 else 0.0
        each, state = settle(desk, columns, state, reality)
        settled.append(each)
    day = settled_day(desk, settled, reality)
    assert day.columns[-1, desk.roster.stores.charge[0]] == pytest.approx(100.0)  # all that it can still take
    missing = 100.0 * 0.25 / 0.95 - 100.0 * 0.25 * 0.95
    assert day.columns[-1, desk.roster.stores.short[0]] == pytest.approx(missing)
    penalty = day.costs[-1, day.terms.index("penalty_cost")]
    assert day.columns[-1, desk.roster.heat_stores.short].sum() == pytest.approx(0)  # what it loses, the unit makes
    assert penalty == pytest.approx(missing * tiny.case.settings.slack_price_per_kwh, rel=1e-6)


def test_constants_of_cost_curves_are_settled_too(tiny, rolling):
    devices = tuple(d.model_copy(update={"cost_constant_per_h": 2.0}) if d.kind == "generator" else d for d in tiny.case.devices)
    case = tiny.case.model_copy(update={"devices": devices})
    window = compiled(case, Horizon(case.settings.real_time_window_steps, 0.25, rolling=True), cache_dir=None)
    dearer = no_redispatch(open_day(case, tiny.day, window, tiny.plan().plan), tiny.truth())
    generators = sum(d.kind == "generator" for d in devices)
    assert dearer.total - no_redispatch(rolling, tiny.truth()).total == pytest.approx(generators * 2.0 * 24)


def test_a_plain_rule_costs_no_less_than_perfect_foresight_and_pays_for_no_deviation(tiny, rolling):
    found = plain_rule(rolling, tiny.truth())
    best = perfect_foresight(rolling, tiny.quarters, tiny.truth())
    assert found.costs[:, found.terms.index("deviation_cost")] == pytest.approx(0)
    assert found.costs[:, found.terms.index("penalty_cost")].sum() == pytest.approx(0, abs=1e-6)
    assert best.total - 0.05 * abs(best.total) < found.total  # its positions are its own: it may save the deviation
    stores = rolling.desk.roster.stores
    assert found.columns[-1, stores.energy] == pytest.approx(rolling.start.values[stores.before])


def test_the_plain_rule_runs_a_unit_where_power_is_worth_its_fuel_and_else_for_its_heat(tiny, rolling):
    desk = rolling.desk
    found, chps = plain_rule(rolling, tiny.truth()), desk.roster.chps
    price = desk.binder.prices(found.inputs)[:, 0]
    power, heat = found.columns[:, chps.power[0]], found.inputs[:, desk.roster.heat_demands.load].sum(axis=1)
    dear = price > 0.1
    assert dear.any() and not dear.all()
    assert power[dear] == pytest.approx(found.inputs[dear, chps.high[0]])
    assert (0.8 * power[~dear] <= heat[~dear] + 30.0).all()
    cars = desk.roster.cohorts
    assert found.columns[:, cars.energy] == pytest.approx(found.inputs[:, cars.energy_high])  # charged at once
