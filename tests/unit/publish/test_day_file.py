"""The day file of a chain of real-time runs: of what was decided again, the later word stands."""

from __future__ import annotations

import pyarrow as pa
import pytest

from pipeline.publish.day_file import BrokenChain, Part, _merge, chain_of, tables_of_day
from pipeline.store.lake import Lake
from pipeline.store.warehouse import Warehouse
from pipeline.tables import TABLES
from tests.publication import T0, costs, enter, finding, real_time_run, states


def part(table: pa.Table, first: int, last: int) -> Part:
    return Part(table, frozenset(range(first, last + 1)))


def forecast(run_id: str, issued_at: int, steps: range) -> pa.Table:
    count = len(steps)
    same = {"run_id": run_id, "stage": "real_time", "series": "load", "issued_at": issued_at, "unit": "kW", "model": "ar3_burg"}
    same |= {"mean": 1.0, "sd": 0.1}
    quantiles = {name: [None] * count for name in ("q05", "q10", "q25", "q50", "q75", "q90", "q95")}
    starts = [T0 + 900 * (step - 1) for step in steps]
    return TABLES["forecasts"].build({
        **{name: [value] * count for name, value in same.items()}, **quantiles, "step": list(steps), "lead": list(range(1, count + 1)),
        "valid_from": starts,
    })


def test_a_step_decided_again_loses_all_its_earlier_rows() -> None:
    earlier, later = states("a", (1, 3)), states("b", (2, 2))
    other = earlier.set_column(4, "device", pa.array(["heat_store"] * 3)).cast(earlier.schema)
    merged = _merge(TABLES["states"], [part(pa.concat_tables([earlier, other]), 1, 3), part(later, 2, 2)])
    assert sorted(zip(merged["step"].to_pylist(), merged["device"].to_pylist(), merged["run_id"].to_pylist(), strict=True)) == [
        (1, "battery", "a"), (1, "heat_store", "a"), (2, "battery", "b"), (3, "battery", "a"), (3, "heat_store", "a")]


def test_a_step_that_a_later_run_covers_without_rows_is_empty() -> None:
    merged = _merge(TABLES["states"], [part(states("a", (1, 2)), 1, 2), part(TABLES["states"].empty(), 2, 2)])
    assert merged["step"].to_pylist() == [1]


def test_forecasts_of_different_issue_times_stand_beside_each_other() -> None:
    parts = [part(forecast("a", T0, range(1, 4)), 1, 1), part(forecast("b", T0 + 900, range(2, 5)), 2, 2)]
    assert _merge(TABLES["forecasts"], parts).num_rows == 6
    again = [*parts, part(forecast("c", T0 + 900, range(2, 5)), 2, 2)]
    assert _merge(TABLES["forecasts"], again)["run_id"].to_pylist() == ["a"] * 3 + ["c"] * 3


def test_a_cost_of_the_day_is_the_last_runs() -> None:
    merged = _merge(TABLES["costs"], [part(costs("a", "real_time", 1.0), 1, 1), part(costs("b", "real_time", 3.0), 2, 2)])
    assert merged.to_pylist() == costs("b", "real_time", 3.0).to_pylist()


def test_findings_stay_with_what_was_not_decided_again() -> None:
    parts = [part(finding("a", "real_time", place="step 1"), 1, 1), part(finding("b", "real_time", place="step 2"), 2, 2)]
    assert sorted(_merge(TABLES["findings"], parts)["run_id"].to_pylist()) == ["a", "b"]
    again = [*parts, part(TABLES["findings"].empty(), 2, 2)]
    assert _merge(TABLES["findings"], again)["run_id"].to_pylist() == ["a"]


def test_a_chain_stops_where_the_day_began(warehouse: Warehouse, lake: Lake) -> None:
    enter(warehouse, lake, real_time_run("yesterday", (90, 96), delivery_date="2016-06-14"))
    enter(warehouse, lake, real_time_run("rt-1", (1, 1), ["da-1", "yesterday"]))
    enter(warehouse, lake, real_time_run("rt-2", (2, 2), ["da-1", "rt-1"]))
    assert [run.run_id for run in chain_of(warehouse, "rt-2")] == ["rt-1", "rt-2"]


def test_a_run_that_follows_two_is_refused(warehouse: Warehouse, lake: Lake) -> None:
    for run_id, parents in (("a", []), ("b", []), ("c", ["a", "b"])):
        enter(warehouse, lake, real_time_run(run_id, (1, 1), parents))
    with pytest.raises(BrokenChain, match="one run at most"):
        chain_of(warehouse, "c")


def test_a_home_without_the_runs_is_named(warehouse: Warehouse, lake: Lake) -> None:
    enter(warehouse, lake, real_time_run("a", (1, 1)))
    with pytest.raises(BrokenChain, match="is this the home"):
        tables_of_day(warehouse, Lake(lake.files.full("elsewhere")), ["a"])
