"""Radial feeder without losses, recomputed from injections by a sweep over the tree (LinDistFlow; Baran and Wu, 1989)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from pipeline.cases.case import Case
from pipeline.equipment import Branch, Network
from pipeline.program.linear_program import Floats


@dataclass(frozen=True)
class Feeder:
    """`downstream[b, n]`: 1 where bus n lies beyond branch b seen from the slack bus, times the branch's own direction.

    Sparse, because a dense product rounds differently for one interval and for ninety-six: a resumed day must not.
    """

    network: str
    base_kv: float
    slack_kv: float
    low_kv: float
    high_kv: float
    slack_bus: str
    buses: tuple[str, ...]
    branches: tuple[str, ...]
    downstream: sp.csr_array  # (branches, buses), -1, 0 or 1
    upstream: sp.csr_array  # its transpose
    r_ohm: Floats
    x_ohm: Floats

    def flows(self, injections: Floats) -> Floats:
        """(K, buses) injections -> (K, branches) flows from `from_bus` to `to_bus`."""
        return np.asarray(-(self.downstream @ injections.T).T)

    def voltages_kv(self, flow_kw: Floats, flow_kvar: Floats) -> Floats:
        """(K, branches) flows -> (K, buses) voltages."""
        drop_kv = (self.r_ohm * flow_kw + self.x_ohm * flow_kvar) / (1000 * self.base_kv)
        return np.asarray(self.slack_kv - (self.upstream @ drop_kv.T).T)


def feeder_of(case: Case, network: Network) -> Feeder:
    """Raises ValueError where the network is no tree that hangs on its slack bus."""
    buses = tuple(bus.id for bus in case.buses if bus.network == network.id)
    number = {bus: i for i, bus in enumerate(buses)}
    branches = tuple(branch for branch in case.branches if branch.from_bus in number)
    if network.slack_bus is None or len(branches) != len(buses) - 1:
        raise ValueError(f"network {network.id} is no tree with a slack bus")
    ends: dict[str, list[int]] = {bus: [] for bus in buses}
    for i, branch in enumerate(branches):
        ends[branch.from_bus].append(i)
        ends[branch.to_bus].append(i)
    downstream = np.zeros((len(branches), len(buses)))
    parents: dict[str, list[tuple[int, float]]] = {network.slack_bus: []}
    frontier = [network.slack_bus]
    while frontier:
        bus = frontier.pop()
        for i in ends[bus]:
            line: Branch = branches[i]
            other = line.to_bus if line.from_bus == bus else line.from_bus
            if other not in parents:
                parents[other] = [*parents[bus], (i, 1.0 if line.from_bus == bus else -1.0)]
                frontier.append(other)
                for above, direction in parents[other]:
                    downstream[above, number[other]] = direction
    if len(parents) != len(buses):
        raise ValueError(f"network {network.id} has buses that its slack bus does not reach")
    base = network.base_kv
    return Feeder(
        network=network.id, base_kv=base, slack_kv=network.slack_voltage_pu * base, low_kv=network.voltage_min_pu * base,
        high_kv=network.voltage_max_pu * base, slack_bus=network.slack_bus, buses=buses,
        branches=tuple(branch.id for branch in branches), downstream=sp.csr_array(downstream), upstream=sp.csr_array(downstream.T),
        r_ohm=np.array([branch.r_ohm for branch in branches]), x_ohm=np.array([branch.x_ohm for branch in branches]),
    )
