"""Rolling re-dispatch: what binds, what is handed on, what happens when time runs out."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from pipeline.program.solve import LiveSolver, SolveOptions, Status
from pipeline.schedule.fallback import plain_set_points
from pipeline.schedule.outlook import Outlook
from pipeline.schedule.plan import Plan
from pipeline.schedule.real_time import open_day, redispatch, run_steps, window_inputs
from pipeline.schedule.settle import reality_of, settle
from pipeline.schedule.state import State
from pipeline.schedule.yardsticks import perfect_foresight
from tests.unit.schedule.test_bind import Word
from tests.unit.schedule.tiny_day import Setting, case_of, setting


def resumed(tiny, rolling, step):
    """The day in two runs, the state in between kept as arrays, the program opened anew."""
    truth, came = tiny.truth(), tiny.truth(error=0.02)
    first = run_steps(rolling, rolling.start, tiny.windows(truth, 1, step), came)
    kept = {name: array.copy() for name, array in first.states[-1].to_arrays().items()}
    anew = tiny.rolling()
    second = run_steps(anew, State.from_arrays(kept), tiny.windows(truth, step + 1), came)
    return first, second


@pytest.mark.parametrize("step", [1, 37, 92])
def test_a_resumed_day_is_the_uninterrupted_one_to_the_last_bit(tiny, rolling, step):
    whole = tiny.whole_day(rolling)
    first, second = resumed(tiny, rolling, step)
    assert np.array_equal(np.vstack([first.settled.columns, second.settled.columns]), whole.settled.columns)
    assert np.array_equal(np.vstack([first.settled.costs, second.settled.costs]), whole.settled.costs)
    assert np.array_equal(second.states[-1].values, whole.states[-1].values)


def test_hourly_positions_hold_and_energies_are_interpolated(tiny):
    plan = tiny.plan()
    rolling = tiny.rolling(plan)
    labels = plan.desk.layout.columns.labels
    grid = next(j for j, label in enumerate(labels) if (label.device, label.quantity) == ("grid", "schedule_kw"))
    held = next(j for j, label in enumerate(rolling.desk.binder.frozen_labels) if label.device == "grid")
    assert rolling.held.frozen[:, held] == pytest.approx(np.repeat(plan.expected[:, grid], 4))
    store = rolling.desk.binder.scalars.reference_stores.index("f01_battery")
    energy = next(j for j, label in enumerate(labels) if (label.device, label.quantity) == ("f01_battery", "energy_kwh"))
    reference = rolling.held.reference[:, store]
    assert reference[4::4] == pytest.approx(plan.expected[:, energy])
    assert reference[2::4] == pytest.approx((reference[0:-1:4] + reference[4::4]) / 2)


def test_the_terminal_price_is_the_highest_of_the_window_and_goes_where_the_day_ends(tiny, rolling):
    names = rolling.desk.program.input_names
    price = [i for i, name in enumerate(names) if name.endswith("terminal_price_per_kwh")]
    highest = tiny.truth().values[[s.id for s in tiny.case.series].index("price")][:4].max()
    _, inputs = window_inputs(rolling, rolling.start, tiny.windows(tiny.truth(), 1, 1)[0])
    assert inputs[price] == pytest.approx(highest)
    last = replace(rolling.start, step=tiny.count - 3)
    _, inputs = window_inputs(rolling, last, tiny.windows(tiny.truth(), tiny.count - 3)[0])
    assert not inputs[price].any()


def test_first_interval_measured_decides_from_what_came(tiny):
    measured = setting(first_interval="measured")
    rolling = measured.rolling()
    found = measured.whole_day(rolling, error=0.05)
    decided = np.array([d.columns[rolling.desk.roster.ties.exchange] for d in found.dispatches])
    assert found.settled.columns[:, rolling.desk.roster.ties.exchange] == pytest.approx(decided, abs=1e-5)


@pytest.mark.parametrize("days", [("Europe/Berlin", date(2016, 3, 26), 92), ("Europe/Berlin", date(2016, 10, 29), 100)])
def test_days_of_92_and_100_quarter_hours_run_through(days):
    zone, day, count = days
    case = case_of().model_copy(update={"time_zone": zone})
    short = Setting(case, case.day(day))
    assert short.count == count
    rolling = short.rolling()
    found = short.whole_day(rolling)
    assert len(found.settled.columns) == count and not found.findings
    assert perfect_foresight(rolling, short.quarters, short.truth(error=0.02)).total <= found.settled.total + 1e-6


@pytest.mark.parametrize(("word", "device", "low", "high"), [
    (Word("f01_generator", "out"), "f01_generator", 0.0, 0.0),
    (Word("f01_battery", "set_point_kw", 10.0), "f01_battery", 10.0, 10.0),
    (Word("f01_generator", "limit_low_kw", 25.0), "f01_generator", 25.0, 100.0),
    (Word("mg_f01_b04_chp", "limit_high_kw", 30.0), "mg_f01_b04_chp", 0.0, 30.0),
])
def test_words_bind_in_the_dispatch(tiny, rolling, word, device, low, high):
    dispatch, _ = redispatch(rolling, rolling.start, tiny.windows(tiny.truth(), 1, 1)[0], overrides=[word])
    desk = rolling.desk
    row = [r for r, name in enumerate(desk.readouts.device) if name == device and desk.readouts.carrier[r] == "active"]
    filled = desk.binder.fill(tiny.windows(tiny.truth(), 1, 1)[0], desk.window_starts(1))
    power = desk.readouts(dispatch.columns[None], filled[:1])[0, row]
    assert dispatch.source == "optimal"
    assert low - 1e-6 <= power[0] <= high + 1e-6


def test_an_impossible_set_point_is_followed_as_far_as_the_store_goes(tiny, rolling):
    """The battery is empty after a while, and the day still runs to its end."""
    word = Word("f01_battery", "set_point_kw", 100.0)
    truth = tiny.truth()
    found = run_steps(rolling, rolling.start, tiny.windows(truth, 1, 12), truth, overrides=[[word]] * 12)
    energy = found.settled.columns[:, rolling.desk.roster.stores.energy[0]]
    assert energy.min() >= -1e-6 and energy[-1] < 1e-6


def limited(rolling, seconds):
    options = SolveOptions(time_limit_s=seconds)
    return replace(rolling, live=LiveSolver(rolling.desk.program, options), options=options)


def test_without_time_the_day_ahead_schedule_on_the_limits_is_used_and_flagged(tiny, rolling):
    found = run_steps(limited(rolling, 0.0), rolling.start, tiny.windows(tiny.truth()), tiny.truth(error=0.05))
    assert {dispatch.source for dispatch in found.dispatches} == {"fallback"}
    assert all(finding.severity == "warning" and finding.check == "fallback" for finding in found.findings)
    desk, stores = rolling.desk, rolling.desk.roster.stores
    columns = found.settled.columns
    energy, net = columns[:, stores.energy], columns[:, stores.discharge] - columns[:, stores.charge]
    assert (energy >= found.settled.inputs[:, stores.energy_low].min() - 1e-9).all()
    batteries = [d for d in tiny.case.devices if d.kind == "store" and d.carrier == "active"]
    for entry, device in enumerate(batteries):
        assert (energy[:, entry] <= device.energy_max_kwh + 1e-9).all()
        assert net[:, entry].min() >= -device.charge_max_kw - 1e-9 and net[:, entry].max() <= device.discharge_max_kw + 1e-9
    assert found.settled.unmet.max() < 1e-8
    assert np.isfinite(found.settled.total) and desk is rolling.desk


def test_negative_prices_exclude_charging_and_discharging_at_once(tiny, rolling):
    truth = tiny.truth()
    values = truth.values.copy()
    values[[s.id for s in tiny.case.series].index("price"), 20:60] = -0.2
    negative = Outlook(truth.series, values, truth.envelopes)
    found = run_steps(rolling, rolling.start, tiny.windows(negative), negative)
    for stores in (rolling.desk.roster.stores, rolling.desk.roster.heat_stores):
        decided = np.array([dispatch.columns for dispatch in found.dispatches])
        assert np.minimum(decided[:, stores.charge], decided[:, stores.discharge]).max() <= 1e-6
    assert {dispatch.source for dispatch in found.dispatches} == {"optimal"}


def test_a_plan_survives_its_arrays(tiny):
    plan = tiny.plan().plan
    again = Plan.from_arrays(plan.to_arrays())
    assert again.labels == plan.labels and np.array_equal(again.expected, plan.expected)
    assert open_day(tiny.case, tiny.day, tiny.window, again).count == tiny.count


class Hurried:
    """A solver that found a dispatch, and no proof, before its time was up."""

    def __init__(self, live):
        self.live = live

    def solve(self, inputs, *, basis=None):
        return replace(self.live.solve(inputs, basis=basis), status=Status.time_limit, gap=0.5)


def test_an_incumbent_is_used_and_flagged(tiny, rolling):
    window = tiny.windows(tiny.truth(), 1, 1)[0]
    proven, state = redispatch(rolling, rolling.start, window)
    hurried, _ = redispatch(replace(rolling, live=Hurried(rolling.live)), state, window)
    assert hurried.source == "incumbent" and hurried.gap == 0.5
    assert [(finding.severity, finding.check) for finding in hurried.findings] == [("warning", "time_limit")]
    assert hurried.columns == pytest.approx(proven.columns, abs=1e-6)


def test_vehicles_that_must_charge_do_so_whatever_was_dispatched(tiny, rolling):
    """Held at zero, the chargers still follow the lower envelope: nothing is lost that could be served."""
    desk, state = rolling.desk, rolling.start
    reality = reality_of(desk, tiny.truth(), rolling.held.frozen, state)
    for step in range(1, tiny.count + 1):
        columns = plain_set_points(desk, rolling.held, step)
        columns[desk.roster.cohorts.charge] = 0.0
        _, state = settle(desk, columns, state, reality)
    assert state.lost_kwh == pytest.approx(np.zeros_like(state.lost_kwh), abs=1e-9)


def test_heat_stores_keep_a_reserve(tiny, rolling):
    step = 60
    window = tiny.windows(tiny.truth(), step, step)[0]
    _, inputs = window_inputs(rolling, replace(rolling.start, step=step), window)
    desk, by_position = rolling.desk, inputs[rolling.desk.layout.inputs.index]
    plain = desk.binder.fill(window, desk.window_starts(step))
    heat = desk.roster.heat_demands.load
    kept = tiny.case.settings.heat_reserve_share * 0.25 * plain[:, heat]
    assert by_position[:, desk.roster.heat_stores.energy_low] == pytest.approx(plain[:, desk.roster.heat_stores.energy_low] + kept)


def test_prices_of_a_step_are_per_kwh():
    """Where deviating costs nothing and the grid has room, energy at the supply bus is worth the market price."""
    plain = setting("tiny", "reference")
    rolling, truth = plain.rolling(), plain.truth()
    found = run_steps(rolling, rolling.start, plain.windows(truth, 1, 3), truth)
    tie = next(tie for tie in plain.case.ties if tie.id == plain.case.balancing_tie)
    names = [rolling.desk.program.row_names[row] for row in rolling.balance_rows]
    at = names.index(f"{plain.case.network_of_bus[tie.lower_bus]}.active_flow[{tie.lower_bus},1]")
    price = truth.values[truth.series.index("price")]
    assert [dispatch.duals[at] for dispatch in found.dispatches] == pytest.approx(price[:3])
