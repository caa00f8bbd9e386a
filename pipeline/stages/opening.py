"""Open a run: read what was known, name the run by it, and enter it in the warehouse."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache
from typing import Any

from pipeline.cases.case import Case
from pipeline.cases.slack_price import at_slack_price, slack_price_above
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
from pipeline.stages.parents import DAY_BEFORE, roles_of_day_ahead, schedule_before
from pipeline.store.runs import RunRecord

DAY_S = 86400
LATE_S = QUARTER_S  # a run that begins so long after its nominal time is still that run: a scheduler needs its time
SLACK_PRICE = "slack_price_per_kwh"  # parameter of a run: what slack costs in it


@dataclass(frozen=True, eq=False)
class Run:
    """A run with what belongs to it, rebuilt from its record in any process."""

    home: Home
    record: RunRecord
    asked: Request

    @cached_property
    def case(self) -> Case:
        """Raises InputError when the case or the code is no longer what an unfinished run was named by: tasks are processes apart."""
        case, named = self.asked.load(), self.record.parameters
        if not self.stored.finished and (case.digest, code_digest()) != (named["case_digest"], named["code"]):
            raise InputError(Mistake(f"run {self.record.run_id}", f"the case {case.name} or the code was changed after it was opened",
                                     "run the product again; in Airflow clear its first task"))
        return at_slack_price(case, float(named.get(SLACK_PRICE, case.settings.slack_price_per_kwh)))

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
        """What the run reads. Raises InputError when that is no longer what it was named by: its id would promise other bytes."""
        start = int(self.record.parameters["history_start"])
        found = read_knowledge(self.home, self.case, day=self.day, start=start, as_of=self.record.as_of,
                               measured=not self.record.parameters.get("independent", False))
        if not self.stored.finished and found.digest != self.record.parameters["known"]:
            said = "something that it should have known was imported after it was opened"
            raise InputError(Mistake(f"run {self.record.run_id}", said, "run the product again; in Airflow clear its first task"))
        return found

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

    def named(self, role: str) -> RunRecord | None:
        """The parent run of a role, DAY_BEFORE or STANDS_BY, if there is one."""
        known = self.record.parameters
        if role == DAY_BEFORE and role not in known and self.record.product == "day_ahead":  # opened before roles were kept: its only one
            return self.parent("day_ahead")
        identifier = known.get(role)
        return None if identifier is None else self.home.warehouse.run(str(identifier))


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
        independent=p.get("independent", False), treatment=p.get("treatment"),
    )
    return Run(home, record, asked)


def open_day_ahead(asked: Request) -> str:
    """Enter a day-ahead run and return its id. It reads what was known at its issue time and nothing later; see `issue_of`."""
    home = open_home()
    ledger.reconcile(home.warehouse, home.lake)
    case = asked.load()
    day = case.day(asked.date)
    _refuse_broken_steps(case, day)
    issued_at = issue_of(home, asked, case, day, now=int(time.time()))
    start = history_start(case, issued_at)
    knowledge = read_knowledge(home, case, day=day, start=start, as_of=issued_at, measured=not asked.independent)
    roles = roles_of_day_ahead(home, asked, case, day, issued_at=issued_at, knowledge=knowledge)
    return _register(home, asked, case, product="day_ahead", issued_at=issued_at, as_of=issued_at, knowledge=knowledge,
                     parents=tuple(dict.fromkeys(filter(None, roles.values()))), history_start=start, **roles,
                     **{SLACK_PRICE: slack_price_above(case, knowledge.dearest_price_per_kwh(case))})


def _refuse_broken_steps(case: Case, day: DeliveryDay) -> None:
    """A zone may have changed its clock by half an hour once, years from the case's own date."""
    step_min, minutes = case.settings.day_ahead_step_min, (day.end - day.start) // 60
    if minutes % step_min:
        said = f"is {minutes / 60:g} hours long in {case.time_zone}: no whole number of day-ahead steps of {step_min} min"
        raise InputError(Mistake(f"case {case.name}, {day.date}", said, "give settings.day_ahead_step_min: 30, or 15"))


