"""# Study

Re-runs a period. Of a replay every delivery day (day-ahead, then all its quarter-hours) is one mapped task; of an evaluation
every day under every treatment, planned and met with what it was not planned for. Tasks run in parallel, each from the case's
initial state, and every read sees only what was known at its issue time. A failed task can be cleared alone; what is done is
reused. The last task writes the tables of the study, and for an evaluation its page.

Configuration: `{"study": "march_2016"}`, a file of pipeline/data/studies.
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
    params={"study": Param("march_2016", type="string", description="file of pipeline/data/studies, without .yaml")},
)
def study() -> None:
    @task
    def items(params: dict[str, str] | None = None) -> list[str]:
        from pipeline import stages

        assert params is not None
        return stages.open_study(params["study"])

    @task
    def run_item(item: str, params: dict[str, str] | None = None) -> str:
        from pipeline import stages

        assert params is not None
        return stages.study_day(params["study"], item)

    @task
    def collect(_: list[str], params: dict[str, str] | None = None) -> str:
        from pipeline import stages

        assert params is not None
        return stages.close_study(params["study"])

    collect(run_item.expand(item=items()))


study()
