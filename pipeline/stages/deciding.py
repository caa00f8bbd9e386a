"""The schedule stage of a day-ahead run and the re-dispatch stage of a real-time run."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from pipeline.cases.settings import Affine, BoxRobust, Sampled, Wasserstein
from pipeline.core.clock import QUARTER_S
from pipeline.core.errors import Damaged, Mistake
from pipeline.forecast.ev import expected_envelopes
from pipeline.forecast.ev_connection import expected_connections
from pipeline.physics.horizon import Horizon
from pipeline.program.cached import compiled
from pipeline.program.linear_program import LinearProgram
from pipeline.schedule.carrying import check_treatment
from pipeline.schedule.desk import open_desk
from pipeline.schedule.findings import Finding
from pipeline.schedule.leaving import Leavers
from pipeline.schedule.outlook import Connections, Outlook, coarse_connections, coarsen
from pipeline.schedule.plan import Plan
from pipeline.schedule.read_out import day_ahead_tables
from pipeline.schedule.read_units import handed_to_the_next_day
from pipeline.schedule.rules import Rules
from pipeline.schedule.solving import DayAheadOptions
from pipeline.stages.failing import marks_failure
from pipeline.stages.forecasting import distances, early_departures, forecast_mean, forecast_of, representatives, seed_of
from pipeline.stages.keeping import plans
from pipeline.stages.leavers import leavers_of
from pipeline.stages.mending import mend, mend_parents
from pipeline.stages.opening import Run, load_run
from pipeline.stages.parents import DAY_BEFORE, STANDS_BY
from pipeline.stages.refusing import keep, refused_of
from pipeline.stages.starting import course_of

if TYPE_CHECKING:
    from pipeline.schedule.day_ahead import DayAhead
    from pipeline.schedule.standby import Earlier
    from pipeline.schedule.treatments import Spread

WIDTH_DRAWS = 1000  # futures from which empirical half-widths are read

Progress = Callable[[int, int], None] | None

# Tables that validation completes: what the engine writes carries this ending until then.
DECIDED = "_decided"
COMPLETED_BY_VALIDATION = ("bus_state", "branch_state", "findings", "kpis")


def program_of(run: Run, horizon: Horizon) -> LinearProgram:
    """The compiled program of the run's case; from the cache without Pyomo where it was compiled before."""
    return compiled(run.case, horizon, cache_dir=run.home.cache / "programs")


def decided(tables: dict[str, pa.Table]) -> dict[str, pa.Table]:
    """Under the names that the lake keeps before validation."""
    return {name + DECIDED if name in COMPLETED_BY_VALIDATION else name: table for name, table in tables.items()}


