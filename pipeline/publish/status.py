"""What is published, of which day by the clock, whether it is degraded; and the runs that came to nothing since."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from itertools import groupby
from typing import Literal
from zoneinfo import ZoneInfo

from pipeline.core.clock import QUARTER_S, from_epoch, to_epoch
from pipeline.core.errors import Damaged
from pipeline.publish.ledger import day_of, folder_of, read_current
from pipeline.store import publications
from pipeline.store.lake import Lake
from pipeline.store.parquet import from_parquet
from pipeline.store.publications import Day
from pipeline.store.runs import FAILED, RUNNING, RunRecord
from pipeline.store.warehouse import Warehouse

DAY_S = 86400
Standing = Literal["today", "ahead", "past"]


@dataclass(frozen=True)
class DayStatus:
    """One product of one published day. Instants are UTC epoch seconds; `age_s` counts from the issue time.

    `complete`: `_current.json` names the run that SQL names.
    `standing`: of the delivery day at the moment asked for. `until`: end of the last interval that the product covers.
    """

    day: Day
    product: str
    run_id: str
    issued_at: int
    published_at: int
    age_s: int
    run_status: str
    degraded: bool
    warning_count: int
    worst: str
    complete: bool
    standing: Standing
    until: int
    time_zone: str
    provisional: str  # that values of the day are missing, in words

    @property
    def until_local(self) -> str:
        """ISO, in the case's time zone."""
        return from_epoch(self.until).astimezone(ZoneInfo(self.time_zone)).isoformat(timespec="minutes")

    @property
    def late(self) -> bool:
        """Real time of the day that runs which does not reach the interval that runs: it stopped."""
        return self.standing == "today" and self.product == "real_time" and self.age_s + self.issued_at >= self.until


@dataclass(frozen=True)
class Unfinished:
    """A run newer than what is published of its product and day that failed, or was begun and not ended. `failure`: why, if it said so."""

    day: Day
    product: str
    run_id: str
    issued_at: int
    failed: bool
    failure: str


def status(warehouse: Warehouse, lake: Lake, *, now: int, case: str | None = None) -> list[DayStatus]:
    """Every published product, newest day first. Reads only: a publication that a crash cut short shows as not complete."""
    with warehouse.reading() as connection:
        wanted = publications.current(connection, case=case)
    rows = []
    for day, products in wanted.items():
        stored = read_current(lake, day)
        findings = _findings(lake, day)
        for product, found in products.items():
            run = warehouse.run(found.run_id)
            mine = [row for row in findings if row["stage"] == product]
            said = [f"{row['place']}: {row['message']}" for row in mine if row["severity"] == "warning"]
            missing = next((str(row["message"]) for row in mine if row["check"] == "provisional"), "")
            complete = stored.get("runs", {}).get(product, {}).get("run_id") == found.run_id
            rows.append(DayStatus(
                day, product, found.run_id, found.issued_at, found.published_at, int(now) - found.issued_at,
                run.status if run is not None else "unknown", bool(said), len(said), said[0] if said else "", complete,
                *_standing(day, run, int(now)), missing,
            ))
    return sorted(rows, key=lambda row: (row.day.delivery_date, row.issued_at), reverse=True)


def unfinished(warehouse: Warehouse, *, case: str | None = None) -> list[Unfinished]:
    """The newest run of each product and day that failed or never ended, where nothing newer is published; newest day first."""
    with warehouse.reading() as connection:
        published = publications.current(connection, case=case)
    condition = {} if case is None else {"case": case}
    found: dict[tuple[Day, str], RunRecord] = {}
    for run in (run for status in (RUNNING, FAILED) for run in warehouse.runs(status=status, **condition)):
        day = day_of(run)
        current = published.get(day, {}).get(run.product)
        newer = current is None or (run.issued_at, run.as_of) > (current.issued_at, _as_of(warehouse, current.run_id))
        before = found.get((day, run.product))
        if newer and "treatment" not in run.parameters and (before is None or before.issued_at <= run.issued_at):
            found[day, run.product] = run
    rows = [Unfinished(day, product, run.run_id, run.issued_at, run.status == FAILED, str(run.parameters.get("failure", "")))
            for (day, product), run in found.items()]
    return sorted(rows, key=lambda row: (row.day.delivery_date, row.issued_at), reverse=True)


def _as_of(warehouse: Warehouse, run_id: str) -> int:
    record = warehouse.run(run_id)
    return 0 if record is None else record.as_of


def stale(rows: list[DayStatus]) -> list[str]:
    """What the clock finds, in words: cases whose newest schedule is of a day that is over, and real time that stopped."""
    said = []
    for (case, variant), group in groupby(sorted(rows, key=lambda row: row.day), key=lambda row: (row.day.case, row.day.variant)):
        own = list(group)
        scheduled = {row.standing for row in own if row.product == "day_ahead"}
        if "past" in scheduled and "today" not in scheduled:
            newest = max(row.day.delivery_date for row in own if row.standing == "past")
            said.append(f"{case} ({variant}): STALE, no schedule of today; the newest that is not of a day to come is of {newest}")
        said += [f"{case} ({variant}): STALE, real time of {row.day.delivery_date} stopped at {row.until_local}"
                 for row in own if row.late]
    return said


def _standing(day: Day, run: RunRecord | None, now: int) -> tuple[Standing, int, str]:
    """Where the delivery day stands at `now`, until when the run covers it, and the case's zone. A run that names no span: days of UTC."""
    midnight = to_epoch(datetime.combine(date.fromisoformat(day.delivery_date), time(0), tzinfo=UTC))
    known = {} if run is None else run.parameters
    first, end = known.get("span", (midnight, midnight + DAY_S))
    until = first + QUARTER_S * known["steps"][1] if "steps" in known else end
    return ("ahead" if now < first else "past" if now >= end else "today"), int(until), str(known.get("time_zone", "UTC"))


def _findings(lake: Lake, day: Day) -> list[dict[str, str]]:
    """Stage, severity, check, place and words of the published findings of a day; none where they cannot be read: `soundness` says so."""
    path = f"{folder_of('findings', day)}/part-0.parquet"
    if not lake.files.exists(path):
        return []
    try:
        table = from_parquet(lake.files.read(path), path)
    except Damaged:
        return []
    found: list[dict[str, str]] = table.select(["stage", "severity", "check", "place", "message"]).to_pylist()
    return found
