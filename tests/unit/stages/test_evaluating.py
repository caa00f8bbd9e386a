"""An evaluation study on the smallest case: what is planned, what it is met with, what is kept."""

from __future__ import annotations

import dataclasses
import itertools
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from pipeline import stages
from pipeline.cases.error_law import ErrorLaw
from pipeline.core.statistics import mean_interval
from pipeline.scenarios.generate import draw
from pipeline.schedule.findings import Finding
from pipeline.stages import evaluating, issue_times
from pipeline.stages.evaluated import Found, found_of, tables_of
from pipeline.stages.evaluating import cell_path, evaluate_cell, held_out, known_to, read_cell
from pipeline.stages.evaluation import Plan
from pipeline.stages.forecasting import forecast_of, seed_of
from pipeline.stages.opening import load_run
from pipeline.stages.study import _close_evaluation, load_study
from pipeline.store.observations import ObservationBatch
from tests.helpers import case_of
from tests.whole_day import CLI, ROOT, at_home, copied, run_day_ahead

# Slot tables with sampled errors: no series is fitted, and imbalance at two prices gives every treatment another position.
STUDY = """\
kind: evaluation
title: Treatments
case: {case}
variant: unsure
days: 2
held_out_count: 6
treatments:
  plain: {{kind: deterministic}}
  mean: {{kind: stochastic, sweep: {{representative_count: [3, 5]}}}}
  same: {{kind: cvar, aversion_share: 0, representative_count: 3}}
"""
CASE_VARIANT = """
  unsure:
    settings:
      forecast: {model: table}
    ties:
      grid:
        market: {imbalance_buy_factor: 1.3, imbalance_sell_factor: 0.7}
"""


