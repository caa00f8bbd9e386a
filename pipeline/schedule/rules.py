"""Affine rules of a day as they are followed: set-points at what has come, interval by interval.

A rule is written for the steps of the day-ahead schedule. Its own step's deviation is the interval's own, held for as long as the
interval lasts; of steps before, which a rule with memory looks at, it is the mean. A deviation outside the half-widths counts as
their end: beyond it the rule promises nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import scipy.sparse as sp
from numpy.typing import NDArray

from pipeline.program.linear_program import Floats, Indices
from pipeline.schedule.desk import Desk
from pipeline.schedule.layout import Label
from pipeline.schedule.plan import Plan
from pipeline.tables import TABLES
from pipeline.uncertainty.affine_policy import AffinePolicy
from pipeline.uncertainty.deviations import Deviations

_POWERS = {"_kwth": "kWth", "_kvar": "kvar", "_kw": "kW", "_m3h": "m3/h"}
_NOISE = 1e-10  # a solver's dust


@dataclass(frozen=True)
class Rules:
    """H steps of J columns, K deviations. A deviation is read off one input that it moves: (value - expected) / reach.

    gain: (H J, K), step by step, what each column gains at d = 1. source: label of that input. low, high: of d.
    """

    labels: tuple[Label, ...]
    nominal: Floats  # (H, J)
    gain: sp.csr_array
    names: tuple[str, ...]
    slot: Indices
    source: tuple[Label, ...]
    expected: Floats
    reach: Floats
    low: Floats
    high: Floats
    intervals: int  # of the day in real time

    @property
    def steps(self) -> int:
        return int(self.nominal.shape[0])

    def deviations(self, values: Floats, labels: tuple[Label, ...], step: int) -> Floats:
        """(K,) known in interval `step` (from 0) of the day. values: (n, I) inputs of its first n > step intervals, named by `labels`."""
        place = {label: i for i, label in enumerate(labels)}
        at = np.array([place.get(label, -1) for label in self.source], dtype=np.int64)
        per, now = self.per_step, step // self.per_step
        seen = np.zeros(len(self.names))
        for k in np.flatnonzero((self.slot <= now) & (at >= 0)):
            first = int(self.slot[k]) * per
            value = values[step, at[k]] if self.slot[k] == now else values[first : first + per, at[k]].mean()
            seen[k] = (value - self.expected[k]) / self.reach[k]
        return np.clip(seen, self.low, self.high)

    def set_points(self, d: Floats, step: int) -> Floats:
        """(J,) in interval `step` (from 0) of the day at deviations (K,)."""
        now, width = step // self.per_step, len(self.labels)
        return np.asarray(self.nominal[now] + self.gain[now * width : (now + 1) * width] @ d)

    @property
    def per_step(self) -> int:
        return self.intervals // self.steps

    def day(self, values: Floats, labels: tuple[Label, ...]) -> Plan:
        """The rule followed all day: a plan over the intervals (N, J) at their inputs (N, I)."""
        return Plan(self.labels, np.array([self.set_points(self.deviations(values, labels, step), step) for step in range(len(values))]))

    @property
    def moved(self) -> tuple[Label, ...]:
        """Columns that follow a deviation in some step."""
        rows = np.unique(self.gain.nonzero()[0] % len(self.labels))
        return tuple(self.labels[j] for j in rows)

    def to_arrays(self) -> dict[str, NDArray[np.generic]]:
        """Arrays for a cache; `from_arrays` gives back equal rules."""
        return {
            **_labels("column", self.labels), **_labels("source", self.source), "nominal": self.nominal, "gain_data": self.gain.data,
            "gain_indices": self.gain.indices.astype(np.int64), "gain_indptr": self.gain.indptr.astype(np.int64),
            "names": np.array(self.names, dtype=np.str_), "slot": self.slot, "expected": self.expected, "reach": self.reach,
            "low": self.low, "high": self.high, "intervals": np.array([self.intervals], dtype=np.int64),
        }

    @staticmethod
    def from_arrays(arrays: Mapping[str, NDArray[np.generic]]) -> Rules:
        nominal = arrays["nominal"].astype(float)
        names = tuple(str(name) for name in arrays["names"])
        parts = (arrays["gain_data"].astype(float), arrays["gain_indices"].astype(np.int64), arrays["gain_indptr"].astype(np.int64))
        gain = sp.csr_array(parts, shape=(nominal.size, len(names)))
        numbers = {name: arrays[name].astype(float) for name in ("expected", "reach", "low", "high")}
        return Rules(_from_labels("column", arrays), nominal, gain, names, arrays["slot"].astype(np.int64), _from_labels("source", arrays),
                     **numbers, intervals=int(arrays["intervals"].astype(np.int64)[0]))


def rules_of(desk: Desk, deviations: Deviations, policy: AffinePolicy) -> Rules:
    """The policy of a day-ahead program, by step, with the input that shows each deviation."""
    axis, inputs = desk.layout.columns, desk.layout.inputs
    columns = axis.index.ravel()
    moved = sp.csc_array(deviations.directions)
    first = moved.indices[moved.indptr[:-1]]  # every deviation moves an input
    entry = np.full(moved.shape[0], -1, dtype=np.int64)
    entry[inputs.index.ravel()] = np.tile(np.arange(len(inputs.labels)), inputs.index.shape[0])
    reach = np.array([moved.data[moved.indptr[k]] for k in range(deviations.count)], dtype=float)
    return Rules(
        axis.labels, policy.nominal[axis.index], sp.csr_array(policy.rule[columns]), policy.names, policy.slot,
        tuple(inputs.labels[entry[i]] for i in first), deviations.centre[first], reach, deviations.low, deviations.high,
        intervals=desk.day.steps(15))


def rule_table(desk: Desk, rules: Rules | None, run_id: str) -> pa.Table:
    """`affine_rule`: gains of the powers of devices and ties; energies, flows and voltages follow from them. No row without rules."""
    if rules is None:
        return TABLES["affine_rule"].empty()
    home = {device.id for device in desk.case.devices} | {tie.id for tie in desk.case.ties}
    gain = sp.coo_array(rules.gain)
    rows, cells = gain.coords[0], []
    for row, k, value in zip(rows.tolist(), gain.coords[1].tolist(), gain.data.tolist(), strict=True):
        step, j = divmod(row, len(rules.labels))
        label = rules.labels[j]
        unit = next((word for ending, word in _POWERS.items() if label.quantity.endswith(ending)), None)
        if label.device not in home or unit is None or abs(value) <= _NOISE:
            continue
        series, _, rest = rules.names[k].partition("[")
        quantity = label.quantity + (f"[{label.part}]" if label.part else "")
        cells.append((step + 1, label.device, quantity, series + rest.partition("]")[2], step - int(rules.slot[k]), unit, value))
    names = ("step", "device", "quantity", "deviation", "lag_count", "unit", "value")
    columns = dict(zip(names, map(list, zip(*cells, strict=True)), strict=True)) if cells else {name: [] for name in names}
    return TABLES["affine_rule"].build({"run_id": [run_id] * len(cells), **columns})


def _labels(name: str, labels: tuple[Label, ...]) -> dict[str, NDArray[np.generic]]:
    parts = {"device": [one.device for one in labels], "quantity": [one.quantity for one in labels], "part": [one.part for one in labels]}
    return {f"{name}_{part}": np.array(values, dtype=np.str_) for part, values in parts.items()}


def _from_labels(name: str, arrays: Mapping[str, NDArray[np.generic]]) -> tuple[Label, ...]:
    parts = (arrays[f"{name}_{part}"] for part in ("device", "quantity", "part"))
    return tuple(Label(str(d), str(q), str(p)) for d, q, p in zip(*parts, strict=True))
