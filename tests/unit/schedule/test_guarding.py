"""Treatments of one forecast through the day-ahead schedule: what they promise, and what is published."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.cases.settings import Affine, BoxRobust, BudgetedPrices, HalfWidths, Stochastic
from pipeline.core.errors import InputError, NoSchedule
from tests.unit.schedule.tiny_day import setting

WIDTHS = HalfWidths(load_share=0.05, pv_share=0.15, wind_share=0.15)


def test_budgeted_prices_promise_more_than_the_schedule_costs_at_the_forecast():
    plain = setting().plan()
    guarded = setting(budgeted_prices=BudgetedPrices(half_width_share=0.2, budget_share=0.25)).plan()
    assert guarded.decision is not None
    assert plain.objective < guarded.objective < guarded.decision.objective
    assert guarded.objective == pytest.approx(float(guarded.costs.sum()), rel=1e-12)
    assert guarded.columns.shape == plain.columns.shape and guarded.row_dual.size == plain.row_dual.size


@pytest.mark.parametrize("prices", [BudgetedPrices(budget_share=0.0), BudgetedPrices(half_width_share=0.0)])
def test_prices_that_cannot_move_need_no_protection(prices):
    assert setting(budgeted_prices=prices).plan().objective == pytest.approx(setting().plan().objective, rel=1e-9)


def test_prices_are_guarded_under_a_treatment_of_scenarios_too():
    def plan(**more):
        one = setting(**more)
        return one.plan(*(one.truth(error=0.1, seed=seed) for seed in range(3)))

    plain, guarded = plan(method=Stochastic()), plan(method=Stochastic(), budgeted_prices=BudgetedPrices(half_width_share=0.2))
    assert guarded.decision.objective > plain.decision.objective
    assert guarded.objective >= plain.objective - 1e-6


@pytest.mark.parametrize("method", [Affine(half_widths=WIDTHS, budget_share=0.0), BoxRobust(half_widths=WIDTHS, budget_share=0.0)])
def test_without_a_budget_it_is_the_schedule_of_the_forecast(method):
    plan = setting(method=method).plan()
    assert plan.objective == pytest.approx(setting().plan().objective, rel=1e-7)
    assert plan.decision.objective == pytest.approx(plan.objective, rel=1e-7)


def test_rules_are_published_with_what_they_promise_and_never_charge_both_ways():
    plan = setting(method=Affine(half_widths=WIDTHS)).plan()
    assert plan.policy is not None and plan.decision.objective >= plan.objective - 1e-9
    stores = plan.desk.roster.stores
    assert np.minimum(plan.columns[0][:, stores.charge], plan.columns[0][:, stores.discharge]).max() <= 1e-6
    assert not [finding for finding in plan.findings if finding.severity == "warning"]


def test_rules_that_cannot_meet_the_set_say_so_with_the_remedy():
    with pytest.raises(NoSchedule, match=r"no affine rule meets every deviation.*budget_share"):
        setting(method=Affine(half_widths=HalfWidths(load_share=1.0), budget_share=1.0), first_stage=("*",)).plan()


@pytest.mark.parametrize("method", [Affine(half_widths=HalfWidths(price_share=0.1)), BoxRobust(half_widths=HalfWidths(price_share=0.1))])
def test_uncertain_prices_are_refused_with_the_remedy(method):
    with pytest.raises(InputError, match="budgeted_prices"):
        setting(method=method).plan()
