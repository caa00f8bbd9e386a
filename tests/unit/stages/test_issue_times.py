"""When a study's day is issued: nominally once that has come, and before at one moment for all of its items."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from threading import Barrier

import pytest

from pipeline.stages import issue_times
from pipeline.stages.issue_times import NAME, fixed_issue, issue_of
from tests.helpers import case_of

DAY = "2016-06-15"
CASE = case_of()
NOMINAL = CASE.day(date.fromisoformat(DAY)).at(CASE.settings.day_ahead_issue_local, days_before=1)


def at(monkeypatch: pytest.MonkeyPatch, now: int) -> None:
    monkeypatch.setattr(issue_times, "_now", lambda: now)


def test_before_its_time_the_first_item_says_when(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at(monkeypatch, NOMINAL - 500)
    assert issue_of(CASE, tmp_path, DAY) is None and not list(tmp_path.iterdir()), "asking begins nothing"
    assert fixed_issue(CASE, tmp_path, DAY) == NOMINAL - 500
    at(monkeypatch, NOMINAL - 100)
    assert fixed_issue(CASE, tmp_path, DAY) == issue_of(CASE, tmp_path, DAY) == NOMINAL - 500
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


def test_from_its_time_on_a_day_is_issued_nominally(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at(monkeypatch, NOMINAL - 500)
    fixed_issue(CASE, tmp_path / "begun", DAY)
    for later in (0, 1, 86400):
        at(monkeypatch, NOMINAL + later)
        assert fixed_issue(CASE, tmp_path / "begun", DAY) == fixed_issue(CASE, tmp_path / "new", DAY) == NOMINAL
    assert not (tmp_path / "new").exists()


def test_of_processes_that_begin_at_once_one_is_the_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """None has found a file when all go on to write theirs."""
    together, moments = Barrier(8), iter(range(NOMINAL - 900, NOMINAL))

    def nothing_yet(*_: object) -> None:
        together.wait()

    monkeypatch.setattr(issue_times, "issue_of", nothing_yet)
    monkeypatch.setattr(issue_times, "_now", lambda: next(moments))
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: fixed_issue(CASE, tmp_path, DAY), range(8)))
    assert len(found) == 1 and found == {int((tmp_path / NAME).read_text())}
    assert [path.name for path in tmp_path.iterdir()] == [NAME]
