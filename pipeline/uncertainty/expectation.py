"""Expectations over weighted scenarios, and what they say about the value of planning with them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.program.freeze import freeze
from pipeline.program.linear_program import Floats, Indices, LinearProgram
from pipeline.program.solve import LiveSolver, Solution, SolveOptions
from pipeline.uncertainty.refusals import check_weights


@dataclass(frozen=True)
class Recourse:
    """The program with its first stage frozen, kept warm: meets each scenario with a given first stage."""

    program: LinearProgram
    first_stage: Indices  # columns of the program
    frozen: LinearProgram
    rest: Indices  # columns of the program that stay decisions
    live: LiveSolver

    def meet(self, first: Floats, inputs: Floats) -> tuple[Solution, Floats | None]:
        """Best recourse to one scenario's inputs (m,) after first-stage values. Returns the solution and all columns (n,)."""
        solution = self.live.solve(np.concatenate([inputs, first]))
        if solution.x is None:
            return solution, None
        x = np.empty(self.program.matrix.shape[1])
        x[self.first_stage], x[self.rest] = first, solution.x
        return solution, x


def recourse_of(program: LinearProgram, first_stage: Indices, options: SolveOptions) -> Recourse:
    """The program with its first stage frozen, ready to be solved per scenario."""
    first_stage = np.unique(first_stage)
    frozen = freeze(program, first_stage)
    rest = np.setdiff1d(np.arange(program.matrix.shape[1]), first_stage)
    return Recourse(program, first_stage, frozen, rest, LiveSolver(frozen, options))


def expected_cost(recourse: Recourse, first: Floats, scenarios: Floats, weights: Floats) -> float:
    """Expected cost of first-stage values met by the best recourse in each scenario; infinite where one has none."""
    weights = check_weights(weights, len(scenarios))
    total = 0.0
    for weight, inputs in zip(weights, scenarios, strict=True):
        solution, _ = recourse.meet(first, inputs)
        total += weight * (solution.objective if solution.x is not None else np.inf)
    return float(total)


def mean(values: Floats, weights: Floats) -> Floats:
    """Probability-weighted mean over the first axis."""
    return np.tensordot(weights, values, axes=1)
