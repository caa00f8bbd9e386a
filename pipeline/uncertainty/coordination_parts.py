"""One program taken apart at its ties: a master that they all meet in, and parts that touch it through them alone."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components

from pipeline.core.errors import InputError, Mistake
from pipeline.program.linear_program import Floats, Indices, LinearProgram, dot
from pipeline.uncertainty.deviations import Deviations

_SMALL_SHARE = 0.05  # of the largest part: a smaller component (rows about a tie alone) belongs to the master


@dataclass(frozen=True)
class Part:
    """Rows and columns of the whole program; `ties` are those of its columns that it shares with the master, ascending."""

    rows: Indices
    columns: Indices  # own and ties, ascending
    ties: Indices


@dataclass(frozen=True)
class Parts:
    """`master` holds every tie and the program's constants; each part its own ties."""

    master: Part
    parts: tuple[Part, ...]


def parts_of(program: LinearProgram, ties: Indices, deviations: Deviations | None = None) -> Parts:
    """Blocks of the arrays once the ties are taken out. Raises InputError where that leaves one block.

    The master is the block that most ties touch. Parts are the others that deviations touch or, where none does, all but small ones;
    what is left belongs to the master.
    """
    ties = np.unique(np.asarray(ties, dtype=np.int64))
    column_block, row_block, count = _blocks(program, ties)
    touching = _touching(program, ties, row_block, count)
    coupling = ties[np.asarray(touching.sum(axis=1)).ravel() > 1]
    if coupling.size < ties.size:  # the others are no ties: they stay within one block
        column_block, row_block, count = _blocks(program, coupling)
        touching = _touching(program, coupling, row_block, count)
    size = np.bincount(column_block[column_block >= 0], minlength=count)
    touched = np.asarray(touching.sum(axis=0)).ravel()
    if not coupling.size:
        raise InputError(Mistake("settings.method.solution", "no tie couples two parts of this program", "take solution: monolith"))
    master = int(np.lexsort((np.arange(count), -size, -touched))[0])
    moved = _moved(program, deviations, row_block, count)
    candidates = np.flatnonzero((touched > 0) & (np.arange(count) != master))
    uncertain = candidates[moved[candidates]]
    chosen = uncertain if uncertain.size else candidates[size[candidates] >= _SMALL_SHARE * size[candidates].max(initial=0)]
    parts = tuple(_part(row_block, column_block, [int(block)], coupling[touching[:, block] > 0]) for block in chosen)
    rest = np.setdiff1d(np.arange(-1, count), chosen).tolist()
    return Parts(_part(row_block, column_block, rest, coupling), parts)


def _part(row_block: Indices, column_block: Indices, blocks: list[int], ties: Indices) -> Part:
    own = np.flatnonzero(np.isin(column_block, [block for block in blocks if block >= 0]))
    return Part(np.flatnonzero(np.isin(row_block, blocks)), np.union1d(own, ties), ties)


def _blocks(program: LinearProgram, ties: Indices) -> tuple[Indices, Indices, int]:
    """Block of each column (-1: a tie) and of each row (-1: of ties alone), and their number."""
    rows, columns = program.matrix.shape
    inner = sp.coo_array(program.matrix)
    kept = ~np.isin(inner.coords[1], ties)
    graph = sp.coo_array((np.ones(int(kept.sum())), (inner.coords[0][kept], rows + inner.coords[1][kept])), shape=(rows + columns,) * 2)
    _, label = connected_components(graph, directed=False)
    filled = np.zeros(rows, dtype=bool)
    filled[inner.coords[0][kept]] = True
    own = np.ones(columns, dtype=bool)
    own[ties] = False
    used = np.unique(label[rows:][own])
    place = np.full(label.max(initial=0) + 1, -1, dtype=np.int64)
    place[used] = np.arange(used.size)
    return np.where(own, place[label[rows:]], -1), np.where(filled, place[label[:rows]], -1), int(used.size)


def _touching(program: LinearProgram, ties: Indices, row_block: Indices, count: int) -> NDArray[np.int64]:
    """(ties, blocks) 1 where a tie stands in a row of a block."""
    found = np.zeros((ties.size, count), dtype=np.int64)
    held = sp.coo_array(program.matrix[:, ties])
    block = row_block[held.coords[0]]
    found[held.coords[1][block >= 0], block[block >= 0]] = 1
    return found


