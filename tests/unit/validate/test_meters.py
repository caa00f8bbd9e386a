"""Which meters stand still, and which only rest as they always do."""

from __future__ import annotations

import csv
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from pipeline.cases.sources import Series
from pipeline.store.observations import Observations
from pipeline.validate.meters import may_stand, standing
from tests.helpers import case_of

WILD = Path(__file__).parents[2] / "wild"
QUARTERS = 900 * np.arange(28 * 96)
DAY = 50 + 10 * np.sin(np.arange(28 * 96) / 96 * 2 * np.pi) + np.arange(28 * 96) % 7  # never twice the same in a row


def ends(run: int, value: float) -> np.ndarray:
    return np.where(np.arange(len(DAY)) >= len(DAY) - run, value, DAY)


@pytest.mark.parametrize(("case", "value", "since"), [("e07_dead_meter", 0.0, "2024-06-05T00:00Z"),
                                                      ("e08_frozen_meter", 33.3, "2024-06-08T00:00Z")])
def test_a_dead_and_a_frozen_meter_are_seen(case: str, value: float, since: str) -> None:
    with (WILD / case / "history.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["time"] < "2024-06-11T12"]
    start = np.array([int(datetime.fromisoformat(row["time"]).timestamp()) for row in rows])
    found = standing(start, np.array([float(row["load_kw"]) for row in rows]), resolution_s=900, kind="load")
    assert found is not None and found.value == value and found.since == int(datetime.fromisoformat(since).timestamp())
    assert standing(start, np.array([float(row["pv_kw"]) for row in rows]), resolution_s=900, kind="pv") is None


@pytest.mark.parametrize(("run", "value", "kind", "found"), [
    (11, 0.0, "load", False), (12, 0.0, "load", True), (12, 42.0, "load", True), (12, 42.0, "price", False),
    (100, 0.0, "wind", True), (90, 0.0, "wind", False), (100, 0.0, "pv", False), (193, 0.0, "pv", True), (24, 0.0, "heat", True),
])
def test_hours_that_are_too_long_for_a_kind(run: int, value: float, kind: str, found: bool) -> None:
    assert (standing(QUARTERS, ends(run, value), resolution_s=900, kind=kind) is not None) is found


def test_a_load_that_rests_by_habit_is_no_finding() -> None:
    """Twelve hours of every night: a thirteenth is none either, a day and a quarter of an hour is one."""
    nights = np.where(np.arange(len(DAY)) % 96 < 48, 0.0, DAY)
    for run, found in ((48, False), (52, False), (96, False), (97, True)):
        value = np.concatenate([nights[:-96], np.zeros(run)])
        assert (standing(900 * np.arange(len(value)), value, resolution_s=900, kind="load") is not None) is found


@pytest.mark.parametrize(("run", "value", "named"), [(12, 0.0, True), (11, 0.0, False), (12, 33.3, True)])
def test_a_few_days_tell_which_series_may_stand(run: int, value: float, named: bool) -> None:
    """A re-dispatch reads few days: of those that may stand it then reads the weeks that tell their habit."""
    case = case_of(series=(Series(id="load", kind="load"),))
    count, zeros = 300, np.zeros(300, dtype=np.int64)
    known = Observations(("load",), (900,), zeros.astype(np.int32), QUARTERS[:count], zeros, zeros, ends(run, value)[-count:],
                         zeros.astype(np.int16))
    assert may_stand(case, known) == (("load",) if named else ())


def test_heat_that_rests_by_season_is_no_finding() -> None:
    spring = DAY.copy()
    spring[1000:1016] = 0.0
    spring[-400:] = 0.0
    assert standing(QUARTERS, spring, resolution_s=900, kind="heat") is None
    assert standing(QUARTERS, spring, resolution_s=900, kind="load") is not None


def test_too_short_a_history_tells_no_habit() -> None:
    assert standing(QUARTERS[:300], ends(12, 0.0)[-300:], resolution_s=900, kind="load") is not None
    assert standing(QUARTERS[:299], ends(12, 0.0)[-299:], resolution_s=900, kind="load") is None
