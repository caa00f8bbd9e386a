"""Where a day of real time starts, which steps a run takes, and when it says that it was issued."""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from pipeline.cases.load import load_case
from pipeline.core.clock import QUARTER_S
from pipeline.core.errors import InputError
from pipeline.schedule import day_ahead
from pipeline.schedule.state import State
from pipeline.stages import deciding, next_quarter, opening, request, validating
from pipeline.stages.keeping import plans
from pipeline.stages.opening import load_run, open_day_ahead, open_real_time
from pipeline.store.observations import ObservationBatch
from tests.whole_day import ROOT, at_home, copied, run_day_ahead, run_real_time

TINY = {"case": "tiny", "variant": "deterministic"}
DAY, NEXT = "2016-06-15", "2016-06-16"
STATE = "f01_battery.energy_before_kwh"


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The schedules of two days."""
    home = tmp_path_factory.mktemp("planned")
    run_day_ahead(home, **TINY, date=DAY)
    run_day_ahead(home, **TINY, date=NEXT)
    return home


@pytest.fixture(scope="module")
def yesterday(planned: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """And real time of the first day, whose battery ended it with 1 kWh less than it should."""
    home = copied(planned, tmp_path_factory.mktemp("yesterday") / "home")
    found = run_real_time(home, **TINY, date=DAY)
    state = _state(home, found["run_id"], 96)
    with at_home(home):
        plans(load_run(found["run_id"])).save("state-96", state.with_values({STATE: state.value(STATE) - 1.0}).to_arrays())
    return home


def _state(home: Path, run_id: str, step: int) -> State:
    with at_home(home):
        stored = plans(load_run(run_id)).load(f"state-{step}")
    assert stored is not None
    return State.from_arrays(stored[0])


def _record(home: Path, run_id: str) -> opening.RunRecord:
    with at_home(home):
        return load_run(run_id).record


# ------------------------------------------------------------------ where it starts


def test_a_day_goes_on_where_the_published_day_before_ended(planned: Path, yesterday: Path, tmp_path: Path) -> None:
    """The day before is a parent; its energies are the start; the cycle rule still returns to the case's own; gates agree."""
    own = next(device.energy_initial_kwh for device in load_case("tiny").devices if device.id == STATE.partition(".")[0])
    homes = copied(planned, tmp_path / "alone"), copied(yesterday, tmp_path / "after")
    alone, after = (run_real_time(home, **TINY, date=NEXT) for home in homes)
    assert [parent[:3] for parent in _record(homes[0], alone["run_id"]).parents] == ["da-"]
    assert [parent[:3] for parent in _record(homes[1], after["run_id"]).parents] == ["da-", "rt-"]
    assert alone["run_id"] != after["run_id"]
    first = [_state(home, found["run_id"], 1) for home, found in zip(homes, (alone, after), strict=True)]
    assert [state.start[state.names.index(STATE)] for state in first] == [own, own]
    last = _state(yesterday, _record(homes[1], after["run_id"]).parents[1], 96)
    assert last.value(STATE) != own
    charged = [state.value(STATE) for state in first]
    assert charged[0] != charged[1]
    assert max(abs(_state(home, found["run_id"], 96).value(STATE) - own) for home, found in zip(homes, (alone, after), strict=True)) < 0.5
    assert after["kpis"]["perfect_foresight_cost"] <= after["kpis"]["rolling_cost"] * (1 + 1e-6)


