"""Blocks as live solvers: at prices of the coupling rows, each says what it would do and what that costs at least."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import highspy
import numpy as np
import scipy.sparse as sp

from pipeline.program.highs import check, keep_parallel_columns, new_solver, pass_arrays, set_option
from pipeline.program.linear_program import Floats, Indices
from pipeline.uncertainty.decomposition.detect import Part
from pipeline.uncertainty.decomposition.family import Family
from pipeline.uncertainty.extensive import repeated

MANY, BIG_ROWS = 30, 4000
# How far the dual simplex method perturbs costs against cycling, as a share of what HiGHS does: what is disturbed has to be mended, and a
# tenth of it takes a seventh fewer iterations where every solve starts near its end.
PERTURBATION, LITTLE = "dual_simplex_cost_perturbation_multiplier", 0.1


class BlockFailed(Exception):
    """A block has no optimum: carries the solver's word. The caller falls back to the whole program."""


@dataclass(frozen=True)
class Answer:
    """One block's reply: its columns, the coupling rows' activity and the cost of each scenario."""

    block: int
    x: Floats  # flat columns of the block
    link_rows: Indices  # flat (scenario x link) rows
    link_values: Floats
    cost: Floats  # (S,)


class Block:
    """Columns: first-stage ones once, then the others scenario by scenario."""

    def __init__(self, family: Family, part: Part, link: sp.csr_array, number: int, *, per: int) -> None:
        self.number, self.part = number, part
        cols = part.columns
        joint = part.scenario < 0
        self._scenarios = np.arange(family.scenarios) if joint else np.array([part.scenario])
        self._shared = np.flatnonzero(family.shared[cols])
        self._own = np.flatnonzero(~family.shared[cols])
        self._family, self._per = family, per  # rows of the master per scenario
        part_of_link = sp.csr_array(link[:, cols])
        self._rows = np.flatnonzero(np.diff(part_of_link.indptr))
        self._link = sp.csr_array(part_of_link[self._rows])
        self._costed = np.flatnonzero((family.cost[:, cols] != 0).any(axis=0))
        self._costs = family.cost[np.ix_(self._scenarios, cols[self._costed])]
        whole = self.flat(np.tile(family.integer, (family.scenarios, 1)).astype(float))
        self.integers = np.flatnonzero(whole)  # places of integer columns among the flat ones
        self.live: Any = None
        self._last: Floats | None = None
        self._basis: Any = None  # of a solver that was given up

    @property
    def joint(self) -> bool:
        """Scenarios meet in it, through first-stage columns."""
        return self.part.scenario < 0

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.part.rows.size, self.part.columns.size, self._scenarios.size

    def flat(self, values: Floats, *, total: bool = False) -> Floats:
        """(S, n) -> flat columns of the block; `total` sums first-stage columns over scenarios."""
        here = values[np.ix_(self._scenarios, self.part.columns)]
        shared = here[:, self._shared]
        return np.concatenate([shared.sum(axis=0) if total else shared[0], here[:, self._own].ravel()])

    def spread(self, x: Floats) -> Floats:
        """Flat columns -> (S', columns), S' scenarios of the block."""
        found = np.empty((self._scenarios.size, self.part.columns.size))
        found[:, self._shared] = x[: self._shared.size]
        found[:, self._own] = x[self._shared.size :].reshape(self._scenarios.size, -1)
        return found

    def add_to(self, whole: Floats, x: Floats, share: float) -> None:
        """whole[s, columns] += share x."""
        whole[np.ix_(self._scenarios, self.part.columns)] += share * self.spread(x)

    def activity(self, x: Floats, rows: sp.csr_array, scenario: Indices) -> Floats:
        """What flat columns x bring to rows (k, n) of one scenario each."""
        part = sp.csr_array(rows.tocsc()[:, self.part.columns].tocsr())
        row = np.repeat(np.arange(part.shape[0]), np.diff(part.indptr))
        spread = self.spread(x)
        if self.part.scenario >= 0:
            here = scenario[row] == self.part.scenario
            weight = np.where(here, spread[0, part.indices], 0.0)
        else:
            weight = spread[scenario[row], part.indices]
        return np.asarray(np.bincount(row, weights=part.data * weight, minlength=part.shape[0]), dtype=float)

    def solve(self, prices: Floats, basis: Any = None) -> tuple[float, Answer]:
        """Least value of `prices` (S, n) over the block, and what attains it. Raises BlockFailed."""
        cost = self.flat(prices, total=True)
        if self.live is None:
            self._open(cost, self._basis or basis)
        elif self._last is not None:
            moved = np.flatnonzero(cost != self._last).astype(np.int32)
            if moved.size:
                check(self.live.changeColsCost(moved.size, moved, cost[moved]), "changeColsCost")
        self._last = cost
        check(self.live.run(), "run")
        status = self.live.getModelStatus()
        if status != highspy.HighsModelStatus.kOptimal:  # a warm basis may lead astray: once more from nothing
            check(self.live.clearSolver(), "clearSolver")
            check(self.live.run(), "run")
            status = self.live.getModelStatus()
        if status != highspy.HighsModelStatus.kOptimal:
            raise BlockFailed(f"a block of {self.shape[0]} rows ended as {self.live.modelStatusToString(status)}")
        return float(self.live.getInfo().objective_function_value), self.answer(np.array(self.live.getSolution().col_value))

    def _open(self, cost: Floats, basis: Any) -> None:
        family, part = self._family, self.part
        inner = sp.csr_array(family.matrix[part.rows][:, part.columns])
        matrix = repeated(inner, self._shared, self._own, self._scenarios.size)
        self.live = new_solver(seed=0, threads=1)
        set_option(self.live, "solver", "simplex")
        keep_parallel_columns(self.live)
        set_option(self.live, PERTURBATION, LITTLE)
        rows = np.ix_(self._scenarios, part.rows)
        pass_arrays(self.live, matrix, cost, (self.flat(family.col_lower), self.flat(family.col_upper)),
                    (family.row_lower[rows].ravel(), family.row_upper[rows].ravel()))
        if basis is not None:
            check(self.live.setBasis(basis), "setBasis")

    def rest(self) -> None:
        """Give the solver's memory back; the next solve starts from its basis."""
        self._basis, self.live = self.live.getBasis(), None

    def answer(self, x: Floats) -> Answer:
        """What flat columns x bring."""
        spread = self.spread(x)
        link = spread @ self._link.T
        rows = (self._scenarios[:, None] * self._per + self._rows).ravel()
        cost = np.zeros(self._family.scenarios)
        cost[self._scenarios] = (spread[:, self._costed] * self._costs).sum(axis=1)
        values = link.ravel()
        hit = values != 0
        return Answer(self.number, x, rows[hit], values[hit], cost)


def price(blocks: Sequence[Block], prices: Floats, bases: dict[tuple[int, int, int], Any]) -> tuple[Floats, list[Answer]]:
    """Every block at these prices; a block that is new starts from the basis of one of its shape.

    Where many big blocks are asked, each gives its solver up when it has answered: together they would fill the memory.
    """
    many = len(blocks) > MANY
    values, answers = np.empty(len(blocks)), []
    for place, block in enumerate(blocks):
        fresh = block.live is None
        values[place], answer = block.solve(prices, bases.get(block.shape) if fresh else None)
        if fresh and block.shape not in bases:
            bases[block.shape] = block.live.getBasis()
        answers.append(answer)
        if many and block.shape[0] * block.shape[2] > BIG_ROWS:
            block.rest()
    return values, answers

