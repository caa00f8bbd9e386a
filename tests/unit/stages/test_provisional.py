"""What a run says of intervals that it settles with forecasts."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace

import numpy as np
import pytest

from pipeline.cases.load import load_case
from pipeline.core.clock import QUARTER_S
from pipeline.stages.redispatching import provisional

CASE = load_case("tiny")
DAY = CASE.day(date(2016, 6, 15))


@pytest.mark.parametrize(("last", "known", "severity"), [
    (96, 96, None), (40, 39, "info"), (96, 95, "info"), (96, 72, "warning"), (40, 8, "warning"),
])
def test_values_that_are_missing_are_counted(last: int, known: int, severity: str | None) -> None:
    """The last interval of a live run is never known; values that are later than a run may wait are a warning."""
    issued_at = DAY.start + QUARTER_S * (last - 1)
    run = SimpleNamespace(case=CASE, day=DAY, steps=(1, last), issued_at=issued_at)
    found = provisional(run, np.arange(96) < known)  # type: ignore[arg-type]
    assert [one.severity for one in found] == ([] if severity is None else [severity])
    for one in found:
        assert (one.check, one.value) == ("provisional", last - known)
        assert f"{last - known} of 96 quarter-hours are not settled" in one.message and f"the first is step {known + 1})" in one.message
        assert ("not dispatched yet" in one.message) == (last < 96)
