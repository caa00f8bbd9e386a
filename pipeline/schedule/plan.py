"""What real time needs of a day-ahead schedule: positions, set-points and energy trajectories, as arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.program.linear_program import Floats
from pipeline.schedule.desk import Desk
from pipeline.schedule.layout import Label
from pipeline.schedule.roster import Aggregators, Converters, Generators, Stores


@dataclass(frozen=True)
class Plan:
    """`expected[h, j]`: probability-weighted column j in day-ahead step h, energies at its end."""

    labels: tuple[Label, ...]
    expected: Floats  # (H, J)

    @property
    def steps(self) -> int:
        return int(self.expected.shape[0])

    def to_arrays(self) -> dict[str, NDArray[np.generic]]:
        return {
            "device": np.array([label.device for label in self.labels], dtype=np.str_),
            "quantity": np.array([label.quantity for label in self.labels], dtype=np.str_),
            "part": np.array([label.part for label in self.labels], dtype=np.str_), "expected": self.expected,
        }

    @staticmethod
    def from_arrays(arrays: Mapping[str, NDArray[np.generic]]) -> Plan:
        names = zip(arrays["device"], arrays["quantity"], arrays["part"], strict=True)
        return Plan(tuple(Label(str(d), str(q), str(p)) for d, q, p in names), arrays["expected"].astype(float))

    def columns(self, labels: tuple[Label, ...]) -> Floats:
        """(H, len(labels)); zero where the schedule has no such column. A position that nobody decided is the expected exchange."""
        place = {label: j for j, label in enumerate(self.labels)}
        for label in labels:
            if label.quantity == "schedule_kw" and label not in place:
                place[label] = place.get(Label(label.device, "exchange_kw"), -1)
        found = np.array([place.get(label, -1) for label in labels], dtype=np.int64)
        return np.where(found >= 0, self.expected[:, found], 0.0)


@dataclass(frozen=True)
class Held:
    """A plan spread over the quarter-hours of the day, for one program."""

    set_points: Floats  # (N, J) columns of the program; stores move the expected energy in one direction at a time
    frozen: Floats  # (N, F) in the order of the binder's frozen labels
    reference: Floats  # (N+1, n) energies of the stores with a terminal row, linear within a step; row k: after k quarters


def hold(desk: Desk, plan: Plan, start: Mapping[str, float]) -> Held:
    """Hourly powers hold over their quarters, energies are interpolated. `start`: state input name -> value at the day's start."""
    count = desk.day.steps(15)
    factor, rest = divmod(count, plan.steps)
    if rest:
        raise ValueError(f"{plan.steps} day-ahead steps do not divide {count} quarter-hours")
    columns = held_columns(desk, plan)
    names = _energy_labels(desk)
    before = np.array([start[f"{label.device}.{label.quantity.replace('energy_', 'energy_before_', 1)}"] for label in names])
    energy = np.vstack([before, plan.columns(names)])
    at = np.arange(count + 1) / factor
    low = np.minimum(np.floor(at).astype(np.int64), plan.steps - 1)
    reference = energy[low] + (at - low)[:, None] * (energy[low + 1] - energy[low])
    return Held(
        set_points=np.repeat(columns, factor, axis=0), frozen=np.repeat(plan.columns(desk.binder.frozen_labels), factor, axis=0),
        reference=reference,
    )


def held_columns(desk: Desk, plan: Plan) -> Floats:
    """Set-points (H, J) at the plan's own steps: what a mean of scenarios does at once, done in one direction, by one unit, in order."""
    columns = plan.columns(desk.layout.columns.labels)
    for stores in desk.roster.every_store:
        _one_direction(columns, stores)
    _one_direction(columns, desk.roster.aggregators)
    _one_unit(columns, desk.roster.converters)
    in_merit_order(columns, desk.roster.generators)
    return columns


def _one_direction(columns: Floats, stores: Stores | Aggregators) -> None:
    """A mean of scenarios may charge and discharge at once, a set-point may not: keep what it stores, not what it burns."""
    if stores.names:
        stored = stores.gain * columns[:, stores.charge] - stores.drain * columns[:, stores.discharge]
        columns[:, stores.charge] = np.maximum(stored, 0.0) / stores.gain
        columns[:, stores.discharge] = np.maximum(-stored, 0.0) / stores.drain


def _one_unit(columns: Floats, converters: Converters) -> None:
    """A mean of scenarios may run both of a pair, a set-point may not: keep the hydrogen they give, or else the power."""
    for one, other in converters.pairs:
        factor = converters.hydrogen if converters.hydrogen[one] and converters.hydrogen[other] else converters.active
        first, second = columns[:, converters.power[one]], columns[:, converters.power[other]]
        both = np.minimum(first, second) > 0
        kept = factor[one] * first + factor[other] * second
        leads = kept * factor[one] > 0
        columns[:, converters.power[one]] = np.where(both, np.where(leads, kept / factor[one], 0.0), first)
        columns[:, converters.power[other]] = np.where(both, np.where(leads, 0.0, kept / factor[other]), second)


def in_merit_order(columns: Floats, generators: Generators) -> None:
    """A mean of scenarios fills segments out of order: the same power from the cheapest ones."""
    for segment, width in zip(generators.segment, generators.width, strict=True):
        mine = segment[segment >= 0]
        power, wide = columns[:, mine].sum(axis=1), width[segment >= 0]
        columns[:, mine] = np.clip(power[:, None] - (np.cumsum(wide) - wide), 0.0, wide)


def _energy_labels(desk: Desk) -> tuple[Label, ...]:
    """Energy column of each store with a terminal row, in the order of the references."""
    labels = []
    for store in desk.binder.scalars.reference_stores:
        label = next(label for label in desk.layout.columns.labels
                     if label.device == store and label.quantity in {"energy_kwh", "energy_kwhth", "energy_m3"})
        labels.append(label)
    return tuple(labels)
