"""What our way to a solution costs over HiGHS's own time on the same arrays."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial

import numpy as np

from pipeline.bench import Row
from pipeline.bench.worker import at_most, peak_mb
from pipeline.cases.case import Case
from pipeline.cases.load import load_case
from pipeline.forecast.ev import window_envelopes
from pipeline.forecast.table_model import Tables
from pipeline.physics.horizon import Horizon
from pipeline.program.cached import compiled
from pipeline.program.linear_program import Floats, LinearProgram
from pipeline.program.measure import RunClock, cold_seconds
from pipeline.program.measure import first_solve as measure_first_solve
from pipeline.schedule.day_ahead import plan_day
from pipeline.schedule.desk import open_desk
from pipeline.schedule.outlook import Envelopes, Outlook, coarsen
from pipeline.schedule.real_time import open_day, redispatch
from pipeline.schedule.settle import reality_of

CASES = {"networked_microgrids_66": 10, "networked_microgrids_165": 25, "networked_microgrids_330": 50}
REPEATS = 3


def day_outlook(case: Case) -> Outlook:
    """The case's tables over its default day, and its fleets' windows."""
    day = case.day(case.default_date)
    values = Tables.of(case).distribution(day.starts()).mean
    envelopes: Envelopes = {fleet.id: window_envelopes(fleet, fleet.sessions, day) for fleet in case.devices if fleet.kind == "ev_fleet"}  # type: ignore[arg-type]
    return Outlook(tuple(series.id for series in case.series), values, envelopes)


def _inputs(case: Case, program: LinearProgram) -> Floats:
    desk = open_desk(case, case.day(case.default_date), program)
    filled = desk.binder.fill(day_outlook(case), desk.starts())
    return desk.binder.assemble(filled, desk.binder.initial_state(), day_ends=True)


def first_solve() -> list[Row]:
    """Median of three: build, compile, bind and solve over HiGHS alone."""
    case = load_case("networked_microgrids_330", variant="reference")
    shares = [measure_first_solve(case, Horizon(96, 0.25), partial(_inputs, case)) for _ in range(REPEATS)]
    middle = sorted(shares, key=lambda share: share.ratio)[REPEATS // 2]
    name = "first_solve"
    return [
        at_most(name, "compile + first solve over HiGHS's own time", middle.ratio, "", 2.0),
        Row(name, "of which all of it", middle.whole_s, "CPU s"),
        Row(name, "of which HiGHS", middle.highs_s, "CPU s"),
        at_most(name, "peak memory", peak_mb(), "MB", 1000.0),
    ]


def steps_of_a_day(name: str, *, count: int = 80) -> tuple[float, float]:
    """Measure a whole real-time step of a case, and HiGHS alone on its arrays by the better of two ways: warm in place, cold with presolve.

    CPU seconds, means over all steps but the first; values move by 1 % from step to step.
    """
    case = load_case(name, variant="reference")
    case = case.model_copy(update={"ties": tuple(tie.model_copy(update={"deviation_price_per_kwh": 0.01}) for tie in case.ties)})
    day, outlook = case.day(case.default_date), day_outlook(case)
    hourly = compiled(case, Horizon(24, 1.0), cache_dir=None)
    plan = plan_day(case, day, hourly, [coarsen(outlook, 4)], np.ones(1)).plan
    rolling = open_day(case, day, compiled(case, Horizon(16, 0.25, rolling=True), cache_dir=None), plan)
    clock = RunClock(rolling.live._solver)
    rolling.live._solver = clock
    reality = reality_of(rolling.desk, outlook, rolling.held.frozen, rolling.start)
    rng, state = np.random.default_rng(1), rolling.start
    whole = cold = 0.0
    for step in range(1, count + 1):
        window = outlook.window(step - 1, 16)
        window = Outlook(window.series, window.values * (1 + 0.01 * rng.standard_normal(window.values.shape)), window.envelopes)
        started = time.process_time()
        dispatch, state = redispatch(rolling, state, window)
        assert dispatch.source == "optimal"
        rolling.desk.readouts(dispatch.columns[None], reality.rows[step - 1 : step])
        seconds = time.process_time() - started
        state = replace(state, step=state.step + 1)
        if step == 1:  # it begins cold, beside the live solver
            clock.seconds = 0.0
            continue
        whole += seconds
        cold += cold_seconds(rolling.live.last)
    return whole / (count - 1), min(clock.seconds, cold) / (count - 1)


def real_time_step() -> list[Row]:
    """Bind, warm solve, read out, over the best of HiGHS alone; and how the cost grows with the number of microgrids."""
    name, rows, each = "real_time_step", [], []
    for case, count in CASES.items():
        whole, highs = sorted((steps_of_a_day(case) for _ in range(REPEATS)), key=lambda pair: pair[0] / pair[1])[REPEATS // 2]
        rows.append(at_most(name, f"step over the best of HiGHS alone, {count} microgrids", whole / highs, "", 1.5))
        rows.append(Row(name, f"step, {count} microgrids", 1000 * whole, "CPU ms"))
        each.append(whole / count)
    spread = max(abs(one / each[0] - 1) for one in each)
    return [*rows, at_most(name, "cost per step and microgrid: largest change from 10 to 50", 100 * spread, "%", 20.0)]


