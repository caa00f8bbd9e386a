"""What ended a search: its gap, its time limit, or something else that is said."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.program.solve import Status
from pipeline.uncertainty.two_stage import Decision, Lower, concluded


@pytest.mark.parametrize(("gap_share", "left_s", "proven", "status", "ended"), [
    (0.1, 5.0, True, Status.optimal, False), (0.1, 0.0, True, Status.optimal, False),
    (0.01, 0.0, True, Status.time_limit, False), (0.01, -1.0, True, Status.time_limit, False),
    (0.01, 5.0, True, Status.time_limit, True), (0.1, 5.0, False, Status.time_limit, True),
])  # fmt: skip
def test_only_a_proven_gap_is_optimal_and_only_the_end_of_time_is_left_unsaid(gap_share, left_s, proven, status, ended):
    found = Decision(np.zeros(1), 105.0, 100.0, Status.failed, "decomposition", words="as found", proven=proven)
    found = concluded(found, gap_share=gap_share, left_s=left_s, how="after 3 tries")
    assert found.status is status and bool(found.ended) == ended
    assert ("after 3 tries" in found.ended) == ended
    assert found.words == (f"as found; {found.ended}" if ended else "as found")


def test_of_lower_bounds_the_higher_stays_with_its_own_words():
    first = Lower().or_higher(1.0, "granted")
    assert first == Lower(1.0, "granted")
    assert first.or_higher(2.0, "") == Lower(2.0, "") and first.or_higher(2.0, "more") == Lower(2.0, "more")
    assert first.or_higher(0.5, "") == first and first.or_higher(0.5, "more") == first
    assert first.or_higher(1.0, "") == Lower(1.0, "") and Lower(1.0).or_higher(1.0, "granted") == Lower(1.0)
