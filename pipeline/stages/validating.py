"""The validation stage: gates that block publication, findings that are published, AC figures filled in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import pyarrow as pa

from pipeline.core.clock import QUARTER_S, from_epoch
from pipeline.core.errors import GateFailed
from pipeline.equipment import Converter, EvAggregator, EvFleet, Generator, Store
from pipeline.forecast.day_ahead import history_start
from pipeline.forecast.ev import expected_envelopes, unlike_yesterday
from pipeline.forecast.visits import PAST_DAYS
from pipeline.publish.soundness import kept_by
from pipeline.schedule.state import State
from pipeline.stages.deciding import COMPLETED_BY_VALIDATION, DECIDED, known_share, schedule, units_before
from pipeline.stages.failing import marks_failure
from pipeline.stages.gating import known_runs
from pipeline.stages.keeping import began, handed_on, plans
from pipeline.stages.opening import LATE_S, Run, load_run, nominal_issue
from pipeline.stages.redispatching import redispatch
from pipeline.stages.refusing import DECIDED_TABLES, must_decide_again, refuse
from pipeline.stages.starting import known_per_step
from pipeline.tables import TABLES
from pipeline.validate.ac import ac_check
from pipeline.validate.check import SUFFIX
from pipeline.validate.context import Bound, Context, Measured
from pipeline.validate.contract_gate import Checker
from pipeline.validate.ev import FleetSessions, ev_check, sessions_by_fleet
from pipeline.validate.findings import Finding, findings_table
from pipeline.validate.fleets import fleet_limits
from pipeline.validate.gates import check_stage
from pipeline.validate.meters import may_stand, standing_meters

_CHECKERS: Mapping[str, Checker] = {"day_ahead": "suite", "real_time": "arrays"}
_DECIDES: Mapping[str, Callable[[str], str]] = {"day_ahead": schedule, "real_time": redispatch}


@marks_failure
def validate(run_id: str, *, contracts: Checker | None = None) -> str:
    """Check everything that the run decided. What a gate refuses is decided again by what stands in, with the warning `fallback`.

    Raises GateFailed naming table, row and value where nothing stands in any more; then nothing is published.
    contracts: who holds tables to their declarations; by default Great Expectations of a day-ahead schedule, arrays of a re-dispatch,
    which has no time for it.
    """
    run = load_run(run_id)
    if run.stored.finished:
        return run_id
    lake, product = run.home.lake, run.record.product
    if must_decide_again(run):  # stopped after a gate had refused
        _DECIDES[product](run_id)
    while True:
        tables = _written(run)
        check = partial(check_stage, run.case, day=run.day, product=product, context=_context(run),
                        contracts=contracts or _CHECKERS[product])
        mistakes, found = check(tables)
        if not mistakes:
            break
        decided = run.stored.parameters[DECIDED_TABLES]
        of_inputs, _ = check({name: table for name, table in tables.items() if not {name, name + DECIDED} & set(decided)})
        if of_inputs:  # whatever stands in would be decided from them, too
            raise GateFailed(of_inputs)
        refuse(run, mistakes)
        _DECIDES[product](run_id)
    completed, electrical = ac_check(run.case, tables, stage=product)
    vehicles, figures = _vehicles(run, tables)
    of_data = [*late_issue(run), *given_gaps(run), *stale_series(run), *standing(run), *short_history(run, tables), *idle_fleets(run)]
    findings = [*found, *electrical, *vehicles, *of_data, *slack_price(run)]
    final = {**completed, "kpis": _with_figures(tables["kpis"], figures, run), "findings": _merged(tables["findings"], findings, run)}
    lake.write(run_id, {name: final.get(name, tables[name]) for name in COMPLETED_BY_VALIDATION})
    degraded = "warning" in final["findings"]["severity"].to_pylist()
    run.home.warehouse.finish_run(run_id, status="degraded" if degraded else "done", parameters=kept_by(lake, plans(run), run_id))
    return run_id


def _written(run: Run) -> dict[str, pa.Table]:
    """The run's tables under their published names, as the engine left them."""
    lake, run_id = run.home.lake, run.record.run_id
    names = [name.removesuffix(DECIDED) for name in lake.tables(run_id)]
    kept = {name: name + DECIDED if name in COMPLETED_BY_VALIDATION else name for name in names if name in TABLES}
    return {name: lake.read(run_id, stored) for name, stored in kept.items() if lake.has(run_id, stored)}


