"""# Study

Re-runs a period: every delivery day (day-ahead, then all its quarter-hours) is one mapped task; days run in parallel, each
from the case's initial state, and every read sees only what was known at its issue time. A failed day can be cleared
alone; finished days are reused, because a run is named by what it read.

Configuration: `{"study": "march_2016"}`, a file of data/studies.
"""

from __future__ import annotations

from datetime import datetime

from airflow.sdk import Param, dag, task


@dag(
    schedule=None,
    start_date=datetime(2016, 1, 1),
    catchup=False,
    max_active_tasks=2,
    doc_md=__doc__,
    params={"study": Param("march_2016", type="string", description="file of data/studies, without .yaml")},
)
def study() -> None:
    @task
    def days(params: dict[str, str] | None = None) -> list[str]:
        from pipeline import stages

        assert params is not None
        return stages.open_study(params["study"])

    @task
    def run_day(day: str, params: dict[str, str] | None = None) -> str:
        from pipeline import stages

        assert params is not None
        return stages.study_day(params["study"], day)

    @task
    def collect(_: list[str], params: dict[str, str] | None = None) -> str:
        from pipeline import stages

        assert params is not None
        return stages.close_study(params["study"])

    collect(run_day.expand(day=days()))


study()
