"""The numeric gates on what one stage has just made. Declarations (Great Expectations) are checked once, by `validate`."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from pipeline.core.errors import GateFailed
from pipeline.stages.opening import Run
from pipeline.validate.context import Context
from pipeline.validate.gates import check_stage


def known_runs(run: Run) -> Context:
    """The runs that may stand in a table of this run."""
    return Context(known_runs=frozenset({run.record.run_id, *run.record.parents}))


def gate(run: Run, tables: Mapping[str, pa.Table]) -> None:
    """Raises GateFailed naming table, row and value, before anything is built on the tables."""
    mistakes, _ = check_stage(run.case, tables, day=run.day, product=run.record.product, context=known_runs(run), contracts=None)
    if mistakes:
        run.home.warehouse.finish_run(run.record.run_id, status="failed")
        raise GateFailed(mistakes)
