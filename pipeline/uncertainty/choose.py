"""How a two-stage program is decided: from its size and its structure, never from the user."""

from __future__ import annotations

import time
from dataclasses import replace

from pipeline.program.solve import SolveOptions
from pipeline.uncertainty.decomposition.decompose import NotDecomposable, decompose
from pipeline.uncertainty.measure import Measure
from pipeline.uncertainty.monolith import solve_monolith
from pipeline.uncertainty.two_stage import Decision, TwoStage, together

BIG = 250_000  # columns of the program over all scenarios from which decomposition wins whatever the structure is worth
BIG_INTEGERS = 60_000  # the same with integers in the first stage


def decide(two_stage: TwoStage, measure: Measure, options: SolveOptions | None = None, *, gap_share: float = 1e-3) -> Decision:
    """First stage, costs and law under a measure.

    Small: dual simplex, or branch and bound with integers. Big: decomposition to a proven gap of `gap_share`;
    where that fails, the whole program in one piece in the time that is left, and `words` of the decision say so.
    Raises InputError, NoDecision.
    """
    if not is_big(two_stage):
        return solve_monolith(two_stage, measure, options)
    options, started = options or SolveOptions(), time.perf_counter()
    try:
        return decompose(two_stage, measure, options, gap_share=gap_share)
    except NotDecomposable as failed:
        words = f"decided in one piece, because decomposition failed: {failed}"
    found = solve_monolith(two_stage, measure, options.since(started))
    return replace(found, words=together(words, found.words))


def is_big(two_stage: TwoStage) -> bool:
    """Whether decomposition is tried: several scenarios, a first stage, no integers after it, many columns."""
    program, first, count = two_stage.program, two_stage.first_stage, len(two_stage.scenarios)
    integers = int(program.integer.sum())
    if count < 2 or not first.size or integers > int(program.integer[first].sum()):
        return False
    columns = first.size + count * (program.matrix.shape[1] - first.size)
    return columns >= (BIG_INTEGERS if integers else BIG)
