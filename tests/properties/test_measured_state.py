"""Measured states through the whole pipeline: the next re-dispatch and the next schedule start there, and no gate is stricter."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pytest

from pipeline.cases.load import load_case
from pipeline.core.errors import GateFailed, InputError
from pipeline.stages import deciding, redispatching, request, starting
from pipeline.stages.measuring import state
from pipeline.stages.opening import load_run, open_day_ahead, open_real_time
from pipeline.validate.gates import check_published
from tests.whole_day import at_home, copied, run_day_ahead, run_real_time

TINY = {"case": "tiny", "variant": "reference"}
DAY, NEXT = "2016-06-15", "2016-06-16"
STATE = "f01_battery.energy_before_kwh"
BATTERY = next(one for one in load_case("tiny").devices if one.id == "f01_battery")
OWN, LOW, HIGH = BATTERY.energy_initial_kwh, BATTERY.energy_min_kwh, BATTERY.energy_max_kwh


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("planned")
    run_day_ahead(home, **TINY, date=DAY)
    return home


def _tell(home: Path, value: float | None, at: str, *, known_at: str | None = None, quantity: str = "energy_kwh") -> dict[str, Any]:
    with at_home(home):
        return state("tiny", device="f01_battery", quantity=quantity, value=value, at=at, since=None, author="anna",
                     known_at=known_at or at)


def _energies(home: Path, run_id: str) -> tuple[list[float], dict[int, float]]:
    """Ends of the run's steps, and by step what it began with where that was measured."""
    with at_home(home) as opened:
        table = opened.lake.read(run_id, "states")
    table = table.filter(pc.and_(pc.equal(table["device"], "f01_battery"), pc.equal(table["quantity"], "energy_kwh"))).sort_by("step")
    measured = {step: value for step, value in zip(table["step"].to_pylist(), table["measured_value"].to_pylist(), strict=True)
                if value is not None}
    return table["value"].to_pylist(), measured


def _findings(found: dict[str, Any]) -> set[tuple[str, str]]:
    return {(row["severity"], row["check"]) for row in found["findings"]}


def test_the_next_redispatch_starts_where_it_was_measured(planned: Path, tmp_path: Path) -> None:
    """From the first step that is decided when it is known, in a run that goes on from one that did not know it."""
    home = copied(planned, tmp_path / "home")
    before = run_real_time(home, **TINY, date=DAY, steps="1:2")
    _tell(home, 120.0, f"{DAY}T07:32", known_at=f"{DAY}T07:41")
    found = run_real_time(home, **TINY, date=DAY, steps="3:5")
    with at_home(home):
        assert load_run(found["run_id"]).record.parents[1] == before["run_id"]
    ends, measured = _energies(home, found["run_id"])
    moved = ends[2] - ends[1]
    assert measured == {4: pytest.approx(120.0 + moved * 13 / 15)}, "step 3 had begun; what it moved after 07:32 is part of it"
    assert ("warning", "state_jump") in _findings(found)
    with at_home(home):
        assert check_published(*_store(home), load_run(found["run_id"]).case, DAY) == []


def _store(home: Path) -> tuple[Any, Any]:
    with at_home(home) as opened:
        return opened.warehouse, opened.lake


def test_a_measured_state_names_the_run_and_a_withdrawal_gives_the_old_one_back(planned: Path, tmp_path: Path) -> None:
    home, asked = copied(planned, tmp_path / "home"), request({**TINY, "date": DAY, "steps": "1:2"})
    with at_home(home):
        bare = open_real_time(asked)
        _tell(home, 120.0, f"{DAY}T07:05")
        told = open_real_time(asked)
        with pytest.raises(InputError, match="nothing was measured of it at 2016-06-15T07:04"):
            _tell(home, None, f"{DAY}T07:04", known_at=f"{DAY}T07:06", quantity="withdraw")
        _tell(home, None, f"{DAY}T07:05", known_at=f"{DAY}T07:06", quantity="withdraw")
        assert len({bare, told, open_real_time(asked)}) == 3, "what was said and taken back is part of what the run knew"
        course = starting.course_of(load_run(open_real_time(asked)), (STATE,), [load_run(told).day.start + 420])
        assert course is None


def test_outside_its_limits_a_store_is_brought_back(planned: Path, tmp_path: Path) -> None:
    """Elastic, with a finding; the gates agree."""
    home = copied(planned, tmp_path / "home")
    _tell(home, HIGH + 40, f"{DAY}T07:30")
    found = run_real_time(home, **TINY, date=DAY, steps="1:4")
    ends, measured = _energies(home, found["run_id"])
    drained = 0.25 * BATTERY.discharge_max_kw / BATTERY.discharge_efficiency_share
    assert measured == {3: HIGH + 40} and ends[2] == pytest.approx(HIGH + 40 - drained), "as fast as its power lets it"
    assert ends[3] <= HIGH + 1e-6
    assert {("warning", "state_jump"), ("warning", "state_outside")} <= _findings(found)


def test_a_gate_finds_a_run_that_ignores_what_was_measured(planned: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = copied(planned, tmp_path / "home")
    _tell(home, 120.0, f"{DAY}T07:05")
    monkeypatch.setattr(redispatching, "course_of", lambda *_: None)
    with pytest.raises(GateFailed, match=r"f01_battery quantity=energy_kwh step=2, column measured_value: nan, .* make 120"):
        run_real_time(home, **TINY, date=DAY, steps="1:2")
    monkeypatch.setattr(deciding, "course_of", lambda *_: None)
    _tell(home, 120.0, f"{DAY}T07:10")
    with pytest.raises(GateFailed, match=r"f01_battery.*energy_kwh"):
        run_day_ahead(home, **TINY, date=NEXT)


def test_the_next_schedule_starts_where_it_was_measured(planned: Path, tmp_path: Path) -> None:
    """Carried to the start of the day by what the schedule of today still does; without one, as it was measured."""
    home = copied(planned, tmp_path / "home")
    _tell(home, 100.0, f"{DAY}T09:30")
    first = run_day_ahead(home, **TINY, date=NEXT)
    with at_home(home):
        parents = load_run(first["run_id"]).record.parents
    planned_ends, _ = _energies(home, parents[0])
    at_half = (planned_ends[1] + planned_ends[2]) / 2  # 09:30 is in the middle of the third hour
    carried = 100.0 + planned_ends[-1] - at_half
    ends, measured = _energies(home, first["run_id"])
    assert measured == {1: pytest.approx(min(max(carried, LOW), HIGH))}
    assert ends[-1] == pytest.approx(OWN, abs=1e-3), "the day ends where the case's own days begin"
    alone = tmp_path / "alone"
    _tell(alone, 100.0, f"{DAY}T09:30")
    second = run_day_ahead(alone, **TINY, date=NEXT)
    assert _energies(alone, second["run_id"])[1] == {1: 100.0} and ("warning", "state_jump") in _findings(second)


def test_a_day_of_a_study_begins_without_it(planned: Path, tmp_path: Path) -> None:
    home, asked = copied(planned, tmp_path / "home"), replace(request({**TINY, "date": NEXT}), independent=True)
    with at_home(home):
        bare = open_day_ahead(asked)
        _tell(home, 100.0, f"{DAY}T09:00")
        assert open_day_ahead(asked) == bare and load_run(bare).knowledge.measured == ()
        assert open_day_ahead(replace(asked, independent=False)) != bare
