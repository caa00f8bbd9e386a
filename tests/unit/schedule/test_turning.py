"""Stores that ramp: settlement pushes none of them so far that it cannot stop at its limits or at the day's end."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pipeline.schedule.desk import Desk, open_desk
from pipeline.schedule.real_time import open_day, run_steps
from pipeline.schedule.turning import turning_range
from pipeline.schedule.yardsticks import no_redispatch
from tests.robust_day import RobustDay, robust_case


def _desk() -> Desk:
    day = RobustDay(robust_case("deterministic"))
    return open_desk(day.case, day.day, day.window)


def _range(desk: Desk, *, energy: float, low: float, high: float, end: float | None = None, quarters: int = 3) -> tuple[float, float]:
    """Of es1 (190 kW a quarter, 1520 kW, efficiency .95), between limits of energy and an energy to end with."""
    stores = replace(desk.roster.stores, names=("es1",), **{
        name: getattr(desk.roster.stores, name)[:1] for name in (
            "network", "charge", "discharge", "energy", "short", "over", "below", "above", "energy_low", "energy_high", "power_low",
            "power_high", "before", "kept", "gain", "drain", "ramp")})
    rows = np.zeros((quarters, len(desk.layout.inputs.labels)))
    rows[:, stores.power_low], rows[:, stores.power_high] = -1520.0, 1520.0
    rows[:, stores.energy_low], rows[:, stores.energy_high] = low, high
    if end is not None:
        rows[-1, [stores.energy_low[0], stores.energy_high[0]]] = end
    state = np.zeros(len(desk.binder.state_names))
    state[stores.before] = energy
    found = turning_range(stores, desk.roster.ramps, rows, rows[0], state)
    return float(found[0][0]), float(found[1][0])


def test_the_day_s_end_binds_what_may_be_charged_two_quarters_before() -> None:
    # 124.2125 kWh are missing: 523 kW for a quarter in two, and the second may be 190 kW less than the first.
    low, high = _range(_desk(), energy=1395.7875, low=304.0, high=2736.0, end=1520.0, quarters=2)
    assert low == pytest.approx(-(523.0 + 190.0) / 2)
    assert high == pytest.approx(-(523.0 - 190.0) / 2)


def test_a_nearly_full_store_is_not_pushed_beyond_what_its_ramp_can_stop() -> None:
    # 45.125 kWh of room: 190 kW now are 45.125 kWh and nothing after, 190 kW less each quarter.
    low, high = _range(_desk(), energy=2736.0 - 45.125, low=304.0, high=2736.0)
    assert (low, high) == (pytest.approx(-190.0), pytest.approx(1520.0))


def test_a_nearly_empty_store_is_not_pushed_beyond_what_its_ramp_can_stop() -> None:
    low, high = _range(_desk(), energy=304.0 + 50.0, low=304.0, high=2736.0)  # 190 kW for a quarter take 50 kWh
    assert (low, high) == (pytest.approx(-1520.0), pytest.approx(190.0))


def test_far_from_every_limit_nothing_binds() -> None:
    assert _range(_desk(), energy=1520.0, low=304.0, high=2736.0, quarters=1) == (-1520.0, 1520.0)


def test_a_store_that_is_too_late_turns_as_fast_as_it_can() -> None:
    low, _ = _range(_desk(), energy=2800.0, low=304.0, high=2736.0, quarters=1)
    assert low > 0


@pytest.mark.parametrize(("variant", "seed"), [("ptdf", 2), ("deterministic", 3)])
def test_no_store_breaks_its_ramp_where_settlement_moves_it(variant: str, seed: int) -> None:
    day = RobustDay(robust_case(variant))
    rolling = open_day(day.case, day.day, day.window, day.plan().plan)
    run = run_steps(rolling, rolling.start, day.windows(), day.came(seed=seed))
    ramps, stores = rolling.desk.roster.ramps, rolling.desk.roster.stores
    assert run.settled.columns[:, ramps.excess].max() <= 1e-6
    assert run.settled.columns[-1, stores.energy] == pytest.approx([1520.0, 1850.0], abs=1e-6)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_without_redispatch_the_stores_still_end_the_day_as_they_must(seed: int) -> None:
    """Or as near as they come: what a held plan has charged too much by then, a store gives with all that its ramp and its limit allow."""
    day = RobustDay(robust_case("deterministic"))
    rolling = open_day(day.case, day.day, day.window, day.plan().plan)
    columns, stores = no_redispatch(rolling, day.came(seed=seed)).columns, rolling.desk.roster.stores
    devices = [next(one for one in day.case.devices if one.id == name) for name in stores.names]
    ramp_kw, limit_kw = np.array([(one.ramp_kw_per_h * 0.25, one.discharge_max_kw) for one in devices]).T
    given = columns[:, stores.discharge] - columns[:, stores.charge]
    all_given = (given[-1] - given[-2] >= ramp_kw - 1e-6) | (given[-1] >= limit_kw - 1e-6)
    over = columns[-1, stores.energy] - [1520.0, 1850.0]
    assert (over >= -1e-6).all() and ((over <= 1e-6) | all_given).all()
