"""Entries of the two matrices A and B while they are gathered."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from pipeline.program.linear_program import Floats, Indices


class Triplets:
    """Row, signed place (columns 0.., inputs -1 - index) and value of every entry."""

    def __init__(self) -> None:
        self._rows: list[Indices] = []
        self._places: list[Indices] = []
        self._values: list[Floats] = []

    def add(self, rows: Indices, places: Indices, value: float | Floats) -> None:
        self._rows.append(rows)
        self._places.append(places)
        self._values.append(np.broadcast_to(np.asarray(value, dtype=float), rows.shape))

    def split(self, rows: int, shape: tuple[int, int]) -> tuple[sp.csr_array, sp.csr_array]:
        """(rows, columns) and (rows, inputs), entries of the same place added, zeros dropped."""
        row = np.concatenate(self._rows) if self._rows else np.zeros(0, dtype=np.int64)
        place = np.concatenate(self._places) if self._places else np.zeros(0, dtype=np.int64)
        value = np.concatenate(self._values) if self._values else np.zeros(0)
        chosen = place >= 0
        return _matrix(row[chosen], place[chosen], value[chosen], (rows, shape[0])), _matrix(
            row[~chosen], -1 - place[~chosen], value[~chosen], (rows, shape[1]))


def _matrix(row: Indices, column: Indices, value: Floats, shape: tuple[int, int]) -> sp.csr_array:
    matrix = sp.csr_array((value, (row.astype(np.int32), column.astype(np.int32))), shape=shape)
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    matrix.sort_indices()
    return matrix
