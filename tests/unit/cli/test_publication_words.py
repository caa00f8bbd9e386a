"""A run that is not published says so first; real time never follows a plan of other equipment; a folder case works from anywhere."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.publish.ranking import worst_first
from pipeline.stages.results import describe

ROOT = Path(__file__).resolve().parents[3]


def command(home: Path, where: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "FEEDERFLOW_HOME": str(home), "PYTHONPATH": str(ROOT)}
    full = [sys.executable, "-m", "pipeline.cli", *words]
    return subprocess.run(full, cwd=where, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def edited(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A case folder with a published day-ahead schedule, whose battery is enlarged afterwards."""
    folder = tmp_path_factory.mktemp("cases") / "tiny_copy"
    shutil.copytree(ROOT / "pipeline" / "data" / "cases" / "tiny", folder)
    text = (folder / "case.yaml").read_text()
    (folder / "case.yaml").write_text(text.replace("name: tiny", "name: tiny_copy"))
    home = tmp_path_factory.mktemp("home")
    first = command(home, folder, "day-ahead", ".", "--method", "deterministic", "--json")
    assert first.returncode == 0, first.stderr
    rows = (folder / "store.csv").read_text()
    assert "300" in rows
    (folder / "store.csv").write_text(rows.replace("300", "600", 1))
    return folder, home


def test_a_run_that_is_not_published_says_so_first_and_ends_with_2(edited: tuple[Path, Path]) -> None:
    folder, home = edited
    again = command(home, folder, "day-ahead", ".", "--method", "deterministic")
    assert again.returncode == 2
    assert "NOT PUBLISHED" in again.stdout.splitlines()[0]
    assert "--replace" in again.stdout and "report" not in again.stdout


def test_real_time_refuses_a_plan_of_other_equipment(edited: tuple[Path, Path]) -> None:
    folder, home = edited
    refused = command(home, folder, "real-time", ".", "--method", "deterministic", "--steps", "1:2")
    assert refused.returncode == 2
    assert "other equipment" in refused.stderr and "--replace" in refused.stderr


def test_a_case_given_by_its_folder_works_from_another_folder(edited: tuple[Path, Path], tmp_path: Path) -> None:
    folder, home = edited
    assert command(home, folder, "day-ahead", ".", "--method", "deterministic", "--replace").returncode == 0
    done = command(home, tmp_path, "real-time", str(folder), "--method", "deterministic", "--steps", "1:2", "--json")
    assert done.returncode in (0, 5), done.stderr
    assert json.loads(done.stdout)["published"]


def test_the_worst_finding_is_the_one_with_the_worst_consequence() -> None:
    rows = [
        {"severity": "warning", "check": "ac_loading", "place": "b1", "message": "loaded at 145 %", "value": 1.45, "limit": 1.0},
        {"severity": "info", "check": "slack_used", "place": "x", "message": "", "value": 9.0, "limit": 0.0},
        {"severity": "warning", "check": "slack_used", "place": "village", "message": "shed", "value": 37000.0, "limit": 0.0},
        {"severity": "warning", "check": "ac_loading", "place": "b2", "message": "loaded at 200 %", "value": 2.0, "limit": 1.0},
    ]
    assert [row["place"] for row in worst_first(rows)] == ["village", "b2", "b1", "x"]


def test_a_day_of_which_values_are_missing_says_so_first() -> None:
    result = {
        "case": "c", "variant": "v", "delivery_date": "2016-06-15", "product": "real_time", "status": "done", "published": True,
        "objective": 3616.0, "gap": 0.0, "method": "deterministic", "run_id": "rt-1", "currency": "EUR",
        "kpis": {"unsettled_intervals": 24.0}, "findings": [], "files": ["/published/a"], "report": "/r.html", "seconds": 1.0,
    }
    lines = describe(result).splitlines()
    assert lines[0] == "c (v), 2016-06-15: PROVISIONAL, 24 quarter-hours not settled; good so far"
    assert lines[1].split() == ["provisional", "cost", "3616.00", "EUR", "run", "rt-1"]
    settled = describe({**result, "kpis": {"unsettled_intervals": 0.0}}).splitlines()
    assert settled[0].endswith(": good") and settled[1].startswith("settled cost  ")


def test_ten_lines_name_no_report_of_another_run() -> None:
    result = {
        "case": "c", "variant": "v", "delivery_date": "2016-06-15", "product": "day_ahead", "status": "done", "published": False,
        "objective": 1.0, "gap": 0.0, "method": "deterministic", "run_id": "da-1", "currency": "EUR", "kpis": {},
        "findings": [], "files": [], "report": "/old.html", "seconds": 1.0,
    }
    assert "/old.html" not in describe(result)
