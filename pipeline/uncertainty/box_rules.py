"""What affine rules promise of a first stage: a proven limit of its worst cost over a budgeted set, whatever the prices of rows are.

The search for the worst corner is exact within bounds on prices, and those of many rows are bounded by no cost. Rules need none: they
are a recourse whose rows hold for every deviation, so that their worst cost lies above the worst cost of the best recourse.
"""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from pipeline.program.linear_program import Floats, Indices, LinearProgram
from pipeline.program.solve import SolveOptions
from pipeline.uncertainty.affine import affine
from pipeline.uncertainty.affine_roles import Information
from pipeline.uncertainty.deviations import Deviations
from pipeline.uncertainty.monolith import NoDecision
from pipeline.uncertainty.two_stage import relative_gap

ENOUGH = 1e-3  # share: below this gap rules that see every deviation, minutes of work on a robust day, are not asked
WIDER = 6.0  # times as long do rules take that see every deviation: they are not begun where the time ends before them


def promised_cost(program: LinearProgram, first_stage: Indices, first: Floats, deviations: Deviations, *, worst: float, gap_share: float,
                  sees: Indices | None, options: SolveOptions) -> float:
    """Least worst cost that rules of the same interval promise after first-stage values (f,); infinite where none was found.

    worst: a cost that some deviation has; rules that see more are asked only while the limit lies more than gap_share, and more
    than ENOUGH, above it.
    sees: (n,) the entity whose deviations a column follows first, -1 all; None: all of them at once.
    """
    started, best = time.perf_counter(), np.inf
    still = program.held(first_stage, first)
    held = replace(still, integer=np.zeros_like(still.integer))  # what is left of them stands still
    apart = deviations.one_sided()  # a price that differs between buying and selling is no straight line of a deviation
    for entity in ([None] if sees is None else [sees, None]):
        spent_s = time.perf_counter() - started
        left = options.since(started)
        if left.time_limit_s <= WIDER * spent_s or relative_gap(worst, best) <= max(gap_share, ENOUGH):
            break
        best = min(best, _promise(held, first_stage, apart, Information(0, entity), left))
    return best


def _promise(held: LinearProgram, first_stage: Indices, deviations: Deviations, sight: Information, options: SolveOptions) -> float:
    try:
        found = affine(held, deviations, first_stage=first_stage, information=sight, options=options)
    except NoDecision:  # no rule meets every deviation, or not in time: nothing is promised
        return float("inf")
    return found.decision.objective
