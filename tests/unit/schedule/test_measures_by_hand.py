"""What a case's settings make of three outcomes that cost 24, 48 and 144: worked by hand, through `plan_day`.

A load of 10, 20 or 60 kW over a day is bought at .1 per kWh, whatever is decided: weights .5, .4 and .1, a mean of 45.6. A deviation from
the position costs next to nothing, so that there is a first stage.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pipeline.cases.settings import Cvar, Settings, Stochastic, Wasserstein
from pipeline.equipment import Demand
from pipeline.physics.horizon import Horizon
from pipeline.program.cached import compiled
from pipeline.schedule.day_ahead import plan_day
from pipeline.schedule.outlook import Outlook
from pipeline.schedule.treatments import Spread
from tests.helpers import case_of, market_tie

WEIGHTS = np.array([0.5, 0.4, 0.1])
LOADS_KW = (10.0, 20.0, 60.0)
APART = np.array([[0.0, 1.0, 2.0], [1.0, 0.0, 1.0], [2.0, 1.0, 0.0]])
TYPICAL = 1.0  # median distance of the sample


def objective(method: Any) -> float:
    """Money of the treatment's decision."""
    case = case_of(Demand(id="d", bus="plate", series="load"), settings=Settings(method=method),
                   ties=[market_tie(deviation_price_per_kwh=1e-11)])
    names = tuple(series.id for series in case.series)
    values = {name: np.zeros(24) for name in names} | {"price": np.full(24, 0.1)}
    outlooks = [Outlook(names, np.array([({**values, "load": np.full(24, load)})[name] for name in names])) for load in LOADS_KW]
    found = plan_day(case, case.day(case.default_date), compiled(case, Horizon(24, 1.0), cache_dir=None), outlooks, WEIGHTS,
                     spread=Spread(APART, TYPICAL))
    assert found.decision is not None and found.decision.gap <= 1e-6
    assert found.decision.costs == pytest.approx([24.0, 48.0, 144.0])
    return found.decision.objective


def test_the_mean() -> None:
    assert objective(Stochastic()) == pytest.approx(45.6)


@pytest.mark.parametrize(("aversion", "tail", "expected"), [
    (1.0, 0.1, 144.0),
    (1.0, 0.2, 96.0),  # half of the dearest fifth costs 144, half of it 48
    (0.5, 0.2, 70.8),
    (1.0, 0.4, 72.0),  # (.1 x 144 + .3 x 48) / .4
    (0.0, 0.1, 45.6),
])
def test_the_dearest_share(aversion: float, tail: float, expected: float) -> None:
    assert objective(Cvar(aversion_share=aversion, tail_share=tail)) == pytest.approx(expected)


@pytest.mark.parametrize(("radius", "expected"), [
    (0.0, 45.6),
    (0.1, 55.2),  # a tenth moves from 48 to 144, over a distance of 1
    (0.4, 84.0),  # all of it does
    (0.6, 96.0),  # and a tenth of the first, over 2, gains 12
    (1.4, 144.0), (20.0, 144.0),
])
def test_the_worst_law_within_a_radius(radius: float, expected: float) -> None:
    assert objective(Wasserstein(radius_share=radius)) == pytest.approx(expected)
    assert objective(Wasserstein(radius_share=radius, radius_basis="absolute", solution="monolith")) == pytest.approx(expected)
