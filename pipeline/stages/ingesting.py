"""The ingest stage."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from pipeline.cases.case import Case
from pipeline.cases.load import load_case
from pipeline.core.errors import GateFailed
from pipeline.core.shipped import DATA
from pipeline.ingest.receipt import IngestRefused, Receipt
from pipeline.ingest.run import ingest_case
from pipeline.stages.asked import Request
from pipeline.stages.home import Home, open_home
from pipeline.stages.words import describe_ingest

DAY_S = 86400
GATE_S = 14 * DAY_S
FAR_FUTURE = 2**53


def ingest_sources(
    case_name: str, *, sources: Sequence[str] | None = None, variant: str | None = None, again: int | None = None, dry_run: bool = False
) -> list[dict[str, Any]]:
    """Read the sources of a case; one receipt each. What was read before is skipped. A dry run says the same and changes nothing.

    `again`: number of a withdrawn import, whose source is read with its file, in place of `sources`.

    Raises InputError; then nothing of that source is stored.
    """
    home = open_home()
    case = load_case(case_name, variant=variant)
    if not dry_run:
        return [asdict(receipt) for receipt in _ingested(home, case, sources, again)]
    with home.warehouse.trial():
        try:
            receipts = _ingested(home, case, sources, again)
        except IngestRefused as refused:
            raise IngestRefused(refused.mistakes) from refused
    return [asdict(replace(receipt, status="tried", import_id=None) if receipt.status == "imported" else receipt) for receipt in receipts]


def _ingested(home: Home, case: Case, sources: Sequence[str] | None, again: int | None) -> list[Receipt]:
    if again is not None:
        sources = [home.warehouse.read_again(case.name, again)]
    receipts = ingest_case(case, home.warehouse, now=int(time.time()), data_dir=DATA, sources=sources)
    if any(receipt.rows_added for receipt in receipts):
        _gate(home, case, max(receipt.last or 0 for receipt in receipts))
    return receipts


def withdraw_import(case_name: str, import_id: int) -> dict[str, Any]:
    """Take an import back, from now on: a replay as of an earlier moment still sees it. Raises InputError."""
    home = open_home()
    found = home.warehouse.withdraw(load_case(case_name).name, import_id, now=int(time.time()))
    return {"import_id": import_id, **asdict(found)}


def _gate(home: Home, case: Case, last: int) -> None:
    """The integrity gate after ingest, over the newest two weeks of every series."""
    from pipeline.validate.observations_gate import check_observations

    names = tuple(case.series_by_id)
    mistakes = check_observations(case, home.warehouse.observations(case.name, names, last - GATE_S, last + DAY_S, FAR_FUTURE))
    if mistakes:
        raise GateFailed(mistakes)


def ingest(case_name: str) -> str:
    """The same for a DAG: what the task's log says."""
    return describe_ingest(ingest_sources(case_name), case=case_name)


def ensure_ingested(asked: Request) -> None:
    """Make the histories of a case readable before a run asks for them."""
    ingest_sources(asked.case, variant=asked.variant)
