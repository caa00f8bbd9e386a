"""The measuring itself, on a small case: its figures are printed by `feederflow bench`, not asserted here."""

from __future__ import annotations

import numpy as np

from pipeline.bench.programs import steps_of_a_day
from pipeline.physics.horizon import Horizon
from pipeline.program.cached import compiled
from pipeline.program.linear_program import Floats, LinearProgram
from pipeline.program.measure import first_solve, warm_steps
from tests.helpers import everything, inputs_of


def _inputs(program: LinearProgram) -> Floats:
    return inputs_of(program, {"grid.price_per_kwh": np.linspace(0.05, 0.2, program.positions), "d.load_kw": 20.0})


def test_the_whole_contains_what_highs_takes() -> None:
    share = first_solve(everything(), Horizon(4, 0.25), _inputs)
    assert share.whole_s > 0
    assert np.isfinite(share.objective)


def test_warm_steps_end_at_the_last_inputs() -> None:
    program = compiled(everything(), Horizon(4, 0.25, rolling=True), cache_dir=None)
    steps = [_inputs(program) * (1 + 0.001 * k) for k in range(3)]
    both = [warm_steps(program, steps, given_basis=given).objective for given in (True, False)]
    assert np.allclose(*both)
    assert warm_steps(program, steps).whole_s > 0


def test_steps_of_a_day_are_measured_beside_highs_alone() -> None:
    """The first step begins cold, beside the live solver, and does not count."""
    whole_s, highs_s = steps_of_a_day("tiny", count=4)
    assert whole_s > highs_s > 0
