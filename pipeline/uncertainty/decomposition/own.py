"""The master's own columns, scenario by scenario in one flat row: first-stage columns once, small components, box columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from pipeline.program.linear_program import Floats, Indices
from pipeline.uncertainty.decomposition.detect import Structure
from pipeline.uncertainty.decomposition.family import Family, Mask
from pipeline.uncertainty.extensive import repeated

_TOLERANCE = 1e-7  # reduced costs below it count as zero where a column has no bound: the solver's own dual tolerance


@dataclass(frozen=True)
class Own:
    """F flat columns. `rows`: coupling rows, then own rows, per scenario (S x per rows)."""

    rows: Indices  # (per,) of the family
    columns: Indices  # (c,) of the family
    place: Indices  # (S, c) -> flat
    matrix: sp.csc_array  # (S per, F)
    cost: sp.csc_array  # (S, F)
    lower: Floats  # (F,)
    upper: Floats
    shared: Mask  # (F,) first-stage columns
    row_lower: Floats  # (S per,)
    row_upper: Floats

    def flat(self, values: Floats, *, total: bool = False) -> Floats:
        """(S, c) -> (F,); first-stage columns once, or summed."""
        found = np.zeros(self.lower.size)
        if total:
            np.add.at(found, self.place.ravel(), values.ravel())
        else:
            found[self.place.ravel()] = values.ravel()
        return found

    def spread(self, flat: Floats) -> Floats:
        """(F,) -> (S, c)."""
        return np.asarray(flat[self.place])

    def widened(self, rows: sp.csr_array, scenario: Indices) -> sp.csr_array:
        """Rows (k, n) over the family's columns, one scenario each, in flat columns (k, F)."""
        part = sp.coo_array(sp.csr_array(rows.tocsc()[:, self.columns].tocsr()))
        row, column = part.coords
        return sp.csr_array((part.data, (row, self.place[scenario[row], column])), shape=(rows.shape[0], self.lower.size))

    def least(self, reduced: Floats) -> float:
        """Least value of `reduced` over the bounds; -inf where that is unbounded."""
        bound = np.where(reduced >= 0, self.lower, self.upper)
        free = ~np.isfinite(bound)
        if (np.abs(reduced[free]) > _TOLERANCE).any():
            return -np.inf
        return float((reduced * np.where(free, 0.0, bound)).sum())


def own_of(family: Family, structure: Structure) -> Own:
    """Lay the master's own columns and rows out over the scenarios."""
    rows, columns = np.concatenate([structure.link, structure.own_rows]), structure.own_columns
    part = sp.csr_array(family.matrix[rows].tocsc()[:, columns].tocsr())
    shared = family.shared[columns]
    first, other = np.flatnonzero(shared), np.flatnonzero(~shared)
    count = family.scenarios
    place = np.empty((count, columns.size), dtype=np.int64)
    place[:, first] = np.arange(first.size)
    place[:, other] = first.size + other.size * np.arange(count)[:, None] + np.arange(other.size)
    size = first.size + count * other.size
    costs = family.cost[:, columns]
    scenario, column = np.nonzero(costs)
    cost = sp.csc_array((costs[scenario, column], (scenario, place[scenario, column])), shape=(count, size))
    found = Own(rows, columns, place, repeated(part, first, other, count).tocsc(), cost, np.zeros(size), np.zeros(size),
                np.zeros(size, dtype=bool), family.row_lower[:, rows].ravel(), family.row_upper[:, rows].ravel())
    spots = place.ravel()
    found.lower[spots], found.upper[spots] = family.col_lower[:, columns].ravel(), family.col_upper[:, columns].ravel()
    found.shared[: first.size] = True
    return found
