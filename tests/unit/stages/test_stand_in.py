"""Which plan of a day before may stand in."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from pipeline.cases.load import load_case
from pipeline.stages import deciding
from pipeline.stages.opening import Run


def test_a_day_of_a_study_takes_no_plan_of_a_day_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """Days of a study run in any order, in parallel: what stands in must not depend on which are published."""
    case, looked = load_case("tiny"), cast("list[str]", [])
    monkeypatch.setattr(deciding.ledger, "current", lambda *place: looked.append(place[-1]))

    def look(*, independent: bool) -> Any:
        asked = SimpleNamespace(independent=independent, published_variant=lambda case: "default")
        run = SimpleNamespace(asked=asked, case=case, day=case.day(case.default_date), home=SimpleNamespace(warehouse=None), issued_at=0)
        return deciding._earlier(cast("Run", run))()

    assert look(independent=True) is None and not looked
    assert look(independent=False) is None and len(looked) == deciding.EARLIER_DAYS
