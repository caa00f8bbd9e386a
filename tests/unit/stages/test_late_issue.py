"""A schedule that is made late knows what is known then; made in time, or of a past day, it is as of its nominal issue time."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow.compute as pc
import pytest

from pipeline.cases.load import load_case
from pipeline.core.clock import QUARTER_S
from pipeline.core.errors import InputError
from pipeline.scenarios.generate import draw
from pipeline.stages import opening
from pipeline.stages.asked import Request, request
from pipeline.stages.forecasting import forecast_of
from pipeline.stages.opening import LATE_S, issue_of, load_run, nominal_issue
from pipeline.stages.validating import late_issue
from tests.whole_day import at_home, copied, run_day_ahead, run_real_time, table

TINY = load_case("tiny", variant="deterministic")
DAY = TINY.day(TINY.default_date)
NOMINAL = nominal_issue(TINY, DAY)
NOON = DAY.at(time(12))  # five hours into the day, which begins at 7
BEGUN = (NOON - DAY.start) // QUARTER_S


def _issued(monkeypatch: pytest.MonkeyPatch, now: int, *, published: int | None = None, **asked: Any) -> int:
    """Issue time of a run of the default day that is asked for at `now`, where a schedule issued at `published` is current."""
    current = None if published is None else SimpleNamespace(issued_at=published)
    monkeypatch.setattr(opening.ledger, "current", lambda *_: current)
    wanted = Request(case="tiny", date=TINY.default_date, variant="deterministic", **asked)
    return issue_of(SimpleNamespace(warehouse=None), wanted, TINY, DAY, now=now)  # type: ignore[arg-type]


@pytest.mark.parametrize(("now", "published", "expected"), [
    (NOMINAL - 3600, None, NOMINAL - 3600),  # ahead of its time: now
    (NOMINAL + 20, None, NOMINAL), (NOMINAL + LATE_S, None, NOMINAL),  # a scheduler needs its time
    (NOMINAL + LATE_S + 1, None, NOMINAL + LATE_S + 1),
    (NOON, None, NOON), (DAY.end - 1, None, DAY.end - 1),
    (NOON, NOMINAL, NOMINAL), (NOON, NOON - 900, NOMINAL),  # there is a schedule: the same run again
    (NOON, NOMINAL - 7200, NOON),  # there is an early one only
    (DAY.end, None, NOMINAL), (DAY.end + 10**8, None, NOMINAL),  # a past day
])
def test_a_run_is_issued_late_where_its_time_has_passed_without_a_schedule(
    monkeypatch: pytest.MonkeyPatch, now: int, published: int | None, expected: int,
) -> None:
    assert _issued(monkeypatch, now, published=published) == expected


def test_who_says_what_may_be_known_is_not_late(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _issued(monkeypatch, NOON, as_of=NOON) == NOMINAL
    assert _issued(monkeypatch, NOON, independent=True) == NOMINAL
    assert _issued(monkeypatch, NOON, issued=NOON - 60, published=NOMINAL) == NOON - 60


@pytest.mark.parametrize(("asked", "said"), [
    ({"issued": NOON, "as_of": NOON}, "--as-of names another moment; leave --as-of out"),
    ({"issued": NOON + 1}, "this moment has not come; write --issued now"),
])
def test_an_issue_that_makes_no_plan_is_refused(monkeypatch: pytest.MonkeyPatch, asked: dict[str, int], said: str) -> None:
    with pytest.raises(InputError, match=re.escape(said)):
        _issued(monkeypatch, NOON, **asked)


def test_a_day_that_is_over_is_not_issued_now(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"2016-06-15 is over then; leave --issued out"):
        run_day_ahead(tmp_path, case="tiny", issued="now")
    assert _issued(monkeypatch, DAY.end) == NOMINAL


# ------------------------------------------------------------------ a day that has begun


@pytest.fixture(scope="module")
def late(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home of `tiny` with the schedule of the default day issued at its noon."""
    home = tmp_path_factory.mktemp("late")
    found = run_day_ahead(home, case="tiny", variant="deterministic", issued="2016-06-15T12:00")
    assert found["published"] and found["status"] == "degraded"
    return home


def test_a_plan_of_noon_knows_the_morning(late: Path) -> None:
    with at_home(late) as home:
        record = home.warehouse.runs(product="day_ahead")[0]
        run = load_run(record.run_id)
        made, history = forecast_of(record.run_id), run.knowledge.history
        came = history.grid(run.day.starts())
        known = np.isfinite(came) & (history.known_since(run.day.starts()) <= NOON)
        assert record.issued_at == record.as_of == NOON and history.known_at.max() <= NOON
        assert known[:, :BEGUN - 4].all() and not known[:, BEGUN:].any()  # hourly, a quarter-hour after the hour
        assert np.array_equal(made.known, known) and np.array_equal(made.mean[known], came[known])
        drawn = draw(made, history, count=30, seed=3)
    assert np.array_equal(drawn[:, known], np.broadcast_to(came[known], (30, known.sum())))
    assert np.ptp(drawn, axis=0)[:, BEGUN:].max() > 0
    rows = table(late, "forecasts").filter(pc.field("series") == made.series[0]).sort_by("step")
    assert rows["lead"].to_pylist() == [0] * BEGUN + list(range(1, 97 - BEGUN))
    assert rows["model"].to_pylist()[:BEGUN - 4] == ["known"] * (BEGUN - 4)
    assert "known" not in rows["model"].to_pylist()[BEGUN:]


def test_a_plan_of_noon_says_what_was_past(late: Path) -> None:
    (found,) = [row for row in table(late, "findings").to_pylist() if row["check"] == "late_issue"]
    assert (found["severity"], found["place"]) == ("warning", "day")
    assert found["message"] == "issued at 2016-06-15 12:00 instead of 1500 min before: up to 12:00 the day was planned when it was past"


def test_real_time_of_a_late_plan_says_which_steps_knew_what_came(late: Path, tmp_path: Path) -> None:
    home = copied(late, tmp_path / "home")
    found = run_real_time(home, case="tiny", variant="deterministic", steps="1:2")
    assert found["published"]
    said = [row["message"] for row in found["findings"] if row["check"] == "late_issue"]
    words = "up to 12:00 the day was dispatched by a plan that knew what came"
    assert said == [f"issued at 2016-06-15 12:00 instead of 1500 min before: {words}"]
    with at_home(home) as opened:
        record = opened.warehouse.runs(product="real_time")[0]
        run = load_run(record.run_id)
        after = replace(run, record=replace(record, parameters={**record.parameters, "steps": [BEGUN + 1, BEGUN + 2]}))
        assert [late_issue(one) != [] for one in (run, after)] == [True, False]


def test_a_plan_that_is_late_before_its_day_is_told_and_good(tmp_path: Path) -> None:
    found = run_day_ahead(tmp_path, case="tiny", variant="deterministic", issued="2016-06-14T14:00")
    assert found["status"] == "done"
    (said,) = [row for row in found["findings"] if row["check"] == "late_issue"]
    assert (said["severity"], said["message"]) == ("info", "issued at 2016-06-14 14:00 instead of 180 min before")


def test_issued_is_read_as_a_local_time() -> None:
    assert request({"case": "tiny", "issued": "2016-06-15T12:00"}).issued == NOON
    with pytest.raises(InputError, match="'soon' is no time"):
        request({"case": "tiny", "issued": "soon"})
