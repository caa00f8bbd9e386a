"""A feeder of one bus has no branch: every check and the AC power flow run on it."""

from __future__ import annotations

from pathlib import Path

from tests.any_case import write_case
from tests.whole_day import run_day_ahead


def test_a_site_on_one_bus_is_scheduled(tmp_path: Path) -> None:
    case = write_case(tmp_path / "any_10", 10)
    assert "f2" not in (case.folder / "case.yaml").read_text() and "lindistflow" in (case.folder / "case.yaml").read_text()
    assert run_day_ahead(tmp_path / "home", case=str(case.folder))["status"] in ("done", "degraded")
