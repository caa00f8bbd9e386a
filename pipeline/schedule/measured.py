"""Measured states of the plant in a day of real time: what the computed state is replaced by, and where.

A measurement counts from the first step on that starts after it and was decided when it was known. It is carried there by what the
plant did since, as far as that is settled: an energy by the energy moved, hours in a state by the time, a power not at all. What it
differs from the computed state is booked nowhere: no device made it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

import numpy as np

from pipeline.cases.case import Case
from pipeline.core.clock import QUARTER_S, Instants, from_epoch
from pipeline.equipment import Generator, Store
from pipeline.program.linear_program import Floats
from pipeline.schedule.findings import Finding
from pipeline.schedule.state import State

Stage = Literal["day_ahead", "real_time"]
Key = tuple[str, str]  # device, quantity as in the table `states`
WARNED_SHARE = 0.05  # of a store's largest energy: beyond it a difference is a warning
_EXACT = 1e-6


class Measurement(NamedTuple):
    """A state in force at `known_at`. `applies_at`: the moment that `value` is of; `measured_at`: when `read` was read off, maybe before.

    Where the two moments differ, `value` is what was read, carried on by what the schedule did in between; `read` is None where not.
    """

    device: str
    quantity: str
    measured_at: int
    applies_at: int
    value: float
    read: float | None = None


@dataclass(frozen=True)
class Jump:
    """One replacement: before `step` the state `key` was computed as `computed` and goes on from `taken`."""

    key: Key
    step: int
    measured: Measurement
    computed: float
    taken: float


def state_key(name: str) -> Key:
    """`dg1.power_before_kw` -> (dg1, power_kw)."""
    device, _, quantity = name.partition(".")
    return device, quantity.replace("_before", "")


@dataclass
class Course:
    """The states of one day as they are computed and measured, step by step. Lives for one sweep over the day.

    known: per step from 1, what is in force at its issue time. taken: (N, n) what a step began with, where that was measured, else NaN.
    """

    case: Case
    starts: Instants
    names: tuple[str, ...]
    known: Sequence[Sequence[Measurement]]
    taken: Floats = field(init=False)
    jumps: list[Jump] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        self.taken = np.full((len(self.starts), len(self.names)), np.nan)
        self._place = {state_key(name): row for row, name in enumerate(self.names)}
        self._computed: list[Floats] = []  # before each step, as it came out of the one before
        self._begun: list[Floats] = []  # the same, as taken
        self._ended: list[Floats] = []  # after each step, as computed
        self._held: dict[Key, Measurement] = {}

    def begin(self, state: State) -> State:
        """The state that `state.step` is decided and settled from: as computed, or as measured where that is known."""
        values = state.values.copy()
        if self._begun:
            self._ended.append(state.values.copy())
        step = len(self._begun) + 1
        newest = self._newest(step)
        for key in {**self._held, **newest}:
            if newest.get(key) != self._held.get(key):
                self._take(values, key, newest.get(key), step, state.values)
        self._held = newest
        self._follow_units(values, state.values, step)
        self._computed.append(state.values.copy())
        self._begun.append(values)
        return replace(state, values=values)

    def _newest(self, step: int) -> dict[Key, Measurement]:
        """Per state, the newest measurement that the step knows of and that lies before it."""
        found: dict[Key, Measurement] = {}
        for one in sorted(self.known[step - 1], key=lambda one: one.measured_at):
            if one.applies_at <= self.starts[step - 1] and (one.device, one.quantity) in self._place:
                found[one.device, one.quantity] = one
        return found

    def _take(self, values: Floats, key: Key, one: Measurement | None, step: int, computed: Floats) -> None:
        row, now = self._place[key], int(self.starts[step - 1])
        if one is None:  # withdrawn, and nothing else is known: as if it had never been said
            if key[1].startswith("energy_"):
                values[row] = max(0.0, self._computed[0][row] + self._moved(row, 0, step))
                self.taken[step - 1, row] = values[row]
            return
        value = one.value
        if key[1].startswith("energy_"):
            value = max(0.0, value + self._since(row, one.applies_at, step))
        elif key[1] == "in_state_h":
            value += (now - one.applies_at) / 3600
        elif key[1] != "on_share" and one.applies_at < now - QUARTER_S:
            return  # a power of long ago says nothing of the one that is ramped from
        values[row] = value
        self.taken[step - 1, row] = value
        self.jumps.append(Jump(key, step, one, float(computed[row]), value))

    def _moved(self, row: int, first: int, step: int) -> float:
        """What intervals first.. (from 0) before `step` moved."""
        return float(sum(self._ended[k][row] - self._begun[k][row] for k in range(first, step - 1)))

    def _since(self, row: int, moment: int, step: int) -> float:
        """What was moved between a moment of the day and the start of `step`."""
        first = int(np.searchsorted(self.starts, moment, side="right")) - 1
        if first >= step - 1:
            return 0.0
        part = (moment - int(self.starts[first])) / QUARTER_S
        return float((1 - part) * (self._ended[first][row] - self._begun[first][row])) + self._moved(row, first + 1, step)

    def _follow_units(self, values: Floats, computed: Floats, step: int) -> None:
        """A unit that was found on or off against what was computed: its hours and its power follow, where they were not measured."""
        for device in self.case.devices:
            row = self._place.get((device.id, "on_share"))
            if not isinstance(device, Generator) or row is None or np.isnan(self.taken[step - 1, row]):
                continue
            if (values[row] > 0.5) == (computed[row] > 0.5):
                continue
            since = (int(self.starts[step - 1]) - self._held[device.id, "on_share"].applies_at) / 3600
            running_kw = device.power_min_kw if values[row] > 0.5 else 0.0
            for quantity, value in (("in_state_h", since), ("power_kw", running_kw)):
                other = self._place.get((device.id, quantity))
                if other is not None and np.isnan(self.taken[step - 1, other]):
                    values[other] = self.taken[step - 1, other] = value

    @property
    def shifts(self) -> Floats:
        """(N, n) by how much each step's start was moved: what the day meets under other set-points, too."""
        moved = np.zeros_like(self.taken)
        moved[: len(self._begun)] = np.array(self._begun) - np.array(self._computed)
        return moved

    def findings(self, stage: Stage = "real_time") -> tuple[Finding, ...]:
        """What was measured against what was computed, one finding per state; and stores found outside their limits."""
        return (*_jump_findings(self.case, self.jumps, stage), *_outside(self.case, self.jumps, stage))


