"""Measures of an uncertain cost: what one number stands for the costs of all scenarios.

Each measure is the largest expectation over a polytope of laws, so that it has two faces: rows and columns around one cost column
per scenario (`epigraph`), and the law that attains it at given costs (`law`). Every way to solve a two-stage program
(extensive form, column-and-constraint generation, decomposition) takes a measure and nothing else of a treatment.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import scipy.sparse as sp

from pipeline.program.linear_program import Floats, dot


@dataclass(frozen=True)
class Epigraph:
    """min cost' theta + aux_cost' z  s.t.  rows theta + aux_rows z >= 0,  aux_lower <= z;  theta_s >= cost of scenario s.

    S scenarios, a auxiliary columns, k rows.
    """

    cost: Floats  # (S,) >= 0
    aux_cost: Floats  # (a,)
    aux_lower: Floats  # (a,) -inf where free
    rows: sp.csr_array  # (k, S) <= 0 entries: theta pushes z up
    aux_rows: sp.csr_array  # (k, a)
    aux_names: tuple[str, ...]
    row_names: tuple[str, ...]


class Measure(Protocol):
    """Convex, never falls when a cost rises, moves with a constant added to all costs; the weights themselves are one of its laws."""

    def epigraph(self, weights: Floats) -> Epigraph: ...

    def law(self, costs: Floats, weights: Floats) -> Floats:
        """(S,) weights that sum to one and price `costs` (S,) at the measure's value."""
        ...


def value_of(measure: Measure, costs: Floats, weights: Floats) -> float:
    """The measure of costs (S,) with probabilities (S,)."""
    return dot(measure.law(costs, weights), costs)


def weighted(cost: Floats) -> Epigraph:
    """The epigraph of a fixed law (S,): no column, no row."""
    empty = sp.csr_array((0, cost.size))
    return Epigraph(np.asarray(cost, dtype=float), np.zeros(0), np.zeros(0), empty, sp.csr_array((0, 0)), (), ())


def largest_of(laws: Floats, row: str = "measure.stored_law") -> Epigraph:
    """The largest expectation over listed laws (L, S): one column, and one row per law."""
    laws = np.atleast_2d(laws)
    names = tuple(f"{row}[{i + 1}]" for i in range(len(laws)))
    return Epigraph(
        cost=np.zeros(laws.shape[1]), aux_cost=np.ones(1), aux_lower=np.full(1, -np.inf), rows=sp.csr_array(-laws),
        aux_rows=sp.csr_array(np.ones((len(laws), 1))), aux_names=("measure.worst_expectation",), row_names=names,
    )


@dataclass(frozen=True)
class Expectation:
    """The mean."""

    def epigraph(self, weights: Floats) -> Epigraph:
        return weighted(weights)

    def law(self, costs: Floats, weights: Floats) -> Floats:
        return weights


@dataclass(frozen=True)
class WorstCase:
    """The dearest scenario, whatever its probability."""

    def epigraph(self, weights: Floats) -> Epigraph:
        return largest_of(np.eye(weights.size), "measure.dearest")

    def law(self, costs: Floats, weights: Floats) -> Floats:
        law = np.zeros(costs.size)
        law[int(np.argmax(costs))] = 1.0
        return law
