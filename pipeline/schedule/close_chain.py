"""Active power of one interval over the balancing chain: islands of several networks, whose ties may form loops."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pipeline.program.linear_program import Floats
from pipeline.schedule.chain import Chain, Entry
from pipeline.schedule.interval import TINY, Interval, generator_power, range_in_time, scale_generators, set_net

Own = Callable[..., Floats]  # (interval, amount per network, soft=...) -> what is left of it; soft: without shedding or dumping
_ALL_KW = 1e7


def close_over_chain(work: Interval, chain: Chain, balance_of: Callable[[Interval], Floats], cover: Own, drain: Own) -> Floats:
    """First the chain, over the ties; what it does not reach each network takes itself, the ties still helping. Gives what is left."""
    everything, nothing = np.full(work.count, _ALL_KW), np.zeros(len(chain.entries))
    moved = chain.move(balance_of(work), _rooms(work, chain), _carry(work, chain), [everything] * 4)
    _apply(work, chain, moved.entries, moved.lines)
    if moved.left_kw <= TINY:
        return np.zeros(work.count)
    soft = [_ALL_KW - own(work.copy(), everything, soft=True) for own in (cover, drain)]
    hard = [_ALL_KW - own(work.copy(), everything) - first for own, first in zip((cover, drain), soft, strict=True)]
    moved = chain.move(balance_of(work), (nothing, nothing), _carry(work, chain), [*soft, *hard])
    _apply(work, chain, nothing, moved.lines)
    left = balance_of(work)
    return cover(work, np.maximum(-left, 0.0)) + drain(work, np.maximum(left, 0.0))


def _carry(work: Interval, chain: Chain) -> tuple[Floats, Floats]:
    """How far the exchange of each tie between networks may rise and fall."""
    exchange = work.x[work.roster.ties.exchange]
    low, high = work.tie_range()
    return (high - exchange)[chain.lines], (exchange - low)[chain.lines]


def _rooms(work: Interval, chain: Chain) -> tuple[Floats, Floats]:
    """How far what each entry feeds into its network may rise and fall."""
    found = np.array([_room(work, entry) for entry in chain.entries]).reshape(-1, 2)
    return found[:, 0], found[:, 1]


def _room(work: Interval, entry: Entry) -> tuple[float, float]:
    power, low, high = _standing(work, entry)
    return max(high - power, 0.0), max(power - low, 0.0)


def _standing(work: Interval, entry: Entry) -> tuple[float, float, float]:
    """What an entry feeds in, and between which limits."""
    roster, row = work.roster, entry.row
    if entry.kind == "generator":
        limits, power = work.generator_range(), generator_power(work)
    elif entry.kind == "converter":
        limits, power = work.converter_range(), work.x[roster.converters.power]
    elif entry.kind == "store":
        stores = roster.stores
        limits, power = range_in_time(work, stores), work.x[stores.discharge] - work.x[stores.charge]
    else:
        limits, power = work.tie_range(), work.x[roster.ties.exchange]
    return float(power[row]), float(limits[0][row]), float(limits[1][row])


def _apply(work: Interval, chain: Chain, entries: Floats, lines: Floats) -> None:
    roster = work.roster
    power = generator_power(work)
    net = work.x[roster.stores.discharge] - work.x[roster.stores.charge]
    for entry, moved in zip(chain.entries, entries, strict=True):
        if entry.kind == "generator":
            power[entry.row] += moved
        elif entry.kind == "converter":
            work.x[roster.converters.power[entry.row]] += moved
        elif entry.kind == "store":
            net[entry.row] += moved
        else:
            work.x[roster.ties.exchange[entry.row]] += moved
    kinds = {entry.kind for entry, moved in zip(chain.entries, entries, strict=True) if abs(moved) > TINY}
    if "generator" in kinds:
        scale_generators(work, power)
    if "store" in kinds:
        set_net(work, roster.stores, net)
    work.x[roster.ties.exchange[chain.lines]] += lines
