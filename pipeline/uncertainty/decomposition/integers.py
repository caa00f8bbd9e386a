"""Integers of the first stage: each block says at the best prices what it would fix; the bound is proven with integers in the blocks.

The relaxation's prices make every block that holds integers a small mixed-integer program. Its proven bound replaces the block's
relaxed value in the lower bound (it is never below it); its integers are fixed and the rest is decomposed again, at several prices
where the first leave a gap.
"""

from __future__ import annotations

import time
from dataclasses import replace

import highspy
import numpy as np

from pipeline.program.highs import check, set_option
from pipeline.program.linear_program import Floats
from pipeline.uncertainty.decomposition.loop import Loop, Stuck
from pipeline.uncertainty.decomposition.prices import Prices
from pipeline.uncertainty.decomposition.pricing import Block, BlockFailed, price
from pipeline.uncertainty.two_stage import relative_gap

SHARE_OF_TIME = 0.5  # of what is left, for the blocks' branch and bound
ROUNDS = 60
TRIES, HALF = 2, 0.5  # each at given prices and half-way from the relaxation's to those that came of it


def first_stage_integers(loop: Loop, *, gap: float, deadline: float) -> Loop:
    """The loop of the program with its integers fixed; its lower bounds are those of the program itself.

    What blocks fix at the relaxation's prices may leave a shortage that no price had announced. They are asked again half-way to the
    prices of the program so fixed, which know it, and at those, until the gap is met or nothing new is said; the cheapest is kept.
    """
    assert loop.centre is not None
    search = _Search(loop, gap=gap, deadline=deadline)
    prices = relaxed = _without_pool(loop.centre)
    for _ in range(TRIES):
        fixed = search.ask(prices)
        if fixed is None:
            break
        search.ask(relaxed.mixed(fixed, HALF))
        prices = fixed
    return search.result()


class _Search:
    """Integers fixed at several prices. `proven`: the best lower bound so far, `best`: the cheapest program with integers fixed."""

    def __init__(self, loop: Loop, *, gap: float, deadline: float) -> None:
        self.loop, self.gap, self.deadline = loop, gap, deadline
        self.proven, self.iterations = loop.bounds.lower, list(loop.bounds.iterations)
        self.best: Loop | None = None
        self._tried: set[bytes] = set()

    def ask(self, prices: Prices) -> Prices | None:
        """Fix what the blocks say at these prices; the prices of the program so fixed. None at the end, or where nothing new is said.

        Raises Stuck, BlockFailed where nothing was found before.
        """
        if self._ends():
            return None
        try:
            lower, fixed = _bounded(self.loop, prices, gap=self.gap, deadline=self.deadline)
            self.proven = max(self.proven, lower)
            said = fixed[self.loop.family.integer].tobytes()  # columns beside them are decided again whatever the blocks say
            if said in self._tried:
                return None
            self._tried.add(said)
            again = self._decomposed(fixed, prices)
        except (Stuck, BlockFailed):
            if self.best is None:
                raise
            return None
        if self.best is None or again.bounds.upper < self.best.bounds.upper:
            self.best = again
        assert again.centre is not None
        return _without_pool(again.centre)

    def _ends(self) -> bool:
        met = self.best is not None and relative_gap(self.proven, self.best.bounds.upper) <= self.gap
        return met or (self.best is not None and time.perf_counter() > self.deadline)

    def _decomposed(self, fixed: Floats, prices: Prices) -> Loop:
        """The program with its integers fixed, (n,) columns of the family."""
        loop, family = self.loop, self.loop.family
        low, high = family.col_lower.copy(), family.col_upper.copy()
        low[:, family.integer] = high[:, family.integer] = fixed[family.integer]
        reduced = replace(loop.reduced, family=replace(family, col_lower=low, col_upper=high))
        again = Loop(reduced, loop.structure, loop.epigraph, prices)
        again.bases = loop.bases
        again.bounds.proven = self.proven
        again.master.add([a for a in loop.master.answers if not loop.blocks[a.block].integers.size], again.blocks)
        again.rounds(again.blocks, gap=self.gap, deadline=self.deadline, most=ROUNDS, pool=True)
        self.iterations += again.bounds.iterations
        return again

    def result(self) -> Loop:
        """The cheapest, with the best lower bound and the bounds of all rounds."""
        assert self.best is not None
        self.best.bounds.lower, self.best.bounds.tried = self.proven, len(self._tried)
        self.best.bounds.iterations = [replace(one, iteration=number) for number, one in enumerate(self.iterations, start=1)]
        return self.best


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
