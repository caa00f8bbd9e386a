"""One function per stage, run id in, run id out: what the DAGs and the command line call.

Every name is looked up on first use, so that reading a DAG file or running one stage imports only what it needs.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # for checkers of types; at run time a name is imported on first use
    from pipeline.stages.asked import next_quarter, request
    from pipeline.stages.checking import case_mistakes
    from pipeline.stages.deciding import schedule
    from pipeline.stages.desk import (
        override,
        query,
        report,
        rows_as_json,
        rows_as_text,
        write_csv,
    )
    from pipeline.stages.forecasting import forecast
    from pipeline.stages.ingesting import ingest, ingest_sources, withdraw_import
    from pipeline.stages.measuring import describe_state, state
    from pipeline.stages.opening import open_day_ahead, open_real_time
    from pipeline.stages.publishing import publish
    from pipeline.stages.redispatching import redispatch
    from pipeline.stages.representing import scenarios
    from pipeline.stages.results import (
        combine,
        describe,
        published_result,
        require_published,
        run_day_ahead,
        run_real_time,
    )
    from pipeline.stages.study import (
        close_study,
        describe_study,
        open_study,
        run_study,
        study_day,
    )
    from pipeline.stages.validating import validate
    from pipeline.stages.watching import (
        describe_status,
        setpoints,
        setpoints_csv,
        status,
        status_rows,
    )
    from pipeline.stages.words import describe_ingest, describe_override, describe_withdrawal

_HOMES = {
    "asked": ("next_quarter", "request"),
    "checking": ("case_mistakes",),
    "ingesting": ("ingest", "ingest_sources", "withdraw_import"),
    "opening": ("open_day_ahead", "open_real_time"),
    "forecasting": ("forecast",),
    "representing": ("scenarios",),
    "deciding": ("schedule",),
    "redispatching": ("redispatch",),
    "validating": ("validate",),
    "publishing": ("publish",),
    "results": ("combine", "describe", "published_result", "require_published", "run_day_ahead", "run_real_time"),
    "desk": ("override", "query", "report", "rows_as_json", "rows_as_text", "write_csv"),
    "measuring": ("describe_state", "state"),
    "watching": ("describe_status", "setpoints", "setpoints_csv", "status", "status_rows"),
    "study": ("close_study", "describe_study", "open_study", "run_study", "study_day"),
    "words": ("describe_ingest", "describe_override", "describe_withdrawal"),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = sorted(_HOME_OF)


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__} has no {name}")
    return getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
