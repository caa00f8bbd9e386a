"""The DAG files: they load, are short, and import nothing heavy."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DAGS = sorted((ROOT / "dags").glob("*.py"))

LOAD = """
import json, sys
sys.path.insert(0, "tools")
import os
from airflow_env import airflow_environment
os.environ.update(airflow_environment())
from airflow.dag_processing.dagbag import DagBag
bag = DagBag(dag_folder="dags")
heavy = sorted(set(sys.modules) & {"pyomo", "pandas", "statsmodels", "great_expectations", "plotly", "highspy", "pipeline.stages"})
print("RESULT" + json.dumps({"errors": bag.import_errors, "docs": {d.dag_id: bool(d.doc_md) for d in bag.dags.values()}, "heavy": heavy,
    "tasks": {d.dag_id: d.task_ids for d in bag.dags.values()}}))
"""


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    home = tmp_path_factory.mktemp("airflow")
    environment = {**os.environ, "AIRFLOW_HOME": str(home), "HOME": str(home)}
    done = subprocess.run([sys.executable, "-c", LOAD], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    line = next(text for text in done.stdout.splitlines() if text.startswith("RESULT"))
    return json.loads(line.removeprefix("RESULT"))


@pytest.mark.airflow
def test_every_dag_loads_with_its_manual(loaded: dict[str, object]) -> None:
    assert loaded["errors"] == {}
    assert loaded["docs"] == {"ingest": True, "day_ahead": True, "real_time": True, "study": True}
    assert loaded["tasks"]["day_ahead"] == ["observe", "forecast", "reduce", "decide", "validate", "publish"]  # type: ignore[index]


@pytest.mark.airflow
def test_reading_a_dag_file_imports_nothing_heavy(loaded: dict[str, object]) -> None:
    assert "pipeline.stages" not in loaded["heavy"]  # type: ignore[operator]
    assert not {"pyomo", "statsmodels", "great_expectations", "highspy"} & set(loaded["heavy"])  # type: ignore[call-overload]


@pytest.mark.parametrize("path", DAGS, ids=lambda path: path.stem)
def test_a_dag_is_a_table_of_contents(path: Path) -> None:
    """Standard library and airflow.sdk at the top; the stages inside tasks only."""
    tree = ast.parse(path.read_text())
    top = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {node.module if isinstance(node, ast.ImportFrom) else node.names[0].name for node in top}
    assert names <= {"__future__", "datetime", "typing", "airflow.sdk", "market_clock"}
    code = [line for line in path.read_text().split('"""', 2)[2].splitlines() if line.strip()]
    assert len(code) <= 60
