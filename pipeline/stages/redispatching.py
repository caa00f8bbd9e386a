"""The re-dispatch stage: every step from what was known at its issue time, then settled with what came."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from pipeline.core.clock import QUARTER_S, Instants
from pipeline.core.errors import NoSchedule
from pipeline.forecast.ev import intraday_vehicles, realised_envelopes, realised_stays
from pipeline.forecast.ev_connection import expected_connections, intraday_connections, realised_connections
from pipeline.forecast.intraday import Outlooks, update
from pipeline.physics.horizon import Horizon
from pipeline.physics.vehicles import FleetEnvelopes
from pipeline.program.linear_program import Floats
from pipeline.schedule.cost_range import cost_findings
from pipeline.schedule.dispatch import Dispatch, held_from, to_arrays
from pipeline.schedule.findings import Finding
from pipeline.schedule.outlook import Outlook
from pipeline.schedule.plain_rule import plain_rule
from pipeline.schedule.read_out import real_time_tables
from pipeline.schedule.real_time import RealTime, Rolling, open_day, run_steps
from pipeline.schedule.settle import Told
from pipeline.schedule.state import State
from pipeline.schedule.yardsticks import no_redispatch, perfect_foresight, rule_distance_kwh, rule_only
from pipeline.stages.deciding import (
    Progress,
    decided,
    known_share,
    plan_of,
    program_of,
    rules_followed,
    units_before,
)
from pipeline.stages.failing import marks_failure
from pipeline.stages.forecasting import forecast_state
from pipeline.stages.keeping import began, handed_on, plans
from pipeline.stages.mending import mend_parents
from pipeline.stages.opening import Run, load_run
from pipeline.stages.refusing import Refused, keep, refused_of
from pipeline.stages.starting import course_of, measured_until


@dataclass(frozen=True)
class Day:
    """What came, as far as it is known: where it is not, the forecast stands in and the settlement is provisional."""

    realised: Outlook  # (S, N)
    known: np.ndarray  # (N,) bool


@marks_failure
def redispatch(run_id: str, *, progress: Progress = None) -> str:
    """Decide the run's steps, and settle the day from its first step on with what is known now.

    What runs before had to settle with forecasts is settled again, with their set-points: values come in after an interval ends.
    Where a gate refused what was decided, the day-ahead schedule is held on the limits instead, and a finding says so.
    A run that ended keeps its result: cleared, its task must not decide again.
    """
    run = load_run(run_id)
    if run.stored.finished:
        return run_id
    started = time.perf_counter()
    mend_parents(run)
    plan_run = _plan_run(run)
    settings = run.case.settings
    program = program_of(run, Horizon(positions=settings.real_time_window_steps, step_h=0.25, rolling=True))
    rolling = open_day(run.case, run.day, program, plan_of(plan_run), rules=rules_followed(plan_run))
    first, last = run.steps
    outlooks = _outlooks(run, plan_run, range(first, last + 1))
    windows = _windows(run, outlooks, range(first, last + 1))
    day = _what_came(run, plan_run, windows)
    told = [run.knowledge.overrides_known_at(moment) for moment in _issue_times(run, range(1, last + 1))]
    begin, held = _start(run, rolling)
    course = course_of(run, begin.names, _issue_times(run, range(1, last + 1)).tolist())
    refused = refused_of(run)
    found = run_steps(rolling, begin, list(windows.values()), day.realised, overrides=told, held=held,
                      came=_came(run, range(first, last + 1)), course=course, projects=refused is not None,
                      on_step=None if progress is None else lambda step: progress(step - first + 1, last - first + 1))
    whole = last == run.day.steps() and bool(day.known.all())
    kpis, missing = _yardsticks(run, rolling, begin, day.realised, found, told) if whole else ({}, ())
    kpis["unsettled_intervals"] = ("1", float(np.count_nonzero(~day.known[:last])))
    missing = (*missing, *_stands_in(run, refused), *provisional(run, day.known))
    missing += _beside_expected(plan_run, found.settled.total) if whole else ()
    tables = real_time_tables(replace(found, findings=(*found.findings, *missing)), run_id, kpis=kpis,
                              planned=expected_connections(run.case, day=run.day))
    tables["settlement"] = _marked(tables["settlement"], day.known)
    run.home.lake.write(run_id, {"forecasts": outlooks.table(run_id, run.day)})
    _keep(run, begin, found)
    kept = keep(run, decided(tables))
    gaps = [dispatch.gap for dispatch in found.dispatches if np.isfinite(dispatch.gap)]
    run.home.warehouse.finish_run(run_id, status="running", objective=found.settled.total, gap=max(gaps, default=None),
                                  seconds=time.perf_counter() - started,
                                  parameters={"rung": 0 if refused is None else refused.rung + 1, **kept})
    return run_id


def _stands_in(run: Run, refused: Refused | None) -> tuple[Finding, ...]:
    """That the day-ahead schedule is held because a gate refused what was decided."""
    if refused is None:
        return ()
    first, last = run.steps
    said = f"{refused.why}: the day-ahead schedule on the limits is used"
    return (Finding("real_time", "warning", "fallback", f"steps {first} to {last}", said),)


def provisional(run: Run, known: np.ndarray) -> tuple[Finding, ...]:
    """That intervals up to the run's last one are settled with forecasts. A warning where their values are later than a run may wait.

    known: (N,) of the day. The last interval that a live run decides is never known.
    """
    last, count = run.steps[1], run.day.steps()
    unsettled = np.flatnonzero(~known[:last])
    if not unsettled.size:
        return ()
    ends = run.day.starts()[unsettled] + QUARTER_S
    late = int(np.count_nonzero(ends < run.issued_at - 60 * run.case.settings.stale_after_min))
    said = (f"{unsettled.size} of {count} quarter-hours are not settled: their values are not known, forecasts stand in for them, and the "
            f"cost is provisional (the first is step {unsettled[0] + 1})")
    if last < count:
        said += f"; {count - last} are not dispatched yet"
    return (Finding("real_time", "warning" if late else "info", "provisional", "settlement", said, float(unsettled.size), 0.0),)


def _beside_expected(plan_run: Run, settled: float) -> tuple[Finding, ...]:
    """What the cost of a day that is done says of the schedule that it was run by."""
    read, run_id, currency = plan_run.home.lake.read, plan_run.record.run_id, plan_run.case.currency
    costs, figures = (dict(zip(table[name].to_pylist(), table["value"].to_pylist(), strict=True))
                      for name, table in (("term", read(run_id, "costs")), ("kpi", read(run_id, "kpis"))))
    return cost_findings(settled, costs["total"], figures, currency=currency)


def _plan_run(run: Run) -> Run:
    record = run.parent("day_ahead")
    assert record is not None, "a real-time run is opened with its day-ahead run as parent"
    return load_run(record.run_id)


def _issue_times(run: Run, steps: Sequence[int]) -> Instants:
    lead_s = 60 * run.case.settings.real_time_lead_min
    return np.array([run.day.start + QUARTER_S * (step - 1) - lead_s for step in steps], dtype=np.int64)


def _came(run: Run, steps: Sequence[int]) -> list[int]:
    """How many of the day's first intervals were known at the issue time of each step, in the values that settle them.

    A replay knows all of the day and a live run does not: neither may look at more than `available_after_min` left, nor at a
    correction that came later. Where tables are the forecast, they are known ahead.
    """
    if run.case.settings.forecast.model == "table":
        return [run.day.steps()] * len(steps)
    late = run.knowledge.history.known_since(run.day.starts()).max(axis=0, initial=0)  # (N,) the last of the series to come
    return [int(np.argmax(np.append(late > issued, True))) for issued in _issue_times(run, steps)]


def _outlooks(run: Run, plan_run: Run, steps: Sequence[int]) -> Outlooks:
    """Forecasts at the issue times of the steps, from the models of the night."""
    state = forecast_state(plan_run.record.run_id)
    return update(state, run.knowledge.history, issue_times=_issue_times(run, steps), leads=run.case.settings.real_time_window_steps,
                  firsts=run.day.starts()[np.array(steps) - 1], given=run.knowledge.given)


def _windows(run: Run, outlooks: Outlooks, steps: Sequence[int]) -> dict[int, Outlook]:
    """One window per step: series as forecast at its issue time, vehicles that had arrived and those expected."""
    vehicles = intraday_vehicles(run.case, run.knowledge.session_versions, issue_times=_issue_times(run, steps), day=run.day)
    connections = intraday_connections(run.case, issue_times=_issue_times(run, steps), day=run.day)
    length, windows = run.case.settings.real_time_window_steps, {}
    for k, step in enumerate(steps):
        at = np.minimum(np.arange(step - 1, step - 1 + length), run.day.steps() - 1)
        parts = {fleet: FleetEnvelopes(*(part[k][:, at] for part in every)) for fleet, every in vehicles.expected.items()}
        here = {fleet: stays[k].window(step - 1, length) for fleet, stays in vehicles.here.items()}
        planned = {name: counts[k][:, at] for name, counts in connections.items()}
        windows[step] = Outlook(outlooks.series, outlooks.mean[k], parts, planned, here)
    return windows


def _what_came(run: Run, plan_run: Run, windows: Mapping[int, Outlook]) -> Day:
    """Realised values of the whole day; intervals that are not known yet carry the forecast of their own issue time."""
    known = known_share(run)
    names = tuple(series.id for series in run.case.series)
    if run.case.settings.forecast.model == "table":
        from pipeline.stages.forecasting import forecast_of

        values: Floats = forecast_of(plan_run.record.run_id).mean
    else:
        values = run.knowledge.history.grid(run.day.starts())
    realised = realised_envelopes(run.case, run.knowledge.sessions, day=run.day)
    stays = realised_stays(run.case, run.knowledge.sessions, day=run.day)
    # Who came is known one by one; on top of them the envelopes hold only whoever is still expected in intervals yet to come.
    envelopes = {fleet: FleetEnvelopes(*(part * (fleet not in stays) for part in parts)) for fleet, parts in realised.items()}
    values = values.copy()
    first, last = run.steps
    if missing := [int(place) + 1 for place in np.flatnonzero(~known[: first - 1])]:
        windows = {**windows, **_windows(run, _outlooks(run, plan_run, missing), missing)}
    for place in np.flatnonzero(~known):
        window = windows[min(int(place) + 1, last)]
        values[:, place] = np.where(np.isfinite(values[:, place]), values[:, place], window.values[:, 0])
        for fleet, parts in envelopes.items():
            for part, expected in zip(parts, window.envelopes[fleet], strict=True):
                part[:, place] = expected[:, 0]
    return Day(Outlook(names, values, envelopes, realised_connections(run.case, day=run.day), stays), known)


def _start(run: Run, rolling: Rolling) -> tuple[State, tuple[Dispatch, ...]]:
    """The state in which the day began, and what earlier runs dispatched before the run's first step.

    The day begins where the day before ended, else as its schedule expects it to. The basis is that of the step before the run's first.
    """
    before = handed_on(run)
    if run.steps[0] == 1:
        return (rolling.start.running_on(units_before(_plan_run(run))) if before is None else rolling.start.begun_after(before)), ()
    assert before is not None, "a run that does not begin the day is opened with the run before it as parent"
    begun, dispatched = began(run, "state-0"), began(run, "dispatched")
    held = held_from(dispatched, before=run.steps[0])
    return replace(State.from_arrays(begun), basis_columns=before.basis_columns, basis_rows=before.basis_rows), held


def _keep(run: Run, begin: State, found: RealTime) -> None:
    """Where the day began, what was dispatched since, and the state after every step: any of them may be where the next run starts."""
    keeper = plans(run)
    keeper.save("state-0", begin.to_arrays())
    keeper.save("measured-until", {"issued_at": np.array([measured_until(run)], dtype=np.int64)})
    keeper.save("dispatched", to_arrays(found.dispatches))
    for step, state in enumerate(found.states, start=1):
        if step >= run.steps[0]:
            keeper.save(f"state-{step}", state.to_arrays())


def _yardsticks(
    run: Run, rolling: Rolling, begin: State, realised: Outlook, found: RealTime, told: Told,
) -> tuple[dict[str, tuple[str, float]], tuple[Finding, ...]]:
    """Perfect foresight, rolling, no re-dispatch and a plain rule: same positions, states, values, words and settlement.

    A dispatch is not lost because the best one could not be computed: then that figure is missing, and a finding says so.
    """
    program = program_of(run, Horizon(positions=run.day.steps(), step_h=0.25, held=True))
    shifts = None if found.course is None else found.course.shifts
    held = no_redispatch(rolling, realised, state=begin, told=told, shifts=shifts)
    plain = plain_rule(rolling, realised, state=begin, told=told, shifts=shifts)
    currency = run.case.currency
    kpis = {"rolling_cost": (currency, found.settled.total), "no_redispatch_cost": (currency, held.total),
            "plain_rule_cost": (currency, plain.total)}
    if (rules := rules_followed(_plan_run(run))) is not None:
        alone, followed = rule_only(rolling, rules, realised, state=begin, told=told, shifts=shifts)
        dispatched = np.array([dispatch.columns for dispatch in found.dispatches])
        kpis |= {"rule_only_cost": (currency, alone.total),
                 "rule_distance": ("kWh", rule_distance_kwh(rolling, rules, followed, dispatched))}
    try:
        foresight = perfect_foresight(rolling, program, realised, state=begin, told=told, shifts=shifts)
    except NoSchedule as error:
        return kpis, (Finding("real_time", "warning", "yardstick", "perfect foresight", str(error)),)
    return {"perfect_foresight_cost": (currency, foresight.total), **kpis}, ()


def _marked(settlement: pa.Table, known: np.ndarray) -> pa.Table:
    """Rows of intervals whose realised values are not known yet are provisional."""
    settled = known[settlement["step"].to_numpy() - 1]
    return settlement.set_column(settlement.schema.get_field_index("settled"), settlement.schema.field("settled"), pa.array(settled))


