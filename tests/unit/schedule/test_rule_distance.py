"""Leaving the affine rules costs: the binding interval keeps near to them, and without a price the program is the one it was."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pipeline.cases.settings import Affine, HalfWidths
from pipeline.equipment import EvFleet
from pipeline.schedule import real_time
from pipeline.schedule.real_time import redispatch, run_steps, window_inputs
from pipeline.schedule.rule_distance import followed_labels, price_of, set_points_kw
from pipeline.schedule.yardsticks import rule_distance_kwh, rule_only
from tests.unit.schedule.test_rules import AHEAD, came
from tests.unit.schedule.tiny_day import Setting, setting


def priced(price_per_kwh: float, memory_steps: int = 0, **more: object) -> Setting:
    method = Affine(half_widths=HalfWidths(load_share=0, pv_share=0.15, wind_share=0.15), memory_steps=memory_steps,
                    rule_distance_price_per_kwh=price_per_kwh)
    return setting("hydrogen_microgrids", method=method, first_stage=AHEAD, held_in_real_time=("*.schedule_kw",), **more)


@pytest.fixture(scope="module")
def plan():
    return priced(0.0).plan()


def opened(price_per_kwh, plan, **more):
    day = priced(price_per_kwh, **more)
    return day, day.rolling(plan, rules=plan.rules)


def looks_back(rules):
    """An hour and a deviation of the hour before that one of its followed powers answers the most."""
    gain = rules.gain.tocoo()
    width = len(rules.labels)
    electric = np.array([label.quantity.endswith("_kw") for label in rules.labels])
    late = (rules.slot[gain.coords[1]] == gain.coords[0] // width - 1) & electric[gain.coords[0] % width]
    best = np.argmax(np.where(late, np.abs(gain.data), 0.0))
    return int(gain.coords[0][best] // width), int(gain.coords[1][best])


def off_kwh(price_per_kwh, plan, steps=40):
    day, rolling = opened(price_per_kwh, plan, first_interval="measured")
    truth = came(day, seed=5)
    run = run_steps(rolling, rolling.start, day.windows(day.truth(), 1, steps), truth)
    _, followed = rule_only(rolling, plan.rules, truth)
    dispatched = np.array([dispatch.columns for dispatch in run.dispatches])
    return rule_distance_kwh(rolling, plan.rules, followed[:steps], dispatched), run


def test_without_a_price_or_rules_the_program_is_the_very_one(plan):
    day, rolling = opened(0.0, plan)
    bare = day.rolling(plan)
    assert rolling.followed is None and rolling.desk.program.input_names == bare.desk.program.input_names
    _, priced_program = opened(0.02, plan)
    assert priced(0.02).rolling(plan).followed is None, "a plan without rules"
    assert len(priced_program.desk.program.row_names) == len(bare.desk.program.row_names) + 21
    assert price_of(setting("tiny").case) == 0.0


def test_the_weight_is_money_of_an_energy(plan):
    """0.02 per kWh is 0.005 per kW of a quarter-hour, on either side."""
    _, rolling = opened(0.02, plan)
    assert rolling.desk.program.cost[-2 * rolling.followed.inputs.size:] == pytest.approx(0.005)


def test_at_a_price_above_all_others_the_rule_is_followed(plan):
    """7.5 % more wind in the interval that binds: what the rule says of it, not the nominal schedule, is what is dispatched."""
    day, rolling = opened(1e4, plan)
    truth = came(day, wind=1.075)
    dispatch, _ = redispatch(rolling, rolling.start, truth.window(0, 16))
    _, followed = rule_only(rolling, plan.rules, truth)
    entry = rolling.followed.entry
    assert dispatch.columns[entry] == pytest.approx(followed[0, entry], abs=1e-5)
    assert np.abs(followed[0, entry] - rolling.held.set_points[0, entry]).max() > 1.0


def test_the_distance_falls_as_its_price_rises(plan):
    free, usual, dear = (off_kwh(price, plan)[0] for price in (0.0, 0.02, 2.0))
    assert dear < usual < free


def test_set_points_are_inputs_of_one_program(plan):
    """Rows keep their matrix: a step moves inputs alone, and the step after starts from the basis of the one before."""
    _, run = off_kwh(0.02, plan, 3)
    sizes = {(len(state.basis_columns), len(state.basis_rows)) for state in run.states}
    assert sizes == {run.rolling.desk.program.matrix.shape[::-1]}


def test_what_steers_is_not_paid(plan):
    """The cost of a settled day holds no weight of distance."""
    _, rolling = opened(1e4, plan)
    day, bare = opened(0.0, plan)
    truth = came(day, seed=5)
    assert rule_only(rolling, plan.rules, truth)[0].total == rule_only(bare, plan.rules, truth)[0].total


def test_only_what_had_come_is_looked_at():
    """With memory the hour before counts: as realised where it was known, else as the current interval is seen."""
    day = priced(0.02, memory_steps=1)
    plan = day.plan()
    rolling = day.rolling(plan, rules=plan.rules)
    hour, k = looks_back(plan.rules)
    first = 4 * (hour - 1)
    state = replace(rolling.start, step=4 * hour + 1)
    window = day.truth().window(4 * hour, 16)
    filled, flat = window_inputs(rolling, state, window)
    at = rolling.followed.inputs
    labels = rolling.desk.layout.inputs.labels
    past = np.repeat(filled[:1], 4 * hour, axis=0)
    high, low = plan.rules.expected[k] + plan.rules.reach[k], plan.rules.expected[k] - plan.rules.reach[k]
    seen = labels.index(plan.rules.source[k])
    past[first:, seen] = high if abs(high - filled[0, seen]) > abs(low - filled[0, seen]) else low
    moved = set_points_kw(rolling.desk, rolling.followed, state, filled[0], past)
    assert np.abs(moved - flat[at]).max() > 1e-3
    assert np.array_equal(set_points_kw(rolling.desk, rolling.followed, state, filled[0], past[:first]), flat[at])
    _, again = window_inputs(rolling, state, window, (), past)
    assert np.array_equal(again[at], moved)


@pytest.mark.parametrize(("known", "lead_min", "counts"), [
    ("measured", 15, [0, 1, 2, 3]), ("forecast", 0, [0, 1, 2, 3]), ("forecast", 5, [0, 0, 1, 2]), ("forecast", 20, [0, 0, 0, 1])])
def test_an_interval_that_had_not_ended_at_the_issue_time_is_not_handed_over(plan, monkeypatch, known, lead_min, counts):
    day, rolling = opened(0.02, plan, first_interval=known, real_time_lead_min=lead_min)
    handed = []

    def spy(*given, so_far, **more):
        handed.append(len(so_far))
        return redispatch(*given, so_far=so_far, **more)

    monkeypatch.setattr(real_time, "redispatch", spy)
    run_steps(rolling, rolling.start, day.windows(day.truth(), 1, 4), came(day, seed=5))
    assert handed == counts


def test_an_interval_that_was_not_known_at_the_issue_time_is_not_handed_over(plan, monkeypatch):
    day, rolling = opened(0.02, plan)
    handed = []

    def spy(*given, so_far, **more):
        handed.append(len(so_far))
        return redispatch(*given, so_far=so_far, **more)

    monkeypatch.setattr(real_time, "redispatch", spy)
    run_steps(rolling, rolling.start, day.windows(day.truth(), 1, 4), came(day, seed=5), came=[0, 0, 1, 9])
    assert handed == [0, 0, 1, 3]


def test_a_basis_of_a_schedule_without_rules_is_left(plan):
    """A day may go on under a new schedule: the first step starts cold, with the result of a cold start."""
    day, rolling = opened(0.02, plan)
    _, bare = opened(0.0, plan)
    windows = day.windows(day.truth(), 1, 2)
    _, after = redispatch(bare, bare.start, windows[0])
    state = replace(after, step=2)
    found, _ = redispatch(rolling, state, windows[1])
    cold, _ = redispatch(rolling, replace(state, basis_columns=None, basis_rows=None), windows[1])
    assert np.array_equal(found.columns, cold.columns)


def test_powers_of_devices_are_followed_and_neither_vehicles_nor_the_ties_that_feed_them() -> None:
    """A rule says what a tie carries where the expected vehicles come; held to that, whoever came was charged too late."""
    plan = setting(method=Affine()).plan()
    assert plan.rules is not None
    case, labels = plan.desk.case, plan.desk.layout.columns.labels
    vehicles = {device.id for device in case.devices if isinstance(device, EvFleet)}
    ties, moved = {tie.id for tie in case.ties}, {label.device for label in plan.rules.moved}
    assert moved & (vehicles | ties), "the rules move some"
    followed = {label.device for label in followed_labels(case, plan.rules, labels)}
    assert followed and not followed & (vehicles | ties)
