"""What a gate refuses is decided again by what stands in, published with its reason, and whoever comes after starts from it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from pipeline.core.errors import GateFailed
from pipeline.stages import deciding, refusing, validating
from pipeline.stages import redispatching as rolling
from pipeline.store.cache import ArrayCache
from tests.whole_day import at_home, copied, published, run_day_ahead, run_real_time, table

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


TINY = {"case": "tiny", "method": "deterministic"}
MAKERS = {"day_ahead": (deciding, "day_ahead_tables"), "real_time": (rolling, "real_time_tables")}


def plant_in(patch: pytest.MonkeyPatch, product: str, count: int) -> list[int]:
    """So many faults from now on; gives how many are left."""
    times = [count]
    module, name = MAKERS[product]
    patch.setattr(module, name, with_a_fault(getattr(module, name), times))
    return times


@pytest.fixture(autouse=True, scope="module")
def _by_arrays() -> Iterator[None]:
    """Which checker holds tables to their declarations is no matter here, and arrays are quick."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(validating, "_CHECKERS", {"day_ahead": "arrays", "real_time": "arrays"})
        yield


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, int], list[int]]:
    return partial(plant_in, monkeypatch)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory, _by_arrays: None) -> tuple[Path, dict[str, Any]]:
    """A home with the schedule of the day, and what it says."""
    home = tmp_path_factory.mktemp("sound")
    return home, run_day_ahead(home, **TINY)


@pytest.fixture(scope="module")
def refused(tmp_path_factory: pytest.TempPathFactory, _by_arrays: None) -> tuple[Path, dict[str, Any]]:
    """A home whose schedule was refused once, and what it says."""
    home = tmp_path_factory.mktemp("refused")
    with pytest.MonkeyPatch.context() as patch:
        plant_in(patch, "day_ahead", 1)
        return home, run_day_ahead(home, **TINY)


def said(result: dict[str, Any], check: str = "fallback") -> list[str]:
    return [f"{row['severity']} {row['place']}: {row['message']}" for row in result["findings"] if row["check"] == check]


def test_a_schedule_that_a_gate_refuses_is_stood_in_for(tmp_path: Path, refused: tuple[Path, dict[str, Any]]) -> None:
    home, found = copied(refused[0], tmp_path / "home"), refused[1]
    assert found["status"] == "degraded" and found["published"]
    assert len(said(found)) == 1 and said(found)[0].startswith("warning schedule: a gate refused what was decided (table ")
    assert said(found)[0].endswith("devices at rest are held within the limits")
    with at_home(home) as opened:
        record = opened.warehouse.run(found["run_id"])
    assert record is not None and (record.parameters["rung"], record.parameters["refused_rung"]) == (2, 0)
    kept = home / "runs" / found["run_id"]
    assert f"its tables are kept as runs/{found['run_id']}/*_refused.parquet" in said(found)[0]
    assert (kept / "schedule_refused.parquet").is_file() and not (kept / "policy.arrays").exists()
    # What is published passes the gates by itself, and the next stage starts from it.
    after = run_real_time(home, **TINY, steps="1:4")
    assert after["status"] in ("done", "degraded") and said(after) == []


def test_under_a_treatment_the_deterministic_schedule_stands_in(tmp_path: Path, planted: Callable[[str, int], list[int]],
                                                               sound: tuple[Path, dict[str, Any]]) -> None:
    planted("day_ahead", 1)
    found = run_day_ahead(tmp_path, case="tiny", method="affine")
    assert said(found)[0].endswith("the deterministic schedule of the mean forecast is used")
    assert found["objective"] == pytest.approx(sound[1]["objective"])
    assert table(tmp_path, "affine_rule", variant="default~affine").num_rows == 0
    assert ArrayCache(tmp_path / "runs" / found["run_id"]).load("policy") is None, "the re-dispatch must not follow refused rules"


def test_what_stands_in_may_be_refused_in_its_turn(tmp_path: Path, planted: Callable[[str, int], list[int]]) -> None:
    planted("day_ahead", 2)
    found = run_day_ahead(tmp_path, case="tiny", method="affine")
    assert "; then table " in said(found)[0] and said(found)[0].endswith("devices at rest are held within the limits")


