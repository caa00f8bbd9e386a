"""A tie between two networks, or between a network and the market above it. Exchange is positive into the lower end."""

from __future__ import annotations

from typing import Any

from pipeline.equipment import Tie
from pipeline.physics.block import Setting, add_column, add_law, declare_input, offer_of
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
    energy.trade(block, tie, setting, exchange)
    energy.schedule(block, tie, setting, exchange)
