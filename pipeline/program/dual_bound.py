"""What a dual solution proves of an optimum: interior point without crossover stops near it, on either side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.program.implied import implied_limits
from pipeline.program.linear_program import BoundProgram, Floats, dot

FURTHER = 2.0  # a column that nothing limits is taken to be at most so much further from nought, at an optimum, than where it was found


@dataclass(frozen=True)
class Proven:
    """value: of a lower bound. assumed: columns of which it takes something for granted; 0: it holds without."""

    value: float
    assumed: int

    @property
    def words(self) -> str:
        """What is assumed, for those who read the bound; empty where nothing is."""
        if not self.assumed:
            return ""
        return (f"the bound takes for granted that {self.assumed} column{'s' if self.assumed > 1 else ''} without any limit "
                f"{'lie' if self.assumed > 1 else 'lies'} at an optimum at most {FURTHER:g} times as far from nought, and 1, as found")


def dual_bound(bound: BoundProgram, x: Floats, row_dual: Floats) -> Proven:
    """Lower bound of the linear program from any row_dual (r,): the least of its Lagrangian over limits of rows and columns.

    x: (n,) the point found. A dual that presses on a limit that does not exist is dropped. A reduced cost that draws a column to
    where it has no limit is a solver's tolerance off nought: it is charged up to the limit that the rows imply. Where none does, up to
    `FURTHER` |x| + 1, which is what is assumed here.
    """
    program = bound.program
    absent = np.where(row_dual > 0, np.isinf(bound.row_lower), np.isinf(bound.row_upper))
    dual = np.where(absent, 0.0, row_dual)
    reduced = bound.cost - program.matrix.T @ dual
    lower, upper = program.col_lower, program.col_upper
    if _unlimited(reduced, lower, upper).any():
        lower, upper = implied_limits(bound)
    assumed = _unlimited(reduced, lower, upper)
    far = FURTHER * np.abs(x) + 1.0
    value = bound.offset + _least(dual, bound.row_lower, bound.row_upper)
    value += _least(reduced, np.where(assumed, -far, lower), np.where(assumed, far, upper))
    return Proven(value, int(assumed.sum()))


def _unlimited(price: Floats, lower: Floats, upper: Floats) -> np.ndarray:
    """Where a price draws a value to a limit that is not there."""
    return np.asarray((price > 0) & np.isinf(lower) | (price < 0) & np.isinf(upper))


def _least(price: Floats, lower: Floats, upper: Floats) -> float:
    """Least of price times a value within its limits; an infinite limit stands only where the price is nought."""
    limit = np.where(price > 0, lower, upper)
    return dot(price, np.where(price == 0, 0.0, limit))
