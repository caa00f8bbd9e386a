"""Net load of a case as a linear map of its series: demand shares minus source shares."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.cases.case import Case
from pipeline.equipment import Demand, Source

Floats = NDArray[np.float64]


def net_load_shares(case: Case) -> Floats:
    """(S,) kW of net electric load per unit of each series, over all devices of the case."""
    place = {one.id: index for index, one in enumerate(case.series)}
    shares = np.zeros(len(case.series))
    for device in case.devices:
        if isinstance(device, Demand) and device.carrier == "active":
            shares[place[device.series]] += device.series_share
        elif isinstance(device, Source):
            shares[place[device.series]] -= device.series_share
    return shares


def price_series(case: Case) -> int | None:
    """Position of the market's price series, None without a market."""
    for tie in case.ties:
        if tie.market is not None:
            return [one.id for one in case.series].index(tie.market.price_series)
    return None


def net_load(case: Case, values: Floats) -> Floats:
    """(..., S, T) values of the series -> (..., T) net load, kW."""
    return np.asarray(np.einsum("s,...st->...t", net_load_shares(case), values))
