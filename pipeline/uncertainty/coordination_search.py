"""Cutting planes over tie schedules, by levels.

Every answer of a part is a cut. The master over all cuts is a lower bound; minimising it jumps from corner to corner, so the next
proposal is the schedule nearest to the best one (in the largest move of any tie: a box as small as it can be) whose modelled cost
reaches a level between the bounds. Kelley, 1960; Lemarechal, Nemirovskii, Nesterov, 1995.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace

import numpy as np
import scipy.sparse as sp

from pipeline.program.growing import GrowingSolver, Point
from pipeline.program.linear_program import BoundProgram, Floats, Indices, dot
from pipeline.program.solve import SolveOptions, Status
from pipeline.uncertainty.affine_counterpart import Counterpart
from pipeline.uncertainty.coordination_parts import Part
from pipeline.uncertainty.coordination_sides import Side, relaxation
from pipeline.uncertainty.monolith import NoDecision
from pipeline.uncertainty.two_stage import Iteration, relative_gap


@dataclass(frozen=True)
class CutOptions:
    """gap_share: where to stop. level_share: how far up from the lower to the upper bound a proposal's modelled cost may lie."""

    gap_share: float = 1e-3
    iterations_max: int = 150
    level_share: float = 0.8


@dataclass
class Search:
    """Bounds and cuts of one run. `best`: the best schedule (T,) so far."""

    master: Part
    whole: Counterpart
    sides: list[Side]
    limits: tuple[Floats, Floats]  # of the ties (T,)
    cuts: CutOptions
    options: SolveOptions
    started: float
    lower: float = -np.inf
    upper: float = np.inf
    best: Floats = field(default_factory=lambda: np.zeros(0))
    iterations: list[Iteration] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.tie_places = np.searchsorted(self.master.columns, self.master.ties).astype(np.int64)
        self.theta = self.whole.bound.cost.size + np.arange(len(self.sides))

    @property
    def gap(self) -> float:
        return relative_gap(self.lower, self.upper)

    @property
    def done(self) -> bool:
        spent = time.perf_counter() - self.started
        return self.gap <= self.cuts.gap_share or len(self.iterations) >= self.cuts.iterations_max or spent > self.options.time_limit_s

    def begin(self, start: Floats | None) -> None:
        """Least costs of the parts bound theta; the first proposal is `start`, or what suits the parts best."""
        low, high = self.limits
        floors, wished = np.zeros(len(self.sides)), np.clip(np.zeros(low.size), low, high)
        for i, side in enumerate(self.sides):
            floors[i], wished[side.places] = side.floor(low, high)
        bound = _with_thetas(self.whole.bound, floors)
        self.live = GrowingSolver(bound, self.options)
        self.near = _Nearest(bound, self.tie_places, self.limits, self.options)
        self.best = np.clip(wished if start is None else start, low, high)
        self.live.hold(self.tie_places, self.best, self.best)
        point = self.live.solve()
        self.live.hold(self.tie_places, low, high)
        self._evaluate(self.best, np.inf if point.x is None else self._network_cost(point.x))
        self._bound()
        self._note()

    def step(self) -> None:
        """The master's bound, then one proposal answered by every part: the master's own until something feasible is known."""
        proposal = self._bound()
        if np.isfinite(self.upper):
            level = self.lower + self.cuts.level_share * (self.upper - self.lower)
            nearer = self.near.to(self.best, level)
            proposal = nearer if nearer.x is not None else proposal
        assert proposal.x is not None
        self._evaluate(proposal.x[self.tie_places], self._network_cost(proposal.x))
        self._note()

    def _evaluate(self, schedule: Floats, network_cost: float) -> None:
        """Every part's answer to a schedule becomes a cut; the schedule is kept where it is the best so far."""
        total = network_cost
        for side, theta in zip(self.sides, self.theta, strict=True):
            found = side.answer(schedule)
            total += found.value if found.feasible else np.inf
            columns = np.concatenate([[theta], self.tie_places[side.places]])
            values = np.concatenate([[1.0 if found.feasible else 0.0], -found.slope])
            at_zero = found.value - dot(found.slope, schedule[side.places])
            self.live.add_row(columns, values, at_zero, np.inf)
            self.near.live.add_row(columns, values, at_zero, np.inf)
        if total < self.upper:
            self.upper, self.best = total, schedule

    def _network_cost(self, x: Floats) -> float:
        """What the master pays at its columns, the parts' costs aside."""
        bound = self.whole.bound
        return dot(bound.cost, x[: bound.cost.size]) + bound.offset

    def _bound(self) -> Point:
        point = self.live.solve()
        if point.x is None:
            known = "no tie schedule suits the network and every part"
            raise NoDecision(known if point.status is Status.infeasible else f"the master ended as {point.status.value}", point.status)
        self.lower = max(self.lower, min(point.objective, self.upper))
        return point

    def _note(self) -> None:
        self.iterations.append(Iteration(len(self.iterations) + 1, self.lower, self.upper, time.perf_counter() - self.started))


