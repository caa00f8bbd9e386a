"""A study of a period: `replay` runs every delivery day, day-ahead and then all its quarter-hours, each from what was known at its
issue times; `evaluation` plans every day with several treatments and meets the plans with what they were not made for.

Days are independent (each starts from the case's initial state), so they run in any order and in parallel. What is done is reused
as long as case, code, study and what was known are the same. An item is what runs at once: a day, or `day/treatment`.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Generator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import closing
from datetime import date, timedelta
from multiprocessing import active_children, get_context
from pathlib import Path
from typing import Any, Literal, Self

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import PositiveInt, model_validator

from pipeline.cases.case import Case
from pipeline.cases.load import load_case
from pipeline.cases.mistakes import Mistakes
from pipeline.cases.raw import nearest
from pipeline.cases.records import build
from pipeline.cases.yaml_file import read_yaml
from pipeline.core.errors import FeederflowError, InputError, Interrupted, Mistake, NoSchedule
from pipeline.core.shipped import DATA
from pipeline.equipment import Record
from pipeline.stages.asked import Request
from pipeline.stages.deciding import Progress
from pipeline.stages.evaluated import found_of, tables_of, write_tables
from pipeline.stages.evaluating import evaluate_cell, known_of
from pipeline.stages.evaluation import Evaluation, Plan, evaluation_of
from pipeline.stages.home import code_digest, open_home
from pipeline.stages.ingesting import ensure_ingested
from pipeline.stages.results import run_day_ahead, run_real_time
from pipeline.stages.words import describe_evaluation
from pipeline.store.files import replace_file
from pipeline.tables.studies import name_of, same_days

STUDIES = DATA / "studies"
KINDS = ("replay", "evaluation")
YARDSTICKS = ("perfect_foresight_cost", "rolling_cost", "no_redispatch_cost", "plain_rule_cost")


class Study(Record):
    """One file of a study. Without dates it begins at the case's default date; `dates` are single days, in the place of a period."""

    kind: Literal["replay"] = "replay"
    title: str
    case: str
    variant: str | None = None
    method: str | None = None
    first_date: date | None = None
    last_date: date | None = None
    days: PositiveInt | None = None
    dates: tuple[date, ...] = ()  # single days, in the place of first_date, last_date and days

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.dates and (self.first_date or self.last_date or self.days):
            raise ValueError("dates are single days and first_date, last_date and days a period: give one of the two")
        return self


def load_study(name: str) -> Study | Plan:
    """By name or path; an evaluation is checked whole. Raises InputError."""
    path = Path(name) if name.endswith((".yaml", ".yml")) else STUDIES / f"{name}.yaml"
    if path.is_dir():
        raise InputError(Mistake(str(path), "is a folder, and a study is a file", "name the file in it"))
    if not path.is_file():
        found = ", ".join(sorted(file.stem for file in STUDIES.glob("*.yaml")))
        raise InputError(Mistake(str(path), "there is no such study", f"take one of {found}, or write the file"))
    raw, mistakes = read_yaml(path), Mistakes()
    kind = raw.value.get("kind", "replay")
    if kind == "evaluation":
        return evaluation_of(raw)
    if kind != "replay":
        raise InputError(Mistake(raw.place(("kind",)), f"study: kind '{kind}' is not one of replay, evaluation", nearest(str(kind), KINDS)))
    study = build(Study, raw, "study", mistakes)
    if study is None:
        raise InputError(mistakes)
    return study


def _dates(study: Study | Evaluation) -> list[str]:
    if isinstance(study, Study) and study.dates:
        return sorted({day.isoformat() for day in study.dates})
    first = study.first_date or load_case(study.case, variant=study.variant).default_date
    last = study.last_date or first + timedelta(days=(study.days or 1) - 1)
    if last < first:
        raise InputError(Mistake(f"study of {study.case}", f"last_date {last} is before first_date {first}", "swap them"))
    return [(first + timedelta(days=offset)).isoformat() for offset in range((last - first).days + 1)]


def open_study(name: str) -> list[str]:
    """The items of a study: delivery days, ISO, or `day/treatment`."""
    found = load_study(name)
    if isinstance(found, Plan):
        return [f"{day}/{cell.name}" for day in _dates(found.study) for cell in found.cells]
    return _dates(found)


def _folder(name: str) -> Path:
    return open_home().path / "studies" / Path(name).stem


def study_day(name: str, item: str) -> str:
    """Run one item of a study, or reuse it; returns the path of its record."""
    found = load_study(name)
    if isinstance(found, Plan):
        day, _, cell = item.partition("/")
        return str(evaluate_cell(_folder(name), found, day, found.cell(cell)))
    return _replay(name, found, item)


