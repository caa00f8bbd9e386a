"""Hydrogen and heat in a day: held set-points meet what came, a person's word moves any carrier, and no pair runs at once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pipeline.schedule.exclusive import pairs_of, with_exclusive
from pipeline.schedule.fallback import plain_set_points
from pipeline.schedule.instructions import unreachable
from pipeline.schedule.layout import by_position
from pipeline.schedule.real_time import window_inputs
from pipeline.schedule.settle import reality_of, settle
from pipeline.schedule.yardsticks import no_redispatch
from tests.unit.schedule.test_bind import Word
from tests.unit.schedule.test_settle import network_sums
from tests.unit.schedule.tiny_day import setting


@pytest.fixture(scope="module")
def hydrogen():
    return setting("hydrogen_microgrids", "reference")


@pytest.fixture(scope="module")
def rolling(hydrogen):
    return hydrogen.rolling()


def changed(setting_, series, factor):
    """The tables as truth, with one series times a factor."""
    truth = setting_.truth()
    values = truth.values.copy()
    values[[one.id for one in setting_.case.series].index(series)] *= factor
    return replace(truth, values=values)


def settled(rolling, truth, step=1, *, state=None, words=(), columns=None):
    desk, state = rolling.desk, state or rolling.start
    set_points = plain_set_points(desk, rolling.held, step) if columns is None else columns
    reality = reality_of(desk, truth, rolling.held.frozen, replace(state, step=1), told=[words] * 96)
    return settle(desk, set_points, replace(state, step=step), reality)[0]


def entry(rolling, device, quantity):
    return rolling.desk.layout.columns.one(device, quantity)


def test_a_day_of_errors_balances_every_carrier(hydrogen, rolling):
    day = no_redispatch(rolling, hydrogen.truth(error=0.1, seed=3))
    sums = network_sums(rolling.desk, day.columns, day.inputs)
    assert {("mg1", "hydrogen"), ("mg1", "heat"), ("mg1", "active"), ("distribution", "active")} <= set(sums)
    for key, total in sums.items():
        assert np.abs(total).max() < 1e-8, key
    assert day.unmet.max() < 1e-8


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_a_boiler_follows_the_heat_that_came(hydrogen, rolling, factor):
    """The boiler carries the difference, and the tie brings its power (from 11:00 on it is far from its limit)."""
    step = 45
    usual, found = (settled(rolling, changed(hydrogen, "mg1_heat", by), step) for by in (1.0, factor))
    power, tie = entry(rolling, "mg1_boiler", "power_kw"), entry(rolling, "mg1_tie", "exchange_kw")
    heat_kwth = (factor - 1) * hydrogen.truth().values[hydrogen.truth().series.index("mg1_heat"), step - 1]
    assert found.columns[power] - usual.columns[power] == pytest.approx(heat_kwth / 0.9)
    assert found.columns[tie] - usual.columns[tie] == pytest.approx(heat_kwth / 0.9)


def test_heat_beyond_the_boiler_is_vented_or_unmet(hydrogen, rolling):
    cold = settled(rolling, changed(hydrogen, "mg1_heat", 10.0))
    boiler, shed = entry(rolling, "mg1_boiler", "power_kw"), entry(rolling, "mg1_heat_load", "shed_kwth")
    assert cold.columns[boiler] == pytest.approx(500) and cold.columns[shed] > 100
    step = 1 + int(np.argmax(rolling.held.set_points[:, entry(rolling, "mg1_fuel_cell", "power_kw")]))
    warm = settled(rolling, changed(hydrogen, "mg1_heat", 0.0), step)
    assert warm.columns[boiler] == 0
    assert warm.columns[entry(rolling, "mg1_boiler", "vent_kwth")] == pytest.approx(
        0.45 * (1 - 0.65) / 0.65 * warm.columns[entry(rolling, "mg1_fuel_cell", "power_kw")])


@pytest.mark.parametrize(("unit", "volume_m3", "left_m3"), [("electrolyser", 1350.0, 0.0), ("electrolyser", 1345.0, 5.0),
                                                            ("fuel_cell", 150.0, 0.0), ("fuel_cell", 155.0, 5.0)])
def test_units_run_lower_where_the_tank_is_full_or_empty(hydrogen, rolling, unit, volume_m3, left_m3):
    step = 1 + int(np.argmax(rolling.held.set_points[:, entry(rolling, f"mg1_{unit}", "power_kw")]))
    state = rolling.start.with_values({"mg1_tank.energy_before_m3": volume_m3})
    found = settled(rolling, hydrogen.truth(), step, state=state)
    moved = {"electrolyser": 0.8 / 3, "fuel_cell": 1 / (3 * 0.65)}[unit]  # m3/h per kW
    assert found.columns[entry(rolling, f"mg1_{unit}", "power_kw")] * moved * 0.25 == pytest.approx(left_m3)
    assert found.unmet.max() < 1e-9


@pytest.mark.parametrize(("cut_kw", "power_kw"), [(300.0, None), (0.0, 0.0)])
def test_beyond_a_tie_an_electrolyser_gives_before_load_is_shed(hydrogen, rolling, cut_kw, power_kw):
    """At step 1 the tie is at its limit and the electrolyser runs: cut to 300 kW it gives what lacks, cut off the fuel cell helps."""
    usual, cut = (settled(rolling, hydrogen.truth(), words=words) for words in ((), (Word("mg1_tie", "limit_high_kw", cut_kw),)))
    unit, cell = entry(rolling, "mg1_electrolyser", "power_kw"), entry(rolling, "mg1_fuel_cell", "power_kw")
    assert usual.columns[unit] > 200
    assert cut.columns[unit] < usual.columns[unit] - 100
    assert cut.columns[entry(rolling, "mg1_load", "shed_kw")] == pytest.approx(0, abs=1e-6)
    if power_kw is not None:
        assert cut.columns[unit] == pytest.approx(power_kw)
        assert cut.columns[cell] > 0 or cut.columns[entry(rolling, "mg1_battery", "discharge_kw")] > 0
    sums = network_sums(rolling.desk, cut.columns[None], cut.inputs[None])
    assert max(np.abs(total).max() for total in sums.values()) < 1e-8 and cut.unmet.max() < 1e-9


def test_a_surplus_beyond_a_tie_is_stored_before_it_is_burnt(hydrogen, rolling):
    """Firm import that nobody needs: what the battery does not take, the electrolyser does."""
    words = (Word("mg1_tie", "limit_low_kw", 600.0), Word("mg1_battery", "out"))
    step = 1 + int(np.argmax(rolling.held.set_points[:, entry(rolling, "mg1_fuel_cell", "power_kw")]))
    usual, found = (settled(rolling, hydrogen.truth(), step, words=own) for own in ((), words))
    cell, unit = (entry(rolling, f"mg1_{name}", "power_kw") for name in ("fuel_cell", "electrolyser"))
    assert usual.columns[cell] > 100 and found.columns[cell] == pytest.approx(0)
    assert found.columns[unit] > 0 and found.columns[entry(rolling, "mg1_load", "dump_kw")] == 0
    assert max(np.abs(total).max() for total in network_sums(rolling.desk, found.columns[None], found.inputs[None]).values()) < 1e-8


@pytest.mark.parametrize(("target", "quantity", "value", "column", "power"), [
    ("mg1_fuel_cell", "set_point_kw", 120.0, "power_kw", 120.0),
    ("mg1_electrolyser", "set_point_kw", -120.0, "power_kw", 120.0),  # injection is positive into the bus
    ("mg1_electrolyser", "limit_low_kw", -50.0, "power_kw", 50.0),
    ("mg1_electrolyser", "out", None, "power_kw", 0.0),
    ("mg1_tank", "out", None, "charge_m3h", 0.0),
])
def test_a_word_moves_any_carrier(hydrogen, rolling, target, quantity, value, column, power):
    columns = plain_set_points(rolling.desk, rolling.held, 1)
    assert columns[entry(rolling, "mg1_electrolyser", "power_kw")] > 100
    found = settled(rolling, hydrogen.truth(), words=(Word(target, quantity, value),))
    assert found.columns[entry(rolling, target, column)] == pytest.approx(power)
    assert max(np.abs(total).max() for total in network_sums(rolling.desk, found.columns[None], found.inputs[None]).values()) < 1e-8


def test_a_word_beyond_a_converter_is_said(hydrogen):
    said = unreachable(hydrogen.case, [Word("mg1_boiler", "set_point_kw", 5.0)], stage="real_time")
    assert [(finding.place, finding.limit) for finding in said] == [("mg1_boiler", 0)]


def test_negative_prices_bring_the_modes_in(hydrogen):
    """At a negative price both of a pair would run, to burn power: binaries keep them apart, and say whose they are."""
    burning = changed(hydrogen, "tou", -1.0)
    plan = hydrogen.plan(burning)
    pairs = pairs_of(plan.desk)
    x = np.zeros(len(hydrogen.hourly.column_names))
    x[plan.desk.layout.columns.index] = plan.columns[0]
    assert not pairs.violated(x).any()
    first = pairs.only(np.flatnonzero(pairs.mode)[:1])
    wider = with_exclusive(hydrogen.hourly, first)
    assert wider.column_names[-1] == "mg1_electrolyser.mode_share[1]"
    assert wider.row_names[-2:] == ("mg1_electrolyser.exclusive_power[1]", "mg1_electrolyser.exclusive_partner[1]")


def test_a_mean_of_scenarios_runs_one_of_a_pair(hydrogen):
    plan = hydrogen.plan()
    labels = plan.desk.layout.columns
    el, fc = (labels.one(f"mg1_{unit}", "power_kw") for unit in ("electrolyser", "fuel_cell"))
    columns = plan.columns.copy()
    columns[0, :, el], columns[0, :, fc] = 100.0, 20.0
    held = hydrogen.rolling(replace(plan, columns=columns)).held.set_points
    assert held[:, fc] == pytest.approx(0)
    assert held[:, el] * 0.8 / 3 == pytest.approx(100 * 0.8 / 3 - 20 / (3 * 0.65)), "the hydrogen that both gave"


def test_hydrogen_at_the_window_s_end_is_worth_its_energy(hydrogen):
    program = hydrogen.window
    cost = program.cost_by_input[program.column_index["mg1_tank.terminal_short_m3"]].toarray()
    assert cost.max() == 3
    assert by_position(program.cost, hydrogen.rolling().desk.layout.columns).shape[0] == 16


def test_the_balancing_tie_keeps_off_its_limits_when_re_dispatching():
    """4 % of 4000 kW, half of it at each end; a person's set-point stays where it is."""
    own = setting("hydrogen_microgrids", "reference", exchange_reserve_share=0.04)
    rolling = own.rolling()
    filled, _ = window_inputs(rolling, rolling.start, own.truth().window(0, 16), [Word("grid", "set_point_kw", 500.0, valid_to=None)])
    ties = rolling.desk.roster.ties
    row = ties.names.index("grid")
    assert (filled[0, ties.low[row]], filled[0, ties.high[row]]) == (500, 500)
    filled, _ = window_inputs(rolling, rolling.start, own.truth().window(0, 16))
    assert (filled[0, ties.low[row]], filled[0, ties.high[row]]) == pytest.approx((-1920, 1920))
    inner = ties.names.index("mg1_tie")
    assert filled[0, ties.high[inner]] == 600
