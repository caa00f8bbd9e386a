"""The day-ahead schedule: words bind, time runs out, prices turn negative, and the gates accept what is written."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pipeline.core.errors import InputError, NoSchedule
from pipeline.program.solve import Status, solve
from pipeline.schedule.day_ahead import DayAheadOptions, plan_day
from pipeline.schedule.exclusive import Pairs, pairs_of, with_exclusive
from pipeline.schedule.outlook import Outlook, coarsen
from pipeline.schedule.read_out import day_ahead_tables, real_time_tables
from pipeline.schedule.real_time import open_day
from pipeline.uncertainty.choose import decide
from pipeline.validate.gates import Context, check_stage
from tests.unit.schedule.test_bind import Word


def values_of(outlook: Outlook) -> dict[str, np.ndarray]:
    return dict(zip(outlook.series, outlook.values, strict=True))


def with_prices(outlook: Outlook, price: float, first: int, last: int) -> Outlook:
    values = outlook.values.copy()
    values[outlook.series.index("price"), first:last] = price
    return replace(outlook, values=values)


def test_the_gates_accept_a_deterministic_day(tiny):
    plan = tiny.plan()
    context = Context(known_runs=frozenset({"da-1"}), values={"expected": values_of(tiny.truth())}, objective=plan.objective)
    mistakes, findings = check_stage(tiny.case, day_ahead_tables(plan, "da-1"), day=tiny.day, product="day_ahead", context=context,
                                     contracts=None)
    assert mistakes == [] and findings == []


def test_the_gates_accept_a_settled_day_under_errors(tiny):
    plan = tiny.plan()
    rolling = tiny.rolling(plan)
    found = tiny.whole_day(rolling, error=0.02)
    came = tiny.truth(error=0.02)
    context = Context(known_runs=frozenset({"da-1", "rt-1"}), values={"settled": values_of(came)}, envelopes=came.envelopes,
                      parents={"schedule": day_ahead_tables(plan, "da-1")["schedule"]})
    mistakes, findings = check_stage(tiny.case, real_time_tables(found, "rt-1"), day=tiny.day, product="real_time", context=context,
                                     contracts=None)
    assert mistakes == [] and findings == []


def test_every_scenario_is_written_and_expected_is_their_mean(tiny):
    plan = tiny.plan(*(tiny.truth(error=0.1, seed=seed) for seed in range(3)))
    table = day_ahead_tables(plan, "da-1")["schedule"].to_pandas()
    one = table[(table.device == "f01_battery") & (table.quantity == "injection")].pivot(index="step", columns="scenario", values="value")
    assert set(one.columns) == {"expected", "1", "2", "3"}
    assert one["expected"].to_numpy() == pytest.approx(one[["1", "2", "3"]].mean(axis=1).to_numpy(), abs=1e-9)


def test_without_time_there_is_no_schedule_and_the_error_says_so(tiny):
    with pytest.raises(NoSchedule, match="solver_time_limit_s"):
        tiny.plan(options=DayAheadOptions(time_limit_s=0.0))


def test_when_the_scenario_program_runs_out_of_time_the_mean_positions_are_used_and_flagged(tiny, monkeypatch):
    def hurried(bound, options=None):
        found = solve(bound, options)
        return found if bound.inputs.size else replace(found, status=Status.time_limit, x=None)  # the extensive form has no inputs left

    outlooks = [tiny.truth(error=0.1, seed=seed) for seed in range(3)]
    proven = tiny.plan(*outlooks, options=DayAheadOptions())
    monkeypatch.setattr("pipeline.uncertainty.monolith.solve", hurried)
    plan = tiny.plan(*outlooks, options=DayAheadOptions())
    assert plan.status == "time_limit" and plan.gap == np.inf
    assert [(finding.severity, finding.check) for finding in plan.findings] == [("warning", "time_limit")]
    assert plan.objective == pytest.approx(proven.kpis["cost_of_mean_positions"][1])


@pytest.mark.parametrize(("ended", "check"), [("the search ended after 3 rounds", "gap_left"), ("", "time_limit")])
def test_a_time_limit_is_warned_of_only_where_it_was_met(tiny, monkeypatch, ended, check):
    def searched(two_stage, measure, options=None, *, gap_share):
        return replace(decide(two_stage, measure, options, gap_share=gap_share), status=Status.time_limit, ended=ended)

    monkeypatch.setattr("pipeline.schedule.treatments.decide", searched)
    plan = tiny.plan(*[tiny.truth(error=0.1, seed=seed) for seed in range(3)], options=DayAheadOptions())
    warnings = [finding for finding in plan.findings if finding.severity == "warning"]
    assert plan.status == check and [finding.check for finding in warnings] == [check]
    assert ("met its time limit" in warnings[0].message) == (not ended) and warnings[0].message.startswith(ended)


def test_an_impossible_day_names_what_conflicts(tiny):
    """The microgrid must send out more than it can make."""
    words = [Word("mg_f01_b04_tie", "set_point_kw", -200.0), Word("mg_f01_b04_chp", "out")]
    with pytest.raises(NoSchedule, match="mg_f01_b04"):
        tiny.plan(overrides=words)


def test_words_bind_day_ahead(tiny):
    plan = tiny.plan(overrides=[Word("f01_generator", "set_point_kw", 37.0), Word("f01_battery", "out")])
    entries = plan.desk.layout.columns.entries
    assert plan.expected[:, entries("f01_generator", "segment_kw")].sum(axis=1) == pytest.approx(37.0)
    assert not plan.expected[:, entries("f01_battery", "discharge_kw")].any()


def test_a_set_point_beyond_the_device_is_clipped_and_reported(tiny):
    plan = tiny.plan(overrides=[Word("f01_generator", "set_point_kw", 400.0)])
    assert [(f.severity, f.check, f.place, f.limit) for f in plan.findings] == [("warning", "set_point", "f01_generator", 100.0)]
    (left,) = tiny.plan(overrides=[Word("nobody", "out")]).findings
    assert left.place == "nobody" and "left aside" in left.message and "no device or tie" in left.message


def test_negative_prices_bring_binaries_in(tiny):
    negative = with_prices(tiny.truth(), -0.3, 20, 40)
    plan = tiny.plan(negative)
    pairs = pairs_of(plan.desk)
    x = np.zeros(len(tiny.hourly.column_names))
    x[plan.desk.layout.columns.index] = plan.columns[0]
    assert not pairs.violated(x).any()
    assert plan.status == "optimal"


def test_negative_prices_bring_binaries_into_every_scenario(tiny):
    plan = tiny.plan(*(with_prices(tiny.truth(error=0.1, seed=seed), -0.3, 20, 40) for seed in range(2)))
    pairs = pairs_of(plan.desk)
    for columns in plan.columns:
        x = np.zeros(len(tiny.hourly.column_names))
        x[plan.desk.layout.columns.index] = columns
        assert not pairs.violated(x).any()


def test_binaries_do_not_count_against_the_scenarios(tiny):
    """The mean's positions are met without binaries: so is what they are compared with."""
    outlooks = [with_prices(tiny.truth(error=0.02, seed=seed), -0.2, 0, 96) for seed in range(2)]
    plan = tiny.plan(*outlooks, options=DayAheadOptions(time_limit_s=10))
    assert plan.objective > plan.bound + 1.0  # binaries did come in
    assert plan.kpis["value_of_stochastic_solution"][1] >= -1e-3


