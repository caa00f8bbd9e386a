"""The connection matrix of an EV aggregator: who connects when, stays how long, and is connected in each slot. Integers, numpy only.

A vehicle that connects in slot k for d slots is usable in the slots k+1 .. k+d and leaves in slot k+d. Slots 1 .. T are those of
the cycle; slot k of the cycle before is k - T. Tan et al., Distributionally Robust Energy Management for Multi-Microgrids,
equations (8) to (14).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.cases.case import Case
from pipeline.core.clock import QUARTER_S, DeliveryDay, Instants, local_hour
from pipeline.core.errors import InputError, Mistake
from pipeline.equipment import EvAggregator, EvConnection

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

SLOTS = 24
QUARTERS = 4
TINY = 1e-9


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

    def reserve_kwh(self, device: EvAggregator) -> float:
        """Least energy at the end of the cycle, of vehicles connected in it that leave in the next one. Equation (11)."""
        return float(self.needs_kwh(device)[-1])

    def needs_kwh(self, device: EvAggregator, parts: int = 1) -> Floats:
        """(T x parts + 1,) least energy at the start of the cycle and after each part of a slot, so that all connected leave with enough.

        Vehicles of a slot are spread over its parts as `spread` does.
        """
        slots, due = np.arange(1 - self.dwell_max, self.slots + 1), self._due()
        coming, leaving = (_shares(counts, parts, late=late) for counts, late in ((self.arrivals(), False), (self.departures(), True)))
        ends = np.arange(1, parts + 1) / parts - 1.0  # of a part, against the end of its slot
        come = coming[(slots - 1) % self.slots]
        leave = leaving[(due - 1) % self.slots]
        found = []
        for at in np.arange(self.slots * parts + 1) / parts:
            here = (come * (slots[:, None] + ends <= at + TINY)).sum(axis=1)
            left = due[..., None] + ends - at
            found.append((here[:, None, None] * self.counts[..., None] * leave * need_kwh(device, left))[left > TINY].sum())
        return np.array(found)

    def early_departure_cap(self) -> Counts:
        """(T,) vehicles due in each slot that connected in this cycle: who of them may leave early. Equation (13)."""
        due = self._due()[self.dwell_max :]
        inside = (due >= 1) & (due <= self.slots)
        return np.bincount(due[inside] - 1, weights=self.counts[self.dwell_max :][inside], minlength=self.slots).astype(np.int64)


def _shares(counts: Counts, parts: int, *, late: bool) -> Floats:
    """(T, parts) share of a slot's vehicles in each of its parts; where it has none, that of a single one."""
    some = np.maximum(counts, 1)
    return np.asarray(spread(some, late=late, parts=parts).reshape(-1, parts) / some[:, None])


def need_kwh(device: EvAggregator, hours_left: Floats) -> Floats:
    """Least energy of a vehicle so long before it leaves: what it can still charge counts, but never less than the least it may hold."""
    still = hours_left * device.charge_efficiency_share * device.charger_kw / device.battery_kwh
    return np.asarray(device.battery_kwh * np.maximum(device.energy_min_share, device.departure_energy_share - still))


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


