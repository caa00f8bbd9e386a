"""What is said of a decision for a box: what its bound rests on, and what it takes for granted."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.program.solve import Status
from pipeline.schedule.guarding import _over_the_box
from pipeline.uncertainty.box_robust import Robust
from pipeline.uncertainty.two_stage import Decision, Iteration


@pytest.mark.parametrize(("searched", "promised", "said"), [
    (True, np.inf, ""), (False, np.inf, "no rule was found in time that meets every deviation; "),
    (False, 12.0, "keep every deviation of the box below the objective; "),
])  # fmt: skip
def test_what_the_master_takes_for_granted_stays_beside_what_the_bound_rests_on(searched, promised, said):
    decision = Decision(np.zeros(1), 11.0, 10.0, Status.optimal, "column_and_constraint", costs=np.array([11.0]),
                        iterations=(Iteration(1, 10.0, 11.0, 0.0),), words="2 columns granted")
    found = _over_the_box(Robust(decision, np.zeros((1, 1)), np.zeros((1, 1)), (), searched, promised))
    assert found.words.endswith(f"{said}2 columns granted") and found.words.count("granted") == 1
