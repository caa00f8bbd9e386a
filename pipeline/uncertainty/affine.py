"""Affine adjustable robust decisions: the counterpart solved, and read as a policy."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from pipeline.program.linear_program import BoundProgram, Floats, Indices, LinearProgram
from pipeline.program.solve import Solution, SolveOptions, Status, solve
from pipeline.uncertainty.affine_counterpart import Counterpart, counterpart
from pipeline.uncertainty.affine_policy import AffinePolicy
from pipeline.uncertainty.affine_roles import Information
from pipeline.uncertainty.deviations import Deviations
from pipeline.uncertainty.two_stage import Decision, Way


@dataclass(frozen=True)
class Affine:
    """decision and policy are None where the rules cannot meet every deviation, or time ran out: `bound` is what to explain.

    The decision's objective is alpha: no deviation of the set costs more under the policy.
    """

    status: Status
    decision: Decision | None
    policy: AffinePolicy | None
    bound: BoundProgram


def affine(program: LinearProgram, deviations: Deviations, *, first_stage: Indices, information: Information | None = None,
           limits: Floats | None = None, options: SolveOptions | None = None) -> Affine:
    """Cheapest affine policy whose rows hold for every deviation of the set. See `counterpart` for `limits`.

    Raises InputError for uncertain prices and integer recourse.
    """
    started = time.perf_counter()
    first_stage = np.unique(np.asarray(first_stage, dtype=np.int64))
    whole = counterpart(program, deviations, first_stage=first_stage, information=information or Information(), limits=limits)
    solution = solve(whole.bound, options or SolveOptions())
    if solution.x is None:
        return Affine(solution.status, None, None, whole.bound)
    policy = policy_of(whole, solution.x)
    way: Way = "mixed_integer" if program.integer.any() else "simplex"
    decision = Decision(policy.nominal[first_stage], solution.objective, _proven(solution), solution.status, way,
                        seconds=time.perf_counter() - started)
    return Affine(solution.status, decision, policy, whole.bound)


def policy_of(whole: Counterpart, x: Floats) -> AffinePolicy:
    """The policy at a solution of the counterpart."""
    deviations = whole.deviations
    return AffinePolicy(x[: whole.found.by_control.shape[0]].copy(), whole.rules(x), deviations.names, deviations.slot)


def _proven(solution: Solution) -> float:
    return min(solution.bound, solution.objective)
