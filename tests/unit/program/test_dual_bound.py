"""What interior point proves without crossover, against the simplex method's optimum."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

from pipeline.program.dual_bound import dual_bound
from pipeline.program.implied import implied_limits
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
        assert dual_bound(bound, exact.x, exact.row_dual).value == pytest.approx(exact.objective, rel=1e-7, abs=1e-6)
        rough: Floats = exact.row_dual + 0.01 * np.random.default_rng(seed).normal(size=SIZE)
        assert dual_bound(bound, exact.x, rough).value < exact.objective


def test_a_rough_optimum_is_not_taken_for_a_bound() -> None:
    """Interior point's own objective is dearer than the optimum: what it proves lies on the other side."""
    program, inputs = scheduled()
    exact = solve(program.bind(inputs)).objective
    found = solve(program.bind(inputs), SolveOptions(method="ipm", crossover=False))
    assert found.bound <= exact + 1e-9 * abs(exact) and found.bound == pytest.approx(exact, rel=1e-6)


def chained(*, limited: bool) -> BoundProgram:
    """A store over four steps, e_t = e_(t-1) + c_t, that has no limit of its own; what is charged lies within 3, or has no limit either."""
    program, inputs = scheduled()
    steps = 4
    energy = np.eye(steps) - np.eye(steps, k=-1)
    small: dict[str, Any] = {
        "matrix": sp.csr_array(np.hstack([energy, -np.eye(steps)])), "integer": np.zeros(2 * steps, dtype=bool),
        "col_lower": np.repeat([-np.inf, -3.0 if limited else -np.inf], steps),
        "col_upper": np.repeat([np.inf, 3.0 if limited else np.inf], steps),
    }
    still = np.zeros(steps)
    return BoundProgram(replace(program, **small), inputs, np.repeat([0.01, -0.01], steps), 0.0, still, still)


def test_a_column_without_a_limit_is_charged_up_to_what_the_rows_leave_it() -> None:
    """At duals of nought the Lagrangian is the cost itself: the stores at their lowest, -3 -6 -9 -12, and the charges at their highest."""
    found = dual_bound(chained(limited=True), np.zeros(8), np.zeros(4))
    assert found.value == pytest.approx(-0.01 * (3 + 6 + 9 + 12) - 0.01 * 12)
    assert found.assumed == 0 and not found.words


def test_where_no_row_limits_it_the_bound_says_what_it_assumes() -> None:
    found = dual_bound(chained(limited=False), np.full(8, 2.0), np.zeros(4))
    assert found.value == pytest.approx(-0.01 * 8 * (2 * 2.0 + 1)) and found.assumed == 8
    assert "8 columns without any limit" in found.words


@pytest.mark.parametrize("sign", [1.0, -2.0])
@pytest.mark.parametrize("relation", ["equal", "at_most", "at_least"])
def test_limits_that_rows_imply(sign: float, relation: str) -> None:
    """Both sides of an equality limit a store, one side of an inequality; whatever the sign of the row."""
    bound = chained(limited=True)
    lower, upper = np.full(4, -np.inf if relation == "at_most" else 0.0), np.full(4, np.inf if relation == "at_least" else 0.0)
    if sign < 0:
        lower, upper = -upper, -lower
    turned = replace(bound, program=replace(bound.program, matrix=sign * bound.program.matrix), row_lower=lower, row_upper=upper)
    low, high = implied_limits(turned)
    most = np.array([3.0, 6.0, 9.0, 12.0])
    assert high[:4] == pytest.approx(most if relation != "at_least" else np.full(4, np.inf))
    assert low[:4] == pytest.approx(-most if relation != "at_most" else np.full(4, -np.inf))
    assert (low[4:] == -3.0).all() and (high[4:] == 3.0).all()
