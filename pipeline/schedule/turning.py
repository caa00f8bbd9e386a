"""How far a store may be pushed in an interval and still turn in time: at its limits of energy, and where the day has to end.

A store that ramps cannot stop at once. What settlement adds to a set-point near a limit, or in the last quarter-hours of the day,
is energy that the ramp no longer lets it give back; what comes after it in the balancing chain takes that instead.
"""

from __future__ import annotations

import numpy as np

from pipeline.program.linear_program import Floats, Indices
from pipeline.schedule.roster import Stores
from pipeline.schedule.units import Ramps

_HALVINGS = 50  # of the range of power: below a millionth of a watt


def turning_range(stores: Stores, ramps: Ramps, limits: Floats, now: Floats, state: Floats) -> tuple[Floats, Floats]:
    """Lowest and highest net injection (n,) of an interval from which every store can turn in time; -inf and inf without a ramp.

    limits: (R, I) inputs of this interval and of the rest of the day, the last with the rule of the day's end. now: (I,) what the
    interval is settled with. state: values before it. Where a store is too late already, the range is the end that is least late.
    """
    low, high = np.full(len(stores.names), -np.inf), np.full(len(stores.names), np.inf)
    ramped = np.flatnonzero(stores.ramp >= 0)
    if not ramped.size:
        return low, high
    ramp = ramps.ramp_kw[stores.ramp[ramped]]
    least, most = now[stores.power_low[ramped]], now[stores.power_high[ramped]]
    for sign, found in ((1.0, low), (-1.0, high)):
        bound = limits[:, (stores.energy_high if sign > 0 else stores.energy_low)[ramped]]
        found[ramped] = _furthest(stores, ramped, sign, ramp, (least, most), bound, state[stores.before[ramped]])
    return low, high


def _furthest(stores: Stores, which: Indices, sign: float, ramp: Floats, range_: tuple[Floats, Floats], bound: Floats,
              before: Floats) -> Floats:
    """Net injection (n,) furthest from turning that still turns in time. sign 1: charging, against the upper limits; -1: against the lower.

    bound: (R, n) limits of energy after each interval. The quickest turn ramps from the power of now to the other end of the range.
    """
    least, most = range_
    kept = stores.kept[which] ** np.arange(1, len(bound) + 1)[:, None]
    later = np.arange(len(bound))[:, None] * ramp

    def late(power: Floats) -> np.ndarray:
        net = np.minimum(power + later, most) if sign > 0 else np.maximum(power - later, least)
        change = stores.gain[which] * np.maximum(-net, 0.0) - stores.drain[which] * np.maximum(net, 0.0)
        energy = kept * (before + np.cumsum(change / kept, axis=0))
        return np.asarray((sign * (energy - bound) > 1e-9).any(axis=0))

    bad, good = (least, most) if sign > 0 else (most, least)
    free = ~late(bad)
    if free.all():
        return bad.copy()
    for _ in range(_HALVINGS):
        middle = (bad + good) / 2
        too_late = late(middle)
        bad, good = np.where(too_late, middle, bad), np.where(too_late, good, middle)
    return np.where(free, range_[0] if sign > 0 else range_[1], good)
