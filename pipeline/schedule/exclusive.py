"""Two things at once (charging and discharging, an electrolyser and its fuel cell, both ways over a line) are excluded by price while
prices are positive.

Where they are not, by binaries.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from pipeline.program.linear_program import Floats, Indices, LinearProgram
from pipeline.program.solve import Solution, SolveOptions, solve
from pipeline.schedule.desk import Desk
from pipeline.schedule.roster import Aggregators, Stores

BOTH_KW = 1e-6
ROUNDS = 4
ALL_FROM = 2  # a store kept from doing both in one interval may do it in another: then every pair gets its binary

_WORDS = (  # binary and rows of a store, of two converters, of a tie
    ("charging_share", "exclusive_charge", "exclusive_discharge"), ("mode_share", "exclusive_power", "exclusive_partner"),
    ("forward_share", "exclusive_forward", "exclusive_backward"),
)


@dataclass(frozen=True)
class Pairs:
    """Flat columns that must not both move, one pair per position. `mode`: 0 of a store, 1 two converters, 2 ways of a tie."""

    charge: Indices
    discharge: Indices
    mode: Indices

    def only(self, which: Indices) -> Pairs:
        return Pairs(self.charge[which], self.discharge[which], self.mode[which])

    def violated(self, x: Floats) -> NDArray[np.bool_]:
        return np.minimum(x[self.charge], x[self.discharge]) > BOTH_KW


def pairs_of(desk: Desk) -> Pairs:
    """Columns that must not both move: of every store, EV aggregator, pair of converters and tie that is paid for, and position."""
    stores: tuple[Stores | Aggregators, ...] = (*desk.roster.every_store, desk.roster.aggregators)
    index, units, ties = desk.layout.columns.index, desk.roster.converters, desk.roster.ties
    paid = ties.forward >= 0
    one = np.concatenate([*(each.charge for each in stores), units.power[units.pairs[:, 0]], ties.forward[paid]])
    other = np.concatenate([*(each.discharge for each in stores), units.power[units.pairs[:, 1]], ties.backward[paid]])
    lines, pairs = int(paid.sum()), len(units.pairs)
    mode = np.repeat(np.arange(3, dtype=np.int64), [one.size - pairs - lines, pairs, lines])
    return Pairs(index[:, one].ravel(), index[:, other].ravel(), np.tile(mode, len(index)))


def with_exclusive(program: LinearProgram, pairs: Pairs) -> LinearProgram:
    """The program with one binary and two rows for each pair, after all its own columns and rows."""
    charge, discharge = pairs.charge, pairs.discharge
    count, (rows, columns) = len(charge), program.matrix.shape
    high_c, high_d = program.col_upper[charge], program.col_upper[discharge]
    each, one = np.arange(count), np.ones(count)
    both = np.arange(2 * count)
    left = sp.coo_array((np.concatenate([one, one]), (both, np.concatenate([charge, discharge]))), shape=(2 * count, columns))
    right = sp.coo_array((np.concatenate([-high_c, high_d]), (both, np.concatenate([each, each]))), shape=(2 * count, count))
    matrix = sp.block_array([[program.matrix, sp.coo_array((rows, count))], [left, right]], format="csr")
    name = [program.column_names[i] for i in charge]
    named = [(n[: n.index(".") + 1], n[n.index("[") :]) for n in name]
    words = [_WORDS[mode] for mode in pairs.mode]
    binaries = tuple(f"{device}{own[0]}{index}" for (device, index), own in zip(named, words, strict=True))
    laws = tuple(f"{device}{own[side]}{index}" for side in (1, 2) for (device, index), own in zip(named, words, strict=True))
    zeros = np.zeros(count)
    return replace(
        program,
        cost=np.concatenate([program.cost, zeros]), cost_by_input=_taller(program.cost_by_input, count), matrix=sp.csr_array(matrix),
        matrix_by_input=_taller(program.matrix_by_input, 2 * count),
        row_lower=np.concatenate([program.row_lower, np.full(2 * count, -np.inf)]),
        row_upper=np.concatenate([program.row_upper, zeros, high_d]),
        col_lower=np.concatenate([program.col_lower, zeros]), col_upper=np.concatenate([program.col_upper, one]),
        integer=np.concatenate([program.integer, one.astype(bool)]),
        row_names=program.row_names + laws, column_names=program.column_names + binaries,
        column_term=np.concatenate([program.column_term, np.full(count, -1, dtype=program.column_term.dtype)]),
        readout=_wider(program.readout, count),
    )


def solve_exclusively(desk: Desk, pairs: Pairs, inputs: Floats, first: Solution, options: SolveOptions) -> tuple[Solution, int]:
    """Solve again with binaries wherever both of a pair moved, until none does. Returns the solution and the number of binaries.

    x and duals keep the program's own columns and rows; the basis stays the linear program's. Without a solution in time the
    first one is returned: its rows still violate, and the caller says so.
    """
    if first.x is None or not pairs.charge.size:
        return first, 0
    program, solution = desk.program, first
    chosen = pairs.violated(first.x)
    for round_ in range(ROUNDS):
        if not chosen.any():
            return solution, 0
        if round_ >= ALL_FROM:
            chosen = np.ones_like(chosen)
        held = np.flatnonzero(chosen)
        wider = with_exclusive(program, pairs.only(held))
        found = solve(wider.bind(inputs), replace(options, method="auto", crossover=True))
        if found.x is None:
            return first, -1
        columns, rows = program.matrix.shape[1], program.matrix.shape[0]
        solution = replace(
            found, x=found.x[:columns], basis=first.basis, row_dual=None if found.row_dual is None else found.row_dual[:rows],
            reduced_cost=None if found.reduced_cost is None else found.reduced_cost[:columns],
        )
        again = pairs.violated(found.x[:columns])
        if not again.any():
            return solution, int(held.size)
        chosen |= again
    return solution, -1


def _taller(matrix: sp.csr_array, more: int) -> sp.csr_array:
    pointer = np.concatenate([matrix.indptr, np.full(more, matrix.indptr[-1], dtype=matrix.indptr.dtype)])
    return sp.csr_array((matrix.data, matrix.indices, pointer), shape=(matrix.shape[0] + more, matrix.shape[1]))


def _wider(matrix: sp.csr_array, more: int) -> sp.csr_array:
    return sp.csr_array((matrix.data, matrix.indices, matrix.indptr), shape=(matrix.shape[0], matrix.shape[1] + more))
