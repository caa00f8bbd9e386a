"""Every command, every exit code, every JSON shape, on the smallest case; in one process, because a shell pays its imports each time."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.models import ArgumentInfo

from pipeline.cases.load import load_case
from pipeline.cli import app, main
from pipeline.cli.cases import app as cases_app
from pipeline.cli.numbers import CommandWithNumbers
from pipeline.core.errors import InputError, NoSchedule
from pipeline.publish import ledger
from pipeline.schedule import standby
from pipeline.stages import desk, results, watching
from pipeline.store.lake import Lake
from tests.whole_day import at_home, copied, published, run_day, run_day_ahead

DAY = ("tiny", "--variant", "reference")
COMMANDS = ("ingest", "day-ahead", "real-time", "run", "study", "status", "setpoints", "override", "report", "query", "bench", "case")


@dataclass
class Said:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def feederflow(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], home: Path) -> Callable[..., Said]:
    """Type a command; the home is the test's own unless `at` names another."""

    def type_in(*arguments: str, at: Path | None = None) -> Said:
        monkeypatch.setenv("FEEDERFLOW_HOME", str(at or home))
        monkeypatch.setattr("sys.argv", ["feederflow", *arguments])
        with pytest.raises(SystemExit) as left:
            main()
        out, err = capsys.readouterr()
        code = left.value.code
        assert isinstance(code, int)
        return Said(code, out, err)

    return type_in


