"""Protection of the objective against uncertain prices. Bertsimas and Sim, 2004.

A price that is an input may be off by its half-width; at most as many as the budget are, each to the worse side. What that can cost,
max over d of sum_k d_k e_k(x) with e_k(x) the money that deviation k moves, has a linear dual: columns and rows appended to the
program. So it is protected under every treatment, which then binds the expected prices.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import scipy.sparse as sp

from pipeline.program.linear_program import Floats, LinearProgram
from pipeline.uncertainty.deviations import Deviations
from pipeline.uncertainty.refusals import check_budgeted

TERM = "price_protection"


def budgeted_prices(program: LinearProgram, deviations: Deviations) -> LinearProgram:
    """The program whose objective holds for every price deviation inside the budget.

    min cost + sum_g budget_g level_g + sum_k excess_k  s.t.  level_g(k) + excess_k >= +-e_k(x); level, excess >= 0. Deviations with
    low 0 have the upper side only. A group without budget is left out; without any, the program itself is returned. deviations: over
    the program's inputs; those that deviate price decisions and move no row. Appended at the end: columns
    `prices.level[g]` and `prices.excess[k]`, rows `prices.dearer[k]` and `prices.cheaper[k]`, the term `price_protection`.
    Raises InputError for a budget that is none, ValueError for an input that is no price.
    """
    check_budgeted(deviations, "settings.budgeted_prices", budget="budget_share", half_width="half_width_share")
    touched = np.flatnonzero(np.diff(deviations.directions.indptr))
    moved = np.intersect1d(touched, np.unique(program.matrix_by_input.tocoo().col))
    if moved.size:
        raise ValueError(f"input {program.input_names[moved[0]]} moves rows: it is no price")
    budget = deviations.budget
    money = sp.csr_array(program.cost_by_input @ deviations.directions).T.tocsr()  # (K, n) e_k
    used = np.flatnonzero((budget[deviations.group] > 0) & (np.diff(money.indptr) > 0))
    if not used.size:
        return program
    groups, level = np.unique(deviations.group[used], return_inverse=True)
    both = np.flatnonzero(deviations.low[used] < 0)
    limit = np.concatenate([deviations.high[used], deviations.low[used[both]]])
    sides = np.concatenate([np.arange(used.size), both])
    guard = sp.csr_array((np.ones(sides.size), (np.arange(sides.size), level[sides])), shape=(sides.size, groups.size))
    excess = sp.csr_array((np.ones(sides.size), (np.arange(sides.size), sides)), shape=(sides.size, used.size))
    stretched = sp.csr_array(sp.diags_array(-limit) @ money[used[sides]])
    rows = sp.csr_array(sp.hstack([stretched, guard, excess], format="csr"))
    constant = limit * np.asarray(deviations.directions.T @ program.offset_by_input)[used[sides]]
    names = [deviations.names[k] for k in used]
    return _appended(
        program, rows, row_lower=constant, level_cost=budget[groups],
        columns=(*(f"prices.level[{g + 1}]" for g in groups), *(f"prices.excess[{name}]" for name in names)),
        row_names=(*(f"prices.dearer[{name}]" for name in names), *(f"prices.cheaper[{names[k]}]" for k in both)))


def _appended(program: LinearProgram, rows: sp.csr_array, *, row_lower: Floats, level_cost: Floats, columns: tuple[str, ...],
              row_names: tuple[str, ...]) -> LinearProgram:
    count, more, inputs = rows.shape[0], len(columns), len(program.input_names)
    cost = np.concatenate([level_cost, np.ones(more - level_cost.size)])
    terms = program.terms if TERM in program.terms else (*program.terms, TERM)
    blank = sp.csr_array((program.matrix.shape[0], more))
    return replace(
        program, cost=np.concatenate([program.cost, cost]),
        cost_by_input=sp.csr_array(sp.vstack([program.cost_by_input, sp.csr_array((more, inputs))], format="csr")),
        matrix=sp.csr_array(sp.vstack([sp.hstack([program.matrix, blank]), rows], format="csr")),
        matrix_by_input=sp.csr_array(sp.vstack([program.matrix_by_input, sp.csr_array((count, inputs))], format="csr")),
        row_lower=np.concatenate([program.row_lower, row_lower]), row_upper=np.concatenate([program.row_upper, np.full(count, np.inf)]),
        col_lower=np.concatenate([program.col_lower, np.zeros(more)]), col_upper=np.concatenate([program.col_upper, np.full(more, np.inf)]),
        integer=np.concatenate([program.integer, np.zeros(more, dtype=bool)]), row_names=program.row_names + row_names,
        column_names=program.column_names + columns, terms=terms,
        column_term=np.concatenate([program.column_term, np.full(more, terms.index(TERM), dtype=program.column_term.dtype)]),
        readout=sp.csr_array(sp.hstack([program.readout, sp.csr_array((program.readout.shape[0], more))], format="csr")),
    )
