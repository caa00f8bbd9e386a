"""Measures of an uncertain cost: what one number stands for the costs of all scenarios.

Each measure is the largest expectation over a polytope of laws, so that it has two faces: rows and columns around one cost column
per scenario (`epigraph`), and the law that attains it at given costs (`law`). Every way to solve a two-stage program
(extensive form, column-and-constraint generation, decomposition) takes a measure and nothing else of a treatment.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import scipy.sparse as sp

from pipeline.program.linear_program import Floats


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
    """Convex, never falls when a cost rises, moves with a constant added to all costs."""

    def epigraph(self, weights: Floats) -> Epigraph: ...

    def law(self, costs: Floats, weights: Floats) -> Floats:
        """(S,) weights that sum to one and price `costs` (S,) at the measure's value."""
        ...
