"""What vehicles at chargers can still take, each of them and a fleet: numbers for the inputs of `devices/ev_fleet`. Numpy only.

Energies are stored energy at the END of an interval, counted from the start of the horizon: the highest when a vehicle charges at once
on arrival, the lowest when it charges as late as it can.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ENVELOPE_DIGITS = 9  # far below a watt-hour: an answer must not depend on how many are asked for at once


class FleetEnvelopes(NamedTuple):
    """Inputs of a fleet, each (cohorts, T). What cannot be charged however early is unreachable; the lower envelope asks for the rest."""

    power_high_kw: Floats
    energy_low_kwh: Floats
    energy_high_kwh: Floats
    unreachable_kwh: Floats  # cumulative from the arrival on

    def at(self, steps: Ints | slice) -> FleetEnvelopes:
        """The envelopes at these intervals."""
        return FleetEnvelopes(*(part[..., steps] for part in self))

    def plus(self, other: FleetEnvelopes) -> FleetEnvelopes:
        """Of both sets of vehicles together."""
        return FleetEnvelopes(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))


@dataclass(frozen=True)
class Stays:
    """n vehicles over T intervals of a horizon. `weight`: the share of a vehicle that each stands for.

    present_h: (n, T) hours at the charger in each interval. due_h: of these, before the vehicle is to be ready. arrives: (n,) first
    interval by whose end it has come.
    """

    names: tuple[str, ...]
    cohort: Ints
    need_kwh: Floats
    charger_kw: Floats
    weight: Floats
    arrives: Ints
    present_h: Floats
    due_h: Floats
    step_h: float
    efficiency_share: float

    @property
    def gain_kw(self) -> Floats:
        """(n,) stored energy per hour of charging."""
        return np.asarray(self.charger_kw * self.efficiency_share)

    def sharing(self, most_kw: float, chosen: Floats | None = None) -> Stays:
        """The same where chargers are too few: everybody present gets the same share of them, so that the sum never exceeds `most_kw`.

        chosen: (n,) share of each that counts, by default its weight.
        """
        counts = self.weight if chosen is None else chosen
        wanted_kw = (counts * self.charger_kw) @ self.present_h / self.step_h
        share = np.minimum(1.0, most_kw / np.maximum(wanted_kw, 1e-9))
        if (share == 1.0).all():
            return self
        return replace(self, present_h=self.present_h * share, due_h=self.due_h * share)


def vehicle_envelopes(stays: Stays) -> FleetEnvelopes:
    """Envelopes of every vehicle, each (n, T).

    An interval in which it is present in part offers that part of its power. The lower envelope is met when the vehicle is to be ready:
    summed over vehicles whose needs differ it promises too much without that room.
    """
    gain = stays.gain_kw[:, None]
    charged, ready = gain * np.cumsum(stays.present_h, axis=1), gain * np.cumsum(stays.due_h, axis=1)
    need = stays.need_kwh[:, None]
    reachable = np.minimum(need, charged[:, -1:])
    high = np.minimum(charged, reachable)
    low = np.clip(reachable - (ready[:, -1:] - ready), 0.0, high)
    come = np.arange(charged.shape[1])[None, :] >= stays.arrives[:, None]
    return FleetEnvelopes(stays.charger_kw[:, None] * stays.present_h / stays.step_h, low, high, np.where(come, need - reachable, 0.0))


def cohort_envelopes(stays: Stays, cohorts: int, *, most_kw: float, chosen: Floats) -> FleetEnvelopes:
    """(K, cohorts, T): sums of the vehicles' envelopes over each cohort, for K choices of who counts.

    chosen: (K, n) share of each vehicle. Where those that count are more than chargers of `most_kw` in all can take, they share them.
    """
    member, plain, found = stays.cohort[None, :] == np.arange(cohorts)[:, None], vehicle_envelopes(stays), []
    for one in chosen:
        shared = stays.sharing(most_kw, one)
        each = plain if shared is stays else vehicle_envelopes(shared)
        found.append([np.round((member * one) @ part, ENVELOPE_DIGITS) for part in each])
    return FleetEnvelopes(*(np.stack(parts) for parts in zip(*found, strict=True)))
