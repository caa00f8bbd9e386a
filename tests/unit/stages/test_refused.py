"""What a gate refuses is decided again by what stands in, published with its reason, and whoever comes after starts from it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from pipeline.core.errors import GateFailed
from pipeline.stages import deciding, refusing, validating
from pipeline.stages import redispatching as rolling
from pipeline.store.cache import ArrayCache
from tests.whole_day import at_home, run_day_ahead, run_real_time, table

Tables = dict[str, pa.Table]


def with_a_fault(make: Callable[..., Tables], times: list[int]) -> Callable[..., Tables]:
    """The tables of `make`, the first power of schedule or dispatch a kilowatt off as often as `times` counts."""
    def made(*args: Any, **kwargs: Any) -> Tables:
        tables = make(*args, **kwargs)
        if times[0] > 0:
            times[0] -= 1
            name = "dispatch" if "dispatch" in tables else "schedule"
            whole = tables[name]
            values = whole["value"].to_numpy().copy()
            values[whole["quantity"].to_pylist().index("injection")] += 1.0
            tables[name] = whole.set_column(whole.schema.get_field_index("value"), whole.schema.field("value"), pa.array(values))
        return tables
    return made


@pytest.fixture(autouse=True)
def _by_arrays(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which checker holds tables to their declarations is no matter here, and arrays are quick."""
    monkeypatch.setattr(validating, "_CHECKERS", {"day_ahead": "arrays", "real_time": "arrays"})


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, int], list[int]]:
    def plant(product: str, count: int) -> list[int]:
        times = [count]
        module, name = {"day_ahead": (deciding, "day_ahead_tables"), "real_time": (rolling, "real_time_tables")}[product]
        monkeypatch.setattr(module, name, with_a_fault(getattr(module, name), times))
        return times
    return plant


def said(result: dict[str, Any], check: str = "fallback") -> list[str]:
    return [f"{row['severity']} {row['place']}: {row['message']}" for row in result["findings"] if row["check"] == check]


def test_a_schedule_that_a_gate_refuses_is_stood_in_for(tmp_path: Path, planted: Callable[[str, int], list[int]]) -> None:
    planted("day_ahead", 1)
    found = run_day_ahead(tmp_path, case="tiny", method="deterministic")
    assert found["status"] == "degraded" and found["published"]
    assert len(said(found)) == 1 and said(found)[0].startswith("warning schedule: a gate refused what was decided (table ")
    assert said(found)[0].endswith("devices at rest are held within the limits")
    with at_home(tmp_path) as home:
        record = home.warehouse.run(found["run_id"])
    assert record is not None and (record.parameters["rung"], record.parameters["refused_rung"]) == (2, 0)
    kept = tmp_path / "runs" / found["run_id"]
    assert (kept / "schedule_refused.parquet").is_file() and not (kept / "policy.arrays").exists()
    # What is published passes the gates by itself, and the next stage starts from it.
    after = run_real_time(tmp_path, case="tiny", method="deterministic", steps="1:4")
    assert after["status"] in ("done", "degraded") and said(after) == []


def test_under_a_treatment_the_deterministic_schedule_stands_in(tmp_path: Path, planted: Callable[[str, int], list[int]]) -> None:
    planted("day_ahead", 1)
    found = run_day_ahead(tmp_path, case="tiny", method="affine")
    assert said(found)[0].endswith("the deterministic schedule of the mean forecast is used")
    assert found["objective"] == pytest.approx(run_day_ahead(tmp_path, case="tiny", method="deterministic")["objective"])
    assert table(tmp_path, "affine_rule", variant="default~affine").num_rows == 0
    assert ArrayCache(tmp_path / "runs" / found["run_id"]).load("policy") is None, "the re-dispatch must not follow refused rules"


def test_what_stands_in_may_be_refused_in_its_turn(tmp_path: Path, planted: Callable[[str, int], list[int]]) -> None:
    planted("day_ahead", 2)
    found = run_day_ahead(tmp_path, case="tiny", method="affine")
    assert "; then table " in said(found)[0] and said(found)[0].endswith("devices at rest are held within the limits")


