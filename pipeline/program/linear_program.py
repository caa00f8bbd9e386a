"""The one object that every treatment of uncertainty works on.

    min (c + C u)'x + d + e'u    s.t.  row_lower <= A x + B u <= row_upper,  col_lower <= x <= col_upper,  x[integer] integer

x are decisions, u inputs. Rows, columns and inputs keep the names of the model, `device.component[index]`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from pipeline.program.names import Names

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

# How an input gets its value. `series`: outlook[series, t] * factor.  `price`: as series, scaled by what `scale` names.
# `limit`: `default` (constant, or a reference) that overrides and outages move.  `state`: a scalar handed on from the last
# interval.  `reference`: from the day-ahead run.  `envelope`: from EV sessions.
Role = Literal["series", "price", "limit", "state", "reference", "envelope", "connection", "frozen"]


@dataclass(frozen=True)
class InputSpec:
    """What fills one input component, declared by the physics that owns it. `data` depends on the role (see schedule/bind)."""

    device: str
    quantity: str
    role: Role
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class LinearProgram:
    """Arrays with names. n columns, m inputs, r rows, k read-outs."""

    cost: Floats  # (n,) c
    cost_by_input: sp.csr_array  # (n, m) C
    offset: float  # d
    offset_by_input: Floats  # (m,) e
    matrix: sp.csr_array  # (r, n) A
    matrix_by_input: sp.csr_array  # (r, m) B
    row_lower: Floats
    row_upper: Floats
    col_lower: Floats
    col_upper: Floats
    integer: NDArray[np.bool_]  # (n,)
    row_names: Names
    column_names: Names
    input_names: tuple[str, ...]
    column_term: NDArray[np.int16]  # (n,) index into terms, -1 where a column costs nothing
    terms: tuple[str, ...]
    # Read-outs are named linear expressions that are no rows: y = R x + S u + s (injections, for instance).
    readout: sp.csr_array  # (k, n) R
    readout_by_input: sp.csr_array  # (k, m) S
    readout_offset: Floats  # (k,)
    readout_names: tuple[str, ...]
    inputs: Mapping[str, InputSpec]  # by component name without index
    positions: int
    step_h: float
    rolling: bool
    input_term: NDArray[np.int16] | None = None  # (m,) index into terms of what `offset_by_input` costs, -1 none; None: none has one

    @cached_property
    def column_index(self) -> dict[str, Indices]:
        """Component name (no brackets) -> column indices in the order of its own index."""
        return _by_component(self.column_names)

    @cached_property
    def input_index(self) -> dict[str, Indices]:
        return _by_component(self.input_names)

    @cached_property
    def row_index(self) -> dict[str, Indices]:
        return _by_component(self.row_names)

    @cached_property
    def readout_index(self) -> dict[str, Indices]:
        return _by_component(self.readout_names)

    def columns_like(self, patterns: Iterable[str]) -> Indices:
        """Indices of all columns whose component name matches one of the shell patterns, ascending."""
        patterns = tuple(patterns)
        hits = [index for name, index in self.column_index.items() if any(fnmatchcase(name, p) for p in patterns)]
        return np.sort(np.concatenate(hits)) if hits else np.zeros(0, dtype=np.int64)

    def held(self, columns: Indices, values: Floats) -> LinearProgram:
        """With some columns (k,) at fixed values (k,)."""
        lower, upper = self.col_lower.copy(), self.col_upper.copy()
        lower[columns] = upper[columns] = values
        return replace(self, col_lower=lower, col_upper=upper)

    def bind(self, inputs: Floats) -> BoundProgram:
        """Arrays for one value of the inputs, shape (m,). NaN or infinite inputs are refused by name."""
        inputs = np.asarray(inputs, dtype=float)
        bad = np.flatnonzero(~np.isfinite(inputs))
        if bad.size:
            raise ValueError(f"input {self.input_names[bad[0]]} is {inputs[bad[0]]} (and {bad.size - 1} more)")
        shift = self.matrix_by_input @ inputs
        return BoundProgram(
            program=self, inputs=inputs, cost=self.cost + self.cost_by_input @ inputs,
            offset=self.offset + dot(self.offset_by_input, inputs),
            row_lower=self.row_lower - shift, row_upper=self.row_upper - shift,
        )


@dataclass(frozen=True)
class BoundProgram:
    """A LinearProgram with its inputs filled in: what a solver takes."""

    program: LinearProgram
    inputs: Floats
    cost: Floats
    offset: float
    row_lower: Floats
    row_upper: Floats

    def readouts(self, x: Floats) -> Floats:
        """Values of the read-outs (injections) at x, shape (k,)."""
        program = self.program
        values: Floats = program.readout @ x + program.readout_by_input @ self.inputs + program.readout_offset
        return values

    def write(self, path: Path) -> None:
        """Export as MPS, for other solvers and for reading."""
        from pipeline.program.mps import write_mps

        write_mps(self, path)


def dot(one: Floats, other: Floats) -> float:
    """Inner product without BLAS: its threads cost more than the product, and their number would change the last digits."""
    return float((one * other).sum())


def component_of(name: str) -> str:
    """`bess1.energy_balance[17]` -> `bess1.energy_balance`."""
    cut = name.find("[")
    return name if cut < 0 else name[:cut]


def _by_component(names: Names) -> dict[str, Indices]:
    found: dict[str, list[int]] = {}
    for index, name in enumerate(names):
        found.setdefault(component_of(name), []).append(index)
    return {name: np.array(indices, dtype=np.int64) for name, indices in found.items()}
