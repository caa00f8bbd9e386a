"""Whole products in one call, and what they say: JSON for machines, a few lines for people."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from pipeline.core.errors import InputError, Mistake
from pipeline.publish import ledger
from pipeline.publish.ranking import worst_first
from pipeline.stages.asked import Request
from pipeline.stages.deciding import Progress, schedule
from pipeline.stages.forecasting import forecast
from pipeline.stages.ingesting import ensure_ingested
from pipeline.stages.mending import mend
from pipeline.stages.opening import Run, load_run, open_day_ahead, open_real_time
from pipeline.stages.publishing import publish_run
from pipeline.stages.redispatching import redispatch
from pipeline.stages.representing import scenarios
from pipeline.stages.validating import validate
from pipeline.stages.words import against_holding, proven


def run_day_ahead(asked: Request, *, progress: Progress = None) -> dict[str, Any]:
    """Ingest, forecast, scenarios, schedule, gates and publication of one delivery day."""
    ensure_ingested(asked)
    run_id = open_day_ahead(asked)
    # Of the many days of a study no nightly gate is asked for: arrays give the same verdict in milliseconds.
    checked = partial(validate, contracts="arrays") if asked.independent else validate
    return _through(run_id, (forecast, scenarios, schedule, checked), progress=progress)


def run_real_time(asked: Request, *, progress: Progress = None) -> dict[str, Any]:
    """Re-dispatch, settlement, gates and publication of a range of quarter-hours."""
    ensure_ingested(asked)
    run_id = open_real_time(asked)
    return _through(run_id, (lambda identifier: redispatch(identifier, progress=progress), validate), progress=None)


def _through(run_id: str, stages: tuple[Callable[[str], str], ...], *, progress: Progress) -> dict[str, Any]:
    """Run the stages in their order; a run that ended before is only published again."""
    started = time.perf_counter()
    run = load_run(run_id)
    if not run.stored.finished:
        for place, stage in enumerate(stages):
            stage(run_id)
            if progress is not None:
                progress(place + 1, len(stages) + 1)
    else:
        mend(run_id)
    done, report = publish_run(run)
    return _result(run, done, report, seconds=time.perf_counter() - started)


def _result(run: Run, done: ledger.Published, report: Path, *, seconds: float) -> dict[str, Any]:
    record, home = run.stored, run.home
    findings = worst_first(home.lake.read(record.run_id, "findings").drop_columns(["run_id"]).to_pylist())
    return {
        "run_id": record.run_id, "product": record.product, "case": record.case, "variant": ledger.published_variant(record),
        "delivery_date": record.delivery_date, "status": record.status, "published": done.published, "objective": record.objective,
        "gap": record.gap, "method": run.case.settings.method.kind, "seconds": round(seconds, 3), "currency": run.case.currency,
        "findings": findings,
        "files": [str(home.path / file.path) for file in done.files], "report": str(report), "kpis": _kpis(run),
    }


def _kpis(run: Run) -> dict[str, float | None]:
    table = run.home.lake.read(run.record.run_id, "kpis")
    return dict(zip(table["kpi"].to_pylist(), table["value"].to_pylist(), strict=True))


def require_published(first: dict[str, Any]) -> None:
    """Real time follows the published schedule: refuse to go on with another one than was just made."""
    if not first["published"]:
        place = f"{first['case']} ({first['variant']}), {first['delivery_date']}"
        said = f"run {first['run_id']} was made but not published: a day-ahead run of the same or a newer issue time is current"
        raise InputError(Mistake(place, said, "add --replace to publish this one, or take another --home"))


def combine(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    """Day-ahead and real time of one day as one result: the later run's figures, both runs' findings."""
    status = "degraded" if "degraded" in (first["status"], second["status"]) else second["status"]
    findings = worst_first(first["findings"] + second["findings"])
    return {
        **second, "product": "day", "status": status, "findings": findings, "seconds": first["seconds"] + second["seconds"],
        "runs": {"day_ahead": first["run_id"], "real_time": second["run_id"]}, "objective_day_ahead": first["objective"],
        "gap_day_ahead": first["gap"], "method": first["method"],
        "treatment_objective_day_ahead": first["kpis"].get("treatment_objective"),
    }


def describe(result: dict[str, Any]) -> str:
    """A dozen lines at most: was it good, what did it cost, where is it."""
    money = result["currency"]
    kpis = result["kpis"]
    lines = [f"{result['case']} ({result['variant']}), {result['delivery_date']}: {_headline(result)}"]
    if result["product"] == "day":
        lines.append(f"day-ahead cost        {result['objective_day_ahead']:12.2f} {money}  expected, run {result['runs']['day_ahead']}")
        lines.append(proven(result["method"], result["gap_day_ahead"], _amount(result["treatment_objective_day_ahead"], money)))
    if result["product"] == "day_ahead":
        lines.append(f"day-ahead cost        {result['objective']:12.2f} {money}  expected, run {result['run_id']}")
        lines.append(proven(result["method"], result["gap"], _amount(kpis.get("treatment_objective"), money)))
        vss = kpis.get("value_of_stochastic_solution")
        if vss is not None:
            lines.append(f"value of scenarios    {vss:12.2f} {money}  against planning with the mean")
    else:
        unsettled = int(kpis.get("unsettled_intervals") or 0)
        cost = "provisional cost" if unsettled else "settled cost"
        lines.append(f"{cost:<22}{result['objective']:12.2f} {money}  run {result['run_id']}")
        lines += _against(kpis, money)
        lines += against_holding(kpis, currency=money)
    worst = result["findings"][0] if result["findings"] else None
    counts = {severity: sum(row["severity"] == severity for row in result["findings"]) for severity in ("warning", "info")}
    lines.append(f"findings              {counts['warning']} warnings, {counts['info']} notes")
    if worst is not None:
        lines.append(f"worst finding         {worst['severity']}: {worst['place']}: {worst['message']}")
    if result["published"]:
        lines.append(f"report                {result['report']}")
        lines.append(f"Parquet               {_folder(result['files'])}  ({result['seconds']:.1f} s)")
    else:
        lines.append("A run of the same or a newer issue time is current and stays so; --replace publishes this one.")
    return "\n".join(lines)


def _amount(objective: float | None, money: str) -> str | None:
    return None if objective is None else f"{objective:.2f} {money}"


def _headline(result: dict[str, Any]) -> str:
    """A day of which values are missing says so before it is called anything else."""
    unsettled = int(result["kpis"].get("unsettled_intervals") or 0)
    grade = "DEGRADED" if result["status"] == "degraded" else "good so far" if unsettled else "good"
    grade = f"PROVISIONAL, {unsettled} quarter-hours not settled; {grade}" if unsettled else grade
    return grade if result["published"] else f"NOT PUBLISHED ({grade})"


def _against(kpis: dict[str, float | None], money: str) -> list[str]:
    perfect, rolling, none = (kpis.get(name) for name in ("perfect_foresight_cost", "rolling_cost", "no_redispatch_cost"))
    if perfect is None or rolling is None or none is None:
        return []
    over = f"{100 * (rolling - perfect) / abs(perfect):+.2f} %" if perfect else ""
    lines = [f"perfect foresight     {perfect:12.2f} {money}  settled is {over} above", f"no re-dispatch        {none:12.2f} {money}"]
    plain = kpis.get("plain_rule_cost")
    return lines if plain is None else [*lines, f"a plain rule          {plain:12.2f} {money}  heat followed, vehicles charged at once"]


def _folder(files: list[str]) -> str:
    return files[0].split("/published/")[0] + "/published" if files else "nothing"


def published_result(asked: Request) -> dict[str, Any]:
    """What is published for a day, as `describe` takes it; for a job whose runs happened in other processes."""
    from pipeline.stages.home import open_home

    home, case = open_home(), asked.load()
    variant, date = asked.published_variant(case), asked.date.isoformat()
    found = {}
    for product in ("day_ahead", "real_time"):
        record = ledger.current(home.warehouse, case.name, product, variant, date)
        if record is not None:
            run = load_run(record.run_id)
            done, report = publish_run(run)
            found[product] = _result(run, done, report, seconds=record.seconds or 0.0) | {"published": True}
    if len(found) == 2:
        return combine(found["day_ahead"], found["real_time"])
    return next(iter(found.values()))


