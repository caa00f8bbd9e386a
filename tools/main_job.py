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


def run_dag(name: str, conf: dict[str, object]) -> bool:
    """One DAG run in this process; True when every task succeeded."""
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(dag_folder=str(ROOT / "dags" / f"{name}.py"))
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
    warnings.simplefilter("ignore", DeprecationWarning)  # of Airflow's own dependencies; nothing a user can mend
    conf: dict[str, object] = {"case": case, "date": date}
    for name, what in (("ingest", "histories"), ("day_ahead", "day-ahead schedule"), ("real_time", "quarter-hours of the day")):
        with console.status(f"{what} (Airflow DAG {name})"):
            done = run_dag(name, conf)
        console.print(f"{'done  ' if done else 'FAILED'} {what}")
        if not done:
            console.print(f"The log of each task is in {os.environ['AIRFLOW_HOME']}/logs.")
            return 3
    from pipeline import stages

    result = stages.published_result(stages.request(conf))
    sys.stdout.write(stages.describe(result) + "\n")
    return 5 if result["status"] == "degraded" else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
