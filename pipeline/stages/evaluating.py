"""One cell of an evaluation study: a day planned with a treatment, as a day-ahead run plans it, and met with what it was not made for.

A cell is a file below `studies/<name>/cells/<day>/`, written at once and named by what it depends on: a study that was stopped goes on
where it stopped. The perfect-foresight bound belongs to a day, whatever the treatment: the first cell of a day computes it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.cases.case import Case
from pipeline.core.errors import InputError, Mistake
from pipeline.forecast.day_ahead import history_start
from pipeline.forecast.ev import realised_envelopes
from pipeline.forecast.ev_connection import by_aggregator, realised_connections, scenario_early
from pipeline.program.linear_program import Floats
from pipeline.schedule.day_ahead import DayAhead
from pipeline.schedule.decided import decision_tables
from pipeline.schedule.findings import Finding
from pipeline.schedule.outlook import Outlook, coarsen
from pipeline.schedule.unseen import Unseen, commitments, meet_unseen, wait_and_see
from pipeline.stages.asked import Request
from pipeline.stages.deciding import day_ahead_program, decide, options_of, outlooks_of
from pipeline.stages.evaluation import Cell, Plan
from pipeline.stages.forecasting import forecast, forecast_of, seed_of
from pipeline.stages.home import code_digest, open_home
from pipeline.stages.ingesting import ensure_ingested
from pipeline.stages.issue_times import fixed_issue, issue_of
from pipeline.stages.knowledge import read_knowledge
from pipeline.stages.opening import Run, day_ahead_issue, intraday_start, load_run, open_day_ahead
from pipeline.stages.representing import scenarios
from pipeline.store.files import replace_file
from pipeline.uncertainty.two_stage import relative_gap

REALISED = "realised"
HOUR_S = 3600
_KNOWN: dict[tuple[object, ...], str] = {}


@dataclass(frozen=True)
class Known:
    """Issue time of a day, UTC epoch seconds, the same for all treatments, and the digest of what is known of it."""

    issued_at: int
    digest: str


def known_of(case: Case, day: str, *, and_what_came: bool, issued_at: int | None = None) -> str:
    """Digest of what a day is planned from, and, where asked for, of what came: a correction makes it another.

    issued_at: UTC epoch seconds; None for the nominal issue time, or now where that has not come.
    """
    home, now = open_home(), int(time.time())
    delivery, fixed = case.day(date.fromisoformat(day)), issued_at
    issued_at = day_ahead_issue(case, delivery, now) if fixed is None else fixed
    as_of = now if and_what_came else issued_at
    words = home.warehouse.words(case.name, delivery.start, delivery.end, as_of)
    # All treatments of a day ask in a row, and reading takes seconds for a large case: once until something is imported or said.
    state = (str(home.path), case.digest, day, and_what_came, fixed, as_of // HOUR_S, home.warehouse.newest_ingest(), tuple(words))
    if state not in _KNOWN:
        start = min(history_start(case, issued_at), intraday_start(delivery)) if and_what_came else history_start(case, issued_at)
        _KNOWN[state] = read_knowledge(home, case, day=delivery, start=start, as_of=as_of).digest
    return _KNOWN[state]


def known_to(folder: Path, plan: Plan, day: str) -> Known | None:
    """What an evaluation's day depends on: when it is issued, what it is planned from, and what came where plans are met with that.

    None where its issue time has not come and no item of it was begun.
    """
    issued_at = issue_of(plan.case, day_folder(folder, day), day)
    return None if issued_at is None else _known_at(plan, day, issued_at)


def _known_at(plan: Plan, day: str, issued_at: int) -> Known:
    return Known(issued_at, known_of(plan.case, day, and_what_came=REALISED in plan.study.against, issued_at=issued_at))


def key_of(plan: Plan, cell: Cell | None, known: Known) -> dict[str, Any]:
    """Everything that the record of a cell depends on, beside its day; of the perfect bound without a cell."""
    return {"case": plan.case.digest, "code": code_digest(), "against": list(plan.study.against), "known": known.digest,
            "issued_at": known.issued_at, "held_out_count": plan.study.held_out_count, "treatment": None if cell is None else cell.settings}


def day_folder(folder: Path, day: str) -> Path:
    """Of the cells of a day."""
    return folder / "cells" / day


def cell_path(folder: Path, day: str, cell: Cell | None) -> Path:
    # No treatment is called so: its name holds no hyphen.
    return day_folder(folder, day) / ("perfect-foresight.json" if cell is None else f"{cell.name}.json".replace(" ", "--"))


def read_cell(folder: Path, plan: Plan, day: str, cell: Cell | None, known: Known | None) -> dict[str, Any] | None:
    """The record of a cell, where there is one of this case, code, study, issue time and knowledge."""
    path = cell_path(folder, day, cell)
    if known is None or not path.is_file():
        return None
    record: dict[str, Any] = json.loads(path.read_text())
    return record if record.get("key") == key_of(plan, cell, known) else None


def evaluate_cell(folder: Path, plan: Plan, day: str, cell: Cell) -> Path:
    """Plan and meet one day with one treatment, or reuse it; returns the path of its record."""
    path = cell_path(folder, day, cell)
    asked = Request(case=plan.study.case, date=date.fromisoformat(day), variant=plan.study.variant, independent=True,
                    treatment=cell.settings)
    ensure_ingested(asked)
    # After ingest: what was imported just now is known.
    known = _known_at(plan, day, fixed_issue(plan.case, day_folder(folder, day), day))
    if read_cell(folder, plan, day, cell, known) is not None and read_cell(folder, plan, day, None, known) is not None:
        return path
    run_id = open_day_ahead(replace(asked, as_of=known.issued_at))
    scenarios(forecast(run_id))
    run = load_run(run_id)
    names, outlooks = unseen_outlooks(run, plan)
    if read_cell(folder, plan, day, None, known) is None:
        perfect = {"scenarios": names, "perfect_cost": _perfect(run, outlooks).tolist()}
        _keep(cell_path(folder, day, None), key_of(plan, None, known), perfect)
    started, spent = time.perf_counter(), time.process_time()
    found = decide(run)
    timing = {"cpu_s": time.process_time() - spent, "wall_s": time.perf_counter() - started}
    met = meet_unseen(run.case, run.day, day_ahead_program(run), found.first, outlooks, overrides=run.knowledge.overrides,
                      options=options_of(run))
    _keep(path, key_of(plan, cell, known), {"delivery_date": day, "cell": cell.name, "scenarios": names, "timing": timing,
                                     **_planned(run, found), **_met(met, names)})
    return path


def unseen_outlooks(run: Run, plan: Plan) -> tuple[list[str], list[Outlook]]:
    """What the plans of a day are met with, at the day-ahead step, the same for every treatment: names and outlooks."""
    names: list[str] = []
    found: list[Outlook] = []
    if "held_out" in plan.study.against:
        names += [str(s) for s in range(1, plan.study.held_out_count + 1)]
        leaving = leaving_early(run.case, count=plan.study.held_out_count, seed=seed_of(run, "held_out early departures"))
        found += outlooks_of(run, held_out(run, plan.study.held_out_count), leaving)
    if REALISED in plan.study.against:
        names.append(REALISED)
        found.append(coarsen(_what_came(run), run.case.settings.day_ahead_step_min // 15))
    return names, found


def held_out(run: Run, count: int) -> Floats:
    """(M, S, T) independent draws of the day's forecast that no treatment plans with: another seed than that of the scenario stage."""
    from pipeline.scenarios.generate import draw

    return draw(forecast_of(run.record.run_id), run.knowledge.history, count=count, seed=seed_of(run, "held_out"), independent=True)


