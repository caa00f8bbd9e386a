"""Among policies that promise the same, the cheapest at the centre: by hand, on random programs, and where there is none in time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pipeline.program.linear_program import LinearProgram
from pipeline.program.solve import Solution, SolveOptions, Status
from pipeline.uncertainty import affine_centre
from pipeline.uncertainty.affine import AffineDecision, affine
from pipeline.uncertainty.affine_centre import APART, NOT_FOUND, cheapest_at_centre
from pipeline.uncertainty.affine_check import check_policy, extreme_points, worst_points
from pipeline.uncertainty.deviations import Deviations
from tests.unit.uncertainty.written_programs import moving, written

INF = np.inf
FIRM = np.zeros(1, dtype=np.int64)


def sunny_slot(*, curtailing: float = 0.0) -> tuple[LinearProgram, Deviations]:
    """Load 100, two ties (.45), the first decided ahead, sun of 60 that may fall short by 20 and be curtailed: at worst 60 by ties, 27."""
    terms = {"m.firm_kw[1]": 1, "m.curtailed_kw[1]": -1, "m.tie_kw[1]": 1, "m.pv_kw[1]": 1}
    program = written(
        {"m.firm_kw[1]": (0.45, 0, 600), "m.curtailed_kw[1]": (curtailing, 0, INF), "m.tie_kw[1]": (0.45, 0, 600)},
        {"m.balance[1]": (100, terms, 100), "m.curtailment_limit[1]": (-INF, {"m.curtailed_kw[1]": 1, "m.pv_kw[1]": -1}, 0)},
        inputs=["m.pv_kw[1]"])
    return program, moving(program, [("m.pv_kw[1]", -20.0, 0)], [60.0], budget=[1.0])


def at(found: AffineDecision, program: LinearProgram) -> float:
    return float(found.policy.nominal @ program.cost)


def wasteful(found: AffineDecision, program: LinearProgram) -> AffineDecision:
    """Another optimum of the slot: the firm tie gives 60 whatever comes, and 20 of the sun is curtailed where nothing deviates."""
    assert found.optimum is not None
    x, whole = np.zeros_like(found.optimum.x), found.optimum.whole
    x[:2] = 60.0, 20.0
    rule = {"m.tie_kw[1]": 0.0, "m.curtailed_kw[1]": -20.0}
    for place, control in enumerate(whole.roles.controls[whole.roles.pair_control]):
        x[program.matrix.shape[1] + place] = rule[program.column_names[control]]
    return replace(found, decision=replace(found.decision, first=np.array([60.0])), optimum=replace(found.optimum, x=x))


def test_sun_is_not_curtailed_at_the_forecast_for_the_worst_deviation() -> None:
    """With all its sun the slot takes 40 from its ties, 18, and promises 27 as before."""
    program, deviations = sunny_slot()
    first = wasteful(affine(program, deviations, first_stage=FIRM), program)
    assert first.decision.objective == pytest.approx(27.0)
    found = cheapest_at_centre(first, SolveOptions())
    assert at(found, program) == pytest.approx(18.0)
    assert found.decision.objective == pytest.approx(27.0, abs=1e-6)
    assert found.decision.first == pytest.approx(found.policy.nominal[FIRM]) and found.decision.first[0] <= 40.0 + 1e-6
    assert found.policy.evaluate(np.ones(1))[1] == pytest.approx(0.0, abs=1e-5)


def test_what_costs_as_little_stays_the_policy_it_was() -> None:
    program, deviations = sunny_slot(curtailing=0.1)
    first = affine(program, deviations, first_stage=FIRM)
    once = cheapest_at_centre(first, SolveOptions())
    assert cheapest_at_centre(once, SolveOptions()) is once


def test_without_a_deviation_there_is_nothing_to_choose() -> None:
    program, deviations = sunny_slot()
    first = affine(program, replace(deviations, budget=np.zeros(1)), first_stage=FIRM)
    assert cheapest_at_centre(first, SolveOptions()) is first


def slots(rng: np.random.Generator, steps: int = 3) -> tuple[LinearProgram, Deviations]:
    """Slots with a tie decided ahead, a cell, free curtailment and a store; sun that deviates either way."""
    columns, rows = {}, {}
    for t in range(1, steps + 1):
        columns |= {f"m.tie_kw[{t}]": (rng.uniform(0.2, 0.6), -100, 100), f"m.cell_kw[{t}]": (1.0, 0, INF),
                    f"m.curtailed_kw[{t}]": (0.0, 0, INF), f"m.charge_kw[{t}]": (0.01, 0, 20), f"m.energy_kwh[{t}]": (0.0, 0, 40)}
        terms = {f"m.tie_kw[{t}]": 1, f"m.cell_kw[{t}]": 1, f"m.curtailed_kw[{t}]": -1, f"m.charge_kw[{t}]": -1, f"m.pv_kw[{t}]": 1}
        rows[f"m.balance[{t}]"] = (80, terms, 80)
        rows[f"m.curtailment_limit[{t}]"] = (-INF, {f"m.curtailed_kw[{t}]": 1, f"m.pv_kw[{t}]": -1}, 0)
        before = {f"m.energy_kwh[{t - 1}]": -1.0} if t > 1 else {}
        rows[f"m.energy_balance[{t}]"] = (0, {f"m.energy_kwh[{t}]": 1.0, f"m.charge_kw[{t}]": -0.9} | before, 0)
    inputs = [f"m.pv_kw[{t}]" for t in range(1, steps + 1)]
    program = written(columns, rows, inputs=inputs, positions=steps)
    moves = [(name, float(rng.uniform(5, 20)), t) for t, name in enumerate(inputs)]
    return program, moving(program, moves, rng.uniform(30, 60, steps).tolist(), budget=[float(rng.uniform(0.4, 1.0))] * steps,
                           two_sided=True)


@pytest.mark.parametrize("seed", range(8))
def test_a_policy_at_the_centre_promises_as_little_and_keeps_every_row(seed: int) -> None:
    rng = np.random.default_rng(seed)
    program, deviations = slots(rng)
    ties = program.columns_like(["m.tie_kw"])
    first = affine(program, deviations, first_stage=ties)
    found = cheapest_at_centre(first, SolveOptions())
    assert NOT_FOUND not in found.decision.words and at(found, program) <= at(first, program) + 1e-9
    assert found.decision.objective <= first.decision.objective + 2e-6 * (1 + abs(first.decision.objective))
    assert found.decision.lower == pytest.approx(first.decision.lower)
    assert found.decision.first == pytest.approx(found.policy.nominal[ties])
    points = np.vstack([extreme_points(deviations, 50, seed=seed), worst_points(program, found.policy, deviations)])
    checked = check_policy(program, found.policy, deviations, points)
    assert checked.worst_violation <= 1e-6
    assert checked.costs.max() <= found.decision.objective + 1e-6


def test_where_time_runs_out_the_policy_stays_and_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    program, deviations = sunny_slot()
    first = wasteful(affine(program, deviations, first_stage=FIRM), program)
    none = Solution(Status.time_limit, np.nan, -np.inf, np.inf, None, None, None, None, 0.0, 0)
    monkeypatch.setattr(affine_centre, "solve_continuous", lambda *_: (none, "simplex"))
    found = cheapest_at_centre(first, SolveOptions())
    assert found.policy is first.policy and NOT_FOUND in found.decision.words


def test_parts_that_were_solved_apart_say_that_they_were_not_asked() -> None:
    program, deviations = sunny_slot()
    apart = replace(affine(program, deviations, first_stage=FIRM), optimum=None)
    found = cheapest_at_centre(apart, SolveOptions())
    assert found.policy is apart.policy and APART in found.decision.words
