"""A part that answers tie schedules: what they cost it, or how far off the nearest one is that it can meet."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import scipy.sparse as sp

from pipeline.program.freeze import freeze
from pipeline.program.linear_program import BoundProgram, Floats, Indices, InputSpec, LinearProgram
from pipeline.program.solve import LiveSolver, SolveOptions, Status, solve
from pipeline.uncertainty.affine_counterpart import Counterpart
from pipeline.uncertainty.coordination_parts import Part
from pipeline.uncertainty.monolith import NoDecision


@dataclass(frozen=True)
class Answer:
    """What a schedule costs a part, or (not feasible) by how much it is out of reach; with the subgradient over the part's ties."""

    feasible: bool
    value: float
    slope: Floats


@dataclass
class Side:
    """One part, live, with its ties as inputs. `places`: of its ties among all (T,); `own`: in its counterpart."""

    part: Part
    relaxed: BoundProgram
    frozen: LinearProgram
    live: LiveSolver
    places: Indices
    own: Indices
    options: SolveOptions

    @staticmethod
    def of(part: Part, whole: Counterpart, master: Part, options: SolveOptions) -> Side:
        relaxed = replace(whole.bound, program=relaxation(whole.bound.program))
        own = np.searchsorted(part.columns, part.ties).astype(np.int64)
        frozen = freeze(relaxed.program, own)
        return Side(part, relaxed, frozen, LiveSolver(frozen, options), np.searchsorted(master.ties, part.ties).astype(np.int64), own,
                    options)

    def answer(self, schedule: Floats) -> Answer:
        """To a schedule (T,) of all ties."""
        solution = self.live.solve(schedule[self.places])
        if solution.status is Status.infeasible:
            return self._refusal(schedule[self.places])
        if solution.x is None or solution.row_dual is None:
            raise NoDecision(f"the part of {self.name} ended as {solution.status.value}", solution.status)
        return Answer(True, solution.objective, self.frozen.offset_by_input - self.frozen.matrix_by_input.T @ solution.row_dual)

    def _refusal(self, wanted: Floats) -> Answer:
        solution = self._nearest.solve(wanted)
        if solution.x is None or solution.row_dual is None:
            raise NoDecision(f"the part of {self.name} has no policy at any tie schedule ({solution.status.value})", solution.status)
        return Answer(False, solution.objective, solution.row_dual[-wanted.size :])

    @property
    def name(self) -> str:
        return self.frozen.column_names[0].partition(".")[0]

    @cached_property
    def _nearest(self) -> LiveSolver:
        """The distance to the nearest schedule that the part can meet: ties free, what they miss counts, costs do not."""
        program, count = self.relaxed.program, self.own.size
        rows, columns = program.matrix.shape
        names = tuple(f"tie.{side}[{i + 1}]" for side in ("less", "more") for i in range(count))
        pick = sp.csr_array((np.ones(count), (np.arange(count), self.own)), shape=(count, columns))
        matrix = sp.block_array([[program.matrix, None, None], [pick, sp.eye_array(count), -sp.eye_array(count)]], format="csr")
        given = sp.csr_array((-np.ones(count), (rows + np.arange(count), np.arange(count))), shape=(rows + count, count))
        more = 2 * count
        return LiveSolver(replace(
            program, cost=np.concatenate([np.zeros(columns), np.ones(more)]), cost_by_input=sp.csr_array((columns + more, count)),
            offset=0.0, offset_by_input=np.zeros(count), matrix=sp.csr_array(matrix), matrix_by_input=given,
            row_lower=np.concatenate([program.row_lower, np.zeros(count)]), row_upper=np.concatenate([program.row_upper, np.zeros(count)]),
            col_lower=np.concatenate([program.col_lower, np.zeros(more)]),
            col_upper=np.concatenate([program.col_upper, np.full(more, np.inf)]),
            integer=np.zeros(columns + more, dtype=bool), row_names=(*program.row_names, *(f"tie.met[{i + 1}]" for i in range(count))),
            column_names=(*program.column_names, *names), input_names=tuple(f"tie.asked[{i + 1}]" for i in range(count)),
            column_term=np.full(columns + more, -1, dtype=np.int16), readout=sp.csr_array((0, columns + more)),
            readout_by_input=sp.csr_array((0, count)), inputs={"tie.asked": InputSpec("tie", "asked", "frozen")},
        ), self.options)

    def floor(self, low: Floats, high: Floats) -> tuple[float, Floats]:
        """The least it can cost at any schedule, and that schedule of its ties."""
        program = self.relaxed.program
        lower, upper = program.col_lower.copy(), program.col_upper.copy()
        lower[self.own], upper[self.own] = low[self.places], high[self.places]
        solution = solve(replace(self.relaxed, program=replace(program, col_lower=lower, col_upper=upper)), self.options)
        if solution.x is None:
            raise NoDecision(f"the part of {self.name} has no policy at any tie schedule ({solution.status.value})", solution.status)
        return solution.objective, solution.x[self.own]


def relaxation(program: LinearProgram) -> LinearProgram:
    """Without whole numbers."""
    return replace(program, integer=np.zeros_like(program.integer))


def with_ties_held(bound: BoundProgram, ties: Indices, values: Floats) -> BoundProgram:
    """The bound program with some columns at fixed values."""
    return replace(bound, program=bound.program.held(ties, values))
