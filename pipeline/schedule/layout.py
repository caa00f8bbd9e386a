"""Names of a program sorted into positions: every interval of a program holds the same components in the same order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from pipeline.program.linear_program import Floats, Indices, LinearProgram
from pipeline.program.names import Names
from pipeline.program.positions import POSITION_FIRST


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
    """Where columns, inputs and read-outs of a program lie, by device and position."""

    columns: Axis
    inputs: Axis
    readouts: Axis


def layout_of(program: LinearProgram) -> Layout:
    """Sort columns, inputs and read-outs of a program into positions. Once per program."""
    stateful = frozenset(name for name, spec in program.inputs.items() if spec.role == "state")
    return Layout(
        columns=_axis(program.column_names, program.column_index, program.positions, frozenset()),
        inputs=_axis(program.input_names, program.input_index, program.positions, stateful),
        readouts=_axis(program.readout_names, program.readout_index, program.positions, frozenset()),
    )


def _axis(names: Names, components: Mapping[str, Indices], positions: int, without_position: frozenset[str]) -> Axis:
    labels: list[Label] = []
    rows: list[Indices] = []
    scalars: list[tuple[Label, int]] = []
    for component, flat in components.items():
        device, _, quantity = component.partition(".")
        if component in without_position or "[" not in names[flat[0]]:
            scalars += [(Label(device, quantity, _index(names[i])), int(i)) for i in flat]
            continue
        first = quantity in POSITION_FIRST
        if flat.size % positions:
            raise ValueError(f"{component} does not exist at every position")
        grid = flat.reshape(positions, -1).T if first else flat.reshape(-1, positions)
        for row in grid:
            part, position = _split(_index(names[row[0]]), first)
            last, end = _split(_index(names[row[-1]]), first)
            if (position, end) != ("1", str(positions)) or part != last:
                raise ValueError(f"{component} does not run through its positions in order")
            labels.append(Label(device, quantity, part))
        rows.append(grid)
    index = np.concatenate(rows) if rows else np.zeros((0, positions), dtype=np.int64)
    return Axis(tuple(labels), np.ascontiguousarray(index.T), tuple(label for label, _ in scalars),
                np.array([flat for _, flat in scalars], dtype=np.int64))


def _index(name: str) -> str:
    """`f01_ev.charge_kw[2,7]` -> `2,7`."""
    cut = name.find("[")
    return name[cut + 1 : -1] if cut >= 0 else ""


def _split(index: str, position_first: bool) -> tuple[str, str]:
    """(part, position) of an index."""
    if position_first:
        position, _, part = index.partition(",")
    else:
        part, _, position = index.rpartition(",")
    return part, position


def by_position(flat: Floats, axis: Axis) -> Floats:
    """Flat vector (n,) -> (T, J)."""
    return flat[axis.index]
