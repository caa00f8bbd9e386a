"""Affine adjustable robust decisions: the counterpart solved, and read as a policy."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np

from pipeline.program.dual_bound import dual_bound
from pipeline.program.linear_program import BoundProgram, Floats, Indices, LinearProgram
from pipeline.program.solve import Solution, SolveOptions, Status, solve
from pipeline.uncertainty.adverse import Adverse
from pipeline.uncertainty.affine_counterpart import Counterpart, counterpart
from pipeline.uncertainty.affine_policy import AffinePolicy
from pipeline.uncertainty.affine_roles import Information
from pipeline.uncertainty.deviations import Deviations
from pipeline.uncertainty.monolith import NoDecision, no_decision, proven_lower
from pipeline.uncertainty.two_stage import Decision, Lower, Way, relative_gap, together

_SIMPLEX_COLUMNS = 100_000  # of the counterpart; beyond, interior point is faster
_TRIED = "; those at the forecast and at an adverse deviation were tried"
_SAME = "; that at an adverse deviation has the same"
_BRANCHED_COLUMNS = 35_000  # of a counterpart with integers; beyond, they are held as the forecast's schedule has them


@dataclass(frozen=True)
class Optimum:
    """A counterpart and its solution (N,), for a choice among the policies that promise the same. first_stage: columns decided ahead."""

    whole: Counterpart
    x: Floats
    first_stage: Indices


@dataclass(frozen=True)
class AffineDecision:
    """The decision's objective is alpha: no deviation of the set costs more under the policy.

    optimum: None where parts were solved apart.
    """

    decision: Decision
    policy: AffinePolicy
    optimum: Optimum | None = None


def affine(program: LinearProgram, deviations: Deviations, *, first_stage: Indices, information: Information | None = None,
           limits: Floats | None = None, options: SolveOptions | None = None) -> AffineDecision:
    """Cheapest affine policy whose rows hold for every deviation of the set. See `counterpart` for `limits`.

    Raises InputError for uncertain prices and integer recourse, NoDecision where no rule meets every deviation or time ran out.
    """
    started = time.perf_counter()
    first_stage = np.unique(np.asarray(first_stage, dtype=np.int64))
    whole = counterpart(program, deviations, first_stage=first_stage, information=information or Information(), limits=limits)
    adverse = Adverse(program, deviations, deviations.centre if limits is None else limits)
    found = solve_counterpart(whole.bound, program.bind(deviations.centre), options or SolveOptions(), adverse=adverse)
    solution = found.solution
    if solution.x is None:
        raise no_policy(solution)
    policy = policy_of(whole, solution.x)
    decision = Decision(policy.nominal[first_stage], solution.objective, found.lower, solution.status, found.way,
                        seconds=time.perf_counter() - started, words=found.words)
    return AffineDecision(decision, policy, Optimum(whole, solution.x, first_stage))


@dataclass(frozen=True)
class Solved:
    """A counterpart's solution, the proven lower bound of its optimum, and what else is to be said of it."""

    solution: Solution
    way: Way
    lower: float
    words: str = ""


def solve_counterpart(bound: BoundProgram, centre: BoundProgram, options: SolveOptions, *, adverse: Adverse | None = None) -> Solved:
    """By structure: branch and bound with integers, simplex while it is small, else interior point without crossover.

    With integers and big: those of the schedule at the centre, whose program `centre` is, are held, or those of the schedule at an
    adverse deviation, whichever promise less; where no rule meets the set with either, branch and bound. Branch and bound does not
    finish on such a counterpart: bounds of its columns move with the protection.
    """
    integer = bound.program.integer
    if not integer.any():
        solution, way = solve_continuous(bound, options)
        return Solved(solution, way, proven_lower(solution), solution.words)
    started = time.perf_counter()
    if bound.cost.size > _BRANCHED_COLUMNS and (held := _held(bound, centre, options, adverse)) is not None:
        return held
    solution = solve(bound, options.since(started))
    return Solved(solution, "mixed_integer", proven_lower(solution))