@pytest.fixture(scope="module")
def done_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home with a published day; never written to."""
    home = tmp_path_factory.mktemp("done")
    run_day(home, case="tiny", variant="reference")
    before = published(home)
    yield home
    assert published(home) == before


# ------------------------------------------------------------------ help and usage


def test_help_names_every_command(feederflow: Callable[..., Said]) -> None:
    said = feederflow("--help")
    assert said.code == 0
    assert all(f" {command} " in said.out for command in COMMANDS)


@pytest.mark.parametrize("command", [*((one,) for one in COMMANDS), *(("case", one) for one in ("new", "list", "show", "check"))],
                         ids=" ".join)
def test_every_command_explains_itself(feederflow: Callable[..., Said], command: tuple[str, ...]) -> None:
    said = feederflow(*command, "--help")
    assert said.code == 0
    assert "Usage: " in said.out and "Traceback" not in said.err


@pytest.mark.parametrize("words", [("fly",), ("day-ahead",), ("run", "tiny", "--colour", "red"), ("setpoints", "tiny", "--step", "x")])
def test_what_was_mistyped_ends_with_2(feederflow: Callable[..., Said], words: tuple[str, ...]) -> None:
    said = feederflow(*words)
    assert said.code == 2
    assert "Error" in said.err and "Traceback" not in said.err


BAD = {
    "no such case": (("run", "tyni"), ("tyni", "tiny")),
    "no such variant": (("day-ahead", "tiny", "--variant", "x"), ("x", "reference")),
    "no date": (("day-ahead", "tiny", "--date", "15.6.2016"), ("--date", "YYYY-MM-DD")),
    "no method": (("day-ahead", "tiny", "--method", "guess"), ("--method", "stochastic")),
    "no time": (("day-ahead", "tiny", "--as-of", "noon"), ("--as-of", "2016-06-15T10:00")),
    "no steps": (("real-time", "tiny", "--steps", "9:3"), ("--steps", "A:B")),
    "past the day": (("real-time", "tiny", "--variant", "reference", "--steps", "96:97"), ("--steps", "96")),
    "no schedule yet": (("real-time", "tiny", "--variant", "reference"), ("tiny", "feederflow day-ahead")),
    "no such study": (("study", "x"), ("x.yaml", "tiny_three_days")),
    "no such device": (("override", "tiny", "turbine", "out", "--author", "a", "--reason", "b"), ("turbine", "case show")),
    "no author": (("override", "tiny", "f01_battery", "out"), ("f01_battery", "author")),
    "no value": (("override", "tiny", "f01_battery", "set_point_kw", "--author", "a", "--reason", "b"), ("f01_battery", "kW")),
    "no quantity": (("override", "tiny", "f01_battery", "half", "1", "--author", "a", "--reason", "b"), ("half", "limit_high_kw")),
    "nothing to withdraw": (("override", "tiny", "f01_battery", "withdraw", "--author", "a", "--reason", "b"), ("f01_battery", "--from")),
    "a value too many": (("override", "tiny", "f01_battery", "out", "5", "--author", "a", "--reason", "b"), ("out takes no value", "5")),
    "a value to withdraw": (("override", "tiny", "f01_battery", "withdraw", "-5", "--author", "a", "--reason", "b"), ("no value", "-5")),
    "a state too many": (("state", "tiny", "f01_battery", "withdraw", "0", "--author", "a"), ("withdraw takes no value", "--at")),
    "a misspelt option": (("override", "tiny", "f01_battery", "set_point_kw", "-2", "--auther", "a"), ("--auther", "--author")),
    "minus infinity": (("override", "tiny", "f01_battery", "set_point_kw", "-inf", "--author", "a", "--reason", "b"), ("finite",)),
    "again and a source": (("ingest", "tiny", "--again", "1", "--source", "prices"), ("--again", "leave --source out")),
    "again what is not there": (("ingest", "tiny", "--again", "1"), ("import 1", "is no import of the case tiny")),
    "no such source": (("ingest", "tiny", "--source", "x"), ("x", "error_samples")),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_ends_with_2_and_names_place_and_remedy(feederflow: Callable[..., Said], name: str) -> None:
    words, named = BAD[name]
    said = feederflow(*words)
    assert said.code == 2, said.err
    assert all(word in said.err for word in named), said.err
    assert said.out == "" and "Traceback" not in said.err


@pytest.mark.parametrize("words", [*(BAD[name][0] for name in ("no such case", "no steps", "no such study", "no author", "no such source")),
                                   ("fly",), ("run", "tiny", "--colour", "red"), ("setpoints", "tiny", "--home", "/nowhere/at/all")])
def test_an_error_of_json_is_json_where_results_are(feederflow: Callable[..., Said], words: tuple[str, ...]) -> None:
    plain, said = feederflow(*words), feederflow(*words, "--json")
    assert plain.out == "" and said.code == plain.code == 2
    assert set(said.json) == {"exit_code", "place", "message", "remedy", "mistakes"} and said.json["exit_code"] == 2
    first = said.json["mistakes"][0]
    assert {name: said.json[name] for name in first} == first and all(first.values())
    assert first["message"] in said.err, "words for a log, too"


def test_a_later_piece_needs_the_earlier_one(feederflow: Callable[..., Said], done_home: Path, tmp_path: Path) -> None:
    assert feederflow("day-ahead", *DAY).code == 0
    said = feederflow("real-time", *DAY, "--steps", "5:6")
    assert said.code == 2
    assert "step 4" in said.err and "--steps 1:4" in said.err


# ------------------------------------------------------------------ decide and publish


def test_a_day_in_three_commands(feederflow: Callable[..., Said], home: Path) -> None:
    receipts = feederflow("ingest", "tiny", "--json")
    assert receipts.code == 0 and {row["source"] for row in receipts.json} == {"error_samples", "ev_sessions"}
    assert all(row["rows_added"] == 0 for row in feederflow("ingest", "tiny", "--json").json)
    first = feederflow("day-ahead", *DAY, "--json")
    assert first.code == 0
    assert {"run_id", "status", "objective", "gap", "seconds", "findings", "files"} <= set(first.json)
    some = feederflow("real-time", *DAY, "--steps", "1:4", "--json")
    rest = feederflow("real-time", *DAY, "--steps", "5:6")
    assert (some.code, rest.code) == (0, 0)
    assert some.json["product"] == "real_time" and some.json["run_id"] != first.json["run_id"]
    assert all(Path(file).is_file() for file in some.json["files"])
    assert {row["severity"] for row in some.json["findings"]} <= {"info"}
    lines = rest.out.splitlines()
    assert lines[0] == "tiny (reference), 2016-06-15: good" and len(lines) <= 10
    (dispatch,) = (home / "published" / "dispatch").rglob("*.parquet")
    assert set(pq.read_table(dispatch)["step"].to_pylist()) == set(range(1, 7))


def test_run_is_both_and_again_is_the_same(feederflow: Callable[..., Said], done_home: Path, tmp_path: Path) -> None:
    home = copied(done_home, tmp_path / "again")
    said = feederflow("run", *DAY, "--json", at=home)
    assert said.code == 0
    assert said.json["product"] == "day" and set(said.json["runs"]) == {"day_ahead", "real_time"}
    assert {"perfect_foresight_cost", "rolling_cost", "no_redispatch_cost"} <= set(said.json["kpis"])
    assert published(home) == published(done_home)


def test_an_older_issue_does_not_replace_a_newer_one(feederflow: Callable[..., Said], done_home: Path, tmp_path: Path) -> None:
    home = copied(done_home, tmp_path / "older")
    early = ("--as-of", "2016-06-14T08:00")
    said = feederflow("day-ahead", *DAY, *early, at=home)
    assert said.code == 2 and "NOT PUBLISHED" in said.out and "--replace" in said.out
    assert published(home) == published(done_home)
    refused = feederflow("run", *DAY, *early, at=home)
    assert refused.code == 2 and "--replace" in refused.err
    assert feederflow("day-ahead", *DAY, *early, "--replace", at=home).code == 0
    assert published(home) != published(done_home)


def test_no_schedule_ends_with_3(feederflow: Callable[..., Said], home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: object, **__: object) -> None:
        raise NoSchedule("rows a and b conflict")

    monkeypatch.setattr(standby, "plan_always", none)
    said = feederflow("day-ahead", *DAY)
    assert said.code == 3 and "rows a and b conflict" in said.err
    as_json = feederflow("day-ahead", *DAY, "--json")
    assert (as_json.json["exit_code"], as_json.json["message"], as_json.json["place"]) == (3, "rows a and b conflict", "")
    assert not (home / "published").exists()
    assert feederflow("setpoints", "tiny").code == 3


def test_a_table_that_breaks_a_gate_ends_with_4_and_publishes_nothing(
    feederflow: Callable[..., Said], done_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = copied(done_home, tmp_path / "gate")
    write: Callable[[Lake, str, dict[str, pa.Table]], dict[str, str]] = Lake.write  # type: ignore[assignment]

    def corrupted(lake: Lake, run_id: str, tables: dict[str, pa.Table]) -> dict[str, str]:
        if "dispatch" in tables:
            table = tables["dispatch"]
            at = table["quantity"].to_pylist().index("injection")
            values = table["value"].to_pylist()
            values[at] += 1.0
            place = table.schema.get_field_index("value")
            tables = {**tables, "dispatch": table.set_column(place, table.schema.field(place), pa.array(values))}
        return write(lake, run_id, tables)

    monkeypatch.setattr(Lake, "write", corrupted)
    said = feederflow("real-time", *DAY, "--steps", "1:8", "--replace", at=home)
    assert said.code == 4
    assert "table dispatch" in said.err and "step=1" in said.err
    assert published(home) == published(done_home)


def test_a_warning_ends_with_5_and_says_degraded(feederflow: Callable[..., Said], home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipeline.stages import validating
    from pipeline.validate.findings import Finding

    late = Finding("warning", "stale_data", "price", "newest value is of yesterday at the issue time", 1500.0, 60.0)
    monkeypatch.setattr(validating, "stale_series", lambda _: [late])
    said = feederflow("day-ahead", *DAY)
    assert said.code == 5
    assert said.out.splitlines()[0].endswith("DEGRADED") and "warning: price: newest value is of yesterday" in said.out
    rows = feederflow("status", "--json").json
    assert [(row["degraded"], row["warnings"]) for row in rows] == [(True, 1)]
    assert "DEGRADED" in feederflow("status").out


def test_a_bug_is_not_dressed_up_as_an_answer(feederflow: Callable[..., Said], monkeypatch: pytest.MonkeyPatch) -> None:
    def bug(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(results, "open_day_ahead", bug)
    with pytest.raises(ZeroDivisionError):
        feederflow("day-ahead", *DAY)


# ------------------------------------------------------------------ the operator


def test_status(feederflow: Callable[..., Said], done_home: Path) -> None:
    assert feederflow("status").code == 2 and feederflow("ingest", "tiny").code == 0
    nothing = feederflow("status")
    assert (nothing.code, nothing.out) == (3, "Nothing is published. `feederflow run CASE` makes a day.\n")
    then = feederflow("status", "tiny", "--at", "2016-06-15T12:00", "--json", at=done_home)
    rows = then.json
    assert then.code == 0 and {row["product"] for row in rows} == {"day_ahead", "real_time"}
    keys = {"case", "variant", "delivery_date", "product", "run_id", "issued_at", "age_s", "degraded", "warnings", "worst", "whole",
            "published", "standing", "until", "late", "damaged", "provisional"}
    assert all(set(row) == keys and row["whole"] and not row["degraded"] and row["published"] for row in rows)
    assert {(row["standing"], row["until"], row["late"]) for row in rows} == {("today", "2016-06-16T07:00+01:00", False)}
    assert "good" in feederflow("status", at=done_home).out


def test_status_knows_the_clock(feederflow: Callable[..., Said], done_home: Path) -> None:
    """The day starts at 07:00 local: a minute before it the schedule is to come, from the next 07:00 on it is stale."""
    moments = {"2016-06-15T06:59": (0, "to come"), "2016-06-15T07:00": (0, "today"), "2016-06-16T06:59": (0, "today"),
               "2016-06-16T07:00": (5, "over")}
    for moment, (code, word) in moments.items():
        said = feederflow("status", "tiny", "--at", moment, at=done_home)
        assert said.code == code and f"  {word}" in said.out, moment
    assert said.out.splitlines()[0] == (
        "tiny (reference): STALE, no schedule of today; the newest that is not of a day to come is of 2016-06-15")
    assert feederflow("status", at=done_home).code == 5, "by the clock of this machine it is long over"
    homeless = feederflow("status", "--at", "2016-06-15T12:00", at=done_home)
    assert homeless.code == 2 and "--at: '2016-06-15T12:00' has no offset" in homeless.err
    assert feederflow("status", "--at", "2016-06-15T12:00+01:00", at=done_home).code == 0
    assert feederflow("status", "tiny", "--at", "noon", at=done_home).code == 2


def test_status_says_that_real_time_stopped(feederflow: Callable[..., Said], done_home: Path, tmp_path: Path) -> None:
    here = copied(done_home, tmp_path / "there")
    assert feederflow("day-ahead", *DAY, "--date", "2016-06-16", at=here).code == 0
    assert feederflow("real-time", *DAY, "--date", "2016-06-16", "--steps", "1:2", at=here).code in (0, 5)
    good, late = (feederflow("status", "tiny", "--at", moment, at=here) for moment in ("2016-06-16T07:29", "2016-06-16T07:30"))
    assert "STALE" not in good.out
    assert late.code == 5 and "STALE, real time of 2016-06-16 stopped at 2016-06-16T07:30+01:00" in late.out


def test_status_shows_runs_that_failed(
    feederflow: Callable[..., Said], done_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What failed since the last publication is shown with its reason, until a newer run is published."""
    here = copied(done_home, tmp_path / "there")

    def nothing(*_: object, **__: object) -> None:
        raise NoSchedule("no schedule: f01_load and grid conflict")

    with monkeypatch.context() as broken:
        broken.setattr(standby, "plan_always", nothing)
        assert feederflow("day-ahead", *DAY, "--date", "2016-06-16", at=here).code == 3
    said = feederflow("status", "tiny", "--at", "2016-06-15T12:00", at=here)
    assert said.code == 5 and "day_ahead  FAILED" in said.out and "f01_load and grid conflict" in said.out
    (row,) = (row for row in feederflow("status", "tiny", "--json", at=here).json if not row["published"])
    assert (row["status"], row["delivery_date"]) == ("failed", "2016-06-16") and "conflict" in row["failure"]
    assert feederflow("day-ahead", *DAY, "--date", "2016-06-16", at=here).code == 0
    assert feederflow("status", "tiny", "--at", "2016-06-15T12:00", at=here).code == 0


