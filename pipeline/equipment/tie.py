"""A tie between two networks, or between a network and the market above it."""

from __future__ import annotations

from pipeline.equipment.base import Identifier, NonNegativePower, NonNegativePrice, NonNegativeRatio, PositiveRatio, Power, Record


class Market(Record):
    """Energy at a price series. A deviation from schedule costs |price| x (factor - 1) resp. (1 - factor), plus a fixed price."""

    price_series: Identifier
    sell_price_factor: NonNegativeRatio = 1.0  # sell price = lambda - (1 - factor) |lambda|
    imbalance_buy_factor: PositiveRatio = 1.0  # two-price imbalance: bought at factor x price
    imbalance_sell_factor: NonNegativeRatio = 1.0  # sold at factor x price


class Tie(Record):
    """Exchange is positive from the upper end into the lower end. A tie to a market has no upper bus."""

    id: Identifier
    upper_bus: Identifier | None = None
    lower_bus: Identifier
    exchange_min_kw: Power
    exchange_max_kw: Power
    reactive_max_kvar: NonNegativePower = 0.0  # 0: no reactive exchange
    deviation_price_per_kwh: NonNegativePrice = 0.0  # kappa_dev, on |exchange - schedule|
    scheduled: bool = True  # the exchange has a day-ahead position (first stage)
    market: Market | None = None
