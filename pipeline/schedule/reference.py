"""What it costs to meet each of many days with the decision that one forecast leads to."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pipeline.cases.case import Case
from pipeline.core.clock import DeliveryDay
from pipeline.core.errors import NoSchedule
from pipeline.program.linear_program import Floats, LinearProgram
from pipeline.program.solve import Solution, SolveOptions, Status, solve
from pipeline.schedule.day_ahead import bind_outlook
from pipeline.schedule.desk import open_desk
from pipeline.schedule.instructions import Instruction
from pipeline.schedule.outlook import Outlook
from pipeline.schedule.state import State
from pipeline.uncertainty.expectation import recourse_of
from pipeline.uncertainty.monolith import clean_first


def recourse_costs(case: Case, day: DeliveryDay, program: LinearProgram, outlooks: Sequence[Outlook], *, reference: Outlook,
                   state: State | None = None, overrides: Sequence[Instruction] = (), options: SolveOptions | None = None) -> Floats | None:
    """(N,) cost of each outlook met by the best recourse to the first stage that is best for `reference`; infinite where nothing meets it.

    outlooks, reference, state and overrides as in `plan_day`. None where the first stage or one of the costs was not found
    in time. Without a first stage it is the cost of each outlook decided on its own. Raises NoSchedule where the solver failed.
    """
    options = options or SolveOptions()
    desk = open_desk(case, day, program)
    state = desk.binder.initial_state() if state is None else state
    first_stage = program.columns_like(case.settings.first_stage)
    decided = solve(program.bind(bind_outlook(desk, reference, state, overrides)), options)
    if decided.x is None:
        return None
    first = clean_first(program, first_stage, decided.x[first_stage])
    recourse = recourse_of(program, first_stage, options)
    solutions = [recourse.live.solve(np.concatenate([bind_outlook(desk, outlook, state, overrides), first])) for outlook in outlooks]
    if any(solution.status is Status.time_limit for solution in solutions):
        return None
    return np.array([_cost(solution, k) for k, solution in enumerate(solutions)])


def _cost(solution: Solution, k: int) -> float:
    """Infinite where nothing meets the outlook. What a solver could not tell makes no day the worst."""
    if solution.status is Status.infeasible:
        return float("inf")
    if solution.x is None:
        raise NoSchedule(f"day {k + 1} of the sample, met with the decision of the forecast: the solver ended as {solution.status.value}")
    return solution.objective
