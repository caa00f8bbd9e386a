"""The main job through Airflow on SQLite: ingest, day-ahead, all quarter-hours of the day, validated and published.

    python tools/main_job.py [CASE] [DATE]
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path

from airflow_env import ROOT, airflow_environment

DEFAULT_CASE = "networked_microgrids_66_simbench"


def prepare() -> None:
    """Airflow's settings and, once, its database."""
    environment = airflow_environment()
    os.environ.update(environment)
    ready = Path(environment["AIRFLOW_HOME"]) / ".migrated"
    if not ready.exists():
        subprocess.run(
            [sys.executable, "-m", "airflow", "db", "migrate"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        ready.touch()


def run_dag(name: str, conf: dict[str, object]) -> bool:
    """One DAG run in this process; True when every task succeeded."""
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(dag_folder=str(ROOT / "dags" / f"{name}.py"), include_examples=False)
    if bag.import_errors:
        raise SystemExit("\n".join(bag.import_errors.values()))
    run = bag.dags[name].test(run_conf=conf)
    return str(run.state) in {"success", "DagRunState.SUCCESS"}


def main(arguments: list[str]) -> int:
    case = arguments[0] if arguments else DEFAULT_CASE
    date = arguments[1] if len(arguments) > 1 else None
    from rich.console import Console

    console = Console(stderr=True)
    with console.status("Preparing Airflow's database"):
        prepare()
    logging.disable(logging.INFO)
    conf: dict[str, object] = {"case": case, "date": date}
    for name, what in (("ingest", "histories"), ("day_ahead", "day-ahead schedule"), ("real_time", "quarter-hours of the day")):
        with console.status(f"{what} (Airflow DAG {name})"):
            done = run_dag(name, conf)
        console.print(f"{'done  ' if done else 'FAILED'} {what}")
        if not done:
            console.print(f"The log of each task is in {os.environ['AIRFLOW_HOME']}/logs.")
            return 3
    from pipeline.cli import print_summary

    return print_summary(case, date)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
