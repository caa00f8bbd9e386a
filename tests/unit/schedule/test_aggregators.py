"""An EV aggregator through a day: planned, re-dispatched, settled, handed on, and checked by gates that know the matrix only."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pytest

from pipeline.cases.case import Case
from pipeline.cases.settings import Affine, HalfWidths, Stochastic
from pipeline.forecast.ev_connection import expected_connections
from pipeline.schedule.affine_day import affine_problem
from pipeline.schedule.close import close_interval
from pipeline.schedule.day_ahead import DayAhead, plan_day
from pipeline.schedule.desk import open_desk
from pipeline.schedule.outlook import coarsen
from pipeline.schedule.read_out import day_ahead_tables, real_time_tables
from pipeline.schedule.read_units import handed_to_the_next_day
from pipeline.schedule.real_time import RealTime, Rolling, window_inputs
from pipeline.schedule.yardsticks import no_redispatch, perfect_foresight
from pipeline.validate.context import Context
from pipeline.validate.gates import check_stage
from tests.ev_case import ParkDay, park_day
from tests.unit.schedule.tiny_day import QUIET

START_KWH = 190.0


@dataclass
class Whole:
    day: ParkDay
    plan: DayAhead
    rolling: Rolling
    run: RealTime
    schedule: dict[str, pa.Table]
    dispatch: dict[str, pa.Table]

    def gate(self, product: str, **tables: pa.Table) -> tuple[list[str], list[str]]:
        """Mistakes and findings in words, with some tables changed."""
        truth = self.day.truth(error=0.02)
        if product == "day_ahead":
            given = coarsen(self.day.truth(), 4)
            context = Context(values={"expected": dict(zip(given.series, given.values, strict=True))})
        else:
            context = Context(values={"settled": dict(zip(truth.series, truth.values, strict=True))},
                              before={("park", "energy_kwh"): START_KWH}, parents={"schedule": self.schedule["schedule"]})
        own = self.schedule if product == "day_ahead" else self.dispatch
        mistakes, findings = check_stage(self.day.case, {**own, **tables}, day=self.day.day, product=product, context=context,
                                         contracts=None)
        return [str(one) for one in mistakes], [f"{one.severity} {one.check} {one.place}" for one in findings]


def whole(**changes: object) -> Whole:
    day = park_day(**changes)
    plan = day.plan()
    rolling = day.rolling(plan)
    run = day.whole_day(rolling, error=0.02)
    quarters = expected_connections(day.case, day=day.day)
    return Whole(day, plan, rolling, run, day_ahead_tables(plan, "da-1", planned=coarsen(day.truth(), 4).connections),
                 real_time_tables(run, "rt-1", planned=quarters))


@pytest.fixture(scope="module")
def plain() -> Whole:
    return whole(early_departure_share=0.0)


@pytest.fixture(scope="module")
def early() -> Whole:
    return whole()


def test_a_planned_day_ends_with_its_reserve_and_as_it_began(plain: Whole) -> None:
    desk, columns = plain.plan.desk, plain.plan.columns[0]
    a = desk.roster.aggregators
    energy = columns[:, a.energy[0]]
    come, leave = plain.plan.inputs[0][0, [a.arrivals[0], a.departures[0]]]
    begun = energy[0] - (a.gain * columns[0, a.charge] - a.drain * columns[0, a.discharge] + a.brought * come - a.taken * leave)[0]
    assert energy[-1] >= begun - 1e-6
    assert energy[-1] >= expected_connections(plain.day.case, day=plain.day.day, step_min=60)["park"][4, -1] - 1e-6
    assert plain.gate("day_ahead") == ([], [])


def test_a_real_time_day_needs_no_slack_and_passes_the_gates(plain: Whole) -> None:
    assert plain.run.findings == ()
    assert plain.gate("real_time") == ([], [])
    needed = expected_connections(plain.day.case, day=plain.day.day)["park"][4, -1]
    assert plain.run.states[-1].value("park.energy_before_kwh") >= needed - 1e-6


def test_perfect_foresight_costs_no_more_than_rolling_and_rolling_less_than_holding(plain: Whole) -> None:
    truth = plain.day.truth(error=0.02)
    best = perfect_foresight(plain.rolling, plain.day.quarters, truth).total
    held = no_redispatch(plain.rolling, truth).total
    assert best <= plain.run.settled.total + 1e-6
    assert plain.run.settled.total < held


def test_vehicles_that_leave_early_take_their_energy_along(early: Whole) -> None:
    table = early.dispatch["ev_connection"].to_pandas()
    moved = table["departures_count"] - table["expected_departures_count"]
    assert moved[moved > 0].sum() == -moved[moved < 0].sum() > 0
    mistakes, findings = early.gate("real_time")
    assert mistakes == []
    assert any("slack_used park ev_slack_kwh" in one for one in findings)  # nobody could know: they were to charge two hours more


def test_the_next_day_begins_with_the_energy_that_was_left(plain: Whole) -> None:
    ended = plain.run.states[-1]
    begun = plain.rolling.start.begun_after(ended)
    assert begun.value("park.energy_before_kwh") == ended.value("park.energy_before_kwh")
    assert begun.value("f01_ev.energy_before_kwh[1]") == 0.0  # a fleet of envelopes counts anew


def test_a_schedule_starts_with_the_energy_that_the_one_before_ends_with() -> None:
    """Days in a row: 250 kWh at the end of one are 250 kWh at the start of the next, as are the powers and vehicles of ramps."""
    day = park_day(start="handed_on")
    plan = day.plan()
    a, binder = plan.desk.roster.aggregators, plan.desk.binder
    handed = handed_to_the_next_day(plan)
    assert {name for name in handed if name.startswith("park.")} == {
        "park.energy_before_kwh", "park.connected_before_count", "park.charge_before_kw", "park.discharge_before_kw"}
    assert handed["park.energy_before_kwh"] == plan.columns[0][-1, a.energy[0]] > 0
    assert handed["park.connected_before_count"] == plan.inputs[0][-1, a.connected[0]]
    assert (handed["park.charge_before_kw"], handed["park.discharge_before_kw"]) == (
        plan.columns[0][-1, a.charge[0]], plan.columns[0][-1, a.discharge[0]])
    state = binder.initial_state().running_on(handed | {"park.energy_before_kwh": 250.0})
    again = plan_day(day.case, day.day, day.hourly, [coarsen(day.truth(), 4)], np.ones(1), state=state, options=QUIET)
    come, leave = again.inputs[0][0, [a.arrivals[0], a.departures[0]]]
    flows = (a.gain * again.columns[0][0, a.charge] - a.drain * again.columns[0][0, a.discharge] + a.brought * come - a.taken * leave)[0]
    told = (again.columns[0][0, a.slack] - again.columns[0][0, a.surplus])[0]
    assert again.columns[0][0, a.energy[0]] == pytest.approx(250.0 + flows + told)


def test_what_a_cycle_restores_is_not_handed_on(plain: Whole) -> None:
    assert not any(name.startswith("park.") for name in handed_to_the_next_day(plain.plan))


def test_a_window_past_the_end_of_the_day_keeps_who_is_connected_and_reserves_at_its_end(plain: Whole) -> None:
    desk, steps = plain.rolling.desk, plain.day.count
    for step in (1, steps - 3):
        outlook = plain.day.windows(plain.day.truth(), step, step)[0]
        _, flat = window_inputs(plain.rolling, replace(plain.rolling.start, step=step), outlook)
        inputs = flat[desk.layout.inputs.index]
        a, active = desk.roster.aggregators, min(desk.program.positions, steps - step + 1)
        assert np.flatnonzero(inputs[:, a.reserve[0]]).tolist() == [active - 1]
        last = inputs[active - 1]
        stay = last[a.connected[0]] + last[a.arrivals[0]] - last[a.departures[0]]
        assert (inputs[active:, a.connected[0]] == stay).all() and not inputs[active:, [a.arrivals[0], a.departures[0]]].any()
        assert (inputs[active:, a.withdrawn[0]] == last[a.connected[0]]).all()


def test_scenarios_of_early_departures_share_one_start_and_each_ends_with_it() -> None:
    """Early departures move inputs only; the start is decided before it is known who leaves early."""
    day = park_day()
    case = day.case.model_copy(update={"settings": day.case.settings.model_copy(update={"method": Stochastic(representative_count=2)})})
    early = {"park": np.zeros(24, dtype=np.int64)}
    early["park"][9] = 2
    plain = day.truth()
    moved = replace(plain, connections=expected_connections(case, day=day.day, step_min=60, early=early))
    plan = plan_day(case, day.day, day.hourly, [coarsen(plain, 4), coarsen(moved, 4)], np.array([0.7, 0.3]), options=QUIET)
    tables = day_ahead_tables(plan, "da-2", planned=coarsen(plain, 4).connections)
    mistakes, _ = check_stage(case, {"schedule": tables["schedule"], "ev_connection": tables["ev_connection"]}, day=day.day,
                              product="day_ahead", contracts=None)
    assert mistakes == []  # among them: one start, and no scenario ends below it
    rows = tables["ev_connection"].to_pandas()
    moves = rows[rows["scenario"] == "2"].eval("departures_count - expected_departures_count").to_numpy()
    assert moves[7] == 2 and moves[9] == -2 and np.abs(moves).sum() == 4


CELLS = {
    "ev_connection": {"connected_count": 1.0, "departures_count": 1.0, "expected_departures_count": 1.0, "arrivals_count": 1.0,
                      "energy_kwh": 0.01},
    "dispatch": {"charge_kw": 0.01, "discharge_kw": 0.01, "energy_kwh": 0.01, "ev_slack_kwh": 0.01, "ev_surplus_kwh": 0.01},
}


@pytest.mark.parametrize(("name", "column"), [(name, column) for name, columns in CELLS.items() for column in columns])
def test_one_altered_cell_is_caught_and_named(name: str, column: str, plain: Whole) -> None:
    table, more = plain.dispatch[name], CELLS[name][column]
    rows = table.to_pylist()
    where = {"aggregator": "park"} if name == "ev_connection" else {"device": "park", "quantity": column}
    at = next(i for i, row in enumerate(rows) if row["step"] == 40 and all(row[key] == value for key, value in where.items()))
    field = column if name == "ev_connection" else "value"
    rows[at][field] += more
    altered = pa.Table.from_pylist(rows, schema=table.schema)
    mistakes, _ = plain.gate("real_time", **{name: altered})
    assert any("park" in mistake and "step=4" in mistake for mistake in mistakes), mistakes


def test_a_power_beyond_the_ramp_is_caught_with_what_it_was_allowed(plain: Whole) -> None:
    """The ramp is tightened under a finished day: 8 kW/h change a vehicle's power by 2 kW a quarter-hour, .08 by .02."""
    assert plain.gate("real_time")[0] == []
    tightened = replace(plain, day=replace(plain.day, case=slower(plain.day.case)))
    mistakes = tightened.gate("real_time")[0]
    assert any("park" in one and "_kw" in one and "the ramp and what is told beyond it allow" in one for one in mistakes), mistakes


