"""A gate that a stage never calls checks nothing: what it finds ends each stage, before its tables are written or published."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from pipeline.core.errors import GateFailed, Mistake
from pipeline.stages import (
    forecast,
    gating,
    open_day_ahead,
    open_real_time,
    publish,
    redispatch,
    request,
    scenarios,
    schedule,
    validate,
    validating,
)
from pipeline.stages.home import Home
from pipeline.stages.ingesting import ensure_ingested
from pipeline.stages.opening import load_run
from tests.small_site import DEMAND, measured, write_site
from tests.whole_day import at_home

PLANTED = Mistake("planted", "a fault that only a gate sees")


def refused(stage: Callable[[str], str], run_id: str, home: Home, *tables: str) -> None:
    """The stage ends with the fault, marks the run, and leaves none of its tables behind."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (gating, validating):
            patch.setattr(module, "check_stage", lambda *_, **__: ([PLANTED], []))
        with pytest.raises(GateFailed, match="planted"):
            stage(run_id)
    assert not set(tables) & set(home.lake.tables(run_id))
    assert load_run(run_id).stored.status == "failed"


def test_no_stage_of_a_day_passes_its_gate_by(tmp_path: Path) -> None:
    site = write_site(tmp_path / "site", {"demand": [DEMAND]}, histories=measured(), settings={
        "method": {"kind": "stochastic", "draw_count": 10, "representative_count": 2}, "real_time_window_steps": 4,
        "forecast": {"window_days": 3, "price_window_days": 3}})
    with at_home(tmp_path / "home") as home:
        asked = request({"case": str(site)})
        ensure_ingested(asked)
        run_id, other = open_day_ahead(asked), open_day_ahead(replace(asked, method="deterministic"))
        refused(forecast, run_id, home, "forecasts", "forecast_scores")
        forecast(run_id)
        refused(scenarios, run_id, home, "scenarios", "scenario_quality")
        publish(validate(schedule(scenarios(run_id)), contracts="arrays"))
        refused(partial(validate, contracts="arrays"), schedule(scenarios(forecast(other))), home, "findings", "kpis")
        run_id = redispatch(open_real_time(replace(asked, steps=(1, 2))))
        refused(validate, run_id, home, "findings", "kpis")
