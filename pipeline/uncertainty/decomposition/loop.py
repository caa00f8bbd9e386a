"""Prices to the blocks, answers to the master, until the bounds meet."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pipeline.program.linear_program import Floats
from pipeline.uncertainty.decomposition.detect import Structure
from pipeline.uncertainty.decomposition.family import Family
from pipeline.uncertainty.decomposition.master import Master, Mixed, PoolRows, Prices, signed
from pipeline.uncertainty.decomposition.own import own_of
from pipeline.uncertainty.decomposition.pricing import Answer, Block, price
from pipeline.uncertainty.decomposition.trial import VIOLATED, Reduced
from pipeline.uncertainty.measure import Epigraph
from pipeline.uncertainty.two_stage import Iteration, relative_gap

CENTRE_SHARE = 0.7  # of the best prices so far, in the next ones
SLACK = 1e-7
_POOL_ROWS = 200  # a round
_STAND_INS = 5  # blocks of one shape that stand for all of it
_PATTERN_GAP = 5e-4
_PATTERN_ROUNDS = 60
_QUEUE = 3
DEBUG=0
_MARGIN_SHARE = 0.5  # of a typical price: reduced costs beyond it park a column at the start
_CALL = 1e-9
_PENALTY = 10.0  # times the largest price of the trial


@dataclass
class Bounds:
    """What is proven so far."""

    lower: float = -np.inf
    upper: float = np.inf
    best: Mixed | None = None
    iterations: list[Iteration] = field(default_factory=list)

    @property
    def gap(self) -> float:
        return relative_gap(self.lower, self.upper)


class Loop:
    """One decomposition under way."""

    def __init__(self, reduced: Reduced, structure: Structure, epigraph: Epigraph, weights: Floats) -> None:
        self.reduced, self.family, self.structure = reduced, reduced.family, structure
        self.epigraph, self.weights = epigraph, weights
        self.own = own_of(self.family, structure)
        per = self.own.rows.size
        link = self.family.matrix[structure.link]
        self.blocks = [Block(self.family, part, link, number, per=per) for number, part in enumerate(structure.parts)]
        self.bases: dict[tuple[int, int, int], Any] = {}
        self.bounds, self.centre = Bounds(), None
        self._asked: list[Prices] = []
        self._queue: list[Prices] = []
        self.copies = {block.number: 1.0 for block in self.blocks}
        start = weights[:, None] * reduced.prices[self.own.rows]
        self.prices = Prices(start.ravel(), np.zeros(0), weights, np.zeros(epigraph.rows.shape[0]))
        self.prices = self._start()
        self.master = self._new_master(self.copies)

    def _new_master(self, copies: dict[int, float]) -> Master:
        scale = np.abs(self.prices.rows).max(initial=0.0)
        master = Master(self.own, self.epigraph, self.family.offset, copies, penalty=_PENALTY * max(scale, 1e-6))
        typical = np.abs(self.prices.rows[self.prices.rows != 0])
        master.park(master.reduced(self.prices), _MARGIN_SHARE * float(np.median(typical)) if typical.size else np.inf)
        return master

    def _start(self) -> Prices:
        """Prices by scenario: the blocks do what the trial did, everything else answers."""
        master, family = self._new_master({0: 1.0}), self.family
        columns = np.concatenate([part.columns for part in self.structure.parts if part.scenario <= 0])
        x = self.reduced.trial[columns]
        link = family.matrix[self.own.rows].tocsc()[:, columns] @ x
        rows = np.arange(self.own.row_lower.size)
        cost = family.cost[:, columns] @ x
        master.add([Answer(0, x, rows, np.tile(link, family.scenarios), cost)], self.blocks)
        return signed(self._settled(master).prices, master)

    def price_all(self, prices: Prices, blocks: Sequence[Block]) -> float:
        """Every block at these prices: new columns, and the lower bound that they prove."""
        values, answers = price(blocks, self._costs(prices), self.bases)
        self.master.add(answers, self.blocks)
        least = self.own.least(self.master.reduced(prices))
        return self.master.rows_value(prices) + least + sum(v * self.copies[b.number] for v, b in zip(values, blocks, strict=True))

    def _costs(self, prices: Prices) -> Floats:
        """(S, n) what a unit of each column costs at these prices."""
        family = self.family
        y = prices.rows.reshape(family.scenarios, -1)
        found = prices.law[:, None] * family.cost - (family.matrix[self.own.rows].T @ y.T).T
        pool = self.master.pool
        if pool is not None and prices.pool.size:
            count = prices.pool.size
            for s in range(family.scenarios):
                here = np.flatnonzero(pool.scenario[:count] == s)
                if here.size:
                    found[s] -= pool.matrix[here].T @ prices.pool[here]
        return found

    def _settled(self, master: Master) -> Mixed:
        """The master's solution once no parked column wants in."""
        while True:
            mixed = master.solve()
            reduced = master.reduced(mixed.prices)
            up, down = master.parked < self.own.upper, master.parked > self.own.lower
            if not master.call(((reduced < -_CALL) & up) | ((reduced > _CALL) & down)):
                return mixed

    def mix(self, pool: bool) -> Mixed:
        """The master, with violated pool rows added until none is left."""
        while True:
            mixed = self._settled(self.master)
            rows = self._violated(mixed) if pool else None
            if rows is None:
                return mixed
            self.master.add_pool(rows, self.blocks)

    def values(self, mixed: Mixed) -> Floats:
        """(S, n) columns of the reduced family."""
        x = np.zeros_like(self.family.cost)
        x[:, self.structure.own_columns] = self.own.spread(mixed.own)
        for answer, share in zip(self.master.answers, mixed.shares, strict=True):
            if share > 0:
                self.blocks[answer.block].add_to(x, answer.x, share)
        return x

    def _violated(self, mixed: Mixed) -> PoolRows | None:
        lazy = self.reduced.lazy
        if not lazy.columns.size or not np.isfinite(lazy.lower).any() and not np.isfinite(lazy.upper).any():
            return None
        z = lazy.values(self.values(mixed))
        with np.errstate(invalid="ignore"):
            size = 1 + np.minimum(np.abs(lazy.lower), np.abs(lazy.upper))
            beyond = np.maximum(lazy.lower - z, z - lazy.upper) / size
        scenario, column = np.nonzero(beyond > VIOLATED)
        if not scenario.size:
            return None
        depth = beyond[scenario, column]
        order = np.lexsort((-depth, lazy.part[column], scenario))
        key = scenario[order] * (int(lazy.part.max()) + 1) + lazy.part[column[order]]
        first = order[np.concatenate([[True], key[1:] != key[:-1]])]
        first = first[np.argsort(-depth[first], kind="stable")][:_POOL_ROWS]
        return self._pool_rows(scenario[first], column[first])

    def _pool_rows(self, scenario: np.ndarray, column: np.ndarray) -> PoolRows:
        lazy = self.reduced.lazy
        which, place = np.unique(column, return_inverse=True)
        matrix, back = lazy.rows_of(which)
        offset = np.einsum("kz,kz->k", back[place], lazy.rhs[scenario])
        matrix = matrix[place]
        scale = 1 / np.maximum(abs(matrix).max(axis=1).toarray().ravel(), 1e-12)
        matrix = matrix.multiply(scale[:, None]).tocsr()
        return PoolRows(scenario, matrix, (lazy.lower[scenario, column] - offset) * scale, (lazy.upper[scenario, column] - offset) * scale)

    def pattern(self) -> None:
        """Few blocks of each shape stand for all of it until prices settle: cheap rounds before the dear ones."""
        groups: dict[tuple[int, int, int], list[Block]] = {}
        for block in self.blocks:
            groups.setdefault(block.shape if block.joint else (block.number, 0, 0), []).append(block)
        chosen: list[Block] = []
        copies: dict[int, float] = {}
        for group in groups.values():
            some = [group[k] for k in np.unique(np.linspace(0, len(group) - 1, _STAND_INS).round().astype(int))]
            copies |= {block.number: len(group) / len(some) for block in some}
            chosen += some
        if len(chosen) == len(self.blocks):
            return
        whole, self.copies, self.bounds = (self.master, self.copies), copies, Bounds()
        self.master = self._new_master(copies)
        self._rounds(chosen, gap=_PATTERN_GAP, deadline=np.inf, rounds=_PATTERN_ROUNDS, pool=False)
        answers = self.master.answers
        self._queue_prices(len(chosen))
        (self.master, self.copies), self.bounds = whole, Bounds()
        self.master.add(answers, self.blocks)

    def _queue_prices(self, each: int) -> None:
        """Of the pattern's prices, those whose answers its mixture uses most: every block is asked at them first."""
        shares = self.bounds.best.shares if self.bounds.best is not None else np.zeros(0)
        used = np.bincount(np.arange(shares.size) // each, weights=shares, minlength=len(self._asked))
        if DEBUG: print(used.round(1))
        order = np.argsort(-used, kind="stable")
        assert self.centre is not None
        self._queue = [self._asked[k] for k in order[:_QUEUE] if used[k] > 0 and self._asked[k] is not self.centre]

    def run(self, *, gap: float, time_limit_s: float, rounds: int = 200) -> Bounds:
        """Bounds whose gap is met, or what was proven within the limits."""
        self.pattern()
        deadline = time.perf_counter() + time_limit_s
        self._rounds(self.blocks, gap=gap, deadline=deadline, rounds=rounds, pool=True)
        return self.bounds

    def _rounds(self, blocks: Sequence[Block], *, gap: float, deadline: float, rounds: int, pool: bool) -> None:
        started, bounds = time.perf_counter(), self.bounds
        prices = self.prices if self.centre is None else self.centre
        self.centre = None
        self._asked = []
        for number in range(1, rounds + 1):
            self._asked.append(prices)
            lower = self.price_all(prices, blocks)
            if lower > bounds.lower or self.centre is None:
                bounds.lower, self.centre = max(lower, bounds.lower), prices
            mixed = self.mix(pool)
            if mixed.slack <= SLACK and mixed.objective < bounds.upper:
                bounds.upper, bounds.best = mixed.objective, mixed
            bounds.iterations.append(Iteration(number, bounds.lower, bounds.upper, time.perf_counter() - started, mixed.prices.law.copy()))
            if bounds.gap <= gap or time.perf_counter() > deadline:
                return
            if mixed.slack > SLACK and number % 3 == 0:
                self.master.raise_penalty(10.0)
            prices = self._queue.pop(0) if self._queue else signed(self.centre.mixed(mixed.prices, CENTRE_SHARE), self.master)
            if DEBUG: print(round(time.process_time(),1),number,lower,bounds.lower,mixed.objective,mixed.slack)
