"""What the operator asks beside status and set-points: overrides, the page again, SQL."""

from __future__ import annotations

import csv
import time
from datetime import date as calendar_date
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipeline.cases.load import load_case
from pipeline.core.clock import from_epoch
from pipeline.core.errors import Damaged, InputError, Mistake
from pipeline.publish import ledger
from pipeline.publish.query import query as run_query
from pipeline.schedule.instructions import check as check_words
from pipeline.stages.asked import moment
from pipeline.stages.home import Home, open_home
from pipeline.stages.publishing import write_report
from pipeline.stages.watching import published_day
from pipeline.store import publications
from pipeline.store.overrides import Override
from pipeline.store.publications import Day, Publication

DAY_S = 86400
QUERY_ATTEMPTS = 3


def report(case: str, *, date: str | None = None, variant: str | None = None) -> Path:
    """Write the page of a published day again."""
    loaded, which, _ = published_day(case, date=date, variant=variant)
    return write_report(open_home(), loaded, loaded.day(calendar_date.fromisoformat(which.delivery_date)), which)


def override(case: str, *, target: str, quantity: str, value: float | None, start: str | None, end: str | None, author: str, reason: str,
             known_at: str | None) -> dict[str, Any]:
    """Enter a person's word, or withdraw every word on a target that is in force in the span."""
    loaded = load_case(case)
    mistakes: list[Mistake] = []
    zone = loaded.day(loaded.default_date).zone
    known = moment(known_at, "--known-at", mistakes, zone=zone) or int(time.time())
    first = moment(start, "--from", mistakes, zone=zone) or known
    last = moment(end, "--to", mistakes, zone=zone) or first + DAY_S
    if value is None and quantity not in ("out", "withdraw"):
        mistakes.append(Mistake(f"override of {target}", f"{quantity} needs a value", "give it in kW, positive into the bus"))
    if value is not None and quantity in ("out", "withdraw"):
        mistakes.append(Mistake(f"override of {target}", f"{quantity} takes no value, and {value:g} is given",
                                "leave it out; a limit is limit_low_kw or limit_high_kw, a fixed power set_point_kw"))
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
    check_words(loaded, [word])
    return {"id": warehouse.add_override(word), "target": target, "quantity": quantity, "value": word.value,
            "valid_from": from_epoch(first).isoformat(), "valid_to": from_epoch(last).isoformat(),
            "known_at": from_epoch(known).isoformat(), "binds": last > known}


def query(sql: str) -> tuple[pa.Table, list[str]]:
    """DuckDB over what is published, all of it of one moment; and the published files that are left out because they are damaged.

    A publication that a crash cut short is completed first; one that happened while the query ran makes it run again. What is damaged
    is made again from the runs behind it, where they are whole.
    """
    home = open_home(create=False)
    for _ in range(QUERY_ATTEMPTS):
        ledger.reconcile(home.warehouse, home.lake)
        before = _publications(home)
        try:
            found, left_out = run_query(home.path, sql), []
        except Damaged:
            mended, left_out = ledger.reconcile(home.warehouse, home.lake, deep=True), ledger.all_damaged(home.lake, before)
            if not mended and not left_out:
                raise
            found = run_query(home.path, sql, without=left_out)
        if _publications(home) == before:
            return found, left_out
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
