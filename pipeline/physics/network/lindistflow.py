"""Radial feeder without losses (LinDistFlow, magnitude form). Baran and Wu, 1989."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyomo.environ as pyo

from pipeline.equipment import Branch, Bus, Carrier, Network
from pipeline.physics.block import Injection, Setting, add_column, offer_of, rate
from pipeline.physics.network.rows import add_law_per_place


def build(
    block: Any, network: Network, injections: Mapping[tuple[str, Carrier], Sequence[Injection]], setting: Setting,
    *, buses: Sequence[Bus], branches: Sequence[Branch],
) -> None:
    """Balances per bus, voltage drop per branch; the slack bus is fixed, every other voltage elastic at a price."""
    steps = setting.steps
    block.branches = pyo.Set(initialize=[branch.id for branch in branches])
    block.buses = pyo.Set(initialize=[bus.id for bus in buses])
    _balances(block, injections, setting, branches)
    _voltages(block, network, setting, branches)
    rated = [branch for branch in branches if branch.rating_kva is not None]
    for branch in rated:
        for t in steps:
            block.branch_kw[branch.id, t].setlb(-branch.rating_kva)
            block.branch_kw[branch.id, t].setub(branch.rating_kva)
            block.branch_kvar[branch.id, t].setlb(-branch.rating_kva)
            block.branch_kvar[branch.id, t].setub(branch.rating_kva)


def _balances(block: Any, injections: Mapping[tuple[str, Carrier], Sequence[Injection]], setting: Setting, branches: Sequence[Branch]) -> None:
    """What flows in, plus what is injected, equals what flows out."""
    arriving: dict[str, list[str]] = {}
    leaving: dict[str, list[str]] = {}
    for branch in branches:
        leaving.setdefault(branch.from_bus, []).append(branch.id)
        arriving.setdefault(branch.to_bus, []).append(branch.id)
    laws: tuple[tuple[str, str, Carrier], ...] = (("active_flow", "branch_kw", "active"), ("reactive_flow", "branch_kvar", "reactive"))
    for law, column, carrier in laws:
        flow = add_column(block, column, block.branches, setting.steps, low=None)

        def balance(bus: str, t: Any, flow: Any = flow, carrier: Carrier = carrier) -> Any:
            through = [flow[branch, t] for branch in arriving.get(bus, ())] + [-flow[branch, t] for branch in leaving.get(bus, ())]
            return sum(through) + sum(part(t) for part in injections.get((bus, carrier), ())) == 0

        add_law_per_place(block, law, block.buses, setting.steps, balance)


def _voltages(block: Any, network: Network, setting: Setting, branches: Sequence[Branch]) -> None:
    """U_from - U_to = (r P + x Q) / (1000 U_base) with ohm, kW, kvar and kV; U = voltage + above - below."""
    steps, base_kv, slack = setting.steps, network.base_kv, network.slack_bus
    voltage = add_column(
        block, "voltage_kv", block.buses, steps, low=network.voltage_min_pu * base_kv, high=network.voltage_max_pu * base_kv,
    )
    block.elastic_buses = pyo.Set(initialize=[bus for bus in block.buses if bus != slack])
    above = add_column(block, "voltage_above_kv", block.elastic_buses, steps)
    below = add_column(block, "voltage_below_kv", block.elastic_buses, steps)
    for t in steps:
        voltage[slack, t].setlb(network.slack_voltage_pu * base_kv)
        voltage[slack, t].setub(network.slack_voltage_pu * base_kv)

    def level(bus: str, t: Any) -> Any:
        return voltage[bus, t] if bus == slack else voltage[bus, t] + above[bus, t] - below[bus, t]

    by_id = {branch.id: branch for branch in branches}

    def drop(name: str, t: Any) -> Any:
        branch = by_id[name]
        r, x = branch.r_ohm / (1000 * base_kv), branch.x_ohm / (1000 * base_kv)
        through = (r * block.branch_kw[name, t] if r else 0) + (x * block.branch_kvar[name, t] if x else 0)
        return level(branch.from_bus, t) - level(branch.to_bus, t) - through == 0

    add_law_per_place(block, "voltage_drop", block.branches, steps, drop)
    per_kv = setting.step_h * network.voltage_price_per_pu_h / base_kv
    offer = offer_of(block)
    offer.add_cost("penalty_cost", rate(per_kv, above))
    offer.add_cost("penalty_cost", rate(per_kv, below))