def test_a_re_dispatch_that_a_gate_refuses_holds_the_schedule(tmp_path: Path, planted: Callable[[str, int], list[int]],
                                                             sound: tuple[Path, dict[str, Any]]) -> None:
    planted("real_time", 1)
    found = run_real_time(copied(sound[0], tmp_path / "home"), **TINY)
    assert found["status"] == "degraded" and found["published"]
    assert len(said(found)) == 1 and said(found)[0].startswith("warning steps 1 to 96: a gate refused what was decided (table ")
    assert found["kpis"]["rolling_cost"] == pytest.approx(found["kpis"]["no_redispatch_cost"], rel=5e-3), "held at what was expected"


def test_the_next_quarter_hour_starts_from_what_was_published(tmp_path: Path, planted: Callable[[str, int], list[int]],
                                                             sound: tuple[Path, dict[str, Any]]) -> None:
    home = copied(sound[0], tmp_path / "home")
    planted("real_time", 1)
    first = run_real_time(home, **TINY, steps="1:8")
    assert said(first)[0].startswith("warning steps 1 to 8: ")
    second = run_real_time(home, **TINY, steps="9:9")
    assert said(second) == []
    kept = [ArrayCache(home / "runs" / one["run_id"]).load("dispatched") for one in (first, second)]
    assert kept[0] is not None and kept[1] is not None
    assert np.array_equal(kept[0][0]["columns"], kept[1][0]["columns"][:8])


@pytest.mark.parametrize("product", MAKERS)
def test_where_nothing_stands_in_any_more_both_causes_are_said(tmp_path: Path, planted: Callable[[str, int], list[int]], product: str,
                                                              sound: tuple[Path, dict[str, Any]]) -> None:
    home, asked = tmp_path / "home", dict(TINY)
    run = {"day_ahead": run_day_ahead, "real_time": run_real_time}[product]
    if product == "real_time":
        copied(sound[0], home)
        asked["steps"] = "1:4"
    before = published(home)
    times = planted(product, 9)
    with pytest.raises(GateFailed) as caught:
        run(home, **asked)
    assert [str(one) for one in caught.value.mistakes if "this stood in for what was refused before: table " in str(one)]
    assert times[0] == 9 - 2, "twice decided: as asked for, and by what stands in"
    assert published(home) == before
    # The same again ends the same, from what is recorded: nothing is decided as asked for once more.
    with pytest.raises(GateFailed, match="this stood in for"):
        run(home, **asked)


def test_what_was_decided_from_is_no_fault_of_the_schedule(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = validating._written

    def damaged(run: Any) -> Tables:
        tables = written(run)
        forecasts = tables["forecasts"]
        place = forecasts.schema.get_field_index("lead")
        before_its_issue = pa.array([-15] * len(forecasts), forecasts.schema.field(place).type)
        tables["forecasts"] = forecasts.set_column(place, forecasts.schema.field(place), before_its_issue)
        return tables

    monkeypatch.setattr(validating, "_written", damaged)
    monkeypatch.setattr(validating, "_DECIDES", {"day_ahead": lambda run_id: pytest.fail("decided again from the same forecasts")})
    with pytest.raises(GateFailed, match="table forecasts") as caught:
        run_day_ahead(tmp_path, **TINY)
    assert "stood in" not in str(caught.value)


@pytest.mark.parametrize("where", ["refuse", "keep"])
def test_stopped_after_a_refusal_it_goes_on_to_the_same_bytes(tmp_path: Path, planted: Callable[[str, int], list[int]],
                                                             monkeypatch: pytest.MonkeyPatch, where: str,
                                                             refused: tuple[Path, dict[str, Any]]) -> None:
    whole = refused[1]
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
        run_day_ahead(tmp_path / "stopped", **TINY)
    monkeypatch.setattr(validating, "refuse", refusing.refuse)
    monkeypatch.setattr(deciding, "keep", refusing.keep)
    again = run_day_ahead(tmp_path / "stopped", **TINY)
    assert again["run_id"] == whole["run_id"] and said(again) == said(whole)
    for name in ("schedule", "findings", "states"):
        one, other = (table(home, name) for home in (refused[0], tmp_path / "stopped"))
        assert one.equals(other), name
