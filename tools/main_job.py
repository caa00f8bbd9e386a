"""The main job through Airflow on SQLite: ingest, day-ahead, all quarter-hours of the day, validated and published.

    python tools/main_job.py [CASE] [DATE]
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

from airflow_env import ROOT, airflow_environment

DEFAULT_CASE = "networked_microgrids_66_simbench"


def prepare() -> None:
    """Airflow's settings and, once, its database."""
    environment = airflow_environment()
    os.environ.update(environment)
    sys.path.insert(0, str(ROOT))
    ready = Path(environment["AIRFLOW_HOME"]) / ".migrated"
    if not ready.exists():
        subprocess.run(
            [sys.executable, "-m", "airflow", "db", "migrate"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        ready.touch()


def run_dag(name: str, conf: dict[str, object]) -> dict[str, BaseException | None]:
    """One DAG run in this process; the failed tasks with what they raised, empty when every task succeeded."""
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(dag_folder=str(ROOT / "dags" / f"{name}.py"))
    if bag.import_errors:
        raise SystemExit("\n".join(bag.import_errors.values()))
    dag, failed = bag.dags[name], dict[str, BaseException | None]()

    def noted(context: Any) -> None:
        failed[context["ti"].task_id] = context.get("exception")

    for task in dag.tasks:
        task.on_failure_callback = [noted]
    run = dag.test(run_conf=conf)
    return failed if failed or str(run.state) in {"success", "DagRunState.SUCCESS"} else {name: None}


def main(arguments: list[str]) -> int:
    case = arguments[0] if arguments else DEFAULT_CASE
    date = arguments[1] if len(arguments) > 1 else None
    from rich.console import Console

    console = Console(stderr=True)
    with console.status("Preparing Airflow's database"):
        prepare()
    logging.disable(logging.INFO)
    warnings.filterwarnings("ignore", module=r"(fastapi|starlette|airflow)\b")  # among Airflow's own parts; nothing a user can mend
    conf: dict[str, object] = {"case": case, "date": date}
    for name, what in (("ingest", "histories"), ("day_ahead", "day-ahead schedule"), ("real_time", "quarter-hours of the day")):
        with console.status(f"{what} (Airflow DAG {name})"):
            failed = run_dag(name, conf)
        console.print(f"{'FAILED' if failed else 'done  '} {what}")
        for task, error in failed.items():
            console.print(f"task {task}: {error or 'ended without a word'}", markup=False, highlight=False, soft_wrap=True)
        if failed:
            return max(getattr(error, "exit_code", 1) for error in failed.values())
    from pipeline import stages

    result = stages.published_result(stages.request(conf))
    sys.stdout.write(stages.describe(result) + "\n")
    return 5 if result["status"] == "degraded" else 0


if __name__ == "__main__":
    code = main(sys.argv[1:])
    from pipeline.cli import leave

    leave(code)
