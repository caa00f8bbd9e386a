"""A fleet of electric vehicles: per cohort of departure, cumulative stored energy between two envelopes."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo

from pipeline.equipment import EvFleet
from pipeline.physics.block import Setting, add_column, add_law, declare_input, offer_of, rate


def build(block: Any, device: EvFleet, setting: Setting) -> None:
    """Energies count from the start of the delivery day. What a cohort lacks at departure is lost, and paid once.

    What vehicles want beyond what their chargers can give while they stay is lost on arrival, whatever is decided. The upper envelope
    is hard: who binds it never lets it lie below what is stored already (a cohort may shrink after it was charged).
    """
    steps, step_h, offer, last = setting.steps, setting.step_h, offer_of(block), setting.positions
    block.cohorts = pyo.RangeSet(len(device.departure_hours))
    cohorts = block.cohorts
    charge = add_column(block, "charge_kw", cohorts, steps, high=device.vehicle_count * device.charger_kw)
    energy = add_column(block, "energy_kwh", cohorts, steps, low=None)
    unserved = add_column(block, "unserved_kwh", cohorts, steps)

    before = declare_input(block, "energy_before_kwh", cohorts, role="state", device=device.id, default=0.0)
    high_kw = declare_input(block, "power_high_kw", cohorts, steps, role="envelope", device=device.id, fleet=device.id)
    low = declare_input(block, "energy_low_kwh", cohorts, steps, role="envelope", device=device.id, fleet=device.id)
    high = declare_input(block, "energy_high_kwh", cohorts, steps, role="envelope", device=device.id, fleet=device.id)
    beyond = declare_input(block, "unreachable_kwh", cohorts, steps, role="envelope", device=device.id, fleet=device.id)

    gain = step_h * device.charge_efficiency_share
    add_law(block, "power_limits_high", cohorts, steps, rule=lambda c, t: charge[c, t] <= high_kw[c, t])
    balance = add_law(block, "energy_balance", cohorts, steps, rule=lambda c, t: energy[c, t] - energy[c, t - 1] - gain * charge[c, t] == 0)
    add_law(block, "energy_limits_low", cohorts, steps, rule=lambda c, t: energy[c, t] + unserved[c, t] - beyond[c, t] >= low[c, t])
    add_law(block, "energy_limits_high", cohorts, steps, rule=lambda c, t: energy[c, t] <= high[c, t])
    monotone = add_law(block, "unserved_monotone", cohorts, steps,
                       rule=lambda c, t: unserved[c, t] - unserved[c, t - 1] - beyond[c, t] + beyond[c, t - 1] >= 0)
    for c in cohorts:
        balance[c, 1] = energy[c, 1] - before[c] - gain * charge[c, 1] == 0
        monotone[c, 1] = unserved[c, 1] - beyond[c, 1] >= 0

    price = setting.slack_price_per_kwh if device.unserved_price_per_kwh is None else device.unserved_price_per_kwh
    offer.add_cost("penalty_cost", sum(price * unserved[c, last] for c in cohorts))
    if device.flexibility_cost_per_kwh:
        offer.add_cost("flexibility_cost", rate(step_h * device.flexibility_cost_per_kwh, charge))
    count = len(device.departure_hours)
    offer.injection["active"] = lambda t: -sum([charge[c, t] for c in range(1, count + 1)])
