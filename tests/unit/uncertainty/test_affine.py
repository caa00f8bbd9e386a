"""The affine counterpart on programs small enough for paper, and against the enumeration of every vertex."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations, product

import numpy as np
import pytest
import scipy.sparse as sp

from pipeline.core.errors import InputError
from pipeline.program.linear_program import BoundProgram
from pipeline.program.solve import SolveOptions, Status, solve
from pipeline.uncertainty import affine as module
from pipeline.uncertainty.affine import affine, solve_counterpart
from pipeline.uncertainty.affine_check import check_policy, extreme_points, worst_point, worst_points
from pipeline.uncertainty.affine_counterpart import counterpart
from pipeline.uncertainty.affine_policy import AffinePolicy
from pipeline.uncertainty.affine_roles import Information
from pipeline.uncertainty.monolith import NoDecision
from tests.unit.uncertainty.written_programs import moving, written

INF = np.inf
GAINS, HALF_WIDTHS = (3.0, 1.0, 2.0, 0.5), (10.0, 20.0, 5.0, 4.0)


def level_above(gains=GAINS):
    """min level  s.t.  level >= gains . u"""
    inputs = [f"g.u_kw[{j + 1},1]" for j in range(len(gains))]
    row = {"g.level_kw[1]": 1.0, **{name: -gain for name, gain in zip(inputs, gains, strict=True)}}
    return written({"g.level_kw[1]": (1, -INF, INF)}, {"g.covers[1]": (0, row, INF)}, inputs=inputs)


@pytest.mark.parametrize("two_sided", [False, True])
@pytest.mark.parametrize(("share", "value"), [(0.0, 0.0), (0.25, 30.0), (0.375, 40.0), (0.5, 50.0), (1.0, 62.0)])
def test_H2_ROB_1_the_dual_of_the_budgeted_set(share, value, two_sided):
    """Primal: the largest a'd greedily; dual: the counterpart. Signs do not matter where deviations have two sides."""
    gains = tuple(gain * (-1) ** (j if two_sided else 0) for j, gain in enumerate(GAINS))
    program = level_above(gains)
    moves = [(name, width, 0) for name, width in zip(program.input_names, HALF_WIDTHS, strict=True)]
    deviations = moving(program, moves, [0.0] * 4, budget=[4 * share], two_sided=two_sided)
    found = affine(program, deviations, first_stage=np.array([0]))
    assert found.decision.objective == pytest.approx(value, abs=1e-9)
    strain = np.array(gains) * HALF_WIDTHS
    assert strain @ worst_point(deviations, strain) == pytest.approx(value)