def _context(run: Run) -> Context:
    """What the gates hold the tables against: overrides, envelopes, what came, and the state before the first step."""
    times = [run.issued_at] if run.record.product == "day_ahead" else _issued(run)
    states = known_per_step(run, times) if run.knowledge.measured else []
    measured = tuple(tuple(Measured(one.device, one.quantity, one.measured_at, one.applies_at, one.value) for one in step)
                     for step in states)
    base = replace(known_runs(run), overrides=_words(run), measured=measured)
    if run.record.product == "day_ahead":
        envelopes = expected_envelopes(run.case, run.knowledge.sessions, issued_at=run.issued_at, day=run.day)
        return replace(base, before=_before(run), envelopes=envelopes, objective=run.stored.objective)
    plan = run.parent("day_ahead")
    assert plan is not None, "a real-time run is opened with its day-ahead run as parent"
    values = dict(zip((series.id for series in run.case.series), run.knowledge.history.grid(run.day.starts()), strict=True))
    known = bool(known_share(run)[: run.steps[1]].all())
    return replace(
        base, parents={"schedule": run.home.lake.read(plan.run_id, "schedule")}, before=_before(run),
        values={"settled": values} if known and run.case.settings.forecast.model != "table" else {},
        envelopes=fleet_limits(run.case, _sessions(run), run.day) if known else {},
    )


def _issued(run: Run) -> list[int]:
    """Issue time of every step of the day up to the run's last one."""
    lead_s = 60 * run.case.settings.real_time_lead_min
    return [int(start) - lead_s for start in run.day.starts()[: run.steps[1]]]


def _before(run: Run) -> dict[tuple[str, str], float]:
    """(device, quantity) -> state before the day's first step: handed on by the day before, else the case's own."""
    stores = [device for device in run.case.devices if isinstance(device, Store)]
    own = {(device.id, f"energy_{SUFFIX[device.carrier][1]}"): device.energy_initial_kwh for device in stores}
    aggregators = [device for device in run.case.devices if isinstance(device, EvAggregator)]
    day_ahead = run.record.product == "day_ahead"
    own |= {(device.id, "energy_kwh"): device.energy_initial_kwh for device in aggregators if not day_ahead or device.start == "handed_on"}
    for device in aggregators:  # ramps
        own |= {(device.id, "charge_kw"): 0.0, (device.id, "discharge_kw"): 0.0, (device.id, "connected_count"): device.vehicle_count}
    plan = run if day_ahead else _plan_run(run)
    own |= _units_at_first(run) | {_quantity(name): value for name, value in units_before(plan).items()}
    if day_ahead:
        return own
    state = handed_on(run) if run.steps[0] == 1 else State.from_arrays(began(run, "state-0"))
    if state is None:
        return own
    pairs = (name.replace("_before", "").split(".", 1) for name in state.names)
    handed = {(device, quantity): float(value) for (device, quantity), value in zip(pairs, state.values, strict=True)}
    fleets = {device.id for device in run.case.devices if isinstance(device, EvFleet)}  # vehicles count their energy by the day
    return own | {key: value for key, value in handed.items() if key[0] not in fleets}


def _plan_run(run: Run) -> Run:
    record = run.parent("day_ahead")
    assert record is not None, "a real-time run is opened with its day-ahead run as parent"
    return load_run(record.run_id)


def _quantity(name: str) -> tuple[str, str]:
    """`dg1.power_before_kw` -> (dg1, power_kw)."""
    device, _, quantity = name.replace("_before", "").partition(".")
    return device, quantity