def _moved(program: LinearProgram, deviations: Deviations | None, row_block: Indices, count: int) -> NDArray[np.bool_]:
    moved = np.zeros(count, dtype=bool)
    if deviations is not None and deviations.count:
        rows = sp.coo_array(program.matrix_by_input @ deviations.directions).coords[0]
        moved[row_block[rows][row_block[rows] >= 0]] = True
    return moved


def extract(program: LinearProgram, part: Part, *, constants: bool, priced_ties: bool) -> LinearProgram:
    """The program of one part. constants: with the offset of the objective. priced_ties: ties keep their cost (in the master)."""
    columns, rows = part.columns, part.rows
    free = np.isin(columns, part.ties) if not priced_ties else np.zeros(columns.size, dtype=bool)
    keep = sp.diags_array((~free).astype(float))
    return replace(
        program, cost=np.where(free, 0.0, program.cost[columns]), cost_by_input=sp.csr_array(keep @ program.cost_by_input[columns]),
        offset=program.offset if constants else 0.0,
        offset_by_input=program.offset_by_input if constants else np.zeros_like(program.offset_by_input),
        matrix=sp.csr_array(program.matrix[rows][:, columns]), matrix_by_input=sp.csr_array(program.matrix_by_input[rows]),
        row_lower=program.row_lower[rows], row_upper=program.row_upper[rows], col_lower=program.col_lower[columns],
        col_upper=program.col_upper[columns], integer=program.integer[columns],
        row_names=tuple(program.row_names[i] for i in rows), column_names=tuple(program.column_names[i] for i in columns),
        column_term=program.column_term[columns], readout=sp.csr_array((0, columns.size)),
        readout_by_input=sp.csr_array((0, len(program.input_names))), readout_offset=np.zeros(0), readout_names=(),
    )


def with_own_money(program: LinearProgram, part: LinearProgram, centre: Floats) -> LinearProgram:
    """A part of `program` whose deviations bring their constant money along; at the centre (m,) it is the master's, and 0 here."""
    return replace(part, offset_by_input=program.offset_by_input, offset=-dot(program.offset_by_input, centre))


def own_deviations(program: LinearProgram, deviations: Deviations, parts: Parts) -> tuple[Deviations, ...]:
    """Deviations of the master and of each part: those that touch it, all others held at 0. Money alone belongs to the master.

    Raises InputError where one deviation, or one budget, spans several: their worst cases would not add up.
    """
    every = (parts.master, *parts.parts)
    moved = sp.csr_array(program.matrix_by_input @ deviations.directions)
    active = (deviations.budget[deviations.group] > 0) & ((deviations.high > 0) | (deviations.low < 0))
    touches = np.array([np.asarray(abs(moved[part.rows]).sum(axis=0)).ravel() > 0 for part in every]) & active
    touches[0] |= active & (program.offset_by_input @ deviations.directions != 0) & ~touches.any(axis=0)
    spread = np.flatnonzero(touches.sum(axis=0) > 1)
    if spread.size:
        raise InputError(Mistake("settings.method.solution", f"{deviations.names[spread[0]]} moves several parts of the program at once",
                                 "take solution: monolith"))
    for group in range(deviations.budget.size):
        if touches[:, deviations.group == group].any(axis=1).sum() > 1:
            raise InputError(Mistake("settings.method.solution", f"one budget (group {group + 1}) spans several parts of the program",
                                     "take information: own with a budget per entity, or solution: monolith"))
    return tuple(replace(deviations, low=np.where(mine, deviations.low, 0.0), high=np.where(mine, deviations.high, 0.0))
                 for mine in touches)


def tie_limits(program: LinearProgram, ties: Indices, lower: Floats, upper: Floats) -> tuple[Floats, Floats]:
    """Bounds of ties (T,), (T,): of the columns, and of rows that hold one of them alone. lower, upper: (r,) bound rows."""
    low, high = program.col_lower[ties].copy(), program.col_upper[ties].copy()
    place = {int(tie): i for i, tie in enumerate(ties)}
    matrix = program.matrix
    for row in np.flatnonzero(np.diff(matrix.indptr) == 1):
        entry = matrix.indptr[row]
        i = place.get(int(matrix.indices[entry]))
        if i is not None and matrix.data[entry]:
            ends = sorted((lower[row] / matrix.data[entry], upper[row] / matrix.data[entry]))
            low[i], high[i] = max(low[i], ends[0]), min(high[i], ends[1])
    return low, high
