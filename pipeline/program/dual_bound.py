"""What a dual solution proves of an optimum: interior point without crossover stops near it, on either side."""

from __future__ import annotations

import numpy as np

from pipeline.program.linear_program import BoundProgram, Floats, dot

FURTHER = 2.0  # a column without a limit is taken to be at most so much further from nought, at an optimum, than where it was found


def dual_bound(bound: BoundProgram, x: Floats, row_dual: Floats) -> float:
    """Lower bound of the linear program from any row_dual (r,): the least of its Lagrangian over limits of rows and columns.

    x: (n,) the point found. A dual that presses on a limit that does not exist is dropped. A reduced cost that draws a column to
    where it has no limit is a solver's tolerance off nought: it is charged up to `FURTHER` |x| + 1, which is what is assumed here.
    """
    program = bound.program
    absent = np.where(row_dual > 0, np.isinf(bound.row_lower), np.isinf(bound.row_upper))
    dual = np.where(absent, 0.0, row_dual)
    reduced = bound.cost - program.matrix.T @ dual
    far = FURTHER * np.abs(x) + 1.0
    lower = np.where(np.isinf(program.col_lower), -far, program.col_lower)
    upper = np.where(np.isinf(program.col_upper), far, program.col_upper)
    return bound.offset + _least(dual, bound.row_lower, bound.row_upper) + _least(reduced, lower, upper)


def _least(price: Floats, lower: Floats, upper: Floats) -> float:
    """Least of price times a value within its limits; an infinite limit stands only where the price is nought."""
    limit = np.where(price > 0, lower, upper)
    return dot(price, np.where(price == 0, 0.0, limit))
