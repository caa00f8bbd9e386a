"""The publication stage: ledger and Parquet, then the report page."""

from __future__ import annotations

from pathlib import Path

from pipeline.cases.case import Case
from pipeline.core.clock import DeliveryDay
from pipeline.publish import ledger
from pipeline.publish.ledger import Published
from pipeline.publish.report.verdict import RunInfo
from pipeline.stages.home import Home
from pipeline.stages.mending import mend_day
from pipeline.stages.opening import Run, load_run
from pipeline.store.publications import Day


def publish(run_id: str) -> str:
    """Make the run current, replace the day's files, write the report. Safe to repeat."""
    publish_run(load_run(run_id))
    return run_id


def publish_run(run: Run) -> tuple[Published, Path]:
    """Publish a run and write its day's report; gives the files and the path of the page."""
    home = run.home
    mend_day(run)
    done = ledger.publish(home.warehouse, home.lake, run.record.run_id, replace=run.asked.replace)
    day = ledger.day_of(run.record)
    return done, write_report(home, run.case, run.day, day)


def _run_info(home: Home, which: Day) -> RunInfo:
    """What the page says about the runs behind it: method, issue times, freshness, and the words of people."""
    products = ("day_ahead", "real_time")
    runs = [ledger.current(home.warehouse, which.case, product, which.variant, which.delivery_date) for product in products]
    known = [load_run(record.run_id) for record in runs if record is not None]
    if not known:
        return RunInfo()
    last = known[-1]
    newest = int(last.knowledge.history.as_of(last.issued_at).newest().max(initial=0))
    words = [{"target": one.target, "quantity": one.quantity, "value": one.value, "valid_from": one.valid_from, "valid_to": one.valid_to,
              "author": one.author, "reason": one.reason} for one in last.knowledge.overrides]
    return RunInfo(method=known[0].record.method, issued_at=known[0].issued_at, as_of=last.record.as_of,
                   newest_observation=newest if newest > 0 else None, last_issue=last.issued_at, overrides=words)


def write_report(home: Home, case: Case, day: DeliveryDay, which: Day) -> Path:
    """The page of a published day; returns its path."""
    from pipeline.publish.report.build import build_report, report_path
    from pipeline.publish.report.build import write_report as write

    tables = ledger.published_tables(home.lake, which)
    text = build_report(case, tables, day=day, variant=which.variant, run_info=_run_info(home, which))
    return write(text, report_path(home.path, case.name, which.variant, which.delivery_date))