def spread(counts: Counts, *, late: bool = False, parts: int = QUARTERS) -> Counts:
    """(T,) -> (T x parts,): each count over its parts by largest remainder; of equal remainders the first parts, or the last if `late`.

    Arrivals come early and departures late in their hour: an hourly schedule uses a vehicle through the hour in which it leaves.
    """
    part = np.arange(parts)[::-1] if late else np.arange(parts)
    return np.asarray((counts[:, None] + parts - 1 - part[None, :]) // parts, dtype=np.int64).ravel()


@dataclass(frozen=True)
class _Day:
    """One aggregator on the clock of one day of H hours: quarter-hours where nothing else is said."""

    device: EvAggregator
    matrix: ConnectionMatrix
    arrivals: Counts
    planned: Counts  # departures by the matrix
    leaving: Counts  # of these, who leaves early
    slots: Counts  # (H,) slot of each hour, from 0
    parts: int  # of an hour, in which the reserve is counted

    @property
    def ahead(self) -> int:
        return QUARTERS * self.device.early_departure_h

    def counts(self, leaving: Counts) -> Floats:
        """(5, N) arrivals, departures, connected, withdrawn, reserve when `leaving` (N,) of those due leave early."""
        departures = moved(self.planned, leaving, self.ahead)
        connected = recursion(int(self.matrix.connected()[0]), self.arrivals, departures)
        withdrawn = np.maximum(np.concatenate([connected[-2:-1], connected[:-2]]) - connected[:-1], 0)
        reserve = self._needs(leaving) if self.device.cross_cycle else np.zeros(len(departures))
        return np.stack([self.arrivals, departures, connected[:-1], withdrawn, reserve]).astype(np.float64)

    def _needs(self, leaving: Counts) -> Floats:
        """(N,) what is needed after each quarter-hour, without those who have left early."""
        needs = self.matrix.needs_kwh(self.device, self.parts)
        quarterly = np.repeat(needs[1:].reshape(-1, self.parts)[self.slots].ravel(), QUARTERS // self.parts)
        for due in np.flatnonzero(leaving):
            between = np.arange(due - self.ahead, due)  # gone, though expected to stay
            quarterly[between] -= leaving[due] * need_kwh(self.device, (due - between) / QUARTERS)
        return np.asarray(quarterly)


def _on_day(case: Case, device: EvAggregator, day: DeliveryDay, early: Counts | None, parts: int = QUARTERS) -> _Day:
    """A slot is an hour of the local clock. Where it skips one, its vehicles move with the next; of a repeated hour the first counts."""
    hours, matrix = local_hour(day.starts(60), day.time_zone), cycle_of(device, case.ev_connections)
    slots = (hours - hours[0]) % SLOTS
    none = np.zeros(SLOTS, dtype=np.int64)
    by_slot = (matrix.arrivals(), matrix.departures(), none if early is None else early)
    arrivals, departures, leaving = (_on_clock(part, slots) for part in by_slot)
    return _Day(device, matrix, spread(arrivals), spread(departures, late=True), spread(leaving, late=True), slots, parts)


def _on_clock(by_slot: Counts, slots: Counts) -> Counts:
    """(24,) by slot -> (H,) by hour of a day of H hours."""
    found = np.zeros(len(slots), dtype=np.int64)
    for slot, count in enumerate(by_slot):
        at = np.flatnonzero(slots >= slot)
        found[at[0] if at.size else -1] += count
    return found


def aggregators_of(case: Case) -> tuple[EvAggregator, ...]:
    return tuple(device for device in case.devices if isinstance(device, EvAggregator))


def expected_connections(case: Case, *, day: DeliveryDay, step_min: int = 15,
                         early: Mapping[str, Counts] | None = None) -> dict[str, Floats]:
    """(5, N) per aggregator over the day's quarter-hours: arrivals, departures, connected, withdrawn, reserve, as its matrix says.

    step_min: of the schedule that reserves: one of whole hours uses a vehicle through the hour in which it leaves, and needs less.
    early: (24,) vehicles by slot due that leave early, by aggregator, where a scenario has some.
    """
    found = {}
    for device in aggregators_of(case):
        one = _on_day(case, device, day, (early or {}).get(device.id), 60 // step_min)
        found[device.id] = one.counts(one.leaving)
    return found


def realised_early(case: Case, day: DeliveryDay) -> dict[str, Counts]:
    """(24,) per aggregator, of the day: synthetic, drawn from the device's chance with a seed per aggregator and date."""
    found = {}
    for device in aggregators_of(case):
        rng = np.random.default_rng([device.early_departure_seed, day.date.toordinal(), *device.id.encode()])
        found[device.id] = drawn_early(cycle_of(device, case.ev_connections), device, rng)
    return found


def scenario_early(case: Case, *, count: int, seed: int) -> Counts | None:
    """(N, A, 24) early departures of `count` scenarios, by aggregator and slot due; None where no vehicle of the case leaves early."""
    devices = aggregators_of(case)
    if not any(device.early_departure_share > 0 and device.early_departure_budget_count > 0 for device in devices):
        return None
    rng = np.random.default_rng(seed)
    matrices = [cycle_of(device, case.ev_connections) for device in devices]
    return np.array([[drawn_early(matrix, device, rng) for matrix, device in zip(matrices, devices, strict=True)] for _ in range(count)])


def by_aggregator(case: Case, early: Counts) -> list[dict[str, Counts]]:
    """(N, A, 24) early departures as `expected_connections` takes them: per scenario by the id of the aggregator."""
    names = [device.id for device in aggregators_of(case)]
    return [dict(zip(names, one, strict=True)) for one in early]


def realised_connections(case: Case, *, day: DeliveryDay) -> dict[str, Floats]:
    """What came, of every aggregator: for settlement and for perfect foresight, which have the day's end only to reserve for."""
    found = expected_connections(case, day=day, early=realised_early(case, day))
    for counts in found.values():
        counts[4, :-1] = 0.0
    return found


def intraday_connections(case: Case, *, issue_times: Instants, day: DeliveryDay) -> dict[str, Floats]:
    """For K issue times, (K, 5, N): who had left by then is known, of the rest the matrix is expected."""
    ends, early, found = day.starts() + QUARTER_S, realised_early(case, day), {}
    for device in aggregators_of(case):
        one = _on_day(case, device, day, early[device.id])
        left_at = np.concatenate([np.full(one.ahead, day.start, dtype=np.int64), ends[: len(ends) - one.ahead]])
        found[device.id] = np.stack([
            one.counts(np.where(left_at <= moment, one.leaving, 0)) for moment in np.asarray(issue_times, dtype=np.int64)])
    return found
