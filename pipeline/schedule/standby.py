"""Always a schedule: what stands in where the day's own program gives none. Each rung says that it stands in, and why.

The treatment asked for; the deterministic schedule of the mean forecast; the plan of a day before, moved to today; devices at rest.
The last two are held like a dispatch and settled at the forecast, so that they keep every limit of the devices.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from pipeline.cases.case import Case
from pipeline.cases.settings import Deterministic
from pipeline.core.clock import DeliveryDay, from_epoch
from pipeline.core.errors import NoSchedule
from pipeline.program.freeze import freeze
from pipeline.program.linear_program import Floats, LinearProgram
from pipeline.schedule.close import derive_ties
from pipeline.schedule.day_ahead import DayAhead, DayAheadOptions, bind_outlook, costs_by_term, plan_day
from pipeline.schedule.desk import Desk, open_desk
from pipeline.schedule.fallback import without_slacks
from pipeline.schedule.findings import Finding
from pipeline.schedule.instructions import Instruction, unreachable
from pipeline.schedule.layout import by_position
from pipeline.schedule.outlook import Outlook, weighted_mean
from pipeline.schedule.plan import Plan, held_columns
from pipeline.schedule.settle import SettledDay, reality_of, settle, settled_day, unbalanced
from pipeline.schedule.state import State

TREATMENT, MEAN, HELD = range(3)  # rungs, from what is asked for to what is held


class RefusedRung(Protocol):
    """The last rung whose schedule gates refused, and what they said."""

    @property
    def rung(self) -> int: ...
    @property
    def why(self) -> str: ...


@dataclass(frozen=True)
class Earlier:
    """The plan of a day before."""

    day: DeliveryDay
    plan: Plan


def plan_always(case: Case, day: DeliveryDay, program: LinearProgram, outlooks: Sequence[Outlook], weights: Floats, *,
                earlier: Callable[[], Earlier | None] = lambda: None, state: State | None = None,
                overrides: Sequence[Instruction] = (), refused: RefusedRung | None = None, **treatment: Any) -> DayAhead:
    """Schedule a delivery day; where the treatment finds nothing, by what stands in for it, with the warning `fallback`.

    Arguments as of `plan_day`. earlier: looks up a plan that can be moved to today; called only where nothing else stands in. refused:
    what gates refused of this day; rungs up to it are passed over. Raises NoSchedule only where the program is proven to have no
    schedule, nobody's word is the reason, and what stands in leaves power that nothing could take; InputError as `plan_day` does.
    """
    mean = _mean(outlooks, weights, treatment.get("forecast"))
    plain = case.settings.model_copy(update={"method": Deterministic(), "budgeted_prices": None})
    simple = case.model_copy(update={"settings": plain})
    # Where a person's word is the likely reason, what stands in does not wait for the rows that conflict.
    treatment = {**treatment, "options": replace(treatment.get("options") or DayAheadOptions(), explains=not overrides)}
    passed = -1 if refused is None else refused.rung
    none: NoSchedule | None = None
    if passed < TREATMENT:
        try:
            return plan_day(case, day, program, outlooks, weights, state=state, overrides=overrides, **treatment)
        except NoSchedule as error:
            none = error
    if passed < MEAN and (case.settings.method != plain.method or case.settings.budgeted_prices is not None):
        try:
            found = plan_day(simple, day, program, [mean], np.ones(1), state=state, overrides=overrides,
                             options=treatment["options"])
            why = _why(none, refused, f"under {case.settings.method.kind}")
            return _flagged(found, why, "the deterministic schedule of the mean forecast is used", rung=MEAN)
        except NoSchedule as error:
            none = error
    return stand_in(simple, day, program, mean, earlier=earlier(), state=state, overrides=overrides, none=none, refused=refused)


def _mean(outlooks: Sequence[Outlook], weights: Floats, forecast: Outlook | None) -> Outlook:
    """The one outlook that stands for all: mean values, and whole vehicles, those that are due."""
    if len(outlooks) == 1:
        return outlooks[0]
    mean = weighted_mean(outlooks, weights)
    return mean if forecast is None else replace(mean, connections=forecast.connections)


def stand_in(case: Case, day: DeliveryDay, program: LinearProgram, outlook: Outlook, *, none: NoSchedule | None,
             earlier: Earlier | None = None, state: State | None = None, overrides: Sequence[Instruction] = (),
             refused: RefusedRung | None = None) -> DayAhead:
    """The plan of a day before, or devices at rest, held within the limits at the forecast.

    outlook: (S, T) at the program's own step. none, refused: why no program gives a schedule, and what gates said of one that did.
    Raises the first where it is proven, nobody's word binds and power is left that nothing could take.
    """
    desk = open_desk(case, day, program)
    state = desk.binder.initial_state() if state is None else state
    started = time.perf_counter()
    follower = open_desk(case, day, freeze(program, program.columns_like(case.settings.held_in_real_time)))
    settled = _followed(follower, _moved(earlier, day, follower), outlook, state, overrides)
    left = unbalanced(settled, stage="day_ahead")
    if left and none is not None and none.proven and not overrides:
        raise none
    columns, x = _whole(desk, follower, settled)
    inputs = bind_outlook(desk, outlook, state, overrides)
    costs = costs_by_term(program, x[None], inputs[None])
    used = "devices at rest are held" if earlier is None else f"the schedule of {earlier.day.date}, moved to today and held, is used"
    found = DayAhead(
        desk=desk, weights=np.ones(1), columns=columns[None], inputs=by_position(inputs, desk.layout.inputs)[None], costs=costs,
        row_dual=None, first=x[program.columns_like(case.settings.first_stage)], state=state, objective=float(costs.sum()), bound=-np.inf,
        gap=np.inf, status="fallback", seconds=time.perf_counter() - started,
        findings=(*unreachable(case, overrides, stage="day_ahead"), *left),
    )
    told = ", ".join(dict.fromkeys(word.target for word in overrides))
    return _flagged(found, _why(none, refused, f"under the words on {told}" if told else ""), f"{used} within the limits", rung=HELD)


def _why(none: NoSchedule | None, refused: RefusedRung | None, under: str) -> str:
    """Why something stands in, in words."""
    by_gate = "" if refused is None else refused.why
    found = "" if none is None else " ".join(["no schedule was found", under]).strip() + f" ({str(none).splitlines()[0]})"
    return "; ".join(filter(None, (by_gate, found)))


def _flagged(found: DayAhead, why: str, used: str, *, rung: int) -> DayAhead:
    said = Finding("day_ahead", "warning", "fallback", "schedule", f"{why}: {used}")
    return replace(found, findings=(said, *found.findings), rung=rung)


def _moved(earlier: Earlier | None, day: DeliveryDay, desk: Desk) -> Plan:
    """A plan for this day at the program's own step: that of the day before at the same time of the clock, or nothing at all."""
    starts = desk.starts()
    if earlier is None:
        return Plan(desk.layout.columns.labels, np.zeros((len(starts), len(desk.layout.columns.labels))))
    step_s = (earlier.day.end - earlier.day.start) // earlier.plan.steps
    then = {_clock(start, day): place for place, start in enumerate(range(earlier.day.start, earlier.day.end, step_s))}
    at = [then.get(_clock(int(start), day), min(place, earlier.plan.steps - 1)) for place, start in enumerate(starts)]
    return Plan(earlier.plan.labels, earlier.plan.expected[at])


