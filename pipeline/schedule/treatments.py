"""From the run settings' method to a decision: which algebra a treatment is, and what its first stage costs in every scenario."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pipeline.program.linear_program import Floats, Indices
from pipeline.program.solve import Solution, Status, solve
from pipeline.schedule.solving import CLOSE, Found, Work, meet, no_schedule, separately
from pipeline.uncertainty.expectation import expected_cost, recourse_of
from pipeline.uncertainty.extensive import extensive_form


def treat(work: Work, scenarios: Floats, weights: Floats, average: Floats) -> Found:
    """Decide the first stage under the case's method, then meet every scenario. scenarios: (S, m); average: (m,) their mean."""
    program = work.desk.program
    first_stage = program.columns_like(work.desk.case.settings.first_stage)
    if not first_stage.size:
        return separately(work, scenarios, weights)
    recourse = recourse_of(program, first_stage, work.left())
    mean_first = _mean_first(work, first_stage, average)
    first, lower = _decided(work, first_stage, scenarios, weights, mean_first)
    first = np.clip(first, program.col_lower[first_stage], program.col_upper[first_stage])
    met = meet(work, recourse, first, scenarios, weights)
    kpis: dict[str, tuple[str, float]] = {}
    if mean_first is not None:
        # Both sides without binaries: those that negative prices brought in would count against the scenarios only.
        eev = expected_cost(recourse, mean_first, scenarios, weights)
        money = work.desk.case.currency
        kpis["cost_of_mean_positions"] = (money, eev)
        kpis["value_of_stochastic_solution"] = (money, eev - float((weights * met.relaxed).sum()))
    objective = float((weights * met.costs).sum())
    gap = max(0.0, objective - lower) / max(1.0, abs(objective))
    return Found(met.x, met.row_dual, objective, lower, 0.0 if gap <= CLOSE else gap, work.status, kpis)


def _mean_first(work: Work, first_stage: Indices, average: Floats) -> Floats | None:
    """First stage of the mean forecast: what planning without scenarios would have positioned."""
    if not work.options.value_of_stochastic_solution:
        return None
    solution = solve(work.desk.program.bind(average), work.left())
    return None if solution.x is None else solution.x[first_stage]


def _decided(work: Work, first_stage: Indices, scenarios: Floats, weights: Floats, mean_first: Floats | None) -> tuple[Floats, float]:
    program = work.desk.program
    bound, index = extensive_form(program, first_stage=first_stage, scenarios=scenarios, weights=weights)
    options = replace(work.left(), method="ipm", crossover=False)
    if program.integer.any():
        options = work.left()
    whole: Solution = solve(bound, options)
    if whole.x is not None and whole.status is Status.optimal:
        return index.slice(whole.x, 0)[first_stage], whole.bound if program.integer.any() else whole.objective
    if whole.x is not None:
        work.warn("time_limit", "schedule", "the solver met its time limit: its best schedule so far is used")
        return index.slice(whole.x, 0)[first_stage], -np.inf
    if whole.status in (Status.time_limit, Status.failed) and mean_first is not None:
        why = "met its time limit" if whole.status is Status.time_limit else "ended without a solution"
        work.warn("time_limit", "schedule", f"the scenario program {why}: the positions of the mean forecast are used")
        return mean_first, -np.inf
    raise no_schedule(work, whole, scenarios[0])
