"""What a unit does at midnight is where it begins the day after: through the schedules, and through what was dispatched."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pytest

from pipeline.validate import contract_gate
from pipeline.validate.contract_arrays import broken_by_arrays
from tests.small_site import DATE, DAY, DEMAND, Floats, write_site
from tests.whole_day import at_home, run_day_ahead, run_real_time

NEXT = DAY.shifted(1).date
# Far cheaper than the market, and slow: it takes two days to reach its power.
UNIT = {"id": "unit", "bus": "site", "power_max_kw": 48, "cost_linear_per_kwh": 0.01, "segment_count": 1, "ramp_kw_per_h": 1,
        "power_initial_kw": 0}




def _powers_kw(home: Path, table: str, run_id: str) -> Floats:
    with at_home(home) as opened:
        rows = opened.lake.read(run_id, table)
    rows = rows.filter((pc.field("device") == "unit") & (pc.field("quantity") == "injection") & (pc.field("carrier") == "active"))
    return np.asarray(rows.sort_by("step")["value"].to_numpy())


def test_a_ramp_goes_on_over_midnight(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At 1 kW per hour it climbs from nothing to 24 kW on the first day, and from there to 48 kW on the second."""
    monkeypatch.setattr(contract_gate, "broken_by", {**contract_gate.broken_by, "suite": broken_by_arrays})
    site = write_site(tmp_path / "site", {"generator": [UNIT], "demand": [DEMAND]}, tables={"load": [30.0] * 24, "price": [0.2] * 24},
                      settings={"method": {"kind": "deterministic"}, "forecast": {"model": "table"}, "real_time_window_steps": 4})
    home = tmp_path / "home"
    planned = [run_day_ahead(home, case=str(site), date=date) for date in (DATE.isoformat(), NEXT.isoformat())]
    for day, found in enumerate(planned):
        assert _powers_kw(home, "schedule", found["run_id"]) == pytest.approx(24 * day + np.arange(1, 25))
    alone = run_real_time(home, case=str(site), date=NEXT.isoformat(), steps="1:2")
    assert _powers_kw(home, "dispatch", alone["run_id"]) == pytest.approx([24.25, 24.5]), "where the schedule of the day before ends"
    out = run_real_time(home, case=str(site), date=DATE.isoformat())
    assert _powers_kw(home, "dispatch", out["run_id"]) == pytest.approx(np.arange(1, 97) / 4)
    after = run_real_time(home, case=str(site), date=NEXT.isoformat(), steps="1:2", replace=True)
    assert after["run_id"] != alone["run_id"]
    assert _powers_kw(home, "dispatch", after["run_id"]) == pytest.approx([24.25, 24.5]), "where the dispatch of the day before ended"
