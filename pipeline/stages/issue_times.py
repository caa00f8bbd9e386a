"""When the days of an evaluation study are issued: one moment a day, whichever treatment is planned first.

From its nominal issue time on a day is issued then. Before, a run is issued now: the moment of the first item is kept in a file of
the day, since draws depend on the issue time, and treatments are compared on the same draws. Once the nominal time has come, the day
is done again from there.
"""

from __future__ import annotations

import os
import time
import uuid
from datetime import date
from pathlib import Path

from pipeline.cases.case import Case
from pipeline.stages.opening import nominal_issue

NAME = "issued_at.txt"  # UTC epoch seconds; beside it are the .json files of treatments, whose names are free


def issue_of(case: Case, folder: Path, day: str) -> int | None:
    """Issue time of a study's day, UTC epoch seconds; None where it has not come and no item was begun. folder: of the day's cells."""
    nominal, path = nominal_issue(case, case.day(date.fromisoformat(day))), folder / NAME
    if nominal <= _now():
        return nominal
    return int(path.read_text()) if path.is_file() else None


def fixed_issue(case: Case, folder: Path, day: str) -> int:
    """The same; now, and kept for the items that follow, where no item was begun. Of several processes that begin, one is the first."""
    found = issue_of(case, folder, day)
    if found is not None:
        return found
    issued_at, path = _now(), folder / NAME
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f".{NAME}.{uuid.uuid4().hex}.tmp"
    temporary.write_text(str(issued_at))
    try:
        os.link(temporary, path)  # whole, or not at all: unlike a rename it never takes the place of another's
    except FileExistsError:
        return int(path.read_text())
    finally:
        temporary.unlink()
    return issued_at


def _now() -> int:
    return int(time.time())
