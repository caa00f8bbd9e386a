"""Treatments of one forecast that guard against deviations from it: affine rules, the worst corner of a box, budgeted prices.

What is published is the forecast met under the treatment: the rules' own nominal schedule, or the best recourse to the box's first
stage. What the treatment promises, the worst cost over its set, is the decision's objective.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import scipy.sparse as sp

from pipeline.cases.settings import Affine, BoxRobust, HalfWidths
from pipeline.core.errors import InputError, Mistake
from pipeline.program.linear_program import Floats, Indices, dot
from pipeline.schedule.affine_day import AffineProblem, affine_day, affine_problem
from pipeline.schedule.close import derive_ties
from pipeline.schedule.complete import energy_slacks, sweep_voltages
from pipeline.schedule.desk import Desk
from pipeline.schedule.deviations import box_deviations, column_entities
from pipeline.schedule.exclusive import ALL_FROM, BOTH_KW, ROUNDS, Pairs, with_exclusive
from pipeline.schedule.findings import Finding
from pipeline.schedule.layout import by_position
from pipeline.schedule.leaving import Leavers
from pipeline.schedule.outlook import Outlook
from pipeline.schedule.plan import in_merit_order
from pipeline.schedule.rules import rules_of
from pipeline.schedule.solving import Found, Work, checked, frozen_work, meet, undecided, warn_of_end
from pipeline.uncertainty.affine import AffineDecision
from pipeline.uncertainty.affine_centre import cheapest_at_centre
from pipeline.uncertainty.box_robust import Robust, box_robust
from pipeline.uncertainty.budgeted import budgeted_prices
from pipeline.uncertainty.expectation import recourse_of
from pipeline.uncertainty.monolith import NoDecision
from pipeline.uncertainty.two_stage import Decision, together

_DIRECTED = ("in every step each store moves in the direction of the nominal schedule alone, whatever deviates; "
             "other directions may promise less")
FOLLOWING = 4.0  # times as long as the first program do those take that follow it: directions come before what they cost least with
_FREE = "the lower bound is that of rules without set directions"


def guard_box(work: Work, outlook: Outlook, inputs: Floats, method: BoxRobust, *, draws: Floats | None = None,
              leavers: Sequence[Leavers] | None = None) -> Found:
    """The first stage that is cheapest at the worst corner, met with the forecast. Raises NoSchedule without one.

    inputs: (m,) the bound forecast. draws: (D, S, T) drawn futures, for empirical half-widths. leavers: who may leave early.
    """
    program = work.desk.program
    deviations = box_deviations(work.desk, outlook, inputs, method, draws=draws, leavers=leavers)
    first_stage = program.columns_like(work.desk.case.settings.first_stage)
    said: list[str] = []
    try:
        robust = box_robust(program, first_stage, deviations, work.left(), gap_share=method.gap_share, report=said.append,
                            sees=column_entities(work.desk), promise=True)
    except NoDecision as none:
        raise undecided(work, none, inputs) from none
    work.findings += tuple(Finding("day_ahead", "info", "dual_bound", words.partition(":")[0], words) for words in said)
    warn_of_end(work, robust.decision)
    decision = _over_the_box(robust)
    met = meet(work, recourse_of(program, first_stage, work.left()), decision.first, inputs[None], np.ones(1))
    return Found(met.x, met.row_dual, float(met.costs[0]), decision.lower, decision.gap, work.status, {}, decision)


def _over_the_box(robust: Robust) -> Decision:
    """The decision without costs and law of corners, which are no scenarios of the plan, and with what its bound rests on.

    Rounds searched within bounds on prices that are not provable prove no upper bound; the last one has that of the rules.
    """
    plain = replace(robust.decision, costs=None, law=None)
    if robust.searched:
        return plain
    rounds = tuple(replace(one, upper=np.inf) for one in plain.iterations)
    if not robust.proven:
        words = ("the worst corner was searched within bounds on prices that are stated, not proven (findings `dual_bound`), and no "
                 "rule was found in time that meets every deviation")
        return replace(plain, objective=robust.worst_cost, proven=False, words=together(words, plain.words), iterations=rounds)
    words = (f"the worst corner found costs {robust.worst_cost:.2f}; rules after these decisions keep every deviation of the box "
             "below the objective")
    rounds = (*rounds[:-1], replace(rounds[-1], upper=robust.upper))
    return replace(plain, objective=robust.upper, words=together(words, plain.words), iterations=rounds)


def protect_prices(desk: Desk, outlook: Outlook, inputs: Floats) -> Desk:
    """The desk with a program whose objective holds for every budgeted deviation of prices; its own columns and rows come first.

    Unchanged where the settings ask for no protection.
    """
    asked = desk.case.settings.budgeted_prices
    if asked is None:
        return desk
    if not (desk.binder.plan.price_row >= 0).any():
        raise InputError(Mistake("settings.budgeted_prices", "the case has no price series that could deviate",
                                 "leave it out, or give a tie a market with a price_series"))
    widths = HalfWidths(load_share=0, heat_share=0, pv_share=0, wind_share=0, other_share=0, price_share=asked.half_width_share)
    deviations = box_deviations(desk, outlook, inputs, BoxRobust(half_widths=widths, budget_share=asked.budget_share))
    return replace(desk, program=budgeted_prices(desk.program, deviations))


def follow_rules(work: Work, outlook: Outlook, inputs: Floats, method: Affine, *, draws: Floats | None = None) -> Found:
    """The affine policy and its nominal schedule. Raises NoSchedule where no rule meets every deviation.

    inputs: (m,) the bound forecast. draws: (D, S, T) drawn futures, for empirical half-widths. Prices are those of the forecast met
    with the first stage held: a rule has none.
    """
    problem = affine_problem(work.desk, outlook, inputs, method, draws=draws)
    protection = work.desk.program.columns_like(["prices.*"])  # no rule: what guards the objective is decided with it
    problem = replace(problem, first_stage=np.union1d(problem.first_stage, protection))
    try:
        found = _one_way(work, problem, affine_day(work.desk, problem, work.left()))
    except NoDecision as none:
        raise undecided(work, none, inputs) from none
    warn_of_end(work, found.decision, "rules so far are")
    program = work.desk.program
    bound = program.bind(inputs)
    recourse = recourse_of(program, problem.first_stage, work.left())
    held = np.concatenate([inputs, found.policy.nominal[problem.first_stage]])
    nominal = _tight(work.desk, found.policy.nominal, inputs)
    best = checked(frozen_work(work, recourse), recourse.live.solve(held), held, "")
    cost = dot(bound.cost, nominal) + bound.offset
    return Found(nominal[None, :], best.row_dual, cost, found.decision.lower, found.decision.gap, work.status,
                 {}, found.decision, found.policy, rules_of(work.desk, problem.deviations, found.policy))


def _tight(desk: Desk, nominal: Floats, inputs: Floats) -> Floats:
    """(n,) the nominal schedule with what is only counted as it is at the forecast, where rules keep room in it for every deviation.

    Counted: deviations from positions and exports of ties, segments of cost curves, energy and voltage outside their limits. What
    moves stays as the rules have it.
    """
    columns, given = by_position(nominal, desk.layout.columns), by_position(inputs, desk.layout.inputs)
    in_merit_order(columns, desk.roster.generators)
    derive_ties(desk.roster.ties, columns, given)
    energy_slacks(desk, columns, given)
    sweep_voltages(desk, columns, given)
    tight = nominal.copy()
    tight[desk.layout.columns.index] = columns
    return tight


def _one_way(work: Work, problem: AffineProblem, first: AffineDecision) -> AffineDecision:
    """Rules that never charge and discharge a store at once, whatever comes; without any, a nominal schedule that does not. Of those
    that promise as little, the ones that cost least at the forecast.

    A rule that lowers both by a deviation is worth more than one that raises one of them, so that rules violate what costs
    exclude in a plain schedule: where they do, the direction is decided ahead, by a binary of the first stage. Without rules under
    such binaries, or without time for them, the last rules found stay, with a warning.
    """
    early = work.left().time_limit_s > FOLLOWING * first.decision.seconds
    found = cheapest_at_centre(first, work.left()) if early else first
    if (directed := _directed(work, problem, found, first.decision)) is not None:
        return directed if early or directed is not first else cheapest_at_centre(first, work.left())
    found = found if early else cheapest_at_centre(first, work.left())
    chosen = work.pairs.violated(found.policy.nominal)
    for round_ in range(ROUNDS):
        if not chosen.any():
            return found
        if round_ >= ALL_FROM:
            chosen = np.ones_like(chosen)
        pairs = work.pairs.only(np.flatnonzero(chosen))
        try:
            narrower = _decided_ahead(work, problem, pairs)
        except NoDecision:
            break
        lower = min(max(found.decision.lower, narrower.decision.lower), narrower.decision.objective)  # fewer rules cost no less
        found = replace(narrower, decision=replace(narrower.decision, lower=lower))
        again = work.pairs.violated(found.policy.nominal)
        if not again.any():
            return found
        chosen |= again
    work.warn("simultaneous_charging", "schedule", "rules without charging and discharging at once were not found in time")
    return found


def _directed(work: Work, problem: AffineProblem, first: AffineDecision, free: Decision) -> AffineDecision | None:
    """The best rules with a direction for every pair in every step: the nominal schedule's of `first`, else its rule's.

    first: the cheapest at the forecast of the `free` rules' optima. Directions of another one, which gives at the forecast what the worst
    case does not need, promise more. None where nothing deviates (binaries are exact then), or no rule meets the set with these
    directions. The lower bound is the free rules'. Every pair at once: with some of them held, others begin to move both ways.
    """
    pairs = work.pairs
    if not first.policy.rule.nnz or not pairs.charge.size:
        return None
    if not _both_ways(pairs, problem, first):
        return first
    program, still = work.desk.program, _still(pairs, first.policy.nominal, _moves(problem, first))
    high = program.col_upper.copy()
    high[still] = np.maximum(program.col_lower[still], 0.0)
    try:
        found = affine_day(replace(work.desk, program=replace(program, col_upper=high)), problem, work.left())
    except NoDecision:
        return None
    words = together(found.decision.words, _DIRECTED, free.words and f"{_FREE}: {free.words}")
    lower = min(free.lower, found.decision.objective)
    return cheapest_at_centre(replace(found, decision=replace(found.decision, lower=lower, words=words)), work.left())


def _both_ways(pairs: Pairs, problem: AffineProblem, found: AffineDecision) -> bool:
    """Whether some deviation of the box may move both columns of a pair off nothing."""
    most = found.policy.nominal + _moves(problem, found)
    return bool((np.minimum(most[pairs.charge], most[pairs.discharge]) > BOTH_KW).any())


def _moves(problem: AffineProblem, found: AffineDecision) -> Floats:
    """(n,) how far each column can move over the box."""
    deviations = problem.deviations
    return np.asarray(abs(found.policy.rule) @ np.maximum(deviations.high, -deviations.low))


def _still(pairs: Pairs, nominal: Floats, moves: Floats) -> Indices:
    """Of each pair the column that stays at nothing: the lesser one of the nominal schedule; where both rest, what the rule moves less."""
    net = nominal[pairs.charge] - nominal[pairs.discharge]
    net = np.where(np.abs(net) > BOTH_KW, net, moves[pairs.charge] - moves[pairs.discharge])
    return np.where(net >= 0, pairs.discharge, pairs.charge)


def _decided_ahead(work: Work, problem: AffineProblem, pairs: Pairs) -> AffineDecision:
    """Rules under binaries of the first stage for these pairs, over the program's own columns."""
    program = work.desk.program
    wider, columns = with_exclusive(program, pairs), program.matrix.shape[1]
    binaries = np.arange(columns, wider.matrix.shape[1])
    sees = problem.information.column_entity
    information = problem.information if sees is None else replace(
        problem.information, column_entity=np.concatenate([sees, sees[pairs.charge]]))
    asked = replace(problem, first_stage=np.concatenate([problem.first_stage, binaries]), information=information)
    found = cheapest_at_centre(affine_day(replace(work.desk, program=wider), asked, work.left()), work.left())
    policy = replace(found.policy, nominal=found.policy.nominal[:columns], rule=sp.csr_array(found.policy.rule[:columns]))
    return AffineDecision(replace(found.decision, first=found.decision.first[: problem.first_stage.size]), policy)
