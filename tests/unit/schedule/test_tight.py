"""The nominal schedule of affine rules is published without the room that rules keep in what is only counted."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.cases.settings import Affine, HalfWidths
from tests.unit.schedule.tiny_day import setting


@pytest.mark.parametrize("memory_steps", [0, 2])
def test_an_exchange_deviates_from_its_position_one_way_at_the_forecast(memory_steps: int) -> None:
    """Rules raise both deviations of a tie where either may come: the cost of the forecast is that of the difference alone."""
    widths = HalfWidths(load_share=0.2, pv_share=0.4, wind_share=0.4)
    plan = setting(variant="two_price", method=Affine(half_widths=widths, budget_share=0.5, memory_steps=memory_steps)).plan()
    columns, ties = plan.columns[0], plan.desk.roster.ties
    up, down = columns[:, ties.up[ties.up >= 0]], columns[:, ties.down[ties.up >= 0]]
    assert np.minimum(up, down).max() == pytest.approx(0.0, abs=1e-9)
    assert (up - down) == pytest.approx(columns[:, ties.exchange[ties.up >= 0]] - columns[:, ties.schedule_column[ties.up >= 0]], abs=1e-6)


def test_no_wind_is_curtailed_at_the_forecast_for_a_deviation_that_does_not_come() -> None:
    """At the worst deviation the day costs 33.67: whatever cost no more at the forecast was as good, such as curtailing wind."""
    plan = setting(method=Affine()).plan()
    assert plan.decision is not None and plan.decision.objective == pytest.approx(plan.decision.lower, rel=1e-6)
    assert plan.objective < plan.decision.objective - 50
    curtailed = plan.columns[0][:, plan.desk.roster.sources.curtailed]
    assert curtailed.sum() < 0.02 * plan.inputs[0][:, plan.desk.roster.sources.available].sum()