def issue_of(home: Home, asked: Request, case: Case, day: DeliveryDay, *, now: int) -> int:
    """When a day-ahead run is issued, UTC epoch seconds: when asked for, else at the nominal time of its day.

    Earlier where that time has not come, or `as_of` says so. Later, which is now, where the day is not over and the nominal time has
    passed without a schedule: a plan that is made late knows what is known then. Raises InputError for moments that make no plan.
    """
    if asked.issued is not None:
        _refuse_issue(asked, day, now)
        return asked.issued
    nominal = nominal_issue(case, day)
    if asked.as_of is None and not asked.independent and nominal + LATE_S < now < day.end:
        found = ledger.current(home.warehouse, case.name, "day_ahead", asked.published_variant(case), day.date.isoformat())
        if found is None or found.issued_at < nominal:
            return now
    return day_ahead_issue(case, day, now if asked.as_of is None else asked.as_of)


def _refuse_issue(asked: Request, day: DeliveryDay, now: int) -> None:
    assert asked.issued is not None
    said = None
    if asked.as_of is not None:
        said = Mistake("--issued", "a run reads what was known when it is issued, and --as-of names another moment", "leave --as-of out")
    elif asked.issued > now:
        said = Mistake("--issued", "this moment has not come", "write --issued now")
    elif asked.issued >= day.end:
        said = Mistake("--issued", f"{day.date} is over then", "leave --issued out: a past day is planned as of its own issue time")
    if said is not None:
        raise InputError(said)


def day_ahead_issue(case: Case, day: DeliveryDay, now: int) -> int:
    """Ahead of its time a run is issued now: were it dated to the nominal time, the regular one could not take its place."""
    return min(nominal_issue(case, day), now)


def nominal_issue(case: Case, day: DeliveryDay) -> int:
    """UTC epoch seconds at which the schedule of a day is issued by the case's settings."""
    return day.at(case.settings.day_ahead_issue_local, days_before=1)


def intraday_start(day: DeliveryDay) -> int:
    """From when on real time reads history."""
    return day.start - (BURN_IN_DAYS + 1) * DAY_S


def open_real_time(asked: Request) -> str:
    """Enter a real-time run over a range of steps and return its id.

    Each step is decided from what was known at its own issue time; settlement meets what is known at `as_of`, by default now.
    Raises InputError when no day-ahead schedule is published, when the steps before the range were never dispatched, or when
    their issue time has not come.
    """
    home = open_home()
    ledger.reconcile(home.warehouse, home.lake)
    case = asked.load()
    day = case.day(asked.date)
    now = int(time.time())
    first, last = _range(asked, case, day, now)
    variant = asked.published_variant(case)
    plan = ledger.current(home.warehouse, case.name, "day_ahead", variant, day.date.isoformat())
    if plan is None:
        raise InputError(Mistake(f"case {case.name}, variant {variant}, {day.date}", "no day-ahead schedule is published",
                                 "run `feederflow day-ahead` first"))
    if plan.parameters.get("structure_digest") != case.structure_digest:
        said = f"the published day-ahead schedule (run {plan.run_id}) was made with other equipment than the case holds now"
        raise InputError(Mistake(f"case {case.name}, variant {variant}, {day.date}", said,
                                 "run `feederflow day-ahead --replace`, or undo the change of the case"))
    first, before = _run_before(home, asked, case, variant, day, first)
    issued_at = day.start + QUARTER_S * (last - 1) - 60 * case.settings.real_time_lead_min
    as_of = now if asked.as_of is None else asked.as_of
    start = intraday_start(day)
    knowledge = read_knowledge(home, case, day=day, start=start, as_of=as_of, measured=not asked.independent)
    parents: tuple[str, ...] = (plan.run_id,) if before is None else (plan.run_id, before.run_id)
    carrier = schedule_before(home, asked, case, day, issued_at, knowledge) if knowledge.measured else None
    if carrier is not None and carrier != plan.parameters.get(DAY_BEFORE):
        parents += (carrier,)
    # Stored as the moment of the newest word that was read: the same rows give the same run whenever it is asked for, and what
    # becomes known while the run goes on, even before its issue time, is not read by its later stages.
    return _register(home, asked, case, product="real_time", issued_at=issued_at, as_of=knowledge.newest_known_at or issued_at,
                     knowledge=knowledge, parents=parents, history_start=start, steps=[first, last],
                     **{DAY_BEFORE: carrier, SLACK_PRICE: plan.parameters.get(SLACK_PRICE, case.settings.slack_price_per_kwh)})


