"""One interval under settlement: columns, inputs and states per network, and how an amount is spread over what can take it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import numpy as np

from pipeline.program.linear_program import Floats, Indices
from pipeline.schedule.roster import Aggregators, Roster, Stores

TINY = 1e-9


class Interval:
    """Columns x (J,), inputs u, state values; takes and gives per network. Lives for one interval only.

    wanted: the inputs with the rule of the day's end, which stores keep as long as anything else can move.
    """

    def __init__(self, roster: Roster, x: Floats, u: Floats, before: Floats, *, wanted: Floats | None = None,
                 turning: tuple[Floats, Floats] | None = None) -> None:
        self.roster, self.x, self.u, self.before = roster, x, u, before
        self.wanted = u if wanted is None else wanted
        self.turning = turning  # net injection between which stores turn in time
        self.count = len(roster.networks)
        self.left = np.zeros(self.count)  # what no device could take, per network and over all carriers
        units, ramps = roster.units, roster.ramps
        self.on = units.running(x, u)
        up, down = ramps.reach(before[units.on_before] > 0.5, self.on)
        release = u[ramps.release]
        self.ramp_low, self.ramp_high = before[ramps.before] - down - release, before[ramps.before] + up + release

    def copy(self) -> Interval:
        """The same interval with columns of its own."""
        return Interval(self.roster, self.x.copy(), self.u, self.before, wanted=self.wanted, turning=self.turning)

    @cached_property
    def cost(self) -> Floats:
        """What one more of each column costs, (J,)."""
        return self.roster.ledger.marginal(self.u)

    @property
    def active_cost(self) -> float:
        """What a kW over the interval is worth: the market's price, else that of the dearest supply."""
        column = self.roster.active_column
        return float(self.cost[column]) if column >= 0 else self.roster.active_price_per_kwh * self.roster.step_h

    @cached_property
    def deviation_cost(self) -> Floats:
        """What a kW costs per network that its own tie carries off its position, the dearer way, (networks,)."""
        ties, closing = self.roster.ties, self.roster.closing
        planned = ties.up >= 0
        of_tie = np.zeros(ties.exchange.size)
        of_tie[planned] = np.maximum(self.cost[ties.up[planned]], self.cost[ties.down[planned]])
        return np.where(closing >= 0, of_tie[closing], 0.0) if of_tie.size else np.zeros(self.count)

    def within_ramps(self, low: Floats, high: Floats, ramp: Indices) -> tuple[Floats, Floats]:
        """Limits (n,) narrowed to what each can reach from where it was; `ramp`: its row, -1 without. Limits come first."""
        if not (ramp >= 0).any():
            return low, high
        reach_low = np.where(ramp >= 0, self.ramp_low[ramp], -np.inf)
        reach_high = np.where(ramp >= 0, self.ramp_high[ramp], np.inf)
        return np.minimum(np.maximum(low, reach_low), high), np.maximum(np.minimum(high, reach_high), low)

    def generator_range(self) -> tuple[Floats, Floats]:
        """Lowest and highest power of each generator: its limits, on or off, its ramp."""
        generators = self.roster.generators
        low, high = self.u[generators.low], self.u[generators.high]
        has = generators.unit >= 0
        if has.any():
            row = generators.unit[has]
            high[has] = np.where(self.on[row], high[has], 0.0)
            low[has] = np.minimum(np.where(self.on[row], low[has], 0.0), high[has])
        return self.within_ramps(low, high, generators.ramp)

    def converter_range(self) -> tuple[Floats, Floats]:
        """Lowest and highest power of each converter."""
        converters = self.roster.converters
        return self.within_ramps(self.u[converters.low], self.u[converters.high], converters.ramp)

    def tie_range(self) -> tuple[Floats, Floats]:
        """Lowest and highest exchange of each tie."""
        ties = self.roster.ties
        return self.within_ramps(self.u[ties.low], self.u[ties.high], ties.ramp)

    def sum(self, network: Indices, values: Floats) -> Floats:
        if not len(network):
            return np.zeros(self.count)
        return np.bincount(network, weights=values, minlength=self.count).astype(float)

    def share(self, amount: Floats, capacity: Floats, network: Indices) -> Floats:
        """How much each gives of `amount` (per network, >= 0), in proportion to its capacity (>= 0)."""
        total = self.sum(network, capacity)
        part = np.minimum(1.0, np.divide(amount, total, out=np.zeros(self.count), where=total > TINY))
        return np.asarray(capacity * part[network])


def merit_order(network: Indices, cost: Floats) -> Iterator[Indices]:
    """Rows of what is cheapest in its network, then of what comes next in each; rows of equal cost together."""
    order = np.lexsort((cost, network))
    first = np.diff(network[order], prepend=-1) != 0
    dearer = np.diff(cost[order], prepend=0.0) > TINY
    steps = np.cumsum(dearer | first)
    rank = steps - np.maximum.accumulate(np.where(first, steps, 0))
    for place in range(int(rank.max(initial=-1)) + 1):
        yield order[rank == place]


def net_range(work: Interval, stores: Stores, *, loose: bool = False) -> tuple[Floats, Floats]:
    """Lowest and highest net injection that power and energy limits allow. `loose`: without the rule of the day's end."""
    kept, limits = stores.kept * work.before[stores.before], work.u if loose else work.wanted
    empty, full = kept - limits[stores.energy_low], kept - limits[stores.energy_high]
    low, high = work.within_ramps(work.u[stores.power_low], work.u[stores.power_high], stores.ramp)
    lowest, highest = np.minimum(full, 0.0) / stores.gain, np.maximum(empty, 0.0) / stores.drain
    low, high = np.clip(low, lowest, highest), np.clip(high, lowest, highest)
    high = np.where(empty < 0, np.clip(empty / stores.gain, low, high), high)  # below its limit it charges, above it discharges
    return np.where(full > 0, np.clip(full / stores.drain, low, high), low), high


def range_in_time(work: Interval, stores: Stores) -> tuple[Floats, Floats]:
    """The same as far as the stores turn in time (`turning`). One that is too late turns as fast as its limits let it."""
    low, high = net_range(work, stores)
    if work.turning is None or stores is not work.roster.stores:
        return low, high
    return np.clip(work.turning[0], low, high), np.clip(work.turning[1], low, high)


def set_net(work: Interval, stores: Stores | Aggregators, net: Floats) -> None:
    work.x[stores.charge], work.x[stores.discharge] = np.maximum(-net, 0.0), np.maximum(net, 0.0)


def shift_stores(work: Interval, stores: Stores, amount: Floats, *, up: bool, only_stop: bool = False, loose: bool = False) -> Floats:
    """Raise (lower) net injection by `amount` per network as far as limits allow; gives what it took.

    only_stop: not through zero. loose: off the rule of the day's end.
    """
    if not stores.names:
        return np.zeros(work.count)
    return shift_net(work, stores, net_range(work, stores, loose=loose), amount, up=up, only_stop=only_stop)


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


def generator_power(work: Interval) -> Floats:
    """Power of each generator."""
    segment = work.roster.generators.segment
    return np.asarray(np.where(segment >= 0, work.x[segment], 0.0).sum(axis=1))


def scale_generators(work: Interval, power: Floats) -> None:
    """Fill segments in merit order up to `power`."""
    segment, width = work.roster.generators.segment, work.roster.generators.width
    below = np.cumsum(width, axis=1) - width
    filled = np.clip(power[:, None] - below, 0.0, width)
    mask = segment >= 0
    work.x[segment[mask]] = filled[mask]