def _key(study: Study, case: Case, day: str) -> dict[str, Any]:
    """Everything that the record of a day depends on: a value that was corrected, before or after the day, makes it another."""
    return {"case": case.digest, "code": code_digest(), "method": study.method, "known": known_of(case, day, and_what_came=True)}


def _record_of(path: Path, key: dict[str, Any]) -> dict[str, Any] | None:
    """What a replay kept of a day, where that was made of the same."""
    if not path.is_file():
        return None
    record: dict[str, Any] = json.loads(path.read_text())
    return record if record.get("key") == key else None


def _records(name: str, study: Study) -> list[dict[str, Any]]:
    """What is done of a replay, as it would be done again now."""
    case = load_case(study.case, variant=study.variant)
    paths = {day: _folder(name) / "days" / f"{day}.json" for day in _dates(study)}
    return [record for day, path in paths.items() if path.is_file() and (record := _record_of(path, _key(study, case, day))) is not None]


def _replay(name: str, study: Study, day: str) -> str:
    path = _folder(name) / "days" / f"{day}.json"
    asked = Request(case=study.case, date=date.fromisoformat(day), variant=study.variant, method=study.method, replace=True,
                    independent=True)
    ensure_ingested(asked)
    key = _key(study, load_case(study.case, variant=study.variant), day)
    if _record_of(path, key) is not None:
        return str(path)
    first = run_day_ahead(asked)
    second = run_real_time(asked)
    warnings = [row for row in first["findings"] + second["findings"] if row["severity"] == "warning"]
    record = {
        "key": key, "delivery_date": day, "day_ahead_run": first["run_id"], "real_time_run": second["run_id"],
        "status": "degraded" if warnings else "done", "warning_count": len(warnings),
        "worst": f"{warnings[0]['place']}: {warnings[0]['message']}" if warnings else "", "day_ahead_cost": first["objective"],
        "value_of_stochastic_solution": first["kpis"].get("value_of_stochastic_solution"),
        **{kpi: second["kpis"].get(kpi) for kpi in YARDSTICKS},
    }
    replace_file(path, json.dumps(record, indent=1, sort_keys=True).encode())
    return str(path)


def close_study(name: str) -> str:
    """Collect what is done into the tables of the study, and for an evaluation its page; returns the path of the main table."""
    found = load_study(name)
    return str(_close_evaluation(name, found)["file"]) if isinstance(found, Plan) else _close_replay(name, found)


def _close_replay(name: str, study: Study) -> str:
    rows = [{key: value for key, value in record.items() if key != "key"} for record in _records(name, study)]
    path = _folder(name) / "days.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    pq.write_table(pa.Table.from_pylist(rows), temporary, compression="zstd")
    temporary.replace(path)
    return str(path)


def run_study(name: str, *, jobs: int = 1, progress: Progress = None) -> dict[str, Any]:
    """All items of a study. One that fails is reported, the others go on; running again takes up the failed ones.

    Raises Interrupted where it is stopped from outside: what is done is kept.
    """
    items = open_study(name)
    failed: dict[str, str] = {}
    done = 0
    try:
        with closing(_run(name, items, jobs)) as running:
            for count, of_these in running:
                failed |= of_these
                done += count
                if progress is not None:
                    progress(done, len(items))
        found = load_study(name)
        return _close_evaluation(name, found, failed) if isinstance(found, Plan) else summary(name, failed)
    except KeyboardInterrupt:
        pass  # answered below: as the context of an error it would keep the pool of processes alive
    said = f"was interrupted with {_done(name)} of {len(items)} items done"
    raise Interrupted(Mistake(f"study {Path(name).stem}", said, f"they are kept: `feederflow study {name}` goes on from there"))


def _done(name: str) -> int:
    """Items whose record is there, whichever process made it and whenever."""
    found = load_study(name)
    if isinstance(found, Plan):
        days = _dates(found.study)
        return len(days) * len(found.cells) - len(found_of(_folder(name), found, days).missing())
    return len(_records(name, found))


def _run(name: str, items: list[str], jobs: int) -> Generator[tuple[int, dict[str, str]]]:
    """Pieces of the study as they end: how many items, and what failed of them."""
    if jobs == 1:
        for item in items:
            yield 1, _attempt(name, [item], {})
        return
    # Spawned, not forked: a solver's threads do not survive a fork. Ctrl-C reaches every process of a terminal: ours alone answers.
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=signal.signal,
                             initargs=(signal.SIGINT, signal.SIG_IGN)) as pool:
        waiting = {pool.submit(_attempt, name, share, dict(os.environ)): share for share in _shares(items, jobs)}
        try:
            for future in as_completed(waiting):
                yield len(waiting[future]), future.result()
        except (KeyboardInterrupt, GeneratorExit):
            for process in active_children():  # their records are written at once: nothing half is left
                process.terminate()
            pool.shutdown(cancel_futures=True)
            raise


