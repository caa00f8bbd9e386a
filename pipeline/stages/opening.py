"""Open a run: read what was known, name the run by it, and enter it in the warehouse."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache
from typing import Any

from pipeline.cases.case import Case
from pipeline.core.clock import QUARTER_S, DeliveryDay
from pipeline.core.errors import InputError, Mistake
from pipeline.core.ids import run_id
from pipeline.forecast.day_ahead import history_start
from pipeline.forecast.intraday import BURN_IN_DAYS
from pipeline.publish import ledger
from pipeline.publish.day_file import chain_of, steps_of
from pipeline.stages.asked import Request
from pipeline.stages.home import Home, code_digest, open_home
from pipeline.stages.knowledge import Knowledge, read_knowledge
from pipeline.store.runs import RunRecord

DAY_S = 86400


@dataclass(frozen=True, eq=False)
class Run:
    """A run with what belongs to it, rebuilt from its record in any process."""

    home: Home
    record: RunRecord
    asked: Request

    @cached_property
    def case(self) -> Case:
        return self.asked.load()

    @cached_property
    def day(self) -> DeliveryDay:
        return self.case.day(date.fromisoformat(self.record.delivery_date))

    @cached_property
    def steps(self) -> tuple[int, int]:
        """First and last quarter-hour that a real-time run covers, from 1."""
        first, last = self.record.parameters["steps"]
        return int(first), int(last)

    @cached_property
    def knowledge(self) -> Knowledge:
        start = int(self.record.parameters["history_start"])
        return read_knowledge(self.home, self.case, day=self.day, start=start, as_of=self.record.as_of)

    @property
    def stored(self) -> RunRecord:
        """The record as it stands now: status, objective and timings change while the run goes on."""
        return self.home.warehouse.run(self.record.run_id) or self.record

    @property
    def issued_at(self) -> int:
        return self.record.issued_at

    def issue_times(self) -> list[int]:
        """Issue time of each step that the run covers."""
        lead = 60 * self.case.settings.real_time_lead_min
        first, last = self.steps
        return [self.day.start + QUARTER_S * (step - 1) - lead for step in range(first, last + 1)]

    def parent(self, product: str) -> RunRecord | None:
        """The parent run of a product, if there is one."""
        prefix = {"day_ahead": "da-", "real_time": "rt-"}[product]
        for parent in self.record.parents:
            if parent.startswith(prefix):
                return self.home.warehouse.run(parent)
        return None


def load_run(identifier: str) -> Run:
    """A run by its id; kept, so that stages of one process read what was known only once."""
    return _load_run(open_home(), identifier)


@lru_cache(maxsize=4)
def _load_run(home: Home, identifier: str) -> Run:
    record = home.warehouse.run(identifier)
    if record is None:
        raise InputError(Mistake(f"run {identifier}", f"is not in the warehouse of {home.path}",
                                 "`feederflow status` lists what is published"))
    p = record.parameters
    asked = Request(
        case=p["case"], date=date.fromisoformat(record.delivery_date), variant=p["variant"], method=p["method"], as_of=p["as_of"],
        steps=tuple(p["steps"]) if "steps" in p else None, replace=p["replace"],
    )
    return Run(home, record, asked)


def open_day_ahead(asked: Request) -> str:
    """Enter a day-ahead run and return its id. It reads what was known at the issue time, or at `as_of` if that is earlier."""
    home = open_home()
    ledger.reconcile(home.warehouse, home.lake)
    case = asked.load()
    day = case.day(asked.date)
    nominal = day.at(case.settings.day_ahead_issue_local, days_before=1)
    issued_at = nominal if asked.as_of is None else min(nominal, asked.as_of)
    start = history_start(case, issued_at)
    knowledge = read_knowledge(home, case, day=day, start=start, as_of=issued_at)
    return _register(home, asked, case, product="day_ahead", issued_at=issued_at, as_of=issued_at, knowledge=knowledge, parents=(),
                     history_start=start)


def open_real_time(asked: Request) -> str:
    """Enter a real-time run over a range of steps and return its id.

    Each step is decided from what was known at its own issue time; settlement meets what is known at `as_of`, by default now.
    Raises InputError when no day-ahead schedule is published, or when the steps before the range were never dispatched.
    """
    home = open_home()
    ledger.reconcile(home.warehouse, home.lake)
    case = asked.load()
    day = case.day(asked.date)
    first, last = asked.steps or (1, day.steps())
    if last > day.steps():
        raise InputError(Mistake("--steps", f"step {last} is past the end of {day.date}, which has {day.steps()} quarter-hours",
                                 f"end at {day.steps()}"))
    variant = asked.published_variant(case)
    plan = ledger.current(home.warehouse, case.name, "day_ahead", variant, day.date.isoformat())
    if plan is None:
        raise InputError(Mistake(f"case {case.name}, variant {variant}, {day.date}", "no day-ahead schedule is published",
                                 "run `feederflow day-ahead` first"))
    before = _run_before(home, case.name, variant, day, first)
    issued_at = day.start + QUARTER_S * (last - 1) - 60 * case.settings.real_time_lead_min
    as_of = int(time.time()) if asked.as_of is None else asked.as_of
    start = day.start - (BURN_IN_DAYS + 1) * DAY_S
    knowledge = read_knowledge(home, case, day=day, start=start, as_of=as_of)
    parents = (plan.run_id,) if before is None else (plan.run_id, before.run_id)
    # Stored as the moment of the newest word that was read: the same rows give the same run whenever it is asked for.
    return _register(home, asked, case, product="real_time", issued_at=issued_at, as_of=max(issued_at, knowledge.newest_known_at),
                     knowledge=knowledge, parents=parents, history_start=start, steps=[first, last])


def _run_before(home: Home, case: str, variant: str, day: DeliveryDay, first: int) -> RunRecord | None:
    """The current real-time run whose chain decided the step before `first`; None at the start of the day."""
    if first == 1:
        return None
    found = ledger.current(home.warehouse, case, "real_time", variant, day.date.isoformat())
    if found is not None:
        for run in reversed(chain_of(home.warehouse, found.run_id)):
            if first - 1 in steps_of(run):
                return run
    raise InputError(Mistake("--steps", f"step {first - 1} of {day.date} was not dispatched yet",
                             f"start at a step of 1, or run --steps 1:{first - 1} first"))


def _register(home: Home, asked: Request, case: Case, *, product: str, issued_at: int, as_of: int, knowledge: Knowledge,
              parents: tuple[str, ...], **parameters: Any) -> str:
    """Name the run by everything it depends on and enter it."""
    content: Mapping[str, Any] = {
        "known": knowledge.digest, "case": case.digest, "variant": asked.published_variant(case), "delivery_date": asked.date.isoformat(),
        "issued_at": issued_at, "parents": list(parents), "code": code_digest(), "steps": parameters.get("steps"),
    }
    native = asked.native_method()
    record = RunRecord(
        run_id=run_id(product, content), product=product, case=case.name, variant=case.variant, method=case.settings.method.kind,
        delivery_date=asked.date.isoformat(), issued_at=issued_at, as_of=as_of, parents=parents,
        parameters={"case": asked.case, "variant": asked.variant, "method": asked.method, "as_of": asked.as_of, "replace": asked.replace,
                    "native_method": native, "case_digest": case.digest, **parameters},
    )
    home.warehouse.register_run(record)
    _load_run.cache_clear()
    return record.run_id