def test_setpoints(feederflow: Callable[..., Said], done_home: Path) -> None:
    said = feederflow("setpoints", *DAY, "--step", "52", at=done_home)
    rows = list(csv.DictReader(io.StringIO(said.out)))
    assert {"f01_battery", "f01_generator", "grid"} <= {row["device"] for row in rows}
    assert {row["from_local"] for row in rows} == {"2016-06-15T19:45+01:00"}
    as_json = feederflow("setpoints", *DAY, "--step", "52", "--json", at=done_home).json
    assert [row["device"] for row in as_json] == [row["device"] for row in rows]
    assert feederflow("setpoints", *DAY, "--step", "97", at=done_home).code == 2
    missing = feederflow("setpoints", *DAY, "--date", "2016-06-20", at=done_home)
    assert missing.code == 3 and "2016-06-15" in missing.err


def test_setpoints_of_a_moment(feederflow: Callable[..., Said], done_home: Path, tmp_path: Path) -> None:
    """Of the quarter-hour that holds it, in local time; from an hourly schedule of the hour that holds it; none where none is published."""
    rows = feederflow("setpoints", *DAY, "--at", "2016-06-15T22:19", "--json", at=done_home)
    assert rows.code == 0 and {row["from_local"] for row in rows.json} == {"2016-06-15T22:15+01:00"}
    assert feederflow("setpoints", *DAY, "--at", "2016-06-15T21:19Z", "--json", at=done_home).json == rows.json
    outside = feederflow("setpoints", *DAY, "--at", "2016-06-16T07:00", at=done_home)
    assert outside.code == 3 and "nothing is published that holds this moment; the newest published day is 2016-06-15" in outside.err
    both = feederflow("setpoints", *DAY, "--at", "2016-06-15T22:19", "--step", "3", at=done_home)
    assert both.code == 2 and "--at: names the interval, and so do --date and --step; give one of them" in both.err
    here = tmp_path / "planned"
    run_day_ahead(here, case="tiny", variant="reference")
    hourly = feederflow("setpoints", *DAY, "--at", "2016-06-15T22:19", "--json", at=here).json
    assert {(row["from_local"], row["to_local"]) for row in hourly} == {("2016-06-15T22:00+01:00", "2016-06-15T23:00+01:00")}
    assert all("not re-dispatched" in row["note"] for row in hourly)