def test_binaries_are_named_after_their_store(tiny):
    program = tiny.hourly
    charge, discharge = (program.column_index[f"f01_battery.{way}_kw"][:2] for way in ("charge", "discharge"))
    wider = with_exclusive(program, Pairs(charge, discharge, np.zeros(2, dtype=np.int64)))
    assert wider.column_names[-2:] == ("f01_battery.charging_share[1]", "f01_battery.charging_share[2]")
    assert wider.row_names[-4:] == ("f01_battery.exclusive_charge[1]", "f01_battery.exclusive_charge[2]",
                                    "f01_battery.exclusive_discharge[1]", "f01_battery.exclusive_discharge[2]")
    assert wider.integer[-2:].all() and not wider.integer[:-2].any()


def test_a_day_starts_from_the_state_that_is_given(tiny):
    start = tiny.plan().desk.binder.initial_state()
    other = replace(start.with_values({"f01_battery.energy_before_kwh": 10.0}), start=start.with_values(
        {"f01_battery.energy_before_kwh": 10.0}).values)
    plan = tiny.plan(state=other)
    energy = plan.expected[:, plan.desk.layout.columns.entries("f01_battery", "energy_kwh")[0]]
    assert energy[-1] == pytest.approx(10.0)


def test_coarse_steps_keep_energies(tiny):
    truth = tiny.truth(error=0.1)
    hourly = coarsen(truth, 4)
    assert hourly.values.mean(axis=1) == pytest.approx(truth.values.mean(axis=1))
    for fleet, (power, low, top, _) in hourly.envelopes.items():
        assert power.sum() == pytest.approx(truth.envelopes[fleet][0].sum() / 4)
        assert np.array_equal(low, truth.envelopes[fleet][1][:, 3::4]) and np.array_equal(top, truth.envelopes[fleet][2][:, 3::4])
    with pytest.raises(InputError, match="no whole number of steps of 75 min"):
        coarsen(truth, 5)


def test_a_quarter_hourly_schedule_is_held_as_it_is_and_costs_no_more_than_the_hourly_one(tiny):
    truth = tiny.truth()
    fine = plan_day(tiny.case, tiny.day, tiny.quarters, [truth], np.ones(1))
    assert fine.plan.steps == 96
    rolling = open_day(tiny.case, tiny.day, tiny.window, fine.plan)
    grid = fine.desk.layout.columns.entries("grid", "schedule_kw")[0]
    held = next(j for j, label in enumerate(rolling.desk.binder.frozen_labels) if label.device == "grid")
    assert rolling.held.frozen[:, held] == pytest.approx(fine.expected[:, grid])
    assert fine.objective <= tiny.plan().objective + 0.05  # heat is kept over hours a little differently than over quarters
