"""Programs of a few columns, written as arrays: what treatments are tested on by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import scipy.sparse as sp

from pipeline.program.linear_program import InputSpec, LinearProgram, component_of
from pipeline.uncertainty.deviations import Deviations


def written(columns: Mapping[str, tuple[float, float, float]], rows: Mapping[str, tuple[float, Mapping[str, float], float]],
            *, inputs: Sequence[str] = (), positions: int = 1, integer: Sequence[str] = (), elastic: Sequence[str] = (),
            prices: Mapping[tuple[str, str], float] | None = None) -> LinearProgram:
    """columns: name -> (cost, low, high). rows: name -> (low, {column or input: coefficient}, high). prices: (column, input) -> rate."""
    names, given = list(columns), list(inputs)
    matrix, by_input = np.zeros((len(rows), len(names))), np.zeros((len(rows), len(given)))
    for i, (_, terms, _) in enumerate(rows.values()):
        for name, value in terms.items():
            if name in columns:
                matrix[i, names.index(name)] = value
            else:
                by_input[i, given.index(name)] = value
    priced = np.zeros((len(names), len(given)))
    for (column, name), rate in (prices or {}).items():
        priced[names.index(column), given.index(name)] = rate
    cost, low, high = (np.array([column[i] for column in columns.values()], dtype=float) for i in range(3))
    return LinearProgram(
        cost=cost, cost_by_input=sp.csr_array(priced), offset=0.0, offset_by_input=np.zeros(len(given)),
        matrix=sp.csr_array(matrix), matrix_by_input=sp.csr_array(by_input),
        row_lower=np.array([row[0] for row in rows.values()], dtype=float),
        row_upper=np.array([row[2] for row in rows.values()], dtype=float),
        col_lower=low, col_upper=high, integer=np.array([name in integer for name in names]), row_names=tuple(rows),
        column_names=tuple(names), input_names=tuple(given), terms=("generator_cost", "penalty_cost"),
        column_term=np.array([1 if name in elastic else 0 if columns[name][0] else -1 for name in names], dtype=np.int16),
        readout=sp.csr_array((0, len(names))), readout_by_input=sp.csr_array((0, len(given))), readout_offset=np.zeros(0), readout_names=(),
        inputs={component_of(name): InputSpec(name.split(".")[0], component_of(name).split(".")[-1], "series") for name in given},
        positions=positions, step_h=1.0, rolling=False,
    )


def moving(program: LinearProgram, moves: Sequence[tuple[str, float, int]], centre: Sequence[float], *, budget: Sequence[float],
           group: Sequence[int] | None = None, two_sided: bool = False, entity: Sequence[int] | None = None) -> Deviations:
    """moves: (input, amount at d = 1, slot) of each deviation; one group unless told otherwise."""
    directions = np.zeros((len(program.input_names), len(moves)))
    for k, (name, amount, _) in enumerate(moves):
        directions[program.input_names.index(name), k] = amount
    count = len(moves)
    return Deviations(
        centre=np.array(centre, dtype=float), directions=sp.csr_array(directions), low=np.full(count, -1.0 if two_sided else 0.0),
        high=np.ones(count), slot=np.array([slot for _, _, slot in moves], dtype=np.int64),
        entity=np.full(count, -1) if entity is None else np.array(entity, dtype=np.int64),
        group=np.zeros(count, dtype=np.int64) if group is None else np.array(group, dtype=np.int64), budget=np.array(budget, dtype=float),
        names=tuple(f"{name}{'+' if amount >= 0 else '-'}" for name, amount, _ in moves),
    )
