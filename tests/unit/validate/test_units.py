"""Gates of commitments, ramps and lines: the tables of a whole day of islands pass, and an altered cell is named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from pipeline.schedule.read_out import day_ahead_tables, real_time_tables
from pipeline.validate.context import Bound, Context
from pipeline.validate.gates import check_stage
from tests.unit.schedule.island import Island, opened

Tables = Mapping[str, pa.Table]


@pytest.fixture(scope="module")
def island() -> Island:
    return opened()


@pytest.fixture(scope="module")
def day(island: Island) -> dict[str, tuple[dict[str, pa.Table], Context]]:
    """Tables and context of both stages of one day."""
    plan = island.plan()
    rolling = island.rolling(plan)
    found = island.whole_day(rolling)
    before = {tuple(name.replace("_before", "").split(".", 1)): float(value)
              for name, value in zip(rolling.start.names, rolling.start.values, strict=True)}
    truth, forecast = island.truth(error=0.03, seed=1), island.truth()
    names = truth.series

    def context(values: Any, scenario: str, **more: Any) -> Context:
        return Context(values={scenario: dict(zip(names, values.values, strict=True))}, before=before, **more)  # type: ignore[arg-type]

    schedule = day_ahead_tables(plan, "da-1")
    ahead = context(forecast, "expected", objective=plan.objective)
    return {
        "day_ahead": (schedule, ahead),
        "real_time": (real_time_tables(found, "rt-1"), context(truth, "settled", parents={"schedule": schedule["schedule"]})),
    }


def mistakes(island: Island, tables: Tables, context: Context, stage: str) -> list[str]:
    found, _ = check_stage(island.case, tables, day=island.day, product=stage, context=context, contracts=None)
    return [f"{one.place}: {one.message}" for one in found]


@pytest.mark.parametrize("stage", ["day_ahead", "real_time"])
def test_a_day_without_a_market_passes_every_gate(island: Island, day: Any, stage: str) -> None:
    tables, context = day[stage]
    assert mistakes(island, tables, context, stage) == []
    assert tables["commitments"].num_rows == 2 * (24 if stage == "day_ahead" else 96)
    costs = dict(zip(tables["costs"]["term"].to_pylist(), tables["costs"]["value"].to_pylist(), strict=True))
    assert costs["commitment_cost"] == pytest.approx(120) and costs["transmission_cost"] > 0
    assert (costs["deviation_cost"] > 0) == (stage == "real_time"), "leaving the expected exchange costs in real time only"


def altered(tables: Tables, name: str, column: str, change: Any, **where: Any) -> dict[str, pa.Table]:
    """The tables with one cell changed: the row that matches `where`."""
    rows = tables[name].to_pylist()
    row = next(row for row in rows if all(row[key] == value for key, value in where.items()))
    row[column] = change(row[column])
    return {**tables, name: pa.Table.from_pylist(rows, schema=tables[name].schema)}


CELLS: dict[str, tuple[str, str, Any, dict[str, Any], str]] = {
    "on": ("commitments", "on", lambda on: not on, {"device": "dg2", "step": 40}, "table commitments"),
    "on_share": ("commitments", "on_share", lambda share: share - 0.01, {"device": "dg1", "step": 7}, "neither 0 nor 1"),
    "start": ("commitments", "start", lambda start: not start, {"device": "dg2", "step": 40}, "does not agree with `on`"),
    "stop": ("commitments", "stop", lambda stop: not stop, {"device": "dg2", "step": 81}, "does not agree with `on`"),
    "hours": ("states", "value", lambda hours: hours + 1, {"device": "dg2", "quantity": "in_state_h", "step": 50}, "the commitments make"),
    "line's state": ("states", "value", lambda kw: kw + 1, {"device": "l_mg1_mg2", "quantity": "exchange_kw", "step": 9}, "dispatch shows"),
    "forward": ("dispatch", "value", lambda kw: kw + 1, {"device": "l_mg1_mg2", "quantity": "forward_kw", "step": 30}, "forward less"),
    "transmission": ("costs", "value", lambda cost: cost + 1, {"term": "transmission_cost"}, "quantities times prices make"),
    "commitment": ("costs", "value", lambda cost: cost + 60, {"term": "commitment_cost"}, "quantities times prices make"),
    "deviation": ("costs", "value", lambda cost: cost + 1, {"term": "deviation_cost"}, "quantities times prices make"),
}


@pytest.mark.parametrize("cell", CELLS)
def test_an_altered_cell_is_named(island: Island, day: Any, cell: str) -> None:
    name, column, change, where, words = CELLS[cell]
    tables, context = day["real_time"]
    assert any(words in one for one in mistakes(island, altered(tables, name, column, change, **where), context, "real_time"))


def test_a_missing_row_of_a_unit_is_named(island: Island, day: Any) -> None:
    tables, context = day["real_time"]
    kept = tables["commitments"].filter(pa.array(np.arange(192) != 100))
    assert any("row is missing" in one for one in mistakes(island, {**tables, "commitments": kept}, context, "real_time"))


def test_a_unit_that_starts_again_too_soon_is_named(island: Island, day: Any) -> None:
    """Off from the first hour to the seventh: on for a quarter-hour between breaks the least time on, and then the one off."""
    tables, context = day["real_time"]
    rows = tables["commitments"].to_pylist()
    for row in rows:
        if row["device"] == "dg2" and row["step"] in (10, 11):
            on = row["step"] == 10
            row |= {"on": on, "on_share": float(on), "start": on, "stop": not on}
    broken = {**tables, "commitments": pa.Table.from_pylist(rows, schema=tables["commitments"].schema)}
    assert any("changes before 3 h on or 3 h off are over" in one for one in mistakes(island, broken, context, "real_time"))


@pytest.mark.parametrize(("quantity", "value", "excused"), [
    ("out", 0.0, 1), ("limit_high_kw", 100.0, 1), ("limit_high_kw", 500.0, 0), ("set_point_kw", 400.0, 0), ("limit_low_kw", 0.0, 0)])
def test_only_a_word_that_forces_a_unit_off_excuses_a_short_time_on(
        island: Island, day: Any, quantity: str, value: float, excused: int) -> None:
    """On at step 10 alone: too early after a stop, which nothing excuses, and stopped too early at step 11."""
    tables, context = day["real_time"]
    rows = tables["commitments"].to_pylist()
    for row in rows:
        if row["device"] == "dg2" and row["step"] <= 12:
            row |= {"on": row["step"] in (1, 10), "on_share": float(row["step"] in (1, 10))}
    broken = {**tables, "commitments": pa.Table.from_pylist(rows, schema=tables["commitments"].schema)}
    word = Bound("dg2", quantity, value, int(island.day.starts(15)[9]), int(island.day.starts(15)[11]))

    def short(known: Context) -> int:
        return sum("changes before" in one for one in mistakes(island, broken, known, "real_time"))

    plain = short(context)
    assert plain >= 2 and short(replace(context, overrides=(word,))) == plain - excused


def test_a_jump_beyond_the_ramp_is_named(island: Island, day: Any) -> None:
    tables, context = day["real_time"]
    rows = tables["dispatch"].to_pylist()
    for row in rows:
        if row["step"] == 50 and row["quantity"] == "injection" and row["device"] in ("dg1", "d_mg1"):
            row["value"] += 200 if row["device"] == "dg1" else -200
    broken = {**tables, "dispatch": pa.Table.from_pylist(rows, schema=tables["dispatch"].schema)}
    assert any("breaks the ramp" in one and "dg1" in one for one in mistakes(island, broken, context, "real_time"))
