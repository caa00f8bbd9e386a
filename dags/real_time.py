"""# Real-time re-dispatch

Every quarter-hour: read what became known, re-dispatch the window, settle what has been realised, gates, publish. A step
is decided from what was known before its interval starts. Given a date, a whole delivery day runs inside one task: an
Airflow task costs about a second, a step milliseconds.

- **red at `redispatch`**: the log says why; the set-points published last and the day-ahead schedule stay current.
- **red at `validate`**: a gate refused the dispatch and the schedule that stood in for it; nothing was published.
- **degraded**: time limit, fallback to the day-ahead schedule (no answer, or a gate refused it), or slack used: `feederflow status` lists
  the findings.

Needs a published day-ahead schedule of the same case, variant and delivery date.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from airflow.sdk import Param, dag, task
from market_clock import GateClosure

DEFAULT_CASE = "networked_microgrids_66_simbench"


@dag(
    schedule=GateClosure(lead_min=5),
    start_date=datetime(2016, 1, 1),
    catchup=False,
    max_active_runs=1,
    doc_md=__doc__,
    params={
        "case": Param(DEFAULT_CASE, type="string", description="case folder name"),
        "date": Param(None, type=["null", "string"], description="delivery date; with it all its steps run (or those of `steps`)"),
        "steps": Param(None, type=["null", "string"], description="A:B, inclusive, from 1; default: the next step, or all of `date`"),
        "variant": Param(None, type=["null", "string"], description="variant of the case"),
        "method": Param(None, type=["null", "string"], description="method of the day-ahead schedule to follow"),
        "as_of": Param(None, type=["null", "string"], description="settle with nothing known later than this"),
    },
)
def real_time() -> None:
    @task
    def observe(params: dict[str, str | None] | None = None, dag_run: Any = None) -> str:
        from pipeline import stages

        return stages.open_real_time(stages.next_quarter(params or {}, dag_run=dag_run))

    @task
    def redispatch(run: str) -> str:
        from pipeline import stages

        return stages.redispatch(run)

    @task
    def validate(run: str) -> str:
        from pipeline import stages

        return stages.validate(run)

    @task
    def publish(run: str) -> str:
        from pipeline import stages

        return stages.publish(run)

    publish(validate(redispatch(observe())))


real_time()
