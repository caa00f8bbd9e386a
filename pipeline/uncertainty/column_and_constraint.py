"""Column-and-constraint generation over scenarios, under any measure. Zeng and Zhao, 2013; laws: the robust book, section 8.

Every round solves a master over a few active scenarios and the laws found so far, meets all scenarios with its first stage, and
asks the measure which law prices their costs worst. That law is stored and its scenarios become active. A master is safe: the
cost of a scenario that is not active is held from below by cuts, which the duals of its recourse give wherever it was met; so no
master is unbounded and its optimum is a lower bound.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace

import numpy as np

from pipeline.program.linear_program import Floats, dot
from pipeline.program.solve import SolveOptions, Status, solve
from pipeline.uncertainty.around import Cut, ScenarioCosts, program_around, scenario_costs
from pipeline.uncertainty.expectation import Recourse, recourse_of
from pipeline.uncertainty.measure import Measure, largest_of
from pipeline.uncertainty.monolith import NoDecision, checked, clean_first, no_decision, proven_lower, solve_scenario_program
from pipeline.uncertainty.refusals import check_continuous_recourse, check_scenarios
from pipeline.uncertainty.two_stage import Decision, Iteration, Lower, TwoStage, concluded, relative_gap

VERTICES = 1e-6  # gap below which interior point without crossover proves too little: masters are then solved by simplex
SUPPORT = 1e-9  # probability below which a scenario does not belong to a law


def column_and_constraint(two_stage: TwoStage, measure: Measure, options: SolveOptions | None = None, *, gap_share: float = 1e-3,
                          forecast: Floats | None = None, activated_per_round: int = 8, rounds_max: int = 100) -> Decision:
    """First stage, costs and law under a measure, with bounds per round.

    forecast: (m,) inputs that seed round 1 as a point mass (default: the mean scenario). Its law is dropped in round 2; its optimum is
    the `lower` of round 1, proven (`Iteration.proven`) where the forecast is the mean of the scenarios and only row bounds are
    uncertain. activated_per_round: scenarios of a law that become active in one round, those whose cost the master misses most.
    Stops at a proven gap of `gap_share`, at the time limit, after `rounds_max`, or when a round brings nothing new; `status` is
    `optimal` at the gap and `time_limit` else; where time was left, `ended` and `words` say what ended it.
    Raises InputError (integer recourse, bad weights or scenarios), NoDecision.
    """
    two_stage = checked(two_stage)
    remedy = "take settings.method.solution: monolith, or name it in settings.first_stage"
    check_continuous_recourse(two_stage.program, two_stage.first_stage, treatment="column-and-constraint generation", remedy=remedy)
    options = replace(options or SolveOptions(), mip_gap_share=min((options or SolveOptions()).mip_gap_share, gap_share / 4))
    recourse = recourse_of(two_stage.program, two_stage.first_stage, replace(options, method="auto", crossover=True))
    if options.method == "auto" and gap_share <= VERTICES:
        options = replace(options, method="simplex")
    search = _Search(two_stage, measure, options, gap_share, scenario_costs(two_stage), recourse)
    search.seed(_mean(two_stage) if forecast is None else check_scenarios(two_stage.program, forecast)[0])
    while len(search.iterations) < rounds_max and search.gap > gap_share and search.left_s > 0:
        if not search.activate(activated_per_round):
            search.how = "because a round brought nothing new"
            break
        search.round()
    return search.decision()


def _mean(two_stage: TwoStage) -> Floats:
    return np.asarray(two_stage.weights @ two_stage.scenarios)


@dataclass
class _Search:
    """Bounds, laws, active scenarios and cuts of one run. Costs in `theta` and cuts leave out what all scenarios share."""

    two_stage: TwoStage
    measure: Measure
    options: SolveOptions
    gap_share: float
    costs: ScenarioCosts
    recourse: Recourse
    least: Lower = field(default_factory=Lower)
    upper: float = np.inf
    best: tuple[Floats, Floats, Floats] | None = None  # first stage (f,), its costs (S,) and law (S,)
    laws: list[Floats] = field(default_factory=list)
    new_law: bool = False  # the last round brought one
    active: set[int] = field(default_factory=set)
    cuts: list[Cut] = field(default_factory=list)
    missed: Floats = field(default_factory=lambda: np.zeros(0))  # (S,) by how much the last master took a scenario too low
    iterations: list[Iteration] = field(default_factory=list)
    started: float = field(default_factory=time.perf_counter)
    how: str = ""  # the search ended, where neither the gap nor a limit did

    @property
    def lower(self) -> float:
        return self.least.value

    @property
    def gap(self) -> float:
        return relative_gap(self.lower, self.upper)

    @property
    def left_s(self) -> float:
        return self.options.since(self.started).time_limit_s

    def seed(self, forecast: Floats) -> None:
        """Round 1: the deterministic program of the forecast."""
        solution = solve(self.two_stage.program.bind(forecast), self.options)
        if solution.x is None:
            raise no_decision(solution)
        if proven := self._holds_jensen(forecast):
            self.least = Lower(proven_lower(solution), solution.words)
        law = self._meet(solution.x[self.two_stage.first_stage], None)
        self._note(proven_lower(solution), law, proven=proven)

    def _holds_jensen(self, forecast: Floats) -> bool:
        """The optimum at the mean is below that under any set of laws that holds the weights: costs are convex in row bounds."""
        program, spread, mean = self.two_stage.program, np.ptp(self.two_stage.scenarios, axis=0) > 0, _mean(self.two_stage)
        priced = np.unique(program.cost_by_input.tocoo().col)
        scale = np.abs(self.two_stage.scenarios).max(axis=0)  # of each input by itself: watts and tonnes stand side by side
        close = bool((np.abs(forecast - mean) <= 1e-9 * np.maximum(scale, np.abs(forecast))).all())
        return close and not spread[priced].any()

    def activate(self, most: int) -> bool:
        """The scenarios that the last master missed most become active. False where neither they nor the last law are new.

        A scenario without any recourse so far has no cut either: it always becomes active.
        """
        least = 0.1 * self.gap_share * abs(self.upper) / self.missed.size if self.best is not None else 0.0
        new = [int(s) for s in np.argsort(-self.missed, kind="stable") if self.missed[s] > least and s not in self.active]
        self.active.update(s for place, s in enumerate(new) if place < most or np.isinf(self.missed[s]))
        self.cuts = [cut for cut in self.cuts if cut.scenario not in self.active]
        return bool(new) or self.new_law

    def round(self) -> None:
        """A master over laws and active scenarios, then all scenarios met with its first stage."""
        count = len(self.two_stage.scenarios)
        laws = np.array(self.laws) if self.laws else self.two_stage.weights[None]
        active = np.array(sorted(self.active), dtype=np.int64)
        bound, _ = program_around(self.two_stage, largest_of(laws), active=active, cuts=self.cuts, costs=self.costs)
        solution, _ = solve_scenario_program(bound, self.options.since(self.started))
        if solution.x is None:
            raise no_decision(solution)
        self.least = self.least.or_higher(proven_lower(solution), solution.words)
        law = self._meet(solution.x[: self.two_stage.first_stage.size], solution.x[-1 - count : -1])
        self._note(self.lower, law)

    def _meet(self, first: Floats, theta: Floats | None) -> Floats | None:
        """Costs of all scenarios at a first stage, cuts from their duals, and the upper bound. Returns the law that prices them.

        theta: (S,) what the master took their recourse to cost. None where a scenario has no recourse.
        """
        first = clean_first(self.two_stage.program, self.two_stage.first_stage, first)
        found = np.array([self._cost(s, first) for s in range(len(self.two_stage.scenarios))])
        lost, self.new_law = np.isinf(found), False
        self.missed = np.where(lost, np.inf, 0.0)
        if lost.any():
            return None
        law = self.measure.law(found, self.two_stage.weights)
        if not any(np.abs(law - known).max() <= SUPPORT for known in self.laws):
            self.laws.append(law)
            self.new_law = True
        if (value := dot(law, found)) < self.upper:
            self.upper, self.best = value, (first, found, law)
        short = 1 + abs(self.upper) if theta is None else found - theta - self.costs.shared_at(first)
        self.missed = np.where(law > SUPPORT, law * short, 0.0)
        return law

    def _cost(self, s: int, first: Floats) -> float:
        """Whole cost of scenario s with its best recourse to `first`, infinite without one. Leaves a cut of what is not active."""
        solution, _ = self.recourse.meet(first, self.two_stage.scenarios[s])
        if solution.status is Status.infeasible:
            return float("inf")
        if solution.x is None or solution.row_dual is None:
            raise no_decision(solution)
        if s not in self.active:
            columns = self.two_stage.first_stage
            slope = self.costs.columns[s, columns] - self.costs.shared - self.two_stage.program.matrix[:, columns].T @ solution.row_dual
            own = solution.objective - self.costs.shared_at(first)
            self.cuts.append(Cut(s, own - dot(slope, first), slope))
        return float(solution.objective)

    def _note(self, lower: float, law: Floats | None, *, proven: bool = True) -> None:
        lower = min(lower, self.upper) if proven else lower  # a solver's tolerance, never more
        seconds = time.perf_counter() - self.started
        self.iterations.append(Iteration(len(self.iterations) + 1, lower, self.upper, seconds, law, proven))

    def decision(self) -> Decision:
        """The best first stage found. Raises NoDecision without one."""
        if self.best is None:
            raise NoDecision("no first stage with a recourse in every scenario was found", Status.infeasible)
        first, costs, law = self.best
        found = Decision(
            first=first, objective=self.upper, lower=min(self.lower, self.upper), way="column_and_constraint", costs=costs, law=law,
            status=Status.time_limit, iterations=tuple(self.iterations), seconds=time.perf_counter() - self.started,
            words=self.least.words,
        )
        count = len(self.iterations)
        how = self.how or f"after {count} round{'s' if count > 1 else ''}"
        return concluded(found, gap_share=self.gap_share, left_s=self.left_s, how=how)
