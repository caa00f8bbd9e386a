"""What a gate is given besides the tables and the case."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from pipeline.cases.case import Case
from pipeline.core.clock import DeliveryDay, Instants
from pipeline.validate.frame import Floats, numbers, texts

Product = str  # "day_ahead" | "real_time"


@dataclass(frozen=True)
class Measured:
    """A measured state as the gate needs it: `value` is of the moment `applies_at`; of two, the one that was measured later counts."""

    device: str
    quantity: str
    measured_at: int
    applies_at: int
    value: float


QUARTER_MIN = 15


@dataclass(frozen=True)
class Bound:
    """An override as the gate needs it: `out` | `set_point_kw` | `limit_low_kw` | `limit_high_kw` of a device or tie."""

    target: str
    quantity: str
    value: float
    valid_from: int
    valid_to: int


@dataclass(frozen=True)
class Context:
    """Everything is optional: what is not given is taken from the tables, or its check is left out where it cannot be.

    values: scenario -> series -> (N,) over the whole delivery day, quarter-hours or the table's own steps, as the stage used
    them (`settled`: what came). before: (device, quantity) -> state before the first step of the table.
    envelopes: fleet -> highest power, lowest and highest energy, unreachable energy, each (C, N). known_runs: this run and its parents.
    parents: tables of the day-ahead run (`schedule`), for positions. objective: of the day-ahead program. measured: per step, what
    was in force when it was decided; None where that is not known.
    """

    known_runs: frozenset[str] = frozenset()
    values: Mapping[str, Mapping[str, Floats]] = field(default_factory=dict)
    before: Mapping[tuple[str, str], float] = field(default_factory=dict)
    envelopes: Mapping[str, tuple[Floats, Floats, Floats, Floats]] = field(default_factory=dict)
    overrides: tuple[Bound, ...] = ()
    parents: Mapping[str, pa.Table] = field(default_factory=dict)
    objective: float | None = None
    measured: tuple[tuple[Measured, ...], ...] | None = None
    objective_tolerance_share: float = 1e-6


@dataclass(frozen=True)
class Grid:
    """Steps of one stage over the delivery day."""

    day: DeliveryDay
    step_min: int

    @property
    def step_h(self) -> float:
        return self.step_min / 60

    @property
    def count(self) -> int:
        return self.day.steps(self.step_min)

    @property
    def starts(self) -> Instants:
        return self.day.starts(self.step_min)

    def fit(self, values: Floats) -> Floats:
        """Values over the day (.., N) in quarter-hours or in this grid's steps -> this grid's steps: means of powers."""
        count = values.shape[-1]
        if count == self.count:
            return values
        factor, rest = divmod(count, self.count)
        if rest:
            raise ValueError(f"{count} values do not make {self.count} steps")
        return np.asarray(values.reshape(*values.shape[:-1], self.count, factor).mean(axis=-1))

    def ends(self, values: Floats) -> Floats:
        """Energies at the end of quarter-hours (.., N) -> at the end of this grid's steps."""
        factor = values.shape[-1] // self.count
        return values[..., factor - 1 :: factor]


def grid_of(case: Case, day: DeliveryDay, stage: str) -> Grid:
    """Steps of a stage: hours or quarters day-ahead, quarters in real time."""
    return Grid(day, case.settings.day_ahead_step_min if stage == "day_ahead" else QUARTER_MIN)


def scenario_values(tables: Mapping[str, pa.Table]) -> tuple[dict[str, dict[str, Floats]], dict[str, float]]:
    """Values by scenario and series and weights by scenario, as published: `scenarios`, else the day-ahead forecast's mean."""
    values: dict[str, dict[str, Floats]] = {}
    weights: dict[str, float] = {}
    table = tables.get("scenarios")
    if table is not None and table.num_rows:
        for (name, series), grid in wide(table, ("scenario", "series"), "value").items():
            values.setdefault(name, {})[series] = grid
        codes, names = texts(table, "scenario")
        weight = numbers(table, "weight")
        weights = {name: float(weight[codes == code][0]) for code, name in enumerate(names)}
        values["expected"] = {
            series: np.asarray(sum(weights[name] * values[name][series] for name in weights))
            for series in next(iter(values.values()))
            if all(series in values[name] for name in weights)
        }
    forecasts = tables.get("forecasts")
    if not values and forecasts is not None and forecasts.num_rows:
        values["expected"] = {
            series: grid for (stage, series), grid in wide(forecasts, ("stage", "series"), "mean").items() if stage == "day_ahead"
        }
        weights = {"expected": 1.0}
    return values, weights


def wide(table: pa.Table, keys: tuple[str, ...], column: str) -> dict[tuple[str, ...], Floats]:
    """(keys) -> values by step 1..max, NaN where no row is."""
    if not table.num_rows:
        return {}
    coded = [texts(table, key) for key in keys]
    step = numbers(table, "step").astype(np.int64)
    group = np.zeros(table.num_rows, dtype=np.int64)
    for codes, labels in coded:
        group = group * len(labels) + codes
    unique, at = np.unique(group, return_inverse=True)
    cells = np.full((len(unique), int(step.max())), np.nan)
    cells[at, step - 1] = numbers(table, column)
    found: dict[tuple[str, ...], Floats] = {}
    for index, code in enumerate(unique):
        parts: list[str] = []
        rest = int(code)
        for _, labels in reversed(coded):
            rest, part = divmod(rest, len(labels))
            parts.append(labels[part])
        found[tuple(reversed(parts))] = cells[index]
    return found