def outlooks_of(run: Run, values: np.ndarray, early: Sequence[Mapping[str, np.ndarray]] | None = None) -> list[Outlook]:
    """Days of quarter-hours (N, S, T) in the case's order of series as outlooks at the day-ahead step, with the vehicles expected.

    early: per day, by aggregator, the vehicles (24,) by slot due that leave early.
    """
    case, step_min = run.case, run.case.settings.day_ahead_step_min
    envelopes = expected_envelopes(case, run.knowledge.sessions, issued_at=run.issued_at, day=run.day)
    planned = expected_connections(case, day=run.day, step_min=step_min)
    leaving = [{}] * len(values) if early is None else early
    names = tuple(series.id for series in case.series)
    connections = [expected_connections(case, day=run.day, step_min=step_min, early=some) if some else planned for some in leaving]
    return [coarsen(Outlook(names, one, envelopes, vehicles), step_min // 15) for one, vehicles in zip(values, connections, strict=True)]


def planned_connections(run: Run) -> Connections:
    """What the connection matrices say, at the day-ahead step."""
    return coarse_connections(expected_connections(run.case, day=run.day), run.case.settings.day_ahead_step_min // 15)


def day_ahead_outlooks(run: Run) -> tuple[list[Outlook], np.ndarray]:
    """Outlooks at the day-ahead step, with their weights: the representatives, or the mean forecast alone."""
    if not isinstance(run.case.settings.method, Sampled):
        return outlooks_of(run, forecast_mean(run)[None]), np.ones(1)
    values, weights = representatives(run)
    return outlooks_of(run, values, early_departures(run, len(values))), weights


def decide(run: Run) -> DayAhead:
    """The schedule of a run whose forecast and scenarios are made; where a gate refused one, what stands in for it.

    Raises InputError with all that the case cannot carry.
    """
    from pipeline.schedule.standby import plan_always  # with all treatments behind it, which a re-dispatch has no use for

    outlooks, weights = day_ahead_outlooks(run)
    sampled = isinstance(run.case.settings.method, Sampled)
    forecast = outlooks_of(run, forecast_mean(run)[None])[0] if sampled else outlooks[0]
    program, handed = day_ahead_program(run), units_before(run)
    desk = open_desk(run.case, run.day, program)
    check_treatment(desk)
    state = desk.binder.initial_state().running_on(handed)
    course = course_of(run, state.names, [run.issued_at])
    if course is not None:
        state = course.begin(state)
    lost: list[Finding] = []
    found = plan_always(run.case, run.day, program, outlooks, weights, earlier=lambda: _earlier(run, lost), state=state,
                        overrides=run.knowledge.overrides, options=options_of(run), forecast=forecast, spread=_spread(run),
                        draws=_draws(run), leavers=_leavers(run), refused=refused_of(run))
    found = replace(found, findings=(*found.findings, *lost))
    if course is None:
        return found
    return replace(found, measured=course.taken[0], findings=(*found.findings, *course.findings("day_ahead")))


def _earlier(run: Run, lost: list[Finding]) -> Earlier | None:
    """The plan that stands by; read only where it must stand in. One that was lost is made again first, or `lost` says that it cannot."""
    from pipeline.schedule.standby import Earlier

    record = run.named(STANDS_BY)
    if record is None:
        return None
    try:
        mend(record.run_id)
        then = load_run(record.run_id)
        return Earlier(then.day, plan_of(then))
    except Damaged as error:  # always a dispatch: devices at rest are one, too
        said = f"the plan of {record.delivery_date} cannot be read: {str(error).splitlines()[0]}"
        lost.append(Finding("day_ahead", "warning", "fallback", "schedule", said))
        return None


def options_of(run: Run) -> DayAheadOptions:
    """Limits of a day-ahead solve, from the run settings."""
    settings = run.case.settings
    return DayAheadOptions(time_limit_s=settings.solver_time_limit_s, mip_gap_share=settings.mip_gap_share)


def _spread(run: Run) -> Spread | None:
    """How far the representatives lie apart, where the method asks."""
    if not isinstance(run.case.settings.method, Wasserstein):
        return None
    from pipeline.schedule.treatments import Spread

    return Spread(*distances(run))


def _leavers(run: Run) -> list[Leavers] | None:
    """Who may leave early, where the method asks."""
    method = run.case.settings.method
    if not isinstance(method, BoxRobust) or not method.early_departures:
        return None
    return leavers_of(run.case, run.day, step_min=run.case.settings.day_ahead_step_min)


def _draws(run: Run) -> np.ndarray | None:
    """(D, S, T) drawn futures at the day-ahead step, where half-widths are read from them."""
    method = run.case.settings.method
    if not isinstance(method, Affine | BoxRobust) or method.half_widths.source != "empirical":
        return None
    from pipeline.scenarios.generate import draw

    values = draw(forecast_of(run.record.run_id), run.knowledge.history, count=WIDTH_DRAWS, seed=seed_of(run, "draw"))
    return np.array([outlook.values for outlook in outlooks_of(run, values)])


def day_ahead_program(run: Run) -> LinearProgram:
    """The program of the whole day at the day-ahead step."""
    step_min = run.case.settings.day_ahead_step_min
    return program_of(run, Horizon(positions=run.day.steps(step_min), step_h=step_min / 60))


@marks_failure
def schedule(run_id: str) -> str:
    """Decide the day-ahead schedule. Raises NoSchedule with the rows and inputs that conflict. A run that ended keeps its result."""
    run = load_run(run_id)
    if run.stored.finished and plans(run).load("plan") is not None:
        return run_id
    started = time.perf_counter()
    mend_parents(run)
    found = decide(run)
    plans(run).save("plan", found.plan.to_arrays())
    plans(run).save("state-0", found.state.to_arrays())
    handed = handed_to_the_next_day(found)
    plans(run).save("handed", {"names": np.array(list(handed), dtype=np.str_), "values": np.array(list(handed.values()))})
    if found.rules is None:
        plans(run).remove("policy")  # of a schedule that a gate refused
    else:
        plans(run).save("policy", found.rules.to_arrays())
    kept = keep(run, decided(day_ahead_tables(found, run_id, planned=planned_connections(run))))
    gap = found.gap if np.isfinite(found.gap) else None
    run.home.warehouse.finish_run(run_id, status="running", objective=found.objective, gap=gap, seconds=time.perf_counter() - started,
                                  parameters={"solver_status": found.status, "rung": found.rung, **kept, **_way(found)})
    return run_id


def _way(found: DayAhead) -> dict[str, str | float]:
    """How a treatment's decision was found and what is proven of it, for the run's record."""
    decision = found.decision
    if decision is None:
        return {}
    known = {"treatment_objective": decision.objective, "proven_lower_bound": decision.lower}
    return {"way": decision.way, **{name: value for name, value in known.items() if np.isfinite(value)}}


def units_before(run: Run) -> dict[str, float]:
    """State inputs of units and ramps that the schedule of the day before hands to a day-ahead run; empty where none does."""
    parent = run.named(DAY_BEFORE)
    stored = None if parent is None else plans(load_run(parent.run_id)).load("handed")
    if stored is None:
        return {}
    return {str(name): float(value) for name, value in zip(stored[0]["names"], stored[0]["values"].astype(float), strict=True)}


def plan_of(run: Run) -> Plan:
    """The plan of a day-ahead run."""
    stored = plans(run).load("plan")
    if stored is None:
        again = f"`feederflow day-ahead {run.record.case} --date {run.record.delivery_date} --replace` decides the day again"
        raise Damaged(Mistake(f"run {run.record.run_id}", f"its plan is not in {plans(run).folder}", again))
    return Plan.from_arrays(stored[0])


def rules_followed(run: Run) -> Rules | None:
    """The affine rules of a day-ahead run, where its treatment has any."""
    stored = plans(run).load("policy")
    return None if stored is None else Rules.from_arrays(stored[0])


def known_share(run: Run) -> np.ndarray:
    """True for each quarter-hour of the day whose realised values are all known, (N,)."""
    grid = run.knowledge.history.grid(run.day.starts())
    ends = run.day.starts() + QUARTER_S
    table_forecast = run.case.settings.forecast.model == "table"
    known = np.ones(grid.shape[1], dtype=bool) if table_forecast else np.isfinite(grid).all(axis=0) & (ends <= run.record.as_of)
    return np.asarray(known)


