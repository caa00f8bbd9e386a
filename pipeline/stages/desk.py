"""What the operator asks: status, set-points, overrides, the page again, SQL."""

from __future__ import annotations

import csv
import time
from datetime import date as calendar_date
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipeline.cases.case import Case
from pipeline.cases.load import load_case
from pipeline.core.clock import QUARTER_S, DeliveryDay, from_epoch
from pipeline.core.errors import InputError, Mistake, NoSchedule
from pipeline.publish import ledger, operator
from pipeline.publish.ledger import published_tables
from pipeline.publish.query import query as run_query
from pipeline.publish.status import DayStatus
from pipeline.publish.status import status as read_status
from pipeline.stages.asked import moment
from pipeline.stages.home import Home, open_home
from pipeline.stages.publishing import write_report
from pipeline.store import publications
from pipeline.store.overrides import Override
from pipeline.store.publications import Day, Publication

DAY_S = 86400
QUERY_ATTEMPTS = 3


def status(case: str | None = None) -> list[DayStatus]:
    """Every published product, newest day first."""
    home = open_home(create=False)
    name = None if case is None else load_case(case).name
    return read_status(home.warehouse, home.lake, now=int(time.time()), case=name)


def status_rows(rows: list[DayStatus]) -> list[dict[str, Any]]:
    """JSON-able."""
    return [
        {"case": row.day.case, "variant": row.day.variant, "delivery_date": row.day.delivery_date, "product": row.product,
         "run_id": row.run_id, "issued_at": from_epoch(row.issued_at).isoformat(), "age_s": row.age_s, "degraded": row.degraded,
         "warnings": row.warning_count, "worst": row.worst, "whole": row.complete and not row.damaged}
        for row in rows
    ]


def describe_status(rows: list[DayStatus]) -> str:
    """The rows of `status` for a terminal."""
    if not rows:
        return "Nothing is published. `feederflow run CASE` makes a day."
    lines = []
    for row in rows:
        state = "DEGRADED" if row.degraded else "good"
        whole = "" if row.complete and not row.damaged else "  files not whole: run any stage again, it heals them"
        age = f"{row.age_s / 3600:.1f} h" if row.age_s < 2 * DAY_S else f"{row.age_s / DAY_S:.0f} d"
        day = f"{row.day.delivery_date}  {row.day.case} ({row.day.variant})"
        lines.append(f"{day}  {row.product:<9}  {state:<8}  issued {age} ago  {row.run_id}{whole}")
        if row.worst:
            lines.append(f"    {row.warning_count} warning(s); first: {row.worst}")
    return "\n".join(lines)


