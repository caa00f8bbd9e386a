"""Slack costs more than energy ever does."""

from __future__ import annotations

import pytest

from pipeline.cases.case import Case
from pipeline.cases.settings import Settings
from pipeline.cases.slack_price import at_slack_price, dearest_declared_per_kwh, slack_price_above
from pipeline.equipment import Generator
from tests.helpers import case_of


def _case(slack: float = 10.0, **generator: float) -> Case:
    devices = [Generator(id="g", bus="plate", power_max_kw=100, **{"cost_linear_per_kwh": 0.2, **generator})]
    return case_of(*devices, settings=Settings(slack_price_per_kwh=slack))


@pytest.mark.parametrize(("price", "taken"), [
    (0.3, 10.0), (5.0, 10.0), (5.01, 100.0), (17.5, 100.0), (-17.5, 100.0), (50.0, 100.0), (1700.0, 10_000.0)])
def test_the_next_power_of_ten_that_is_twice_as_dear(price: float, taken: float) -> None:
    assert slack_price_above(_case(), price) == taken


def test_what_a_person_sets_above_energy_is_kept_and_0_is_0() -> None:
    assert slack_price_above(_case(40.0), 17.5) == 40.0
    assert slack_price_above(_case(0.0), 17.5) == 0.0


def test_dear_fuel_counts_as_prices_do() -> None:
    dear = _case(cost_linear_per_kwh=8.0, cost_quadratic_per_kw2h=0.01)
    assert dearest_declared_per_kwh(dear) == 10.0  # 8 + 2 x .01 x 100
    assert slack_price_above(dear, 0.3) == 100.0


def test_another_slack_price_is_another_program() -> None:
    case = _case()
    assert at_slack_price(case, 10.0) is case
    assert at_slack_price(case, 100.0).structure_digest != case.structure_digest
