"""What the day before hands on to a schedule, and what had come when a step was decided."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from pipeline.equipment import Demand, Generator
from pipeline.stages import redispatching
from pipeline.stages.parents import _runs_on
from tests.ev_case import park
from tests.helpers import case_of


@pytest.mark.parametrize(("ramp_kw_per_h", "runs_on"), [(None, False), (40.0, True)])
def test_a_ramp_runs_on_without_a_commitment(ramp_kw_per_h: float | None, runs_on: bool) -> None:
    unit = Generator(id="g", bus="plate", power_max_kw=100, cost_linear_per_kwh=0.1, ramp_kw_per_h=ramp_kw_per_h)
    assert _runs_on(case_of(unit, Demand(id="d", bus="plate", series="load"))) is runs_on


@pytest.mark.parametrize(("start", "runs_on"), [("cyclic", False), ("handed_on", True)])
def test_an_aggregator_runs_on_where_it_starts_with_what_is_handed_on(start: str, runs_on: bool) -> None:
    assert _runs_on(park(start=start)) is runs_on


@pytest.mark.parametrize(("delay_s", "counts"), [(0, [0, 1, 2, 3]), (900, [0, 0, 1, 2]), (901, [0, 0, 0, 1])])
def test_what_had_come_is_what_was_known_at_the_issue_time(monkeypatch: pytest.MonkeyPatch, delay_s: int, counts: list[int]) -> None:
    """Of two series the later one counts."""
    starts = 900 * np.arange(4)
    known = np.stack([starts + 900.0, starts + 900.0 + delay_s])
    run = SimpleNamespace(case=SimpleNamespace(settings=SimpleNamespace(forecast=SimpleNamespace(model="arima"))),
                          day=SimpleNamespace(starts=lambda: starts, steps=lambda: 4),
                          knowledge=SimpleNamespace(history=SimpleNamespace(known_since=lambda _: known)))
    monkeypatch.setattr(redispatching, "_issue_times", lambda _, steps: 900 * (np.array(steps) - 1))
    assert redispatching._came(run, range(1, 5)) == counts  # type: ignore[arg-type]
