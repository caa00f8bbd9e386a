"""# Ingest

Reads every source of a case into the warehouse: shipped series, drop folder, SQL. Runs every quarter-hour.
Content that was read before is skipped; refused input changes nothing in the store, and the task's log names file, row,
column, value and remedy. Mend the file and let the next run read it; nothing needs to be undone.
"""

from __future__ import annotations

from datetime import datetime

from airflow.sdk import Param, dag, task

DEFAULT_CASE = "networked_microgrids_66_simbench"


@dag(
    schedule="*/15 * * * *",
    start_date=datetime(2016, 1, 1),
    catchup=False,
    max_active_runs=1,
    doc_md=__doc__,
    params={
        "case": Param(DEFAULT_CASE, type="string", description="case to ingest for"),
        "date": Param(None, type=["null", "string"], description="unused here; lets one configuration serve all DAGs"),
    },
)
def ingest() -> None:
    @task
    def read_sources(params: dict[str, str] | None = None) -> str:
        from pipeline import stages

        assert params is not None
        return stages.ingest(params["case"])

    read_sources()


ingest()
