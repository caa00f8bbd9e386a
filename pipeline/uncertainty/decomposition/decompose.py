"""A big two-stage program under a measure, by price decomposition: first stage, proven bounds, and every row checked."""

from __future__ import annotations

import time

import numpy as np

from pipeline.program.linear_program import Floats, dot
from pipeline.program.solve import SolveOptions, Status
from pipeline.uncertainty.decomposition.check import check_solution
from pipeline.uncertainty.decomposition.detect import detect
from pipeline.uncertainty.decomposition.family import family_of
from pipeline.uncertainty.decomposition.integers import first_stage_integers
from pipeline.uncertainty.decomposition.loop import Loop, Stuck
from pipeline.uncertainty.decomposition.one_scenario import TrialFailed
from pipeline.uncertainty.decomposition.pattern import settle_prices
from pipeline.uncertainty.decomposition.pricing import BlockFailed
from pipeline.uncertainty.decomposition.trial import reduce_family
from pipeline.uncertainty.measure import Measure
from pipeline.uncertainty.monolith import checked, clean_first
from pipeline.uncertainty.two_stage import Decision, TwoStage, concluded

VIOLATION = 1e-6  # share of a row's or column's size that the last check lets pass
ROUNDS = 200


class NotDecomposable(Exception):
    """Why a program was not decided by decomposition, in words."""


def decompose(two_stage: TwoStage, measure: Measure, options: SolveOptions | None = None, *, gap_share: float = 1e-3) -> Decision:
    """First stage, costs and law under a measure, with proven bounds of every round.

    `status` is `optimal` at a proven gap of `gap_share`, else `time_limit`; where time was left `ended` and `words` say what ended
    the search. Raises NotDecomposable where the arrays do not fall into blocks, a block or the last check fails, or no mixture without
    slack was found; integers must be first-stage.
    """
    started = time.perf_counter()
    two_stage = checked(two_stage)
    options = options or SolveOptions()
    deadline = started + options.time_limit_s
    try:
        return _decided(two_stage, measure, gap_share, deadline, started)
    except (TrialFailed, BlockFailed) as failed:
        raise NotDecomposable(str(failed)) from None
    except Stuck as stuck:
        raise NotDecomposable(f"the program has no solution as it seems: {stuck}") from None


def _decided(two_stage: TwoStage, measure: Measure, gap: float, deadline: float, started: float) -> Decision:
    whole = two_stage.program.integer
    if whole.sum() > whole[two_stage.first_stage].sum():
        raise NotDecomposable("integers are decided after the scenario is known")
    reduced = reduce_family(family_of(two_stage), two_stage.weights)
    reduced = reduced.under(measure.law(reduced.costs(), two_stage.weights))
    structure = detect(reduced.family)
    if structure is None or not structure.parts:
        raise NotDecomposable("the arrays do not fall into blocks")
    loop = Loop(reduced, structure, measure.epigraph(two_stage.weights))
    settle_prices(loop, gap=gap, deadline=deadline)
    loop.rounds(loop.blocks, gap=gap, deadline=deadline, most=ROUNDS, pool=True)
    if whole.any():
        loop = first_stage_integers(loop, gap=gap, deadline=deadline)
    bounds = loop.bounds
    if bounds.best is None:
        raise NotDecomposable("no mixture without slack was found in time")
    x = loop.reduced.recover(loop.values(bounds.best))
    found = check_solution(two_stage, x)
    if not found.violation <= VIOLATION:
        raise NotDecomposable(f"the last check found {found.where} beyond its bounds by a share of {found.violation:.2g}")
    return _decision(two_stage, measure, x, found.costs, loop, gap, deadline, started)


def _decision(two_stage: TwoStage, measure: Measure, x: Floats, costs: Floats, loop: Loop, gap: float, deadline: float,
              started: float) -> Decision:
    law = measure.law(costs, two_stage.weights)
    objective, lower = dot(law, costs), loop.bounds.lower
    now, tried = time.perf_counter(), loop.bounds.tried
    how = f"after {len(loop.bounds.iterations)} rounds of prices"
    if tried:
        how = f"after {tried} choice{'s' if tried > 1 else ''} of whole numbers"
    found = Decision(
        first=clean_first(two_stage.program, two_stage.first_stage, x[0, two_stage.first_stage]),
        objective=objective, lower=min(lower, objective), status=Status.time_limit,
        way="decomposition", costs=costs, law=np.asarray(law), iterations=tuple(loop.bounds.iterations), seconds=now - started,
    )
    return concluded(found, gap_share=gap, left_s=deadline - now, how=how)
