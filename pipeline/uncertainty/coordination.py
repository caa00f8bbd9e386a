"""A network and its microgrids coordinated by cuts: nobody sees the other's model, only tie schedules and their prices.

The master proposes a schedule of the ties; each part answers what it costs it (its affine counterpart; without a budget its plain
program) and by how much that cost would change. Costs are convex and piecewise linear in the schedule, so every answer is a cut.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp

from pipeline.core.errors import InputError, Mistake
from pipeline.program.linear_program import Floats, Indices, LinearProgram
from pipeline.program.solve import SolveOptions, Status, solve
from pipeline.uncertainty.affine_counterpart import Counterpart, active_of, counterpart
from pipeline.uncertainty.affine_policy import AffinePolicy
from pipeline.uncertainty.affine_roles import Information
from pipeline.uncertainty.coordination_parts import Parts, extract, own_deviations, parts_of, tie_limits, with_own_money
from pipeline.uncertainty.coordination_search import CutOptions, Search
from pipeline.uncertainty.coordination_sides import Side, with_ties_held
from pipeline.uncertainty.deviations import Deviations
from pipeline.uncertainty.monolith import NoDecision
from pipeline.uncertainty.two_stage import Decision, concluded


@dataclass(frozen=True)
class Coordinated:
    """`ties`: schedule (T,) of `tie_columns`, those that couple. integrality_loss: what whole numbers cost beyond their relaxation."""

    decision: Decision
    policy: AffinePolicy
    tie_columns: Indices
    ties: Floats
    part_costs: Floats  # (parts,)
    integrality_loss: float


def coordinate(program: LinearProgram, deviations: Deviations, *, ties: Indices, first_stage: Indices,
               information: Information | None = None, limits: Floats | None = None, start: Floats | None = None,
               cuts: CutOptions | None = None, options: SolveOptions | None = None) -> Coordinated:
    """The cheapest affine policy (without a budget: the cheapest schedule) of a program that ties couple, its parts solved apart.

    start: (T,) first proposal, for the ties that couple. The decision's objective is the upper bound, `iterations` the convergence
    curve. Whole numbers are relaxed in the cuts and decided at the end with the schedule held: `lower` bounds the relaxation, and
    `status` is `optimal` only where what they cost lies within the gap, too.
    Raises InputError (no two parts, what spans them, ties that would have to follow deviations) and NoDecision.
    """
    started, options, cuts = time.perf_counter(), options or SolveOptions(), cuts or CutOptions()
    nominal = program.bind(deviations.centre)
    parts = parts_of(program, ties, deviations)
    _check_ahead(program, parts, deviations, first_stage)
    wholes = _counterparts(program, parts, deviations, first_stage, information or Information(), limits)
    low, high = tie_limits(program, parts.master.ties, nominal.row_lower, nominal.row_upper)
    sides = [Side.of(part, whole, parts.master, options) for part, whole in zip(parts.parts, wholes[1:], strict=True)]
    search = Search(parts.master, wholes[0], sides, (low, high), cuts, options, started)
    search.begin(start)
    while not search.done:
        search.step()
    return _polished(program, deviations, np.asarray(first_stage, dtype=np.int64), (parts, wholes), search)


def _check_ahead(program: LinearProgram, parts: Parts, deviations: Deviations, first_stage: Indices) -> None:
    late = np.setdiff1d(parts.master.ties, first_stage)
    if late.size and active_of(deviations).any():
        raise InputError(Mistake(
            "settings.first_stage", f"{program.column_names[late[0]]} couples two parts that deviations reach, and is not decided ahead",
            "name the ties in settings.first_stage, or take settings.method.solution: monolith"))


def _counterparts(program: LinearProgram, parts: Parts, deviations: Deviations, first_stage: Indices, information: Information,
                  limits: Floats | None) -> list[Counterpart]:
    """Of the master, then of each part, each over its own deviations."""
    found = []
    for part, mine in zip((parts.master, *parts.parts), own_deviations(program, deviations, parts), strict=True):
        master = part is parts.master
        entity = None if information.column_entity is None else information.column_entity[part.columns]
        ahead = np.flatnonzero(np.isin(part.columns, np.union1d(first_stage, part.ties)))
        own = extract(program, part, constants=master, priced_ties=master)
        own = own if master else with_own_money(program, own, deviations.centre)
        found.append(counterpart(own, mine, first_stage=ahead,
                                 information=replace(information, column_entity=entity), limits=limits))
    return found


def _polished(program: LinearProgram, deviations: Deviations, first_stage: Indices, taken: tuple[Parts, list[Counterpart]],
              search: Search) -> Coordinated:
    """Master and parts with the best schedule held and whole numbers whole: one policy over the whole program."""
    parts, wholes = taken
    ties = parts.master.ties
    nominal = np.zeros(program.matrix.shape[1])
    rule = sp.csr_array((nominal.size, deviations.count))
    costs = []
    for part, whole in zip((parts.master, *parts.parts), wholes, strict=True):
        held = with_ties_held(whole.bound, np.searchsorted(part.columns, part.ties), search.best[np.searchsorted(ties, part.ties)])
        solution = solve(held, search.options)
        if solution.x is None:
            raise NoDecision(f"the schedule of the ties that the cuts found has no answer in whole numbers ({solution.status.value})",
                             solution.status)
        costs.append(solution.objective)
        nominal[part.columns] = solution.x[: part.columns.size]
        count = part.columns.size
        place = sp.csr_array((np.ones(count), (part.columns, np.arange(count))), shape=(nominal.size, count))
        rule = sp.csr_array(rule + place @ whole.rules(solution.x))
    objective = float(sum(costs))
    seconds = time.perf_counter() - search.started
    how = f"after {len(search.iterations)} schedules of the ties"
    if search.gap <= search.cuts.gap_share:  # of the relaxation: the rest is what whole numbers cost
        how = "with whole numbers decided under the schedule of the ties that suits their relaxation"
    decision = concluded(
        Decision(nominal[first_stage], objective, min(search.lower, objective), Status.time_limit, "decomposition",
                 iterations=tuple(search.iterations), seconds=seconds),
        gap_share=search.cuts.gap_share, left_s=search.options.time_limit_s - seconds, how=how)
    policy = AffinePolicy(nominal, rule, deviations.names, deviations.slot)
    return Coordinated(decision, policy, ties, search.best, np.array(costs[1:]), max(0.0, objective - search.upper))
