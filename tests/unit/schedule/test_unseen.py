"""A first stage met with scenarios that it was not planned for, against the bound of each."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from pipeline.physics.horizon import Horizon
from pipeline.program.cached import compiled
from pipeline.schedule import solving
from pipeline.schedule.day_ahead import plan_day
from pipeline.schedule.outlook import Outlook, coarsen
from pipeline.schedule.unseen import PENALTY, _slacks, commitments, meet_unseen, wait_and_see
from tests.helpers import case_of, compiled_sample
from tests.unit.schedule.tiny_day import QUIET, Setting, setting

OTHERS = range(1, 4)


@pytest.fixture(scope="module")
def two_price() -> Setting:
    return setting("tiny", "two_price")


def outlooks(of: Setting) -> list[Outlook]:
    return [coarsen(of.truth(error=0.2, seed=seed), 4) for seed in OTHERS]


def test_perfect_foresight_is_below_every_plan_in_every_scenario(two_price: Setting) -> None:
    perfect = wait_and_see(two_price.case, two_price.day, two_price.hourly, outlooks(two_price))
    for plan in (two_price.plan(), two_price.plan(*[two_price.truth(error=0.2, seed=seed) for seed in (7, 8)])):
        met = meet_unseen(two_price.case, two_price.day, two_price.hourly, plan.first, outlooks(two_price))
        assert (perfect <= met.costs + 1e-6 * np.abs(met.costs)).all()
        assert (met.costs - perfect > 1e-3).any()


def test_a_plan_meets_its_own_scenario_at_the_bound(two_price: Setting) -> None:
    own = two_price.truth(error=0.2, seed=1)
    plan = two_price.plan(own)
    met = meet_unseen(two_price.case, two_price.day, two_price.hourly, plan.first, [coarsen(own, 4)])
    perfect = wait_and_see(two_price.case, two_price.day, two_price.hourly, [coarsen(own, 4)])
    assert met.costs[0] == pytest.approx(plan.objective, rel=1e-7)
    assert perfect[0] == pytest.approx(plan.objective, rel=1e-7)


def test_what_is_shed_is_counted_in_kwh_and_priced(two_price: Setting) -> None:
    """Load a hundred times the forecast: what the feeder cannot bring is shed, and the penalty holds it at its price."""
    high = two_price.truth()
    loads = [i for i, series in enumerate(two_price.case.series) if series.kind == "load"]
    values = high.values.copy()
    values[loads] *= 100
    heavy = coarsen(Outlook(high.series, values, high.envelopes), 4)
    plan = two_price.plan()
    met = meet_unseen(two_price.case, two_price.day, two_price.hourly, plan.first, [coarsen(high, 4), heavy])
    assert met.shed_kwh[0] == 0.0 and met.penalty_cost[0] == pytest.approx(0.0, abs=1e-6)
    assert met.shed_kwh[1] > 100.0
    price = two_price.case.settings.slack_price_per_kwh
    assert met.penalty_cost[1] >= price * met.shed_kwh[1] * (1 - 1e-9)
    assert met.costs[1] > met.penalty_cost[1]


def test_what_meeting_warns_of_comes_with_the_costs(two_price: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    plan, seen = two_price.plan(), outlooks(two_price)[:2]
    quiet = meet_unseen(two_price.case, two_price.day, two_price.hourly, plan.first, seen)
    monkeypatch.setattr(solving, "solve_exclusively", lambda desk, pairs, inputs, solution, options: (solution, -1))
    met = meet_unseen(two_price.case, two_price.day, two_price.hourly, plan.first, seen)
    assert quiet.findings == ()
    assert [(one.severity, one.check, one.place) for one in met.findings] == [
        ("warning", "simultaneous_charging", "scenario 1"), ("warning", "simultaneous_charging", "scenario 2")]


def test_energies_are_of_the_step_of_the_program(two_price: Setting) -> None:
    """Quarter-hours: what is shed of four of them is an hour's energy, and costs its price per kWh."""
    case, day = two_price.case, two_price.day
    program = compiled(case, Horizon(day.steps(), 0.25), cache_dir=None)
    high = two_price.truth()
    loads = [i for i, series in enumerate(case.series) if series.kind == "load"]
    values = high.values.copy()
    values[loads] *= 100
    heavy = Outlook(high.series, values, high.envelopes)
    quarters = meet_unseen(case, day, program, plan_day(case, day, program, [high], np.ones(1), options=QUIET).first, [heavy])
    hours = meet_unseen(case, day, two_price.hourly, two_price.plan().first, [coarsen(heavy, 4)])
    assert quarters.shed_kwh[0] == pytest.approx(hours.shed_kwh[0], rel=0.02)
    assert quarters.penalty_cost[0] >= case.settings.slack_price_per_kwh * quarters.shed_kwh[0] * (1 - 1e-9)


def test_commitments_are_read_unit_by_unit() -> None:
    program, _ = compiled_sample(case_of(), positions=3)
    assert commitments(program, ("*.schedule_kw", "*.on_share"), np.zeros(len(program.columns_like(("*.schedule_kw", "*.on_share"))))) == {}


def test_energy_that_aggregators_lack_is_unserved_and_surplus_is_apart() -> None:
    """Quarter-hours: a power lasts a quarter of an hour, an energy is whole."""
    names = ("a.ev_slack_kwh[1]", "a.ev_surplus_kwh[1]", "f.unserved_kwh[c,1]", "d.shed_kw[1]")
    program = SimpleNamespace(terms=(PENALTY,), column_term=np.zeros(4, dtype=int), column_names=names, step_h=0.25, cost=np.full(4, 10.0))
    met = _slacks(SimpleNamespace(program=program), np.array([[3.0, 5.0, 7.0, 8.0]]), np.zeros(1))  # type: ignore[arg-type]
    assert (met.unserved_kwh[0], met.other_slack_kwh[0], met.shed_kwh[0]) == (10.0, 5.0, 2.0)
