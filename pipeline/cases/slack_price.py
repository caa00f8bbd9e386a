"""What slack costs at least: more than energy ever does, or a program would empty a store below nothing to sell at a spike."""

from __future__ import annotations

import math

from pipeline.cases.case import Case
from pipeline.cases.supply_cost import dearest_energy_per_kwh

MARGIN = 2.0  # over the dearest energy: losses of stores, two prices, a spike that is dearer still


def dearest_declared_per_kwh(case: Case) -> float:
    """The largest cost of energy that the case itself names, currency per kWh: of its devices and its tables of prices; 0 without any."""
    tables = [abs(price) for series in case.series if series.kind == "price" for price in series.by_local_hour or ()]
    return max([*(dearest_energy_per_kwh(device) for device in case.devices), *tables], default=0.0)


def slack_price_above(case: Case, dearest_price_per_kwh: float) -> float:
    """The slack price that a run takes, currency per kWh: the case's own where it is above energy, else the next power of ten that is.

    dearest_price_per_kwh: the largest size of a price that is known at the issue. Powers of ten, so that prices of one level share a
    compiled program.
    """
    own, dearest = case.settings.slack_price_per_kwh, max(abs(dearest_price_per_kwh), dearest_declared_per_kwh(case))
    if own == 0.0 or own >= MARGIN * dearest:  # 0: nothing is held at a price
        return own
    return float(10.0 ** math.ceil(math.log10(MARGIN * dearest) - 1e-9))


def at_slack_price(case: Case, slack_price_per_kwh: float) -> Case:
    """The case with another slack price; the case itself where it has that one."""
    if case.settings.slack_price_per_kwh == slack_price_per_kwh:
        return case
    return case.model_copy(update={"settings": case.settings.model_copy(update={"slack_price_per_kwh": slack_price_per_kwh})})
