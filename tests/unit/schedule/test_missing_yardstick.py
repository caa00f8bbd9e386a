"""A day is not lost because the best possible one could not be computed."""

from __future__ import annotations

import pytest

from pipeline.core.errors import NoSchedule
from pipeline.stages import asked, redispatching, results
from pipeline.stages.opening import load_run


def test_a_failed_perfect_foresight_is_a_finding_not_a_failed_run(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FEEDERFLOW_HOME", str(tmp_path))

    def fails(*_: object, **__: object) -> object:
        raise NoSchedule("perfect foresight of the day ended as failed")

    monkeypatch.setattr(redispatching, "perfect_foresight", fails)
    request = asked.request({"case": "tiny", "variant": "reference"})
    results.run_day_ahead(request)
    day = results.run_real_time(request)
    assert day["published"] and day["status"] == "degraded"
    assert "perfect_foresight_cost" not in day["kpis"] and "no_redispatch_cost" in day["kpis"]
    assert [row["message"] for row in day["findings"] if row["check"] == "yardstick"] == ["perfect foresight of the day ended as failed"]
    assert load_run(day["run_id"]).stored.status == "degraded"