def test_setpoints_of_a_day_that_is_over_are_stale(
    feederflow: Callable[..., Said], done_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    day = load_case("tiny").day(date(2016, 6, 15))
    expected = {day.start - 3600: (5, "is still to come"), day.start + 3600: (0, ""), day.end: (5, "which is over")}
    for moment, (code, words) in expected.items():
        monkeypatch.setattr(watching.time, "time", lambda moment=moment: moment)
        said = feederflow("setpoints", *DAY, "--json", at=done_home)
        assert said.code == code and words in said.err and all(words in row["note"] for row in said.json)
    assert {row["step"] for row in said.json} == {96}


def test_query(feederflow: Callable[..., Said], done_home: Path, tmp_path: Path) -> None:
    sql = "select stage, sum(value) as total from costs where case_name = 'tiny' group by stage order by stage"
    rows = feederflow("query", sql, "--json", at=done_home)
    assert rows.code == 0, rows.err
    assert [row["stage"] for row in rows.json] == ["day_ahead", "real_time"]
    text = feederflow("query", sql, at=done_home).out
    assert text.splitlines()[0].split() == ["stage", "total"]
    refused = feederflow("query", "selec 1", at=done_home)
    assert refused.code == 2 and "selec" in refused.err and "Traceback" not in refused.err
    target = tmp_path / "costs.csv"
    assert feederflow("query", sql, "--csv", str(target), at=done_home).code == 0
    assert target.read_text().splitlines()[0] == "stage,total"


def test_report(feederflow: Callable[..., Said], done_home: Path, tmp_path: Path) -> None:
    home = copied(done_home, tmp_path / "report")
    (page,) = (home / "reports").rglob("*.html")
    page.unlink()
    assert feederflow("report", *DAY, "--json", at=home).json == {"report": str(page)}
    assert page.read_text().startswith("<!")


def test_an_override_binds_in_the_next_run_and_is_shown_in_the_report(
    feederflow: Callable[..., Said], done_home: Path, tmp_path: Path
) -> None:
    home = copied(done_home, tmp_path / "override")
    span = ("--from", "2016-06-15T10:00", "--to", "2016-06-15T12:00", "--known-at", "2016-06-13T09:00")
    who = ("--author", "A. Operator", "--reason", "inverter inspection")
    said = feederflow("override", "tiny", "f01_battery", "out", *span, *who, "--json", at=home)
    assert said.code == 0
    assert said.json["valid_from"] == "2016-06-15T09:00:00+00:00" and said.json["quantity"] == "out"
    held = feederflow("override", "tiny", "f01_generator", "set_point_kw", "42", *span, *who, at=home)
    assert held.code == 0 and "f01_generator: set_point_kw 42 kW" in held.out
    again = feederflow("run", *DAY, "--replace", "--json", at=home)
    assert again.code in (0, 5)
    for name in ("schedule", "dispatch"):
        (path,) = (home / "published" / name).rglob("*.parquet")
        rows = [row for row in pq.read_table(path).to_pylist() if row["quantity"] == "injection" and row["carrier"] == "active"]
        inside = [row for row in rows if "2016-06-15 09:00" <= str(row["valid_from"]) < "2016-06-15 11:00"]
        assert {round(row["value"], 6) for row in inside if row["device"] == "f01_battery"} == {0.0}
        assert {round(row["value"], 6) for row in inside if row["device"] == "f01_generator"} == {42.0}
        assert any(row["value"] for row in rows if row["device"] == "f01_battery")
    page = Path(again.json["report"]).read_text()
    assert "A. Operator" in page and "inverter inspection" in page and "f01_battery" in page
    back = feederflow("override", "tiny", "f01_battery", "withdraw", *span[:4], "--known-at", "2016-06-13T10:00", *who, "--json", at=home)
    assert back.json == {"target": "f01_battery", "withdrawn": 1}


@pytest.mark.parametrize("text", ["-20", "-2.5", "-.5", "-1e1"])
def test_a_negative_number_is_written_as_it_is(feederflow: Callable[..., Said], text: str) -> None:
    at = ("--known-at", "2016-06-13T10:00")
    said = feederflow("override", "tiny", *at, "f01_battery", "set_point_kw", text, "--author", "a", "--reason", "b", "--json")
    assert said.code == 0, said.err
    assert said.json["value"] == float(text)
    told = feederflow("state", "tiny", "f01_battery", "energy_kwh", text, "--author", "a", *at)
    assert told.code == 2 and f"energy_kwh is {float(text):g}" in told.err  # judged as a number: no store holds less than nothing


def test_every_command_with_a_number_among_its_words_takes_a_negative_one() -> None:
    commands = [one for typer_app in (app, cases_app) for one in typer_app.registered_commands]
    numbers = [one for one in commands if one.callback is not None and any(
        isinstance(mark, ArgumentInfo) and float in get_args(kind) for hint in get_type_hints(one.callback, include_extras=True).values()
        if get_origin(hint) is Annotated for kind, *marks in [get_args(hint)] for mark in marks)]
    assert [one.name for one in numbers] == ["override", "state"]
    assert all(one.cls is CommandWithNumbers for one in numbers)


# ------------------------------------------------------------------ cases


def test_case_list_show_and_check(feederflow: Callable[..., Said]) -> None:
    assert feederflow("case", "list", "--json").json["tiny"][:1] == ["default"]
    assert "tiny  (default, " in feederflow("case", "list").out
    assert feederflow("case", "show", "tiny").code == 0
    assert feederflow("case", "show", "tiny", "--json").json["name"] == "tiny"
    assert feederflow("case", "check", "tiny").out.startswith("tiny: good (")
    assert feederflow("case", "check", "tiny", "--json").json["mistakes"] == []


def test_a_new_case_runs_end_to_end(feederflow: Callable[..., Said], tmp_path: Path) -> None:
    folder = tmp_path / "my_grid"
    made = feederflow("case", "new", str(folder))
    assert made.code == 0 and "feederflow case check" in made.out
    assert feederflow("case", "check", str(folder)).code == 0
    said = feederflow("run", str(folder), "--json")
    assert said.code == 0, said.err
    assert said.json["case"] == "my_grid" and Path(said.json["report"]).is_file()
    assert feederflow("case", "new", str(folder)).code == 2


def test_all_mistakes_of_a_case_at_once(feederflow: Callable[..., Said], tmp_path: Path) -> None:
    folder = tmp_path / "broken"
    feederflow("case", "new", str(folder))
    for name, right, wrong in (("store.csv", "battery,b2,30,30", "battery,b2,-30,30"), ("source.csv", "roof_pv,b3,pv", "roof_pv,b9,pv")):
        file = folder / name
        file.write_text(file.read_text().replace(right, wrong))
    said = feederflow("case", "check", str(folder))
    assert said.code == 2
    assert "store.csv, line 3, column charge_max_kw" in said.err and "source.csv, line 3" in said.err and "b9" in said.err
    as_json = feederflow("case", "check", str(folder), "--json")
    assert as_json.code == 2 and len(as_json.json["mistakes"]) == len(said.err.strip().splitlines())
    assert feederflow("run", str(folder)).code == 2


def test_a_check_reads_the_settings_against_the_program(feederflow: Callable[..., Said], tmp_path: Path) -> None:
    """A variant's pattern that names nothing is refused where it is written, not in the night that first uses it."""
    folder = tmp_path / "patterned"
    assert feederflow("case", "new", str(folder)).code == 0
    text = (folder / "case.yaml").read_text()
    (folder / "case.yaml").write_text(text.replace("variants:\n", "variants:\n  typed:\n    settings: {first_stage: ['*.shedule_kw']}\n"))
    said = feederflow("case", "check", str(folder))
    assert said.code == 2 and "settings.first_stage: '*.shedule_kw' matches no column" in said.err and "docs/models.md" in said.err
    as_json = feederflow("case", "check", str(folder), "--variant", "typed", "--json")
    assert as_json.code == 2 and [one["place"] for one in as_json.json["mistakes"]] == ["settings.first_stage"]
    assert feederflow("case", "check", str(folder), "--variant", "default").code == 0


# ------------------------------------------------------------------ studies


def test_a_study_says_its_means_and_resumes(feederflow: Callable[..., Said], home: Path, tmp_path: Path) -> None:
    plan = tmp_path / "two_days.yaml"
    plan.write_text("title: Two days\ncase: tiny\nvariant: reference\ndays: 2\n")
    said = feederflow("study", str(plan), "--json")
    assert said.code == 0
    assert said.json["days"] == 2 and said.json["failed"] == {}
    assert set(said.json["means"]) == {"perfect_foresight_cost", "plain_rule_cost", "rolling_cost", "no_redispatch_cost"}
    before = {path: path.stat().st_mtime_ns for path in (home / "studies").rglob("*.json")}
    assert len(before) == 2
    assert "two_days: 2 days" in feederflow("study", str(plan)).out
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert Path(said.json["file"]).stat().st_size > 0


EVALUATION = """\
kind: evaluation
title: Two treatments
case: tiny
variant: reference
held_out_count: 3
treatments:
  plain: {kind: deterministic}
  mean: {kind: stochastic, draw_count: 30, representative_count: 3}
"""


def test_an_evaluation_says_its_treatments_side_by_side(feederflow: Callable[..., Said], home: Path, tmp_path: Path) -> None:
    plan = tmp_path / "two_treatments.yaml"
    plan.write_text(EVALUATION)
    said = feederflow("study", str(plan), "--json")
    assert said.code == 0
    assert [row["name"] for row in said.json["treatments"]] == ["plain", "mean"] and said.json["reference"] == "plain"
    assert set(said.json["files"]) == {"evaluation", "summary", "bounds", "timings", "warnings"}
    assert all(Path(path).is_file() for path in (*said.json["files"].values(), said.json["page"]))
    before = {path: path.stat().st_mtime_ns for path in (home / "studies").rglob("*.json")}
    words = feederflow("study", str(plan)).out.splitlines()
    assert words[0] == "two_treatments: 2 treatments, 1 days, 0 failed"
    assert words[1].split()[:4] == ["treatment", "against", "days", "mean"] and words[2].split()[:4] == ["plain", "held", "out", "1"]
    assert words[-2].strip() == said.json["page"]
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert [row for row in feederflow("status", "--json").json if row["published"]] == [], "what a study plans is not published"


def test_a_wrong_treatment_is_named_with_its_line(feederflow: Callable[..., Said], tmp_path: Path) -> None:
    plan = tmp_path / "wrong.yaml"
    plan.write_text(EVALUATION.replace("representative_count: 3", "representative_count: 0"))
    said = feederflow("study", str(plan))
    assert said.code == 2 and "wrong.yaml, line 8: treatment mean: method.representative_count is '0'" in said.err and "above 0" in said.err


def test_a_study_of_which_nothing_can_be_done_ends_with_3(feederflow: Callable[..., Said], tmp_path: Path) -> None:
    plan = tmp_path / "nothing.yaml"
    head = EVALUATION[: EVALUATION.index("  plain")]
    plan.write_text(head + "  late: {kind: stochastic, draw_count: 2, representative_count: 3}\n")
    said = feederflow("study", str(plan))
    assert said.code == 3 and "no treatment could be evaluated" in said.err and "3 representatives were asked of 2 draws" in said.err


# ------------------------------------------------------------------ readers beside writers


def test_setpoints_are_of_the_day_that_runs_though_tomorrow_is_published(
    feederflow: Callable[..., Said], done_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At noon the schedule of tomorrow is the newest day; the next interval is still today's."""
    here = copied(done_home, tmp_path / "there")
    assert feederflow("day-ahead", *DAY, "--date", "2016-06-16", at=here).code == 0
    day = load_case("tiny").day(date(2016, 6, 15))
    for moment, expected in ((day.start + 20 * 900 - 1, ("2016-06-15", 21)), (day.end - 10, ("2016-06-16", 1))):
        monkeypatch.setattr(watching.time, "time", lambda moment=moment: moment)
        rows = feederflow("setpoints", *DAY, "--json", at=here).json
        assert {(row["from_local"][:10], row["step"]) for row in rows} == {expected}


def test_a_query_never_sees_a_publication_cut_short(
    feederflow: Callable[..., Said], done_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the transaction and the files SQL names a run that the files do not: it is completed before it is read."""
    here = copied(done_home, tmp_path / "there")
    def killed(*_: object) -> None:
        raise RuntimeError("killed")

    with monkeypatch.context() as crashed:
        crashed.setattr(ledger, "_materialise", killed)
        with pytest.raises(RuntimeError, match="killed"):
            run_day_ahead(here, case="tiny", variant="reference", date="2016-06-17")
    said = feederflow("query", "select distinct delivery_date from schedule order by 1", "--json", at=here)
    assert [row["delivery_date"] for row in said.json] == ["2016-06-15", "2016-06-17"]


def test_a_query_that_a_publication_overtook_runs_again(done_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with at_home(done_home):
        seen = iter([1, 2, 2, 2])
        monkeypatch.setattr(desk, "_publications", lambda _: next(seen))
        assert desk.query("select 1 as one")[0]["one"].to_pylist() == [1]
        assert next(seen, None) is None
        changing = iter(range(100))
        monkeypatch.setattr(desk, "_publications", lambda _: next(changing))
        with pytest.raises(InputError, match="during each of 3 attempts"):
            desk.query("select 1 as one")


def test_a_run_refuses_what_the_check_refuses_before_it_solves(feederflow: Callable[..., Said], tmp_path: Path) -> None:
    """Positions that every scenario would take anew: solved and gated, they are found to differ, at 3 a.m. and without a remedy."""
    folder = tmp_path / "late"
    assert feederflow("case", "new", str(folder)).code == 0
    text = (folder / "case.yaml").read_text()
    (folder / "case.yaml").write_text(text.replace("settings:\n", "settings:\n  first_stage: []\n", 1))
    checked, ran = feederflow("case", "check", str(folder)), feederflow("day-ahead", str(folder), "--method", "stochastic")
    assert (checked.code, ran.code) == (2, 2)
    assert "settings.first_stage" in ran.err and "would be decided anew in every scenario" in ran.err
    assert ran.err.strip() in checked.err


def test_a_refused_import_says_what_was_stored_all_the_same(feederflow: Callable[..., Said], tmp_path: Path) -> None:
    folder = tmp_path / "damaged"
    assert feederflow("case", "new", str(folder)).code == 0
    prices = folder / "prices.csv"
    prices.write_text(prices.read_text().replace(prices.read_text().splitlines()[3].split(",")[-1], "cheap", 1))
    said = feederflow("ingest", str(folder), "--json", at=tmp_path / "home")
    assert said.code == 2 and "prices.csv, row 4" in said.err and "'cheap'" in said.err
    assert said.err.strip().splitlines()[-1] == said.json["aftermath"] == "Stored all the same: history.csv; that is not read again."
