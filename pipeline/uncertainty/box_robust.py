"""The worst corner of a budgeted box, by column-and-constraint generation. Zeng and Zhao, 2013; Bertsimas and Sim, 2004.

A master holds the rows of every corner found so far; it starts with the centre, so its first optimum is the deterministic cost. Each round
looks for a worse corner at its first stage: first by climbing (prices at a corner name the next one), and where climbing finds
nothing that the master does not know, by the exact search of `worst_corner`, which proves the upper bound where all bounds on
prices are provable. Where they are not, affine rules at the first stage found prove one (`box_rules`); with many choices they are
asked before that search, which proves nothing then and takes long.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import scipy.sparse as sp

from pipeline.program.linear_program import BoundProgram, Floats, Indices, LinearProgram
from pipeline.program.solve import Solution, SolveOptions, Status
from pipeline.uncertainty.around import program_around
from pipeline.uncertainty.box_rules import promised_cost
from pipeline.uncertainty.deviations import Deviations
from pipeline.uncertainty.dual_bounds import DualBound, PriceBounds, dual_intervals
from pipeline.uncertainty.expectation import Recourse, recourse_of
from pipeline.uncertainty.measure import WorstCase, weighted
from pipeline.uncertainty.monolith import NoDecision, clean_first, no_decision, proven_lower, solve_scenario_program
from pipeline.uncertainty.refusals import check_budgeted, check_certain_prices, check_continuous_recourse, check_scenarios
from pipeline.uncertainty.two_stage import Decision, Iteration, Lower, TwoStage, relative_gap
from pipeline.uncertainty.worst_corner import Choices, Corner, choices_of, greedy, search_corner

WIDEN_MOST = 6  # times
SAME = 1e-6  # share of a cost within which the exact search and the recourse itself must agree
CLIMBS, STARTS = 50, 6  # steps of one climb; random corners, of one seed, from which the first round climbs as well
SEARCH = 0.5  # share of the time for corners where rules may be asked afterwards
RIGOROUS = 16  # choices up to which the exact search keeps bounds that no seen price narrowed; with more it does not end


@dataclass(frozen=True)
class Robust:
    """A decision and the corners that hold it: deviations (L, K), inputs (L, m), the worst one first; bounds on prices by row family.

    `decision.costs` and `decision.law` are over the corners; the law is a point mass on the worst one. `decision.objective` is an upper
    bound within `bounds`; `searched`: it holds whatever the prices are. Where time ran out, it may lie far above `worst_cost`.
    `promised`: what affine rules after the first stage cost at most, asked for where the search does not prove; else infinite.
    """

    decision: Decision
    corners: Floats
    inputs: Floats
    bounds: tuple[DualBound, ...]
    searched: bool
    promised: float = float("inf")

    @property
    def proven(self) -> bool:
        """Whether `upper` is finite."""
        return bool(np.isfinite(self.upper))

    @property
    def upper(self) -> float:
        """The least proven limit of the cost over the set."""
        return min(self.decision.objective, self.promised) if self.searched else self.promised

    @property
    def worst_cost(self) -> float:
        """Cost at the worst corner found."""
        assert self.decision.costs is not None
        return float(self.decision.costs[0])


def box_robust(program: LinearProgram, first_stage: Indices, deviations: Deviations, options: SolveOptions | None = None, *,
               gap_share: float = 1e-4, rounds_max: int = 100, report: Callable[[str], None] | None = None,
               sees: Indices | None = None, promise: bool = False) -> Robust:
    """First stage that is cheapest at the worst deviation inside the budget, with bounds per round.

    first_stage: ascending. Row bounds may deviate, prices may not. report: told each bound on prices at the end, and each one
    that was enlarged. promise: where the search proves no upper bound, ask affine rules for one; sees: see `promised_cost`.
    Raises InputError (uncertain prices, integer recourse, a budget that is none), NoDecision.
    """
    _check(program, first_stage, deviations)
    options = options or SolveOptions()
    options = replace(options, mip_gap_share=min(options.mip_gap_share, gap_share / 4))
    search = _Search(program, np.unique(first_stage), deviations, options, gap_share, report or (lambda _: None), sees, promise)
    search.corners.append(np.zeros(deviations.count))
    while len(search.iterations) < rounds_max and search.gap > gap_share and search.left_s > 0:
        if not search.round():
            break
    robust = search.result()
    if robust.searched or not promise:
        return robust
    upper = search.promised(robust.decision.first, robust.worst_cost)
    return _promised(robust, max(upper, robust.worst_cost), gap_share)


def _promised(robust: Robust, upper: float, gap_share: float) -> Robust:
    """With the rules' bound; a search that it makes an end to is no longer one that ran out of time."""
    done = robust.decision.status is Status.optimal or relative_gap(robust.decision.lower, upper) <= gap_share
    status = Status.optimal if done else robust.decision.status
    return replace(robust, promised=upper, decision=replace(robust.decision, status=status))


