"""Affine rules of a shipped case as they are published: no store charges and discharges at once, whatever comes inside the set."""

from __future__ import annotations

import numpy as np

from pipeline.cases.load import load_case
from pipeline.physics.horizon import Horizon
from pipeline.program.cached import compiled
from pipeline.schedule.day_ahead import plan_day
from pipeline.schedule.exclusive import BOTH_KW, pairs_of
from pipeline.schedule.outlook import Outlook
from pipeline.uncertainty.affine_check import extreme_points
from tests.papers.test_hydrogen_affine import decided, problem


def test_off_the_nominal_schedule_no_pair_of_the_hydrogen_case_moves_both_ways() -> None:
    case = load_case("hydrogen_microgrids")
    outlook = Outlook(tuple(series.id for series in case.series), np.array([series.by_local_hour for series in case.series]), {})
    plan = plan_day(case, case.day(case.default_date), compiled(case, Horizon(24, 1.0), cache_dir=None), [outlook], np.ones(1))
    pairs, points = pairs_of(plan.desk), extreme_points(problem().deviations, 300, seed=4)
    assert plan.policy is not None and plan.decision is not None
    followed = plan.policy.evaluate(points)
    assert np.minimum(followed[:, pairs.charge], followed[:, pairs.discharge]).max() <= BOTH_KW
    free = decided()
    loose = free.policy.evaluate(points)
    assert np.minimum(loose[:, pairs.charge], loose[:, pairs.discharge]).max() > 1.0  # what the rules would do without
    assert free.decision.objective <= plan.decision.objective <= 1.001 * free.decision.objective
    assert "direction of the nominal schedule" in plan.decision.words
