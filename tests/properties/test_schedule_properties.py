"""A re-dispatch always exists; more knowledge never costs more; what is settled balances."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.errors import NoSchedule
from pipeline.program.solve import SolveOptions
from pipeline.schedule.outlook import Outlook
from pipeline.schedule.real_time import redispatch, run_steps
from pipeline.schedule.settle import reality_of, settle, settled_day
from pipeline.schedule.yardsticks import no_redispatch, perfect_foresight
from tests.unit.schedule.test_bind import Word
from tests.unit.schedule.test_settle import network_sums
from tests.unit.schedule.tiny_day import setting

TINY = setting()
ROLLING = TINY.rolling()
DAY = TINY.count
DEVICES = [d.id for d in TINY.case.devices] + ["mg_f01_b04_tie", "grid"]


def scaled(outlook: Outlook, factors: list[float]) -> Outlook:
    return Outlook(outlook.series, outlook.values * np.array(factors)[:, None], outlook.envelopes)


factor_lists = st.lists(st.floats(0.0, 3.0), min_size=6, max_size=6)


@settings(max_examples=40)
@given(step=st.integers(1, 96), levels=st.lists(st.floats(0.0, 1.0), min_size=3, max_size=3), factors=factor_lists,
       out=st.lists(st.sampled_from(DEVICES), max_size=3, unique=True), came=factor_lists)
def test_a_redispatch_always_exists_and_what_is_settled_balances(step, levels, factors, out, came):
    """Any state, any outage, any load: an optimal dispatch, and a settled interval whose networks balance."""
    stores = [d for d in TINY.case.devices if d.kind == "store"]
    names = {f"{d.id}.energy_before_{'kwhth' if d.carrier == 'heat' else 'kwh'}": level * d.energy_max_kwh
             for d, level in zip(stores, levels, strict=True)}
    state = ROLLING.start.with_values(names)
    state = type(state)(**{**state.__dict__, "step": step})
    words = [Word(name, "out") for name in out]
    window = TINY.windows(scaled(TINY.truth(), factors), step, step)[0]
    dispatch, handed = redispatch(ROLLING, state, window, overrides=words)
    assert dispatch.source == "optimal", dispatch.findings
    truth = scaled(TINY.truth(), came)
    reality = reality_of(ROLLING.desk, truth, ROLLING.held.frozen, state, told=[words] * DAY)
    settled, after = settle(ROLLING.desk, dispatch.columns, handed, reality)
    day = settled_day(ROLLING.desk, [settled], reality)
    for (_, carrier), total in network_sums(ROLLING.desk, day.columns, day.inputs).items():
        if carrier != "reactive":
            assert np.abs(total).max() <= day.unmet.max() + 1e-7
    for store in stores:
        name = f"{store.id}.energy_before_{'kwhth' if store.carrier == 'heat' else 'kwh'}"
        assert -1e-6 <= after.value(name) <= store.energy_max_kwh + 1e-6
    assert np.isfinite(day.costs).all()


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("error", [0.02, 0.3])
def test_perfect_foresight_never_costs_more_than_rolling_or_than_holding(seed, error):
    came = TINY.truth(error=error, seed=seed)
    found = run_steps(ROLLING, ROLLING.start, TINY.windows(TINY.truth()), came)
    best = perfect_foresight(ROLLING, TINY.quarters, came).total
    held = no_redispatch(ROLLING, came).total
    tolerance = 1e-6 * max(1.0, abs(best))
    assert best <= found.settled.total + tolerance
    assert best <= held + tolerance


@settings(max_examples=15)
@given(factors=factor_lists, seed=st.integers(0, 99), first=st.integers(1, 90))
def test_perfect_foresight_bounds_days_that_nobody_expected(factors, seed, first):
    """Loads up to three times the forecast, a device lost in mid-day."""
    words = [Word("f01_battery", "out", None, TINY.day.start + 900 * first)]
    came = scaled(TINY.truth(error=0.2, seed=seed), factors)
    held = no_redispatch(ROLLING, came, told=[words] * DAY)
    best = perfect_foresight(ROLLING, TINY.quarters, came, told=[words] * DAY).total
    if held.unmet.max() < 1e-8:
        assert best <= held.total + 1e-6 * max(1.0, abs(held.total))


def test_a_word_that_is_said_late_binds_all_three_alike():
    """A battery is lost from step 9 on, which is said at step 41 only, and works again from step 61 on: foresight is no worse off."""
    came = TINY.truth(error=0.02)
    words = [Word("f01_battery", "out", None, TINY.day.start + 900 * 8, TINY.day.start + 900 * 60)]
    told = [words if step >= 41 else [] for step in range(1, DAY + 1)]
    found = run_steps(ROLLING, ROLLING.start, TINY.windows(came), came, overrides=told)
    best = perfect_foresight(ROLLING, TINY.quarters, came, told=told)
    held = no_redispatch(ROLLING, came, told=told)
    assert best.total <= found.settled.total + 1e-6
    assert best.total <= held.total + 1e-6
    battery = ROLLING.desk.roster.stores.discharge[0], ROLLING.desk.roster.stores.charge[0]
    assert not found.settled.columns[40:60, battery].any()
    assert held.columns[8:40, battery].any()


def test_an_incumbent_is_no_bound():
    with pytest.raises(NoSchedule, match="time_limit"):
        perfect_foresight(ROLLING, TINY.quarters, TINY.truth(), options=SolveOptions(time_limit_s=0.0))
