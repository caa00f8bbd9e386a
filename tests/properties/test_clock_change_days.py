"""The days on which the clocks change have 92 and 100 quarter-hours, and run through like any other."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from pipeline.cases import skeleton
from pipeline.cases.load import load_case
from tests.whole_day import copied, run_day, table

DEFAULT = "networked_microgrids_66_simbench"


def seconds(rows: pa.Table) -> np.ndarray:
    return rows["valid_from"].cast(pa.int64()).to_numpy() // 1_000_000


def check_whole(home: Path, *, case: str, variant: str, count: int, start: int) -> None:
    """Every quarter-hour once, from the local day start on, in every table that has steps; the day-ahead hours as well."""
    for name in ("dispatch", "settlement", "states", "bus_state", "prices"):
        rows = table(home, name, case=case, variant=variant)
        if "stage" in rows.column_names:
            rows = rows.filter(pa.array([stage == "real_time" for stage in rows["stage"].to_pylist()]))
        steps = rows["step"].to_numpy()
        assert set(steps.tolist()) == set(range(1, count + 1)), name
        shift = 900 if name == "states" else 0  # a state is that at the end of its interval
        assert np.isin(seconds(rows) - (start + 900 * (steps - 1)), (0, shift)).all(), name
    schedule = table(home, "schedule", case=case, variant=variant)
    assert set(schedule["step"].to_pylist()) == set(range(1, count // 4 + 1))
    settled = table(home, "settlement", case=case, variant=variant)
    assert all(settled["settled"].to_pylist())


@pytest.mark.parametrize(("day", "count", "first"), [("2024-03-31", 92, datetime(2024, 2, 17, 23, tzinfo=UTC)),
                                                     ("2024-10-27", 100, datetime(2024, 9, 14, 22, tzinfo=UTC))])
def test_a_small_case(day: str, count: int, first: datetime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The skeleton's days begin at midnight in Berlin, so the changed hour lies inside; stochastic, on made-up histories."""
    monkeypatch.setattr(skeleton, "FIRST_DAY", first)
    monkeypatch.setattr(skeleton, "DEFAULT_DATE", day)
    folder, home = tmp_path / "berlin", tmp_path / "home"
    skeleton.new_case(folder)
    result = run_day(home, case=str(folder))
    assert result["status"] == "done", warnings_of(result)
    delivery = load_case(folder).day(date.fromisoformat(day))
    assert delivery.steps() == count
    check_whole(home, case="berlin", variant="default", count=count, start=delivery.start)
    assert result["second"]["kpis"]["perfect_foresight_cost"] <= result["second"]["kpis"]["rolling_cost"] + 1e-6


def warnings_of(result: dict[str, Any]) -> list[dict[str, Any]]:
    return [row for row in result["findings"] if row["severity"] == "warning"]


@pytest.mark.slow
@pytest.mark.parametrize(("day", "count"), [("2016-03-26", 92), ("2016-10-29", 100)])
def test_the_default_case(default_histories: Path, tmp_path: Path, day: str, count: int) -> None:
    home = copied(default_histories, tmp_path / "home")
    result = run_day(home, case=DEFAULT, method="deterministic", date=day)
    # Without scenarios the plan keeps little heat back: on a cold morning a store may run empty. And one forecast knows no range of
    # costs: the autumn day costs half as much again as it expected, and says so. Nothing else is excused.
    reasons = {(row["check"], "heat" in row["place"]) for row in warnings_of(result)}
    assert reasons <= {("slack_used", True), ("cycle", True), ("cost_range", False)}, warnings_of(result)
    assert result["status"] == ("degraded" if reasons else "done")
    delivery = load_case(DEFAULT).day(date.fromisoformat(day))
    assert delivery.steps() == count
    check_whole(home, case=DEFAULT, variant="default~deterministic", count=count, start=delivery.start)
    kpis = result["second"]["kpis"]
    assert kpis["perfect_foresight_cost"] <= kpis["rolling_cost"] + 1e-6 * abs(kpis["rolling_cost"])
