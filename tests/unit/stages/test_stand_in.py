"""Which plan of a day before may stand in: the newest known at the issue, chosen when the run is opened, and part of its id."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline.core.clock import DeliveryDay
from pipeline.core.errors import NoSchedule
from pipeline.schedule import standby
from pipeline.stages import deciding, validating
from pipeline.stages.asked import request
from pipeline.stages.opening import load_run, open_day_ahead
from pipeline.stages.parents import DAY_BEFORE, STANDS_BY
from tests.whole_day import at_home, copied, published, run_day_ahead

TINY = {"case": "tiny", "variant": "deterministic"}
BEFORE, DAY, AFTER = "2016-06-15", "2016-06-16", "2016-06-17"
LATER = "2016-06-15T15:00"  # after the issue of DAY


@pytest.fixture(autouse=True)
def _by_arrays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(validating, "_CHECKERS", {"day_ahead": "arrays", "real_time": "arrays"})


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The schedule of the day before."""
    home = tmp_path_factory.mktemp("first")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(validating, "_CHECKERS", {"day_ahead": "arrays", "real_time": "arrays"})
        run_day_ahead(home, **TINY, date=BEFORE)
    return home


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> None:
    """No program answers for DAY."""
    plan_day = standby.plan_day

    def none(case: Any, day: DeliveryDay, *args: Any, **kwargs: Any) -> Any:
        if day.date.isoformat() == DAY:
            raise NoSchedule("the solver ended as failed")
        return plan_day(case, day, *args, **kwargs)

    monkeypatch.setattr(standby, "plan_day", none)


def opened(home: Path, *, date: str = DAY, independent: bool = False) -> Any:
    with at_home(home):
        asked = request({**TINY, "date": date})
        return load_run(open_day_ahead(asked if not independent else type(asked)(**{**vars(asked), "independent": True}))).record


def said(found: dict[str, Any]) -> list[str]:
    return [row["message"] for row in found["findings"] if row["check"] == "fallback"]


def test_a_day_of_a_study_takes_no_plan_of_a_day_before(first: Path, tmp_path: Path) -> None:
    """Days of a study run in any order, in parallel: what stands in must not depend on which are published."""
    home = copied(first, tmp_path / "home")
    assert opened(home, independent=True).parents == ()
    assert len(opened(home).parents) == 1


@pytest.mark.usefixtures("without")
def test_the_plan_known_at_the_issue_stands_in_whatever_was_published_since(first: Path, tmp_path: Path) -> None:
    live, late = copied(first, tmp_path / "live"), copied(first, tmp_path / "late")
    then = run_day_ahead(live, **TINY, date=DAY)
    assert said(then) == [f"no schedule was found (the solver ended as failed): the schedule of {BEFORE}, moved to today and held, is used "
                          "within the limits"]
    for home in (live, late):  # the day before once more, known too late for DAY, and a day after
        again = run_day_ahead(home, **TINY, date=BEFORE, issued=LATER)
        assert again["published"]
        run_day_ahead(home, **TINY, date=AFTER)
    replay = run_day_ahead(late, **TINY, date=DAY)
    known = opened(first, date=BEFORE).run_id
    assert opened(late).parents == (known,) and again["run_id"] != known
    assert replay["run_id"] == then["run_id"] == run_day_ahead(live, **TINY, date=DAY)["run_id"]
    of_day = [{path: data for path, data in published(home).items() if DAY in path and path.endswith(".parquet")} for home in (live, late)]
    assert of_day[0] == of_day[1] != {}
    # Who is issued after the second takes the second.
    assert opened(live, date=AFTER).parameters[STANDS_BY] == then["run_id"]


def test_a_run_that_was_opened_keeps_its_plan_though_an_earlier_day_is_published_since(first: Path, tmp_path: Path) -> None:
    home = copied(first, tmp_path / "home")
    third = opened(home, date="2016-06-18")
    assert third.parameters[STANDS_BY] == third.parents[0] == opened(first, date=BEFORE).run_id
    assert third.parameters[DAY_BEFORE] is None, "the plan of three days ago hands nothing on"
    run_day_ahead(home, **TINY, date=AFTER)
    assert opened(home, date="2016-06-18").run_id == third.run_id
    assert opened(home, date="2016-06-19").parents != third.parents, "who was not opened yet takes the newest"


@pytest.mark.usefixtures("without")
def test_a_plan_that_was_lost_is_made_again_where_it_stands_in(first: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, home = (copied(first, tmp_path / name) for name in ("whole", "home"))
    then = run_day_ahead(whole, **TINY, date=DAY)
    plan = home / "runs" / opened(home).parents[0] / "plan.arrays"
    plan.write_bytes(b"x")
    again = run_day_ahead(home, **TINY, date=DAY)
    assert (again["run_id"], again["objective"], said(again)) == (then["run_id"], then["objective"], said(then))
    assert plan.read_bytes() == (whole / plan.relative_to(home)).read_bytes()


@pytest.mark.usefixtures("without")
def test_where_the_plan_cannot_be_made_again_devices_rest_and_it_is_said(first: Path, tmp_path: Path,
                                                                        monkeypatch: pytest.MonkeyPatch) -> None:
    home = copied(first, tmp_path / "home")
    (home / "runs" / opened(home).parents[0] / "plan.arrays").write_bytes(b"x")
    monkeypatch.setattr("pipeline.stages.mending._same_as_then", lambda run: False)
    found = run_day_ahead(home, **TINY, date=DAY)
    (words,) = said(found)
    assert found["published"] and "devices at rest are held within the limits; " in words
    assert f"the plan of {BEFORE} cannot be read: runs/" in words


def test_damage_of_a_plan_that_stands_by_is_no_obstacle_where_nothing_stands_in(first: Path, tmp_path: Path,
                                                                              monkeypatch: pytest.MonkeyPatch) -> None:
    home = copied(first, tmp_path / "home")
    (home / "runs" / opened(home).parents[0] / "plan.arrays").write_bytes(b"x")
    monkeypatch.setattr("pipeline.stages.mending._same_as_then", lambda run: False)
    monkeypatch.setattr(deciding, "_earlier", lambda *of: pytest.fail("nothing stands in"))
    assert run_day_ahead(home, **TINY, date=DAY)["published"]
