"""Integers of the first stage: each block says at the best prices what it would fix; the bound is proven with integers in the blocks.

The relaxation's prices make every block that holds integers a small mixed-integer program. Its proven bound replaces the block's
relaxed value in the lower bound (it is never below it); its integers are fixed and the rest is decomposed again.
"""

from __future__ import annotations

import time
from dataclasses import replace

import highspy
import numpy as np

from pipeline.program.highs import check, set_option
from pipeline.program.linear_program import Floats
from pipeline.uncertainty.decomposition.loop import Loop
from pipeline.uncertainty.decomposition.prices import Prices
from pipeline.uncertainty.decomposition.pricing import Block, BlockFailed, price

SHARE_OF_TIME = 0.5  # of what is left, for the blocks' branch and bound
ROUNDS = 60


def first_stage_integers(loop: Loop, *, gap: float, deadline: float) -> Loop:
    """The loop of the program with its integers fixed; its lower bounds are those of the program itself."""
    assert loop.centre is not None
    lower, fixed = _bounded(loop, loop.centre, gap=gap, deadline=deadline)
    proven = max(loop.bounds.lower, lower)
    family = loop.family
    low, high = family.col_lower.copy(), family.col_upper.copy()
    low[:, family.integer] = high[:, family.integer] = fixed[family.integer]
    reduced = replace(loop.reduced, family=replace(family, col_lower=low, col_upper=high))
    again = Loop(reduced, loop.structure, loop.epigraph, loop.centre if not loop.centre.pool.size else _without_pool(loop.centre))
    again.bases = loop.bases
    again.bounds.proven = proven
    again.master.add([a for a in loop.master.answers if not loop.blocks[a.block].integers.size], again.blocks)
    again.rounds(again.blocks, gap=gap, deadline=deadline, most=ROUNDS, pool=True)
    again.bounds.iterations = loop.bounds.iterations + again.bounds.iterations
    return again


def _without_pool(prices: Prices) -> Prices:
    return replace(prices, pool=np.zeros(0))


def _bounded(loop: Loop, prices: Prices, *, gap: float, deadline: float) -> tuple[float, Floats]:
    """Lower bound with integers inside the blocks, and (n,) values that the blocks would fix."""
    costs, fixed = loop.costs(prices), np.zeros(loop.family.matrix.shape[1])
    whole = [block for block in loop.blocks if block.integers.size]
    total = loop.fixed_value(prices)
    values, _ = price([block for block in loop.blocks if not block.integers.size], costs, loop.bases)
    total += float(values.sum())
    for place, block in enumerate(whole):
        left = max(deadline - time.perf_counter(), 0.0) * SHARE_OF_TIME / (len(whole) - place)
        value, x = _branch(block, costs, gap=gap, time_limit_s=left, scale=abs(loop.bounds.lower) / len(whole))
        total += value
        fixed[block.part.columns] = block.spread(x)[0]
    return total, np.round(fixed)


def _branch(block: Block, costs: Floats, *, gap: float, time_limit_s: float, scale: float) -> tuple[float, Floats]:
    """A block's mixed-integer program at these prices: proven bound and best columns."""
    block.solve(costs)
    solver = block.live
    columns = block.integers.astype(np.int32)
    set_option(solver, "solver", "choose")
    set_option(solver, "mip_rel_gap", 0.0)
    set_option(solver, "mip_abs_gap", 0.2 * gap * scale)
    set_option(solver, "time_limit", solver.getRunTime() + time_limit_s)
    check(solver.changeColsIntegrality(columns.size, columns, np.ones(columns.size, dtype=np.uint8)), "changeColsIntegrality")
    check(solver.run(), "run")
    found = solver.getInfo()
    if found.primal_solution_status != highspy.SolutionStatus.kSolutionStatusFeasible.value:
        raise BlockFailed("a block found no whole numbers in time")
    bound, x = float(found.mip_dual_bound), np.array(solver.getSolution().col_value)
    check(solver.changeColsIntegrality(columns.size, columns, np.zeros(columns.size, dtype=np.uint8)), "changeColsIntegrality")
    return bound, x
