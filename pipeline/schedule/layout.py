"""Names of a program sorted into positions: every interval of a program holds the same components in the same order."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from pipeline.program.linear_program import Floats, Indices, LinearProgram

_POSITION_FIRST = frozenset({"segment_kw"})  # indexed [t, i]; all others end in the position


@dataclass(frozen=True, order=True)
class Label:
    """What one entry of an interval is: `f01_ev.charge_kw[2, .]` -> device f01_ev, quantity charge_kw, part 2."""

    device: str
    quantity: str
    part: str = ""

    @property
    def name(self) -> str:
        return f"{self.device}.{self.quantity}" + (f"[{self.part}]" if self.part else "")


@dataclass(frozen=True)
class Axis:
    """`index[t, j]` is the flat index of entry j at position t+1, shape (T, J). `scalars` have no position."""

    labels: tuple[Label, ...]
    index: Indices
    scalars: tuple[Label, ...]
    scalar_index: Indices

    @cached_property
    def of(self) -> dict[tuple[str, str], Indices]:
        """(device, quantity) -> entries j, in the order of their own parts."""
        found: dict[tuple[str, str], list[int]] = {}
        for j, label in enumerate(self.labels):
            found.setdefault((label.device, label.quantity), []).append(j)
        return {key: np.array(entries, dtype=np.int64) for key, entries in found.items()}

    @cached_property
    def entry(self) -> dict[Label, int]:
        return {label: j for j, label in enumerate(self.labels)}

    def entries(self, device: str, quantity: str) -> Indices:
        return self.of.get((device, quantity), np.zeros(0, dtype=np.int64))

    def one(self, device: str, quantity: str) -> int:
        """The entry of a component without parts, -1 where the program has none."""
        found = self.of.get((device, quantity))
        return -1 if found is None else int(found[0])


@dataclass(frozen=True)
class Layout:
    columns: Axis
    inputs: Axis
    readouts: Axis


def layout_of(program: LinearProgram) -> Layout:
    """Sort columns, inputs and read-outs of a program into positions. Once per program."""
    stateful = frozenset(name for name, spec in program.inputs.items() if spec.role == "state")
    return Layout(
        columns=_axis(program.column_names, program.positions, frozenset()),
        inputs=_axis(program.input_names, program.positions, stateful),
        readouts=_axis(program.readout_names, program.positions, frozenset()),
    )


def _axis(names: tuple[str, ...], positions: int, without_position: frozenset[str]) -> Axis:
    rows: dict[Label, list[int]] = {}
    scalars: list[tuple[Label, int]] = []
    for flat, name in enumerate(names):
        component, _, rest = name.partition("[")
        device, _, quantity = component.partition(".")
        parts = rest[:-1].split(",") if rest else []
        if not parts or component in without_position:
            scalars.append((Label(device, quantity, ",".join(parts)), flat))
            continue
        at = 0 if quantity in _POSITION_FIRST else len(parts) - 1
        position = int(parts.pop(at))
        label = Label(device, quantity, ",".join(part.strip() for part in parts))
        rows.setdefault(label, [-1] * positions)[position - 1] = flat
    index = np.array(list(rows.values()), dtype=np.int64).reshape(len(rows), positions).T
    gaps = np.flatnonzero((index < 0).any(axis=0)) if rows else np.zeros(0, dtype=np.int64)
    if gaps.size:
        raise ValueError(f"{list(rows)[gaps[0]].name} does not exist at every position")
    return Axis(tuple(rows), np.ascontiguousarray(index), tuple(label for label, _ in scalars),
                np.array([flat for _, flat in scalars], dtype=np.int64))


def by_position(flat: Floats, axis: Axis) -> Floats:
    """Flat vector (n,) -> (T, J)."""
    return flat[axis.index]
