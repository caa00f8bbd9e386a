"""Affine rules followed in real time: what has come is measured, the rule says what to do, the firm exchange is kept."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from pipeline.cases.settings import Affine, HalfWidths
from pipeline.physics.horizon import Horizon
from pipeline.program.cached import compiled
from pipeline.schedule.layout import by_position
from pipeline.schedule.outlook import Outlook
from pipeline.schedule.rules import Rules, rule_table
from pipeline.schedule.settle import realised_inputs
from pipeline.schedule.yardsticks import no_redispatch, perfect_foresight, rule_distance_kwh, rule_only
from pipeline.tables import TABLES
from pipeline.validate.contract_gate import check_contract
from pipeline.validate.treatment import check_rules
from tests.unit.schedule.tiny_day import Setting, setting

AHEAD = ("*.schedule_kw", "*_tie.exchange_kw")


def asked(memory_steps: int = 0) -> Setting:
    method = Affine(half_widths=HalfWidths(load_share=0, pv_share=0.15, wind_share=0.15), memory_steps=memory_steps)
    return setting("hydrogen_microgrids", method=method, first_stage=AHEAD, held_in_real_time=("*.schedule_kw",))


@pytest.fixture(scope="module")
def planned():
    day = asked()
    plan = day.plan()
    return day, plan, plan.rules, day.rolling(plan)


def came(day: Setting, *, sun: float = 1.0, wind: float = 1.0, seed: int | None = None) -> Outlook:
    """The forecast with sun and wind off by a factor, or by errors of 4 % per quarter-hour."""
    truth = day.truth()
    random = np.random.default_rng(seed)
    factor = {"pv": sun, "wind": wind}
    values = np.array([row * (factor.get(series.kind, 1.0) if seed is None or series.kind not in factor else
                              np.clip(1 + 0.04 * random.standard_normal(row.size), 0.86, 1.14))
                       for series, row in zip(day.case.series, truth.values, strict=True)])
    return Outlook(truth.series, values, truth.envelopes)


def test_where_nothing_deviates_the_rule_is_the_schedule(planned):
    day, plan, rules, rolling = planned
    values = realised_inputs(rolling.desk, day.truth())
    for step in (0, 37, 95):
        d = rules.deviations(values, rolling.desk.layout.inputs.labels, step)
        assert d == pytest.approx(np.zeros(d.size), abs=1e-9)
        assert rules.set_points(d, step) == pytest.approx(plan.columns[0][step // 4], abs=1e-6)


def test_an_interval_s_own_deviation_moves_the_set_points_of_its_hour(planned):
    """7.5 % more wind than expected is half of what the rules were asked to meet."""
    day, plan, rules, rolling = planned
    step = 50
    values = realised_inputs(rolling.desk, came(day, wind=1.075))
    d = rules.deviations(values, rolling.desk.layout.inputs.labels, step)
    now = rules.slot == step // 4
    up = np.array(["wind" in name and name.endswith("+") for name in rules.names])
    assert up[now].any() and d[now & up] == pytest.approx(0.5)
    assert d[now & ~up] == pytest.approx(0.0, abs=1e-9)
    expected = by_position(plan.policy.evaluate(d), plan.desk.layout.columns)[step // 4]
    assert rules.set_points(d, step) == pytest.approx(expected)
    assert np.abs(expected - plan.columns[0][step // 4]).max() > 1.0


def test_beyond_its_half_width_a_deviation_counts_as_its_end(planned):
    day, _, rules, rolling = planned
    values = realised_inputs(rolling.desk, came(day, wind=2.0))
    d = rules.deviations(values, rolling.desk.layout.inputs.labels, 50)
    assert d.max() == 1.0 and d.min() == 0.0


def test_a_rule_with_memory_sees_the_mean_of_an_hour_that_has_passed():
    day = asked(memory_steps=1)
    rules, rolling = day.plan().rules, day.rolling()
    labels = rolling.desk.layout.inputs.labels
    values = realised_inputs(rolling.desk, day.truth())
    at = labels.index(next(one for one in labels if one.name == "mg1_wind.available_kw"))
    values[40:44, at] *= np.array([1.03, 1.06, 1.09, 1.12])  # 7.5 % on average
    k = rules.names.index("mg1_wind[11]+")
    assert rules.deviations(values, labels, 44)[k] == pytest.approx(0.5)
    assert rules.deviations(values, labels, 43)[k] == pytest.approx(0.12 / 0.15)
    before = rules.deviations(values[:40], labels, 39)
    assert before[k] == 0.0, "what has not come yet is not read"


def test_rules_survive_storage(planned):
    day, _, rules, rolling = planned
    again = Rules.from_arrays(rules.to_arrays())
    values = realised_inputs(rolling.desk, came(day, seed=1))
    labels = rolling.desk.layout.inputs.labels
    assert again.labels == rules.labels and again.source == rules.source and again.intervals == 96
    assert np.array_equal(again.day(values, labels).expected, rules.day(values, labels).expected)


def test_the_rule_alone_keeps_the_firm_exchange_that_held_set_points_break(planned):
    day, _, rules, rolling = planned
    truth = came(day, seed=5)
    alone, followed = rule_only(rolling, rules, truth)
    held = no_redispatch(rolling, truth)

    def off_kwh(settled):
        entries = [j for j, label in enumerate(rolling.desk.layout.columns.labels)
                   if label.device.endswith("_tie") and label.quantity.startswith("deviation_")]
        return 0.25 * np.abs(settled.columns[:, entries]).sum()

    # 156 kWh of deviation beside 769: microgrids help the feeder beyond their firm exchange where its load would be shed.
    assert off_kwh(alone) < 0.21 * off_kwh(held)
    program = compiled(day.case, Horizon(96, 0.25, held=True), cache_dir=None)
    assert perfect_foresight(rolling, program, truth).total <= alone.total + 1e-6
    assert rule_distance_kwh(rolling, rules, followed, followed) == 0.0
    assert rule_distance_kwh(rolling, rules, followed, rolling.held.set_points) > 1.0


def test_rules_that_nothing_moves_are_the_plan_held(planned):
    day, _, rules, rolling = planned
    still = replace(rules, gain=rules.gain * 0.0)
    truth = came(day, seed=2)
    alone, _ = rule_only(rolling, still, truth)
    assert alone.total == pytest.approx(no_redispatch(rolling, truth).total, rel=1e-9)


def test_rules_are_published_and_a_row_that_cannot_be_followed_is_caught(planned):
    day, plan, rules, _ = planned
    table = rule_table(plan.desk, rules, "run")
    case = day.case
    assert table.num_rows > 500 and not check_contract(TABLES["affine_rule"], table) and not check_rules(case, table)
    names = list(zip(table["deviation"].to_pylist(), table["device"].to_pylist(), strict=True))
    assert all(deviation[:3] == device[:3] for deviation, device in names), "a microgrid follows its own"
    row = names.index(("mg1_wind+", "mg1_wind"))
    k = rules.names.index(f"mg1_wind[{table['step'][row]}]+")
    curtailed = plan.desk.program.column_names.index(f"mg1_wind.curtailed_kw[{table['step'][row]}]")
    assert table["value"][row].as_py() == pytest.approx(plan.policy.rule[[curtailed]].toarray()[0, k])
    place = table.schema.get_field_index("lag_count")
    for lag in (-1, 1):
        moved = pc.cast(pc.add(table["lag_count"], lag), table.schema.field(place).type)
        assert f"{lag} steps back" in check_rules(case, table.set_column(place, table.schema.field(place), moved))[0].message
    for column, word in (("device", "mg9_wind"), ("deviation", "mg9_wind+")):
        wrong = table.set_column(table.schema.get_field_index(column), table.schema.field(column),
                                 pa.array([word] * table.num_rows, table.schema.field(column).type))
        assert word.rstrip("+") in check_rules(case, wrong)[0].message
    assert rule_table(plan.desk, None, "run").num_rows == 0
