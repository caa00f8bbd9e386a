"""Affine rules on random small systems: more budget never costs less, no deviation breaks a row, full recourse is never dearer."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.program.freeze import freeze
from pipeline.program.linear_program import LinearProgram
from pipeline.program.solve import solve
from pipeline.uncertainty.affine import AffineDecision, affine
from pipeline.uncertainty.affine_check import check_policy, extreme_points, worst_points
from pipeline.uncertainty.affine_roles import Information
from pipeline.uncertainty.deviations import Deviations
from tests.unit.uncertainty.written_programs import moving, written

INF = np.inf


def plant(seed: int, steps: int) -> LinearProgram:
    """A tie decided ahead, a unit with a ramp, a store that leaks, sun that may be curtailed, and load that may be shed at a price."""
    random = np.random.default_rng(seed)
    columns, rows = {}, {}
    kept = random.choice([1.0, 0.95])
    for t in range(1, steps + 1):
        columns |= {
            f"a.tie_kw[{t}]": (random.uniform(0.2, 0.8), -40, 40),
            f"a.unit_kw[{t}]": (random.uniform(0.5, 1.5), 0, random.uniform(40, 120)),
            f"a.curtailed_kw[{t}]": (0.1, 0, INF), f"a.charge_kw[{t}]": (0.01, 0, 20), f"a.discharge_kw[{t}]": (0.01, 0, 20),
            f"a.energy_kwh[{t}]": (0.0, -INF, INF), f"a.shed_kw[{t}]": (10.0, 0, INF)}
        load = random.uniform(40, 100)
        rows[f"a.balance[{t}]"] = (load, {f"a.{name}_kw[{t}]": sign for name, sign in (
            ("tie", 1), ("unit", 1), ("curtailed", -1), ("charge", -1), ("discharge", 1), ("shed", 1), ("sun", 1))}, load)
        rows[f"a.curtailment_limit[{t}]"] = (-INF, {f"a.curtailed_kw[{t}]": 1, f"a.sun_kw[{t}]": -1}, 0)
        before = {f"a.energy_kwh[{t - 1}]": -kept} if t > 1 else {}
        start = 0.0 if t > 1 else 15 * kept
        rows[f"a.energy_balance[{t}]"] = (start, {f"a.energy_kwh[{t}]": 1, **before, f"a.charge_kw[{t}]": -0.9,
                                                  f"a.discharge_kw[{t}]": 1.1}, start)
        rows[f"a.energy_limits[{t}]"] = (3, {f"a.energy_kwh[{t}]": 1}, 30)
        if t > 1:
            rows[f"a.ramp[{t}]"] = (-60, {f"a.unit_kw[{t}]": 1, f"a.unit_kw[{t - 1}]": -1}, 60)
    return written(columns, rows, inputs=[f"a.sun_kw[{t}]" for t in range(1, steps + 1)], positions=steps,
                   elastic=[f"a.shed_kw[{t}]" for t in range(1, steps + 1)])


def sun(program: LinearProgram, share: float, *, two_sided: bool, scope: str) -> Deviations:
    steps, signs = program.positions, (1.0,) if two_sided else (1.0, -1.0)
    moves = [(f"a.sun_kw[{t}]", sign * 8.0, t - 1) for t in range(1, steps + 1) for sign in signs]
    group = [slot if scope == "slot" else 0 for _, _, slot in moves]
    budget = [share * len(signs)] * steps if scope == "slot" else [share * len(moves)]
    return moving(program, moves, [30.0] * steps, budget=budget, group=group, two_sided=two_sided)


def decide(program: LinearProgram, deviations: Deviations, memory: int) -> AffineDecision:
    return affine(program, deviations, first_stage=program.columns_like(["a.tie_kw"]), information=Information(memory))


worlds = st.tuples(st.integers(0, 10**6), st.integers(1, 4), st.booleans(), st.sampled_from(["slot", "horizon"]), st.integers(0, 2))


@settings(max_examples=25, deadline=None, derandomize=True)
@given(worlds, st.floats(0, 1), st.floats(0, 1))
def test_cost_never_falls_with_the_budget_and_is_flat_beyond_all_of_it(world, one, other):
    seed, steps, two_sided, scope, memory = world
    program = plant(seed, steps)
    low, high = sorted((one, other))
    costs = [decide(program, sun(program, share, two_sided=two_sided, scope=scope), memory).decision.objective
             for share in (0.0, low, high, 1.0, 3.0)]
    assert (np.diff(costs) >= -1e-6).all()
    assert costs[0] <= solve(program.bind(np.full(steps, 30.0))).objective + 1e-6
    assert abs(costs[4] - costs[3]) <= 1e-6


@settings(max_examples=25, deadline=None, derandomize=True)
@given(worlds, st.floats(0, 1))
def test_no_extreme_point_breaks_a_row_or_costs_more_than_alpha(world, share):
    seed, steps, two_sided, scope, memory = world
    program = plant(seed, steps)
    deviations = sun(program, share, two_sided=two_sided, scope=scope)
    found = decide(program, deviations, memory)
    points = np.vstack([extreme_points(deviations, 100, seed=seed), worst_points(program, found.policy, deviations)])
    checked = check_policy(program, found.policy, deviations, points)
    assert checked.worst_violation <= 1e-6, checked.worst_place
    assert checked.costs.max() <= found.decision.objective + 1e-6 * abs(found.decision.objective)


@settings(max_examples=15, deadline=None, derandomize=True)
@given(worlds, st.floats(0, 1))
def test_best_recourse_to_the_same_first_stage_is_never_dearer_than_the_rule(world, share):
    seed, steps, two_sided, scope, memory = world
    program = plant(seed, steps)
    deviations = sun(program, share, two_sided=two_sided, scope=scope)
    found = decide(program, deviations, memory)
    frozen = freeze(program, program.columns_like(["a.tie_kw"]))
    for d in extreme_points(deviations, 5, seed=seed):
        best = solve(frozen.bind(np.concatenate([deviations.centre + deviations.directions @ d, found.decision.first])))
        assert best.objective <= found.policy.evaluate(d) @ program.cost + 1e-6
