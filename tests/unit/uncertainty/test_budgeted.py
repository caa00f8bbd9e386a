"""Prices inside a budget: against every extreme point of the prices, and at both ends of the budget."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.errors import InputError
from pipeline.program.linear_program import LinearProgram
from pipeline.program.solve import SolveOptions, solve
from pipeline.uncertainty.budgeted import TERM, budgeted_prices
from pipeline.uncertainty.column_and_constraint import column_and_constraint
from pipeline.uncertainty.cvar import MeanCvar
from pipeline.uncertainty.deviations import Deviations
from pipeline.uncertainty.monolith import solve_monolith
from pipeline.uncertainty.two_stage import TwoStage
from tests.unit.uncertainty.small_programs import program_of

HOURS = 4
PRICES, HALF = np.array([0.2, 0.5, 0.3, 0.6]), np.array([0.05, 0.2, 0.05, 0.3])
TIGHT = SolveOptions(mip_gap_share=1e-9)


def trading() -> LinearProgram:
    """A unit at .4 up to 6 kW beside a market: bought at the price, sold at .9 of it. Inputs: demand (4), prices (4)."""
    one, zero = np.eye(HOURS), np.zeros((HOURS, HOURS))
    priced = np.vstack([np.hstack([zero, zero]), np.hstack([zero, one]), np.hstack([zero, -0.9 * one])])
    return program_of(np.concatenate([np.full(HOURS, 0.4), np.zeros(2 * HOURS)]), np.hstack([one, one, -one]), np.hstack([-one, zero]),
                      row_lower=np.zeros(HOURS), row_upper=np.zeros(HOURS), col_upper=np.repeat([6.0, 20.0, 20.0], HOURS),
                      cost_by_input=priced)


def price_deviations(budget, half=HALF) -> Deviations:
    directions = np.vstack([np.zeros((HOURS, HOURS)), np.diag(half)])
    return Deviations(centre=np.zeros(2 * HOURS), directions=sp.csr_array(directions), low=np.full(HOURS, -1.0), high=np.ones(HOURS),
                      slot=np.arange(HOURS), entity=np.full(HOURS, -1), group=np.zeros(HOURS, dtype=np.int64),
                      budget=np.array([float(budget)]), names=tuple(f"price[{t}]" for t in range(1, HOURS + 1)))


def at(demand=5.0, prices=PRICES):
    return np.concatenate([np.full(HOURS, demand), prices])


def dearest(program: LinearProgram, x, budget: float) -> float:
    """Cost of x at the worst prices: every way to move `budget` of them, the last one in part."""
    part, most = budget % 1, -np.inf
    for signs in product((-1, 0, 1, -part, part), repeat=HOURS):
        if np.abs(signs).sum() <= budget + 1e-12:
            bound = program.bind(at(prices=PRICES + HALF * np.array(signs)))
            most = max(most, bound.cost @ x + bound.offset)
    return most


@pytest.mark.parametrize("budget", [0.5, 1.0, 1.6, 3.0, 4.0])
def test_the_objective_is_the_cost_at_the_worst_prices(budget):
    program = replace(trading(), offset_by_input=np.concatenate([np.zeros(HOURS), [3.0, -2.0, 0.0, 1.0]]))  # a price may cost by itself
    guarded = budgeted_prices(program, price_deviations(budget))
    solution = solve(guarded.bind(at()))
    plain = solve(program.bind(at()))
    assert solution.objective == pytest.approx(dearest(program, solution.x[: 3 * HOURS], budget), rel=1e-9)
    assert solution.objective <= dearest(program, plain.x, budget) + 1e-9  # planning for it pays
    assert guarded.column_names[: 3 * HOURS] == program.column_names and guarded.row_names[:HOURS] == program.row_names


def test_no_budget_leaves_the_program():
    program = trading()
    assert budgeted_prices(program, price_deviations(0.0)) is program
    assert budgeted_prices(program, price_deviations(2.0, half=np.zeros(HOURS))) is program


def test_the_full_budget_has_every_price_at_its_worse_side():
    """Buying only: every price at its upper end."""
    program = trading()
    buyer = replace(program, col_upper=np.repeat([6.0, 20.0, 0.0], HOURS))
    full = solve(budgeted_prices(buyer, price_deviations(HOURS)).bind(at())).objective
    assert full == pytest.approx(solve(buyer.bind(at(prices=PRICES + HALF))).objective)


@settings(max_examples=25)
@given(st.floats(0.0, 4.0), st.floats(0.0, 2.0))
def test_more_budget_never_costs_less(budget, more):
    cost, dearer = (solve(budgeted_prices(trading(), price_deviations(b)).bind(at())).objective for b in (budget, budget + more))
    assert cost <= dearer + 1e-9


def test_one_sided_deviations_guard_their_own_side_only():
    program, box = trading(), price_deviations(HOURS)
    upward = replace(box, low=np.zeros(HOURS))
    seller = replace(program, col_upper=np.repeat([20.0, 0.0, 20.0], HOURS), col_lower=np.repeat([8.0, 0.0, 0.0], HOURS))
    inputs, plain = at(demand=2.0), solve(seller.bind(at(demand=2.0))).objective
    assert solve(budgeted_prices(seller, upward).bind(inputs)).objective == pytest.approx(plain)
    assert solve(budgeted_prices(seller, box).bind(inputs)).objective > plain + 0.1


def test_it_goes_under_every_treatment():
    """Demand by scenario, prices by budget; the protection is what the term says."""
    guarded = budgeted_prices(trading(), price_deviations(1.5))
    scenarios = np.array([at(demand=d) for d in (3.0, 5.0, 9.0)])
    given_program = TwoStage(guarded, np.arange(HOURS), scenarios, np.array([0.2, 0.5, 0.3]))
    whole = solve_monolith(given_program, MeanCvar(0.5, 0.3), TIGHT)
    rounds = column_and_constraint(given_program, MeanCvar(0.5, 0.3), TIGHT, gap_share=1e-8)
    assert rounds.objective == pytest.approx(whole.objective, rel=1e-6)
    assert whole.objective > solve_monolith(replace(given_program, program=trading()), MeanCvar(0.5, 0.3), TIGHT).objective + 0.01
    assert guarded.terms[-1] == TERM and (guarded.column_term[3 * HOURS:] == len(guarded.terms) - 1).all()


def test_budgets_that_are_none_are_refused():
    for budget in (-1.0, np.nan):
        with pytest.raises(InputError, match=r"settings\.budgeted_prices\.budget_share"):
            budgeted_prices(trading(), price_deviations(budget))
    with pytest.raises(InputError, match=r"settings\.budgeted_prices\.half_width_share"):
        budgeted_prices(trading(), price_deviations(1.0, half=HALF * np.nan))
    demand = replace(price_deviations(1.0), directions=sp.csr_array(np.vstack([np.diag(HALF), np.zeros((HOURS, HOURS))])))
    with pytest.raises(ValueError, match=r"a\.demand_kw\[0\] moves rows"):
        budgeted_prices(trading(), demand)