def _units_at_first(run: Run) -> dict[tuple[str, str], float]:
    """What units and ramps start from before the first day of all."""
    found: dict[tuple[str, str], float] = {(tie.id, "exchange_kw"): tie.exchange_initial_kw for tie in run.case.ties}
    for device in run.case.devices:
        if isinstance(device, Generator | Converter | Store):
            carrier = device.rated_carrier if isinstance(device, Converter) else getattr(device, "carrier", "active")
            found[device.id, f"power_{SUFFIX[carrier][0]}"] = device.power_initial_kw
        if isinstance(device, Generator) and device.commitment is not None:
            found[device.id, "on_share"] = float(device.commitment.on_initially)
            found[device.id, "in_state_h"] = device.commitment.hours_in_state_initially
    return found


def _vehicles(run: Run, tables: Mapping[str, pa.Table]) -> tuple[list[Finding], dict[str, float | None]]:
    """The fleets' charging handed out to single vehicles, once the whole day is settled."""
    if "dispatch" not in tables or not known_share(run).all():
        return [], {}
    return ev_check(run.case, tables["dispatch"], _sessions(run), day=run.day, words=_words(run))


def _words(run: Run) -> tuple[Bound, ...]:
    return tuple(Bound(one.target, one.quantity, one.value, one.valid_from, one.valid_to) for one in run.knowledge.overrides)


def _sessions(run: Run) -> dict[str, FleetSessions]:
    s = run.knowledge.sessions
    return sessions_by_fleet(s.fleet, s.arrival, s.departure, s.need_kwh, s.charger_kw)


def late_issue(run: Run) -> list[Finding]:
    """A schedule issued after its nominal time, and the intervals that had begun by then: nobody could follow it there."""
    plan = run if run.record.product == "day_ahead" else _plan_run(run)
    late_min = (plan.issued_at - nominal_issue(run.case, run.day)) / 60
    if 60 * late_min <= LATE_S:
        return []
    at = f"issued at {from_epoch(plan.issued_at).astimezone(run.day.zone):%Y-%m-%d %H:%M} instead of {late_min:.0f} min before"
    begun = int((run.day.starts() < plan.issued_at).sum())
    if not begun:
        return [Finding("info", "late_issue", "day", at, late_min, 0.0)] if plan is run else []
    if plan is not run and run.steps[0] > begun:
        return []
    said = "was planned when it was past" if plan is run else "was dispatched by a plan that knew what came"
    return [Finding("warning", "late_issue", "day", f"{at}: up to {_clock(run, begun)} the day {said}", late_min, 0.0)]


def given_gaps(run: Run) -> list[Finding]:
    """Forecasts of others that had nothing for some of the day when its schedule was issued."""
    given, asked = run.knowledge.given, run.case.settings.forecast
    if given is None or run.record.product != "day_ahead":
        return []
    told = np.isfinite(given.as_of(run.issued_at).grid(run.day.starts())).sum(axis=1)
    covered = dict(zip(given.series, told.tolist(), strict=True))
    uses = {name: f"our own forecast of {target} stands in" for target, name in asked.given.items()}
    for target, names in asked.regressors.items():
        uses |= {name: f"it moves {target} as on a usual day" for name in names if name in covered and name not in uses}
    steps = run.day.steps()
    return [Finding("warning", "given_forecast", name, f"nothing was known for {steps - covered[name]} of {steps} quarter-hours: {said}",
                    float(covered[name]), float(steps)) for name, said in uses.items() if covered[name] < steps]


def _clock(run: Run, steps: int) -> str:
    """Local wall-clock time at the end of so many quarter-hours of the day."""
    return f"{from_epoch(run.day.start + QUARTER_S * steps).astimezone(run.day.zone):%H:%M}"


def slack_price(run: Run) -> list[Finding]:
    """Says that slack costs more in this run than the case has it, where energy is as dear."""
    own, taken = run.asked.load().settings.slack_price_per_kwh, run.case.settings.slack_price_per_kwh
    if run.record.product != "day_ahead" or own == taken:
        return []
    said = (f"slack_price_per_kwh {own:g} is not above what energy costs here: {taken:g} {run.case.currency}/kWh is taken, or load would "
            "be shed and stores be emptied to sell")
    return [Finding("info", "slack_price", "settings", said, own, taken)]


