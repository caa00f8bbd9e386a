"""Block structure, found from the arrays alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components

from pipeline.program.linear_program import Indices, LinearProgram


@dataclass(frozen=True)
class BlockStructure:
    """Blocks are numbered by their first column. Rows that link blocks, and rows without columns, have block -1."""

    count: int
    column_block: NDArray[np.int32]  # (n,)
    row_block: NDArray[np.int32]  # (r,)


def block_structure(program: LinearProgram, *, linking_rows: Indices) -> BlockStructure:
    """Connected components of columns once `linking_rows` (long rows: shared limits, budgets) are left out."""
    rows = program.matrix.shape[0]
    inner = np.setdiff1d(np.arange(rows), np.asarray(linking_rows, dtype=np.int64))
    kept = program.matrix[inner]
    size = inner.size + kept.shape[1]
    row_of_entry = np.repeat(np.arange(inner.size), np.diff(kept.indptr))
    graph = sp.coo_array((np.ones(kept.nnz), (row_of_entry, inner.size + kept.indices)), shape=(size, size))  # rows, then columns
    _, label = connected_components(graph, directed=False)
    of_columns = label[inner.size :]
    _, first, dense = np.unique(of_columns, return_index=True, return_inverse=True)
    order = np.empty(first.size, dtype=np.int32)
    order[np.argsort(first)] = np.arange(first.size, dtype=np.int32)
    column_block = order[dense]
    row_block = np.full(rows, -1, dtype=np.int32)
    filled = np.flatnonzero(np.diff(kept.indptr))
    row_block[inner[filled]] = column_block[kept.indices[kept.indptr[filled]]]
    return BlockStructure(int(first.size), column_block, row_block)


def rows_longer_than(program: LinearProgram, entries: int) -> Indices:
    """Rows with more entries than this: the candidates for linking rows."""
    return np.flatnonzero(np.diff(program.matrix.indptr) > entries).astype(np.int64)
