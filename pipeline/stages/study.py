"""A study: every delivery day of a period, day-ahead and then all its quarter-hours, each from what was known at its issue times.

Days are independent (each starts from the case's initial state), so they run in any order and in parallel. A day that is done
is reused as long as case and code are the same.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from datetime import date, timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import PositiveInt

from pipeline.cases.load import load_case
from pipeline.cases.mistakes import Mistakes
from pipeline.cases.records import build
from pipeline.cases.yaml_file import read_yaml
from pipeline.core.errors import FeederflowError, InputError, Mistake
from pipeline.equipment import Record
from pipeline.stages.asked import Request
from pipeline.stages.deciding import Progress
from pipeline.stages.home import code_digest, open_home
from pipeline.stages.results import run_day_ahead, run_real_time
from pipeline.store.files import replace_file

STUDIES = Path(__file__).resolve().parents[2] / "data" / "studies"
YARDSTICKS = ("perfect_foresight_cost", "rolling_cost", "no_redispatch_cost")


class Study(Record):
    """A file of data/studies. Without dates it begins at the case's default date."""

    title: str
    case: str
    variant: str | None = None
    method: str | None = None
    first_date: date | None = None
    last_date: date | None = None
    days: PositiveInt | None = None


def load_study(name: str) -> Study:
    """By name or path. Raises InputError."""
    path = Path(name) if name.endswith((".yaml", ".yml")) else STUDIES / f"{name}.yaml"
    if path.is_dir():
        raise InputError(Mistake(str(path), "is a folder, and a study is a file", "name the file in it"))
    if not path.is_file():
        found = ", ".join(sorted(file.stem for file in STUDIES.glob("*.yaml")))
        raise InputError(Mistake(str(path), "there is no such study", f"take one of {found}, or write the file"))
    mistakes = Mistakes()
    study = build(Study, read_yaml(path), "study", mistakes)
    if study is None:
        raise InputError(mistakes)
    return study


def _dates(study: Study) -> Iterator[date]:
    first = study.first_date or load_case(study.case, variant=study.variant).default_date
    last = study.last_date or first + timedelta(days=(study.days or 1) - 1)
    if last < first:
        raise InputError(Mistake(f"study of {study.case}", f"last_date {last} is before first_date {first}", "swap them"))
    for offset in range((last - first).days + 1):
        yield first + timedelta(days=offset)


def open_study(name: str) -> list[str]:
    """The delivery days of a study, ISO."""
    return [day.isoformat() for day in _dates(load_study(name))]


def _folder(name: str) -> Path:
    return open_home().path / "studies" / Path(name).stem


def study_day(name: str, day: str) -> str:
    """Run one day of a study, or reuse it; returns the path of its record."""
    study = load_study(name)
    path = _folder(name) / "days" / f"{day}.json"
    case = load_case(study.case, variant=study.variant)
    key = {"case": case.digest, "code": code_digest(), "method": study.method}
    if path.is_file() and json.loads(path.read_text()).get("key") == key:
        return str(path)
    asked = Request(case=study.case, date=date.fromisoformat(day), variant=study.variant, method=study.method, replace=True,
                    independent=True)
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
    """Collect the days into `studies/<name>/days.parquet`; returns its path."""
    records = [json.loads(path.read_text()) for path in sorted((_folder(name) / "days").glob("*.json"))]
    wanted = set(open_study(name))
    rows = [{key: value for key, value in record.items() if key != "key"} for record in records if record["delivery_date"] in wanted]
    path = _folder(name) / "days.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    pq.write_table(pa.Table.from_pylist(rows), temporary, compression="zstd")
    temporary.replace(path)
    return str(path)


def run_study(name: str, *, jobs: int = 1, progress: Progress = None) -> dict[str, Any]:
    """All days of a study. A day that fails is reported, the others go on; running again takes up the failed ones."""
    days = open_study(name)
    failed: dict[str, str] = {}
    if jobs == 1:
        for done, day in enumerate(days):
            _one(name, day, failed)
            if progress is not None:
                progress(done + 1, len(days))
    else:
        # Spawned, not forked: a solver's threads do not survive a fork.
        with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
            waiting = {pool.submit(_attempt, name, day, dict(os.environ)): day for day in days}
            for done, future in enumerate(as_completed(waiting)):
                said = future.result()
                if said:
                    failed[waiting[future]] = said
                if progress is not None:
                    progress(done + 1, len(days))
    return summary(name, failed)


def _one(name: str, day: str, failed: dict[str, str]) -> None:
    try:
        study_day(name, day)
    except FeederflowError as error:
        failed[day] = str(error)


def _attempt(name: str, day: str, environment: dict[str, str]) -> str:
    os.environ.update(environment)
    failed: dict[str, str] = {}
    _one(name, day, failed)
    return failed.get(day, "")


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
    lines = [f"{result['study']}: {result['days']} days, {len(result['degraded'])} degraded, {len(result['failed'])} failed"]
    lines += [f"  mean {kpi:<24} {value:12.2f}" for kpi, value in result["means"].items()]
    for row in result["exceptions"]:
        lines.append(f"  exception {row['delivery_date']}: " + ", ".join(f"{kpi} {row[kpi]:.2f}" for kpi in YARDSTICKS))
    lines += [f"  failed {day}: {said.splitlines()[0]}" for day, said in result["failed"].items()]
    return "\n".join([*lines, f"  {result['file']}"])
