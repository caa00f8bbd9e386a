"""Prices to the blocks, answers to the master, until the bounds meet."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from pipeline.program.linear_program import Floats, Indices
from pipeline.uncertainty.decomposition.detect import Structure
from pipeline.uncertainty.decomposition.master import Master
from pipeline.uncertainty.decomposition.met import met_answers
from pipeline.uncertainty.decomposition.own import own_of
from pipeline.uncertainty.decomposition.prices import Mixed, PoolRows, Prices
from pipeline.uncertainty.decomposition.pricing import Answer, Block, price
from pipeline.uncertainty.decomposition.trial import VIOLATED, Reduced
from pipeline.uncertainty.measure import Epigraph, weighted
from pipeline.uncertainty.two_stage import Iteration, relative_gap

CENTRE_SHARE = 0.7  # of the best prices so far, in the next ones
MET_SHARE = 0.6  # the same where the master is feasible from the start
WARY_SHARE = 0.95  # the same while slack sets the master's prices
SLACK = 1e-7  # elastic violation below which a row holds
POOL_ROWS = 200  # added at once
CALL = 1e-9  # reduced cost that calls a parked column
WORTH = 1e-5  # share of the objective that called columns must promise to be waited for
UNBOUNDED = 1e9
MARGIN_SHARE = 0.3  # of a typical price: reduced costs beyond it park a column at the start
LEAST_LAW = 0.1  # of an even law: scenarios that weigh less are parked as if they weighed it
PENALTY = 10.0  # times the largest price of the start, or a hundredth of the dearest column
RAISE_AFTER = 3  # rounds with slack before the penalty grows tenfold
PATIENT_ROUNDS = 5  # without a first mixture slack sets the master's prices for a while
STILL_ROUNDS = 6  # in which the lower bound of the stand-ins must grow by STILL_SHARE
STILL_SHARE = 2e-4
RAISES = 6  # then the slack stays, whatever it costs


class Stuck(Exception):
    """Slack stays at any penalty: no first stage has a recourse in every scenario."""


@dataclass
class Bounds:
    """What is proven so far, and the mixture that attains `upper`."""

    lower: float = -np.inf
    upper: float = np.inf
    proven: float = -np.inf  # a lower bound known beforehand, of a program that this one only narrows; its own bounds then say nothing
    best: Mixed | None = None
    iterations: list[Iteration] = field(default_factory=list)
    tried: int = 0  # whole numbers that were fixed, one after the other

    @property
    def gap(self) -> float:
        return relative_gap(self.lower, self.upper)


class Loop:
    """One decomposition under way. `prices`: where it starts; None: from the trial, with everything else answering it."""

    def __init__(self, reduced: Reduced, structure: Structure, epigraph: Epigraph, prices: Prices | None = None) -> None:
        self.reduced, self.family, self.structure, self.epigraph = reduced, reduced.family, structure, epigraph
        self.own = own_of(self.family, structure)
        link, per = self.family.matrix[structure.link], self.own.rows.size
        self.blocks = [Block(self.family, part, link, number, per=per) for number, part in enumerate(structure.parts)]
        self.pooled = np.zeros(reduced.lazy.lower.shape, dtype=bool)  # lazy columns whose limits are rows of the master
        self.bases: dict[tuple[int, int, int], Any] = {}
        self.bounds, self.centre = Bounds(), prices
        self.asked: list[Prices] = []
        self.queue: list[Prices] = []  # prices to ask every block at before those that the master says
        self.copies = {block.number: 1.0 for block in self.blocks}
        first = reduced.law[:, None] * reduced.prices[self.own.rows]
        self.start = prices or Prices(first.ravel(), np.zeros(0), reduced.law, np.zeros(epigraph.rows.shape[0]))
        if prices is None:
            self.start = self._answered_trial()
        self.master = self.new_master(self.copies)
        self.met = met_answers(reduced, self.blocks) if prices is None else []
        self.master.add(self.met, self.blocks)

    def new_master(self, copies: dict[int, float], epigraph: Epigraph | None = None, *, shift: Floats | None = None) -> Master:
        """Its own columns parked by the prices of the trial. `epigraph`: another than the loop's. `shift`: what rows hold already."""
        trial, law = self.reduced.prices[self.own.rows], np.maximum(self.start.law, LEAST_LAW / self.start.law.size)
        dearest = float((self.start.law[:, None] * np.abs(self.family.cost)).max(initial=1e-6))
        penalty = PENALTY * max(float(np.abs(self.start.rows).max(initial=0.0)), 1e-2 * dearest)
        own = self.own if shift is None else replace(self.own, row_lower=self.own.row_lower - shift, row_upper=self.own.row_upper - shift)
        master = Master(own, epigraph or self.epigraph, self.family.offset, copies, penalty=penalty)
        typical = np.abs(trial[trial != 0])
        margin = MARGIN_SHARE * float(np.median(typical)) if typical.size else np.inf
        flat = Prices((law[:, None] * trial).ravel(), np.zeros(0), law, self.start.measure)
        master.park(master.reduced(flat), self.own.flat(np.tile(margin * law[:, None], (1, self.own.columns.size))))
        return master

    def _answered_trial(self) -> Prices:
        """Prices by scenario under the trial's law, one of the measure's: the blocks do what the trial did, the rest answers."""
        master, family = self.new_master({0: 1.0}, weighted(self.start.law)), self.family
        columns = np.concatenate([part.columns for part in self.structure.parts if part.scenario <= 0])
        x = self.reduced.trial[columns]
        link = np.tile(family.matrix[self.own.rows].tocsc()[:, columns] @ x, family.scenarios)
        master.add([Answer(0, x, np.arange(link.size), link, family.cost[:, columns] @ x)], self.blocks)
        return replace(master.signed(self._settled(master).prices), measure=self.start.measure)

    # --- one round ------------------------------------------------------------------------------------------------------

    def price_all(self, prices: Prices, blocks: Sequence[Block]) -> float:
        """Every block at these prices: new columns, and the lower bound that they prove."""
        values, answers = price(blocks, self.costs(prices), self.bases)
        self.master.add(answers, self.blocks)
        return self.fixed_value(prices) + float(values @ [self.copies[block.number] for block in blocks])

    def fixed_value(self, prices: Prices) -> float:
        """The lower bound at these prices, less what the blocks bring."""
        return self.master.rows_value(prices) + self.own.least(self.master.reduced(prices))

    def costs(self, prices: Prices) -> Floats:
        """(S, n) what a unit of each column costs at these prices."""
        family, pool = self.family, self.master.pool
        y = prices.rows.reshape(family.scenarios, -1)
        found = prices.law[:, None] * family.cost - (family.matrix[self.own.rows].T @ y.T).T
        if pool is not None and prices.pool.size:
            for s in range(family.scenarios):
                here = np.flatnonzero(pool.scenario[: prices.pool.size] == s)
                if here.size:
                    found[s] -= pool.matrix[here].T @ prices.pool[here]
        return np.asarray(found)

    def _settled(self, master: Master, *, patient: bool = False) -> Mixed:
        """The master's solution once no parked column wants in; `patient`: as long as slack sets the prices, none is heard."""
        while True:
            mixed = master.solve()
            if patient and mixed.slack > SLACK:
                return mixed
            reduced = master.reduced(mixed.prices)
            wrong = ((reduced < -CALL) & (master.parked < self.own.upper)) | ((reduced > CALL) & (master.parked > self.own.lower))
            wrong &= ~master.inside
            width = np.minimum(self.own.upper[wrong] - self.own.lower[wrong], UNBOUNDED)
            worth = float((np.abs(reduced[wrong]) * width).sum())
            master.call(wrong)
            if worth <= WORTH * abs(mixed.objective):  # they come in with the next answers
                return mixed

    def mix(self, *, pool: bool, patient: bool) -> Mixed:
        """The master, with violated pool rows added until none is left."""
        while True:
            mixed = self._settled(self.master, patient=patient)
            rows = self._violated(mixed) if pool else None
            if rows is None:
                return mixed
            self.master.add_pool(rows, self.blocks)

    def rounds(self, blocks: Sequence[Block], *, gap: float, deadline: float, most: int, pool: bool, still: bool = False) -> None:
        """Until the gap, the deadline (perf_counter), the number of rounds, or (`still`) bounds stand still. Raises Stuck, BlockFailed."""
        started, bounds = time.perf_counter(), self.bounds
        prices = self.start if self.centre is None else self.centre
        self.centre, self.asked, slack_rounds, best = None, [], 0, -np.inf
        for number in range(1, most + 1):
            self.asked.append(prices)
            lower = self.price_all(prices, blocks)
            if lower > best or self.centre is None:
                best, self.centre = max(lower, best), prices
                bounds.lower = bounds.proven if np.isfinite(bounds.proven) else best
            mixed = self.mix(pool=pool, patient=not self.met and (bool(self.queue) or number <= PATIENT_ROUNDS))
            self.master.retire(mixed.shares)
            clean = mixed.slack <= SLACK
            if clean and mixed.objective < bounds.upper:
                bounds.upper, bounds.best = mixed.objective, mixed
            seconds = time.perf_counter() - started
            bounds.iterations.append(Iteration(number, bounds.lower, bounds.upper, seconds, mixed.prices.law.copy()))
            solved = relative_gap(best, bounds.upper) <= gap / 4  # nothing is left to gain here, whatever was proven beforehand
            if bounds.gap <= gap or solved or time.perf_counter() > deadline or (still and self._stands_still()):
                return
            slack_rounds = 0 if clean or self.queue else slack_rounds + 1
            if slack_rounds and slack_rounds % RAISE_AFTER == 0:
                if slack_rounds > RAISE_AFTER * RAISES:
                    raise Stuck(f"{mixed.slack:.3g} of slack stays in a row at a price of {self.master.penalty:.3g}")
                self.master.raise_penalty(10.0)
            share = (MET_SHARE if self.met else CENTRE_SHARE) if clean else WARY_SHARE
            prices = self.queue.pop(0) if self.queue else self.master.signed(self.centre.mixed(mixed.prices, share))

    def _stands_still(self) -> bool:
        found = [iteration.lower for iteration in self.bounds.iterations]
        return len(found) > STILL_ROUNDS and found[-1] - found[-1 - STILL_ROUNDS] <= STILL_SHARE * abs(found[-1])

    # --- values and pool rows -------------------------------------------------------------------------------------------

    def values(self, mixed: Mixed) -> Floats:
        """(S, n) columns of the reduced family."""
        x = np.zeros_like(self.family.cost)
        x[:, self.structure.own_columns] = self.own.spread(mixed.own)
        for answer, share in zip(self.master.answers, mixed.shares, strict=False):  # answers that came later have none
            if share > 0:
                self.blocks[answer.block].add_to(x, answer.x, share)
        return x

    def _violated(self, mixed: Mixed) -> PoolRows | None:
        """Of every scenario and connected piece of lazy columns, the one furthest beyond its bounds; None where all hold or are in."""
        lazy = self.reduced.lazy
        if not (np.isfinite(lazy.lower).any() or np.isfinite(lazy.upper).any()):
            return None
        z = lazy.values(self.values(mixed))
        size = 1 + np.minimum(np.abs(lazy.lower), np.abs(lazy.upper))
        beyond = np.maximum(lazy.lower - z, z - lazy.upper) / np.where(np.isfinite(size), size, 1.0)
        scenario, column = np.nonzero((beyond > VIOLATED) & ~self.pooled)
        if not scenario.size:
            return None
        depth = beyond[scenario, column]
        order = np.lexsort((-depth, lazy.part[column], scenario))
        key = scenario[order] * (int(lazy.part.max()) + 1) + lazy.part[column[order]]
        first = order[np.concatenate([[True], key[1:] != key[:-1]])]
        first = first[np.argsort(-depth[first], kind="stable")][:POOL_ROWS]
        return self._pool_rows(scenario[first], column[first])

    def _pool_rows(self, scenario: Indices, column: Indices) -> PoolRows:
        lazy = self.reduced.lazy
        self.pooled[scenario, column] = True
        which, place = np.unique(column, return_inverse=True)
        matrix, back = lazy.rows_of(which)
        offset = (back[place] * lazy.rhs[scenario]).sum(axis=1)
        matrix = matrix[place]
        scale = 1 / np.maximum(abs(matrix).max(axis=1).toarray().ravel(), 1e-12)
        scaled = matrix.multiply(scale[:, None]).tocsr()
        return PoolRows(scenario, scaled, (lazy.lower[scenario, column] - offset) * scale, (lazy.upper[scenario, column] - offset) * scale)