class _Nearest:
    """min radius  s.t.  the master with its cuts,  |schedule - centre| <= radius,  cost <= level."""

    def __init__(self, bound: BoundProgram, ties: Indices, limits: tuple[Floats, Floats], options: SolveOptions) -> None:
        program, count = bound.program, ties.size
        rows, columns = program.matrix.shape
        self.count, self.offset, self.first = count, bound.offset, rows
        pick = sp.csr_array((np.ones(count), (np.arange(count), ties)), shape=(count, columns))
        radius = sp.csr_array(np.ones((count, 1)))
        matrix = sp.vstack([
            sp.hstack([program.matrix, sp.csr_array((rows, 1))]), sp.hstack([pick, -radius]), sp.hstack([pick, radius]),
            sp.hstack([sp.csr_array(bound.cost[None, :]), sp.csr_array((1, 1))])], format="csr")
        endless = np.full(count, np.inf)
        lower = np.concatenate([bound.row_lower, -endless, np.zeros(count), [-np.inf]])
        upper = np.concatenate([bound.row_upper, np.zeros(count), endless, [np.inf]])
        names = (*(f"schedule.near_{side}[{i + 1}]" for side in ("above", "below") for i in range(count)), "schedule.level")
        cost = np.append(np.zeros(columns), 1.0)
        whole = replace(
            program, cost=cost, cost_by_input=sp.csr_array((columns + 1, 0)), offset=0.0, matrix=sp.csr_array(matrix), row_lower=lower,
            matrix_by_input=sp.csr_array((lower.size, 0)), row_upper=upper, col_lower=np.append(program.col_lower, 0.0),
            col_upper=np.append(program.col_upper, np.inf), integer=np.append(program.integer, False),
            row_names=(*program.row_names, *names), column_names=(*program.column_names, "schedule.radius"),
            column_term=np.append(program.column_term, np.int16(-1)), readout=sp.csr_array((0, columns + 1)))
        self.live = GrowingSolver(BoundProgram(whole, np.zeros(0), cost, 0.0, lower, upper), options)
        self.live.hold(ties, *limits)

    def to(self, centre: Floats, level: float) -> Point:
        """The nearest point whose modelled cost is at most `level`; its objective is the radius."""
        rows, endless = self.first + np.arange(2 * self.count + 1), np.full(self.count, np.inf)
        self.live.limit(rows, np.concatenate([-endless, centre, [-np.inf]]), np.concatenate([centre, endless, [level - self.offset]]))
        return self.live.solve()


def _with_thetas(bound: BoundProgram, floors: Floats) -> BoundProgram:
    """The master with a column per part: what it costs, at least."""
    program, more = relaxation(bound.program), floors.size
    rows, columns = program.matrix.shape
    cost = np.concatenate([bound.cost, np.ones(more)])
    wider = replace(
        program, cost=cost, cost_by_input=sp.csr_array((columns + more, 0)), readout=sp.csr_array((0, columns + more)),
        matrix=sp.csr_array(sp.hstack([program.matrix, sp.csr_array((rows, more))], format="csr")),
        col_lower=np.concatenate([program.col_lower, floors]), col_upper=np.concatenate([program.col_upper, np.full(more, np.inf)]),
        integer=np.zeros(columns + more, dtype=bool), column_names=(*program.column_names, *(f"part{i + 1}.cost" for i in range(more))),
        column_term=np.concatenate([program.column_term, np.full(more, -1, dtype=np.int16)]),
    )
    return replace(bound, program=wider, cost=cost)