def leaving_early(case: Case, *, count: int, seed: int) -> list[dict[str, np.ndarray]] | None:
    """Per held-out scenario, by aggregator the vehicles (24,) by slot due that leave early; None where none ever does."""
    drawn = scenario_early(case, count=count, seed=seed)
    return None if drawn is None else by_aggregator(case, drawn)


def _what_came(run: Run) -> Outlook:
    """Realised values of the whole day, as known now. Raises InputError while some are not known."""
    known = read_knowledge(run.home, run.case, day=run.day, start=run.day.start, as_of=int(time.time()))
    values, series = known.history.grid(run.day.starts()), tuple(one.id for one in run.case.series)
    missing = [name for name, row in zip(series, values, strict=True) if not np.isfinite(row).all()]
    if missing:
        raise InputError(Mistake(f"study of {run.case.name}, {run.day.date}", f"what came is not known of {', '.join(missing[:4])}",
                                 "import it, end the study earlier, or take against: [held_out]"))
    return Outlook(series, values, realised_envelopes(run.case, known.sessions, day=run.day), realised_connections(run.case, day=run.day))


def _perfect(run: Run, outlooks: list[Outlook]) -> Floats:
    return wait_and_see(run.case, run.day, day_ahead_program(run), outlooks, overrides=run.knowledge.overrides, options=options_of(run))


def _planned(run: Run, found: DayAhead) -> dict[str, Any]:
    """What planning says of itself. A bound that is not proven is null."""
    decision, units = found.decision, commitments(day_ahead_program(run), run.case.settings.first_stage, found.first)
    objective = found.objective if decision is None else decision.objective
    gap = relative_gap(found.bound, found.objective) if decision is None else decision.gap
    bounds = decision_tables(decision, run.record.run_id, currency=run.case.currency)["bounds"]
    return {
        "run_id": run.record.run_id, "planned_cost": found.objective, "objective_cost": objective,
        "gap_share": gap if np.isfinite(gap) else None,
        "way": "simplex" if decision is None else decision.way, "committed": units,
        "bounds": [[row["iteration"], row["lower"], row["upper"], row["gap_share"]] for row in bounds.to_pylist()],
        "warnings": _warnings(found.findings),
    }


def _met(met: Unseen, names: list[str]) -> dict[str, Any]:
    return {"cost": met.costs.tolist(), "penalty_cost": met.penalty_cost.tolist(), "shed_kwh": met.shed_kwh.tolist(),
            "unserved_kwh": met.unserved_kwh.tolist(), "other_slack_kwh": met.other_slack_kwh.tolist(),
            "met_warnings": _warnings(met.findings, _places(names))}


def _places(names: list[str]) -> dict[str, str]:
    """Where meeting says that something was, in the study's words: it counts scenarios, and a single one is its schedule."""
    said = [name if name == REALISED else f"scenario {name}" for name in names]
    return {"schedule": said[0]} if len(said) == 1 else {f"scenario {s}": place for s, place in enumerate(said, start=1)}


def _warnings(findings: Sequence[Finding], places: Mapping[str, str] | None = None) -> list[list[str]]:
    """Place and message of each warning, once."""
    known = places or {}
    found = ([known.get(one.place, one.place), one.message] for one in findings if one.severity == "warning")
    return [list(one) for one in dict.fromkeys(map(tuple, found))]


def _keep(path: Path, key: dict[str, Any], record: dict[str, Any]) -> None:
    replace_file(path, json.dumps({"key": key, **record}, sort_keys=True, allow_nan=False).encode())
