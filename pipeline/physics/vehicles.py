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

ENOUGH_KWH = 1e-7
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

    present_h: (n, T) hours at the charger in each interval. due_h: of these, before the vehicle is to be ready. after_h, due_after_h:
    (n,) the same after the horizon. arrives: (n,) first interval by whose end it has come.
    """

    names: tuple[str, ...]
    cohort: Ints
    need_kwh: Floats
    charger_kw: Floats
    weight: Floats
    arrives: Ints
    present_h: Floats
    due_h: Floats
    after_h: Floats
    due_after_h: Floats
    step_h: float
    efficiency_share: float
    cohorts: int
    most_kw: float  # of all chargers together

    @property
    def gain_kw(self) -> Floats:
        """(n,) stored energy per hour of charging."""
        return np.asarray(self.charger_kw * self.efficiency_share)

    def taken(self, keep: NDArray[np.bool_]) -> Stays:
        """Those of a mask."""
        names = tuple(name for name, stays in zip(self.names, keep.tolist(), strict=True) if stays)
        return replace(self, names=names, **{name: getattr(self, name)[keep] for name in _BY_VEHICLE})

    def window(self, first: int, length: int) -> Stays:
        """Intervals first .. first+length-1 (0-based); past the end of the horizon nobody is there."""
        inside = np.minimum(np.arange(first, first + length), self.present_h.shape[1] - 1)
        ahead = np.arange(first, first + length) < self.present_h.shape[1]
        last = first + length
        return replace(self, arrives=np.maximum(self.arrives - first, 0), present_h=self.present_h[:, inside] * ahead,
                       due_h=self.due_h[:, inside] * ahead, after_h=self.after_h + self.present_h[:, last:].sum(axis=1),
                       due_after_h=self.due_after_h + self.due_h[:, last:].sum(axis=1))

    def left(self, stored_kwh: Floats) -> Stays:
        """The same when (n,) has been stored already; who has enough is no longer there."""
        need = np.maximum(self.need_kwh - stored_kwh, 0.0)
        wanting = (need > ENOUGH_KWH)[:, None]
        return replace(self, need_kwh=need, present_h=self.present_h * wanting, due_h=self.due_h * wanting)

    def sharing(self, chosen: Floats) -> Stays:
        """The same where chargers are too few: everybody present gets the same share of them, so that the sum never exceeds `most_kw`.

        chosen: (n,) share of each that counts.
        """
        wanted_kw = (chosen * self.charger_kw) @ self.present_h / self.step_h
        share = np.minimum(1.0, self.most_kw / np.maximum(wanted_kw, 1e-9))
        if (share == 1.0).all():
            return self
        return replace(self, present_h=self.present_h * share, due_h=self.due_h * share)


_BY_VEHICLE = ("cohort", "need_kwh", "charger_kw", "weight", "arrives", "present_h", "due_h", "after_h", "due_after_h")


def vehicle_envelopes(stays: Stays) -> FleetEnvelopes:
    """Envelopes of every vehicle, each (n, T).

    An interval in which it is present in part offers that part of its power. The lower envelope is met when the vehicle is to be ready:
    summed over vehicles whose needs differ it promises too much without that room.
    """
    gain = stays.gain_kw[:, None]
    charged, ready = gain * np.cumsum(stays.present_h, axis=1), gain * np.cumsum(stays.due_h, axis=1)
    need = stays.need_kwh[:, None]
    reachable = np.minimum(need, charged[:, -1:] + gain * stays.after_h[:, None])
    high = np.minimum(charged, reachable)
    low = np.clip(reachable - (ready[:, -1:] + gain * stays.due_after_h[:, None] - ready), 0.0, high)
    come = np.arange(charged.shape[1])[None, :] >= stays.arrives[:, None]
    return FleetEnvelopes(stays.charger_kw[:, None] * stays.present_h / stays.step_h, low, high, np.where(come, need - reachable, 0.0))


def cohort_envelopes(stays: Stays) -> FleetEnvelopes:
    """Sums of the vehicles' envelopes over each cohort by their weights, (cohorts, T)."""
    return FleetEnvelopes(*(part[0] for part in chosen_envelopes(stays, stays.weight[None, :])))


def chosen_envelopes(stays: Stays, chosen: Floats) -> FleetEnvelopes:
    """(K, cohorts, T): the same for K choices of who counts, by the share (K, n) of each vehicle."""
    member, plain, found = stays.cohort[None, :] == np.arange(stays.cohorts)[:, None], vehicle_envelopes(stays), []
    for one in chosen:
        shared = stays.sharing(one)
        each = plain if shared is stays else vehicle_envelopes(shared)
        found.append([np.round((member * one) @ part, ENVELOPE_DIGITS) for part in each])
    return FleetEnvelopes(*(np.stack(parts) for parts in zip(*found, strict=True)))


def first_interval(stays: Stays) -> tuple[Floats, Floats]:
    """(n,) least and most stored energy of each vehicle in the first interval: what it cannot make up for later, and what it can take."""
    shared = stays.sharing(stays.weight)
    possible = shared.gain_kw[:, None] * shared.present_h
    most = np.minimum(possible[:, 0], shared.need_kwh)
    later = possible[:, 1:].sum(axis=1) + shared.gain_kw * shared.after_h
    return np.clip(np.minimum(shared.need_kwh, possible[:, 0] + later) - later, 0.0, most), most


def handed_out(stays: Stays, stored_kwh: Floats) -> Floats:
    """(n,) energy of the first interval by vehicle, from (cohorts,) what each cohort stores in it.

    Who must charge now does, then who has the least time to spare. What nobody can take is left over.
    """
    least, most = first_interval(stays)
    spare_h = stays.present_h[:, 1:].sum(axis=1) + stays.after_h - (stays.need_kwh - least) / np.maximum(stays.gain_kw, 1e-9)
    given = np.zeros(len(stays.names))
    for cohort in np.flatnonzero(stored_kwh > 0):
        mine = np.flatnonzero(stays.cohort == cohort)
        mine = mine[np.argsort(spare_h[mine], kind="stable")]
        for rooms in (least[mine], (most - least)[mine]):
            rest = stored_kwh[cohort] - given[mine].sum()
            given[mine] += np.clip(rest - np.concatenate([[0.0], np.cumsum(rooms)[:-1]]), 0.0, rooms)
    return given
