"""What stands now: what is published, seen by the clock, and the set-points of the interval that is asked for."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import date as calendar_date
from datetime import datetime
from typing import Any

import pyarrow as pa

from pipeline.cases.case import Case
from pipeline.cases.load import load_case
from pipeline.core.clock import QUARTER_S, DeliveryDay, from_epoch
from pipeline.core.errors import (
    EXIT_DEGRADED,
    EXIT_DONE,
    Damaged,
    FeederflowError,
    InputError,
    Mistake,
    NoSchedule,
    StorageRefused,
)
from pipeline.publish import ledger, operator
from pipeline.publish.ledger import published_tables
from pipeline.publish.soundness import Damage
from pipeline.publish.soundness import damages as read_damages
from pipeline.publish.status import DayStatus, Unfinished, stale, unfinished
from pipeline.publish.status import status as read_status
from pipeline.stages.asked import moment
from pipeline.stages.home import Home, open_home
from pipeline.store import publications
from pipeline.store.publications import Day

DAY_S = 86400


@dataclass(frozen=True)
class Standing:
    """What is published, the runs that came to nothing since, what the clock finds, and what is damaged."""

    rows: list[DayStatus]
    unfinished: list[Unfinished]
    stale: list[str]
    damages: list[Damage]

    @property
    def exit_code(self) -> int:
        """3 where nothing is published nor damaged; 5 where it is stale, damaged, or degraded today, or a newer run failed."""
        if not self.rows and not self.damages:
            return NoSchedule.exit_code
        bad = bool(self.damages) or any(not row.complete or (row.degraded and row.standing == "today") for row in self.rows)
        return EXIT_DEGRADED if bad or self.stale or any(run.failed for run in self.unfinished) else EXIT_DONE


def status(case: str | None = None, *, at: str | None = None, deep: bool = False) -> Standing:
    """Every published product, newest day first, and the runs that failed since; as the clock stands, or at `at`.

    deep: everything published and the runs behind it are read, and compared by checksum. Raises InputError for a moment that is no time.
    """
    home = open_home(create=False)
    loaded = None if case is None else load_case(case)
    now = _at(at, loaded)
    name = None if loaded is None else loaded.name
    rows = read_status(home.warehouse, home.lake, now=int(time.time()) if now is None else now, case=name)
    found = read_damages(home.warehouse, home.lake, home.path, case=name, deep=deep)
    return Standing(rows, unfinished(home.warehouse, case=name), stale(rows), found)


def _at(text: str | None, case: Case | None) -> int | None:
    """A moment in the case's local time; without a case it needs its own offset."""
    mistakes: list[Mistake] = []
    if text and case is None and moment(text, "--at", mistakes) is not None and not _has_offset(text):
        mistakes.append(Mistake("--at", f"'{text}' has no offset, and no case says where", "write 2016-06-15T10:00+02:00, or name a case"))
    found = moment(text, "--at", mistakes) if case is None else moment(text, "--at", mistakes, zone=case.day(case.default_date).zone)
    if mistakes:
        raise InputError(mistakes)
    return found


def _has_offset(text: str) -> bool:
    return datetime.fromisoformat(text).tzinfo is not None


def status_rows(found: Standing) -> list[dict[str, Any]]:
    """JSON-able: what is published, with the damage of its day; then the runs that came to nothing, and damage of no such day.

    They are told apart by `published` and by `status`.
    """
    said: dict[Day | None, list[str]] = {}
    for one in found.damages:
        said.setdefault(one.day, []).append(str(one))
    days = {row.day for row in found.rows}
    return [
        {"case": row.day.case, "variant": row.day.variant, "delivery_date": row.day.delivery_date, "product": row.product,
         "run_id": row.run_id, "issued_at": from_epoch(row.issued_at).isoformat(), "age_s": row.age_s, "degraded": row.degraded,
         "warnings": row.warning_count, "worst": row.worst, "provisional": row.provisional,
         "whole": row.complete and row.day not in said, "published": True,
         "standing": row.standing, "until": row.until_local, "late": row.late, "damaged": said.get(row.day, [])}
        for row in found.rows
    ] + [
        {"case": run.day.case, "variant": run.day.variant, "delivery_date": run.day.delivery_date, "product": run.product,
         "run_id": run.run_id, "issued_at": from_epoch(run.issued_at).isoformat(), "published": False,
         "status": "failed" if run.failed else "not finished", "failure": run.failure}
        for run in found.unfinished
    ] + [
        {**{name: getattr(day, name, None) for name in ("case", "variant", "delivery_date")}, "published": False, "status": "damaged",
         "damaged": words} for day, words in said.items() if day not in days
    ]


