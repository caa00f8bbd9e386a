"""A LinearProgram from nothing but arrays: for programs that an algorithm writes, which no planner reads."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from pipeline.program.linear_program import Floats, LinearProgram


def plain_program(cost: Floats, matrix: sp.csr_array, *, row_lower: Floats, row_upper: Floats, col_lower: Floats, col_upper: Floats,
                  integer: NDArray[np.bool_] | None = None) -> LinearProgram:
    """min cost'x over r rows and n columns, numbered instead of named, without inputs."""
    rows, columns = matrix.shape
    return LinearProgram(
        cost=cost, cost_by_input=sp.csr_array((columns, 0)), offset=0.0, offset_by_input=np.zeros(0), matrix=matrix,
        matrix_by_input=sp.csr_array((rows, 0)), row_lower=row_lower, row_upper=row_upper, col_lower=col_lower, col_upper=col_upper,
        integer=np.zeros(columns, dtype=bool) if integer is None else integer,
        row_names=tuple(f"row[{i}]" for i in range(rows)), column_names=tuple(f"column[{i}]" for i in range(columns)), input_names=(),
        column_term=np.full(columns, -1, dtype=np.int16), terms=(), readout=sp.csr_array((0, columns)),
        readout_by_input=sp.csr_array((0, 0)), readout_offset=np.zeros(0), readout_names=(), inputs={}, positions=1, step_h=1.0,
        rolling=False,
    )
