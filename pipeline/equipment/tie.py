"""A tie between two networks, or between a network and the market above it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pipeline.equipment.base import (
    Identifier,
    NonNegativePower,
    NonNegativePrice,
    NonNegativeRatio,
    PositivePower,
    PositiveRatio,
    Power,
    Record,
)


class Market(Record):
    """Energy at a price series. A deviation from schedule costs |price| x (factor - 1) resp. (1 - factor), plus a fixed price."""

    price_series: Identifier
    sell_price_factor: NonNegativeRatio = 1.0  # sell price = lambda - (1 - factor) |lambda|
    imbalance_buy_factor: PositiveRatio = 1.0  # two-price imbalance: bought at factor x price
    imbalance_sell_factor: NonNegativeRatio = 1.0  # sold at factor x price


class Wheeling(Record):
    """What carrying energy over the tie costs, either way: a share of the mean of two prices, one at each end."""

    price_share: float = Field(default=0.02, ge=0, le=10)
    upper_price_series: Identifier
    lower_price_series: Identifier


class Tie(Record):
    """Exchange is positive from the upper end into the lower end. A tie to a market has no upper bus."""

    id: Identifier
    upper_bus: Identifier | None = None
    lower_bus: Identifier
    exchange_min_kw: Power
    exchange_max_kw: Power
    reactive_max_kvar: NonNegativePower = 0.0  # 0: no reactive exchange
    deviation_price_per_kwh: NonNegativePrice = 0.0  # kappa_dev, on |exchange - schedule|
    firm_price_series: Identifier | None = None  # a firm exchange between networks: a deviation costs, on top, a multiple of this
    firm_price_factor: NonNegativeRatio = 1.0  # the multiple
    scheduled: bool = True  # the exchange has a day-ahead position
    # first_stage: the position is decided with the schedule, and every scenario pays for leaving it. expected: it is the mean
    # exchange of the schedule, and real time alone pays.
    position: Literal["first_stage", "expected"] = "first_stage"
    market: Market | None = None
    wheeling: Wheeling | None = None
    ramp_kw_per_h: PositivePower | None = None
    exchange_initial_kw: Power = 0.0  # before the first interval, where a ramp needs it
    reactance_pu: float = Field(default=1.0, gt=0, le=1e4)  # between networks, where flows follow it (`tie_flows: ptdf`)
