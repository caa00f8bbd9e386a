"""Lazy columns: large classes of free-of-charge columns that are hardly ever at a bound (flows, voltages) follow from the others.

Equality rows that hold exactly one lazy column that nothing has defined yet define it, level by level: a triangular system
L z = b - N x. Where kept rows hold z, it is substituted; the bounds of z become a pool of rows that are added when violated.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import splu

from pipeline.program.linear_program import Floats, Indices
from pipeline.uncertainty.decomposition.family import Family, Mask

CLASS_SHARE = 0.02  # of all columns: smaller classes stay
ACTIVE_SHARE = 0.05  # of a class's members beyond a bound in the trial: livelier ones stay
FILL_PER_COLUMN = 8.0  # entries that kept rows may gain for each column that goes
_BATCH = 64


@dataclass(frozen=True)
class Eliminated:
    """z = L^-1 (b_s - N x). `columns`, `rows`: places in the family before, in the order in which rows define columns."""

    columns: Indices  # (z,)
    rows: Indices  # (z,)
    kept: Indices  # (n,) columns that stay
    rhs: Floats  # (S, z) b
    lower: Floats  # (S, z) bounds of z: the pool
    upper: Floats
    defining: sp.csr_array  # (z, z) L
    others: sp.csr_array  # (z, n) N over the columns that stay
    part: Indices  # (z,) which connected piece of L each belongs to

    @cached_property
    def _factor(self) -> object:
        return splu(self.defining.tocsc(), permc_spec="NATURAL", diag_pivot_thresh=0.0, options={"SymmetricMode": True})

    def solve(self, right: Floats, *, transposed: bool = False) -> Floats:
        """L^-1 right, or its transpose, for (z,) or (z, k)."""
        if not self.columns.size:
            return right
        found: Floats = self._factor.solve(np.ascontiguousarray(right), "T" if transposed else "N")  # type: ignore[attr-defined]
        return found

    def values(self, x: Floats) -> Floats:
        """(S, n) columns that stay -> (S, z) lazy columns."""
        return self.solve((self.rhs - x @ self.others.T).T).T

    def mean_values(self, x: Floats, law: Floats) -> Floats:
        """Lazy columns (z,) of a law's mean scenario at (n,) columns."""
        return self.solve(law @ self.rhs - self.others @ x)

    def rows_of(self, which: Indices) -> tuple[sp.csr_array, Floats]:
        """Pool rows of lazy columns `which`: z = W x + e. Returns W (k, n) and what to multiply b by, (k, z)."""
        unit = np.zeros((self.columns.size, len(which)))
        unit[which, np.arange(len(which))] = 1.0
        back = self.solve(unit, transposed=True).T
        back[np.abs(back) < 1e-14] = 0.0
        return sp.csr_array(-(sp.csr_array(back) @ self.others)), back


@dataclass(frozen=True)
class Classes:
    """Which columns may go: large classes of free-of-charge columns with identical bounds. `label`: (n,) class, 0 none."""

    mask: Mask
    label: Indices
    count: int

    def without(self, lively: Mask) -> Classes:
        """Less some classes, (count,)."""
        return Classes(self.mask & ~lively[self.label], self.label, self.count)


def eliminate(family: Family, lazy: Mask) -> tuple[Family, Eliminated]:
    """The family without its lazy columns, and how they follow."""
    rows, columns = _peel(family, lazy)
    keep, part = _cheap(family, rows, columns)
    rows, columns, part = rows[keep], columns[keep], part[keep]
    stay = np.ones(family.matrix.shape[1], dtype=bool)
    stay[columns] = False
    left = np.ones(family.matrix.shape[0], dtype=bool)
    left[rows] = False
    kept, other = np.flatnonzero(stay), np.flatnonzero(left)
    by_column = family.matrix.tocsc()
    inner, outer = by_column[:, columns].tocsr(), by_column[:, kept].tocsr()
    done = Eliminated(columns, rows, kept, family.row_lower[:, rows], family.col_lower[:, columns], family.col_upper[:, columns],
                      sp.csr_array(inner[rows]), sp.csr_array(outer[rows]), part)
    matrix, shift = _substituted(done, sp.csr_array(outer[other]), sp.csr_array(inner[other]))
    smaller = Family(matrix, family.cost[:, kept], family.offset, family.row_lower[:, other] - shift, family.row_upper[:, other] - shift,
                     family.col_lower[:, kept], family.col_upper[:, kept], family.shared[kept], family.integer[kept])
    return smaller, done


def recover(done: Eliminated, x: Floats) -> Floats:
    """(S, n) columns that stay -> (S, n + z) columns of the family before."""
    whole = np.empty((len(x), done.kept.size + done.columns.size))
    whole[:, done.kept], whole[:, done.columns] = x, done.values(x)
    return whole