def solve_continuous(bound: BoundProgram, options: SolveOptions, *, simplex_columns: int = _SIMPLEX_COLUMNS) -> tuple[Solution, Way]:
    """Without integers: simplex while the counterpart is small, else interior point without crossover."""
    if options.method == "auto" and bound.cost.size > simplex_columns:
        return solve(bound, replace(options, method="ipm", crossover=False)), "interior_point"
    return solve(bound, options), "simplex" if options.method in ("auto", "simplex") else "interior_point"


def _held(bound: BoundProgram, centre: BoundProgram, options: SolveOptions, adverse: Adverse | None) -> Solved | None:
    """The best rules with the integers of a schedule: that at the centre and, while a gap is left, that at an adverse deviation.

    Lower bound: that of either schedule, for both are deviations of the set, or the dual one with the integers freed. None where no
    rules meet the set with such integers, or no schedule is known.
    """
    started = time.perf_counter()
    schedule = solve(centre, options)
    if schedule.x is None:
        return None
    columns = np.flatnonzero(bound.program.integer)
    tried = [_rules_under(bound, columns, schedule.x, "at the forecast", options.since(started))]
    lower, also = _higher(tried[0].freed, schedule), ""
    if adverse is not None and relative_gap(lower.value, tried[0].objective) > options.mip_gap_share:
        worse = adverse.schedule(columns, schedule.x, options.since(started))
        lower = _higher(lower, worse)
        if worse.x is not None and (np.round(worse.x[columns]) == np.round(schedule.x[columns])).all():
            also = _SAME
        elif worse.x is not None:
            also = _TRIED
            tried.append(_rules_under(bound, columns, worse.x, "at an adverse deviation", options.since(started)))
            lower = lower.or_higher(tried[1].freed.value, tried[1].freed.words)
    best = min(tried, key=lambda one: one.objective)
    if best.solution.x is None:
        return None
    return Solved(best.solution, best.way, min(lower.value, best.solution.objective), together(best.words(also), lower.words))


def _higher(lower: Lower, solution: Solution) -> Lower:
    return lower.or_higher(proven_lower(solution), solution.words)


@dataclass(frozen=True)
class _Under:
    """Rules under the integers (c,) of the schedule at `place`. `freed`: lower bound with the integers anywhere in their bounds."""

    solution: Solution
    way: Way
    freed: Lower
    place: str
    count: int

    @property
    def objective(self) -> float:
        return float("inf") if self.solution.x is None else self.solution.objective

    def words(self, also: str) -> str:
        best = "the best" if self.solution.status is Status.optimal else "the best found in time"
        return (f"the {self.count} integer decisions are those of the schedule {self.place}, under which the rules are {best}{also}; "
                "others may promise less")


def _rules_under(bound: BoundProgram, columns: Indices, schedule: Floats, place: str, options: SolveOptions) -> _Under:
    still = bound.program.held(columns, np.round(schedule[columns]))
    held = replace(bound, program=replace(still, integer=np.zeros_like(still.integer)))
    solution, way = solve_continuous(held, options, simplex_columns=_BRANCHED_COLUMNS)
    return _Under(solution, way, _freed(bound, solution), place, columns.size)


def _freed(bound: BoundProgram, held: Solution) -> Lower:
    """What the prices of the program with its integers held prove of that with the integers anywhere in their bounds."""
    if held.x is None or held.row_dual is None:
        return Lower()
    proven = dual_bound(bound, held.x, held.row_dual)
    return Lower(proven.value, proven.words)


def no_policy(solution: Solution) -> NoDecision:
    """The error for a counterpart that gave no point."""
    if solution.status is not Status.infeasible:
        return no_decision(solution)
    return NoDecision("no affine rule meets every deviation inside the budget; lower settings.method.budget_share or half_widths, raise "
                      "memory_steps, or decide less ahead (settings.first_stage)", solution.status)


def policy_of(whole: Counterpart, x: Floats) -> AffinePolicy:
    """The policy at a solution of the counterpart."""
    deviations = whole.deviations
    return AffinePolicy(x[: whole.found.by_control.shape[0]].copy(), whole.rules(x), deviations.names, deviations.slot)
