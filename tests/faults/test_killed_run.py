"""A whole run killed anywhere leaves what was published readable and whole; running again ends as if it was never killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.cases.load import load_case
from pipeline.core.clock import from_epoch
from tests.whole_day import published, run_day

DRIVER = Path(__file__).with_name("whole_day_driver.py")
KILLED = -signal.SIGKILL
OUT_OF_TIME = -signal.SIGPROF  # as sudden: no process handles it


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    """A day published an hour early, then the same day issued in time, killed and killed again."""
    base, work = tmp_path_factory.mktemp("base"), tmp_path_factory.mktemp("killed")
    case = load_case("tiny", variant="reference")
    issue = from_epoch(case.day(case.default_date).at(case.settings.day_ahead_issue_local, days_before=1))
    run_day(base, case="tiny", variant="reference", as_of=(issue - timedelta(hours=1)).isoformat())
    done = subprocess.run([sys.executable, str(DRIVER), str(base), str(work)], capture_output=True, text=True,
                          env={**os.environ, "OMP_NUM_THREADS": "1"})
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["calm"] == 0, done.stderr
    return {**result, "said": done.stderr, "before": published(base)}, work


def test_killed_at_twenty_random_moments(told: tuple[dict[str, Any], Path]) -> None:
    result, work = told
    assert len(result["codes"]) == 20
    assert set(result["codes"]) == {0, OUT_OF_TIME}, result["said"]
    assert result["codes"].count(OUT_OF_TIME) >= 12, "too few of the kills met a running process"
    assert result["readings"] == [0] * 20, result["said"]
    assert set(result["healed"]) == {0}, result["said"]
    assert set(result["last"]) == {0} and len(result["last"]) >= 4, result["said"]
    calm = published(work / "calm")
    assert calm != result["before"]
    ended = [published(lane) for lane in sorted(work.glob("lane*"))]
    assert ended.count(calm) == len(result["last"])
    assert ended.count(result["before"]) == len(ended) - len(result["last"]) == 1, "the last copy was never run"


def test_killed_between_the_steps_of_publication(told: tuple[dict[str, Any], Path]) -> None:
    result, work = told
    assert result["points"] == {point: [KILLED, 0, 0, 0] for point in result["points"]}, result["said"]
    calm = published(work / "calm")
    for number in range(len(result["points"])):
        assert published(work / f"point{number}") == calm


def test_nothing_is_left_over(told: tuple[dict[str, Any], Path]) -> None:
    _, work = told
    assert list(work.glob("*/published/**/*.tmp")) == []