def lazy_classes(family: Family) -> Classes:
    """Columns that cost nothing, whose bounds are the same in all scenarios and those of many others."""
    lower, upper = family.col_lower, family.col_upper
    same = (lower == lower[0]).all(axis=0) & (upper == upper[0]).all(axis=0) & (lower[0] < upper[0])
    able = np.flatnonzero(same & (family.cost == 0).all(axis=0) & ~family.shared & ~family.integer)
    pairs = lower[0, able] + 1j * np.where(np.isfinite(upper[0, able]), upper[0, able], 1e300)
    _, found, size = np.unique(pairs, return_inverse=True, return_counts=True)
    large = size[found] >= CLASS_SHARE * family.matrix.shape[1]
    label = np.zeros(family.matrix.shape[1], dtype=np.int64)
    label[able[large]] = 1 + found[large]
    return Classes(label > 0, label, int(size.size) + 1)


def _peel(family: Family, lazy: Mask) -> tuple[Indices, Indices]:
    """Rows and the columns they define, in an order in which every row holds only its own and earlier ones."""
    equal = np.flatnonzero((family.row_lower == family.row_upper).all(axis=0))
    names = np.flatnonzero(lazy)
    part = sp.csr_array(family.matrix[equal].tocsc()[:, names].tocsr())
    by_column = part.tocsc()
    filled = sp.csr_array((np.ones(part.nnz), part.indices, part.indptr), shape=part.shape)
    count = np.diff(part.indptr).astype(np.int64)
    total = np.rint(np.asarray(filled @ np.arange(names.size, dtype=float))).astype(np.int64)  # sum of the open columns' places
    found_rows, found_columns = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    ready = np.flatnonzero(count == 1)
    while ready.size:
        columns, first = np.unique(total[ready], return_index=True)
        found_rows.append(ready[first])
        found_columns.append(columns)
        start, end = by_column.indptr[columns], by_column.indptr[columns + 1]
        length = (end - start).astype(np.int64)
        entry = np.repeat(start - np.concatenate([[0], np.cumsum(length)[:-1]]), length) + np.arange(length.sum())
        touched = by_column.indices[entry].astype(np.int64)
        np.subtract.at(count, touched, 1)
        np.subtract.at(total, touched, np.repeat(columns, length))
        ready = np.unique(touched)
        ready = ready[count[ready] == 1]
    return equal[np.concatenate(found_rows)], names[np.concatenate(found_columns)]


def _cheap(family: Family, rows: Indices, columns: Indices) -> tuple[Mask, Indices]:
    """Which definitions to keep, and the part each belongs to: those of a connected part whose substitution fills the kept rows little."""
    if not rows.size:
        return np.zeros(0, dtype=bool), np.zeros(0, dtype=np.int64)
    by_column = family.matrix.tocsc()
    inner = sp.csr_array(by_column[:, columns].tocsr())
    size = rows.size
    _, label = connected_components(sp.csr_array(inner[rows]), directed=True, connection="weak")
    parts = int(label.max()) + 1
    member = sp.csr_array((np.ones(size), (np.arange(size), label)), shape=(size, parts))
    left = np.ones(family.matrix.shape[0], dtype=bool)
    left[rows] = False
    kept_rows = sp.csc_array(abs(inner[np.flatnonzero(left)]) @ member)
    stay = np.ones(family.matrix.shape[1], dtype=bool)
    stay[columns] = False
    used = sp.csc_array(abs(sp.csr_array(by_column[:, np.flatnonzero(stay)].tocsr()[rows])).T @ member)
    fill = np.diff(kept_rows.indptr).astype(float) * np.diff(used.indptr)
    share = fill / np.bincount(label, minlength=parts)
    return np.asarray(share[label] <= FILL_PER_COLUMN), label.astype(np.int64)


def _substituted(done: Eliminated, outer: sp.csr_array, inner: sp.csr_array) -> tuple[sp.csr_array, Floats]:
    """Kept rows in the columns that stay, and by how much their bounds fall, (S, r)."""
    shift = np.zeros((len(done.rhs), outer.shape[0]))
    hold = np.flatnonzero(np.diff(inner.indptr))
    if not hold.size:
        return outer, shift
    pieces = []
    for start in range(0, hold.size, _BATCH):
        some = hold[start : start + _BATCH]
        back = done.solve(inner[some].toarray().T, transposed=True).T
        back[np.abs(back) < 1e-14] = 0.0
        sparse = sp.csr_array(back)
        shift[:, some] = np.asarray(sparse @ done.rhs.T).T
        pieces.append(sparse @ done.others)
    place = sp.csr_array((np.ones(hold.size), (hold, np.arange(hold.size))), shape=(outer.shape[0], hold.size))
    matrix = sp.csr_array(outer - place @ sp.vstack(pieces, format="csr"))
    matrix.eliminate_zeros()
    return matrix, shift
