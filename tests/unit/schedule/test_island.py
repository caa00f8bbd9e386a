"""Networks without a market: units go on and off and come back from outages, ramps hold, and the balancing chain takes every mismatch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from pipeline.core.clock import QUARTER_S
from pipeline.program.linear_program import Floats
from pipeline.schedule.day_ahead import plan_day
from pipeline.schedule.outlook import Outlook, coarsen
from pipeline.schedule.read_units import handed_to_the_next_day
from pipeline.schedule.real_time import RealTime, run_steps
from pipeline.schedule.settle import reality_of, settle
from pipeline.schedule.yardsticks import no_redispatch, perfect_foresight
from tests.unit.schedule.island import Island, island, opened, running
from tests.unit.schedule.tiny_day import QUIET

HOURS = 24


@dataclass(frozen=True)
class Word:
    """What a person said about a device."""

    target: str
    quantity: str
    value: float | None
    valid_from: int
    valid_to: int


@pytest.fixture(scope="module")
def plain() -> Island:
    return opened()


@pytest.fixture(scope="module")
def starting() -> Island:
    """The second unit is off at first, and the morning cannot do without it."""
    return opened(island(second={"on_initially": False, "hours_in_state_initially": 8}))


@pytest.fixture(scope="module")
def settled(plain: Island) -> RealTime:
    return plain.whole_day(plain.rolling())


def least_run(on: Floats, value: float) -> int:
    """Shortest run of `value` that neither begins nor ends the day."""
    edges = np.flatnonzero(np.diff(on)) + 1
    runs = [part for part in np.split(on, edges)[1:-1] if part[0] == value]
    return min((len(run) for run in runs), default=10**6)


def steps_of_power(found: RealTime) -> Floats:
    """Power of everything that ramps, from before the first interval on."""
    ramps = found.rolling.desk.roster.ramps
    return np.vstack([found.settled.before.values[ramps.before], ramps.of(found.settled.columns)])


def assert_ramps_hold(found: RealTime, *, tripped: Sequence[int] = ()) -> None:
    roster = found.rolling.desk.roster
    power, on = steps_of_power(found), running(found) > 0.5
    before = np.vstack([found.settled.before.values[roster.units.on_before] > 0.5, on[:-1]])
    for k in range(len(on)):
        up, down = roster.ramps.reach(before[k], on[k])
        change = power[k + 1] - power[k]
        if k not in tripped:
            assert (change <= up + 1e-6).all() and (change >= -down - 1e-6).all(), (k, roster.ramps.names, change, up, down)


def test_a_unit_stops_for_the_night_and_starts_when_it_must(plain: Island) -> None:
    plan = plain.plan()
    on = running(plan)
    assert on[:, 0].tolist() == [1] * HOURS
    assert on[0, 1] == 0 and on[7, 1] == 1 and on[23, 1] == 0
    assert least_run(on[:, 1], 1) >= 3
    costs = dict(zip(plan.desk.program.terms, plan.costs[0], strict=True))
    assert costs["commitment_cost"] == pytest.approx(30 + 60 + 30), "stopped, started, stopped"


def test_starts_and_stops_of_the_settled_day_are_paid_once(settled: RealTime) -> None:
    costs = dict(zip(settled.settled.terms, settled.settled.costs.sum(axis=0), strict=True))
    assert costs["commitment_cost"] == pytest.approx(30 + 60 + 30)
    assert costs["energy_cost"] == 0


def test_real_time_keeps_commitments_limits_and_ramps(plain: Island, settled: RealTime) -> None:
    assert {dispatch.source for dispatch in settled.dispatches} == {"optimal"}
    assert running(settled)[:, 1].tolist() == np.repeat(running(plain.plan())[:, 1], 4).tolist()
    power, on = steps_of_power(settled)[1:, :2], running(settled)
    assert (power <= 1000 * on + 1e-6).all() and (power >= 300 * on - 1e-6).all()
    assert settled.settled.columns[:, settled.rolling.desk.roster.ramps.excess].max() == 0
    assert_ramps_hold(settled)


def test_the_chain_leaves_nothing_unbalanced_and_keeps_the_lines_limits(settled: RealTime) -> None:
    desk = settled.rolling.desk
    net = desk.readouts(settled.settled.columns, settled.settled.inputs)
    per_bus = np.zeros((len(net), len(desk.case.buses)))
    np.add.at(per_bus.T, desk.readouts.bus, net.T)
    assert np.abs(per_bus).max() < 1e-6, "every microgrid on its own"
    assert settled.settled.unmet.max() == 0
    exchange = settled.settled.columns[:, desk.roster.ties.exchange]
    assert np.abs(exchange).max() <= 600 + 1e-6
    assert settled.settled.columns[:, desk.roster.demands.shed].max() == 0


def test_the_fuel_cell_takes_a_deficit_before_the_store_and_both_before_load_is_shed(plain: Island) -> None:
    rolling = plain.rolling()
    found = plain.whole_day(rolling, error=0.0, steps=1)
    more = plain.truth()
    for extra, moved in ((100.0, {"fc"}), (230.0, {"fc", "es"}), (320.0, {"fc", "es", "shed"})):
        values = more.values.copy()
        values[0, 0] += extra
        reality = reality_of(rolling.desk, Outlook(more.series, values), rolling.held.frozen, rolling.start)
        each, _ = settle(rolling.desk, found.dispatches[0].columns, rolling.start, reality)
        ramps, roster = rolling.desk.roster.ramps, rolling.desk.roster
        change = ramps.of(each.columns) - ramps.of(found.dispatches[0].columns)
        names = {name for name, by in zip(ramps.names, change, strict=True) if name in ("fc", "es") and abs(by) > 1e-6}
        shed = each.columns[roster.demands.shed].sum()
        assert names | ({"shed"} if shed > 1e-6 else set()) == moved, (extra, change, shed)


def test_perfect_foresight_costs_no_more_than_rolling_and_rolling_no_more_than_holding(plain: Island, settled: RealTime) -> None:
    truth = plain.truth(error=0.03, seed=1)
    best = perfect_foresight(settled.rolling, plain.quarters, truth)
    held = no_redispatch(settled.rolling, truth)
    assert best.total <= settled.settled.total <= held.total


def test_a_unit_that_is_off_at_first_starts_day_ahead_and_in_real_time(starting: Island) -> None:
    plan = starting.plan(scale=1.2)
    on = running(plan)
    assert on[0, 1] == 0 and on[6:20, 1].all(), "the evening before it was off"
    found = starting.whole_day(starting.rolling(plan), scale=1.2)
    assert running(found)[:, 1].tolist() == np.repeat(on[:, 1], 4).tolist()
    start = int(np.argmax(running(found)[:, 1]))
    power = steps_of_power(found)[1:, 1]
    assert power[start - 1] == 0 and 300 - 1e-6 <= power[start] <= 300 + 1e-6, "a quarter-hour's ramp is 100 kW: it starts at its least"
    assert_ramps_hold(found)
    assert found.settled.columns[:, found.rolling.desk.roster.demands.shed].max() < 1e-6


def test_what_began_before_the_day_lasts_its_least_time(starting: Island) -> None:
    start = starting.plan().desk.binder.initial_state()
    fresh = start.with_values({"dg2.in_state_before_h": 1.0})
    assert running(starting.plan(scale=2.0))[:2, 1].tolist() == [1, 1], "so much load needs it from the first hour on"
    on = running(starting.plan(scale=2.0, state=fresh))
    assert on[:, 1].tolist()[:2] == [0, 0], "off for an hour, and three it must be"
    running_since = start.with_values({"dg2.on_before_share": 1.0, "dg2.in_state_before_h": 0.5, "dg2.power_before_kw": 300.0})
    assert running(starting.plan(state=running_since))[:3, 1].tolist() == [1, 1, 1], "on for half an hour: at least two and a half more"


def test_an_outage_trips_a_unit_and_it_comes_back_after_its_least_time_off(plain: Island) -> None:
    rolling = plain.rolling()
    first = rolling.desk.day.start + 40 * QUARTER_S  # 10:00, the unit is on from 7:00 to 20:00
    out = Word("dg2", "out", None, first, first + QUARTER_S)
    told = [(out,) if k >= 40 else () for k in range(96)]
    found = plain.whole_day(rolling, overrides=told)
    on = running(found)[:, 1]
    assert on[39] == 1 and not on[40:52].any() and on[52] == 1, "a quarter-hour's outage, and three hours off"
    assert_ramps_hold(found, tripped=[40])
    costs = dict(zip(found.settled.terms, found.settled.costs.sum(axis=0), strict=True))
    assert costs["commitment_cost"] == pytest.approx(30 + 60 + 30 + 30 + 60), "the trip and the start after it are paid as well"
    assert found.settled.columns[:, rolling.desk.roster.ramps.excess].max() == 0, "tripping is no breach of its ramp"
    assert {dispatch.source for dispatch in found.dispatches} == {"optimal"}


def test_a_known_outage_is_planned_around(plain: Island) -> None:
    first = plain.day.start + 10 * 3600
    plan = plain.plan(overrides=[Word("dg2", "out", None, first, first + 3600)])
    assert running(plan)[10, 1] == 0
    assert plan.expected[10, plan.desk.layout.columns.one("dg2", "segment_kw")] == 0


def test_the_end_of_the_day_takes_no_power_away_before_it(plain: Island, settled: RealTime) -> None:
    """Positions past the end of the day are empty: a ramp to nothing must not bind the last hours."""
    plan = plain.plan()
    last = steps_of_power(settled)[-4:, 0]
    planned = plan.expected[-1, plan.desk.layout.columns.one("dg1", "segment_kw")]
    assert last == pytest.approx([planned] * 4, abs=60)


def test_a_day_stopped_and_taken_up_again_ends_in_the_same_state(plain: Island, settled: RealTime) -> None:
    rolling = plain.rolling()
    truth, expected = plain.truth(error=0.03, seed=1), plain.truth()
    first = run_steps(rolling, rolling.start, [expected.window(k, 16) for k in range(30)], truth)
    rest = run_steps(rolling, rolling.start, [expected.window(k, 16) for k in range(30, 96)], truth, held=first.dispatches)
    names = rolling.start.names
    assert dict(zip(names, rest.states[-1].values, strict=True)) == pytest.approx(dict(zip(names, settled.states[-1].values, strict=True)))


def test_a_line_that_is_paid_for_being_used_carries_one_way_at_a_time(plain: Island) -> None:
    """With negative prices at both ends both ways at once would earn: a binary keeps a line from it."""
    prices = plain.truth().values.copy()
    prices[5:, :8] = -50.0
    case = plain.case
    plan = plan_day(case, plain.day, plain.hourly, [coarsen(Outlook(plain.truth().series, prices), 4)], np.ones(1), options=QUIET)
    ties = plan.desk.roster.ties
    forward, backward = plan.expected[:, ties.forward], plan.expected[:, ties.backward]
    assert np.minimum(forward, backward).max() < 1e-6
    assert forward[:2].max() > 0 or backward[:2].max() > 0


def test_flows_follow_the_reactances_through_settlement(plain: Island) -> None:
    """A mismatch moves all flows together: what a loop law says of the dispatch holds for what came of it."""
    meshed = opened(island(tie_flows="ptdf"))
    found = meshed.whole_day(meshed.rolling(), steps=4)
    flow = {name: found.settled.columns[:, entry] for name, entry in zip(
        found.rolling.desk.roster.ties.names, found.rolling.desk.roster.ties.exchange, strict=True)}
    for one, two, three in (("mg1", "mg2", "mg3"), ("mg1", "mg2", "mg4"), ("mg2", "mg3", "mg4")):
        around = flow[f"l_{one}_{two}"] + flow[f"l_{two}_{three}"] - flow[f"l_{one}_{three}"]
        assert np.abs(around).max() < 1e-6, "equal reactances: no flow goes round a loop"
    assert found.settled.unmet.max() == 0


def test_the_word_of_a_person_moves_a_unit_that_is_on_and_none_that_is_off(plain: Island) -> None:
    rolling = plain.rolling()
    begin = rolling.desk.day.start
    asked = Word("dg2", "set_point_kw", 500.0, begin, begin + 12 * 3600)
    found = plain.whole_day(rolling, overrides=[(asked,)] * 40, steps=40)
    power, on = steps_of_power(found)[1:, 1], running(found)[:, 1]
    assert power[on == 0].max() == 0, "off until seven: it cannot follow"
    assert power[28:32] == pytest.approx([300, 400, 500, 500], abs=1e-4), "from its start on, as fast as its ramp lets it"
    assert found.settled.columns[:, rolling.desk.roster.ramps.excess].max() == 0


def test_units_run_on_from_one_day_to_the_next(plain: Island) -> None:
    """The day ends with the second unit off for four hours: the next one pays no stop, and may start it when its rest is over."""
    plan = plain.plan()
    handed = handed_to_the_next_day(plan)
    assert handed["dg2.on_before_share"] == 0 and handed["dg2.in_state_before_h"] == 4
    assert handed["dg1.on_before_share"] == 1 and handed["dg1.power_before_kw"] == pytest.approx(420)
    assert not any("energy" in name for name in handed), "stores return to the case's own energy"
    again = plain.plan(state=plan.desk.binder.initial_state().running_on(handed))
    costs = dict(zip(again.desk.program.terms, again.costs[0], strict=True))
    assert costs["commitment_cost"] == pytest.approx(60 + 30), "one start and one stop"
