"""PV or wind: what is available may be curtailed."""

from __future__ import annotations

from typing import Literal

from pydantic import NonNegativeFloat

from pipeline.equipment.base import Device, Identifier


class Source(Device):
    """Available power = series x share; what is left unused is curtailed."""

    kind: Literal["source"] = "source"
    series: Identifier
    series_share: NonNegativeFloat = 1.0
    curtailment_cost_per_kwh: NonNegativeFloat = 0.0