def slower(case: Case) -> Case:
    devices = tuple(device.model_copy(update={"ramp_kw_per_h": 0.08}) if device.id == "park" else device for device in case.devices)
    return case.model_copy(update={"devices": devices})


@pytest.mark.parametrize(("was_kw", "usable", "excess_kw"), [(0.0, 8, 4 * 5 - 2 * 8), (0.0, 10, 0.0), (15.0, 2, 1.0)])
def test_the_first_interval_of_a_day_tells_what_goes_beyond_the_ramp(was_kw: float, usable: int, excess_kw: float) -> None:
    """Five vehicles draw 20 kW; 2 kW a vehicle and quarter-hour are allowed from what the day before left."""
    day = park_day()
    rolling = day.rolling()
    desk, a = rolling.desk, rolling.desk.roster.aggregators
    inputs = desk.binder.interval(desk.binder.fill(day.truth(), day.day.starts())[0], rolling.start)
    inputs[a.connected], inputs[a.arrivals], inputs[a.departures], inputs[a.reserve] = 5.0, 0.0, 0.0, 0.0
    points = np.zeros(len(desk.layout.columns.labels))
    points[a.charge] = 20.0
    handed_on = {"park.energy_before_kwh": 60.0, "park.charge_before_kw": was_kw, "park.connected_before_count": usable}
    state = rolling.start.with_values(handed_on)
    columns, _, _ = close_interval(desk.roster, points, inputs, state.values, step_h=0.25)
    assert columns[a.charge[0]] == pytest.approx(20.0)
    assert columns[a.excess[0]] == pytest.approx(excess_kw)


