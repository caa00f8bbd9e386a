"""Inelastic load that can be shed at a price."""

from __future__ import annotations

from typing import Literal

from pipeline.equipment.base import Device, Identifier, Multiple, NonNegativePower, NonNegativePrice, Ratio


class Demand(Device):
    """Load = series x share. A reactive load follows the active one by a ratio, by local hour where one is given."""

    kind: Literal["demand"] = "demand"
    carrier: Literal["active", "heat"] = "active"
    series: Identifier
    series_share: Multiple = 1.0
    kvar_per_kw: Ratio = 0.0  # also the ratio at which shed active load sheds reactive load
    kvar_profile: Identifier | None = None  # profile of kvar per kW by local hour; overrides kvar_per_kw for the load itself
    shed_price_per_kwh: NonNegativePrice | None = None  # None: the case's slack price
    dump_max_kw: NonNegativePower = 0.0  # surplus that this place can burn, at the slack price