def describe_status(found: Standing) -> str:
    """The rows of `status` for a terminal: what needs a person first."""
    lines = [*(f"DAMAGED  {one}" for one in found.damages), *found.stale, *(_unfinished_line(run) for run in found.unfinished)]
    if not found.rows:
        return "\n".join([*lines, "Nothing is published. `feederflow run CASE` makes a day."])
    for row in found.rows:
        state = "DEGRADED" if row.degraded else "provisional" if row.provisional else "good"
        whole = "" if row.complete else "  not whole"
        age = f"{row.age_s / 3600:.1f} h" if abs(row.age_s) < 2 * DAY_S else f"{row.age_s / DAY_S:.0f} d"
        issued = f"issued {age} ago" if row.age_s >= 0 else f"issued in {age.lstrip('-')}"
        when = {"today": "today", "ahead": "to come", "past": "over"}[row.standing]
        day = f"{row.day.delivery_date}  {row.day.case} ({row.day.variant})"
        reach = f", until {row.until_local[11:16]}" if row.product == "real_time" and row.standing == "today" else ""
        lines.append(f"{day}  {row.product:<9}  {state:<8}  {when}{reach}, {issued}  {row.run_id}{whole}")
        if row.provisional and row.provisional not in row.worst:
            lines.append(f"    {row.provisional}")
        if row.worst:
            lines.append(f"    {row.warning_count} warning(s); first: {row.worst}")
    return "\n".join(lines)


def _unfinished_line(run: Unfinished) -> str:
    said = "FAILED" if run.failed else "not finished: it goes on, or was killed"
    place = f"{run.day.delivery_date}  {run.day.case} ({run.day.variant})  {run.product}  {said}  {run.run_id}"
    return f"{place}\n    {run.failure.splitlines()[0]}" if run.failure else place


def published_day(case: str, *, date: str | None, variant: str | None, at: int | None = None) -> tuple[Case, Day, dict[str, pa.Table]]:
    """Case, day and published tables; `variant` may be `name~method`.

    `date` defaults to the published day that holds `at`, else to the newest one. Raises NoSchedule where it is not published.
    """
    wanted_date = None if date is None else _date(date)
    home = open_home(create=False)
    loaded = load_case(case, variant=None if variant is None else variant.split("~")[0])
    wanted = variant or loaded.variant
    dates = _published_dates(home, loaded, wanted)
    running = [one for one in dates if at is not None and _holds(loaded.day(calendar_date.fromisoformat(one)), at)]
    day = Day(loaded.name, wanted, wanted_date or next(iter([*running, *dates[::-1]]), loaded.default_date.isoformat()))
    tables = _whole_tables(home, day)
    if not tables:
        said = f"published are: {', '.join(dates)}" if dates else "nothing is published yet"
        place = f"{day.case} ({day.variant}), {day.delivery_date}"
        raise NoSchedule(str(Mistake(place, "is not published", f"{said}; `feederflow run {case}` makes a day")))
    return loaded, day, tables


