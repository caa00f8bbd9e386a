"""A replay of a period: a day that is done is reused as long as nothing that it depends on changed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from pipeline import stages
from pipeline.cases.load import load_case
from pipeline.stages import study
from pipeline.stages.home import Home
from pipeline.stages.opening import day_ahead_issue
from pipeline.store.observations import ObservationBatch
from tests.whole_day import at_home

DAYS = ("2016-06-15", "2016-06-16")
RUN = {"findings": [], "objective": 1.0, "kpis": dict.fromkeys(study.YARDSTICKS, 1.0)}


@pytest.fixture
def there(home: Path) -> Iterator[Home]:
    with at_home(home) as opened:
        yield opened


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Days that were run day-ahead, in their order; what they would publish is not computed."""
    asked: list[str] = []

    def day_ahead(request: Any) -> dict[str, Any]:
        asked.append(request.date.isoformat())
        return {**RUN, "run_id": f"da-{len(asked)}"}

    monkeypatch.setattr(study, "run_day_ahead", day_ahead)
    monkeypatch.setattr(study, "run_real_time", lambda request: {**RUN, "run_id": f"rt-{len(asked)}"})
    return asked


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "two_days.yaml"
    path.write_text("title: Two days\ncase: tiny\nvariant: deterministic\ndays: 2\n")
    return str(path)


def correct(there: Home, moment: int, known_at: int) -> None:
    """Another value of the case's first series."""
    case = load_case("tiny", variant="deterministic")
    batch = ObservationBatch([case.series[0].id], np.zeros(1, np.int32), np.array([moment]), np.array([known_at]), np.array([12.5]),
                             np.zeros(1, np.int16), [3600])
    there.warehouse.add_observations(case.name, batch, source="correction", ingested_at=known_at, trust_known_at=True)


def test_what_is_done_is_reused(there: Home, runs: list[str], file: str) -> None:
    stages.run_study(file)
    stages.run_study(file)
    assert runs == list(DAYS)


def test_a_correction_makes_the_days_that_knew_it_be_run_again(there: Home, runs: list[str], file: str) -> None:
    """A realised value of the second day: the first day ended before it, and neither plans with it nor meets it."""
    stages.run_study(file)
    correct(there, load_case("tiny").day(load_case("tiny").default_date).end + 3600, int(time.time()) - 60)
    stages.run_study(file)
    assert runs == [*DAYS, "2016-06-16"]


def test_a_corrected_history_makes_every_day_after_it_be_run_again(there: Home, runs: list[str], file: str) -> None:
    case = load_case("tiny", variant="deterministic")
    issue = day_ahead_issue(case, case.day(case.default_date), int(time.time()))
    stages.run_study(file)
    correct(there, issue - 7200, issue)
    stages.run_study(file)
    assert runs == [*DAYS, *DAYS]


def test_the_table_holds_no_day_of_another_knowledge(there: Home, runs: list[str], file: str) -> None:
    stages.run_study(file)
    correct(there, load_case("tiny").day(load_case("tiny").default_date).end + 3600, int(time.time()) - 60)
    rows = pq.read_table(stages.close_study(file)).to_pylist()
    assert [row["delivery_date"] for row in rows] == ["2016-06-15"]
