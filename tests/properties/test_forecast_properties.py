"""What holds for every fleet and every set of draws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.clock import DeliveryDay
from pipeline.equipment import EvFleet
from pipeline.forecast.ev import fleet_envelopes
from pipeline.forecast.visits import Visits
from pipeline.scenarios.moments import match_moments
from pipeline.store.sessions import NEVER
from tests.unit.forecast.test_ev import DAY

TODAY = DeliveryDay(DAY, "Europe/Berlin")
FLEET = EvFleet(id="ev", bus="plate", vehicle_count=5, charger_kw=3.3, battery_kwh=24, charge_efficiency_share=0.9, departure_hours=(6, 20))

stays = st.lists(st.tuples(st.integers(-40_000, 80_000), st.integers(0, 300_000), st.floats(0, 90)), min_size=1, max_size=9)


@given(stays)
@settings(max_examples=60, deadline=None)
def test_envelopes_grow_and_charging_at_once_reaches_the_upper_one(rows: list[tuple[int, int, float]]) -> None:
    arrival = np.array([TODAY.start + row[0] for row in rows], np.int64)
    length, need_kwh = np.array([row[1] for row in rows]), np.array([row[2] for row in rows])
    names = np.arange(len(rows)).astype(str)
    visits = Visits(names, arrival, arrival + length, need_kwh, np.full(len(rows), 3.3), arrival, np.full(len(rows), NEVER),
                    np.ones(len(rows)))
    power, low, high, beyond = fleet_envelopes(FLEET, visits, TODAY)
    assert np.all(low <= high + 1e-6)
    assert power.sum(axis=0).max() <= FLEET.vehicle_count * FLEET.charger_kw + 1e-6
    assert np.all(np.diff(low, axis=1) >= -1e-6)
    assert np.all(np.diff(high, axis=1) >= -1e-6)
    assert np.all(power >= 0)
    gain = 0.9 * 0.25 * power
    assert np.all(np.diff(high, axis=1, prepend=0) <= gain + 1e-6)  # the highest path never needs more than the power offered
    assert low[:, -1] == pytest.approx(high[:, -1])  # by the end all that can be charged is owed
    inside = (arrival >= TODAY.start) & (arrival + length <= TODAY.end)
    assert low[:, -1].sum() + beyond[:, -1].sum() >= visits.need_kwh[inside].sum() - 1e-6
    assert low[:, -1].sum() + beyond[:, -1].sum() <= visits.need_kwh.sum() + 1e-6


@given(st.integers(2, 6), st.integers(0, 1000))
@settings(max_examples=30, deadline=None)
def test_matched_representatives_stay_in_range_and_keep_the_mean(count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    draws = rng.gamma(2.0, size=(100, 2, 8))
    weights = rng.dirichlet(np.ones(count))
    found = match_moments(draws[:count], weights, draws)
    assert np.all(found >= draws.min(axis=0) - 1e-12)
    assert np.all(found <= draws.max(axis=0) + 1e-12)
    centre = np.tensordot(weights, found, axes=1)
    if weights.min() > 0.15:
        assert centre == pytest.approx(draws.mean(axis=0), abs=0.35 * draws.std(axis=0).max())
