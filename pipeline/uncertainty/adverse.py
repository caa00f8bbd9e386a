"""A deviation of a budgeted set at which a given commitment is dear, and the schedule that is best there."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np

from pipeline.program.linear_program import BoundProgram, Floats, Indices, LinearProgram
from pipeline.program.solve import Solution, SolveOptions, Status, solve
from pipeline.uncertainty.deviations import Deviations
from pipeline.uncertainty.worst_corner import choices_of, greedy

STEPS = 5  # of the climb; each one is a linear program


@dataclass(frozen=True)
class Adverse:
    """A program and the set of its deviations. limits: (m,) the inputs that hold off the nominal trajectory."""

    program: LinearProgram
    deviations: Deviations
    limits: Floats

    def schedule(self, columns: Indices, schedule: Floats, options: SolveOptions) -> Solution:
        """The best schedule at a deviation that is dear for the integers `columns` of a schedule (n,).

        Its cost is a lower bound of every policy's worst cost: a policy holds every row at every deviation of the set. All of the
        search and the schedule itself share one time limit.
        """
        started = time.perf_counter()
        still = self.program.held(columns, np.round(schedule[columns]))
        held = replace(still, integer=np.zeros_like(still.integer))
        corner = self._corner(held, options, started)
        return solve(self._at(self.program, corner), options.since(started))

    def _corner(self, held: LinearProgram, options: SolveOptions, started: float) -> Floats:
        """(K,) by climbing from the centre: the prices at one deviation name the next, until none is dearer."""
        directions, choices = self.deviations.directions, choices_of(self.deviations)
        slope, constant = held.matrix_by_input @ directions, directions.T @ held.offset_by_input
        corner, dearest = np.zeros(self.deviations.count), -np.inf
        following = corner
        for _ in range(STEPS):
            found = solve(self._at(held, following), options.since(started))
            if found.status is Status.infeasible:  # without a recourse under these integers: dear enough
                return following
            if found.row_dual is None or found.objective <= dearest:
                break
            corner, dearest = following, found.objective
            following = greedy(self.deviations, choices, np.asarray(constant - slope.T @ found.row_dual))
        return corner

    def _at(self, program: LinearProgram, deviation: Floats) -> BoundProgram:
        return program.bind(self.limits + self.deviations.directions @ deviation)