def test_the_cases_own_state_where_it_is_asked_for(yesterday: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A study's days are independent, and so are those of a case with `start_state: initial`."""
    home = copied(yesterday, tmp_path / "home")
    asked = request({**TINY, "date": NEXT})
    with at_home(home):
        study = open_real_time(opening.Request(asked.case, asked.date, variant=asked.variant, independent=True))
        assert [parent[:3] for parent in load_run(study).record.parents] == ["da-"]
        case = asked.load()
        initial = case.model_copy(update={"settings": case.settings.model_copy(update={"start_state": "initial"})})
        monkeypatch.setattr(opening.Request, "load", lambda _: initial)
        assert [parent[:3] for parent in load_run(open_real_time(asked)).record.parents] == ["da-"]


def test_vehicles_count_anew_and_the_cycle_target_stays() -> None:
    names = ("a.energy_before_kwh", "car.energy_before_kwh[1]", "new.energy_before_kwh")
    start = State(1, names, np.array([5.0, 0.0, 2.0]), np.array([5.0, 0.0, 2.0]), ("car[1]",), np.zeros(1))
    basis = np.ones(2, np.int8)
    before = State(97, names[:2], np.array([4.0, 33.0]), np.array([6.0, 0.0]), ("car[1]",), np.array([7.0]), basis, basis)
    found = start.begun_after(before)
    assert found.step == 1 and found.values.tolist() == [4.0, 0.0, 2.0] and found.start.tolist() == [5.0, 0.0, 2.0]
    assert found.lost_kwh.tolist() == [0.0] and found.basis_columns is None


# ------------------------------------------------------------------ live


def _now(monkeypatch: pytest.MonkeyPatch, moment: int) -> None:
    monkeypatch.setattr(opening.time, "time", lambda: moment)


def _fired(moment: int) -> SimpleNamespace:
    return SimpleNamespace(run_type="scheduled", logical_date=datetime.fromtimestamp(moment, UTC), run_after=None)


def test_a_missed_quarter_is_filled_by_the_next_run(planned: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else one missed gate would leave every later step of the day without a state to start from."""
    home, day = copied(planned, tmp_path / "home"), load_case("tiny").day(date.fromisoformat(DAY))
    for step, expected in ((3, (1, 3)), (4, (4, 4)), (7, (5, 7))):
        start = day.start + QUARTER_S * (step - 1)
        _now(monkeypatch, start - 300)
        asked = next_quarter(TINY, dag_run=_fired(start - 300))
        with at_home(home):
            assert load_run(open_real_time(asked)).steps == expected
        run_real_time(home, **TINY, date=DAY, steps=f"{expected[0]}:{expected[1]}")


def test_real_time_goes_no_further_than_the_next_interval(planned: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that claimed the rest of the day would keep every later one from being published."""
    home, day = copied(planned, tmp_path / "home"), load_case("tiny").day(date.fromisoformat(DAY))
    _now(monkeypatch, day.start + 10 * QUARTER_S - 300)
    with at_home(home):
        assert load_run(open_real_time(request({**TINY, "date": DAY}))).steps == (1, 11)
        with pytest.raises(InputError, match="that time has not come"):
            open_real_time(request({**TINY, "date": DAY, "steps": "1:12"}))
        _now(monkeypatch, day.start - 3 * QUARTER_S)
        with pytest.raises(InputError, match="wait until the day begins"):
            open_real_time(request({**TINY, "date": DAY}))


def test_a_schedule_made_ahead_of_its_time_is_issued_then(planned: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the regular run of the issue time is newer and takes its place."""
    home, case = copied(planned, tmp_path / "home"), load_case("tiny", variant="deterministic")
    nominal = case.day(date.fromisoformat(DAY)).at(case.settings.day_ahead_issue_local, days_before=1)
    asked = request({**TINY, "date": DAY})
    with at_home(home):
        _now(monkeypatch, nominal - 7200)
        assert load_run(open_day_ahead(asked)).issued_at == nominal - 7200
        _now(monkeypatch, nominal + 60)
        assert load_run(open_day_ahead(asked)).issued_at == nominal


# ------------------------------------------------------------------ what a run is named by is what it reads


def test_as_of_holds_for_every_stage_of_a_run(planned: Path, tmp_path: Path) -> None:
    """Real time asked for as of a moment before its issue time reads nothing of what came in between."""
    home, day = copied(planned, tmp_path / "home"), load_case("tiny").day(date.fromisoformat(DAY))
    moment = day.start + 8 * 3600
    with at_home(home):
        run = load_run(open_real_time(request({**TINY, "date": DAY, "as_of": datetime.fromtimestamp(moment, UTC).isoformat()})))
        assert run.knowledge.newest_known_at <= moment


def test_what_is_imported_while_a_run_goes_on_is_refused(planned: Path, tmp_path: Path) -> None:
    """Its id names what was known when it was opened; a first import dates itself back."""
    home, day = copied(planned, tmp_path / "home"), load_case("tiny").day(date.fromisoformat(DAY))
    with at_home(home) as opened:
        run_id = open_real_time(request({**TINY, "date": DAY}))
        zero = np.zeros(1, np.int32)
        at = np.array([day.start], np.int64)
        batch = ObservationBatch(["price"], zero, at, at + 3600, np.array([0.5]), zero.astype(np.int16), [3600])
        assert opened.warehouse.add_observations("tiny", batch, source="late", ingested_at=0, trust_known_at=True).versions_added == 1
        opening._load_run.cache_clear()
        with pytest.raises(InputError, match="imported after it was opened"):
            _ = load_run(run_id).knowledge


def test_a_case_that_is_edited_while_a_run_goes_on_is_refused(planned: Path, tmp_path: Path) -> None:
    """The tasks of a DAG are processes apart: each reads the case again."""
    home, case = copied(planned, tmp_path / "home"), tmp_path / "tiny"
    shutil.copytree(ROOT / "pipeline" / "data" / "cases" / "tiny", case)
    with at_home(home):
        run_id = open_real_time(request({**TINY, "case": str(case), "date": DAY}))
        text = (case / "case.yaml").read_text()
        (case / "case.yaml").write_text(text.replace("real_time_window_steps: 4", "real_time_window_steps: 8"))
        opening._load_run.cache_clear()
        with pytest.raises(InputError, match="was changed after it was opened"):
            _ = load_run(run_id).case


def test_a_cleared_task_of_a_run_that_ended_decides_nothing_again(planned: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under a time limit it would decide something else, and the run's tables are immutable."""
    with at_home(planned) as opened:
        run_id = open_day_ahead(request({**TINY, "date": DAY}))
        monkeypatch.setattr(day_ahead, "plan_day", None)
        monkeypatch.setattr(validating, "check_stage", None)
        assert validating.validate(deciding.schedule(run_id)) == run_id
        record = opened.warehouse.run(run_id)
        assert record is not None and record.finished
