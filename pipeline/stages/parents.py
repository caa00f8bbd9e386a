"""Which schedules of days before a run has as parents, and what for: the day it starts from, and the plan that may stand in.

Both are chosen when the run is opened, by what was published at its issue time, and are part of what names it.
"""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.cases.case import Case
from pipeline.core.clock import DeliveryDay
from pipeline.equipment import EvAggregator
from pipeline.publish import ledger
from pipeline.stages.asked import Request
from pipeline.stages.home import Home, code_digest
from pipeline.stages.knowledge import Knowledge

# Parameters of a run: the schedule of the day before that it starts from, and the one whose plan stands in where its own program
# gives none. Often they are the same run.
DAY_BEFORE, STANDS_BY = "day_before", "stands_by"
EARLIER_DAYS = 7  # how old a plan may be that stands in for today's


def roles_of_day_ahead(home: Home, asked: Request, case: Case, day: DeliveryDay, *, issued_at: int,
                       knowledge: Knowledge) -> dict[str, str | None]:
    """The parent runs of a day-ahead run by what they are for.

    A run that was opened before keeps the plan that stands by, whatever was published since: the same command on the same data makes
    the same run.
    """
    before = schedule_before(home, asked, case, day, issued_at, knowledge)
    named = {DAY_BEFORE: before, "known": knowledge.digest, "case_digest": case.digest, "code": code_digest(),
             "native_method": asked.native_method()}
    stands_by = None
    if not asked.independent:  # days of a study may come in any order
        opened = _opened(home, case, day, named, issued_at, treatment=asked.treatment)
        stands_by = _newest_plan(home, asked, case, day, issued_at) if opened is None else opened[STANDS_BY]
    return {DAY_BEFORE: before, STANDS_BY: stands_by}


def _opened(home: Home, case: Case, day: DeliveryDay, named: Mapping[str, str | None], issued_at: int, *,
            treatment: str | None) -> dict[str, str | None] | None:
    """The roles of the run that was opened with all of this, if one was."""
    runs = home.warehouse.runs(case=case.name, variant=case.variant, method=case.settings.method.kind, product="day_ahead",
                               delivery_date=day.date.isoformat())
    for run in runs:
        known = run.parameters
        same = run.issued_at == issued_at and known.get("treatment") == treatment and not known.get("independent", False)
        if same and STANDS_BY in known and all(known.get(name) == value for name, value in named.items()):
            return {STANDS_BY: known[STANDS_BY]}
    return None


def _newest_plan(home: Home, asked: Request, case: Case, day: DeliveryDay, issued_at: int) -> str | None:
    """The run of the newest plan of the days before that was known at the issue."""
    found = (_plan_known(home, asked, case, day.shifted(-back), issued_at) for back in range(1, EARLIER_DAYS + 1))
    return next((run for run in found if run is not None), None)


def schedule_before(home: Home, asked: Request, case: Case, day: DeliveryDay, issued_at: int, knowledge: Knowledge) -> str | None:
    """The published schedule of the day before, where units or ramps run on from it or a measured state is carried by it: real time of
    that day has not ended by then."""
    carries = any(state.measured_at < day.start for state in knowledge.measured)
    if not (_runs_on(case) or carries) or asked.independent or case.settings.start_state == "initial":
        return None
    return _plan_known(home, asked, case, day.shifted(-1), issued_at)


def _plan_known(home: Home, asked: Request, case: Case, day: DeliveryDay, issued_at: int) -> str | None:
    """The run whose schedule of a day was published as of an issue time, of the same equipment."""
    variant = asked.published_variant(case)
    found = ledger.known_at(home.warehouse, case.name, "day_ahead", variant, day.date.isoformat(), issued_at=issued_at)
    return found.run_id if found is not None and found.parameters.get("structure_digest") == case.structure_digest else None


def _runs_on(case: Case) -> bool:
    """Whether anything ramps, is committed or begins with what is handed on: its first interval depends on the day before."""
    return any(one.start == "handed_on" if isinstance(one, EvAggregator)
               else getattr(one, "ramp_kw_per_h", None) is not None or getattr(one, "commitment", None) is not None
               for one in (*case.devices, *case.ties))
