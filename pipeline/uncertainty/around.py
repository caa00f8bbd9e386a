"""A program around an epigraph: the scenarios' recourse, one cost column per scenario, and the measure's rows over those columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp

from pipeline.program.linear_program import BoundProgram, Floats, Indices, LinearProgram, dot
from pipeline.uncertainty.extensive import ScenarioIndex, extensive_form
from pipeline.uncertainty.measure import Epigraph
from pipeline.uncertainty.two_stage import TwoStage


@dataclass(frozen=True)
class Cut:
    """theta_s >= constant + slope' first: the recourse cost of scenario s from below, wherever the first stage goes."""

    scenario: int
    constant: float
    slope: Floats  # (f,)


@dataclass(frozen=True)
class ScenarioCosts:
    """Costs of every scenario: (S, n) of the columns, (S,) constants, and what is counted once, outside the scenarios' thetas.

    shared: (f,) cost of first-stage columns in the first scenario, and a constant. A theta is what a scenario costs beyond it.
    """

    columns: Floats
    offset: Floats
    shared: Floats
    shared_offset: float

    def shared_at(self, first: Floats) -> float:
        """What is counted once, at first-stage values (f,)."""
        return dot(self.shared, first) + self.shared_offset

    def whole(self, scenario: int, x: Floats) -> float:
        """Cost of scenario s at all columns x (n,)."""
        return float(self.columns[scenario] @ x + self.offset[scenario])


def scenario_costs(two_stage: TwoStage) -> ScenarioCosts:
    """Costs bound to every scenario. Where a first-stage cost differs between scenarios, their thetas hold the difference."""
    program, first = two_stage.program, two_stage.first_stage
    columns = program.cost + np.asarray((program.cost_by_input @ two_stage.scenarios.T).T)
    offset = program.offset + np.asarray(two_stage.scenarios @ program.offset_by_input)
    return ScenarioCosts(columns, offset, columns[0, first], program.offset)


def program_around(two_stage: TwoStage, epigraph: Epigraph, *, active: Indices | None = None, cuts: Sequence[Cut] = (),
                   costs: ScenarioCosts | None = None) -> tuple[BoundProgram, ScenarioIndex]:
    """min shared cost + epigraph of theta. Columns: first stage, recourse of the active scenarios, theta (S), auxiliary (a).

    active: scenarios with all their rows (default: every one); any other scenario's theta is bounded by its cuts alone. The index is
    over the active scenarios. A fixed law (an epigraph without rows) over all scenarios needs no theta: it weighs the costs.
    """
    count = len(two_stage.scenarios)
    active = np.arange(count) if active is None else active
    if not epigraph.row_names and active.size == count and (epigraph.cost > 0).all():
        return extensive_form(two_stage.program, first_stage=two_stage.first_stage, scenarios=two_stage.scenarios, weights=epigraph.cost)
    costs = scenario_costs(two_stage) if costs is None else costs
    base, index = extensive_form(two_stage.program, first_stage=two_stage.first_stage, scenarios=two_stage.scenarios[active],
                                 weights=np.full(active.size, 1 / active.size))
    width = base.cost.size
    rows, lower, names = _cost_rows(two_stage, costs, active, index, width)
    blocks = [rows, _cut_rows(cuts, width, count), _measure_rows(epigraph, width)]
    lower = np.concatenate([lower, [cut.constant for cut in cuts], np.zeros(len(epigraph.row_names))])
    names += tuple(f"measure.cut[{cut.scenario + 1},{i + 1}]" for i, cut in enumerate(cuts)) + epigraph.row_names
    total = width + count + epigraph.aux_cost.size
    cost = np.zeros(total)
    cost[:two_stage.first_stage.size] = costs.shared
    cost[width:] = np.concatenate([epigraph.cost, epigraph.aux_cost])
    col_lower = np.concatenate([np.full(count, -np.inf), epigraph.aux_lower])
    columns = tuple(f"measure.scenario_cost[{s + 1}]" for s in range(count)) + epigraph.aux_names
    program = _grown(base.program, blocks, columns, col_lower, names, lower, cost)
    bound = BoundProgram(program, np.zeros(0), cost, costs.shared_offset,
                         np.concatenate([base.row_lower, lower]), np.concatenate([base.row_upper, np.full(lower.size, np.inf)]))
    return bound, index


def _cost_rows(two_stage: TwoStage, costs: ScenarioCosts, active: Indices, index: ScenarioIndex, width: int,
               ) -> tuple[sp.csr_array, Floats, tuple[str, ...]]:
    """theta_s - (cost of scenario s beyond the shared) >= its constant."""
    count = len(two_stage.scenarios)
    data, columns = [], []
    for place, s in enumerate(active):
        own = costs.columns[s].copy()
        own[two_stage.first_stage] -= costs.shared
        kept = np.flatnonzero(own)
        data.append(np.append(-own[kept], 1.0))
        columns.append(np.append(index.columns[place][kept], width + s))
    start = np.concatenate([[0], np.cumsum([part.size for part in data])])
    rows = sp.csr_array((np.concatenate(data), np.concatenate(columns), start), shape=(active.size, width + count))
    lower = costs.offset[active] - costs.shared_offset
    return rows, lower, tuple(f"measure.cost_of_scenario[{s + 1}]" for s in active)


def _cut_rows(cuts: Sequence[Cut], width: int, count: int) -> sp.csr_array:
    if not cuts:
        return sp.csr_array((0, width + count))
    rows, first = len(cuts), cuts[0].slope.size
    slopes = sp.csr_array(-np.array([cut.slope for cut in cuts]).reshape(rows, first))
    place = (np.arange(rows), np.array([cut.scenario for cut in cuts]))
    theta = sp.csr_array((np.ones(rows), place), shape=(rows, count))
    return sp.csr_array(sp.hstack([slopes, sp.csr_array((rows, width - first)), theta], format="csr"))


def _measure_rows(epigraph: Epigraph, width: int) -> sp.csr_array:
    empty = sp.csr_array((len(epigraph.row_names), width))
    return sp.csr_array(sp.hstack([empty, epigraph.rows, epigraph.aux_rows], format="csr"))


def _grown(program: LinearProgram, blocks: Sequence[sp.csr_array], columns: tuple[str, ...], col_lower: Floats,
           names: tuple[str, ...], row_lower: Floats, cost: Floats) -> LinearProgram:
    """The program with columns appended on the right and rows below; its own rows stay as they are."""
    more, total = len(columns), cost.size
    parts = [program.matrix, *blocks]
    start = np.concatenate([[0], *(part.indptr[1:].astype(np.int64) + sum(p.nnz for p in parts[:i]) for i, part in enumerate(parts))])
    matrix = sp.csr_array((np.concatenate([part.data for part in parts]), np.concatenate([part.indices for part in parts]), start),
                          shape=(program.matrix.shape[0] + len(names), total))
    return replace(
        program, cost=cost, cost_by_input=sp.csr_array((total, 0)), matrix=matrix, matrix_by_input=sp.csr_array((matrix.shape[0], 0)),
        row_lower=np.concatenate([program.row_lower, row_lower]),
        row_upper=np.concatenate([program.row_upper, np.full(row_lower.size, np.inf)]),
        col_lower=np.concatenate([program.col_lower, col_lower]), col_upper=np.concatenate([program.col_upper, np.full(more, np.inf)]),
        integer=np.concatenate([program.integer, np.zeros(more, dtype=bool)]), row_names=program.row_names + names,
        column_names=program.column_names + columns, column_term=np.concatenate([program.column_term, np.full(more, -1, dtype=np.int16)]),
        readout=sp.csr_array((0, total)),
    )
