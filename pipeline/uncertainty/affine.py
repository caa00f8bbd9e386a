"""Affine adjustable robust decisions: the counterpart solved, and read as a policy."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np

from pipeline.program.linear_program import BoundProgram, Floats, Indices, LinearProgram
from pipeline.program.solve import Solution, SolveOptions, Status, solve
from pipeline.uncertainty.affine_counterpart import Counterpart, counterpart
from pipeline.uncertainty.affine_policy import AffinePolicy
from pipeline.uncertainty.affine_roles import Information
from pipeline.uncertainty.deviations import Deviations
from pipeline.uncertainty.monolith import NoDecision, no_decision, proven_lower
from pipeline.uncertainty.two_stage import Decision, Way

_SIMPLEX_COLUMNS = 100_000  # of the counterpart; beyond, interior point is faster


@dataclass(frozen=True)
class AffineDecision:
    """The decision's objective is alpha: no deviation of the set costs more under the policy."""

    decision: Decision
    policy: AffinePolicy


def affine(program: LinearProgram, deviations: Deviations, *, first_stage: Indices, information: Information | None = None,
           limits: Floats | None = None, options: SolveOptions | None = None) -> AffineDecision:
    """Cheapest affine policy whose rows hold for every deviation of the set. See `counterpart` for `limits`.

    Raises InputError for uncertain prices and integer recourse, NoDecision where no rule meets every deviation or time ran out.
    """
    started = time.perf_counter()
    first_stage = np.unique(np.asarray(first_stage, dtype=np.int64))
    whole = counterpart(program, deviations, first_stage=first_stage, information=information or Information(), limits=limits)
    solution, way = solve_counterpart(whole.bound, options or SolveOptions())
    if solution.x is None:
        raise no_policy(solution)
    policy = policy_of(whole, solution.x)
    decision = Decision(policy.nominal[first_stage], solution.objective, proven_lower(solution), solution.status, way,
                        seconds=time.perf_counter() - started)
    return AffineDecision(decision, policy)


def solve_counterpart(bound: BoundProgram, options: SolveOptions) -> tuple[Solution, Way]:
    """By structure: branch and bound with integers, simplex while it is small, else interior point without crossover."""
    if bound.program.integer.any():
        return solve(bound, options), "mixed_integer"
    if options.method == "auto" and bound.cost.size > _SIMPLEX_COLUMNS:
        return solve(bound, replace(options, method="ipm", crossover=False)), "interior_point"
    return solve(bound, options), "simplex" if options.method in ("auto", "simplex") else "interior_point"


def no_policy(solution: Solution) -> NoDecision:
    """The error for a counterpart that gave no point."""
    if solution.status is not Status.infeasible:
        return no_decision(solution)
    return NoDecision("no affine rule meets every deviation inside the budget; lower settings.method.budget_share or half_widths, raise "
                      "memory_steps, or decide less ahead (settings.first_stage)", solution.status)


def policy_of(whole: Counterpart, x: Floats) -> AffinePolicy:
    """The policy at a solution of the counterpart."""
    deviations = whole.deviations
    return AffinePolicy(x[: whole.found.by_control.shape[0]].copy(), whole.rules(x), deviations.names, deviations.slot)
