"""Affine rules on the hydrogen microgrids: the book's measured costs over the budget, and acceptance items 1 to 4 of section 9."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import pairwise

import numpy as np
import pytest

from pipeline.cases.settings import Affine, HalfWidths
from pipeline.physics.horizon import Horizon
from pipeline.program.cached import compiled
from pipeline.program.solve import solve
from pipeline.schedule.affine_day import AffineProblem, affine_day, affine_problem
from pipeline.schedule.desk import Desk, open_desk
from pipeline.schedule.outlook import Outlook
from pipeline.uncertainty.affine import AffineDecision, affine
from pipeline.uncertainty.affine_check import check_policy, extreme_points, worst_point, worst_points
from pipeline.uncertainty.monolith import NoDecision
from tests.unit.schedule.tiny_day import case_of

COSTS = {0.0: 40875.56, 0.1: 40916.42, 0.25: 41013.47, 0.5: 41097.14, 1.0: 41123.95}  # yuan, section 9
AHEAD = ("*.schedule_kw", "*_tie.exchange_kw")  # what a microgrid takes from the network is agreed with the schedule


@cache
def desk() -> Desk:
    case = case_of("hydrogen_microgrids", "deterministic")
    return open_desk(case, case.day(case.default_date), compiled(case, Horizon(24, 1.0), cache_dir=None))


@cache
def problem(**changes: object) -> AffineProblem:
    case = desk().case
    outlook = Outlook(tuple(series.id for series in case.series), np.array([series.by_local_hour for series in case.series]), {})
    binder = desk().binder
    inputs = binder.assemble(binder.fill(outlook, desk().starts()), binder.initial_state(), day_ends=True)
    method = Affine(half_widths=HalfWidths(load_share=0, heat_share=0, pv_share=0.15, wind_share=0.15), budget_share=0.25)
    asked = affine_problem(desk(), outlook, inputs, method.model_copy(update=changes))
    return replace(asked, first_stage=desk().program.columns_like(AHEAD))


@cache
def decided(**changes: object) -> AffineDecision:
    return affine_day(desk(), problem(**changes))


@pytest.mark.parametrize("budget", COSTS)
def test_the_cost_over_the_budget_is_the_book_s(budget: float) -> None:
    assert decided(budget_share=budget).decision.objective == pytest.approx(COSTS[budget], rel=1e-7, abs=0.006)


def test_1_without_a_budget_it_is_the_deterministic_schedule() -> None:
    plain = solve(desk().program.bind(problem().deviations.centre))
    assert decided(budget_share=0.0).decision.objective == pytest.approx(plain.objective, rel=1e-9)


def test_2_cost_never_falls_with_the_budget_and_is_flat_beyond_the_whole_box() -> None:
    costs = [decided(budget_share=budget).decision.objective for budget in sorted(COSTS)]
    assert (np.diff(costs) > 0).all()
    whole = problem(budget_share=1.0).deviations
    wider = affine(desk().program, replace(whole, budget=2 * whole.budget), first_stage=problem().first_stage,
                   information=problem().information, limits=problem().limits)
    assert wider.decision.objective == pytest.approx(costs[-1], rel=1e-9)


@pytest.mark.parametrize("changes", [{}, {"budget_share": 1.0}, {"budget_scope": "horizon"}, {"deviations": "two_sided"},
                                     {"memory_steps": 1}, {"information": "all"}], ids=str)
def test_3_a_thousand_extreme_points_break_no_row_and_cost_no_more_than_alpha(changes: dict[str, object]) -> None:
    asked, found = problem(**changes), decided(**changes)
    deviations, policy = asked.deviations, found.policy
    points = extreme_points(deviations, 1000, seed=4)
    checked = check_policy(desk().program, policy, deviations, points, limits=asked.limits)
    assert checked.worst_violation <= 1e-6, checked.worst_place
    assert checked.costs.max() <= found.decision.objective * (1 + 1e-9)
    dearest = worst_point(deviations, policy.rule.T @ desk().program.bind(deviations.centre).cost)
    worst = check_policy(desk().program, policy, deviations, dearest[None], limits=asked.limits)
    assert worst.costs[0] == pytest.approx(found.decision.objective, rel=1e-9)


def test_3_the_exact_worst_of_every_row_is_within_its_bound() -> None:
    asked, policy = problem(), decided().policy
    strained = worst_points(desk().program, policy, asked.deviations)
    checked = check_policy(desk().program, policy, asked.deviations, strained, limits=asked.limits)
    assert checked.worst_violation <= 1e-6, checked.worst_place


def test_3_the_deterministic_schedule_without_adjustment_fails_in_samples() -> None:
    asked, plain = problem(), decided(budget_share=0.0).policy
    points = extreme_points(asked.deviations, 100, seed=4)
    assert check_policy(desk().program, plain, asked.deviations, points, limits=asked.limits).violated_share == 1.0


def test_3_with_every_adjustment_forced_to_nothing_there_is_no_policy() -> None:
    program, asked = desk().program, problem()
    with pytest.raises(NoDecision, match="no affine rule"):
        affine(program, asked.deviations, first_stage=np.arange(len(program.column_names)), limits=asked.limits)


def test_a_microgrid_follows_its_own_sun_and_wind_and_the_network_is_deterministic() -> None:
    policy, entities = decided().policy, problem().deviations.entity
    names = desk().roster.networks
    moved = policy.rule.tocoo()
    for column, k in zip(moved.coords[0].tolist(), moved.coords[1].tolist(), strict=True):
        assert desk().program.column_names[column].startswith(names[entities[k]])
    assert {name.split(".")[0].split("_")[0] for name in np.array(desk().program.column_names)[np.unique(moved.coords[0])]} == {
        "mg1", "mg2", "mg3"}


def test_seeing_everybody_s_deviations_brings_nothing_where_networks_meet_only_ahead() -> None:
    assert decided(information="all").decision.objective == pytest.approx(decided().decision.objective, rel=1e-9)


def test_longer_memory_costs_less_and_a_budget_of_the_day_is_another_set() -> None:
    assert decided(memory_steps=1).decision.objective < decided().decision.objective
    assert decided(budget_scope="horizon").decision.objective > decided().decision.objective


@cache
def limited() -> Desk:
    """The desk with branch limits of 1.2 x the largest central flow of each branch at budget 0 (ours: the feeder table has none)."""
    program, inputs = desk().program, problem().deviations.centre
    x = solve(program.bind(inputs)).x
    assert x is not None
    low, high = program.col_lower.copy(), program.col_upper.copy()
    name = next(name for name in program.column_index if name.endswith(".branch_kw"))
    for branch in program.column_index[name].reshape(-1, 24):
        most = 1.2 * np.abs(x[branch]).max()
        low[branch], high[branch] = -most, most
    return replace(desk(), program=replace(program, col_lower=low, col_upper=high))


@pytest.mark.parametrize(("budget", "flow_limits"), [(0.0, False), (0.25, False), (0.0, True), (0.25, True)])
def test_5_network_and_microgrids_coordinated_by_cuts_cost_what_the_whole_does(budget: float, flow_limits: bool) -> None:
    at = limited() if flow_limits else desk()
    asked = problem(budget_share=budget)
    central = affine_day(at, asked).decision.objective
    found = affine_day(at, replace(asked, by_cuts=True))
    curve = found.decision.iterations
    assert found.decision.way == "decomposition" and found.decision.gap <= 1e-3 and len(curve) <= 60
    assert found.decision.objective == pytest.approx(central, rel=1e-3)
    assert found.decision.lower <= central * (1 + 1e-9) and central <= found.decision.objective * (1 + 1e-9)
    assert all(a.lower <= b.lower and a.upper >= b.upper for a, b in pairwise(curve))
    checked = check_policy(at.program, found.policy, asked.deviations, extreme_points(asked.deviations, 200, seed=5), limits=asked.limits)
    assert checked.worst_violation <= 1e-6, checked.worst_place