def _jump_findings(case: Case, jumps: Sequence[Jump], stage: Stage) -> list[Finding]:
    found = []
    for key in dict.fromkeys(jump.key for jump in jumps):
        mine = [jump for jump in jumps if jump.key == key]
        worst = max(mine, key=lambda jump: abs(jump.taken - jump.computed))
        size = worst.taken - worst.computed
        if abs(size) <= _EXACT:
            continue
        unit, limit = _unit(key[1]), _limit(case, key[0])
        clock = from_epoch(worst.measured.measured_at).astimezone(case.day(case.default_date).zone)
        read = worst.measured.value if worst.measured.read is None else worst.measured.read
        carried = "" if worst.measured.read is None else f", {worst.measured.value:.6g} {unit} as the day begins, by what was scheduled"
        said = (f"measured {read:.6g} {unit} at {clock:%Y-%m-%d %H:%M}{carried}; before step {worst.step} the computed state "
                f"{worst.computed:.6g} {unit} becomes {worst.taken:.6g}, a difference of {size:+.6g} {unit} that is booked nowhere")
        if len(mine) > 1:
            said += f"; the largest of {len(mine)}, in all {sum(jump.taken - jump.computed for jump in mine):+.6g} {unit}"
        severity: Literal["info", "warning"] = "warning" if limit is not None and abs(size) > limit else "info"
        found.append(Finding(stage, severity, "state_jump", f"{key[0]} {key[1]}", said, size, limit))
    return found


def _outside(case: Case, jumps: Sequence[Jump], stage: Stage) -> list[Finding]:
    stores = {device.id: device for device in case.devices if isinstance(device, Store)}
    found: dict[str, Finding] = {}
    for jump in jumps:
        store = stores.get(jump.key[0])
        if store is None or not jump.key[1].startswith("energy_"):
            continue
        low, high = store.energy_min_kwh, store.energy_max_kwh
        value = next((one for one in (jump.measured.value, jump.taken) if not low - _EXACT <= one <= high + _EXACT), None)
        if value is not None:
            unit, limit = _unit(jump.key[1]), low if value < low else high
            said = (f"{value:.6g} {unit}, measured for step {jump.step}, lie outside {low:g} to {high:g} {unit}: "
                    "it is brought back as fast as its power lets it")
            found.setdefault(store.id, Finding(stage, "warning", "state_outside", store.id, said, value, limit))
    return list(found.values())


def _limit(case: Case, device: str) -> float | None:
    return next((WARNED_SHARE * one.energy_max_kwh for one in case.devices if isinstance(one, Store) and one.id == device), None)


def _unit(quantity: str) -> str:
    return {"kwh": "kWh", "kwhth": "kWhth", "m3": "m3", "kw": "kW", "kwth": "kWth", "m3h": "m3/h", "h": "h"}.get(
        quantity.rsplit("_", 1)[1], "")