def _clock(start: int, day: DeliveryDay) -> tuple[int, int]:
    """Hour and minute on the clocks of a day's zone."""
    local = from_epoch(start).astimezone(day.zone)
    return local.hour, local.minute


def _followed(desk: Desk, plan: Plan, outlook: Outlook, state: State, overrides: Sequence[Instruction]) -> SettledDay:
    """The day with the plan's set-points held, step by step, at the expected values."""
    set_points, frozen = held_columns(desk, plan), plan.columns(desk.binder.frozen_labels)
    reality = reality_of(desk, outlook, frozen, state, told=[tuple(overrides)] * len(set_points))
    settled = []
    for held in set_points:
        each, state = settle(desk, without_slacks(desk, held), state, reality)
        settled.append(each)
    return settled_day(desk, settled, reality)


def _whole(desk: Desk, follower: Desk, settled: SettledDay) -> tuple[Floats, Floats]:
    """(T, J) columns of the whole program and the same flat (n,): positions where the exchange came out, units as they could follow."""
    columns, inputs = settled.columns.copy(), settled.inputs.copy()
    ties = follower.roster.ties
    exchange = columns[:, ties.exchange]
    frozen = ties.schedule_input >= 0
    inputs[:, ties.schedule_input[frozen]] = exchange[:, frozen]
    own = ties.schedule_column >= 0
    columns[:, ties.schedule_column[own]] = exchange[:, own]
    derive_ties(ties, columns, inputs)
    of_column, of_input = follower.layout.columns.entry, follower.layout.inputs.entry
    whole = np.column_stack([
        columns[:, of_column[label]] if label in of_column else inputs[:, of_input[label]] for label in desk.layout.columns.labels])
    x = np.zeros(desk.program.matrix.shape[1])
    x[desk.layout.columns.index] = whole
    return whole, x