def test_H2_ROB_1_over_two_slots_a_budget_of_the_horizon_counts_once():
    """The same four deviations in each of two slots, level over their sum: 2 x 30 slot by slot, 30 + 30 of budget 2 together, 30 of 1."""
    inputs = [f"g.u_kw[{j + 1},{t}]" for t in (1, 2) for j in range(4)]
    row = {"g.level_kw[1]": 1.0, **{name: -GAINS[j % 4] for j, name in enumerate(inputs)}}
    program = written({"g.level_kw[1]": (1, -INF, INF)}, {"g.covers[1]": (0, row, INF)}, inputs=inputs, positions=2)
    moves = [(name, HALF_WIDTHS[j % 4], j // 4) for j, name in enumerate(inputs)]
    for budget, group, value in (([1, 1], [0] * 4 + [1] * 4, 60.0), ([2], [0] * 8, 60.0), ([1], [0] * 8, 30.0), ([3], [0] * 8, 80.0)):
        deviations = moving(program, moves, [0.0] * 8, budget=budget, group=group)
        assert affine(program, deviations, first_stage=np.array([0])).decision.objective == pytest.approx(value)


def one_slot():
    """Load 100 from a tie decided ahead (.45), PV 60 that may be curtailed (.1), a fuel cell (1.0)."""
    terms = {"m.tie_kw[1]": 1, "m.curtailed_kw[1]": -1, "m.cell_kw[1]": 1, "m.pv_kw[1]": 1}
    return written(
        {"m.tie_kw[1]": (0.45, -600, 600), "m.curtailed_kw[1]": (0.1, 0, INF), "m.cell_kw[1]": (1.0, 0, INF)},
        {"m.balance[1]": (100, terms, 100), "m.curtailment_limit[1]": (-INF, {"m.curtailed_kw[1]": 1, "m.pv_kw[1]": -1}, 0)},
        inputs=["m.pv_kw[1]"])


def only_down(budget, **more):
    program = one_slot()
    return program, moving(program, [("m.pv_kw[1]", -20.0, 0)], [60.0], budget=[budget], **more)


@pytest.mark.parametrize(("share", "alpha"), [(0.0, 18.0), (0.125, 23.0), (0.25, 28.0), (1.0, 28.0)])
def test_H2_ROB_2_one_slot_with_a_tie_decided_ahead(share, alpha):
    program, deviations = only_down(min(1.0, 4 * share))
    found = affine(program, deviations, first_stage=np.array([0]))
    assert found.decision.objective == pytest.approx(alpha)
    assert found.decision.lower == pytest.approx(alpha)
    if share == 1.0:
        tie, curtailed, cell = found.policy.nominal
        assert (tie, curtailed, cell) == pytest.approx((58.1818, 18.1818, 0.0), abs=1e-4)
        assert found.policy.rule.toarray()[2, 0] / 20 == pytest.approx(1 / 11)  # kW of the cell per kW that PV falls short
        assert found.policy.evaluate(np.ones(1)) @ program.cost == pytest.approx(28.0)
        assert 0.45 * tie == pytest.approx(26.1818, abs=1e-4)


def test_H2_ROB_2_with_two_sides_the_rule_also_meets_more_sun():
    """One kW more sun is curtailed at .1 and one less is bought at 1: the cell can fall no lower than 0, so alpha cannot."""
    program, deviations = only_down(1.0, two_sided=True)
    found = affine(program, deviations, first_stage=np.array([0]))
    assert found.decision.objective == pytest.approx(by_vertices(program, deviations, np.array([0])))
    assert found.decision.objective >= 28.0
    exact = check_policy(program, found.policy, deviations, worst_points(program, found.policy, deviations))
    assert exact.worst_violation <= 1e-6 and exact.costs.max() <= found.decision.objective + 1e-6


def store_over(steps, *, kept=1.0):
    """A store, a dear cell, curtailment and a tie decided ahead, over `steps` slots; sun may deviate in each."""
    columns, rows = {}, {}
    for t in range(1, steps + 1):
        columns |= {f"m.tie_kw[{t}]": (0.45 + 0.1 * (t % 3), -60, 60), f"m.curtailed_kw[{t}]": (0.1, 0, INF),
                    f"m.cell_kw[{t}]": (1.0, 0, 80),
                    f"m.charge_kw[{t}]": (0.011, 0, 30), f"m.discharge_kw[{t}]": (0.011, 0, 30), f"m.energy_kwh[{t}]": (0, -INF, INF)}
        rows[f"m.balance[{t}]"] = (100, {f"m.tie_kw[{t}]": 1, f"m.curtailed_kw[{t}]": -1, f"m.cell_kw[{t}]": 1, f"m.charge_kw[{t}]": -1,
                                         f"m.discharge_kw[{t}]": 1, f"m.pv_kw[{t}]": 1}, 100)
        rows[f"m.curtailment_limit[{t}]"] = (-INF, {f"m.curtailed_kw[{t}]": 1, f"m.pv_kw[{t}]": -1}, 0)
        before = {f"m.energy_kwh[{t - 1}]": -kept} if t > 1 else {}
        start = 0.0 if t > 1 else 20.0 * kept
        rows[f"m.energy_balance[{t}]"] = (start, {f"m.energy_kwh[{t}]": 1, **before, f"m.charge_kw[{t}]": -0.95,
                                                  f"m.discharge_kw[{t}]": 1 / 0.95}, start)
        rows[f"m.energy_limits[{t}]"] = (4, {f"m.energy_kwh[{t}]": 1}, 40)
    return written(columns, rows, inputs=[f"m.pv_kw[{t}]" for t in range(1, steps + 1)], positions=steps)


def sunny(program, *, budget, two_sided=False, scope="slot"):
    steps = program.positions
    signs = (1.0,) if two_sided else (1.0, -1.0)
    moves = [(f"m.pv_kw[{t}]", sign * 10.0, t - 1) for t in range(1, steps + 1) for sign in signs]
    group = [slot if scope == "slot" else 0 for _, _, slot in moves]
    return moving(program, moves, [60.0] * steps, budget=[budget] * (steps if scope == "slot" else 1), group=group, two_sided=two_sided)


def ties(program):
    return program.columns_like(["m.tie_kw"])


def vertices(deviations):
    """Every vertex: group by group some deviations at their ends, and at most one at what is left of the budget."""
    groups = [_of_group(np.flatnonzero(deviations.group == g), deviations, budget) for g, budget in enumerate(deviations.budget)]
    return np.unique(np.array([np.sum(parts, axis=0) for parts in product(*groups)]), axis=0)


def _of_group(mine, deviations, budget):
    found = []
    for ends in product(*([0.0, float(deviations.low[k]), float(deviations.high[k])] for k in mine)):
        for order in permutations(range(len(mine))):
            d, left = np.zeros(deviations.count), budget
            for i in order:
                d[mine[i]] = np.sign(ends[i]) * min(abs(ends[i]), left)
                left -= abs(d[mine[i]])
            found.append(d)
    return np.unique(np.array(found), axis=0)


def by_vertices(program, deviations, first_stage, memory_steps=0):
    """The affine problem with every row written at every vertex: columns x0, then every coefficient that a rule may have."""
    from pipeline.program.positions import positions_of

    columns = program.matrix.shape[1]
    slot, states = positions_of(program.column_names), program.columns_like(["*.energy_kwh"])
    pairs = [(j, k) for j in range(columns) if j not in first_stage for k in range(deviations.count)
             if deviations.slot[k] <= slot[j] and (j in states or deviations.slot[k] >= slot[j] - memory_steps)]
    width = columns + len(pairs) + 1
    matrix, lower, upper = [], [], []
    for d in vertices(deviations):
        spread = np.zeros((columns, width))
        spread[:, :columns] = np.eye(columns)
        for p, (j, k) in enumerate(pairs):
            spread[j, columns + p] = d[k]
        bound = program.bind(deviations.centre + deviations.directions @ d)
        matrix += [program.matrix @ spread, spread, np.concatenate([program.cost @ spread[:, :-1], [-1.0]])[None]]
        lower += [bound.row_lower, program.col_lower, [-INF]]
        upper += [bound.row_upper, program.col_upper, [-program.offset]]
    cost = np.zeros(width)
    cost[-1] = 1.0
    whole = sp.csr_array(np.vstack(matrix))
    names = tuple(f"c[{i}]" for i in range(width))
    wide = replace(
        program, cost=cost, cost_by_input=sp.csr_array((width, 0)), offset_by_input=np.zeros(0), matrix=whole, input_names=(), inputs={},
        matrix_by_input=sp.csr_array((whole.shape[0], 0)), row_lower=np.concatenate(lower), row_upper=np.concatenate(upper),
        col_lower=np.full(width, -INF), col_upper=np.full(width, INF), integer=np.zeros(width, dtype=bool), column_names=names,
        row_names=tuple(f"r[{i}]" for i in range(whole.shape[0])), column_term=np.zeros(width, dtype=np.int16))
    return solve(BoundProgram(wide, np.zeros(0), cost, 0.0, wide.row_lower, wide.row_upper)).objective


@pytest.mark.parametrize("scope", ["slot", "horizon"])
@pytest.mark.parametrize("two_sided", [False, True])
@pytest.mark.parametrize(("budget", "memory_steps", "kept"), [(0.5, 0, 1.0), (1.0, 0, 0.9), (1.5, 1, 1.0), (2.0, 0, 1.0)])
def test_every_vertex_of_a_two_slot_case_gives_the_counterpart(budget, memory_steps, kept, two_sided, scope):
    program = store_over(2, kept=kept)
    deviations = sunny(program, budget=budget, two_sided=two_sided, scope=scope)
    found = affine(program, deviations, first_stage=ties(program), information=Information(memory_steps))
    assert found.decision.objective == pytest.approx(by_vertices(program, deviations, ties(program), memory_steps), rel=1e-7)


@pytest.mark.parametrize("scope", ["slot", "horizon"])
@pytest.mark.parametrize("two_sided", [False, True])
def test_a_thousand_extreme_points_break_no_row_and_cost_no_more_than_alpha(two_sided, scope):
    program = store_over(8, kept=0.99)
    deviations = sunny(program, budget=0.7 if scope == "slot" else 3.3, two_sided=two_sided, scope=scope)
    found = affine(program, deviations, first_stage=ties(program), information=Information(1))
    points = extreme_points(deviations, 1000, seed=7)
    spent = np.array([np.bincount(deviations.group, weights=np.abs(d), minlength=deviations.budget.size) for d in points])
    assert spent == pytest.approx(np.tile(deviations.budget, (1000, 1)))  # used up: they are extreme
    checked = check_policy(program, found.policy, deviations, points)
    exact = check_policy(program, found.policy, deviations, worst_points(program, found.policy, deviations))
    assert checked.worst_violation <= 1e-6 and exact.worst_violation <= 1e-6, (checked.worst_place, exact.worst_place)
    assert checked.costs.max() <= found.decision.objective * (1 + 1e-9)
    cost_gain = program.cost @ found.policy.rule.toarray()
    dearest = found.policy.evaluate(worst_point(deviations, cost_gain)) @ program.cost
    assert dearest == pytest.approx(found.decision.objective)  # alpha is attained


def test_a_broken_policy_is_caught_with_the_row():
    program = store_over(3)
    deviations = sunny(program, budget=1.0)
    policy = affine(program, deviations, first_stage=ties(program)).policy
    rule = policy.rule.tolil()
    rule[program.column_names.index("m.energy_kwh[2]"), 0] += 1e-3
    broken = AffinePolicy(policy.nominal, sp.csr_array(rule), policy.names, policy.slot)
    checked = check_policy(program, broken, deviations, extreme_points(deviations, 50))
    assert checked.worst_violation > 1e-6 and "energy" in checked.worst_place and checked.violated_share > 0


@pytest.mark.parametrize(("money", "alpha"), [(0.0, 45.0), (-2.0, 55.0), (9.0, 30.0)])
def test_alpha_holds_what_a_determined_column_and_constant_money_cost(money, alpha):
    """A flow of 10 less wind at 3: wind 5 short costs 15 more, and -5 times the money; what it saves no deviation must bring."""
    program = written({"a.flow_kw[1]": (3.0, -INF, INF)}, {"a.met[1]": (10, {"a.flow_kw[1]": 1, "a.wind_kw[1]": 1}, 10)},
                      inputs=["a.wind_kw[1]"])
    program = replace(program, offset_by_input=np.array([money]))
    found = affine(program, moving(program, [("a.wind_kw[1]", -5.0, 0)], [0.0], budget=[1.0]), first_stage=np.zeros(0, dtype=np.int64))
    assert found.decision.objective == pytest.approx(alpha)


@pytest.mark.parametrize(("cost", "low", "high", "amount", "value"), [(-1.0, -INF, 10.2, 0.5, 9.7), (1.0, -0.2, INF, -0.5, 0.3)])
def test_a_row_that_its_columns_bounds_miss_by_little_is_guarded(cost, low, high, amount, value):
    """0 <= g <= 10 and half a kW of wind: the row reaches 10.5 where 10.2 is allowed, and -0.5 where -0.2 is."""
    program = written({"a.g_kw[1]": (cost, 0, 10)}, {"a.limit[1]": (low, {"a.g_kw[1]": 1, "a.wind_kw[1]": 1}, high)},
                      inputs=["a.wind_kw[1]"])
    deviations = moving(program, [("a.wind_kw[1]", amount, 0)], [0.0], budget=[1.0])
    assert affine(program, deviations, first_stage=np.array([0])).policy.nominal == pytest.approx([value])


def promised(more=()):
    """What is promised in slot 1 is used in slot 2, where 10 kW are met and wind may fall 5 short; the rest costs 5."""
    columns = {"a.look_kw[1]": (0.0, -INF, INF), "a.use_kw[2]": (1.0, 0, 100), "a.rest_kw[2]": (5.0, 0, 100)}
    rows = {"a.promise[1]": (0, {"a.look_kw[1]": 1, "a.use_kw[2]": -1}, 0),
            "a.met[2]": (10, {"a.use_kw[2]": 1, "a.rest_kw[2]": 1, "a.wind_kw[2]": 1}, 10)}
    for name in more:
        columns[name], rows[name.replace("_kw", "_same")] = (0.0, -INF, INF), (0, {name: 1, "a.look_kw[1]": -1}, 0)
    program = written(columns, rows, inputs=["a.wind_kw[2]"], positions=2)
    return program, moving(program, [("a.wind_kw[2]", -5.0, 1)], [0.0], budget=[1.0])


@pytest.mark.parametrize("more", [(), ("a.echo_kw[1]",), ("a.echo_kw[2]",)])
def test_a_column_that_a_row_ties_to_a_later_decision_does_not_know_what_is_yet_to_come(more):
    """The promise cannot follow the wind, so neither can what keeps it: 10 + 5 x 5, not 15."""
    program, deviations = promised(more)
    found = affine(program, deviations, first_stage=np.zeros(0, dtype=np.int64))
    assert found.decision.objective == pytest.approx(35.0)
    rule = dict(zip(program.column_names, found.policy.rule.toarray().ravel(), strict=True))
    assert rule["a.rest_kw[2]"] == pytest.approx(5.0) and all(abs(rule[name]) <= 1e-9 for name in ("a.look_kw[1]", "a.use_kw[2]", *more))


@pytest.mark.parametrize("through", ["a later control", "a later input"])
def test_neither_a_later_control_nor_a_later_input_moves_a_column_ahead_of_it(through):
    """look[1] is use[2], which covers a shortfall of wind (15 throughout, then: 30, not 25), or the shortfall itself: no rule can be."""
    follower = "a.use_kw[2]" if through == "a later control" else "a.wind_kw[2]"
    program = written(
        {"a.look_kw[1]": (0.0, -INF, INF), "a.use_kw[2]": (1.0, 0, 100), "a.most_kw[2]": (1.0, 0, INF)},
        {"a.promise[2]": (0, {"a.look_kw[1]": 1, follower: -1}, 0),
         "a.met[2]": (10, {"a.use_kw[2]": 1, "a.wind_kw[2]": 1}, INF),
         "a.most[2]": (0, {"a.most_kw[2]": 1, "a.use_kw[2]": -1, "a.wind_kw[2]": -1}, INF)},
        inputs=["a.wind_kw[2]"], positions=2)
    deviations = moving(program, [("a.wind_kw[2]", -5.0, 1)], [0.0], budget=[1.0])
    if through == "a later input":
        with pytest.raises(NoDecision, match="no affine rule meets every deviation"):
            affine(program, deviations, first_stage=np.zeros(0, dtype=np.int64))
        return
    found = affine(program, deviations, first_stage=np.zeros(0, dtype=np.int64))
    assert abs(found.policy.rule.toarray()[:2]).max() <= 1e-9 and found.decision.objective == pytest.approx(30.0)


@pytest.mark.parametrize("memory_steps", [0, 1])
def test_no_column_follows_a_later_slot(memory_steps):
    program = store_over(4)
    deviations = sunny(program, budget=1.0)
    found = affine(program, deviations, first_stage=ties(program), information=Information(memory_steps))
    rule = found.policy.rule.tocoo()
    slot = np.array([int(name[-2]) - 1 for name in program.column_names])
    moves = np.abs(rule.data) > 1e-9
    assert moves.any() and (deviations.slot[rule.coords[1][moves]] <= slot[rule.coords[0][moves]]).all()


@pytest.mark.parametrize("scope", ["slot", "horizon"])
def test_budget_zero_is_the_deterministic_schedule(scope):
    program = store_over(5)
    plain = solve(program.bind(np.full(5, 60.0))).objective
    found = affine(program, sunny(program, budget=0.0, scope=scope), first_stage=ties(program))
    assert found.decision.objective == pytest.approx(plain, rel=1e-9)


def test_longer_memory_and_more_information_never_cost_more():
    program = store_over(6)
    deviations = sunny(program, budget=1.0)
    costs = [affine(program, deviations, first_stage=ties(program), information=Information(memory)).decision.objective
             for memory in (0, 1, 5)]
    assert costs[0] >= costs[1] - 1e-7 >= costs[2] - 2e-7


def test_without_anything_to_adjust_no_schedule_is_robust():
    """Everything decided ahead: the balance cannot hold for two values of the sun."""
    program = store_over(2)
    with pytest.raises(NoDecision, match="no affine rule meets every deviation inside the budget; lower") as refused:
        affine(program, sunny(program, budget=1.0), first_stage=np.arange(len(program.column_names)))
    assert refused.value.status is Status.infeasible


def test_elastic_slack_stays_where_it_is():
    """Slack that followed the deviations would make everything feasible at a price: it is part of the nominal schedule alone."""
    terms = {"m.tie_kw[1]": 1.0, "m.shed_kw[1]": 1.0, "m.pv_kw[1]": 1.0}
    columns = {"m.tie_kw[1]": (0.45, 0, 600), "m.shed_kw[1]": (20.0, 0, INF)}
    program = written(columns, {"m.balance[1]": (100, terms, 100)}, inputs=["m.pv_kw[1]"], elastic=["m.shed_kw[1]"])
    deviations = moving(program, [("m.pv_kw[1]", -20.0, 0)], [60.0], budget=[1.0])
    with pytest.raises(NoDecision):
        affine(program, deviations, first_stage=np.array([0]))
    assert affine(program, deviations, first_stage=np.array([], dtype=int)).decision.objective == pytest.approx(0.45 * 60)


def two_entities():
    """Two plates, each with sun and a cell, over one line between them that is decided ahead, and a third that nothing reaches."""
    columns, rows = {"line.schedule_kw[1]": (0.0, -10, 10)}, {}
    for name, sign in (("a", 1.0), ("b", -1.0)):
        columns |= {f"{name}.cell_kw[1]": (1.0, 0, 200), f"{name}.curtailed_kw[1]": (0.1, 0, INF)}
        rows[f"{name}.balance[1]"] = (50, {f"{name}.cell_kw[1]": 1, f"{name}.curtailed_kw[1]": -1, "line.schedule_kw[1]": sign,
                                           f"{name}.pv_kw[1]": 1}, 50)
    columns["c.cell_kw[1]"] = (1.0, 0, 200)
    rows["c.balance[1]"] = (30, {"c.cell_kw[1]": 1}, 30)
    program = written(columns, rows, inputs=["a.pv_kw[1]", "b.pv_kw[1]"])
    return program, moving(program, [("a.pv_kw[1]", -10.0, 0), ("b.pv_kw[1]", -10.0, 0)], [20.0, 20.0], budget=[1.0, 1.0], group=[0, 1],
                           entity=[0, 1])


def test_a_rule_sees_what_reaches_its_component_and_nothing_else():
    program, deviations = two_entities()
    policy = affine(program, deviations, first_stage=np.array([0])).policy
    rule = policy.rule.toarray()
    assert (np.abs(rule[[0, 5]]) == 0).all() and (rule[[1, 2], 1] == 0).all() and (rule[[3, 4], 0] == 0).all()
    assert rule[1, 0] - rule[2, 0] == pytest.approx(10.0) == rule[3, 1] - rule[4, 1]


def test_an_entity_sees_its_own_deviations_only():
    """With the line free to follow, `a` could help `b`; what `a` may look at decides whether its cell does."""
    program, deviations = two_entities()
    cell, dear = program.column_names.index("b.cell_kw[1]"), np.array([n.endswith("curtailed_kw[1]") for n in program.column_names])
    bounded = replace(program, col_upper=np.where(np.arange(6) == cell, 5.0, program.col_upper), cost=np.where(dear, 5.0, program.cost))
    bounded.col_lower[0], bounded.col_upper[0] = -40.0, 40.0
    entity = np.array([-1, 0, 0, 1, 1, -1])
    every = affine(bounded, deviations, first_stage=np.array([], dtype=int))
    own = affine(bounded, deviations, first_stage=np.array([], dtype=int), information=Information(0, entity))
    assert (np.abs(every.policy.rule.toarray()[1]) > 1e-9).tolist() == [True, True]
    assert own.decision.status is Status.optimal and own.policy.rule.toarray()[1, 1] == 0.0
    assert own.decision.objective > every.decision.objective + 1.0


def test_the_end_of_the_day_is_for_the_nominal_trajectory():
    """E = 20 at the end binds x0; under deviations the store keeps to its limits."""
    program = store_over(2)
    equal = program.row_names.index("m.energy_limits[2]")
    by_input = program.matrix_by_input.tolil()
    by_input.resize((by_input.shape[0], 4))
    low = replace(program, row_lower=program.row_lower.copy(), row_upper=program.row_upper.copy())
    low.row_lower[equal], low.row_upper[equal] = 20.0, 20.0
    deviations = sunny(program, budget=1.0)
    strict = affine(low, deviations, first_stage=ties(program)).decision.objective
    cyclic, limits = _with_end_inputs(program, equal)
    nominal = np.concatenate([deviations.centre, [20.0, 20.0]])
    spread = sp.csr_array(sp.vstack([deviations.directions, sp.csr_array((2, deviations.count))], format="csr"))
    found = affine(cyclic, replace(deviations, centre=nominal, directions=spread), first_stage=ties(program), limits=limits)
    energy = found.policy.nominal[program.column_names.index("m.energy_kwh[2]")]
    assert energy == pytest.approx(20.0)
    assert found.decision.objective < strict - 1e-6
    free = affine(program, deviations, first_stage=ties(program)).decision.objective
    assert found.decision.objective >= free - 1e-9


def _with_end_inputs(program, row):
    """energy >= low and energy <= high with both as inputs at the last slot; the inputs of its plain limits."""
    matrix = sp.csr_array(sp.vstack([program.matrix, program.matrix[[row]]], format="csr"))
    by_input = sp.lil_array((matrix.shape[0], 4))
    by_input[: program.matrix.shape[0], :2] = program.matrix_by_input.toarray()
    by_input[row, 2], by_input[matrix.shape[0] - 1, 3] = -1.0, -1.0
    lower, upper = np.append(program.row_lower, -INF), np.append(program.row_upper, 0.0)
    lower[row], upper[row] = 0.0, INF
    cyclic = replace(
        program, matrix=matrix, matrix_by_input=sp.csr_array(by_input), row_lower=lower, row_upper=upper,
        row_names=(*program.row_names, "m.energy_limits_high[2]"), input_names=(*program.input_names, "m.low_kwh[2]", "m.high_kwh[2]"),
        cost_by_input=sp.csr_array((len(program.column_names), 4)), offset_by_input=np.zeros(4))
    return cyclic, np.array([60.0, 60.0, 4.0, 40.0])


def test_protections_are_shared_so_that_a_store_grows_with_its_steps():
    """Entries of the counterpart from 24 to 48 steps: chains of stored energy stay, guards double."""
    sizes = []
    for steps in (24, 48):
        program = store_over(steps)
        whole = counterpart(program, sunny(program, budget=1.0), first_stage=ties(program), information=Information(0))
        sizes.append(len(whole.bound.program.column_names))
    assert sizes[1] <= 2.05 * sizes[0]


def test_uncertain_prices_are_refused_with_the_remedy():
    program = one_slot()
    priced = written(
        {"m.tie_kw[1]": (0.0, -600, 600), "m.cell_kw[1]": (1.0, 0, INF)},
        {"m.balance[1]": (100, {"m.tie_kw[1]": 1, "m.cell_kw[1]": 1}, 100)}, inputs=["m.price_per_kwh[1]"],
        prices={("m.tie_kw[1]", "m.price_per_kwh[1]"): 1.0})
    deviations = moving(priced, [("m.price_per_kwh[1]", 0.1, 0)], [0.5], budget=[1.0])
    with pytest.raises(InputError, match=r"price_share: an affine rule cannot carry the uncertain price m\.price.*price: expected"):
        affine(priced, deviations, first_stage=np.array([0]))
    assert program.input_names == ("m.pv_kw[1]",)


def test_whole_numbers_that_would_have_to_follow_are_refused_with_the_remedy():
    program = replace(one_slot(), integer=np.array([False, False, True]))
    deviations = moving(program, [("m.pv_kw[1]", -20.0, 0)], [60.0], budget=[1.0])
    with pytest.raises(InputError, match=r"settings\.method: m\.cell_kw\[1\] is a whole number.*settings\.first_stage"):
        affine(program, deviations, first_stage=np.array([0]))
    decided = affine(program, deviations, first_stage=np.array([0, 2]))  # decided ahead it is welcome
    assert decided.decision.way == "mixed_integer" and decided.decision.first[1] == pytest.approx(round(decided.decision.first[1]))


def test_a_policy_survives_storage():
    program = store_over(3)
    policy = affine(program, sunny(program, budget=1.0), first_stage=ties(program)).policy
    again = AffinePolicy.from_arrays(policy.to_arrays())
    d = np.linspace(-1, 1, 12).reshape(2, 6)
    assert np.array_equal(again.evaluate(d), policy.evaluate(d)) and again.names == policy.names
    assert np.array_equal(policy.evaluate(d)[1], policy.evaluate(d[1]))


def switched_slot():
    """Demand 10 that may be 4 more, from a unit of 12 that costs 5 to have on and 1 per kW, and a reserve at 3 that a second switch opens.

    At the forecast the reserve stays shut, and no rule of the first unit alone meets 14; slack at 20 does.
    """
    columns = {"g.on_share[1]": (5, 0, 1), "g.open_share[1]": (2, 0, 1), "g.power_kw[1]": (1, 0, INF), "g.reserve_kw[1]": (3, 0, INF),
               "g.slack_kw[1]": (20, 0, INF)}
    rows = {"g.covers[1]": (0, {"g.power_kw[1]": 1, "g.reserve_kw[1]": 1, "g.slack_kw[1]": 1, "g.demand_kw[1]": -1}, INF),
            "g.most[1]": (-INF, {"g.power_kw[1]": 1, "g.on_share[1]": -12}, 0),
            "g.opened[1]": (-INF, {"g.reserve_kw[1]": 1, "g.open_share[1]": -8}, 0)}
    program = written(columns, rows, inputs=["g.demand_kw[1]"], integer=["g.on_share[1]", "g.open_share[1]"])
    return program, moving(program, [("g.demand_kw[1]", 4.0, 0)], [10.0], budget=[1.0])


def without_slack(program):
    """The forecast's integers alone meet no deviation then."""
    high = program.col_upper.copy()
    high[4] = 0.0
    return replace(program, col_upper=high)


def under_the_forecast(program, deviations):
    """Solved where no adverse deviation is looked at."""
    whole = counterpart(program, deviations, first_stage=np.array([0, 1]), information=Information())
    return solve_counterpart(whole.bound, program.bind(deviations.centre), SolveOptions())


def test_integers_of_a_big_counterpart_are_a_schedule_s_and_the_bound_holds_the_best(monkeypatch):
    """On, shut: 15 at the forecast. Rules: 5 + 12 + 2 x 20 = 57 with these; 5 + 2 + 12 + 2 x 3 = 25 with the reserve opened, as at 14."""
    program, deviations = switched_slot()
    first = np.array([0, 1])
    best = affine(program, deviations, first_stage=first).decision
    assert best.objective == pytest.approx(25.0) and best.way == "mixed_integer" and not best.words
    monkeypatch.setattr(module, "_BRANCHED_COLUMNS", 4)
    alone = under_the_forecast(program, deviations)
    assert alone.solution.objective == pytest.approx(57.0) and alone.way == "interior_point" and 15.0 - 1e-6 <= alone.lower <= 25.0 + 1e-6
    assert "integer decisions are those of the schedule at the forecast" in alone.words and "tried" not in alone.words
    held = affine(program, deviations, first_stage=first).decision
    assert held.objective == pytest.approx(25.0) and held.first == pytest.approx([1.0, 1.0]) and held.way == "interior_point"
    assert held.lower == pytest.approx(25.0)  # what the schedule at a demand of 14 costs
    assert "of the schedule at an adverse deviation" in held.words and "were tried" in held.words


def test_the_forecast_s_integers_stay_where_an_adverse_schedule_s_promise_no_less(monkeypatch):
    """Half the deviation: the reserve, dear to open, is opened at 12.5 and the slack, at 20, would cost 5 + 12 + .5 x 20 = 27."""
    program, _ = switched_slot()
    cost = program.cost.copy()
    cost[1] = 11.0  # 5 + 12 + 11 + .5 x 3 = 29.5 with the reserve
    program = replace(program, cost=cost)
    monkeypatch.setattr(module, "_BRANCHED_COLUMNS", 4)
    found = affine(program, moving(program, [("g.demand_kw[1]", 2.5, 0)], [10.0], budget=[1.0]), first_stage=np.array([0, 1])).decision
    assert found.objective == pytest.approx(27.0) and found.first == pytest.approx([1.0, 0.0])
    assert found.lower == pytest.approx(27.0) and "at the forecast" in found.words


def test_where_no_rule_meets_the_set_with_the_forecast_s_integers_others_are_looked_for(monkeypatch):
    program, deviations = switched_slot()
    monkeypatch.setattr(module, "_BRANCHED_COLUMNS", 4)
    found = affine(without_slack(program), deviations, first_stage=np.array([0, 1])).decision
    assert found.way == "interior_point" and found.objective == pytest.approx(25.0) and found.lower == pytest.approx(25.0)
    branched = under_the_forecast(without_slack(program), deviations)
    assert branched.way == "mixed_integer" and branched.solution.objective == pytest.approx(25.0)
