"""The energy market on a tie: bought and sold at a price, deviations from the day-ahead schedule paid."""

from __future__ import annotations

from typing import Any

from pipeline.equipment import Tie
from pipeline.physics.block import Setting, add_column, add_law, declare_input, offer_of, priced


def trade(block: Any, tie: Tie, setting: Setting, exchange: Any) -> None:
    """Energy at the price series. With a sell factor below 1, exports earn price - (1 - factor) |price|, also when it is negative."""
    if tie.market is None:
        return
    steps, offer, series = setting.steps, offer_of(block), tie.market.price_series
    price = declare_input(block, "price_per_kwh", steps, role="price", device=tie.id, series=series, scale="price")
    offer.add_cost("energy_cost", priced(setting.step_h, price, exchange))
    factor = tie.market.sell_price_factor
    if factor < 1:
        discount = declare_input(
            block, "sell_discount_per_kwh", steps, role="price", device=tie.id, series=series, scale="sell_discount",
            factor=1 - factor,
        )
        export = add_column(block, "export_kw", steps, high=max(0.0, -tie.exchange_min_kw))
        add_law(block, "export_split", steps, rule=lambda t: export[t] + exchange[t] >= 0)
        offer.add_cost("energy_cost", priced(setting.step_h, discount, export))


def is_scheduled(tie: Tie) -> bool:
    """True when the exchange has a day-ahead position that a deviation from costs something."""
    imbalance = tie.market is not None and (tie.market.imbalance_buy_factor != 1 or tie.market.imbalance_sell_factor != 1)
    return tie.scheduled and (tie.deviation_price_per_kwh > 0 or tie.firm_price_series is not None or imbalance)


def schedule(block: Any, tie: Tie, setting: Setting, exchange: Any) -> None:
    """exchange - schedule = up - down; the schedule is decided before the scenario is known, or the mean exchange of the day before."""
    if not is_scheduled(tie) or (tie.position == "expected" and not setting.held):
        return
    steps, offer = setting.steps, offer_of(block)
    if tie.position == "expected":
        planned = declare_input(block, "schedule_kw", steps, role="frozen", device=tie.id)
    else:
        planned = add_column(block, "schedule_kw", steps, low=tie.exchange_min_kw, high=tie.exchange_max_kw)
    up = add_column(block, "deviation_up_kw", steps)
    down = add_column(block, "deviation_down_kw", steps)
    add_law(block, "schedule_deviation", steps, rule=lambda t: exchange[t] - planned[t] - up[t] + down[t] == 0)
    series, buy, sell = _deviation_factors(tie)
    for side, column, factor in (("up", up, buy), ("down", down, sell)):
        price = declare_input(
            block, f"deviation_{side}_price_per_kwh", steps, role="price", device=tie.id, series=series, scale="deviation",
            fixed=tie.deviation_price_per_kwh, factor=factor,
        )
        offer.add_cost("deviation_cost", priced(setting.step_h, price, column))


def _deviation_factors(tie: Tie) -> tuple[str | None, float, float]:
    """Price series, and how many times |price| a deviation up and down costs."""
    if tie.market is not None:
        return tie.market.price_series, tie.market.imbalance_buy_factor - 1, 1 - tie.market.imbalance_sell_factor
    factor = 0.0 if tie.firm_price_series is None else tie.firm_price_factor
    return tie.firm_price_series, factor, factor