def stale_series(run: Run) -> list[Finding]:
    """Series whose newest observation was too old when the run was issued."""
    if run.case.settings.forecast.model == "table":
        return []
    history = run.knowledge.history.as_of(run.issued_at)
    limit = run.case.settings.stale_after_min
    found = []
    for series, newest in zip(history.series, history.newest(), strict=True):
        age_min = (run.issued_at - int(newest)) / 60
        if age_min > limit:
            said = f"newest value is of {from_epoch(int(newest)).isoformat()}" if newest > 0 else "no value is stored"
            found.append(Finding("warning", "stale_data", series, f"{said} at the issue time", age_min, float(limit)))
    return found


def idle_fleets(run: Run) -> list[Finding]:
    """Fleets of which the last days before a day-ahead run knew no vehicle."""
    if run.record.product != "day_ahead":
        return []
    found = []
    for fleet, days in unlike_yesterday(run.case, run.knowledge.sessions, issued_at=run.issued_at, day=run.day).items():
        stand_in = "its sampling law stands in" if days is None else f"those of {days} days before stand in"
        said = f"no session of the last {PAST_DAYS} days was known at the issue time: {stand_in}; import its sessions"
        found.append(Finding("warning", "idle_fleet", fleet, said, None if days is None else float(days), float(PAST_DAYS)))
    return found


def standing(run: Run) -> list[Finding]:
    """Meters that stood still, or rested at zero against their habit, when the run was issued."""
    if run.case.settings.forecast.model == "table":
        return []
    known = run.knowledge.history.as_of(run.issued_at)
    if run.record.product == "real_time":  # it reads few days; a habit takes weeks to know
        names = may_stand(run.case, known)
        as_of = min(run.issued_at, run.record.as_of)
        start = history_start(run.case, run.issued_at)
        known = run.home.warehouse.observations(run.case.name, names, start, run.day.end, as_of) if names else known
    return standing_meters(run.case, known)


def short_history(run: Run, tables: Mapping[str, pa.Table]) -> list[Finding]:
    """Series of a day-ahead run whose forecast rests on fewer days than their window; too few of them leave the mean day alone."""
    if run.record.product != "day_ahead" or "forecast_scores" not in tables:
        return []
    from pipeline.forecast.fit import ARIMA_MIN_DAYS, window_days

    rows = tables["forecast_scores"].to_pylist()
    scores = {(row["series"], row["score"]): row["value"] for row in rows}
    found = []
    for series in run.case.series:
        days = scores.get((series.id, "fit_days"))
        if days is None or not (days < ARIMA_MIN_DAYS or scores.get((series.id, "flag_short_history"))):
            continue
        window = window_days(run.case, series)
        alone = days < ARIMA_MIN_DAYS
        said = f"{days:.1f} of the {window} days asked for were known" + (": forecast by its mean day alone" if alone else "")
        found.append(Finding("warning" if alone else "info", "short_history", series.id, said, float(days), float(window)))
    return found


def _merged(engine: pa.Table, found: Sequence[Finding], run: Run) -> pa.Table:
    """Findings of the engine and of the checks; of two with one key the engine's stays."""
    key = TABLES["findings"].key
    said = findings_table(found, run_id=run.record.run_id, stage=run.record.product).to_pylist()
    rows = {tuple(row[name] for name in key): row for row in said}
    rows |= {tuple(row[name] for name in key): row for row in engine.to_pylist()}
    names = [column.name for column in TABLES["findings"].columns]
    return TABLES["findings"].build({name: [row[name] for row in rows.values()] for name in names})


def _with_figures(kpis: pa.Table, figures: Mapping[str, float | None], run: Run) -> pa.Table:
    """The engine's figures and those of the checks."""
    units = {"ev_unserved_share": "1", "ev_unpriced_cost": run.case.currency}
    more = TABLES["kpis"].build({
        "run_id": [run.record.run_id] * len(figures), "stage": [run.record.product] * len(figures), "kpi": list(figures),
        "unit": [units.get(name, "kWh") for name in figures], "value": [np.nan if v is None else v for v in figures.values()],
    })
    return pa.concat_tables([kpis, more]).sort_by([(name, "ascending") for name in TABLES["kpis"].key])
