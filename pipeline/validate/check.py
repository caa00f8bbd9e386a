"""One long table under test, and the words that every check of it uses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pipeline.cases.case import Case
from pipeline.core.errors import Mistake
from pipeline.equipment import Store
from pipeline.validate.context import Bound, Context, Grid
from pipeline.validate.findings import Finding, Severity
from pipeline.validate.frame import Floats, Frame, Key

POWER_KW = 1e-4
ENERGY_KWH = 1e-4
BOTH_KW = 1e-6
SLACK_KW = 1e-4  # a priced slack beyond this is reported
UNSERVED_SHARE = 0.005  # of the need: the books let vehicles miss this much
CYCLE_SHARE = 0.03  # of the capacity: what settlement may leave a store away from its end of the day
SUFFIX = {"active": ("kw", "kwh"), "heat": ("kwth", "kwhth"), "hydrogen": ("m3h", "m3"), "reactive": ("kvar", "kvarh")}


@dataclass(frozen=True)
class UnitRows:
    """On or off of one unit as published, per step of the long table (T,)."""

    on: NDArray[np.bool_]
    on_share: Floats
    start: NDArray[np.bool_]
    stop: NDArray[np.bool_]


@dataclass(frozen=True)
class Check:
    """One long table under test: its frame, the steps of its stage and the values that its scenarios met."""

    case: Case
    long: Frame
    grid: Grid
    context: Context
    values: Mapping[str, Mapping[str, Floats]]  # scenario -> series -> (N,) or coarser
    stage: str
    units: Mapping[str, UnitRows] = field(default_factory=dict)  # of generators with commitment
    excused: frozenset[str] = frozenset()  # checks whose break is published as a finding already
    taken: Mapping[tuple[str, str], Floats] = field(default_factory=dict)  # (device, quantity) -> (T,) measured as steps began, else NaN

    @property
    def operating(self) -> int:
        """Row of the scenario whose states are handed on."""
        name = "settled" if self.stage == "real_time" else "expected"
        return self.long.scenarios.index(name) if name in self.long.scenarios else 0

    def begun(self, device: str, quantity: str, ends: Floats, *, first: float = np.nan) -> Floats:
        """What each step (S, T) began with: the end of the one before, or what was measured. first: before the table, where it is known."""
        found = np.concatenate([np.full((len(ends), 1), first), ends[:, :-1]], axis=1)
        taken = self.taken.get((device, quantity))
        return found if taken is None else np.where(np.isfinite(taken), taken, found)

    def series(self, series: str) -> Floats:
        """(S, T) values of a series, NaN for scenarios whose values are not known here."""
        rows = np.full(self.long.shape, np.nan)
        for s, scenario in enumerate(self.long.scenarios):
            given = self.values.get(scenario, {}).get(series)
            if given is not None:
                rows[s] = self.grid.fit(np.asarray(given, dtype=float))[self.long.steps - 1]
        return rows

    def overridden(self, device: str) -> NDArray[np.bool_]:
        """(T,) steps in which a person's word moves this device."""
        return self._in_force(device, self.context.overrides)

    def _in_force(self, device: str, words: Iterable[Bound]) -> NDArray[np.bool_]:
        starts = self.grid.starts[self.long.steps - 1]
        ends = starts + 60 * self.grid.step_min
        hit = np.zeros(len(starts), dtype=bool)
        for bound in words:
            if bound.target == device:
                hit |= (starts < bound.valid_to) & (ends > bound.valid_from)
        return hit

    def forced_off(self, device: str, power_min_kw: float) -> NDArray[np.bool_]:
        """(T,) steps in which a person's word leaves a unit no power to run at: it is out, or limited below its least power.

        A set-point forces nothing: it is followed within what the unit can do.
        """
        return self._in_force(device, (bound for bound in self.context.overrides if bound.quantity == "out" or (
            bound.quantity == "limit_high_kw" and bound.value < power_min_kw - POWER_KW)))

    @property
    def single(self) -> NDArray[np.bool_]:
        """(S,) scenarios that are no average of others: a mean may charge and discharge at once, a real one may not."""
        representatives = any(name.isdigit() for name in self.long.scenarios)
        return np.array([name != "expected" or not representatives for name in self.long.scenarios], dtype=bool)


def outside(check: Check, key: Key, value: Floats, low: Floats | float, high: Floats | float, tolerance: float = POWER_KW) -> list[Mistake]:
    """One mistake per value of `key` that leaves [low, high] by more than the tolerance; shapes broadcast to (scenarios, steps)."""
    low_, high_ = np.broadcast_to(low, value.shape), np.broadcast_to(high, value.shape)
    return check.long.mistakes(
        key, (value < low_ - tolerance) | (value > high_ + tolerance), "{:.6g} is outside [{:.6g}, {:.6g}]", value, low_, high_
    )


_SIGNED = ("injection", "exchange_kw", "exchange_kvar", "schedule_kw", "reactive_kvar", "set_point_kw")


def check_signs(check: Check) -> list[Mistake]:
    """Every column of a program but exchanges and injections is a magnitude."""
    mistakes: list[Mistake] = []
    for key, values in check.long.values.items():
        if key[3] not in _SIGNED:
            mistakes += check.long.mistakes(key, values < -POWER_KW, "{:.6g} is negative", values)
    return mistakes


SLACKS = (
    "shed_",
    "dump_",
    "energy_short_",
    "energy_over_",
    "power_below_",
    "power_above_",
    "unserved_",
    "ev_slack_",
    "ev_surplus_",
    "ramp_excess_",
    "voltage_above_",
    "voltage_below_",
    "exchange_excess_",
)


def slack_findings(check: Check) -> list[Finding]:
    """A priced slack that moved: one finding per device and slack, at its worst step.

    Two are weighed, because an honest day has a little of them: what a settled store misses at the day's end, against its size, and
    what vehicles miss, against their need. Within the share it is `info`.
    """
    findings = []
    for key, values in check.long.values.items():
        if not key[3].startswith(SLACKS) or np.nanmax(np.abs(values), initial=0.0) <= SLACK_KW:
            continue
        s, t = np.unravel_index(int(np.nanargmax(np.abs(values))), values.shape)
        value, name, limit = float(values[s, t]), "slack_used", 0.0
        if key[3].startswith("unserved_"):
            limit = UNSERVED_SHARE * float(np.nanmax(values[:, -1] + _energy(check, key, "unserved_")[:, -1]))
        elif key[3].startswith(("energy_short_", "energy_over_")) and _only_at_day_end(check, values):
            name, limit = "cycle", CYCLE_SHARE * _capacity(check, key[0])
        severity: Severity = "warning" if value > limit else "info"
        place_ = f"{key[0]} {key[3]} step {int(check.long.steps[t])}"
        message = f"{key[3]} reaches {value:.6g} in scenario {check.long.scenarios[s]}"
        findings.append(Finding(severity, name, place_, message, value, limit))
    return findings


def _energy(check: Check, key: Key, slack: str) -> Floats:
    """Cumulative energy that goes with a fleet's unserved energy, of the same cohort."""
    return check.long.zero_or(*key[:3], key[3].replace(slack, "energy_"))


def _only_at_day_end(check: Check, values: Floats) -> bool:
    return check.stage == "real_time" and int(check.long.steps[-1]) == check.grid.count and bool((values[:, :-1] <= SLACK_KW).all())


def _capacity(check: Check, device: str) -> float:
    return next((float(d.energy_max_kwh) for d in check.case.devices if isinstance(d, Store) and d.id == device), 0.0)
