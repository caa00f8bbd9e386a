"""What is asked of a case is checked in the words of its run settings, before anything is solved."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.cases.settings import Affine, BoxRobust, BudgetedPrices, HalfWidths, Stochastic
from pipeline.core.errors import InputError
from pipeline.equipment import Demand, Generator, Store
from pipeline.equipment.generator import Commitment
from pipeline.physics.horizon import Horizon
from pipeline.program.cached import compiled
from pipeline.schedule.carrying import check_first_stage, check_treatment
from pipeline.schedule.day_ahead import plan_day
from pipeline.schedule.desk import open_desk
from pipeline.schedule.guarding import protect_prices
from pipeline.schedule.outlook import Outlook
from pipeline.schedule.solving import work_on
from pipeline.schedule.treatments import _worth
from pipeline.schedule.worth import dearest_supply_per_kwh
from tests.helpers import case_of
from tests.unit.schedule.tiny_day import setting


def test_a_pattern_that_matches_nothing_is_named():
    with pytest.raises(InputError, match=r"settings.first_stage: '\*.shedule_kw' matches no column"):
        setting(first_stage=("*.shedule_kw",)).plan()


def test_units_are_switched_before_the_scenario_is_known():
    unit = Generator(id="g", bus="plate", power_max_kw=100, power_min_kw=30, cost_linear_per_kwh=0.1,
                     commitment=Commitment(start_cost=5, stop_cost=1, min_up_h=1, min_down_h=1))
    case = case_of(unit, Demand(id="d", bus="plate", series="load"))
    settings = case.settings.model_copy(update={"first_stage": ("*.schedule_kw",), "method": Stochastic()})
    changed = case.model_copy(update={"settings": settings})
    desk = open_desk(changed, changed.day(changed.default_date), compiled(changed, Horizon(24, 1.0), cache_dir=None))
    check_first_stage(desk, scenarios=1)
    with pytest.raises(InputError, match=r"g.on_share .*decided anew in every scenario"):
        check_first_stage(desk, scenarios=2)


def test_a_position_is_taken_before_the_scenario_is_known():
    """With an empty first stage the day is solved, and the gate finds as many positions as scenarios."""
    tiny = setting(variant="two_price", first_stage=(), method=Stochastic())
    desk = open_desk(tiny.case, tiny.day, tiny.hourly)
    with pytest.raises(InputError, match=r"settings.first_stage: \S+.schedule_kw .*decided anew .*add '\*.schedule_kw'"):
        check_treatment(desk)


@pytest.mark.parametrize(("method", "refused"), [
    (Affine(half_widths=HalfWidths(other_share=0.1)), True), (Affine(half_widths=HalfWidths(source="empirical")), True),
    (Affine(budget_share=0), False), (Affine(half_widths=HalfWidths(other_share=0)), False),
])  # fmt: skip
def test_a_unit_that_would_be_switched_by_rule_is_refused_before_anything_is_solved(method, refused):
    unit = Generator(id="g", bus="plate", power_max_kw=100, power_min_kw=30, cost_linear_per_kwh=0.1,
                     commitment=Commitment(start_cost=5, stop_cost=1, min_up_h=1, min_down_h=1))
    case = case_of(unit, Demand(id="d", bus="plate", series="load"))
    settings = case.settings.model_copy(update={"first_stage": ("*.schedule_kw",), "method": method})
    changed = case.model_copy(update={"settings": settings})
    desk = open_desk(changed, changed.day(changed.default_date), compiled(changed, Horizon(24, 1.0), cache_dir=None))
    if refused:
        with pytest.raises(InputError, match=r"g.on_share\S+ is a whole number that would have to follow deviations"):
            check_treatment(desk)
    else:
        check_treatment(desk)


def test_a_rule_looks_no_further_back_than_the_day_reaches():
    with pytest.raises(InputError, match=r"settings.method.memory_steps: .*take at most 23"):
        setting(method=Affine(memory_steps=24)).plan()


def test_prices_cannot_be_guarded_where_there_are_none():
    case = case_of(Demand(id="d", bus="plate", series="load"), ties=(), balancing_tie=None)
    case = case.model_copy(update={"settings": case.settings.model_copy(update={"budgeted_prices": BudgetedPrices()})})
    desk = open_desk(case, case.day(case.default_date), compiled(case, Horizon(24, 1.0), cache_dir=None))
    with pytest.raises(InputError, match=r"settings.budgeted_prices.*no price series"):
        protect_prices(desk, Outlook(("load",), np.zeros((1, 24))), np.zeros(len(desk.program.input_names)))


def test_stored_energy_is_worth_the_dearest_supply_where_no_market_says():
    unit = Generator(id="g", bus="plate", power_max_kw=50, cost_linear_per_kwh=0.2, cost_quadratic_per_kw2h=0.001)
    assert dearest_supply_per_kwh(case_of(unit)) == pytest.approx(0.3)


def test_rules_publish_cost_curves_filled_from_the_cheapest_segment_on():
    """Rules leave room in every segment; what is published is the same power in merit order, which a checker prices the same."""
    unit = Generator(id="g", bus="plate", power_max_kw=100, cost_linear_per_kwh=0.1, cost_quadratic_per_kw2h=0.002, segment_count=4)
    store = Store(id="b", bus="plate", charge_max_kw=20, discharge_max_kw=20, charge_efficiency_share=0.9, discharge_efficiency_share=0.9,
                  energy_max_kwh=40, energy_initial_kwh=20)
    case = case_of(unit, store, Demand(id="d", bus="plate", series="load"))
    series = tuple(one.model_copy(update={"kind": "load"}) if one.id == "load" else one for one in case.series)
    method = Affine(half_widths=HalfWidths(load_share=0.3), budget_share=1.0)
    case = case.model_copy(update={"series": series, "settings": case.settings.model_copy(update={"method": method})})
    values = np.array([np.full(24, {"load": 80.0, "price": 0.9}.get(one.id, 0.0)) for one in series])
    found = plan_day(case, case.day(case.default_date), compiled(case, Horizon(24, 1.0), cache_dir=None),
                     [Outlook(tuple(one.id for one in series), values)], np.ones(1))
    segments = found.columns[0][:, found.desk.roster.generators.segment[0]]
    assert (segments.sum(axis=1) > 1).any()
    assert ((segments[:, 1:] < 1e-9) | (segments[:, :-1] > 25 - 1e-9)).all()
    assert found.objective == pytest.approx(float(found.costs.sum()), rel=1e-9)


@pytest.mark.parametrize("held", ["*.charge_kw", "*.discharge_kw"])
def test_a_store_with_one_way_decided_ahead_never_goes_both_ways(held):
    """Charging is held and discharging answers the scenario: more sun than planned would otherwise be met by discharging less."""
    day = setting(first_stage=("*.schedule_kw", held), method=Stochastic())
    found = day.plan(*(day.truth(error=0.5, seed=seed) for seed in range(3)))
    stores = found.desk.roster.every_store[0]
    charge, discharge = (np.array([found.columns[s][:, which] for s in range(3)]) for which in (stores.charge, stores.discharge))
    assert charge.max() > 1 and discharge.max() > 1
    assert np.minimum(charge, discharge).max() <= 1e-6


WRONG = {
    "nothing of this name": ({"first_stage": ("*.shedule_kw",)}, r"settings.first_stage: '\*.shedule_kw' matches no column"),
    "nothing to hold": ({"held_in_real_time": ("x.*",)}, r"settings.held_in_real_time: 'x.\*' matches no column"),
    "more held than can be": ({"held_in_real_time": ("*.schedule_kw", "*.charge_kw")}, r"'\*.charge_kw' holds f01_battery.charge_kw, and"),
    "a price times itself": ({"first_stage": ("grid.exchange_kw",)}, r"grid.exchange_kw\[1\]: costs grid.price_per_kwh"),
    "fewer draws than representatives": ({"method": Stochastic(draw_count=3, representative_count=4)}, "settings.method.draw_count: 4 rep"),
    "nobody to leave": ({"method": BoxRobust(early_departures=True)}, "early_departures: no vehicle of the case can leave early"),
    "a memory beyond the day": ({"method": Affine(memory_steps=24)}, "at most the number of steps less one: take at most 23"),
    "an uncertain price": ({"method": Affine(half_widths=HalfWidths(price_share=0.1))}, "half_widths.price_share: affine cannot"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_a_night_would_refuse_is_found_by_a_check(name):
    settings, said = WRONG[name]
    day = setting(**settings)
    with pytest.raises(InputError, match=said):
        check_treatment(open_desk(day.case, day.day, day.hourly))


def test_a_positions_cost_without_a_number_is_no_figure():
    """The mean forecast's charging may leave a scenario without a schedule: no infinite figure, and a finding."""
    day = setting()
    work = work_on(open_desk(day.case, day.day, day.hourly))
    assert _worth(work, float("inf"), 1.0) == {}
    assert [(one.severity, one.check) for one in work.findings] == [("info", "mean_positions")]
    assert _worth(work, 3.0, 1.0)["value_of_stochastic_solution"] == ("USD", 2.0)