@dataclasses.dataclass
class Ran:
    home: Path
    file: str
    result: dict[str, Any]

    @property
    def folder(self) -> Path:
        return self.home / "studies" / "treatments"

    def table(self, name: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = pq.read_table(self.folder / f"{name}.parquet").to_pylist()
        return rows

    def costs(self, cell: str, day: str) -> np.ndarray:
        return np.array(json.loads((self.folder / "cells" / day / f"{cell}.json").read_text())["cost"])


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The study, on tiny with a variant of its own: tables as the forecast, errors ten times the book's."""
    import shutil

    folder = tmp_path_factory.mktemp("case") / "tiny_unsure"
    shutil.copytree(ROOT / "pipeline" / "data" / "cases" / "tiny", folder)
    text = (folder / "case.yaml").read_text().replace("name: tiny", "name: tiny_unsure").replace("sigma: 0.01", "sigma: 0.1")
    (folder / "case.yaml").write_text(text.rstrip() + CASE_VARIANT)
    path = folder.parent / "treatments.yaml"
    path.write_text(STUDY.format(case=folder))
    return str(path)


@pytest.fixture(scope="module")
def ran(file: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    home = tmp_path_factory.mktemp("calm")
    with at_home(home):
        yield Ran(home, file, stages.run_study(file))


def closed(file: str) -> dict[str, Any]:
    """The summary of what is done."""
    plan = load_study(file)
    assert isinstance(plan, Plan)
    return _close_evaluation(file, plan)


def test_every_treatment_meets_the_same_scenarios(ran: Ran) -> None:
    assert ran.result["failed"] == {} and ran.result["days"] == 2
    rows = ran.table("evaluation")
    assert len(rows) == 2 * 4 * 6
    for day in ("2016-06-15", "2016-06-16"):
        for scenario in range(1, 7):
            found = {row["perfect_cost"] for row in rows if (row["delivery_date"], row["scenario"]) == (day, str(scenario))}
            assert len(found) == 1


def test_perfect_foresight_is_below_every_treatment_in_every_scenario(ran: Ran) -> None:
    rows = ran.table("evaluation")
    lost = np.array([row["cost"] - row["perfect_cost"] for row in rows])
    assert (lost >= -1e-6 * np.abs([row["cost"] for row in rows])).all()
    assert lost.max() > 1e-3


def test_aversion_nought_is_the_mean_scenario_by_scenario(ran: Ran) -> None:
    """Treatments share their draws: what collapses to another gives its costs."""
    for day in ("2016-06-15", "2016-06-16"):
        assert ran.costs("same", day) == pytest.approx(ran.costs("mean--representative_count=3", day), rel=1e-6)


def test_no_scenario_is_both_planned_with_and_met(ran: Ran) -> None:
    plan = load_study(ran.file)
    assert isinstance(plan, Plan)
    run_id = json.loads((ran.folder / "cells" / "2016-06-15" / "mean--representative_count=3.json").read_text())["run_id"]
    with at_home(ran.home):
        run = load_run(run_id)
        assert seed_of(run, "draw") != seed_of(run, "held_out")
        planned = draw(forecast_of(run_id), run.knowledge.history, count=100, seed=seed_of(run, "draw"))
        met = held_out(run, 6)
    assert met.shape == (6, *planned.shape[1:])
    assert not {one.tobytes() for one in planned} & {one.tobytes() for one in met}


def test_vehicles_that_leave_early_are_drawn_afresh_too(ran: Ran, monkeypatch: pytest.MonkeyPatch) -> None:
    plan, seeds = load_study(ran.file), []
    assert isinstance(plan, Plan)
    run_id = json.loads((ran.folder / "cells" / "2016-06-15" / "plain.json").read_text())["run_id"]
    monkeypatch.setattr(evaluating, "leaving_early", lambda case, *, count, seed: seeds.append(seed))
    with at_home(ran.home):
        run = load_run(run_id)
        evaluating.unseen_outlooks(run, plan)
        planned = [seed_of(run, purpose) for purpose in ("early departures", "draw", "held_out")]
    assert len(seeds) == 1 and seeds[0] not in planned


def test_what_plans_are_met_with_is_not_moved_to_the_forecast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Errors of a day that hang together: planning draws have the forecast as their mean, held-out ones an error of their own."""
    mean = np.full((1, 96), 100.0)
    law = ErrorLaw(np.array([0.1]), np.array([0.3]), np.array([0.0]), np.array([np.inf]), day=(0.8, 0.6))
    forecast = SimpleNamespace(series=("load",), day=case_of().day(date(2016, 6, 15)), mean=mean, table_error=law)
    run: Any = SimpleNamespace(record=SimpleNamespace(run_id="da-1"), knowledge=SimpleNamespace(history=None))
    monkeypatch.setattr(evaluating, "forecast_of", lambda run_id: forecast)
    monkeypatch.setattr(evaluating, "seed_of", lambda run, purpose: 7)
    assert draw(forecast, None, count=50, seed=7).mean(axis=0) == pytest.approx(mean, rel=1e-9)  # type: ignore[arg-type]
    assert np.abs(held_out(run, 50).mean(axis=0) / mean - 1).max() > 0.005


def test_a_plan_is_what_a_day_ahead_run_decides(ran: Ran) -> None:
    """The case's own method as a treatment: the run publishes the same cost, from the same draws."""
    case = load_study(ran.file)
    assert isinstance(case, Plan)
    record = json.loads((ran.folder / "cells" / "2016-06-15" / "mean--representative_count=3.json").read_text())
    result = run_day_ahead(ran.home, case=case.study.case, variant="unsure")
    assert result["objective"] == record["planned_cost"]
    assert result["run_id"] != record["run_id"], "a study's run is not the one that is published"


def test_the_summary_is_of_the_costs(ran: Ran) -> None:
    row = next(row for row in ran.table("summary") if row["parameter_value"] == 5)
    costs = np.array([ran.costs("mean--representative_count=5", day) for day in ("2016-06-15", "2016-06-16")])
    plain = np.array([ran.costs("plain", day) for day in ("2016-06-15", "2016-06-16")])
    assert row["mean_cost"] == pytest.approx(costs.mean()) and row["worst_cost"] == costs.max()
    assert row["q95_cost"] == pytest.approx(np.quantile(costs, 0.95))
    assert row["difference_cost"] == pytest.approx((costs - plain).mean())
    assert row["mean_low_cost"] < row["mean_cost"] < row["mean_high_cost"]
    assert (row["day_count"], row["scenario_count"], row["commitment_changes_count"]) == (2, 6, 0.0)
    plain_row = next(row for row in ran.table("summary") if row["treatment"] == "plain")
    assert plain_row["difference_cost"] == 0.0


def found_in(ran: Ran, *days: str) -> Found:
    plan = load_study(ran.file)
    assert isinstance(plan, Plan)
    with at_home(ran.home):
        return found_of(ran.folder, plan, days)


def test_of_a_single_day_differences_are_paired_scenario_by_scenario(ran: Ran) -> None:
    """Over days their means are paired, whatever the order of a day's scenarios; of one day the interval is over its scenarios."""
    rows = tables_of(found_in(ran, "2016-06-15"))["summary"].to_pylist()
    row = next(row for row in rows if row["parameter_value"] == 5)
    costs, plain = (ran.costs(name, "2016-06-15") for name in ("mean--representative_count=5", "plain"))
    paired, apart = (mean_interval((costs - other)[None], 0.95) for other in (plain, plain[::-1]))
    assert (row["difference_low_cost"], row["difference_high_cost"]) == pytest.approx((paired.low, paired.high))
    assert apart.high - apart.low > 1.1 * (paired.high - paired.low), "what scenarios share drops out"


def test_a_gap_that_one_day_did_not_prove_is_not_proven(ran: Ran) -> None:
    found = found_in(ran, "2016-06-15", "2016-06-16")
    for gaps, said in (((0.01, None), None), ((None, None), None), ((0.01, 0.02), 0.02)):
        records = {day: {**record, "gap_share": gap} for (day, record), gap in zip(found.met["same"].items(), gaps, strict=True)}
        rows = tables_of(dataclasses.replace(found, met={**found.met, "same": records}))["summary"].to_pylist()
        assert next(row for row in rows if row["treatment"] == "same")["gap_share"] == said


def test_timings_are_apart_from_what_is_the_same_twice(ran: Ran) -> None:
    tables = ("evaluation", "summary", "bounds", "timings", "warnings")
    columns = {name: set(pq.read_schema(ran.folder / f"{name}.parquet").names) for name in tables}
    assert {"cpu_s", "wall_s"} <= columns.pop("timings")
    assert all(not name.endswith("_s") for names in columns.values() for name in names)


def test_a_second_run_reuses_every_item(ran: Ran) -> None:
    before = {path: path.stat().st_mtime_ns for path in ran.folder.rglob("*.json")}
    assert len(before) == 2 * (4 + 1)
    with at_home(ran.home):
        stages.run_study(ran.file)
    assert {path: path.stat().st_mtime_ns for path in ran.folder.rglob("*.json")} == before


def test_a_record_is_of_its_study_case_and_treatment(ran: Ran) -> None:
    plan = load_study(ran.file)
    assert isinstance(plan, Plan)
    cell, day = plan.cell("same"), "2016-06-15"
    with at_home(ran.home):
        known = known_to(ran.folder, plan, day)
    assert known is not None and read_cell(ran.folder, plan, day, cell, known) is not None
    assert read_cell(ran.folder, plan, day, cell, dataclasses.replace(known, issued_at=known.issued_at - 1)) is None
    longer = dataclasses.replace(plan, study=plan.study.model_copy(update={"held_out_count": 7}))
    other = dataclasses.replace(plan, case=plan.case.model_copy(update={"currency": "EUR"}))
    treated = dataclasses.replace(cell, settings=cell.settings.replace('"aversion_share":0.0', '"aversion_share":0.1'))
    assert treated.settings != cell.settings
    assert [read_cell(ran.folder, one, day, which, known) for one, which in ((longer, cell), (other, cell), (plan, treated))] == [None] * 3


def test_a_day_whose_issue_time_has_not_come_is_issued_once_for_all_treatments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every item is begun a minute later; still all have one issue time, meet the same draws, and none is below the bound."""
    day = (datetime.now(UTC).date() + timedelta(days=5)).isoformat()
    path, clock = tmp_path / "ahead.yaml", itertools.count(int(time.time()), 60)
    text = STUDY.format(case="tiny").replace("unsure", "reference")  # without vehicles, of which nothing is known so far ahead
    path.write_text(text.replace("days: 2", f"days: 1\nfirst_date: {day}").replace("[3, 5]", "[3]"))
    monkeypatch.setattr(issue_times, "_now", lambda: next(clock))
    with at_home(tmp_path / "home") as home:
        result = stages.run_study(str(path))
        folder = home.path / "studies" / "ahead" / "cells" / day
        kept = {item: json.loads(item.read_text()) for item in folder.glob("*.json")}
        issued = {load_run(record["run_id"]).issued_at for record in kept.values() if "run_id" in record}
        before = {item: item.stat().st_mtime_ns for item in kept}
        stages.run_study(str(path))
        assert {item: item.stat().st_mtime_ns for item in kept} == before, "a second run reuses every item"
    assert result["failed"] == {} and len(kept) == 4
    assert issued == {record["key"]["issued_at"] for record in kept.values()} == {int((folder / issue_times.NAME).read_text())}
    mean, same = (kept[folder / f"{name}.json"]["cost"] for name in ("mean--representative_count=3", "same"))
    assert same == pytest.approx(mean, rel=1e-6), "the same decision under the same scenarios"
    rows = pq.read_table(result["file"]).to_pylist()
    assert len(rows) == 18 and all(row["cost"] >= row["perfect_cost"] - 1e-6 * abs(row["cost"]) for row in rows)


def test_a_correction_makes_its_day_be_done_again(ran: Ran, tmp_path: Path) -> None:
    """A load of the last hour before the issue time is corrected, in time: the second day knew it, and the first one did not."""
    plan = load_study(ran.file)
    assert isinstance(plan, Plan)
    home, cell = copied(ran.home, tmp_path / "there"), plan.cell("plain")
    folder = home / "studies" / "treatments"
    with at_home(home) as there:
        run = load_run(json.loads((folder / "cells" / "2016-06-16" / "plain.json").read_text())["run_id"])
        series, moment = plan.case.series[0].id, run.issued_at - 3600
        batch = ObservationBatch([series], np.zeros(1, np.int32), np.array([moment]), np.array([run.issued_at]), np.array([12.5]),
                                 np.zeros(1, np.int16), [3600])
        there.warehouse.add_observations(plan.case.name, batch, source="correction", ingested_at=run.issued_at, trust_known_at=True)
        before = {day: cell_path(folder, day, cell).stat().st_mtime_ns for day in ("2016-06-15", "2016-06-16")}
        after = {day: evaluate_cell(folder, plan, day, cell).stat().st_mtime_ns for day in before}
    assert after["2016-06-15"] == before["2016-06-15"] and after["2016-06-16"] > before["2016-06-16"]


def test_what_came_counts_where_plans_are_met_with_it(ran: Ran, tmp_path: Path) -> None:
    """A value of the delivery day, known after the issue time: records met with held-out scenarios stay, those met with it do not."""
    plan = load_study(ran.file)
    assert isinstance(plan, Plan)
    realised = dataclasses.replace(plan, study=plan.study.model_copy(update={"against": ("held_out", "realised")}))
    home, day = copied(ran.home, tmp_path / "there"), "2016-06-15"
    folder, start = home / "studies" / "treatments", plan.case.day(date.fromisoformat("2016-06-15")).start
    with at_home(home) as there:
        before = [known_to(folder, one, day) for one in (plan, realised)]
        batch = ObservationBatch([plan.case.series[0].id], np.zeros(1, np.int32), np.array([start]), np.array([start + 7200]),
                                 np.array([12.5]), np.zeros(1, np.int16), [3600])
        there.warehouse.add_observations(plan.case.name, batch, source="correction", ingested_at=start + 7200, trust_known_at=True)
        after = [known_to(folder, one, day) for one in (plan, realised)]
    assert after[0] == before[0] and after[1] != before[1]


def test_killed_between_items_it_goes_on_where_it_stopped(ran: Ran, tmp_path: Path) -> None:
    """kill -9 after the first items: nothing half is left, what was done is reused, and the tables come out as they would have."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "FEEDERFLOW_HOME": str(tmp_path), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", CLI, "study", ran.file]
    running = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    folder = tmp_path / "studies" / "treatments"
    until = time.monotonic() + 120
    while len(list(folder.rglob("*.json"))) < 3 and time.monotonic() < until:
        time.sleep(0.005)
    running.send_signal(signal.SIGKILL)
    assert running.wait() == -signal.SIGKILL
    done = {path: path.stat().st_mtime_ns for path in folder.rglob("*.json")}
    assert 3 <= len(done) < 2 * (4 + 1) and not (folder / "summary.parquet").exists()
    with at_home(tmp_path):
        assert stages.run_study(ran.file)["failed"] == {}
    assert {path: path.stat().st_mtime_ns for path in done} == done
    for name in ("evaluation", "summary", "bounds", "warnings"):
        assert (folder / f"{name}.parquet").read_bytes() == (ran.folder / f"{name}.parquet").read_bytes(), name


@pytest.mark.parametrize(("stop", "jobs"), [(signal.SIGINT, 1), (signal.SIGTERM, 1), (signal.SIGTERM, 2)])
def test_interrupted_it_says_what_is_done_and_how_to_go_on(ran: Ran, tmp_path: Path, stop: signal.Signals, jobs: int) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "FEEDERFLOW_HOME": str(tmp_path), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", CLI, "study", ran.file, "--jobs", str(jobs), "--json"]
    # a shell starts what it puts behind with Ctrl-C ignored, and children inherit that
    running = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    folder = tmp_path / "studies" / "treatments"
    until = time.monotonic() + 120
    while len(list(folder.rglob("*.json"))) < 3 and time.monotonic() < until:
        time.sleep(0.005)
    running.send_signal(stop)
    out, err = running.communicate(timeout=120)
    assert running.returncode == 130
    line, *more = err.splitlines()
    assert not more or jobs > 1, more  # with processes that were ended, Python's tracker of semaphores has a word of its own
    assert re.fullmatch(rf"study treatments: was interrupted with [1-7] of 8 items done; .*`feederflow study {ran.file}` goes on.*", line)
    assert json.loads(out)["exit_code"] == 130
    done = {path: path.stat().st_mtime_ns for path in folder.rglob("*.json")}
    assert 3 <= len(done) < 2 * (4 + 1)
    with at_home(tmp_path):
        assert stages.run_study(ran.file)["failed"] == {}
    assert {path: path.stat().st_mtime_ns for path in done} == done
    assert (folder / "summary.parquet").read_bytes() == (ran.folder / "summary.parquet").read_bytes()


def test_a_treatment_that_fails_is_named_and_the_others_go_on(ran: Ran, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipeline.core.errors import NoSchedule

    whole = evaluating.decide

    def refusing(run: Any) -> Any:
        if run.case.settings.method.kind == "cvar":
            raise NoSchedule("no schedule: <b>rows conflict</b>")
        return whole(run)

    monkeypatch.setattr(evaluating, "decide", refusing)
    path = tmp_path / "some_fail.yaml"
    path.write_text(Path(ran.file).read_text().replace("days: 2", "days: 1").replace("[3, 5]", "[3]"))
    with at_home(tmp_path / "home"):
        result = stages.run_study(str(path))
        assert result["failed"] == {"2016-06-15/same": "no schedule: <b>rows conflict</b>"}
        assert [row["name"] for row in result["treatments"]] == ["plain", "mean representative_count=3"]
        assert "failed 2016-06-15/same: no schedule" in stages.describe_study(result)
        page = Path(result["page"]).read_text()
    assert "Not complete" in page and "&lt;b&gt;rows conflict&lt;/b&gt;" in page


def test_treatments_of_different_days_are_said_to_be_that(ran: Ran, tmp_path: Path) -> None:
    """One treatment has lost a day, another is gone from the study altogether."""
    home = copied(ran.home, tmp_path / "there")
    cells = home / "studies" / "treatments" / "cells"
    with at_home(home):
        (cells / "2016-06-15" / "same.json").unlink()
        some = closed(ran.file)
        (cells / "2016-06-16" / "same.json").unlink()
        gone = closed(ran.file)
    assert not some["same_days"] and [row["day_count"] for row in some["treatments"]] == [2, 2, 2, 1]
    said = stages.describe_study(some)
    assert "Treatments have different days: their costs do not compare" in said
    assert next(line for line in said.splitlines() if line.split()[:1] == ["same"]).split()[:4] == ["same", "held", "out", "1"]
    assert gone["same_days"] and "different days" not in stages.describe_study(gone)


def test_what_was_not_as_asked_is_counted_and_said(ran: Ran, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of planning and of meeting, by treatment: in the tables, in the terminal and on the page."""
    decide, meet = evaluating.decide, evaluating.meet_unseen
    late = Finding("day_ahead", "warning", "time_limit", "schedule", "the <mean> forecast is used")
    early = Finding("day_ahead", "warning", "time_limit", "scenario 2", "the solver met its time limit")
    known = Finding("day_ahead", "info", "way", "schedule", "in one piece")

    def deciding(run: Any) -> Any:
        found = decide(run)
        return found if run.case.settings.method.kind == "deterministic" else dataclasses.replace(found, findings=(late, known, late))

    def meeting(case: Any, *args: Any, **more: Any) -> Any:
        met = meet(case, *args, **more)
        return dataclasses.replace(met, findings=(early, known)) if case.settings.method.kind == "cvar" else met

    monkeypatch.setattr(evaluating, "decide", deciding)
    monkeypatch.setattr(evaluating, "meet_unseen", meeting)
    path = tmp_path / "warned.yaml"
    path.write_text(Path(ran.file).read_text().replace("days: 2", "days: 1").replace("[3, 5]", "[3]"))
    with at_home(tmp_path / "home"):
        result = stages.run_study(str(path))
        said, page = stages.describe_study(result).splitlines(), Path(result["page"]).read_text()
    assert {row["name"]: row["warning_count"] for row in result["treatments"]} == {"plain": 0, "mean representative_count=3": 1, "same": 2}
    rows = [(row["treatment"], row["stage"], row["place"]) for row in pq.read_table(result["files"]["warnings"]).to_pylist()]
    assert rows == [("mean", "planned", "schedule"), ("same", "met", "scenario 2"), ("same", "planned", "schedule")]
    assert [line for line in said if " warning" in line] == [
        "  1 warning mean representative_count=3: 2016-06-15 planned, schedule: the <mean> forecast is used",
        "  2 warnings same: 2016-06-15 met, scenario 2: the solver met its time limit"]
    assert "the &lt;mean&gt; forecast is used" in page and "the solver met its time limit" in page


def test_what_came_is_named_so_where_meeting_it_warns() -> None:
    """Meeting counts scenarios; a single one is its schedule."""
    late = [Finding("day_ahead", "warning", "time_limit", place, "late") for place in ("scenario 2", "scenario 3")]
    assert evaluating._warnings(late, evaluating._places(["1", "2", "realised"])) == [["scenario 2", "late"], ["realised", "late"]]
    alone = [dataclasses.replace(late[0], place="schedule")]
    assert evaluating._warnings(alone, evaluating._places(["realised"])) == [["realised", "late"]]


def test_the_stages_of_the_dag_do_what_the_command_does(ran: Ran, tmp_path: Path) -> None:
    """Items that are done come from a copy of the study; one of them is taken away and made again."""
    home = copied(ran.home, tmp_path / "there")
    folder = home / "studies" / "treatments"
    for path in (folder / "evaluation.parquet", folder / "cells" / "2016-06-16" / "same.json"):
        path.unlink()
    with at_home(home):
        items = [stages.study_day(ran.file, item) for item in stages.open_study(ran.file)]
        written = Path(stages.close_study(ran.file))
    assert len(items) == 8 and written.read_bytes() == (ran.folder / "evaluation.parquet").read_bytes()
