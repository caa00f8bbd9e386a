"""Blocks, found from the arrays: without its longest rows a big program falls apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

from pipeline.program.linear_program import Indices
from pipeline.uncertainty.decomposition.family import Family, Mask

LARGEST_SHARE = 0.34  # of the columns that a block may hold
SMALL_ROWS = 4  # components with fewer rows per scenario, and no integers, stay in the master


@dataclass(frozen=True)
class Part:
    """A block: its columns and rows of the family, in all scenarios together (-1) or in one."""

    columns: Indices
    rows: Indices
    scenario: int


@dataclass(frozen=True)
class Structure:
    """`link` rows couple; `own_rows` and `own_columns` are small components, written out in the master."""

    link: Indices
    own_rows: Indices
    own_columns: Indices
    parts: tuple[Part, ...]

    @property
    def largest_share(self) -> float:
        columns = sum(p.columns.size for p in self.parts) + self.own_columns.size
        return max((p.columns.size for p in self.parts if p.scenario < 0), default=0) / max(columns, 1)


def detect(family: Family) -> Structure | None:
    """None where no rows can be dropped so that blocks appear."""
    length = np.diff(family.matrix.indptr)
    for limit in np.unique(length)[::-1]:
        linking = length >= limit
        labels = _components(family, linking)
        sizes = np.bincount(labels.columns, minlength=labels.count)
        if linking.any() and sizes.max() <= LARGEST_SHARE * family.matrix.shape[1]:
            return _structure(family, linking, labels)
        if linking.sum() > length.size // 2:
            break
    return None


@dataclass(frozen=True)
class _Labels:
    count: int
    rows: Indices  # of the rows that do not link
    columns: Indices


def _components(family: Family, linking: Mask) -> _Labels:
    inner = family.matrix[~linking]
    rows, columns = inner.shape
    row_of = np.repeat(np.arange(rows), np.diff(inner.indptr))
    graph = sp.coo_array((np.ones(inner.nnz, dtype=np.int8), (row_of, rows + inner.indices)), shape=(rows + columns, rows + columns))
    count, label = connected_components(graph, directed=False)
    return _Labels(count, label[:rows].astype(np.int64), label[rows:].astype(np.int64))


def _structure(family: Family, linking: Mask, labels: _Labels) -> Structure:
    kept = np.flatnonzero(~linking)
    rows = np.bincount(labels.rows, minlength=labels.count)
    joint = np.bincount(labels.columns, weights=family.shared, minlength=labels.count) > 0
    whole = np.bincount(labels.columns, weights=family.integer, minlength=labels.count) > 0
    big = np.flatnonzero((rows >= SMALL_ROWS) | whole)
    of_column, of_row = _gathered(labels.columns, big), _gathered(labels.rows, big)
    parts: list[Part] = []
    alike: dict[tuple[int, int], list[int]] = {}
    for place, label in enumerate(big):
        if joint[label]:
            parts.append(Part(of_column[place], kept[of_row[place]], -1))
        else:
            alike.setdefault((of_column[place].size, of_row[place].size), []).append(place)
    for places in alike.values():  # without a first stage: small and many, one block per scenario and shape
        columns, own = (np.sort(np.concatenate([found[p] for p in places])) for found in (of_column, of_row))
        parts += [Part(columns, kept[own], s) for s in range(family.scenarios)]
    small = ~np.isin(np.arange(labels.count), big)
    return Structure(np.flatnonzero(linking), kept[small[labels.rows]], np.flatnonzero(small[labels.columns]), tuple(parts))


def _gathered(label: Indices, wanted: Indices) -> list[Indices]:
    """Places of each wanted label, ascending."""
    order = np.argsort(label, kind="stable")
    ordered = label[order]
    start, end = np.searchsorted(ordered, wanted), np.searchsorted(ordered, wanted, side="right")
    return [order[a:b].astype(np.int64) for a, b in zip(start, end, strict=True)]
