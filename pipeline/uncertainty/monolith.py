"""A two-stage program under a measure, solved in one piece."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from pipeline.core.errors import NoSchedule
from pipeline.program.linear_program import BoundProgram, Floats, Indices, LinearProgram, dot
from pipeline.program.solve import Solution, SolveOptions, Status, solve
from pipeline.uncertainty.around import program_around, scenario_costs
from pipeline.uncertainty.measure import Measure
from pipeline.uncertainty.refusals import check_scenarios, check_weights
from pipeline.uncertainty.two_stage import Decision, TwoStage, Way

# Dual simplex over interior point without crossover, CPU seconds on the networked cases: 1.2 and 4.0 at 51 000 columns, 5.8 and 12.6 at
# 120 000, 8.3 and 20.5 at 206 000; 33 and 32 (and no clean end) at 299 000. Bigger programs are decomposed first (`choose`).
SIMPLEX_COLUMNS = 250_000


class NoDecision(NoSchedule):
    """No first stage was found: `status` says why (infeasible, unbounded, time_limit, failed)."""

    def __init__(self, message: str, status: Status) -> None:
        self.status = status
        super().__init__(message)


def solve_monolith(two_stage: TwoStage, measure: Measure, options: SolveOptions | None = None) -> Decision:
    """First stage, costs and law under a measure, from one program over all scenarios.

    Without integers: dual simplex, and interior point without crossover where the program is too big for it (`options.method` `auto`).
    With integers: branch and bound, whose proven bound is `lower`. `costs` are those of the recourse in the solution: the best one
    where the law has weight, a feasible one elsewhere. Raises InputError for bad weights or scenarios, NoDecision where nothing
    feasible was found.
    """
    started = time.perf_counter()
    two_stage = checked(two_stage)
    options = options or SolveOptions()
    costs = scenario_costs(two_stage)
    bound, index = program_around(two_stage, measure.epigraph(two_stage.weights), costs=costs)
    solution, way = solve_scenario_program(bound, options)
    if solution.x is None:
        raise no_decision(solution)
    found = np.array([costs.whole(s, index.slice(solution.x, s)) for s in range(len(two_stage.scenarios))])
    law = measure.law(found, two_stage.weights)
    return Decision(
        first=clean_first(two_stage.program, two_stage.first_stage, solution.x[: two_stage.first_stage.size]),
        objective=dot(law, found), lower=proven_lower(solution), status=solution.status, way=way,
        costs=found, law=law, seconds=time.perf_counter() - started, words=solution.words,
    )


def checked(two_stage: TwoStage) -> TwoStage:
    """Scenarios and weights as finite arrays of the right shape. Raises InputError."""
    scenarios = check_scenarios(two_stage.program, two_stage.scenarios)
    return replace(two_stage, scenarios=scenarios, weights=check_weights(two_stage.weights, len(scenarios)))


def solve_scenario_program(bound: BoundProgram, options: SolveOptions) -> tuple[Solution, Way]:
    """By structure and size: branch and bound, dual simplex, interior point without crossover beyond SIMPLEX_COLUMNS."""
    if bound.program.integer.any():
        return solve(bound, options), "mixed_integer"
    if options.method == "auto" and bound.cost.size > SIMPLEX_COLUMNS:
        options = replace(options, method="ipm", crossover=False)
    return solve(bound, options), "simplex" if options.method in ("auto", "simplex") else "interior_point"


def proven_lower(solution: Solution) -> float:
    """Lower bound: branch and bound's, or the optimum of a linear program; -inf where time ran out in one.

    Interior point's may take something for granted, which `solution.words` then says: they belong beside the bound.
    """
    return float(solution.bound)


def clean_first(program: LinearProgram, columns: Indices, first: Floats) -> Floats:
    """Values (f,) of first-stage columns inside their bounds, integers whole."""
    first = np.where(program.integer[columns], np.round(first), first)
    return np.clip(first, program.col_lower[columns], program.col_upper[columns])


def no_decision(solution: Solution) -> NoDecision:
    """The error for a program that gave no point."""
    why = {Status.infeasible: "no first stage has a recourse in every scenario", Status.unbounded: "the cost has no lower limit",
           Status.time_limit: "nothing feasible was found within the time limit; raise settings.solver_time_limit_s"}
    return NoDecision(why.get(solution.status, f"the solver ended as {solution.status.value}"), solution.status)
