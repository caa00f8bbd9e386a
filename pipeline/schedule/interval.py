"""One interval under settlement: columns, inputs and states per network, and how an amount is spread over what can take it."""

from __future__ import annotations

import numpy as np

from pipeline.program.linear_program import Floats, Indices
from pipeline.schedule.roster import Aggregators, Roster, Stores

TINY = 1e-9


class Interval:
    """Columns x (J,), inputs u, state values; takes and gives per network. Lives for one interval only."""

    def __init__(self, roster: Roster, x: Floats, u: Floats, before: Floats) -> None:
        self.roster, self.x, self.u, self.before = roster, x, u, before
        self.count = len(roster.networks)

    def sum(self, network: Indices, values: Floats) -> Floats:
        if not len(network):
            return np.zeros(self.count)
        return np.bincount(network, weights=values, minlength=self.count).astype(float)

    def share(self, amount: Floats, capacity: Floats, network: Indices) -> Floats:
        """How much each gives of `amount` (per network, >= 0), in proportion to its capacity (>= 0)."""
        total = self.sum(network, capacity)
        part = np.minimum(1.0, np.divide(amount, total, out=np.zeros(self.count), where=total > TINY))
        return np.asarray(capacity * part[network])


def net_range(work: Interval, stores: Stores) -> tuple[Floats, Floats]:
    """Lowest and highest net injection that power and energy limits allow."""
    kept = stores.kept * work.before[stores.before]
    lowest = -np.maximum(work.u[stores.energy_high] - kept, 0.0) / stores.gain
    highest = np.maximum(kept - work.u[stores.energy_low], 0.0) / stores.drain
    return np.clip(work.u[stores.power_low], lowest, highest), np.clip(work.u[stores.power_high], lowest, highest)


def set_net(work: Interval, stores: Stores | Aggregators, net: Floats) -> None:
    work.x[stores.charge], work.x[stores.discharge] = np.maximum(-net, 0.0), np.maximum(net, 0.0)


def shift_stores(work: Interval, stores: Stores, amount: Floats, *, up: bool, only_stop: bool = False) -> Floats:
    """Raise (lower) net injection by `amount` per network as far as limits allow; gives what it took. `only_stop`: not through zero."""
    if not stores.names:
        return np.zeros(work.count)
    return shift_net(work, stores, net_range(work, stores), amount, up=up, only_stop=only_stop)


def shift_net(work: Interval, stores: Stores | Aggregators, limits: tuple[Floats, Floats], amount: Floats, *, up: bool,
              only_stop: bool) -> Floats:
    """The same between limits (lowest, highest) that are given."""
    low, high = limits
    net = work.x[stores.discharge] - work.x[stores.charge]
    if only_stop:
        low, high = np.maximum(low, 0.0), np.minimum(high, 0.0)
    room = np.maximum(high - net if up else net - low, 0.0)
    moved = work.share(amount, room, stores.network)
    set_net(work, stores, net + moved if up else net - moved)
    return work.sum(stores.network, moved)


def lower_column(work: Interval, entries: Indices, network: Indices, amount: Floats, floor: Floats | float = 0.0) -> Floats:
    room = np.maximum(work.x[entries] - floor, 0.0)
    moved = work.share(amount, room, network)
    work.x[entries] -= moved
    return work.sum(network, moved)


def raise_column(work: Interval, entries: Indices, network: Indices, amount: Floats, ceiling: Floats) -> Floats:
    moved = work.share(amount, np.maximum(ceiling - work.x[entries], 0.0), network)
    work.x[entries] += moved
    return work.sum(network, moved)
