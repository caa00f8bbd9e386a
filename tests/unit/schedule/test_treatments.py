"""What a treatment's decision says once every scenario was met with it."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.cases.settings import Cvar, Sampled, Stochastic
from pipeline.program.solve import Status
from pipeline.schedule.day_ahead import plan_day
from pipeline.schedule.outlook import coarsen
from pipeline.schedule.solving import Met
from pipeline.schedule.treatments import _as_met
from pipeline.uncertainty import choose
from pipeline.uncertainty.measure import Expectation
from pipeline.uncertainty.two_stage import Decision
from tests.unit.schedule.tiny_day import QUIET, Setting, setting

WEIGHTS = np.array([0.5, 0.5])


def met(lower: float) -> Decision:
    """A decision that was said to cost 100, and costs 102 with the recourse that is published."""
    costs = np.array([101.0, 103.0])
    return _as_met(Decision(np.zeros(1), 100.0, lower, Status.optimal, "interior_point"),
                   Met(np.zeros((2, 1)), None, costs, costs), Expectation(), WEIGHTS)


def test_the_objective_is_that_of_the_recourse_that_is_published() -> None:
    assert met(100.0).objective == pytest.approx(102.0)
    assert met(100.0).costs == pytest.approx([101.0, 103.0]) and met(100.0).law == pytest.approx(WEIGHTS)


def test_a_bound_is_the_objective_only_where_a_solver_s_tolerance_lies_between() -> None:
    assert met(100.0).lower == 100.0 and met(100.0).gap == pytest.approx(0.02)
    assert met(102.0 * (1 - 1e-5)).gap == pytest.approx(1e-5, rel=1e-3)
    assert met(102.0 * (1 - 5e-7)).gap == 0.0
    assert met(102.5).lower == met(102.5).objective
    assert met(-np.inf).lower == -np.inf and met(-np.inf).gap == np.inf


@pytest.mark.parametrize("kind", [Stochastic, Cvar])
def test_the_gap_of_the_run_settings_is_what_decomposition_proves(kind: type[Sampled], monkeypatch: pytest.MonkeyPatch) -> None:
    """Forced to decompose: a tighter setting ends at a tighter proven gap."""
    monkeypatch.setattr(choose, "BIG", 10)
    name = "networked_microgrids_66"
    loose, tight = (decided(setting(name, method=kind(gap_share=share))) for share in (1e-2, 2e-6))
    assert loose.way == tight.way == "decomposition"
    assert loose.iterations[-1].gap <= 1e-2 and tight.iterations[-1].gap <= 2e-6 < loose.iterations[-1].gap
    assert tight.lower > loose.lower


def decided(given: Setting) -> Decision:
    """Two outlooks a tenth apart, under the case's method."""
    outlooks = [coarsen(given.truth(error=0.1, seed=seed), 4) for seed in (1, 2)]
    found = plan_day(given.case, given.day, given.hourly, outlooks, WEIGHTS, options=QUIET).decision
    assert found is not None
    return found
