"""Settings of the wrong type are refused in words that a person can follow."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from pipeline.cases.settings import Settings


@pytest.mark.parametrize(("given", "said"), [
    ({"method": {"kind": "wasserstein", "radius_share": True}}, "true is neither a number"),
    ({"method": {"kind": "stochastic", "draw_count": True}}, "true is neither a number"),
    ({"solver_time_limit_s": True}, "true is neither a number"),
    ({"method": "stochastic"}, r"write it as \{kind: stochastic\}"),
    ({"budgeted_prices": 0.2}, r"write it as \{budget_share: 0.2\}")])
def test_a_wrong_type_is_refused_with_the_remedy(given: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Settings.model_validate(given)


def test_whole_numbers_and_flags_stay_fine() -> None:
    method = {"kind": "box_robust", "budget_share": 1, "early_departures": True}
    found = Settings.model_validate({"method": method, "solver_time_limit_s": 60})
    assert found.solver_time_limit_s == 60.0
