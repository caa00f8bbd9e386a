"""What a treatment of uncertainty takes and gives: a program, its first stage, weighted scenarios; a decision with its bound."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from pipeline.program.linear_program import Floats, Indices, LinearProgram
from pipeline.program.solve import Status

# How a decision was found: by structure, never by the user's choice of a solver.
Way = Literal["simplex", "interior_point", "mixed_integer", "decomposition", "column_and_constraint"]


@dataclass(frozen=True)
class TwoStage:
    """A program whose first-stage columns are decided before the scenario is known. `scenarios`: inputs (S, m); `weights`: (S,)."""

    program: LinearProgram
    first_stage: Indices  # ascending, each once
    scenarios: Floats
    weights: Floats


@dataclass(frozen=True)
class Iteration:
    """Bounds after one round, as `bounds` publishes them. `law`: weights of the scenarios that the round found worst, (S,).

    proven: False where `lower` is the optimum of a forecast that is not the mean of the scenarios, and so no bound.
    """

    iteration: int
    lower: float
    upper: float
    seconds: float
    law: Floats | None = None
    proven: bool = True

    @property
    def gap(self) -> float:
        return relative_gap(self.lower, self.upper)


@dataclass(frozen=True)
class Decision:
    """First-stage values and what they cost under the treatment.

    objective: the treatment's objective at `first`, an upper bound. lower: proven lower bound (-inf: none). costs: (S,) whole cost
    of each scenario with its recourse, the best one wherever `law` has weight. law: (S,) weights under which `objective` prices them.
    """

    first: Floats
    objective: float
    lower: float
    status: Status
    way: Way
    costs: Floats | None = None
    law: Floats | None = None
    iterations: tuple[Iteration, ...] = ()
    seconds: float = 0.0
    words: str = ""  # what else is to be said: why another way was left
    proven: bool = True  # that `objective` is an upper bound; False: the worst that was found, and a worse one may exist
    ended: str = ""  # beside the status `time_limit`: what ended the search although time was left; empty where the limit did

    @property
    def gap(self) -> float:
        """Proven gap; infinite where either side is no bound."""
        return relative_gap(self.lower, self.objective) if self.proven else float("inf")


@dataclass(frozen=True)
class Lower:
    """The highest lower bound so far, and what it takes for granted, in words."""

    value: float = -float("inf")
    words: str = ""

    def or_higher(self, value: float, words: str) -> Lower:
        """This one, or another that lies higher, or as high with nothing taken for granted."""
        higher = value > self.value or (value == self.value and not words)
        return Lower(value, words) if higher else self


def concluded(decision: Decision, *, gap_share: float, left_s: float, how: str) -> Decision:
    """`optimal` at a proven gap of `gap_share`, else `time_limit`, and where time was left, `how` the search ended is said."""
    if decision.gap <= gap_share:
        return replace(decision, status=Status.optimal)
    ended = f"the search ended {how} before a gap of {100 * gap_share:.3g} % was proven; time was left" if left_s > 0 else ""
    return replace(decision, status=Status.time_limit, ended=ended, words=together(decision.words, ended))


def together(*words: str) -> str:
    """What is to be said of one decision, in one line; what is empty is left out."""
    return "; ".join(filter(None, words))


def relative_gap(lower: float, upper: float) -> float:
    """(upper - lower) / |lower|; infinite without a lower bound."""
    if not np.isfinite(lower) or not np.isfinite(upper):
        return float("inf")
    return max(0.0, upper - lower) / max(abs(lower), 1e-9)
