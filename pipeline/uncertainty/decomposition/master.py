"""The master: coupling rows, the master's own columns, the measure, and a mixture of the answers of each block.

Rows: coupling and own rows scenario by scenario, [costs of the scenarios, the measure's rows], a mixture row per block, pool rows.
All rows but those of measure and mixture are elastic at a penalty. Own columns that prices park at a bound stay out until called.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import highspy
import numpy as np
import scipy.sparse as sp

from pipeline.program.highs import check, keep_parallel_columns, new_solver, set_option
from pipeline.program.linear_program import Floats, Indices
from pipeline.uncertainty.decomposition.family import Mask
from pipeline.uncertainty.decomposition.own import Own
from pipeline.uncertainty.decomposition.prices import Mixed, PoolRows, Prices, right_sign, worth
from pipeline.uncertainty.decomposition.pricing import Answer, Block, BlockFailed
from pipeline.uncertainty.measure import Epigraph

IDLE_ROUNDS = 6


class Master:
    """One live solver, warm from its last basis. `copies`: block number -> how many blocks it stands for."""

    def __init__(self, own: Own, epigraph: Epigraph, offset: Floats, copies: dict[int, float], *, penalty: float) -> None:
        self.own, self.epigraph, self.offset, self.copies, self.penalty = own, epigraph, offset, copies, penalty
        self.fixed_law = epigraph.aux_cost.size == 0
        self.inside = np.zeros(own.lower.size, dtype=bool)
        self.parked = np.zeros(own.lower.size)
        self._place = np.full(own.lower.size, -1, dtype=np.int64)
        self.answers: list[Answer] = []
        self._answer_place: list[int] = []
        self._unused = np.zeros(0, dtype=np.int64)
        self.pool: PoolRows | None = None
        self._pool_own = sp.csr_array((0, own.lower.size))
        self._slack_place = np.zeros(0, dtype=np.int64)
        self._columns = 0
        self.live: Any = new_solver(seed=0, threads=1)
        set_option(self.live, "solver", "simplex")
        keep_parallel_columns(self.live)
        self._cost_row = self._measure_row = own.row_lower.size
        self._add_rows(own.row_lower, own.row_upper)
        if not self.fixed_law:
            self._measure_row += offset.size
            k = epigraph.rows.shape[0]
            self._add_rows(offset, np.full(offset.size, np.inf))
            self._add_rows(np.zeros(k), np.full(k, np.inf))
        self._mixture_row = self.live.getNumRow()
        number = np.array(list(copies.values()))
        self._row_of = {block: self._mixture_row + place for place, block in enumerate(copies)}
        self._add_rows(number, number)
        self._pool_row = self.live.getNumRow()
        self._add_slacks(np.arange(own.row_lower.size), own.row_lower, own.row_upper)
        if not self.fixed_law:
            self._add_measure()

    def _add_rows(self, lower: Floats, upper: Floats, matrix: sp.csr_array | None = None) -> None:
        matrix = sp.csr_array((lower.size, max(self._columns, 1))) if matrix is None else matrix
        status = self.live.addRows(lower.size, lower, upper, matrix.nnz, matrix.indptr[:-1].astype(np.int32),
                                   matrix.indices.astype(np.int32), matrix.data)
        check(status, "addRows")

    def _add_columns(self, cost: Floats, lower: Floats, upper: Floats, matrix: sp.csc_array) -> Indices:
        count = cost.size
        status = self.live.addCols(count, cost, lower, upper, matrix.nnz, matrix.indptr[:-1].astype(np.int32),
                                   matrix.indices.astype(np.int32), matrix.data)
        check(status, "addCols")
        self._columns += count
        return np.arange(self._columns - count, self._columns)

    def _add_slacks(self, rows: Indices, lower: Floats, upper: Floats) -> None:
        for sign, bound in ((1.0, lower), (-1.0, upper)):
            some = rows[np.isfinite(bound)]
            matrix = sp.csc_array((np.full(some.size, sign), some, np.arange(some.size + 1)), shape=(self.live.getNumRow(), some.size))
            places = self._add_columns(np.full(some.size, self.penalty), np.zeros(some.size), np.full(some.size, np.inf), matrix)
            self._slack_place = np.concatenate([self._slack_place, places])

    def _add_measure(self) -> None:
        epigraph, count, rows = self.epigraph, self.offset.size, self.live.getNumRow()
        k = epigraph.rows.shape[0]
        below = rows - self._measure_row - k
        over = sp.csr_array((self._cost_row, count))
        theta = sp.vstack([over, sp.eye_array(count, format="csr"), epigraph.rows, sp.csr_array((below, count))])
        unbounded = np.full(count, np.inf)
        self._add_columns(epigraph.cost, -unbounded, unbounded, sp.csc_array(theta.tocsc()))
        a = epigraph.aux_cost.size
        aux = sp.vstack([sp.csr_array((self._measure_row, a)), epigraph.aux_rows, sp.csr_array((below, a))])
        self._add_columns(epigraph.aux_cost, epigraph.aux_lower, np.full(a, np.inf), sp.csc_array(aux.tocsc()))

    def raise_penalty(self, factor: float) -> None:
        self.penalty *= factor
        places = self._slack_place.astype(np.int32)
        check(self.live.changeColsCost(places.size, places, np.full(places.size, self.penalty)), "changeColsCost")

    # --- own columns ----------------------------------------------------------------------------------------------------

    def park(self, reduced: Floats, margin: Floats) -> None:
        """Own columns start at the bound that prices prefer; first-stage ones, and those near zero reduced cost, come in."""
        own = self.own
        wanted = np.where(reduced >= 0, own.lower, own.upper)
        other = np.where(reduced >= 0, own.upper, own.lower)
        bounded = np.isfinite(wanted)
        self.parked = np.where(bounded, wanted, np.where(np.isfinite(other), other, 0.0))
        linked = np.diff(own.matrix.indptr) > 0
        self.call(own.shared | (linked & ((np.abs(reduced) <= margin) | ~bounded)) | (~bounded & (np.abs(reduced) > 0)))

    def call(self, wanted: Mask) -> int:
        """Take own columns into the solver; returns how many are new."""
        new = np.flatnonzero(wanted & ~self.inside)
        if new.size:
            own = self.own
            pieces = [own.matrix[:, new]]
            cost = self.epigraph.cost @ own.cost[:, new] if self.fixed_law else np.zeros(new.size)
            if not self.fixed_law:
                pieces.append(-own.cost[:, new])
            used = sum(piece.shape[0] for piece in pieces)
            pieces.append(sp.csc_array((self._pool_row - used, new.size)))
            pieces.append(self._pool_own.tocsc()[:, new])
            matrix = sp.csc_array(sp.vstack(pieces, format="csc"))
            self._place[new] = self._add_columns(np.asarray(cost), own.lower[new], own.upper[new], matrix)
            self.inside[new] = True
        self._shift_rows()
        return int(new.size)

    def _shift_rows(self) -> None:
        """Row bounds less what parked columns bring."""
        own, out = self.own, np.where(self.inside, 0.0, self.parked)
        self._bound_rows(0, own.row_lower - (shift := own.matrix @ out), own.row_upper - shift)
        self.parked_cost = own.cost @ out
        if not self.fixed_law:
            self._bound_rows(self._cost_row, self.offset + self.parked_cost, np.full(self.offset.size, np.inf))
        if self.pool is not None:
            brought = self._pool_own @ out
            self._bound_rows(self._pool_row, self.pool.lower - brought, self.pool.upper - brought)

    def _bound_rows(self, first: int, lower: Floats, upper: Floats) -> None:
        rows = np.arange(first, first + lower.size, dtype=np.int32)
        check(self.live.changeRowsBounds(rows.size, rows, lower, upper), "changeRowsBounds")

    # --- answers and pool rows ------------------------------------------------------------------------------------------

    def add(self, answers: Sequence[Answer], blocks: Sequence[Block]) -> None:
        """A column for each answer."""
        if not answers:
            return
        costs = np.array([answer.cost for answer in answers])
        rows: list[Indices] = []
        place: list[Indices] = []
        data: list[Floats] = []
        for number, answer in enumerate(answers):
            pool = self._in_pool(answer, blocks[answer.block], 0)
            hit = np.flatnonzero(pool)
            own_rows = [answer.link_rows, np.array([self._row_of[answer.block]]), self._pool_row + hit]
            values = [answer.link_values, np.ones(1), pool[hit]]
            if not self.fixed_law:
                priced = np.flatnonzero(answer.cost)
                own_rows.append(self._cost_row + priced)
                values.append(-answer.cost[priced])
            rows.append(np.concatenate(own_rows))
            data.append(np.concatenate(values))
            place.append(np.full(rows[-1].size, number))
        shape = (self.live.getNumRow(), len(answers))
        matrix = sp.csc_array(sp.coo_array((np.concatenate(data), (np.concatenate(rows), np.concatenate(place))), shape=shape))
        cost = costs @ self.epigraph.cost if self.fixed_law else np.zeros(len(answers))
        places = self._add_columns(cost, np.zeros(len(answers)), np.full(len(answers), np.inf), matrix)
        self.answers += answers
        self._answer_place += places.tolist()
        self._unused = np.concatenate([self._unused, np.zeros(len(answers), dtype=np.int64)])

    def retire(self, shares: Floats) -> None:
        """Answers that the mixture has not used for some rounds take no part any more: presolve then drops their columns."""
        self._unused = np.where(shares > 0, 0, self._unused + 1)
        places = np.array(self._answer_place, dtype=np.int32)[self._unused == IDLE_ROUNDS]
        if places.size:
            zeros = np.zeros(places.size)
            check(self.live.changeColsBounds(places.size, places, zeros, zeros), "changeColsBounds")

    def _in_pool(self, answer: Answer, block: Block, start: int) -> Floats:
        if self.pool is None or start >= self.pool.count:
            return np.zeros(0)
        return block.activity(answer.x, self.pool.matrix[start:], self.pool.scenario[start:])

    def add_pool(self, rows: PoolRows, blocks: Sequence[Block]) -> None:
        """Pool rows with their slacks."""
        own = self.own.widened(rows.matrix, rows.scenario)
        start = 0 if self.pool is None else self.pool.count
        self.pool = rows if self.pool is None else self.pool.joined(rows)
        self._pool_own = sp.csr_array(sp.vstack([self._pool_own, own], format="csr"))
        inside = np.flatnonzero(self.inside)
        part = sp.coo_array(sp.csr_array(own.tocsc()[:, inside].tocsr()))
        row, column, data = [part.coords[0].astype(np.int64)], [self._place[inside[part.coords[1]]]], [part.data]
        for answer, place in zip(self.answers, self._answer_place, strict=True):
            values = self._in_pool(answer, blocks[answer.block], start)
            hit = np.flatnonzero(values)
            row.append(hit)
            column.append(np.full(hit.size, place))
            data.append(values[hit])
        entries = (np.concatenate(data), (np.concatenate(row), np.concatenate(column)))
        brought = own @ np.where(self.inside, 0.0, self.parked)
        self._add_rows(rows.lower - brought, rows.upper - brought, sp.csr_array(entries, shape=(rows.count, self._columns)))
        self._add_slacks(self._pool_row + start + np.arange(rows.count), rows.lower, rows.upper)

    # --- solution -------------------------------------------------------------------------------------------------------

    def solve(self) -> Mixed:
        """Raises BlockFailed where the master has no optimum."""
        check(self.live.run(), "run")
        status = self.live.getModelStatus()
        if status != highspy.HighsModelStatus.kOptimal:
            raise BlockFailed(f"the master ended as {self.live.modelStatusToString(status)}")
        found = self.live.getSolution()
        x, dual = np.array(found.col_value), np.array(found.row_dual)
        law = self.epigraph.cost.copy() if self.fixed_law else dual[self._cost_row : self._measure_row]
        measure = np.zeros(0) if self.fixed_law else dual[self._measure_row : self._mixture_row]
        own = self.parked.copy()
        own[self.inside] = x[self._place[self.inside]]
        objective = float(self.live.getInfo().objective_function_value)
        if self.fixed_law:
            objective += float(self.epigraph.cost @ (self.offset + self.parked_cost))
        prices = Prices(dual[: self._cost_row], dual[self._pool_row :], law, measure)
        shares = x[self._answer_place] if self._answer_place else np.zeros(0)
        return Mixed(objective, prices, dual[self._mixture_row : self._pool_row], float(x[self._slack_place].max(initial=0.0)), own, shares)

    def reduced(self, prices: Prices) -> Floats:
        """Reduced costs of the own columns, (F,)."""
        own = self.own
        found = prices.law @ own.cost - own.matrix.T @ prices.rows
        if self.pool is not None and prices.pool.size:
            found -= self._pool_own[: prices.pool.size].T @ prices.pool
        return np.asarray(found)

    def rows_value(self, prices: Prices) -> float:
        """What the bounds of rows and of the measure's columns are worth at these prices, whose signs are `signed`."""
        total = worth(prices.rows, self.own.row_lower, self.own.row_upper) + float(prices.law @ self.offset)
        if self.pool is not None and prices.pool.size:
            total += worth(prices.pool, self.pool.lower[: prices.pool.size], self.pool.upper[: prices.pool.size])
        if self.fixed_law:
            return total
        epigraph = self.epigraph
        reduced = np.maximum(epigraph.aux_cost - epigraph.aux_rows.T @ prices.measure, 0.0)
        bounded = np.isfinite(epigraph.aux_lower)
        return total + float((epigraph.aux_lower[bounded] * reduced[bounded]).sum())

    def signed(self, prices: Prices) -> Prices:
        """Prices whose sign a missing bound forbids, put to zero: a lower bound holds for what is left."""
        rows, pool = right_sign(prices.rows, self.own.row_lower, self.own.row_upper), prices.pool
        if self.pool is not None and pool.size:
            pool = right_sign(pool, self.pool.lower[: pool.size], self.pool.upper[: pool.size])
        return replace(prices, rows=rows, pool=pool)