def test_a_case_with_an_aggregator_must_tell_its_vehicles(plain: Whole) -> None:
    without = {name: table for name, table in plain.dispatch.items() if name != "ev_connection"}
    mistakes, _ = check_stage(plain.day.case, without, day=plain.day.day, product="real_time", contracts=None)
    assert any("ev_connection" in str(mistake) and "has no row" in str(mistake) for mistake in mistakes)


def test_no_rule_decides_the_energy_a_day_starts_with_by_what_comes_later() -> None:
    """Whatever the settings call the first stage: a column without an interval stood at the end of the day, and saw all of it."""
    day = park_day(start="cyclic")
    case = day.case.model_copy(update={"settings": day.case.settings.model_copy(update={"first_stage": ("*.schedule_kw",)})})
    desk = open_desk(case, day.day, day.hourly)
    outlook = coarsen(day.truth(), 4)
    inputs = desk.binder.assemble(desk.binder.fill(outlook, desk.starts()), desk.binder.initial_state(), day_ends=True)
    problem = affine_problem(desk, outlook, inputs, Affine(half_widths=HalfWidths(load_share=0.05)))
    start = desk.program.columns_like(["park.energy_start_kwh"])
    assert start.size == 1 and np.isin(start, problem.first_stage).all()


def test_what_arriving_vehicles_bring_does_not_go_with_those_that_leave() -> None:
    """Settled with next to nothing stored: who leaves in the slot in which others come takes its share, and the lack is told."""
    day = park_day()
    rolling = day.rolling()
    desk, a = rolling.desk, rolling.desk.roster.aggregators
    inputs = desk.binder.interval(desk.binder.fill(day.truth(), day.day.starts())[0], rolling.start)
    come, leave, here = 4.0, 3.0, 5.0
    inputs[a.arrivals], inputs[a.departures], inputs[a.connected], inputs[a.reserve] = come, leave, here, 0.0
    state = rolling.start.with_values({"park.energy_before_kwh": 60.0})
    columns, _, _ = close_interval(desk.roster, np.zeros(len(desk.layout.columns.labels)), inputs, state.values, step_h=0.25)
    charged = 0.95 * 0.25 * columns[a.charge[0]]
    assert columns[a.charge[0]] == pytest.approx(4 * here)  # whoever must charge now, does
    assert 60.0 + charged + columns[a.slack[0]] == pytest.approx(40 * (0.9 * leave + 0.2 * (here - leave)))
    assert columns[a.energy[0]] == pytest.approx(40 * (0.2 * (here - leave) + 0.45 * come))