def _published(case: str, *, date: str | None, variant: str | None, at: int | None = None) -> tuple[Case, Day, dict[str, pa.Table]]:
    """Case, day and published tables; `variant` may be `name~method`.

    `date` defaults to the published day that holds the next interval after `at`, else to the newest one.
    """
    wanted_date = None if date is None else _date(date)
    home = open_home(create=False)
    ledger.reconcile(home.warehouse, home.lake)
    loaded = load_case(case, variant=None if variant is None else variant.split("~")[0])
    wanted = variant or loaded.variant
    published = read_status(home.warehouse, home.lake, now=0, case=loaded.name)
    dates = sorted({row.day.delivery_date for row in published if row.day.variant == wanted})
    next_start = None if at is None else -(-at // QUARTER_S) * QUARTER_S
    running = [one for one in dates if next_start is not None and _holds(loaded.day(calendar_date.fromisoformat(one)), next_start)]
    day = Day(loaded.name, wanted, wanted_date or next(iter([*running, *dates[::-1]]), loaded.default_date.isoformat()))
    tables = published_tables(home.lake, day)
    if not tables:
        said = f"published are: {', '.join(dates)}" if dates else "nothing is published yet"
        place = f"{day.case} ({day.variant}), {day.delivery_date}"
        raise NoSchedule(str(Mistake(place, "is not published", f"{said}; `feederflow run {case}` makes a day")))
    return loaded, day, tables


def _date(text: str) -> str:
    try:
        return calendar_date.fromisoformat(text).isoformat()
    except ValueError as error:
        raise InputError(Mistake("--date", f"'{text}' is no date", "write YYYY-MM-DD")) from error


def _holds(day: DeliveryDay, moment: int) -> bool:
    return day.start <= moment < day.end


def setpoints(case: str, *, date: str | None = None, variant: str | None = None, step: int | None = None) -> list[dict[str, Any]]:
    """Set-points of the next interval, or of a quarter-hour of the day."""
    now = int(time.time())
    loaded, which, tables = _published(case, date=date, variant=variant, at=now)
    day = loaded.day(calendar_date.fromisoformat(which.delivery_date))
    if step is not None and not 1 <= step <= day.steps():
        raise InputError(Mistake("--step", f"{step} is no quarter-hour of {day.date}", f"take 1 to {day.steps()}"))
    at = now if step is None else day.start + QUARTER_S * (step - 1)
    return operator.setpoints(loaded, tables, day=day, at=at)


def setpoints_csv(rows: list[dict[str, Any]]) -> str:
    """CSV with a header, empty where a device lacks a carrier."""
    return operator.to_csv(rows)


def report(case: str, *, date: str | None = None, variant: str | None = None) -> Path:
    """Write the page of a published day again."""
    loaded, which, _ = _published(case, date=date, variant=variant)
    return write_report(open_home(), loaded, loaded.day(calendar_date.fromisoformat(which.delivery_date)), which)


def override(case: str, *, target: str, quantity: str, value: float | None, start: str | None, end: str | None, author: str, reason: str,
             known_at: str | None) -> dict[str, Any]:
    """Enter a person's word, or withdraw every word on a target that is in force in the span."""
    loaded = load_case(case)
    if target not in {item.id for item in (*loaded.devices, *loaded.ties)}:
        raise InputError(Mistake(f"override of {target}", f"case {loaded.name} has no such device or tie",
                                 "`feederflow case show` lists them"))
    mistakes: list[Mistake] = []
    zone = loaded.day(loaded.default_date).zone
    known = moment(known_at, "--known-at", mistakes, zone=zone) or int(time.time())
    first = moment(start, "--from", mistakes, zone=zone) or known
    last = moment(end, "--to", mistakes, zone=zone) or first + DAY_S
    if value is None and quantity not in ("out", "withdraw"):
        mistakes.append(Mistake(f"override of {target}", f"{quantity} needs a value", "give it in kW, positive into the bus"))
    if mistakes:
        raise InputError(mistakes)
    warehouse = open_home().warehouse
    if quantity == "withdraw":
        standing = [one for one in warehouse.overrides(loaded.name, first, last, known) if one.target == target]
        if not standing:
            raise InputError(Mistake(f"override of {target}", "none is in force in that span", "look at --from and --to"))
        for one in standing:
            warehouse.add_override(Override(**{**one.__dict__, "author": author, "reason": reason, "known_at": known, "withdrawn": True}))
        return {"withdrawn": len(standing), "target": target}
    word = Override(loaded.name, target, quantity, 1.0 if value is None else value, first, last, author, reason, known)  # type: ignore[arg-type]
    return {"id": warehouse.add_override(word), "target": target, "quantity": quantity, "value": word.value,
            "valid_from": from_epoch(first).isoformat(), "valid_to": from_epoch(last).isoformat(),
            "known_at": from_epoch(known).isoformat()}


def query(sql: str) -> pa.Table:
    """DuckDB over what is published, all of it of one moment.

    A publication that a crash cut short is completed first; one that happened while the query ran makes it run again.
    """
    home = open_home(create=False)
    for _ in range(QUERY_ATTEMPTS):
        ledger.reconcile(home.warehouse, home.lake)
        before = _publications(home)
        found = run_query(home.path, sql)
        if _publications(home) == before:
            return found
    raise InputError(Mistake("query", f"something was published during each of {QUERY_ATTEMPTS} attempts", "ask again in a moment"))


def _publications(home: Home) -> dict[Day, dict[str, Publication]]:
    with home.warehouse.reading() as connection:
        return publications.current(connection)


def rows_as_json(rows: pa.Table) -> list[dict[str, Any]]:
    """Rows with JSON's own types; anything else as text."""
    return [{name: value if isinstance(value, int | float | str | bool | None) else str(value) for name, value in row.items()}
            for row in rows.to_pylist()]


def rows_as_text(rows: pa.Table) -> str:
    """Columns aligned, numbers short."""
    cells = [rows.column_names, *([_short(value) for value in row.values()] for row in rows.to_pylist())]
    widths = [max(len(row[i]) for row in cells) for i in range(rows.num_columns)]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells)


def _short(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else "" if value is None else str(value)


def write_csv(rows: pa.Table, path: Path) -> None:
    """Header and rows, comma separated. Raises InputError where the file cannot be written."""
    try:
        stream = path.open("w", newline="")
    except OSError as error:
        said = f"cannot be written ({error.strerror})"
        raise InputError(Mistake(f"--csv {path}", said, "name a file in a folder that exists")) from error
    with stream:
        writer = csv.writer(stream)
        writer.writerow(rows.column_names)
        writer.writerows(row.values() for row in rows.to_pylist())
