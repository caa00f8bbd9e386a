"""A real-time day of the robust case where commitment matters: low load, and a unit that must start."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.forecast.ev_connection import expected_connections
from pipeline.schedule.outlook import coarse_connections
from pipeline.schedule.read_out import day_ahead_tables, real_time_tables
from pipeline.schedule.real_time import open_day, run_steps
from pipeline.validate.context import Context
from pipeline.validate.gates import check_stage
from tests.robust_day import RobustDay, robust_case, running_hours


@pytest.mark.parametrize("variant", ["low_load_50", "forced_start"])
def test_a_real_time_day_ends_without_slack_and_passes_the_gates(variant: str) -> None:
    day = RobustDay(robust_case(variant))
    plan = day.plan()
    if variant == "forced_start":
        assert 18 <= running_hours(plan, "dg3") <= 21  # off for three hours more, on for the rest of the day
    rolling = open_day(day.case, day.day, day.window, plan.plan)
    came = day.came()
    # Less than expected at the very end: fuel cells at nothing cannot give less, and a store must not take what it would then hold.
    loads = [name.endswith("_load") for name in came.series]
    came.values[loads, -1] = 0.97 * day.windows()[-1].values[loads, 0]
    run = run_steps(rolling, rolling.start, day.windows(), came)
    assert run.findings == ()
    stores = rolling.desk.roster.stores
    assert run.settled.columns[-1, stores.energy] == pytest.approx([1520.0, 1850.0], abs=1e-6)  # half, as they began
    quarters = expected_connections(day.case, day=day.day)
    schedule = day_ahead_tables(plan, "da-1", planned=coarse_connections(quarters, 4))
    tables = real_time_tables(run, "rt-1", planned=quarters)
    context = Context(values={"settled": dict(zip(came.series, came.values, strict=True))},
                      parents={name: schedule[name] for name in ("schedule", "commitments")})
    mistakes, findings = check_stage(day.case, tables, day=day.day, product="real_time", context=context, contracts=None)
    assert mistakes == []
    assert [one for one in findings if one.severity == "warning"] == []
    table = tables["ev_connection"].to_pandas()
    assert np.abs(table["departures_count"] - table["expected_departures_count"]).sum() > 0
