"""What slack costs: every priced slack of the published rows, and voltages outside their limits, recomputed."""

from __future__ import annotations

import numpy as np

from pipeline.equipment import Converter, Demand, EvAggregator, EvFleet, Generator, Store
from pipeline.validate.ac import bus_injections
from pipeline.validate.check import SUFFIX, Check
from pipeline.validate.frame import Floats
from pipeline.validate.radial import feeders

RAMP_PRICE_PER_KWH = 10.0  # a ramp from the measured state is elastic at this price


def penalty(check: Check) -> Floats:
    """Cost of slack per scenario and step, (S, T), currency. Powers cost per kWh; energies short or over per kWh and step."""
    long, dt, rho = check.long, check.grid.step_h, check.case.settings.slack_price_per_kwh
    cost = voltage_cost(check)
    for device in check.case.devices:
        kw, kwh = SUFFIX[getattr(device, "carrier", "active")]
        at = (device.id, device.bus, getattr(device, "carrier", "active"))
        match device:
            case Demand():
                shed_price = rho if device.shed_price_per_kwh is None else device.shed_price_per_kwh
                cost += dt * (shed_price * long.zero_or(*at, f"shed_{kw}") + rho * long.zero_or(*at, f"dump_{kw}"))
            case Generator() | Converter():
                cost += dt * RAMP_PRICE_PER_KWH * long.zero_or(*at, "ramp_excess_kw")
            case Store():
                cost += rho * (long.zero_or(*at, f"energy_short_{kwh}") + long.zero_or(*at, f"energy_over_{kwh}"))
                cost += dt * rho * (long.zero_or(*at, f"power_below_{kw}") + long.zero_or(*at, f"power_above_{kw}"))
                cost += dt * RAMP_PRICE_PER_KWH * long.zero_or(*at, f"ramp_excess_{kw}")
            case EvAggregator():
                price = rho if device.unserved_price_per_kwh is None else device.unserved_price_per_kwh
                cost += price * (long.zero_or(*at, "ev_slack_kwh") + long.zero_or(*at, "ev_surplus_kwh"))
                cost += dt * rho * (long.zero_or(*at, "power_below_kw") + long.zero_or(*at, "power_above_kw"))
                cost += dt * RAMP_PRICE_PER_KWH * long.zero_or(*at, "ramp_excess_kw")
            case EvFleet():
                price = rho if device.unserved_price_per_kwh is None else device.unserved_price_per_kwh
                lost = long.zero_or(*at, "unserved_kwh")  # cumulative: paid once, as it grows
                cost += price * np.diff(lost, axis=1, prepend=check.context.before.get((device.id, "unserved_kwh"), 0.0))
    for tie in check.case.ties:
        cost += dt * RAMP_PRICE_PER_KWH * long.zero_or(tie.id, tie.lower_bus, "active", "ramp_excess_kw")
    return cost


def voltage_cost(check: Check) -> Floats:
    """Voltages outside their limits at the network's price, (S, T), by a sweep over each scenario's own injections."""
    cost = np.zeros(check.long.shape)
    for tree in feeders(check.case):
        network = tree.network
        for s in range(len(check.long.scenarios)):
            p_kw, q_kvar = bus_injections(check.case, tree, check.long, s)
            voltage = tree.voltages_pu(tree.flows(p_kw), tree.flows(q_kvar))
            beyond = np.maximum(voltage - network.voltage_max_pu, 0.0) + np.maximum(network.voltage_min_pu - voltage, 0.0)
            cost[s] += check.grid.step_h * network.voltage_price_per_pu_h * beyond.sum(axis=0)
    return cost
