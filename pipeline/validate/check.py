"""One long table under test, and the words that every check of it uses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.cases.case import Case
from pipeline.core.errors import Mistake
from pipeline.validate.context import Context, Grid
from pipeline.validate.findings import Finding
from pipeline.validate.frame import Floats, Frame, Key

POWER_KW = 1e-4
ENERGY_KWH = 1e-4
BOTH_KW = 1e-6
SLACK_KW = 1e-4  # a priced slack beyond this is reported
SUFFIX = {"active": ("kw", "kwh"), "heat": ("kwth", "kwhth"), "hydrogen": ("m3h", "m3"), "reactive": ("kvar", "kvarh")}


@dataclass(frozen=True)
class Check:
    """One long table under test: its frame, the steps of its stage and the values that its scenarios met."""

    case: Case
    long: Frame
    grid: Grid
    context: Context
    values: Mapping[str, Mapping[str, Floats]]  # scenario -> series -> (N,) or coarser
    stage: str
    excused: frozenset[str] = frozenset()  # checks whose break is published as a finding already

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
        starts = self.grid.starts[self.long.steps - 1]
        ends = starts + 60 * self.grid.step_min
        hit = np.zeros(len(starts), dtype=bool)
        for bound in self.context.overrides:
            if bound.target == device:
                hit |= (starts < bound.valid_to) & (ends > bound.valid_from)
        return hit

    @property
    def single(self) -> NDArray[np.bool_]:
        """(S,) scenarios that are no average of others: a mean may charge and discharge at once, a real one may not."""
        representatives = any(name.isdigit() for name in self.long.scenarios)
        return np.array([name != "expected" or not representatives for name in self.long.scenarios], dtype=bool)


def outside(check: Check, key: Key, value: Floats, low: Floats | float, high: Floats | float, tolerance: float = POWER_KW) -> list[Mistake]:
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
    "ramp_excess_",
    "voltage_above_",
    "voltage_below_",
    "exchange_excess_",
)


def slack_findings(check: Check) -> list[Finding]:
    """A priced slack that moved: one warning per device and slack, at its worst step."""
    findings = []
    for key, values in check.long.values.items():
        if key[3].startswith(SLACKS) and np.nanmax(np.abs(values), initial=0.0) > SLACK_KW:
            s, t = np.unravel_index(int(np.nanargmax(np.abs(values))), values.shape)
            findings.append(
                Finding(
                    "warning",
                    "slack_used",
                    f"{key[0]} {key[3]} step {int(check.long.steps[t])}",
                    f"{key[3]} reaches {values[s, t]:.6g} in scenario {check.long.scenarios[s]}",
                    float(values[s, t]),
                    0.0,
                )
            )
    return findings
