"""A forecast from too little history is a finding: a warning where the mean day is all there is."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest

from pipeline.cases.load import load_case
from pipeline.stages.validating import short_history
from pipeline.validate.findings import CHECKS

CASE = load_case("tiny")


def _found(product: str = "day_ahead", **days: tuple[float, float]) -> list[Any]:
    """Findings where series have (fit_days, flag_short_history)."""
    rows = [{"series": name, "score": score, "value": value} for name, pair in days.items()
            for score, value in zip(("fit_days", "flag_short_history"), pair, strict=True)]
    run: Any = SimpleNamespace(case=CASE, record=SimpleNamespace(product=product))
    return short_history(run, {"forecast_scores": pa.Table.from_pylist(rows)})


@pytest.mark.parametrize(("days", "flag", "severity"), [(9.5, 1.0, "warning"), (20.0, 1.0, "info"), (10.0, 0.0, "warning")])
def test_short_history_is_a_finding(days: float, flag: float, severity: str) -> None:
    (finding,) = _found(f01_load=(days, flag), price=(28.0, 0.0))
    assert (finding.severity, finding.check, finding.place) == (severity, "short_history", "f01_load")
    assert (finding.value, finding.limit) == (days, 28.0)
    assert finding.message.startswith(f"{days:.1f} of the 28 days asked for were known")
    assert ("mean day alone" in finding.message) is (severity == "warning")
    assert finding.check in CHECKS


def test_enough_history_and_real_time_have_no_such_finding() -> None:
    assert _found(f01_load=(27.5, 0.0)) == []
    assert _found("real_time", f01_load=(9.5, 1.0)) == []
