"""What is asked for: methods by name."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pendulum
import pytest
import yaml

from pipeline.cases.load import load_case
from pipeline.cases.settings import Affine, Stochastic, Wasserstein
from pipeline.core.errors import InputError, Mistake
from pipeline.stages.asked import METHODS, delivery_of, moment, next_quarter, request, with_method


def test_another_method_keeps_what_it_shares_with_the_case_s_own():
    case = load_case("tiny")
    assert isinstance(case.settings.method, Stochastic) and case.settings.method.draw_count == 100
    found = with_method(case, "wasserstein").settings.method
    assert isinstance(found, Wasserstein)
    assert (found.draw_count, found.representative_count, found.radius_share) == (100, 3, Wasserstein().radius_share)
    assert with_method(case, "affine").settings.method == Affine()
    assert with_method(case, "stochastic") is case


def test_every_kind_of_method_can_be_asked_for():
    for kind in METHODS:
        assert request({"case": "tiny", "method": kind}).load().settings.method.kind == kind


def test_a_method_that_does_not_exist_is_refused_with_those_that_do():
    with pytest.raises(InputError, match=r"'cvarr' is no method.*wasserstein"):
        request({"case": "tiny", "method": "cvarr"})


@pytest.fixture
def auckland(tmp_path: Path) -> str:
    """The smallest case, on the other side of the date line, decided 20 minutes ahead."""
    folder = tmp_path / "auckland"
    shutil.copytree(Path(__file__).parents[3] / "pipeline/data/cases/tiny", folder)
    content = yaml.safe_load((folder / "case.yaml").read_text())
    content |= {"name": "auckland", "time_zone": "Pacific/Auckland", "day_start_local": "00:00"}
    content["settings"] = {**content.get("settings", {}), "real_time_lead_min": 20}
    (folder / "case.yaml").write_text(yaml.safe_dump(content))
    return str(folder)


def fired(moment: str) -> SimpleNamespace:
    """Airflow's moments are pendulum's."""
    return SimpleNamespace(run_type="scheduled", logical_date=pendulum.parse(moment), run_after=None)


def test_the_day_after_an_issue_is_the_local_one(auckland: str) -> None:
    """22:00 UTC of the 20th is 11:00 of the 21st there."""
    assert request({"case": auckland}, dag_run=fired("2016-03-20T22:00:00Z")).date == date(2016, 3, 22)


@pytest.mark.parametrize(("issue", "day", "steps"), [("2016-03-20T10:40:00Z", date(2016, 3, 21), (1, 1)),
                                                    ("2016-03-20T10:25:00Z", date(2016, 3, 20), (96, 96)),
                                                    ("2016-03-20T10:41:00Z", date(2016, 3, 21), (2, 2))])
def test_a_quarter_hour_is_decided_the_case_s_lead_ahead(auckland: str, issue: str, day: date, steps: tuple[int, int]) -> None:
    """Its days begin at 11:00 UTC; at 10:41 there are 19 minutes left, too few for the first quarter-hour."""
    asked = next_quarter({"case": auckland}, dag_run=fired(issue))
    assert (asked.date, asked.steps, asked.catch_up) == (day, steps, True)
    assert delivery_of(int(pendulum.parse(issue).timestamp()), asked.load()) == asked.load().day(day).start + 900 * (steps[0] - 1)


def test_a_time_that_the_clock_jumps_over_is_refused_with_the_one_that_it_shows() -> None:
    mistakes: list[Mistake] = []
    berlin = ZoneInfo("Europe/Berlin")
    assert moment("2024-03-31T02:30", "--at", mistakes, zone=berlin) is None
    assert [str(one) for one in mistakes] == ["--at: 2024-03-31T02:30 never shows on the clock: it is put forward there; "
                                              "write 2024-03-31T03:30+02:00, or the time that is meant"]
    later = moment("2024-03-31T03:30", "--at", mistakes, zone=berlin)
    assert later == moment("2024-03-31T03:30+02:00", "--at", mistakes) and len(mistakes) == 1
    assert moment("2024-10-27T02:30", "--at", mistakes, zone=berlin) is not None, "a time that comes twice is its first"
