"""The same day gives the same bytes: in another home, in another process, and in however many pieces real time is asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.tables import TABLES
from tests.whole_day import copied, published, run_day, run_day_ahead, run_real_time, shell_json, table


@pytest.fixture(scope="module")
def first_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("first")
    assert run_day(home, case="tiny")["status"] == "done"
    return home


def test_another_home_and_another_process_publish_the_same_bytes(first_home: Path, tmp_path: Path) -> None:
    result = shell_json("run", "tiny", home=tmp_path)
    assert result["status"] == "done"
    here, there = published(first_home), published(tmp_path)
    assert sorted(here) == sorted(there)
    assert [path for path in here if here[path] != there[path]] == []
    assert sum(path.endswith(".parquet") for path in here) >= 12


def test_the_costs_of_the_scenarios_span_the_expected_one(first_home: Path) -> None:
    figures = {row["kpi"]: row["value"] for row in table(first_home, "kpis").to_pylist() if row["stage"] == "day_ahead"}
    costs = {(row["stage"], row["term"]): row["value"] for row in table(first_home, "costs").to_pylist()}
    assert figures["scenario_cost_lowest"] < costs["day_ahead", "total"] < figures["scenario_cost_highest"]


def test_the_same_day_again_in_one_home_changes_nothing(first_home: Path) -> None:
    before = published(first_home)
    written = {path: (first_home / path).stat().st_mtime_ns for path in before if path.endswith(".parquet")}
    again = run_day(first_home, case="tiny")
    assert published(first_home) == before
    assert {path: (first_home / path).stat().st_mtime_ns for path in written} == written
    assert again["first"]["published"] and again["second"]["published"]


def test_a_day_in_pieces_is_the_day_in_one(tmp_path: Path) -> None:
    """Run ids differ, and figures of the whole day wait for its last piece; every decided and settled value is the same."""
    base = tmp_path / "base"
    asked = {"case": "tiny", "variant": "deterministic"}
    run_day_ahead(base, **asked)
    whole, pieces = copied(base, tmp_path / "whole"), copied(base, tmp_path / "pieces")
    run_real_time(whole, **asked)
    for steps in ("1:40", "41:41", "42:96"):
        assert run_real_time(pieces, **asked, steps=steps)["published"]
    for name in ("dispatch", "settlement", "states", "bus_state", "branch_state", "prices", "commitments", "forecasts", "costs", "kpis"):
        one, many = (table(home, name).drop_columns(["run_id"]) for home in (whole, pieces))
        assert one.equals(many), name
        assert set(TABLES[name].key) <= set(one.column_names)
