"""What intervals cost, by term, with the program's own prices: a settled day and a perfect one are weighed alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from pipeline.program.linear_program import Floats, Indices, LinearProgram
from pipeline.schedule.layout import Layout

TERMINAL = "terminal_cost"  # steers a window; nobody pays it


@dataclass(frozen=True)
class Ledger:
    """Cost of one interval: (cost + C u) x + e u + fixed. `final` columns are cumulative and paid as they grow."""

    terms: tuple[str, ...]
    cost: Floats  # (J,)
    by_input: sp.csr_array  # (J, I)
    offset_by_input: Floats  # (I,)
    input_term: Indices  # (I,) index into terms
    fixed: float
    term: Indices  # (J,) index into terms, -1 none
    final: Indices  # entries whose cost sits on the last position
    final_cost: Floats

    def marginal(self, inputs: Floats) -> Floats:
        """What one more of each column costs in an interval, (J,), at its inputs (I,)."""
        return np.asarray(self.cost + self.by_input @ inputs)

    def by_term(self, columns: Floats, inputs: Floats, grown: Floats) -> Floats:
        """(K, J) columns, (K, I) inputs, (K, n) growth of the final columns -> (K, terms)."""
        each = columns * (self.cost + (self.by_input @ inputs.T).T)
        each[:, self.final] = grown * self.final_cost
        costed = np.flatnonzero(self.term >= 0)
        picked = sp.csr_array((np.ones(costed.size), (self.term[costed], costed)), shape=(len(self.terms), len(self.term)))
        found = (picked @ each.T).T
        if "generator_cost" in self.terms:  # the constant of the cost curve is the only cost without a column
            found[:, self.terms.index("generator_cost")] += self.fixed
        for entry in np.flatnonzero(self.offset_by_input):
            found[:, self.input_term[entry]] += inputs[:, entry] * self.offset_by_input[entry]
        return np.asarray(found)


def ledger_of(program: LinearProgram, layout: Layout) -> Ledger:
    """Costs of the first position of a program, and of the last where they differ."""
    first, last = layout.columns.index[0], layout.columns.index[-1]
    inputs = layout.inputs.index[0]
    term = program.column_term[first].astype(np.int64)
    differ = np.flatnonzero(program.cost[first] != program.cost[last])
    if program.positions == 1:  # nothing differs: the cumulative columns are known by name
        differ = np.array([j for j, label in enumerate(layout.columns.labels) if label.quantity == "unserved_kwh"], dtype=np.int64)
    term[differ] = program.column_term[last[differ]]
    return Ledger(
        terms=program.terms, cost=program.cost[first], by_input=sp.csr_array(program.cost_by_input[first][:, inputs]),
        offset_by_input=program.offset_by_input[inputs], input_term=_input_terms(program)[inputs],
        fixed=program.offset / program.positions, term=term,
        final=differ, final_cost=program.cost[last[differ]],
    )


def _input_terms(program: LinearProgram) -> Indices:
    """Term of what each input costs by itself: of a frozen column its own, else energy."""
    energy = program.terms.index("energy_cost") if "energy_cost" in program.terms else 0
    known = np.full(len(program.input_names), -1) if program.input_term is None else program.input_term.astype(np.int64)
    return np.where(known >= 0, known, energy)