def _whole_tables(home: Home, day: Day) -> dict[str, pa.Table]:
    """The published tables of a day, mended where they were not whole; a folder that takes no writes is read as it lies there.

    Raises Damaged for what cannot be mended from the runs behind it.
    """
    try:
        ledger.reconcile(home.warehouse, home.lake, day=day, deep=True)
    except StorageRefused:
        ledger.refuse_damaged(home.lake, day)
    except FeederflowError as error:
        ledger.refuse_damaged(home.lake, day)
        raise Damaged(Mistake(f"{day.case} ({day.variant}), {day.delivery_date}", str(error), ledger.remedy_of(day))) from error
    return published_tables(home.lake, day)


def _published_dates(home: Home, case: Case, variant: str) -> list[str]:
    with home.warehouse.reading() as connection:
        return sorted(day.delivery_date for day in publications.current(connection, case=case.name) if day.variant == variant)


def _date(text: str) -> str:
    try:
        return calendar_date.fromisoformat(text).isoformat()
    except ValueError as error:
        raise InputError(Mistake("--date", f"'{text}' is no date", "write YYYY-MM-DD")) from error


def _holds(day: DeliveryDay, moment: int) -> bool:
    return day.start <= moment < day.end


@dataclass(frozen=True)
class SetPoints:
    """Rows of one interval. `stale`: why they are not those of the next interval, where nobody asked for another one."""

    rows: list[dict[str, Any]]
    stale: str

    @property
    def exit_code(self) -> int:
        return EXIT_DEGRADED if self.stale else EXIT_DONE


def setpoints(
    case: str, *, date: str | None = None, variant: str | None = None, step: int | None = None, at: str | None = None,
) -> SetPoints:
    """Set-points of the quarter-hour that starts next, of the one that holds `at`, or of a quarter-hour of a day by its number.

    Where what is published does not reach the next quarter-hour, its nearest interval is shown and called stale. Raises NoSchedule
    where nothing is published that holds the moment asked for.
    """
    if at is not None and (step is not None or date is not None):
        raise InputError(Mistake("--at", "names the interval, and so do --date and --step", "give one of them"))
    now = int(time.time())
    asked = _at(at, load_case(case, variant=None if variant is None else variant.split("~")[0]))
    following = -(-now // QUARTER_S) * QUARTER_S if asked is None else asked
    loaded, which, tables = published_day(case, date=date, variant=variant, at=following)
    day = loaded.day(calendar_date.fromisoformat(which.delivery_date))
    if asked is not None and not _holds(day, asked):
        place, said = f"{loaded.name} ({which.variant}), {at}", "nothing is published that holds this moment"
        raise NoSchedule(str(Mistake(place, said, f"the newest published day is {which.delivery_date}")))
    if step is not None and not 1 <= step <= day.steps():
        raise InputError(Mistake("--step", f"{step} is no quarter-hour of {day.date}", f"take 1 to {day.steps()}"))
    if step is not None or asked is not None:
        exact = following if step is None else day.start + QUARTER_S * (step - 1)
        return SetPoints(operator.setpoints(loaded, tables, day=day, at=exact), "")
    shown = min(max(following, day.start), day.end - 1)
    stale = _stale(tables, day, following, now)
    rows = operator.setpoints(loaded, tables, day=day, at=shown)
    noted = [{**row, "note": "; ".join(part for part in (stale, str(row["note"])) if part)} for row in rows]
    return SetPoints(noted, stale)


def _stale(tables: dict[str, pa.Table], day: DeliveryDay, following: int, now: int) -> str:
    """Why these are no set-points of the next interval; empty where they are."""
    if following >= day.end:
        return f"STALE: of {day.date}, which is over"
    if following < day.start:
        return f"STALE: {day.date} is still to come, and no schedule of today is published"
    dispatched = operator.dispatched_until(tables)
    if dispatched is not None and dispatched <= now:
        local = from_epoch(dispatched).astimezone(day.zone)
        return f"STALE: re-dispatch stopped at {local:%H:%M}"
    return ""


def setpoints_csv(found: SetPoints) -> str:
    """CSV with a header, empty where a device lacks a carrier."""
    return operator.to_csv(found.rows)
