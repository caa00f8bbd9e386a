"""Which columns of a program follow a deviation, and which deviations each of them sees: read from the arrays.

Fixed columns do not move: the first stage, elastic slack (so that robust feasibility has a meaning), and whatever no deviation
reaches once those are taken away. Of the rest, *determined* columns (stored energy, flows, exchanges) follow from the others
through equality rows that pin them one after the other, with full memory; *controls* have rules of their own. A column that a row
pins to what is decided in a later interval would follow deviations that are yet to come: it is a control, and the row matches rules.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components

from pipeline.core.errors import InputError, Mistake
from pipeline.program.linear_program import Indices, LinearProgram
from pipeline.program.positions import positions_of
from pipeline.uncertainty.deviations import Deviations

Flags = NDArray[np.bool_]
ELASTIC = "penalty_cost"
_PIVOT_SHARE = 0.01  # of a row's largest coefficient: a smaller pivot would blow the rules up


@dataclass(frozen=True)
class Information:
    """What a rule may look at: deviations of its own interval and of `memory_steps` intervals before it.

    column_entity: (n,) the entity whose deviations a column sees, -1 all. None: those that reach its connected component.
    """

    memory_steps: int = 0
    column_entity: Indices | None = None


@dataclass(frozen=True)
class Roles:
    """C controls with V visible pairs; D determined columns, `pins` their rows, in an order in which they follow one another."""

    controls: Indices  # (C,) columns, ascending
    pair_control: Indices  # (V,) place among the controls
    pair_deviation: Indices  # (V,)
    determined: Indices  # (D,) columns
    pins: Indices  # (D,) rows


def roles_of(program: LinearProgram, deviations: Deviations, active: Flags, first_stage: Indices, information: Information, *,
             barred: Flags | None = None) -> Roles:
    """Roles under the deviations that can move (`active`, (K,)). `barred`: (n,) columns that are not to be determined by others.

    Raises InputError where an integer column would have to follow a deviation.
    """
    moving = _movable(program, first_stage)
    component, reaches = _reach(program, deviations, active, moving)
    reached = moving & (np.asarray(reaches.sum(axis=1)).ravel()[component] > 0)
    _check_whole(program, reached)
    determined, pins = pinned(program, reached, barred)
    controls = np.setdiff1d(np.flatnonzero(reached), determined)
    pair_control, pair_deviation = _visible(program, deviations, active, controls, component, reaches, information)
    return Roles(controls, pair_control, pair_deviation, determined, pins)


def check_followers(program: LinearProgram, first_stage: Indices, inputs: Indices) -> None:
    """Raises InputError where an integer column would have to follow some of these inputs (p,), whatever they come to."""
    label, count = _components(program, moving := _movable(program, first_stage))
    rows = program.matrix.shape[0]
    touched = np.zeros(count, dtype=bool)
    touched[label[np.unique(sp.coo_array(program.matrix_by_input[:, inputs]).coords[0])]] = True
    _check_whole(program, moving & touched[label[rows:]])


def _check_whole(program: LinearProgram, reached: Flags) -> None:
    whole = np.flatnonzero(reached & program.integer)
    if whole.size:
        raise InputError(Mistake(
            "settings.method", f"{program.column_names[whole[0]]} is a whole number that would have to follow deviations, and "
            f"{whole.size - 1} more: an affine rule cannot carry it",
            "decide it before (settings.first_stage), or choose stochastic, cvar or wasserstein",
        ))


def _movable(program: LinearProgram, first_stage: Indices) -> Flags:
    moving = program.col_lower < program.col_upper
    moving[first_stage] = False
    elastic = program.terms.index(ELASTIC) if ELASTIC in program.terms else -2
    for columns in program.column_index.values():
        if (program.column_term[columns] == elastic).any():
            moving[columns] = False
    return moving


def _reach(program: LinearProgram, deviations: Deviations, active: Flags, moving: Flags) -> tuple[Indices, sp.csr_array]:
    """Component of each column (n,), and how many rows of each component each deviation touches, (components, K)."""
    rows = program.matrix.shape[0]
    label, count = _components(program, moving)
    touched = sp.coo_array(program.matrix_by_input @ deviations.directions)
    seen = active[touched.coords[1]] & (touched.data != 0)
    where = (label[touched.coords[0][seen]], touched.coords[1][seen])
    reaches = sp.csr_array((np.ones(int(seen.sum())), where), shape=(count, deviations.count))
    reaches.sum_duplicates()
    return label[rows:], reaches


def _components(program: LinearProgram, moving: Flags) -> tuple[Indices, int]:
    """Component of each row and then each column (r + n,) that the columns which may move tie together, and how many there are."""
    rows, columns = program.matrix.shape
    inner = sp.coo_array(program.matrix)
    kept = moving[inner.coords[1]]
    graph = sp.coo_array((np.ones(int(kept.sum())), (inner.coords[0][kept], rows + inner.coords[1][kept])), shape=(rows + columns,) * 2)
    count, label = connected_components(graph, directed=False)
    return label.astype(np.int64), int(count)


def _visible(
    program: LinearProgram, deviations: Deviations, active: Flags, controls: Indices, component: Indices, reaches: sp.csr_array,
    information: Information,
) -> tuple[Indices, Indices]:
    """Pairs of a control (place among `controls`) and a deviation that it may follow, by control, then by deviation."""
    slot = slots_of(program, controls)
    found_control, found_deviation = [], []
    for now in np.unique(slot):
        mine = np.flatnonzero(slot == now)
        seen = np.flatnonzero(active & (deviations.slot <= now) & (deviations.slot >= now - information.memory_steps))
        if not seen.size:
            continue
        allowed = np.asarray(reaches[:, seen].todense())[component[controls[mine]]] > 0
        if information.column_entity is not None:
            own, whose = information.column_entity[controls[mine]][:, None], deviations.entity[seen][None, :]
            allowed &= (own < 0) | (whose < 0) | (own == whose)
        at, which = np.nonzero(allowed)
        found_control.append(mine[at])
        found_deviation.append(seen[which])
    if not found_control:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    pair_control, pair_deviation = np.concatenate(found_control), np.concatenate(found_deviation)
    order = np.lexsort((pair_deviation, pair_control))
    return pair_control[order], pair_deviation[order]


def slots_of(program: LinearProgram, columns: Indices) -> Indices:
    """Interval in which each of some columns is decided: that of its name, the last one where it has none."""
    slot = positions_of([program.column_names[i] for i in columns])
    return np.where(slot < 0, program.positions - 1, slot)


def pinned(program: LinearProgram, among: Flags, barred: Flags | None = None) -> tuple[Indices, Indices]:
    """Columns of `among`, but for barred ones, that equality rows pin, and the rows that do, each following from the ones before it.

    A row with one candidate left pins it. Where every row has several, one becomes a control: bounded ones first, then free
    ones, and states (columns that rows of another interval mention) last.
    """
    equal = np.flatnonzero(np.isfinite(program.row_lower) & (program.row_lower == program.row_upper))
    rank = _rank(program, equal)
    candidate = among & (rank > 0)
    if barred is not None:
        candidate &= ~barred
    matrix = sp.csr_array(program.matrix[equal])
    entry_row = np.repeat(np.arange(equal.size), np.diff(matrix.indptr))
    kept = candidate[matrix.indices] & (matrix.data != 0)
    largest = np.zeros(equal.size)
    inside = among[matrix.indices]
    np.maximum.at(largest, entry_row[inside], np.abs(matrix.data[inside]))
    strong = np.abs(matrix.data) >= _PIVOT_SHARE * largest[entry_row]
    members: list[dict[int, bool]] = [{} for _ in range(equal.size)]
    for row, column, good in zip(entry_row[kept].tolist(), matrix.indices[kept].tolist(), strong[kept].tolist(), strict=True):
        members[row][column] = good
    determined, rows = _peel(members, rank)
    return np.array(determined, dtype=np.int64), equal[np.array(rows, dtype=np.int64)]


def _peel(members: list[dict[int, bool]], rank: Indices) -> tuple[list[int], list[int]]:
    holders: dict[int, list[int]] = {}
    for row, columns in enumerate(members):
        for column in columns:
            holders.setdefault(column, []).append(row)
    waiting = [(len(columns), row) for row, columns in enumerate(members) if columns]
    heapq.heapify(waiting)
    determined: list[int] = []
    rows: list[int] = []
    while waiting:
        count, row = heapq.heappop(waiting)
        columns = members[row]
        if count != len(columns) or not columns:
            continue
        column = min(columns, key=lambda c: (columns[c], rank[c], -c))  # the one to give up, where there is a choice
        if count == 1 and columns[column]:
            determined.append(column)
            rows.append(row)
        for other in holders[column]:
            del members[other][column]
            if members[other]:
                heapq.heappush(waiting, (len(members[other]), other))
    return determined, rows


def _rank(program: LinearProgram, equal: Indices) -> Indices:
    """(n,) 0: a control by nature; 1 bounded away from zero, 2 free, 3 a state."""
    low, high = program.col_lower, program.col_upper
    free = np.isinf(low) & np.isinf(high)
    rank = np.where(free, 2, np.where((low != 0) & (program.cost == 0), 1, 0))
    state = np.zeros(low.size, dtype=bool)
    row_slot, column_slot = positions_of(program.row_names), positions_of(program.column_names)
    matrix = sp.coo_array(program.matrix[equal])
    rows, columns = equal[matrix.coords[0]], matrix.coords[1]
    across = (row_slot[rows] >= 0) & (column_slot[columns] >= 0) & (row_slot[rows] != column_slot[columns])
    state[columns[across]] = True
    for component in program.column_index.values():
        if state[component].any():
            rank[component] = 3
    rank[program.integer] = 0
    return rank
