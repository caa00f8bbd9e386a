"""A radial feeder as arrays: who hangs below which branch. Written for the checker, from the case alone."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pipeline.cases.case import Case
from pipeline.equipment import Branch, Network
from pipeline.validate.frame import Floats


@dataclass(frozen=True)
class Feeder:
    """Buses in sweep order from the slack bus (position 0); `branches` in the case's order."""

    network: Network
    buses: tuple[str, ...]
    branches: tuple[Branch, ...]
    parent_of: NDArray[np.int64]  # (B,) position of the bus above, -1 for the slack
    branch_of: NDArray[np.int64]  # (B,) branch that feeds the bus, -1 for the slack
    sign_of: Floats  # (B,) +1 where that branch points down (from_bus above to_bus)

    @cached_property
    def index(self) -> dict[str, int]:
        return {bus: position for position, bus in enumerate(self.buses)}

    def flows(self, injection: Floats) -> Floats:
        """Branch flows from `from_bus` to `to_bus`, (K, T), of lossless bus injections (B, T): what hangs below, leaf to root."""
        below = -np.array(injection, dtype=float)
        flow = np.zeros((len(self.branches), injection.shape[1]))
        for position in range(len(self.buses) - 1, 0, -1):
            flow[self.branch_of[position]] = self.sign_of[position] * below[position]
            below[self.parent_of[position]] += below[position]
        return flow

    def voltages_pu(self, flow_kw: Floats, flow_kvar: Floats) -> Floats:
        """Voltages of LinDistFlow in magnitude form (B, T). Baran and Wu, 1989, with the losses left out."""
        base_kv = self.network.base_kv
        voltage_kv = np.full((len(self.buses), flow_kw.shape[1]), self.network.slack_voltage_pu * base_kv)
        for position in range(1, len(self.buses)):
            k = self.branch_of[position]
            branch = self.branches[k]
            drop_kv = self.sign_of[position] * (branch.r_ohm * flow_kw[k] + branch.x_ohm * flow_kvar[k]) / (1000 * base_kv)
            voltage_kv[position] = voltage_kv[self.parent_of[position]] - drop_kv
        return np.asarray(voltage_kv / base_kv)


def feeder(case: Case, network: Network) -> Feeder:
    """The tree of one lindistflow network. ValueError where the case's branches are no tree: the case check refuses it before."""
    mine = {bus.id for bus in case.buses if bus.network == network.id}
    branches = tuple(branch for branch in case.branches if branch.from_bus in mine)
    near: dict[str, list[tuple[int, str, float]]] = {bus: [] for bus in mine}
    for k, branch in enumerate(branches):
        near[branch.from_bus].append((k, branch.to_bus, 1.0))
        near[branch.to_bus].append((k, branch.from_bus, -1.0))
    root = network.slack_bus or next(bus.id for bus in case.buses if bus.network == network.id)
    buses, parent, above, sign = [root], [-1], [-1], [1.0]
    position, queue = {root: 0}, deque([root])
    while queue:
        bus = queue.popleft()
        for k, other, way in near[bus]:
            if other not in position:
                position[other] = len(buses)
                buses.append(other)
                parent.append(position[bus])
                above.append(k)
                sign.append(way)
                queue.append(other)
    if len(buses) != len(mine) or len(branches) != len(mine) - 1:
        raise ValueError(f"network {network.id} is no tree: {len(mine)} buses, {len(branches)} branches, {len(buses)} reached")
    return Feeder(network, tuple(buses), branches, np.array(parent), np.array(above), np.array(sign))


def feeders(case: Case) -> list[Feeder]:
    """Every lindistflow network of the case."""
    return [feeder(case, network) for network in case.networks if network.kind == "lindistflow"]
