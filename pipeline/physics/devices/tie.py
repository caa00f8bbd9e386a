"""A tie between two networks, or between a network and the market above it. Exchange is positive into the lower end."""

from __future__ import annotations

from typing import Any

from pipeline.equipment import Tie
from pipeline.physics.block import Setting, add_column, add_law, declare_input, offer_of, priced
from pipeline.physics.devices.ramp import add_ramps
from pipeline.physics.market import energy


def build(block: Any, tie: Tie, setting: Setting) -> None:
    """injection = exchange at the lower end, -exchange at the upper one; prices and positions come from its market."""
    steps, offer = setting.steps, offer_of(block)
    offer.is_tie = True
    exchange = add_column(block, "exchange_kw", steps, low=None)
    low = declare_input(block, "exchange_low_kw", steps, role="limit", device=tie.id, default=tie.exchange_min_kw, side="low")
    high = declare_input(block, "exchange_high_kw", steps, role="limit", device=tie.id, default=tie.exchange_max_kw, side="high")
    add_law(block, "exchange_limits_low", steps, rule=lambda t: exchange[t] >= low[t])
    add_law(block, "exchange_limits_high", steps, rule=lambda t: exchange[t] <= high[t])
    offer.injection["active"] = lambda t: exchange[t]
    offer.injection_upper["active"] = lambda t: -exchange[t]
    if tie.reactive_max_kvar > 0:
        reactive = add_column(block, "exchange_kvar", steps, low=-tie.reactive_max_kvar, high=tie.reactive_max_kvar)
        offer.injection["reactive"] = lambda t: reactive[t]
        offer.injection_upper["reactive"] = lambda t: -reactive[t]
    if tie.wheeling is not None:
        _wheel(block, tie, setting, exchange)
    if tie.ramp_kw_per_h is not None:
        add_ramps(block, tie.id, setting, lambda t: exchange[t], ramp_kw_per_h=tie.ramp_kw_per_h, initial_kw=tie.exchange_initial_kw,
                  widest_kw=tie.exchange_max_kw - tie.exchange_min_kw, state="exchange_before")
    energy.trade(block, tie, setting, exchange)
    energy.schedule(block, tie, setting, exchange)


def _wheel(block: Any, tie: Tie, setting: Setting, exchange: Any) -> None:
    """Carrying costs a share of the mean of the prices at both ends, whichever way it goes."""
    assert tie.wheeling is not None
    steps, offer = setting.steps, offer_of(block)
    forward = add_column(block, "forward_kw", steps, high=max(0.0, tie.exchange_max_kw))
    backward = add_column(block, "backward_kw", steps, high=max(0.0, -tie.exchange_min_kw))
    add_law(block, "direction_split", steps, rule=lambda t: exchange[t] - forward[t] + backward[t] == 0)
    for end, series in (("upper", tie.wheeling.upper_price_series), ("lower", tie.wheeling.lower_price_series)):
        price = declare_input(block, f"wheeling_{end}_price_per_kwh", steps, role="price", device=tie.id, series=series, scale="price",
                              factor=tie.wheeling.price_share / 2)
        offer.add_cost("transmission_cost", priced(setting.step_h, price, forward))
        offer.add_cost("transmission_cost", priced(setting.step_h, price, backward))
