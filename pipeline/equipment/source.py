"""PV or wind: what is available may be curtailed."""

from __future__ import annotations

from typing import Literal

from pipeline.equipment.base import Device, Identifier, Multiple, NonNegativePrice


class Source(Device):
    """Available power = series x share; what is left unused is curtailed."""

    kind: Literal["source"] = "source"
    series: Identifier
    series_share: Multiple = 1.0
    curtailment_cost_per_kwh: NonNegativePrice = 0.0
    feed_in_cost_per_kwh: NonNegativePrice = 0.0  # running cost of what is fed in
