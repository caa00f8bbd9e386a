"""What is printed for people: names, counts and local times, no raw fields; JSON keeps everything."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.stages.words import against_holding, describe_ingest, proven
from tests.whole_day import shell

RECEIPT = {
    "source": "meters", "unit": "history.csv", "kind": "file", "content": "e188b26e", "status": "imported",
    "import_id": 7, "rows_read": 8064,
    "values_read": 8064, "rows_added": 8064, "versions_added": 0, "unchanged": 0, "gaps": 3, "first": 1465981200, "last": 1466067600,
    "flags": {"repeated_hour": 8}, "messages": ("history.csv: 8 values bear stamps of a repeated hour",),
    "accounts": [{"series": name, "column": name, "rows": 4032, "fates": {"held": 4000, "gap": 32}, "values": 16000} for name in "ab"],
    "other_rows": 12,
}


def test_a_receipt_for_people() -> None:
    assert describe_ingest([RECEIPT], case="tiny").splitlines() == [
        "meters: history.csv  import 7  8,064 rows  2016-06-15 10:00 to 2016-06-16 10:00 Etc/GMT-1  3 gaps  8 repeated hour",
        "    a, b: 4,032 rows gave 16,000 values: 4,000 held over the parts of their interval, 32 without a value",
        "    12 rows are of other series",
        "    history.csv: 8 values bear stamps of a repeated hour",
    ]


def test_ingest_prints_for_people_and_json_keeps_the_rest(home: Path) -> None:
    said = shell("ingest", "tiny", home=home).stdout
    assert len(said.splitlines()) == 2 and "8,064 rows" in said and "no gaps" in said
    assert not any(word in said for word in ("content=", "rows_added", "{}", "()", "1462"))
    assert shell("ingest", "tiny", home=home).stdout.splitlines()[0].endswith("was read before")
    assert {"content", "rows_added", "versions_added"} <= set(json.loads(shell("ingest", "tiny", "--json", home=home).stdout)[0])


def test_the_log_of_the_dag_says_the_same(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipeline import stages

    monkeypatch.setenv("FEEDERFLOW_HOME", str(home))
    assert "8,064 rows" in stages.ingest("tiny")


def test_an_override_for_people(home: Path) -> None:
    word = ("override", "tiny", "f01_generator", "set_point_kw", "42", "--from", "2016-06-15T10:00", "--to", "2016-06-15T12:00",
            "--known-at", "2016-06-13T09:00", "--author", "A", "--reason", "b")
    said = shell(*word, home=home).stdout
    assert "f01_generator: set_point_kw 42 kW" in said
    assert "from 2016-06-15 10:00 to 2016-06-15 12:00 Etc/GMT-1, known from 2016-06-13 09:00" in said
    assert "=" not in said
    back = ("withdraw", *word[5:9], "--known-at", "2016-06-13T10:00", *word[-4:])
    assert shell(*word[:3], *back, home=home).stdout == "f01_generator: 1 withdrawn, from the next run on.\n"


@pytest.mark.parametrize(("command", "words"), [
    ("override", ("required: who says so", "required: why", "positive feeds into the bus", "withdraw")),
    ("day-ahead", ("naive is the case's local time", "same or a newer issue time")),
])
def test_help_says_what_is_required_and_which_clock(command: str, words: tuple[str, ...]) -> None:
    said = " ".join(shell(command, "--help", COLUMNS="250").stdout.replace("│", " ").split())
    assert all(word in said for word in words), said


def test_the_day_on_which_holding_the_schedule_was_cheaper() -> None:
    dearer = against_holding({"rolling_cost": 112.5, "no_redispatch_cost": 100.0}, currency="EUR")
    assert dearer == ["Re-dispatch cost more than holding the schedule on this day, by 12.50 EUR."]
    assert against_holding({"rolling_cost": 100.0, "no_redispatch_cost": 100.0}, currency="EUR") == []
    assert against_holding({"rolling_cost": -120.0, "no_redispatch_cost": -100.0}, currency="EUR") == []
    assert against_holding({"rolling_cost": 1.0}, currency="EUR") == []


def test_the_page_says_so_too() -> None:
    from pipeline.publish.report.money import _ordered

    said = _ordered({"perfect": 90.0, "rolling": 112.5, "none": 100.0}, "EUR")
    assert "more than holding the schedule on this day, by 12.50 EUR. It is decided from forecasts" in said
    assert "holding the schedule" not in _ordered({"perfect": 90.0, "rolling": 95.0, "none": 100.0}, "EUR")


def test_a_gap_is_proven_or_said_not_to_be():
    assert proven("wasserstein", 2.5e-4) == "treatment             wasserstein, proven within 0.025 % of the best"
    assert "no gap was proven" in proven("stochastic", None)
    assert proven("cvar", 0.0, "31.50 EUR") == "treatment             cvar, objective 31.50 EUR: proven to be the best, to a millionth"