def _shares(items: list[str], jobs: int) -> list[list[str]]:
    """What one process does in a row: the treatments of a day share its forecast, unless there are fewer days than processes."""
    by_day: dict[str, list[str]] = {}
    for item in items:
        by_day.setdefault(item.partition("/")[0], []).append(item)
    return list(by_day.values()) if len(by_day) >= jobs else [[item] for item in items]


def _attempt(name: str, items: list[str], environment: dict[str, str]) -> dict[str, str]:
    """What failed, with its words."""
    os.environ.update(environment)
    failed: dict[str, str] = {}
    for item in items:
        try:
            study_day(name, item)
        except FeederflowError as error:
            failed[item] = str(error)
    return failed


def _close_evaluation(name: str, plan: Plan, failed: dict[str, str] | None = None) -> dict[str, Any]:
    """Tables, page and the summary as data. What is neither done nor failed was not run yet."""
    from pipeline.publish.report.build import write_report
    from pipeline.publish.report.evaluation import build_evaluation

    failed, days = failed or {}, _dates(plan.study)
    found = found_of(_folder(name), plan, days)
    if not found.cells:
        raise NoSchedule("\n".join([f"study {Path(name).stem}: no treatment could be evaluated", *failed.values()]))
    tables = tables_of(found)
    paths = write_tables(_folder(name), tables)
    text = build_evaluation(plan.study.title, plan.case, days=days, reference=plan.reference.name,
                            order=[cell.name for cell in found.cells], tables=tables, missing=found.missing(), failed=failed)
    page = write_report(text, _folder(name) / "report.html")
    spent = {cell.name: sum(record["timing"]["cpu_s"] for record in found.met[cell.name].values()) for cell in found.cells}
    rows = [{**row, "name": name_of(row), "cpu_s": spent[name_of(row)]} for row in tables["summary"].to_pylist()]
    rows.sort(key=lambda row: list(spent).index(row["name"]))  # as the file has them
    return {"study": Path(name).stem, "days": len(days), "same_days": same_days(tables["timings"].to_pylist()),
            "cells": len(plan.cells), "failed": failed, "treatments": rows,
            "warnings": [{**row, "name": name_of(row)} for row in tables["warnings"].to_pylist()],
            "reference": plan.reference.name, "confidence_share": plan.study.confidence_share, "file": paths["evaluation"],
            "files": paths, "page": str(page)}


def summary(name: str, failed: dict[str, str]) -> dict[str, Any]:
    """Means over the days and the days on which perfect <= rolling <= none does not hold."""
    path = close_study(name)
    rows = pq.read_table(path).to_pylist()
    whole = [row for row in rows if all(row.get(kpi) is not None for kpi in YARDSTICKS)]
    means = {kpi: sum(row[kpi] for row in whole) / len(whole) for kpi in YARDSTICKS} if whole else {}
    tolerance = 1e-6
    exceptions = [
        {"delivery_date": row["delivery_date"], **{kpi: row[kpi] for kpi in YARDSTICKS}}
        for row in whole
        if row["perfect_foresight_cost"] > row["rolling_cost"] + tolerance * abs(row["rolling_cost"])
        or row["rolling_cost"] > row["no_redispatch_cost"]
    ]
    degraded = [row["delivery_date"] for row in rows if row["status"] == "degraded"]
    return {"study": Path(name).stem, "days": len(rows), "failed": failed, "degraded": degraded,
            "means": means, "exceptions": exceptions, "file": path}


def describe_study(result: dict[str, Any]) -> str:
    """Means, exceptions and failures for a terminal."""
    if "treatments" in result:
        return describe_evaluation(result)
    lines = [f"{result['study']}: {result['days']} days, {len(result['degraded'])} degraded, {len(result['failed'])} failed"]
    lines += [f"  mean {kpi:<24} {value:12.2f}" for kpi, value in result["means"].items()]
    for row in result["exceptions"]:
        lines.append(f"  exception {row['delivery_date']}: " + ", ".join(f"{kpi} {row[kpi]:.2f}" for kpi in YARDSTICKS))
    lines += [f"  failed {day}: {said.splitlines()[0]}" for day, said in result["failed"].items()]
    return "\n".join([*lines, f"  {result['file']}"])
