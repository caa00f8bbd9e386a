"""Affine rules of a shipped case as they are published: no store charges and discharges at once, whatever comes inside the set."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pipeline.cases.load import load_case
from pipeline.physics.horizon import Horizon
from pipeline.program.cached import compiled
from pipeline.program.solve import SolveOptions
from pipeline.schedule import guarding
from pipeline.schedule.affine_day import AffineProblem, affine_day
from pipeline.schedule.day_ahead import DayAhead, plan_day
from pipeline.schedule.desk import Desk
from pipeline.schedule.exclusive import BOTH_KW, pairs_of
from pipeline.schedule.outlook import Outlook
from pipeline.uncertainty.affine import AffineDecision
from pipeline.uncertainty.affine_centre import cheapest_at_centre
from pipeline.uncertainty.affine_check import extreme_points
from tests.papers.test_hydrogen_affine import decided, problem


def _hydrogen_plan() -> DayAhead:
    case = load_case("hydrogen_microgrids")
    outlook = Outlook(tuple(series.id for series in case.series), np.array([series.by_local_hour for series in case.series]), {})
    return plan_day(case, case.day(case.default_date), compiled(case, Horizon(24, 1.0), cache_dir=None), [outlook], np.ones(1))


def test_what_is_said_of_the_free_rules_stays_beside_the_bound_that_is_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Their integers may be those of a schedule where the directed rules' are branched on: the record names both."""
    said = iter(["these integers were tried", "and these"])

    def wordy(desk: Desk, asked: AffineProblem, options: SolveOptions | None = None) -> AffineDecision:
        found = affine_day(desk, asked, options)
        return replace(found, decision=replace(found.decision, words=next(said)))

    monkeypatch.setattr(guarding, "affine_day", wordy)
    decision = _hydrogen_plan().decision
    assert decision is not None and decision.words.startswith("and these; in every step each store moves in the direction")
    assert decision.words.endswith("the lower bound is that of rules without set directions: these integers were tried")


def test_off_the_nominal_schedule_no_pair_of_the_hydrogen_case_moves_both_ways() -> None:
    plan = _hydrogen_plan()
    pairs, points = pairs_of(plan.desk), extreme_points(problem().deviations, 300, seed=4)
    assert plan.policy is not None and plan.decision is not None
    followed = plan.policy.evaluate(points)
    assert np.minimum(followed[:, pairs.charge], followed[:, pairs.discharge]).max() <= BOTH_KW
    free = decided()
    loose = free.policy.evaluate(points)
    assert np.minimum(loose[:, pairs.charge], loose[:, pairs.discharge]).max() > 1.0  # what the rules would do without
    assert free.decision.objective <= plan.decision.objective <= (1 + 1e-5) * free.decision.objective  # 8e-4 with any optimum's directions
    assert "direction of the nominal schedule" in plan.decision.words


@pytest.mark.parametrize(("seconds", "order"), [(0.0, ["rules", "centre", "rules", "centre"]), (1e9, ["rules", "rules", "centre"])])
def test_directions_come_first_where_little_time_is_left(monkeypatch: pytest.MonkeyPatch, seconds: float, order: list[str]) -> None:
    """A first program of most of the time limit leaves no time for the optimum that costs least: without directions a day is degraded."""
    called: list[str] = []

    def slow(desk: Desk, asked: AffineProblem, options: SolveOptions | None = None) -> AffineDecision:
        called.append("rules")
        found = affine_day(desk, asked, options)
        return replace(found, decision=replace(found.decision, seconds=seconds))

    def centre(found: AffineDecision, options: SolveOptions) -> AffineDecision:
        called.append("centre")
        return cheapest_at_centre(found, options)

    monkeypatch.setattr(guarding, "affine_day", slow)
    monkeypatch.setattr(guarding, "cheapest_at_centre", centre)
    plan = _hydrogen_plan()
    assert called == order
    assert plan.decision is not None and "direction of the nominal schedule" in plan.decision.words
