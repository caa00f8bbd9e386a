"""Radial feeder without losses (LinDistFlow, magnitude form). Baran and Wu, 1989."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.equipment import Branch, Bus, Carrier, Network
from pipeline.physics.block import Injection, Setting, add_column, offer_of, rate
from pipeline.physics.network.rows import add_law_per_place, add_places


def build(
    block: Any, network: Network, injections: Mapping[tuple[str, Carrier], Sequence[Injection]], setting: Setting,
    *, buses: Sequence[Bus], branches: Sequence[Branch],
) -> None:
    """Balances per bus, voltage drop per branch; the slack bus is fixed, every other voltage elastic at a price."""
    ids = [bus.id for bus in buses]
    places, number = add_places(block, "buses", ids)
    lines, _ = add_places(block, "branches", [branch.id for branch in branches])
    ends = [(number[branch.from_bus], number[branch.to_bus]) for branch in branches]
    flows = add_column(block, "branch_kw", lines, setting.steps, low=None), add_column(block, "branch_kvar", lines, setting.steps, low=None)
    laws: tuple[tuple[str, Carrier, Any], ...] = (("active_flow", "active", flows[0]), ("reactive_flow", "reactive", flows[1]))
    for law, carrier, flow in laws:
        parts = [injections.get((bus, carrier), ()) for bus in ids]
        _balance(block, law, places, setting, flow, ends, parts)
    _voltages(block, network, setting, ids, branches, ends, flows)
    _ratings(block, setting, branches, flows)


def _balance(
    block: Any, law: str, places: Any, setting: Setting, flow: Any, ends: list[tuple[int, int]], parts: list[Sequence[Injection]],
) -> None:
    """What flows in, plus what is injected, equals what flows out."""
    arriving: dict[int, list[int]] = {}
    leaving: dict[int, list[int]] = {}
    for line, (start, end) in enumerate(ends, start=1):
        leaving.setdefault(start, []).append(line)
        arriving.setdefault(end, []).append(line)

    def balance(bus: int, t: Any) -> Any:
        through = [flow[line, t] for line in arriving.get(bus, ())] + [-flow[line, t] for line in leaving.get(bus, ())]
        return sum(through) + sum([part(t) for part in parts[bus - 1]]) == 0

    add_law_per_place(block, law, places, setting.steps, balance)


def _voltages(
    block: Any, network: Network, setting: Setting, ids: list[str], branches: Sequence[Branch], ends: list[tuple[int, int]],
    flows: tuple[Any, Any],
) -> None:
    """U_from - U_to = (r P + x Q) / (1000 U_base) with ohm, kW, kvar and kV; U = voltage + above - below."""
    steps, base_kv = setting.steps, network.base_kv
    low_kv, high_kv = network.voltage_min_pu * base_kv, network.voltage_max_pu * base_kv
    voltage = add_column(block, "voltage_kv", block.buses, steps, low=low_kv, high=high_kv)
    elastic, elastic_number = add_places(block, "elastic_buses", [bus for bus in ids if bus != network.slack_bus])
    fixed = [bus for bus, name in enumerate(ids, start=1) if name == network.slack_bus]
    above = add_column(block, "voltage_above_kv", elastic, steps)
    below = add_column(block, "voltage_below_kv", elastic, steps)
    for bus in fixed:
        for t in range(1, setting.positions + 1):
            voltage[bus, t].setlb(network.slack_voltage_pu * base_kv)
            voltage[bus, t].setub(network.slack_voltage_pu * base_kv)

    def level(bus: int, t: Any) -> Any:
        slack = elastic_number.get(ids[bus - 1])
        return voltage[bus, t] if slack is None else voltage[bus, t] + above[slack, t] - below[slack, t]

    def drop(line: int, t: Any) -> Any:
        (start, end), branch = ends[line - 1], branches[line - 1]
        r, x = branch.r_ohm / (1000 * base_kv), branch.x_ohm / (1000 * base_kv)
        fall = level(start, t) - level(end, t)
        if r:
            fall -= r * flows[0][line, t]
        if x:
            fall -= x * flows[1][line, t]
        return fall == 0

    add_law_per_place(block, "voltage_drop", block.branches, steps, drop)
    per_kv = setting.step_h * network.voltage_price_per_pu_h / base_kv
    offer_of(block).add_cost("penalty_cost", rate(per_kv, above))
    offer_of(block).add_cost("penalty_cost", rate(per_kv, below))


def _ratings(block: Any, setting: Setting, branches: Sequence[Branch], flows: tuple[Any, Any]) -> None:
    """P^2 + Q^2 <= S^2 as the octagon around the circle: two bounds and two ranges per branch with a rating."""
    rated = {line: branch.rating_kva for line, branch in enumerate(branches, start=1) if branch.rating_kva is not None}
    if not rated:
        return
    for line, rating_kva in rated.items():
        for flow in flows:
            for t in range(1, setting.positions + 1):
                flow[line, t].setlb(-rating_kva)
                flow[line, t].setub(rating_kva)
    numbers, _ = add_places(block, "rated_branches", [branches[line - 1].id for line in rated])
    lines, root_two = list(rated), 2**0.5
    for law, sign in (("rating_sum", 1.0), ("rating_difference", -1.0)):

        def octagon(place: int, t: Any, sign: float = sign) -> Any:
            line = lines[place - 1]
            return (-root_two * rated[line], flows[0][line, t] + sign * flows[1][line, t], root_two * rated[line])

        add_law_per_place(block, law, numbers, setting.steps, octagon)

