"""A first mixture: every scenario met with the trial's first stage. Its answers make the master feasible, and nearly optimal, at once."""

from __future__ import annotations

import highspy
import numpy as np

from pipeline.program.highs import check, new_solver, set_option
from pipeline.program.linear_program import Floats
from pipeline.uncertainty.decomposition.pricing import NO_PARALLEL, Answer, Block
from pipeline.uncertainty.decomposition.trial import Reduced


def met_answers(reduced: Reduced, blocks: list[Block]) -> list[Answer]:
    """One answer of each block, or none where a scenario has no recourse to that first stage."""
    x = _met(reduced)
    return [] if x is None else [block.answer(block.flat(x)) for block in blocks]


def _met(reduced: Reduced) -> Floats | None:
    """(S, n) columns of the family: one program, warm from scenario to scenario."""
    family, matrix = reduced.family, reduced.family.matrix
    rows, columns = (np.arange(count, dtype=np.int32) for count in matrix.shape)
    lower = np.where(family.shared, reduced.trial, family.col_lower)
    upper = np.where(family.shared, reduced.trial, family.col_upper)
    solver = new_solver(seed=0, threads=1)
    set_option(solver, "solver", "simplex")
    set_option(solver, "presolve_rule_off", NO_PARALLEL)
    status = solver.passModel(
        columns.size, rows.size, matrix.nnz, 2, 1, 0.0, family.cost[0], lower[0], upper[0], family.row_lower[0], family.row_upper[0],
        matrix.indptr.astype(np.int32), matrix.indices.astype(np.int32), matrix.data, np.zeros(columns.size, dtype=np.int32),
    )
    check(status, "passModel")
    found = np.empty((family.scenarios, columns.size))
    for s in range(family.scenarios):
        if s:
            check(solver.changeColsCost(columns.size, columns, family.cost[s]), "changeColsCost")
            check(solver.changeColsBounds(columns.size, columns, lower[s], upper[s]), "changeColsBounds")
            check(solver.changeRowsBounds(rows.size, rows, family.row_lower[s], family.row_upper[s]), "changeRowsBounds")
        check(solver.run(), "run")
        if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return None
        found[s] = np.array(solver.getSolution().col_value)
    return found
