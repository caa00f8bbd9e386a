"""Rows of a sparse matrix that are multiples of one another, found once: what many rows share is protected once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from pipeline.program.linear_program import Floats, Indices

_CLOSE = 1e-10  # relative to the largest entry of a row


@dataclass(frozen=True)
class Classes:
    """row i = scale[i] x representative row of class `of[i]`. `members`: (classes, n) one row per class."""

    of: Indices  # (r,)
    scale: Floats  # (r,)
    members: sp.csr_array


def classes_of(matrix: sp.csr_array, *, signed: bool) -> Classes:
    """Classes of the rows (r, n) of a matrix; every row has an entry. signed: a row may be a negative multiple of another."""
    matrix.sort_indices()
    rows = matrix.shape[0]
    if not rows:
        return Classes(np.zeros(0, dtype=np.int64), np.zeros(0), matrix)
    first = matrix.data[matrix.indptr[:-1]]
    scale = first if signed else np.abs(first)
    normal = sp.csr_array((matrix.data / np.repeat(scale, np.diff(matrix.indptr)), matrix.indices, matrix.indptr), shape=matrix.shape)
    marks = np.random.default_rng(0).uniform(1.0, 2.0, (matrix.shape[1], 2))
    sums = np.round(normal @ marks, 8)
    _, representative, of = np.unique(sums, axis=0, return_index=True, return_inverse=True)
    of = of.ravel()
    apart = _apart(normal, representative[of])
    representative = np.concatenate([representative, apart])  # equal marks, other entries: classes of their own
    of[apart] = representative.size - apart.size + np.arange(apart.size)
    return Classes(of.astype(np.int64), scale, sp.csr_array(normal[representative]))


def _apart(normal: sp.csr_array, like: Indices) -> Indices:
    """Rows that differ from the row they are said to equal."""
    difference = sp.csr_array(abs(normal - normal[like]))
    size = np.asarray(abs(normal).max(axis=1).todense()).ravel()
    far = np.asarray(difference.max(axis=1).todense()).ravel() > _CLOSE * size
    return np.flatnonzero(far)
