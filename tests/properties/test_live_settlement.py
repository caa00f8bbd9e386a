"""Live operation: values come in after an interval ends, and what was settled with forecasts is settled again with them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest

from pipeline.cases.load import load_case
from pipeline.core.clock import QUARTER_S
from tests.whole_day import run_day_ahead, run_real_time, table

TINY = {"case": "tiny", "variant": "deterministic"}
DAY = load_case("tiny").day(date(2016, 6, 15))


def _at(step: int) -> str:
    """The start of a step: nothing of it or of later ones is known yet."""
    return datetime.fromtimestamp(DAY.start + QUARTER_S * (step - 1), UTC).isoformat()


def test_a_live_day_ends_fully_settled(tmp_path: Path) -> None:
    run_day_ahead(tmp_path, **TINY)
    run_real_time(tmp_path, **TINY, steps="1:2", as_of=_at(2))
    before = table(tmp_path, "settlement").to_pydict()
    assert before["settled"] == [False, False]  # the samples are hourly: known when the hour has passed
    run_real_time(tmp_path, **TINY, steps="3:3", as_of=_at(7))
    early = table(tmp_path, "settlement").to_pydict()
    assert early["settled"] == [True] * 3
    assert early["dispatched_kw"][:2] == before["dispatched_kw"]  # what was sent out stays
    assert abs(early["realised_kw"][1] - before["realised_kw"][1]) > 1e-3  # what came of it was not known
    last = run_real_time(tmp_path, **TINY, steps="4:96", as_of=_at(100))
    settlement = table(tmp_path, "settlement").to_pydict()
    assert settlement["settled"] == [True] * 96
    assert settlement["dispatched_kw"][:3] == early["dispatched_kw"]
    assert settlement["realised_kw"][:3] == early["realised_kw"]
    kpis = last["kpis"]
    assert kpis["perfect_foresight_cost"] <= kpis["rolling_cost"] + 1e-6
    costs = {row["term"]: row["value"] for row in table(tmp_path, "costs").to_pylist() if row["stage"] == "real_time"}
    assert costs["total"] == pytest.approx(kpis["rolling_cost"])  # of the whole day, not of its last run
    assert costs["energy_cost"] == pytest.approx(sum(settlement["energy_cost"]))
    assert np.isfinite(costs["total"])
