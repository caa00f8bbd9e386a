"""What a run kept and that cannot be read any more, made again under the same id: it names all that the run depends on."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from pipeline.core.errors import Damaged, Mistake
from pipeline.publish import ledger
from pipeline.publish.day_file import chain_of
from pipeline.publish.soundness import lost_of
from pipeline.stages.home import code_digest
from pipeline.stages.opening import Run, load_run
from pipeline.stages.parents import DAY_BEFORE, STANDS_BY
from pipeline.store import publications
from pipeline.store.cache import ArrayCache
from pipeline.store.files import storing
from pipeline.store.runs import RUNNING

# The stages of a product in their order, by module: looked up where they are called, because they mend their parents through here.
_STAGES = {
    "day_ahead": (("forecasting", "forecast"), ("representing", "scenarios"), ("deciding", "schedule"), ("validating", "validate")),
    "real_time": (("redispatching", "redispatch"), ("validating", "validate")),
}


def mend(run_id: str, *, tables_only: bool = False) -> bool:
    """Make again what a finished run kept and lost; its parents first. True where something was.

    tables_only: what is published of it, not what the next run starts from. Raises Damaged where the case, the code or what is known
    has changed since: the same id would promise other bytes.
    """
    run = load_run(run_id)
    if not run.stored.finished:
        return False
    lost = lost_of(run.home.lake, ArrayCache(run.home.path / "runs" / run_id), run.stored, tables_only=tables_only)
    if not lost:
        return False
    if not _same_as_then(run):
        said = "is missing or damaged, and what the run was made from has changed since"
        raise Damaged(Mistake(path, said, ledger.remedy_of(ledger.day_of(run.record))) for path in lost)
    mend_parents(run)
    for path in lost:
        with storing(path):
            run.home.lake.files.remove(path)
    run.home.warehouse.finish_run(run_id, status=RUNNING)
    for module, name in _STAGES[run.record.product]:
        stage: Callable[[str], str] = getattr(import_module(f"pipeline.stages.{module}"), name)
        stage(run_id)
    return True


def _same_as_then(run: Run) -> bool:
    """Whether case, code and what is known are those that the run was named by."""
    named = run.record.parameters
    return (run.asked.load().digest, code_digest(), run.knowledge.digest) == (named["case_digest"], named["code"], named["known"])


def mend_parents(run: Run) -> None:
    """The runs that a run starts from, whole. The plan that stands by is made again where it stands in: else its damage is no obstacle."""
    known = run.record.parameters
    for parent in run.record.parents:
        if parent != known.get(STANDS_BY) or parent == known.get(DAY_BEFORE):
            mend(parent)


def mend_day(run: Run) -> None:
    """Every run whose rows are published with this one's, with all its tables."""
    home, day = run.home, ledger.day_of(run.record)
    with home.warehouse.reading() as connection:
        beside = publications.current(connection, day).get(day, {})
    others = [found.run_id for product, found in beside.items() if product != run.record.product]
    for last in (run.record.run_id, *others):
        for each in chain_of(home.warehouse, last):
            mend(each.run_id, tables_only=True)
