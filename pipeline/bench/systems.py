"""The two robust systems, complete: reduction, decision and bounds as a day-ahead run makes them, in CPU seconds."""

from __future__ import annotations

import json
import os
import tempfile
import time
from dataclasses import dataclass

import numpy as np

from pipeline.bench import Row
from pipeline.bench.programs import day_outlook
from pipeline.bench.worker import at_most
from pipeline.cases.case import Case
from pipeline.cases.load import load_case
from pipeline.cases.settings import Affine, HalfWidths
from pipeline.physics.horizon import Horizon
from pipeline.program.cached import compiled
from pipeline.schedule.day_ahead import DayAhead, plan_day
from pipeline.schedule.outlook import coarsen

ROBUST, HYDROGEN = "distributionally_robust_microgrids", "hydrogen_microgrids"
SAMPLE, KEPT = 100, 7
LIMIT_S = 60.0
REPEATS = 3


@dataclass(frozen=True)
class _Done:
    seconds: float
    objective: float
    gap: float
    rounds: int


def robust_case4() -> list[Row]:
    """Cases 3 and 4 of the robust book on one sample of 100: all of it weighed, or 7 worst members of its clusters."""
    name = "robust_case4"
    with tempfile.TemporaryDirectory() as home:
        os.environ["FEEDERFLOW_HOME"] = home
        _robust(KEPT, "worst_member")  # compiles, and fills what a process imports once
        four, three = _robust(KEPT, "worst_member"), _robust(SAMPLE, "medoid")
    rows = [at_most(name, "Case 4: draws, reduction, column-and-constraint generation", four.seconds, "CPU s", LIMIT_S)]
    for case, found in (("Case 4", four), ("Case 3", three)):
        rows += [Row(name, f"{case}: objective", found.objective, "CNY"), Row(name, f"{case}: proven gap", 100 * found.gap, "%"),
                 Row(name, f"{case}: rounds", found.rounds, "")]
    return [*rows, Row(name, "Case 3 with the whole sample", three.seconds, "CPU s"),
            at_most(name, "Case 4 over Case 3 with the whole sample", four.seconds / three.seconds, "", 1.0)]


def _robust(count: int, representative: str) -> _Done:
    """One treatment as a day-ahead run plans it, from its forecast on."""
    from pipeline.stages.asked import Request
    from pipeline.stages.deciding import decide
    from pipeline.stages.forecasting import forecast
    from pipeline.stages.ingesting import ensure_ingested
    from pipeline.stages.opening import load_run, open_day_ahead
    from pipeline.stages.representing import scenarios

    treatment = {"kind": "wasserstein", "draw_count": 1000, "pre_reduction_count": SAMPLE, "representative_count": count,
                 "representative": representative, "radius_share": 0.1, "gap_share": 1e-3, "solution": "column_and_constraint"}
    asked = Request(case=ROBUST, date=load_case(ROBUST).default_date, variant="reference", treatment=json.dumps({"method": treatment}))
    ensure_ingested(asked)
    run_id = open_day_ahead(asked)
    forecast(run_id)
    started = time.process_time()
    scenarios(run_id)
    found = decide(load_run(run_id)).decision
    assert found is not None
    return _Done(time.process_time() - started, found.objective, found.gap, len(found.iterations))


def affine() -> list[Row]:
    """Affine rules on the hydrogen microgrids with their network, budget a quarter, by the hour and by the quarter-hour."""
    name, case = "affine", load_case(HYDROGEN, variant="reference")
    method = Affine(half_widths=HalfWidths(load_share=0, heat_share=0, pv_share=0.15, wind_share=0.15), budget_share=0.25)
    case = case.model_copy(update={"settings": case.settings.model_copy(update={"method": method})})
    hourly = sorted((_rules(case, 24, 1.0) for _ in range(REPEATS)), key=lambda pair: pair[0])[REPEATS // 2]
    quarters = _rules(case, 96, 0.25)
    return [
        at_most(name, "24 steps, counterpart and solve", hourly[0], "CPU s", LIMIT_S), Row(name, "24 steps: worst cost", hourly[1], "CNY"),
        Row(name, "96 steps, rules of the same interval", quarters[0], "CPU s"), Row(name, "96 steps: worst cost", quarters[1], "CNY"),
    ]


def _rules(case: Case, steps: int, step_h: float) -> tuple[float, float]:
    """CPU seconds of a day's plan, and its alpha; the program is compiled before."""
    program = compiled(case, Horizon(steps, step_h), cache_dir=None)
    outlook = coarsen(day_outlook(case), round(4 * step_h))
    started = time.process_time()
    found: DayAhead = plan_day(case, case.day(case.default_date), program, [outlook], np.ones(1))
    assert found.decision is not None
    return time.process_time() - started, found.decision.objective
