"""# Day-ahead schedule

Every day at the issue time (11:00 local by default) for the next delivery day: forecast, scenarios, schedule, gates, publish.

- **red at `decide`**: no schedule; the log names the rows and inputs that conflict. The last published schedule stays current.
- **red at `validate`**: a gate refused the schedule and what stood in for it; nothing was published. The log names table and row.
- **green, but degraded**: published with findings of severity warning; see the report or `feederflow status`. `fallback`: another schedule
  stands in, because no program answered or a gate refused what it gave.

Clearing a task is safe: runs are immutable and named by what they read.
Manual runs and backfills: `{"case": "...", "date": "2016-06-15", "variant": null, "method": null, "as_of": null, "issued": null}`.
A run that begins after the issue time, where no schedule was published, knows what is known then.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from airflow.sdk import Param, dag, task
from market_clock import DayAheadIssue

DEFAULT_CASE = "networked_microgrids_66_simbench"


@dag(
    schedule=DayAheadIssue(time_zone="Europe/Berlin", issue_local="11:00"),
    start_date=datetime(2016, 1, 1),
    catchup=False,
    max_active_runs=1,
    doc_md=__doc__,
    params={
        "case": Param(DEFAULT_CASE, type="string", description="case folder name"),
        "date": Param(None, type=["null", "string"], description="delivery date; default: the day after the run's, or the case's own"),
        "variant": Param(None, type=["null", "string"], description="variant of the case"),
        "method": Param(None, type=["null", "string"], description="deterministic, stochastic, cvar, wasserstein, box_robust, affine"),
        "as_of": Param(None, type=["null", "string"], description="read nothing known later than this"),
        "issued": Param(None, type=["null", "string"], description="when the schedule is issued: now, or an ISO time"),
    },
)
def day_ahead() -> None:
    @task
    def observe(params: dict[str, str | None] | None = None, dag_run: Any = None) -> str:
        from pipeline import stages

        return stages.open_day_ahead(stages.request(params or {}, dag_run=dag_run))

    @task
    def forecast(run: str) -> str:
        from pipeline import stages

        return stages.forecast(run)

    @task
    def reduce(run: str) -> str:
        from pipeline import stages

        return stages.scenarios(run)

    @task
    def decide(run: str) -> str:
        from pipeline import stages

        return stages.schedule(run)

    @task
    def validate(run: str) -> str:
        from pipeline import stages

        return stages.validate(run)

    @task
    def publish(run: str) -> str:
        from pipeline import stages

        return stages.publish(run)

    publish(validate(decide(reduce(forecast(observe())))))


day_ahead()
