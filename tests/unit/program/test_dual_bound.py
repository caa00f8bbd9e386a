"""What interior point proves without crossover, against the simplex method's optimum."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

from pipeline.program.dual_bound import dual_bound
from pipeline.program.linear_program import BoundProgram, Floats
from pipeline.program.solve import SolveOptions, Status, solve
from tests.unit.program.test_solve import scheduled

SIZE = 12


def drawn(seed: int) -> BoundProgram:
    """A bounded program with equalities, ranges, one-sided rows, free, one-sided and boxed columns, feasible at a drawn point."""
    rng = np.random.default_rng(seed)
    program, inputs = scheduled()
    matrix = rng.normal(size=(SIZE, 2 * SIZE)) * (rng.random((SIZE, 2 * SIZE)) < 0.5)
    point, price = rng.uniform(0, 10, 2 * SIZE), rng.normal(size=SIZE)
    rows = matrix @ point
    kind = np.arange(SIZE) % 4  # equal, ranged, at least, at most
    price = np.where(kind == 2, np.abs(price), np.where(kind == 3, -np.abs(price), price))
    lower = np.where(kind == 3, -np.inf, rows - (kind > 0) * rng.random(SIZE))
    upper = np.where(kind == 2, np.inf, rows + (kind > 0) * rng.random(SIZE))
    column = np.arange(2 * SIZE) % 4  # free, from nought, up to a limit, boxed
    slope = rng.exponential(size=2 * SIZE) * np.array([0.0, 1.0, -1.0, 1.0])[column]  # a dual feasible price: an optimum exists
    cost = matrix.T @ price + slope
    small: dict[str, Any] = {
        "matrix": sp.csr_array(matrix), "integer": np.zeros(2 * SIZE, dtype=bool),
        "col_lower": np.where(np.isin(column, (0, 2)), -np.inf, 0.0), "col_upper": np.where(np.isin(column, (0, 1)), np.inf, 15.0),
    }
    return BoundProgram(replace(program, **small), inputs, cost, 3.0, lower, upper)


@pytest.mark.parametrize("method", ["ipm", "hipo"])
def test_interior_point_s_bound_is_never_above_the_optimum_and_close(method: Any) -> None:
    for seed in range(40):
        bound = drawn(seed)
        exact, found = solve(bound), solve(bound, SolveOptions(method=method, crossover=False, presolve=bool(seed % 2)))
        assert exact.status is found.status is Status.optimal
        size = max(1.0, abs(exact.objective))
        assert found.bound <= exact.objective + 1e-9 * size
        assert found.bound >= exact.objective - 1e-4 * size
        assert found.bound <= found.objective and found.gap >= 0


def test_any_dual_bounds_from_below_and_the_best_one_is_tight() -> None:
    for seed in range(40):
        bound = drawn(seed)
        exact = solve(bound)
        assert exact.x is not None and exact.row_dual is not None
        assert dual_bound(bound, exact.x, exact.row_dual) == pytest.approx(exact.objective, rel=1e-7, abs=1e-6)
        rough: Floats = exact.row_dual + 0.01 * np.random.default_rng(seed).normal(size=SIZE)
        assert dual_bound(bound, exact.x, rough) < exact.objective


def test_a_rough_optimum_is_not_taken_for_a_bound() -> None:
    """Interior point's own objective is dearer than the optimum: what it proves lies on the other side."""
    program, inputs = scheduled()
    exact = solve(program.bind(inputs)).objective
    found = solve(program.bind(inputs), SolveOptions(method="ipm", crossover=False))
    assert found.bound <= exact + 1e-9 * abs(exact) and found.bound == pytest.approx(exact, rel=1e-6)