def _check(program: LinearProgram, first_stage: Indices, deviations: Deviations) -> None:
    check_scenarios(program, deviations.centre)
    check_budgeted(deviations)
    touched = np.flatnonzero(np.diff(deviations.directions.indptr))
    check_certain_prices(program, touched, treatment="the box")
    check_continuous_recourse(program, first_stage, treatment="the box", remedy="name it in settings.first_stage, or take another method")


@dataclass
class _Search:
    """Corners, bounds and the recourse of one run."""

    program: LinearProgram
    first_stage: Indices
    deviations: Deviations
    options: SolveOptions
    gap_share: float
    report: Callable[[str], None]
    sees: Indices | None = None
    promise: bool = False
    corners: list[Floats] = field(default_factory=list)
    least: Lower = field(default_factory=Lower)
    upper: float = np.inf
    best: tuple[Floats, Floats] | None = None  # first stage (f,), its worst corner (K,)
    iterations: list[Iteration] = field(default_factory=list)
    started: float = field(default_factory=time.perf_counter)
    limits: dict[bytes, float] = field(default_factory=dict)  # what rules promised of first stages
    ended: bool = False  # no worse corner was found, and rules say what the first stage costs at most: more time would prove no more

    def __post_init__(self) -> None:
        self.recourse: Recourse = recourse_of(self.program, self.first_stage, replace(self.options, method="auto", crossover=True))
        self.choices: Choices = choices_of(self.deviations)
        directions = self.deviations.directions
        self.slope = sp.csr_array(self.program.matrix_by_input @ directions)  # (r, K)
        self.slope.eliminate_zeros()
        self.constant: Floats = np.asarray(directions.T @ self.program.offset_by_input)
        frozen = self.recourse.frozen
        cost = self.program.bind(self.deviations.centre).cost[self.recourse.rest]
        self.intervals = dual_intervals(frozen, cost)
        self.prices = PriceBounds.of(frozen, cost, np.flatnonzero(np.diff(self.slope.indptr)), self.intervals)

    @property
    def lower(self) -> float:
        return self.least.value

    @property
    def gap(self) -> float:
        return relative_gap(self.lower, self.upper)

    @property
    def left_s(self) -> float:
        """For corners."""
        return self._left().time_limit_s

    @property
    def _spent_s(self) -> float:
        return time.perf_counter() - self.started

    def _left(self) -> SolveOptions:
        """A part of the whole where rules may be asked afterwards."""
        return replace(self.options, time_limit_s=self.options.time_limit_s * (SEARCH if self.promise else 1)).since(self.started)

    def promised(self, first: Floats, worst: float) -> float:
        """What rules promise of a first stage (f,), with all the time that is left; asked once for each."""
        key = first.tobytes()
        if key not in self.limits:
            self.limits[key] = promised_cost(self.program, self.first_stage, first, self.deviations, worst=worst,
                                             gap_share=self.gap_share, sees=self.sees, options=self.options.since(self.started))
        return self.limits[key]

    def inputs(self, deviation: Floats) -> Floats:
        """(m,) inputs at a deviation (K,)."""
        return np.asarray(self.deviations.centre + self.deviations.directions @ deviation)

    def round(self) -> bool:
        """A master over the known corners, then a worse one. False where none is worse and none is new."""
        first = self._master()
        corner, worst = self._climb(first)
        limit: float | None = None
        promise = np.inf
        if worst - self.lower <= self.gap_share / 4 * abs(self.lower) or self._known(corner):
            limit = promise = self._by_rules(first, worst)
            if relative_gap(self.lower, limit) > self.gap_share:
                corner, worst, exact = self._exact(first, corner, worst, most_s=self._spent_s if np.isfinite(limit) else np.inf)
                limit = limit if exact is None else exact
        elif np.isfinite(worst):
            relaxed = self._search(first, relaxed=True)
            limit = None if relaxed is None else max(relaxed.bound, worst)
        if limit is not None and np.isfinite(worst) and limit < self.upper:
            self.upper, self.best = limit, (first, corner)
        seconds = time.perf_counter() - self.started
        self.iterations.append(Iteration(len(self.iterations) + 1, min(self.lower, self.upper), self.upper, seconds))
        new = not self._known(corner)
        self.ended = not new and np.isfinite(promise) and self.left_s > 0
        if new:
            self.corners.append(corner)
        return new

    def _master(self) -> Floats:
        scenarios = np.array([self.inputs(corner) for corner in self.corners])
        weights = np.full(len(scenarios), 1 / len(scenarios))
        epigraph = WorstCase().epigraph(weights) if len(scenarios) > 1 else weighted(weights)
        bound, _ = program_around(self._two_stage(scenarios), epigraph)
        solution, _ = solve_scenario_program(bound, self._left())
        if solution.x is None:
            raise no_decision(solution)
        self.least = self.least.or_higher(proven_lower(solution), solution.words)
        return clean_first(self.program, self.first_stage, solution.x[: self.first_stage.size])

    def _two_stage(self, scenarios: Floats) -> TwoStage:
        return TwoStage(self.program, self.first_stage, scenarios, np.full(len(scenarios), 1 / len(scenarios)))

    def _met(self, first: Floats, deviation: Floats) -> tuple[float, Solution]:
        """Whole cost at a deviation with the best recourse, infinite where there is none."""
        solution, _ = self.recourse.meet(first, self.inputs(deviation))
        if solution.status is Status.infeasible:
            return float("inf"), solution
        if solution.x is None or solution.row_dual is None:
            raise no_decision(solution)
        self.prices.saw(solution.row_dual)
        return solution.objective, solution

    def _climb(self, first: Floats) -> tuple[Floats, float]:
        """From every known corner: the prices there name the next one, until none is worse. Each step is a bound from below."""
        best, worst = self.corners[0], -np.inf
        for start in [*self.corners, *(self._random_corners() if not self.iterations else [])]:
            corner = start
            cost, solution = self._met(first, corner)
            for _ in range(CLIMBS):
                if not np.isfinite(cost):
                    return corner, cost
                assert solution.row_dual is not None
                following = greedy(self.deviations, self.choices, self.constant - self.slope.T @ solution.row_dual)
                dearer, at = self._met(first, following)
                if dearer <= cost + 1e-9 * abs(cost):
                    break
                corner, cost, solution = following, dearer, at
            if cost > worst:
                best, worst = corner, cost
        return best, worst

    def _random_corners(self) -> list[Floats]:
        rng = np.random.default_rng(self.options.seed)
        return [greedy(self.deviations, self.choices, rng.standard_normal(self.deviations.count)) for _ in range(STARTS)]

    def _known(self, corner: Floats) -> bool:
        return any(np.array_equal(corner, known) for known in self.corners)

    def _bound(self, first: Floats) -> BoundProgram:
        return self.recourse.frozen.bind(np.concatenate([self.deviations.centre, first]))

    def _search(self, first: Floats, *, relaxed: bool = False, most_s: float = np.inf) -> Corner | None:
        if not self.choices.value.size:
            return Corner(np.zeros(self.deviations.count), self._met(first, np.zeros(self.deviations.count))[0], np.zeros(0))
        options = replace(self.options, time_limit_s=min(self.left_s, most_s))
        return search_corner(self._bound(first), self.slope, self.constant, self.deviations, choices=self.choices, options=options,
                             bounds=self.prices.bounds, intervals=self.intervals, relaxed=relaxed)

    def _by_rules(self, first: Floats, worst: float) -> float:
        """Limit that rules prove at the first stage, infinite where they do not or where the exact search may prove one."""
        if not self.promise or not np.isfinite(worst) or self.choices.value.size <= RIGOROUS:
            return float("inf")
        return max(self.promised(first, worst), worst)

    def _exact(self, first: Floats, corner: Floats, worst: float, *, most_s: float = np.inf) -> tuple[Floats, float, float | None]:
        """The worst corner within the bounds on prices, which are widened and the search repeated while a price comes near one.

        most_s: of each search. Its third value is a limit of the cost within those bounds, None where it found none.
        """
        if self.choices.value.size > RIGOROUS:
            self.prices.narrow()
        for _ in range(WIDEN_MOST + 1):
            found = self._search(first, most_s=most_s)
            if found is None:
                return corner, worst, None
            cost, solution = self._met(first, found.deviation)
            if not np.isfinite(cost):
                return found.deviation, cost, None
            if cost > worst:
                corner, worst = found.deviation, cost
            elif worst > found.bound + SAME * (1 + abs(worst)):  # a dearer corner is known: the search was blind to its prices
                solution = self._met(first, corner)[1]
            assert solution.row_dual is not None
            # Where the search saw less than the recourse costs, a bound cut a price off: the recourse's own prices pass it.
            if not self.prices.widen(solution.row_dual, self.report):
                return corner, worst, max(found.bound, worst)
        message = "prices of rows grew past every bound: " + "; ".join(str(b) for b in self.prices.bounds if b.kind != "provable")
        raise NoDecision(f"{message}; price what these rows lack (a slack), or plan with scenarios", Status.failed)

    def result(self) -> Robust:
        """The best first stage and its corners, worst first. Raises NoDecision where no round proved a cost."""
        if self.best is None:
            raise NoDecision("no first stage with a recourse at every deviation was found in time", Status.time_limit)
        for bound in self.prices.bounds:
            self.report(str(bound))
        first, worst = self.best
        corners = np.array([worst, *(corner for corner in self.corners if not np.array_equal(corner, worst))])
        costs = np.array([self._met(first, corner)[0] for corner in corners])
        order = np.argsort(-costs, kind="stable")
        law = np.zeros(len(corners))
        law[0] = 1.0
        decision = Decision(
            first=first, objective=self.upper, lower=min(self.lower, self.upper), way="column_and_constraint", costs=costs[order], law=law,
            status=Status.optimal if self.gap <= self.gap_share or self.ended else Status.time_limit, iterations=tuple(self.iterations),
            seconds=time.perf_counter() - self.started, words=self.least.words,
        )
        searched = not self.choices.value.size or all(bound.kind == "provable" for bound in self.prices.bounds)
        return Robust(decision, corners[order], np.array([self.inputs(corner) for corner in corners[order]]), self.prices.bounds, searched)

