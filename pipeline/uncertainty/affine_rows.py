"""Affine coefficients of every row: what a row gains per deviation, in terms of the rules of the controls."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from pipeline.program.linear_program import Floats, Indices, LinearProgram
from pipeline.uncertainty.affine_roles import Roles, slots_of
from pipeline.uncertainty.deviations import Deviations


@dataclass(frozen=True)
class Follow:
    """Rules of all columns from those of the controls: X = by_control @ rules + by_deviation, both sparse.

    by_control: (n, C); by_deviation: (n, K). A control follows itself, a determined column what pins it.
    """

    by_control: sp.csr_array
    by_deviation: sp.csr_array


def follow(program: LinearProgram, deviations: Deviations, roles: Roles, active: np.ndarray) -> Follow:
    """x_D = N x_D - (A_C x_C + B d) / pivot with N strictly triangular, so x_D = (1 + N)(1 + N^2)(1 + N^4).. of the rest."""
    columns = program.matrix.shape[1]
    controls, determined, pins = roles.controls, roles.determined, roles.pins
    moved = shift(program, deviations, active)
    pinned = sp.csr_array(program.matrix[pins])
    pivot = np.asarray(pinned[np.arange(pins.size), determined]).ravel() if pins.size else np.zeros(0)
    scaled = sp.csr_array(sp.diags_array(-1.0 / pivot) @ pinned) if pins.size else pinned
    step = sp.csr_array(scaled[:, determined] + sp.eye_array(pins.size))
    step.data[np.abs(step.data) < 1e-14] = 0.0
    step.eliminate_zeros()
    controlled = sp.csr_array(scaled[:, controls])
    deviated = sp.csr_array(-(sp.diags_array(1.0 / pivot) @ moved[pins])) if pins.size else moved[pins]
    while step.nnz:
        controlled = sp.csr_array(controlled + step @ controlled)
        deviated = sp.csr_array(deviated + step @ deviated)
        step = sp.csr_array(step @ step)
        step.eliminate_zeros()
    select = sp.csr_array((np.ones(controls.size), (controls, np.arange(controls.size))), shape=(columns, controls.size))
    place = sp.csr_array((np.ones(pins.size), (determined, np.arange(pins.size))), shape=(columns, pins.size))
    return Follow(sp.csr_array(select + place @ controlled), sp.csr_array(place @ deviated))


FOLLOWS = 1e-9  # share of a column's largest coefficient below which one is a rounding error


def anticipating(program: LinearProgram, deviations: Deviations, roles: Roles, found: Follow) -> Indices:
    """Determined columns that would follow deviations of later intervals; of several that follow one another, those that begin it."""
    latest = np.full(roles.controls.size, -1, dtype=np.int64)
    np.maximum.at(latest, roles.pair_control, deviations.slot[roles.pair_deviation])
    seen = np.maximum(_latest(found.by_control, latest), _latest(found.by_deviation, deviations.slot))
    early = seen[roles.determined] > slots_of(program, roles.determined)
    if not early.any():
        return np.zeros(0, dtype=np.int64)
    flagged = np.zeros(seen.size)
    flagged[roles.determined[early]] = 1.0
    held = abs(program.matrix[roles.pins]).sign() @ flagged  # each counts itself
    return roles.determined[early & (held < 1.5)]


def _latest(matrix: sp.csr_array, slot: Indices) -> Indices:
    """(n,) the latest slot among the columns that hold an entry in a row, -1 without one."""
    entries = sp.coo_array(matrix)
    rows, size = entries.coords[0], np.abs(entries.data)
    largest = np.zeros(matrix.shape[0])
    np.maximum.at(largest, rows, size)
    kept = size > FOLLOWS * largest[rows]
    found = np.full(matrix.shape[0], -1, dtype=np.int64)
    np.maximum.at(found, rows[kept], slot[entries.coords[1][kept]])
    return found


def shift(program: LinearProgram, deviations: Deviations, active: np.ndarray) -> sp.csr_array:
    """(r, K) what each active deviation adds to each row."""
    moved = sp.csr_array(program.matrix_by_input @ deviations.directions @ sp.diags_array(active.astype(float)))
    moved.eliminate_zeros()
    return moved


@dataclass(frozen=True)
class Coefficients:
    """Coefficient of deviation `deviation[p]` in line `line[p]`: `terms[p] @ (rules, 1 per deviation)`, (pairs, V + K).

    Lines: the r rows of the program, then its n columns, then the cost.
    """

    line: np.ndarray
    deviation: np.ndarray
    terms: sp.csr_array


def coefficients(program: LinearProgram, deviations: Deviations, roles: Roles, found: Follow, cost: Floats,
                 active: np.ndarray) -> Coefficients:
    """Every coefficient that is not zero for all rules, by line, then by deviation. cost: (n,) bound."""
    count, visible = deviations.count, roles.pair_control.size
    adjustable = np.zeros(program.matrix.shape[1], dtype=bool)
    adjustable[roles.controls], adjustable[roles.determined] = True, True
    pick = sp.diags_array(adjustable.astype(float))
    charge = sp.csr_array(cost[None, :])
    of_controls = sp.csr_array(sp.vstack([program.matrix @ found.by_control, pick @ found.by_control, charge @ found.by_control]))
    priced = sp.csr_array((program.offset_by_input @ deviations.directions)[None, :] * active)
    of_deviations = sp.csr_array(sp.vstack([
        program.matrix @ found.by_deviation + shift(program, deviations, active), found.by_deviation, charge @ found.by_deviation + priced,
    ]))
    pinned = np.ones(of_controls.shape[0])
    pinned[roles.pins] = 0.0  # met by construction
    sight = sp.csr_array((np.ones(visible), (roles.pair_control, np.arange(visible))), shape=(roles.controls.size, visible))
    rules = sp.coo_array(_clean(sp.csr_array(sp.diags_array(pinned) @ of_controls @ sight)))
    given = sp.coo_array(_clean(sp.csr_array(sp.diags_array(pinned) @ of_deviations)))
    line = np.concatenate([rules.coords[0], given.coords[0]]).astype(np.int64)
    deviation = np.concatenate([roles.pair_deviation[rules.coords[1]], given.coords[1]]).astype(np.int64)
    keys, row = np.unique(line * max(count, 1) + deviation, return_inverse=True)
    column = np.concatenate([rules.coords[1], visible + given.coords[1]])
    terms = sp.csr_array((np.concatenate([rules.data, given.data]), (row, column)), shape=(keys.size, visible + count))
    return Coefficients(keys // max(count, 1), keys % max(count, 1), terms)


def _clean(matrix: sp.csr_array) -> sp.csr_array:
    """Without what cancelled."""
    matrix.sum_duplicates()
    size = np.abs(matrix.data).max(initial=0.0)
    matrix.data[np.abs(matrix.data) < 1e-13 * max(size, 1.0)] = 0.0
    matrix.eliminate_zeros()
    return matrix
