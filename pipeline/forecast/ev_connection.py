"""The connection matrix of an EV aggregator: who connects when, stays how long, and is connected in each slot. Integers, numpy only.

A vehicle that connects in slot k for d slots is usable in the slots k+1 .. k+d and leaves in slot k+d. Slots 1 .. T are those of
the cycle; slot k of the cycle before is k - T. Tan et al., Distributionally Robust Energy Management for Multi-Microgrids,
equations (8) to (14).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.core.errors import InputError, Mistake
from pipeline.equipment import EvAggregator, EvConnection

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

SLOTS = 24
QUARTERS = 4


@dataclass(frozen=True)
class ConnectionMatrix:
    """`counts[r, j]`: vehicles that connect in slot `r + 1 - dwell_max` for `dwell_min + j` slots, of two cycles.

    Shape (dwell_max + T, dwell_max - dwell_min + 1): rows of the cycle before come first (slots 1 - dwell_max .. 0).
    """

    counts: Counts
    dwell_min: int
    dwell_max: int

    @property
    def slots(self) -> int:
        return len(self.counts) - self.dwell_max

    def _due(self) -> Counts:
        """(rows, dwells) slot in which each entry leaves."""
        connect = np.arange(1 - self.dwell_max, self.slots + 1)
        return connect[:, None] + np.arange(self.dwell_min, self.dwell_max + 1)[None, :]

    def departures(self) -> Counts:
        """(T,) vehicles that leave in each slot: sum over d of N(t - d, d). Equation (9), its three ranges at once."""
        due = self._due()
        inside = (due >= 1) & (due <= self.slots)
        return np.bincount(due[inside] - 1, weights=self.counts[inside], minlength=self.slots).astype(np.int64)

    def arrivals(self) -> Counts:
        """(T,) vehicles that connect in each slot."""
        return np.asarray(self.counts[self.dwell_max :].sum(axis=1))

    def connected(self) -> Counts:
        """(T+1,) vehicles usable in each slot, and after the last. Equation (8)."""
        before = self.counts[: self.dwell_max]
        first = int(before[self._due()[: self.dwell_max] >= 1].sum())
        return recursion(first, self.arrivals(), self.departures())

    def reserve_kwh(self, device: EvAggregator, *, step_h: float = 1.0) -> float:
        """Least energy at the end of the cycle, of vehicles connected in it that leave in the next one. Equation (11).

        What a vehicle can still charge until it leaves counts; none is asked for less than the least of a connected one.
        """
        after = self._due()[self.dwell_max :] - self.slots
        still = after * device.charge_efficiency_share * device.charger_kw * step_h / device.battery_kwh
        share = np.maximum(device.energy_min_share, device.departure_energy_share - still)
        return float(device.battery_kwh * (self.counts[self.dwell_max :] * share)[after > 0].sum())

    def early_departure_cap(self) -> Counts:
        """(T,) vehicles due in each slot that connected in this cycle: who of them may leave early. Equation (13)."""
        due = self._due()[self.dwell_max :]
        inside = (due >= 1) & (due <= self.slots)
        return np.bincount(due[inside] - 1, weights=self.counts[self.dwell_max :][inside], minlength=self.slots).astype(np.int64)


def recursion(first: int, arrivals: Counts, departures: Counts) -> Counts:
    """(T+1,) connected vehicles from those at the start."""
    return np.concatenate([[first], first + np.cumsum(arrivals - departures)]).astype(np.int64)


def matrix_of(
    current: Iterable[tuple[int, int, int]], *, slots: int, dwell_min: int, dwell_max: int,
    previous: Iterable[tuple[int, int, int]] | None = None,
) -> ConnectionMatrix:
    """From (slot, dwell, vehicles) of the cycle and of the one before; without `previous` the cycle repeats.

    Raises InputError naming every entry that is no whole number, or lies outside the cycle or the range of stays.
    """
    rows = [("current", *entry) for entry in current]
    rows += [("previous", *entry) for entry in previous] if previous is not None else [("previous", *entry[1:]) for entry in rows]
    _refuse(rows, slots, dwell_min, dwell_max)
    counts = np.zeros((dwell_max + slots, dwell_max - dwell_min + 1), dtype=np.int64)
    for cycle, slot, dwell, vehicles in rows:
        row = int(slot) - 1 + dwell_max - (slots if cycle == "previous" else 0)
        if row >= 0:  # who connected so early yesterday has left
            counts[row, int(dwell) - dwell_min] += int(vehicles)
    return ConnectionMatrix(counts, dwell_min, dwell_max)


def _refuse(rows: list[tuple[str, int, int, int]], slots: int, dwell_min: int, dwell_max: int) -> None:
    mistakes = []
    for cycle, slot, dwell, vehicles in rows:
        place = f"connection matrix, {cycle} cycle, slot {slot}, stay {dwell}"
        if any(float(value) != int(value) for value in (slot, dwell, vehicles)):
            mistakes.append(Mistake(place, f"{vehicles} vehicles: slot, stay and vehicles are counted in whole numbers", "round them"))
        elif vehicles < 0:
            mistakes.append(Mistake(place, f"{vehicles} vehicles are fewer than none", "leave the entry out"))
        elif not 1 <= slot <= slots:
            mistakes.append(Mistake(place, f"the slot lies outside 1 to {slots}", "give a slot of the cycle"))
        elif not dwell_min <= dwell <= dwell_max:
            mistakes.append(Mistake(place, f"the stay lies outside {dwell_min} to {dwell_max} h", "correct it, or widen the range"))
    if mistakes:
        raise InputError(dict.fromkeys(mistakes))


def cycle_of(device: EvAggregator, connections: Iterable[EvConnection]) -> ConnectionMatrix:
    """The matrix of an aggregator of a case: its cycle repeats every day."""
    mine = [(one.connect_slot, one.dwell_h, one.vehicle_count) for one in connections if one.aggregator == device.id]
    return matrix_of(mine, slots=SLOTS, dwell_min=device.dwell_min_h, dwell_max=device.dwell_max_h)


def moved(departures: Counts, early: Counts, ahead: int) -> Counts:
    """(T,) departures when `early[t]` of those due in slot t leave `ahead` slots before. Equation (12).

    N_UN(t) = N*_UN(t) + mu(t + xi) - mu(t): what leaves early in one slot is missing in another, so the sum stays.
    """
    sooner = np.concatenate([early[ahead:], np.zeros(ahead, dtype=early.dtype)])
    return np.asarray(departures + sooner - early)


def check_early(matrix: ConnectionMatrix, early: Counts, *, ahead: int, budget: int) -> None:
    """Equations (13) and (14). Raises InputError where early departures exceed who may leave, or the budget."""
    mistakes = []
    cap = matrix.early_departure_cap()
    if ahead * 2 >= matrix.dwell_min:
        mistakes.append(Mistake("early departures", f"leaving {ahead} slots early cuts a stay of {matrix.dwell_min} to half or less",
                                "such a vehicle is an uncontrollable load: give less than half of the shortest stay"))
    over = np.flatnonzero((early > cap) | (early < 0) | (early != np.rint(early)))
    mistakes += [Mistake(f"early departures, slot {t + 1}", f"{early[t]} vehicles leave early, of {cap[t]} that may", f"give 0 to {cap[t]}")
                 for t in over]
    used = int(np.abs(moved(matrix.departures(), early, ahead) - matrix.departures()).sum())
    if used > budget:
        mistakes.append(Mistake("early departures", f"move {used} departures, the budget is {budget}", "lower them"))
    if mistakes:
        raise InputError(mistakes)


def drawn_early(matrix: ConnectionMatrix, device: EvAggregator, rng: np.random.Generator) -> Counts:
    """(T,) early departures: each vehicle that may leave early does so with the device's chance, until the budget is used up."""
    cap = matrix.early_departure_cap()
    early = rng.binomial(cap, device.early_departure_share).astype(np.int64)
    early[: device.early_departure_h] = 0  # nobody leaves before the cycle begins
    while int(np.abs(moved(early * 0, early, device.early_departure_h)).sum()) > device.early_departure_budget_count:
        busy = np.flatnonzero(early)
        early[rng.choice(busy)] -= 1
    return early


def spread(counts: Counts, parts: int = QUARTERS) -> Counts:
    """(T,) -> (T x parts,): each count over its parts by largest remainder; equal remainders go to the first parts."""
    part = np.arange(parts)
    return np.asarray((counts[:, None] + parts - 1 - part[None, :]) // parts, dtype=np.int64).ravel()
