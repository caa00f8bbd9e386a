"""The main job and the study as Airflow runs them, each in a process with an Airflow and a home of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.whole_day import published

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.airflow

EVALUATION = """\
kind: evaluation
title: Two treatments
case: tiny
variant: reference
held_out_count: 3
treatments:
  plain: {kind: deterministic}
  mean: {kind: stochastic, draw_count: 30, representative_count: 3}
"""
STUDY = """
import sys
sys.path.insert(0, "tools")
import main_job
main_job.prepare()
sys.exit(1 if main_job.run_dag("study", {"study": sys.argv[1]}) else 0)
"""


@pytest.fixture(scope="module")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An Airflow home, migrated once."""
    return tmp_path_factory.mktemp("airflow")


def python(*arguments: str, airflow: Path, home: Path, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "AIRFLOW_HOME": str(airflow), "FEEDERFLOW_HOME": str(home), "HOME": str(airflow), **more}
    return subprocess.run([sys.executable, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True)


def test_the_main_job_prints_a_dozen_lines(airflow: Path, tmp_path: Path) -> None:
    done = python("tools/main_job.py", "tiny", airflow=airflow, home=tmp_path)
    assert done.returncode in (0, 5), done.stderr
    lines = done.stdout.strip().splitlines()
    assert len(lines) <= 12
    assert lines[0] == f"tiny (default), 2016-06-15: {'good' if done.returncode == 0 else 'DEGRADED'}"
    said = {line[:22].strip(): line[22:].strip() for line in lines[1:]}
    assert {"settled cost", "perfect foresight", "worst finding", "report", "Parquet"} <= set(said)
    assert "above" in said["perfect foresight"]
    assert Path(said["report"]).is_file() and str(tmp_path) in said["report"]
    assert Path(said["Parquet"].split("  ")[0]) == tmp_path / "published"
    assert sum(path.endswith(".parquet") for path in published(tmp_path)) >= 12
    assert "done   day-ahead schedule" in done.stderr and "done   quarter-hours of the day" in done.stderr


def test_the_study_maps_its_days(airflow: Path, tmp_path: Path) -> None:
    done = python("-c", STUDY, "tiny_three_days", airflow=airflow, home=tmp_path)
    assert done.returncode == 0, done.stderr
    rows = pq.read_table(tmp_path / "studies" / "tiny_three_days" / "days.parquet").to_pylist()
    assert [row["delivery_date"] for row in rows] == ["2016-06-15", "2016-06-16", "2016-06-17"]
    assert all(row["perfect_foresight_cost"] <= row["rolling_cost"] + 1e-6 for row in rows)


def test_a_day_ahead_that_fails_ends_the_job_with_its_message(airflow: Path, tmp_path: Path) -> None:
    """A case that loads and cannot be planned: its histories do not reach the asked day."""
    done = python("tools/main_job.py", "tiny", "2017-06-15", airflow=airflow, home=tmp_path)
    assert done.returncode == 2
    assert "FAILED day-ahead schedule\ntask forecast: case tiny, series f01_load: no observation was known" in done.stderr
    assert "quarter-hours of the day" not in done.stderr
    assert not (tmp_path / "published").exists()


def test_the_study_maps_days_under_treatments(airflow: Path, tmp_path: Path) -> None:
    file = tmp_path / "two_treatments.yaml"
    file.write_text(EVALUATION)
    done = python("-c", STUDY, str(file), airflow=airflow, home=tmp_path)
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "studies" / "two_treatments"
    assert [row["treatment"] for row in pq.read_table(folder / "summary.parquet").to_pylist()] == ["mean", "plain"]
    assert (folder / "report.html").is_file()
