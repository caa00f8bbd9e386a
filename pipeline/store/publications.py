"""What is published, in SQL: which run is current for a day and product, and which files carry it."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa

from pipeline.store.schema import PUBLICATIONS, PUBLISHED_FILES


@dataclass(frozen=True, order=True)
class Day:
    """What is published together: one delivery day (ISO) of one variant of one case."""

    case: str
    variant: str
    delivery_date: str


@dataclass(frozen=True)
class Publication:
    """One act of publishing. The highest number of a day and product is current."""

    number: int
    day: Day
    product: str
    run_id: str
    issued_at: int
    published_at: int


@dataclass(frozen=True, order=True)
class PublishedFile:
    """A published file, by its path relative to home."""

    path: str
    table: str
    sha256: str
    rows: int


def current(connection: sa.Connection, day: Day | None = None, *, case: str | None = None) -> dict[Day, dict[str, Publication]]:
    """The current publication of every product of every day, or of one day or case."""
    p = PUBLICATIONS.c
    last = sa.select(sa.func.max(p.publication)).group_by(p.case_name, p.product, p.variant, p.delivery_date)
    conditions = []
    if case is not None:
        conditions.append(p.case_name == case)
    if day is not None:
        conditions += [p.case_name == day.case, p.variant == day.variant, p.delivery_date == day.delivery_date]
    statement = sa.select(PUBLICATIONS).where(p.publication.in_(last.where(*conditions))).order_by(p.publication)
    found: dict[Day, dict[str, Publication]] = {}
    for row in connection.execute(statement):
        key = Day(row.case_name, row.variant, row.delivery_date)
        found.setdefault(key, {})[row.product] = Publication(
            int(row.publication), key, row.product, row.run_id, int(row.issued_at), int(row.published_at))
    return found


def as_of(connection: sa.Connection, day: Day, product: str, issued_at: int) -> Publication | None:
    """What was current of a day and product for whoever was issued at a moment: what was issued later does not count, and what it
    superseded does. A replacement stands where the run that it replaces stood."""
    p = PUBLICATIONS.c
    statement = sa.select(PUBLICATIONS).where(
        p.case_name == day.case, p.variant == day.variant, p.delivery_date == day.delivery_date, p.product == product,
        p.issued_at <= issued_at).order_by(p.publication.desc()).limit(1)
    row = connection.execute(statement).first()
    return None if row is None else Publication(int(row.publication), day, product, row.run_id, int(row.issued_at), int(row.published_at))


def may_replace(before: Publication | None, run_id: str, *, issued_at: int, replace: bool) -> bool:
    """May a run be current after `before`? When it is newer, when it is the same run, or when replacement was asked for."""
    return before is None or before.run_id == run_id or issued_at > before.issued_at or replace


def make_current(connection: sa.Connection, day: Day, *, product: str, run_id: str, issued_at: int, replace: bool) -> bool:
    """Make a run current inside the caller's transaction, if it is newer than the current one or `replace` asks for it.

    True when it is current afterwards: a run that is current already stays so and enters nothing.
    """
    before = current(connection, day).get(day, {}).get(product)
    if not may_replace(before, run_id, issued_at=issued_at, replace=replace):
        return False
    if before is not None and before.run_id == run_id:
        return True
    number = int(connection.execute(sa.select(sa.func.coalesce(sa.func.max(PUBLICATIONS.c.publication), 0))).scalar_one()) + 1
    connection.execute(sa.insert(PUBLICATIONS), {
        "publication": number, "case_name": day.case, "product": product, "variant": day.variant, "delivery_date": day.delivery_date,
        "run_id": run_id, "issued_at": int(issued_at), "replaced": int(before is not None and issued_at <= before.issued_at),
        "published_at": int(time.time()),
    })
    return True


def files(connection: sa.Connection, day: Day | None = None, *, case: str | None = None) -> dict[Day, list[PublishedFile]]:
    """Files of every day, or of one day or case, as last recorded, sorted by path."""
    f = PUBLISHED_FILES.c
    conditions = [*(_of_day(day) if day is not None else ()), *([f.case_name == case] if case is not None else [])]
    found: dict[Day, list[PublishedFile]] = {}
    for row in connection.execute(sa.select(PUBLISHED_FILES).where(*conditions)):
        file = PublishedFile(row.path, row.table_name, row.sha256, int(row.row_count))
        found.setdefault(Day(row.case_name, row.variant, row.delivery_date), []).append(file)
    return {key: sorted(listed) for key, listed in found.items()}


def record_files(connection: sa.Connection, day: Day, written: Iterable[PublishedFile], *, publication: int) -> None:
    """Replace what is recorded of a day's files."""
    connection.execute(sa.delete(PUBLISHED_FILES).where(*_of_day(day)))
    entries = [
        {"path": file.path, "case_name": day.case, "variant": day.variant, "delivery_date": day.delivery_date, "table_name": file.table,
         "sha256": file.sha256, "row_count": file.rows, "publication": publication}
        for file in written
    ]
    if entries:
        connection.execute(sa.insert(PUBLISHED_FILES), entries)


def _of_day(day: Day) -> tuple[sa.ColumnElement[bool], ...]:
    f = PUBLISHED_FILES.c
    return f.case_name == day.case, f.variant == day.variant, f.delivery_date == day.delivery_date
