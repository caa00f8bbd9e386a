"""The last word: every row and column of every scenario, pool rows among them, recomputed on the program as it was given."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.program.linear_program import Floats, dot
from pipeline.uncertainty.two_stage import TwoStage


@dataclass(frozen=True)
class Checked:
    """Largest violation, as a share of the size of what is violated; whole cost of each scenario, (S,)."""

    violation: float
    where: str
    costs: Floats


def check_solution(given: TwoStage, x: Floats) -> Checked:
    """x (S, n): the program's columns in each scenario."""
    program, worst, where = given.program, 0.0, ""
    costs = np.empty(len(x))
    for s, (inputs, columns) in enumerate(zip(given.scenarios, x, strict=True)):
        bound = program.bind(inputs)
        costs[s] = dot(bound.cost, columns) + bound.offset
        size = abs(program.matrix) @ np.abs(columns)
        for kind, value, lower, upper, scale in (
            ("row", program.matrix @ columns, bound.row_lower, bound.row_upper, size),
            ("column", columns, program.col_lower, program.col_upper, np.abs(columns)),
        ):
            beyond = np.maximum(lower - value, value - upper) / (1 + scale)
            beyond = np.where(np.isnan(beyond), np.inf, beyond)
            place = int(beyond.argmax()) if beyond.size else 0
            if beyond.size and beyond[place] > worst:
                names = program.row_names if kind == "row" else program.column_names
                worst, where = float(beyond[place]), f"{names[place]}@{s + 1}"
    split = np.abs(x[:, given.first_stage] - x[0, given.first_stage]).max(initial=0.0)
    if split > worst:
        worst, where = float(split), "first stage"
    return Checked(worst, where, costs)
