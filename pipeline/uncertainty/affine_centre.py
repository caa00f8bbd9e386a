"""Of the affine policies that promise as little, the one that is cheapest at the centre of the set.

A promise is the cost at the worst deviation: where that is dear, a policy may do anything that costs no more where nothing deviates,
such as curtailing a quarter of the wind. Iancu and Trichakis, Pareto Efficiency in Robust Optimization, Management Science 60(1), 2014.
"""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import scipy.sparse as sp

from pipeline.program.linear_program import BoundProgram, Floats, LinearProgram, dot
from pipeline.program.solve import SolveOptions
from pipeline.uncertainty.affine import AffineDecision, policy_of, solve_continuous
from pipeline.uncertainty.two_stage import together

GIVEN = 1e-8  # share of the promise (and money) that is given for it: integers that were rounded leave no room at all
TOLERANCE = 1e-6  # of the same that a solver may give away
NOT_FOUND = "of the policies that promise as little, the one that costs least at the forecast was not found in time"
APART = "its parts were not asked for the policy that costs least at the forecast among those that promise as little"


def cheapest_at_centre(found: AffineDecision, options: SolveOptions) -> AffineDecision:
    """The policy that costs least at the centre while it promises no more, with the integers of `found`.

    As it is where it costs as little there; with words where no such policy is found in time, or where parts were solved apart.
    """
    if found.optimum is None:
        return replace(found, decision=replace(found.decision, words=together(found.decision.words, APART)))
    started, (whole, x) = time.perf_counter(), (found.optimum.whole, found.optimum.x)
    if not whole.bound.cost[whole.cost.size:].any():
        return found  # nothing that deviates is paid for: the promise is the cost at the centre
    solution, _ = solve_continuous(_at_the_centre(whole.bound, whole.cost, x), options)
    if solution.x is None or not _promises(whole.bound, x, solution.x):
        return replace(found, decision=replace(found.decision, words=together(found.decision.words, NOT_FOUND)))
    if dot(whole.cost, (x - solution.x)[: whole.cost.size]) <= _room(whole.bound, x):
        return found
    policy = policy_of(whole, solution.x)
    promise = dot(whole.bound.cost, solution.x) + whole.bound.offset
    decision = replace(found.decision, first=policy.nominal[found.optimum.first_stage], objective=promise,
                       lower=min(found.decision.lower, promise), seconds=found.decision.seconds + time.perf_counter() - started)
    return AffineDecision(decision, policy, replace(found.optimum, x=solution.x))


def _at_the_centre(bound: BoundProgram, cost: Floats, x: Floats) -> BoundProgram:
    """The counterpart with its integers as in x (N,), its promise there as a row, and cost (n,) of the centre as objective."""
    program, promise = bound.program, dot(bound.cost, x)
    promise += GIVEN * (1 + abs(promise + bound.offset))
    columns = np.flatnonzero(program.integer)
    held = replace(program.held(columns, np.round(x[columns])), integer=np.zeros_like(program.integer))
    nominal = np.concatenate([cost, np.zeros(bound.cost.size - cost.size)])
    wider = replace(_promising(held, bound.cost, promise), cost=nominal)
    return BoundProgram(wider, np.zeros(0), nominal, bound.offset, np.append(bound.row_lower, -np.inf), np.append(bound.row_upper, promise))


def _promising(program: LinearProgram, cost: Floats, promise: float) -> LinearProgram:
    """With the row cost'x <= promise."""
    matrix = sp.csr_array(sp.vstack([program.matrix, sp.csr_array(cost[None, :])], format="csr"))
    return replace(
        program, matrix=matrix, matrix_by_input=sp.csr_array((matrix.shape[0], 0)), row_lower=np.append(program.row_lower, -np.inf),
        row_upper=np.append(program.row_upper, promise), row_names=(*program.row_names, "promise"))


def _promises(bound: BoundProgram, before: Floats, after: Floats) -> bool:
    """As little as before, but for a solver's tolerance."""
    return dot(bound.cost, after) <= dot(bound.cost, before) + _room(bound, before)


def _room(bound: BoundProgram, x: Floats) -> float:
    return TOLERANCE * (1 + abs(dot(bound.cost, x) + bound.offset))
