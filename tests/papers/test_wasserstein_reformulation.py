"""Wasserstein over finite support against a reformulation written out by hand: one battery, positions a day ahead, five samples.

Mohajerin Esfahani and Kuhn, 2018, corollary 5.1 with the support restricted to the samples: min r a + sum_k p_k b_k
s.t. b_k + a d_kj >= Q(x, sample j). Q is spelled out with its columns per sample; nothing of ours but the data is used.
"""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.optimize import linprog

from pipeline.program.solve import SolveOptions
from pipeline.uncertainty.column_and_constraint import column_and_constraint
from pipeline.uncertainty.monolith import solve_monolith
from pipeline.uncertainty.two_stage import TwoStage
from pipeline.uncertainty.wasserstein import Wasserstein
from tests.unit.uncertainty.small_programs import program_of

HOURS, SAMPLES, POWER, CAPACITY, EFFICIENCY, WEAR = 24, 5, 2.0, 6.0, 0.95, 0.01
rng = np.random.default_rng(3)
PRICE = 0.2 + 0.1 * np.sin(np.arange(HOURS) / 24 * 2 * np.pi)
BOUGHT, SOLD = 1.6 * PRICE, 0.4 * PRICE
DEMAND = np.maximum(5 + 2 * np.cos(np.arange(HOURS) / 4) + rng.normal(0, 1.5, (SAMPLES, HOURS)), 0)
PROBABILITY = np.array([0.3, 0.25, 0.2, 0.15, 0.1])
DISTANCE = np.abs(DEMAND[:, None] - DEMAND[None]).mean(axis=2)


def battery_and_positions() -> TwoStage:
    """position + discharge - charge + bought - sold = demand, the battery empty at both ends."""
    one, zero = np.eye(HOURS), np.zeros((HOURS, HOURS))
    balance = np.hstack([one, -one, one, zero, one, -one])  # position, charge, discharge, energy, bought, sold
    energy = np.hstack([zero, -EFFICIENCY * one, one / EFFICIENCY, one - np.eye(HOURS, k=-1), zero, zero])
    cost = np.concatenate([PRICE, np.full(2 * HOURS, WEAR), np.zeros(HOURS), BOUGHT, -SOLD])
    limits = np.full(HOURS, CAPACITY)
    limits[-1] = 0.0
    upper = np.concatenate([np.full(HOURS, 50.0), np.full(2 * HOURS, POWER), limits, np.full(HOURS, np.inf), np.full(HOURS, 100.0)])
    program = program_of(cost, np.vstack([balance, energy]), np.vstack([-one, zero]), row_lower=np.zeros(2 * HOURS),
                         row_upper=np.zeros(2 * HOURS), col_upper=upper)
    return TwoStage(program, np.arange(HOURS), DEMAND, PROBABILITY)


def by_hand(radius: float) -> float:
    """Columns: x (24), a, b (5), then per sample and hour charge, discharge, bought, sold; the energy is a running sum."""
    head, per = HOURS + 1 + SAMPLES, 4 * HOURS
    width = head + SAMPLES * per
    cost = np.zeros(width)
    cost[:HOURS], cost[HOURS], cost[HOURS + 1: head] = PRICE, radius, PROBABILITY
    own = np.concatenate([np.full(2 * HOURS, WEAR), BOUGHT, -SOLD])
    at_most, limit, equal, level = [], [], [], []
    for k in range(SAMPLES):
        for j in range(SAMPLES):
            row = np.zeros(width)
            row[HOURS], row[HOURS + 1 + k], row[head + j * per: head + (j + 1) * per] = -DISTANCE[k, j], -1.0, own
            at_most.append(row), limit.append(0.0)
    for j in range(SAMPLES):
        at = head + j * per
        for t in range(HOURS):
            row = np.zeros(width)
            row[t], row[at + t], row[at + HOURS + t], row[at + 2 * HOURS + t], row[at + 3 * HOURS + t] = 1, -1, 1, 1, -1
            equal.append(row), level.append(DEMAND[j, t])
            stored = np.zeros(width)
            stored[at: at + t + 1], stored[at + HOURS: at + HOURS + t + 1] = EFFICIENCY, -1 / EFFICIENCY
            at_most.append(-stored), limit.append(0.0)
            at_most.append(stored), limit.append(CAPACITY if t < HOURS - 1 else 0.0)
    bounds = [(0, 50)] * HOURS + [(0, None)] + [(None, None)] * SAMPLES
    bounds += ([(0, POWER)] * (2 * HOURS) + [(0, None)] * HOURS + [(0, 100)] * HOURS) * SAMPLES
    found = linprog(cost, A_ub=sp.csr_array(np.array(at_most)), b_ub=limit, A_eq=sp.csr_array(np.array(equal)), b_eq=level, bounds=bounds)
    assert found.status == 0
    return float(found.fun)


@pytest.mark.parametrize("radius", [0.0, 0.1, 0.5, 1.0, 10.0])
def test_the_objective_of_the_reformulation_written_by_hand(radius):
    measure, hand = Wasserstein(DISTANCE, radius), by_hand(radius)
    assert solve_monolith(battery_and_positions(), measure).objective == pytest.approx(hand, rel=1e-6)
    rounds = column_and_constraint(battery_and_positions(), measure, SolveOptions(), gap_share=1e-7)
    assert rounds.objective == pytest.approx(hand, rel=1e-6) and rounds.lower == pytest.approx(hand, rel=1e-6)


def test_the_radius_matters_in_between():
    """Else the comparison would hold for the mean alone."""
    costs = [by_hand(radius) for radius in (0.0, 0.1, 0.5, 1.0)]
    assert (np.diff(costs) > 1e-3).all()
