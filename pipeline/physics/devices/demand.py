"""Inelastic load: sheddable at a price, never more than itself; a net load that feeds back has nothing to shed, and may be cut back."""

from __future__ import annotations

from typing import Any

from pipeline.equipment import Demand
from pipeline.physics.block import POWER_UNIT, Setting, add_column, add_law, declare_input, offer_of, rate


def build(block: Any, device: Demand, setting: Setting) -> None:
    """injection = -load + shed - dump; shed active load sheds reactive load at the device's ratio.

    What a net load feeds back is dumped where nothing can take it: inverters cut back. sheddable - load is its negative part.
    """
    unit, steps, offer = POWER_UNIT[device.carrier], setting.steps, offer_of(block)
    load = declare_input(block, f"load_{unit}", steps, role="series", device=device.id, series=device.series, factor=device.series_share)
    shed = add_column(block, f"shed_{unit}", steps)
    net = device.series in setting.net_loads
    if net:
        most = declare_input(
            block, f"sheddable_{unit}", steps, role="series", device=device.id, series=device.series, factor=device.series_share,
            positive_part=True,
        )
        add_law(block, "net_shed_limit", steps, rule=lambda t: shed[t] <= most[t])
    else:
        add_law(block, "shed_limit", steps, rule=lambda t: shed[t] <= load[t])
    shed_price = setting.slack_price_per_kwh if device.shed_price_per_kwh is None else device.shed_price_per_kwh
    offer.add_cost("penalty_cost", rate(setting.step_h * shed_price, shed))

    if device.dump_max_kw > 0 or (net and device.carrier == "active"):
        dump = add_column(block, f"dump_{unit}", steps, high=None if net else device.dump_max_kw)
        if net:
            add_law(block, "net_dump_limit", steps, rule=lambda t: dump[t] + load[t] - most[t] <= device.dump_max_kw)
        offer.add_cost("penalty_cost", rate(setting.step_h * setting.slack_price_per_kwh, dump))
        offer.injection[device.carrier] = lambda t: shed[t] - load[t] - dump[t]
    else:
        offer.injection[device.carrier] = lambda t: shed[t] - load[t]

    if device.kvar_profile is not None or device.kvar_per_kw != 0:
        load_kvar = declare_input(
            block, "load_kvar", steps, role="series", device=device.id, series=device.series, factor=device.series_share,
            kvar_per_kw=device.kvar_per_kw, kvar_profile=device.kvar_profile,
        )
        offer.injection["reactive"] = lambda t: device.kvar_per_kw * shed[t] - load_kvar[t]