def _range(asked: Request, case: Case, day: DeliveryDay, now: int) -> tuple[int, int]:
    """First and last step: those asked for, or all of the day whose issue time has come. The next interval may be a little early."""
    first, last = asked.steps or (1, day.steps())
    if last > day.steps():
        raise InputError(Mistake("--steps", f"step {last} is past the end of {day.date}, which has {day.steps()} quarter-hours",
                                 f"end at {day.steps()}"))
    next_step = (now + 60 * case.settings.real_time_lead_min + QUARTER_S - day.start) // QUARTER_S + 1
    if last > next_step and (asked.steps is not None or next_step < 1):
        said = f"step {last} of {day.date} is decided from what is known just before it, and that time has not come"
        raise InputError(Mistake("--steps", said, f"end at {next_step}" if next_step >= 1 else "wait until the day begins"))
    return first, min(last, next_step)


def _run_before(home: Home, asked: Request, case: Case, variant: str, day: DeliveryDay, first: int) -> tuple[int, RunRecord | None]:
    """The first step to run and the published real-time run that decided the step before it; None where the case's own state starts."""
    chain = _published_chain(home, case.name, variant, day)
    covered = frozenset[int]().union(*(steps_of(run) for run in chain))
    if asked.catch_up:
        first = min(first, max(covered, default=0) + 1)
    step = first - 1
    if first == 1:
        if asked.independent or case.settings.start_state == "initial":
            return first, None
        yesterday = day.shifted(-1)
        chain, step = _published_chain(home, case.name, variant, yesterday), yesterday.steps()
    for run in reversed(chain):
        if step in steps_of(run):
            return first, run
    if first == 1:
        return first, None
    raise InputError(Mistake("--steps", f"step {first - 1} of {day.date} was not dispatched yet",
                             f"start at a step of 1, or run --steps 1:{first - 1} first"))


def _published_chain(home: Home, case: str, variant: str, day: DeliveryDay) -> list[RunRecord]:
    """The real-time runs behind what is published of a day, oldest first."""
    found = ledger.current(home.warehouse, case, "real_time", variant, day.date.isoformat())
    return [] if found is None else chain_of(home.warehouse, found.run_id)


def _register(home: Home, asked: Request, case: Case, *, product: str, issued_at: int, as_of: int, knowledge: Knowledge,
              parents: tuple[str, ...], **parameters: Any) -> str:
    """Name the run by everything it depends on and enter it."""
    content: Mapping[str, Any] = {
        "known": knowledge.digest, "case": case.digest, "variant": asked.published_variant(case), "delivery_date": asked.date.isoformat(),
        "issued_at": issued_at, "parents": list(parents), "code": code_digest(), "steps": parameters.get("steps"),
    }
    native, day = asked.native_method(), case.day(asked.date)
    record = RunRecord(
        run_id=run_id(product, content), product=product, case=case.name, variant=case.variant, method=case.settings.method.kind,
        delivery_date=asked.date.isoformat(), issued_at=issued_at, as_of=as_of, parents=parents,
        parameters={"case": asked.case, "variant": asked.variant, "method": asked.method, "as_of": asked.as_of, "replace": asked.replace,
                    **({} if asked.treatment is None else {"treatment": asked.treatment}),
                    "native_method": native, "case_digest": case.digest, "structure_digest": case.structure_digest, "code": code_digest(),
                    **({"independent": True} if asked.independent else {}), "known": knowledge.digest,
                    "span": [day.start, day.end], "time_zone": case.time_zone, **parameters},
    )
    stored = home.warehouse.register_run(record)
    if stored.parameters["replace"] != asked.replace:  # asked for again with --replace: no other run, but other leave to publish
        home.warehouse.finish_run(record.run_id, status=stored.status, parameters={"replace": asked.replace})
    _load_run.cache_clear()
    return record.run_id