def test_a_re_dispatch_that_a_gate_refuses_holds_the_schedule(tmp_path: Path, planted: Callable[[str, int], list[int]]) -> None:
    run_day_ahead(tmp_path, case="tiny")
    planted("real_time", 1)
    found = run_real_time(tmp_path, case="tiny")
    assert found["status"] == "degraded" and found["published"]
    assert len(said(found)) == 1 and said(found)[0].startswith("warning steps 1 to 96: a gate refused what was decided (table ")
    assert found["kpis"]["rolling_cost"] == pytest.approx(found["kpis"]["no_redispatch_cost"], rel=5e-3), "held at what was expected"


def test_the_next_quarter_hour_starts_from_what_was_published(tmp_path: Path, planted: Callable[[str, int], list[int]]) -> None:
    run_day_ahead(tmp_path, case="tiny")
    planted("real_time", 1)
    first = run_real_time(tmp_path, case="tiny", steps="1:40")
    assert said(first)[0].startswith("warning steps 1 to 40: ")
    second = run_real_time(tmp_path, case="tiny", steps="41:41")
    assert said(second) == []
    kept = [ArrayCache(tmp_path / "runs" / one["run_id"]).load("dispatched") for one in (first, second)]
    assert kept[0] is not None and kept[1] is not None
    assert np.array_equal(kept[0][0]["columns"], kept[1][0]["columns"][:40])


@pytest.mark.parametrize(("product", "count"), [("day_ahead", 9), ("real_time", 9)])
def test_where_nothing_stands_in_any_more_both_causes_are_said(tmp_path: Path, planted: Callable[[str, int], list[int]], product: str,
                                                              count: int) -> None:
    asked = {"case": "tiny", "method": "deterministic"}
    run = {"day_ahead": run_day_ahead, "real_time": run_real_time}[product]
    if product == "real_time":
        run_day_ahead(tmp_path, **asked)
        asked["steps"] = "1:4"
    before = sorted(str(path) for path in (tmp_path / "published").rglob("*.parquet"))
    times = planted(product, count)
    with pytest.raises(GateFailed) as caught:
        run(tmp_path, **asked)
    assert [str(one) for one in caught.value.mistakes if "this stood in for what was refused before: table " in str(one)]
    assert times[0] == count - 2, "twice decided: as asked for, and by what stands in"
    assert sorted(str(path) for path in (tmp_path / "published").rglob("*.parquet")) == before
    # The same again ends the same, from what is recorded: nothing is decided as asked for once more.
    with pytest.raises(GateFailed, match="this stood in for"):
        run(tmp_path, **asked)


@pytest.mark.parametrize("where", ["refuse", "keep"])
def test_stopped_after_a_refusal_it_goes_on_to_the_same_bytes(tmp_path: Path, planted: Callable[[str, int], list[int]],
                                                             monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    planted("day_ahead", 1)
    whole = run_day_ahead(tmp_path / "whole", case="tiny", method="deterministic")
    monkeypatch.undo()
    planted("day_ahead", 1)
    calls = [0]

    def stopped(*args: Any, **kwargs: Any) -> Any:
        calls[0] += 1
        if where == "refuse":
            refusing.refuse(*args, **kwargs)
            raise KeyboardInterrupt
        if calls[0] == 2:
            run, tables = args
            refusing.keep(run, {name: tables[name] for name in list(tables)[:3]})
            raise KeyboardInterrupt
        return refusing.keep(*args, **kwargs)

    monkeypatch.setattr(*((validating, "refuse", stopped) if where == "refuse" else (deciding, "keep", stopped)))
    with pytest.raises(KeyboardInterrupt):
        run_day_ahead(tmp_path / "stopped", case="tiny", method="deterministic")
    monkeypatch.setattr(validating, "refuse", refusing.refuse)
    monkeypatch.setattr(deciding, "keep", refusing.keep)
    again = run_day_ahead(tmp_path / "stopped", case="tiny", method="deterministic")
    assert again["run_id"] == whole["run_id"] and said(again) == said(whole)
    for name in ("schedule", "findings", "states"):
        one, other = (table(tmp_path / home, name) for home in ("whole", "stopped"))
        assert one.equals(other), name
