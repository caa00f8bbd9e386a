"""The re-dispatch stage: every step from what was known at its issue time, then settled with what came."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from pipeline.core.clock import Instants
from pipeline.forecast.ev import intraday_envelopes, realised_envelopes
from pipeline.forecast.intraday import Outlooks, update
from pipeline.physics.horizon import Horizon
from pipeline.program.linear_program import Floats
from pipeline.schedule.outlook import Outlook
from pipeline.schedule.read_out import real_time_tables
from pipeline.schedule.real_time import RealTime, Rolling, open_day, run_steps
from pipeline.schedule.settle import Told
from pipeline.schedule.state import State
from pipeline.schedule.yardsticks import no_redispatch, perfect_foresight
from pipeline.stages.deciding import Progress, decided, handed_on, known_share, plan_of, plans, program_of
from pipeline.stages.forecasting import forecast_state
from pipeline.stages.opening import Run, load_run


@dataclass(frozen=True)
class Day:
    """What came, as far as it is known: where it is not, the forecast stands in and the settlement is provisional."""

    realised: Outlook  # (S, N)
    known: np.ndarray  # (N,) bool


def redispatch(run_id: str, *, progress: Progress = None) -> str:
    """Decide and settle the run's steps."""
    run = load_run(run_id)
    started = time.perf_counter()
    plan_run = _plan_run(run)
    settings = run.case.settings
    program = program_of(run, Horizon(positions=settings.real_time_window_steps, step_h=0.25, rolling=True))
    rolling = open_day(run.case, run.day, program, plan_of(plan_run))
    outlooks = _outlooks(run, plan_run)
    windows = _windows(run, outlooks)
    day = _what_came(run, windows)
    first, last = run.steps
    told = [run.knowledge.overrides_known_at(moment) for moment in run.issue_times()]
    begin = _start(run, rolling)
    found = run_steps(rolling, begin, windows, day.realised, overrides=told,
                      on_step=None if progress is None else lambda step: progress(step - first + 1, last - first + 1))
    whole = (first, last) == (1, run.day.steps()) and bool(day.known.all())
    kpis = _yardsticks(run, rolling, day.realised, found, told) if whole else {}
    tables = real_time_tables(found, run_id, kpis=kpis)
    tables["settlement"] = _marked(tables["settlement"], day.known)
    tables["forecasts"] = outlooks.table(run_id, run.day)
    _keep(run, found)
    run.home.lake.write(run_id, decided(tables))
    gaps = [dispatch.gap for dispatch in found.dispatches if np.isfinite(dispatch.gap)]
    run.home.warehouse.finish_run(run_id, status="running", objective=found.settled.total, gap=max(gaps, default=None),
                                  seconds=time.perf_counter() - started)
    return run_id


def _plan_run(run: Run) -> Run:
    record = run.parent("day_ahead")
    assert record is not None, "a real-time run is opened with its day-ahead run as parent"
    return load_run(record.run_id)


def _outlooks(run: Run, plan_run: Run) -> Outlooks:
    """Forecasts at every issue time of the run, from the models of the night."""
    state = forecast_state(plan_run.record.run_id)
    starts = run.day.starts()[run.steps[0] - 1 : run.steps[1]]
    return update(state, run.knowledge.history, issue_times=np.array(run.issue_times(), dtype=np.int64),
                  leads=run.case.settings.real_time_window_steps, firsts=starts)


def _windows(run: Run, outlooks: Outlooks) -> list[Outlook]:
    """One window per step: series as forecast at its issue time, vehicles that had arrived and those expected."""
    issue_times: Instants = np.array(run.issue_times(), dtype=np.int64)
    envelopes = intraday_envelopes(run.case, run.knowledge.session_versions, issue_times=issue_times, day=run.day)
    first, length = run.steps[0] - 1, run.case.settings.real_time_window_steps
    whole = [Outlook(outlooks.series, outlooks.mean[k], {}) for k in range(len(issue_times))]
    windows = []
    for k, outlook in enumerate(whole):
        at = np.minimum(np.arange(first + k, first + k + length), run.day.steps() - 1)
        parts = {fleet: (high[k][:, at], low[k][:, at], top[k][:, at]) for fleet, (high, low, top) in envelopes.items()}
        windows.append(Outlook(outlook.series, outlook.values, parts))
    return windows


def _what_came(run: Run, windows: list[Outlook]) -> Day:
    """Realised values of the whole day; intervals that are not known yet carry the forecast of their own issue time."""
    known = known_share(run)
    names = tuple(series.id for series in run.case.series)
    if run.case.settings.forecast.model == "table":
        from pipeline.stages.forecasting import forecast_of

        values: Floats = forecast_of(_plan_run(run).record.run_id).mean
    else:
        values = run.knowledge.history.grid(run.day.starts())
    realised = realised_envelopes(run.case, run.knowledge.sessions, day=run.day)
    envelopes = {fleet: tuple(part.copy() for part in parts) for fleet, parts in realised.items()}
    values = values.copy()
    first = run.steps[0] - 1
    for place in np.flatnonzero(~known):
        window = windows[int(np.clip(place - first, 0, len(windows) - 1))]
        values[:, place] = np.where(np.isfinite(values[:, place]), values[:, place], window.values[:, 0])
        for fleet, parts in envelopes.items():
            for part, expected in zip(parts, window.envelopes[fleet], strict=True):
                part[:, place] = expected[:, 0]
    return Day(Outlook(names, values, {fleet: (p[0], p[1], p[2]) for fleet, p in envelopes.items()}), known)


def _start(run: Run, rolling: Rolling) -> State:
    """The state before the first step: what the run before handed on, at the start of a day on the case's own."""
    before = handed_on(run)
    if before is None:
        return rolling.start
    return rolling.start.begun_after(before) if run.steps[0] == 1 else before


def _keep(run: Run, found: RealTime) -> None:
    """The state after every step: any of them may be where the next run starts."""
    keeper = plans(run)
    for k, state in enumerate(found.states):
        keeper.save(f"state-{run.steps[0] + k}", state.to_arrays())


def _yardsticks(run: Run, rolling: Rolling, realised: Outlook, found: RealTime, told: Told) -> dict[str, tuple[str, float]]:
    """Perfect foresight, rolling and no re-dispatch: same positions, states, values, words and settlement."""
    program = program_of(run, Horizon(positions=run.day.steps(), step_h=0.25))
    foresight = perfect_foresight(rolling, program, realised, told=told)
    held = no_redispatch(rolling, realised, told=told)
    currency = run.case.currency
    return {"perfect_foresight_cost": (currency, foresight.total), "rolling_cost": (currency, found.settled.total),
            "no_redispatch_cost": (currency, held.total)}


def _marked(settlement: pa.Table, known: np.ndarray) -> pa.Table:
    """Rows of intervals whose realised values are not known yet are provisional."""
    settled = known[settlement["step"].to_numpy() - 1]
    return settlement.set_column(settlement.schema.get_field_index("settled"), settlement.schema.field("settled"), pa.array(settled))


