"""A first stage met with what it was not planned for, and the least that each of these scenarios could have cost.

Both are priced by the day-ahead program itself: `recourse` with the first stage frozen and everything else decided after the
scenario is known, `wait and see` with nothing frozen. The second never exceeds the first (Birge and Louveaux, Introduction to
Stochastic Programming, 2011, section 4.2).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from pipeline.cases.case import Case
from pipeline.core.clock import DeliveryDay
from pipeline.core.errors import NoSchedule
from pipeline.program.linear_program import Floats, LinearProgram
from pipeline.program.solve import LiveSolver, Status
from pipeline.schedule.day_ahead import DayAheadOptions, bind_outlook
from pipeline.schedule.desk import Desk, open_desk
from pipeline.schedule.findings import Finding
from pipeline.schedule.instructions import Instruction
from pipeline.schedule.outlook import Outlook
from pipeline.schedule.solving import Work, meet, work_on
from pipeline.uncertainty.expectation import recourse_of

PENALTY = "penalty_cost"
HOURLY, WHOLE = ("_kw", "_kwth"), ("_kwh", "_kwhth")  # of names: powers, which last a step, and energies
_KINDS = {"shed_": "shed", "unserved_": "unserved", "ev_slack_": "unserved"}  # of quantities; all others are `other`


@dataclass(frozen=True)
class Unseen:
    """M scenarios met. Money and kWh; voltages and gas have a penalty, and no energy here."""

    costs: Floats  # (M,)
    penalty_cost: Floats  # (M,) of it, what is elastic and priced
    shed_kwh: Floats  # (M,) load and heat
    unserved_kwh: Floats  # (M,) that vehicles lack, of cohorts and aggregators
    other_slack_kwh: Floats  # (M,)
    findings: tuple[Finding, ...] = ()  # what to know of these costs, by scenario: time limits, binaries not found in time


def meet_unseen(case: Case, day: DeliveryDay, program: LinearProgram, first: Floats, outlooks: Sequence[Outlook], *,
                overrides: Sequence[Instruction] = (), options: DayAheadOptions | None = None) -> Unseen:
    """Best recourse of each outlook to first-stage values (F,). Raises NoSchedule where one has none."""
    work, scenarios = _opened(case, day, program, outlooks, overrides, options)
    recourse = recourse_of(program, program.columns_like(case.settings.first_stage), work.left())
    met = meet(work, recourse, first, scenarios, np.full(len(scenarios), 1 / len(scenarios)))
    return replace(_slacks(work.desk, met.x, met.costs), findings=work.findings)


def wait_and_see(case: Case, day: DeliveryDay, program: LinearProgram, outlooks: Sequence[Outlook], *,
                 overrides: Sequence[Instruction] = (), options: DayAheadOptions | None = None) -> Floats:
    """(M,) a bound that no first stage beats in that scenario. Raises NoSchedule where the solver proves none."""
    work, scenarios = _opened(case, day, program, outlooks, overrides, options)
    live = LiveSolver(program, work.left())
    bounds = np.empty(len(scenarios))
    for s, inputs in enumerate(scenarios):
        solution = live.solve(inputs)
        if solution.status is not Status.optimal:
            raise NoSchedule(f"perfect foresight of scenario {s + 1}, {day.date}, ended as {solution.status.value}")
        bounds[s] = solution.bound if program.integer.any() else solution.objective
    return bounds


def _opened(case: Case, day: DeliveryDay, program: LinearProgram, outlooks: Sequence[Outlook], overrides: Sequence[Instruction],
            options: DayAheadOptions | None) -> tuple[Work, Floats]:
    desk = open_desk(case, day, program)
    state = desk.binder.initial_state()
    work = work_on(desk, options)
    return work, np.array([bind_outlook(desk, outlook, state, overrides) for outlook in outlooks])


def _slacks(desk: Desk, x: Floats, costs: Floats) -> Unseen:
    """Energies of the columns that the penalty pays for. (M, n). What aggregators are left with beyond their need is `other`."""
    program = desk.program
    priced = np.flatnonzero(program.column_term == program.terms.index(PENALTY))
    kinds: dict[str, Floats] = {name: np.zeros(len(x)) for name in ("shed", "unserved", "other")}
    for column in priced:
        quantity = program.column_names[column].partition(".")[2].partition("[")[0]
        hours = program.step_h if quantity.endswith(HOURLY) else 1.0 if quantity.endswith(WHOLE) else 0.0
        kinds[next((kind for prefix, kind in _KINDS.items() if quantity.startswith(prefix)), "other")] += hours * x[:, column]
    quiet = {name: np.where(values < 1e-9, 0.0, values) for name, values in kinds.items()}
    return Unseen(costs, x[:, priced] @ program.cost[priced], quiet["shed"], quiet["unserved"], quiet["other"])


def commitments(program: LinearProgram, first_stage: tuple[str, ...], first: Floats) -> dict[str, list[int]]:
    """Per unit what is on (1) or off (0) at each step, of first-stage values (F,); empty where nothing is committed."""
    found: dict[str, list[int]] = {}
    for column, value in zip(program.columns_like(first_stage), first, strict=True):
        device, _, quantity = program.column_names[column].partition(".")
        if quantity.startswith("on_share["):
            found.setdefault(device, []).append(round(float(value)))
    return found
