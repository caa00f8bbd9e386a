"""The steps of a decomposition by themselves: smaller programs with the same optimum, lazy columns there and back, blocks found."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp

from pipeline.physics.assemble import assemble
from pipeline.physics.horizon import Horizon
from pipeline.program.compile import compile_model
from pipeline.program.linear_program import LinearProgram
from pipeline.program.solve import solve
from pipeline.uncertainty.decomposition.check import check_solution
from pipeline.uncertainty.decomposition.detect import detect
from pipeline.uncertainty.decomposition.eliminate import eliminate, lazy_classes, recover
from pipeline.uncertainty.decomposition.family import Family, family_of
from pipeline.uncertainty.decomposition.fold import drop_redundant, fold_bounds, soften
from pipeline.uncertainty.decomposition.loop import Loop, Stuck
from pipeline.uncertainty.decomposition.own import Own
from pipeline.uncertainty.decomposition.prices import right_sign
from pipeline.uncertainty.decomposition.trial import reduce_family
from pipeline.uncertainty.measure import weighted
from pipeline.uncertainty.two_stage import TwoStage
from tests.helpers import everything, inputs_of
from tests.unit.uncertainty.coupled_programs import SLOTS, coupled, microgrids


def of_scenario(family: Family, like: LinearProgram, s: int) -> LinearProgram:
    """One scenario of a family as a program of its own."""
    rows, columns = family.matrix.shape
    return replace(
        like, cost=family.cost[s], cost_by_input=sp.csr_array((columns, 0)), offset=float(family.offset[s]), offset_by_input=np.zeros(0),
        matrix=family.matrix, matrix_by_input=sp.csr_array((rows, 0)), row_lower=family.row_lower[s], row_upper=family.row_upper[s],
        col_lower=family.col_lower[s], col_upper=family.col_upper[s], integer=family.integer, input_names=(), inputs={},
        row_names=tuple(f"r.row[{i}]" for i in range(rows)), column_names=tuple(f"c.column[{i}]" for i in range(columns)),
        column_term=np.zeros(columns, dtype=np.int16), readout=sp.csr_array((0, columns)), readout_by_input=sp.csr_array((0, 0)),
    )


def test_each_step_keeps_the_optimum_of_every_scenario():
    given = microgrids()
    family = family_of(given)
    expected = [solve(given.program.bind(inputs)).objective for inputs in given.scenarios]
    folded = fold_bounds(family)
    assert folded.matrix.shape[0] < family.matrix.shape[0]
    softer, _ = soften(folded)
    smaller = drop_redundant(softer)
    assert smaller.matrix.shape[0] < softer.matrix.shape[0] < folded.matrix.shape[0]
    for step in (folded, softer, smaller):
        found = [solve(of_scenario(step, given.program, s).bind(np.zeros(0))).objective for s in range(family.scenarios)]
        assert found == pytest.approx(expected, rel=1e-9)


def test_lazy_columns_come_back_as_their_rows_say():
    """Whatever the other columns are, the eliminated ones meet the rows that define them, and kept rows say the same."""
    given = microgrids()
    family = fold_bounds(family_of(given))
    smaller, done = eliminate(family, lazy_classes(family).mask)
    assert done.columns.size == 4680 and (np.isfinite(done.lower).any(axis=0)).sum() == 1560  # flows, and voltages with their limits
    rng = np.random.default_rng(1)
    x = rng.normal(size=(family.scenarios, done.kept.size))
    whole = recover(done, x)
    defined = whole @ family.matrix[done.rows].T
    assert defined == pytest.approx(done.rhs, abs=1e-7)
    left = np.setdiff1d(np.arange(family.matrix.shape[0]), done.rows)
    before, after = whole @ family.matrix[left].T, x @ smaller.matrix.T
    bounded = np.isfinite(smaller.row_lower)
    slack = [before[bounded] - family.row_lower[:, left][bounded], after[bounded] - smaller.row_lower[bounded]]
    assert slack[0] == pytest.approx(slack[1], abs=1e-7)
    which = np.array([0, 700, done.columns.size - 1])
    matrix, back = done.rows_of(which)
    assert x @ matrix.T + done.rhs @ back.T == pytest.approx(whole[:, done.columns[which]], abs=1e-7)


def test_the_trial_solves_the_scenario_and_comes_back_whole():
    given = microgrids()
    one = TwoStage(given.program, given.first_stage, given.scenarios[:1], np.ones(1))
    reduced = reduce_family(family_of(one), one.weights)
    x = reduced.recover(reduced.trial[None])
    found = check_solution(one, x)
    assert found.violation <= 1e-7
    assert found.costs[0] == pytest.approx(solve(given.program.bind(given.scenarios[0])).objective, rel=1e-7)


def test_what_each_scenario_costs_is_known_to_first_order():
    given = microgrids()
    reduced = reduce_family(family_of(given), given.weights)
    true = np.array([solve(given.program.bind(inputs)).objective for inputs in given.scenarios])
    apart = np.ptp(true)
    assert apart > 10 and np.abs(reduced.costs() - true).max() < 0.5 * apart
    assert np.array_equal(np.argsort(reduced.costs()), np.argsort(true))
    other = reduced.under(np.array([0.0, 0.2, 0.8]))
    assert other.law[2] == 0.8 and np.abs(other.trial - reduced.trial).max() > 0
    assert reduced.under(given.weights) is reduced


def test_a_class_that_lives_at_its_bounds_is_put_back():
    given = microgrids()
    low = given.program.col_lower.copy()
    voltage = given.program.columns_like(["*.voltage_kv"])
    low[voltage[given.program.col_upper[voltage] > 13]] = 12.62
    reduced = reduce_family(family_of(replace(given, program=replace(given.program, col_lower=low))), given.weights)
    assert not np.isin(voltage, reduced.lazy.columns).any()


def test_blocks_of_the_feeder_are_its_microgrids():
    given = microgrids()
    found = detect(reduce_family(family_of(given), given.weights).family)
    assert found is not None
    joint = [part for part in found.parts if part.scenario < 0]
    assert len(joint) == 10 and {part.rows.size for part in joint} == {191} and found.link.size == 24
    alone = [part for part in found.parts if part.scenario >= 0]
    assert {part.scenario for part in alone} == {0, 1, 2}
    columns = np.concatenate([part.columns for part in found.parts if part.scenario <= 0] + [found.own_columns])
    assert np.array_equal(np.sort(columns), np.arange(columns.size))


def test_blocks_need_rows_to_leave_out():
    given = coupled(1)
    found = detect(fold_bounds(family_of(given)))
    assert found is not None and len(found.parts) == 6 and set(found.link) == set(range(-SLOTS + len(given.program.row_names),
                                                                                       len(given.program.row_names)))


def test_slack_that_stays_at_any_price_ends_the_search_with_that_statement():
    """In one scenario more output is asked of all units together than they may give; the mean of the scenarios can be met."""
    given = coupled(3)
    reduced = reduce_family(family_of(given), given.weights)
    structure = detect(reduced.family)
    assert structure is not None
    floor, ceiling = reduced.family.row_lower.copy(), reduced.family.row_upper.copy()
    floor[2, structure.link], ceiling[2, structure.link] = 1000.0, np.inf  # above the energy limits of all units together
    asked = replace(reduced, family=replace(reduced.family, row_lower=floor, row_upper=ceiling))
    loop = Loop(asked, structure, weighted(given.weights))
    with pytest.raises(Stuck, match=r"of slack stays in a row at a price of"):
        loop.rounds(loop.blocks, gap=1e-3, deadline=np.inf, most=200, pool=True)
    assert loop.bounds.best is None and loop.bounds.upper == np.inf
    lower = [iteration.lower for iteration in loop.bounds.iterations]
    assert lower[-1] > 10 * lower[0] > 0  # and the bound grows


def test_a_system_with_one_device_of_every_kind_is_reduced_exactly():
    program = compile_model(assemble(everything(), Horizon(4, 1.0)))
    inputs = inputs_of(program)
    one = TwoStage(program, program.columns_like(["*.schedule_kw"]), inputs[None], np.ones(1))
    reduced = reduce_family(family_of(one), one.weights)
    found = check_solution(one, reduced.recover(reduced.trial[None]))
    assert found.violation <= 1e-7 and found.costs[0] == pytest.approx(solve(program.bind(inputs)).objective, rel=1e-7, abs=1e-7)
    detect(reduced.family)  # whatever it says, it ends


@pytest.mark.parametrize(("reduced", "least"), [([2.0, -3.0, 0.0], -19.0), ([2.0, -3.0, 1e-9], -19.0), ([2.0, -3.0, 1.0], -np.inf),
                                                ([2.0, -3.0, -1.0], -np.inf)])
def test_reduced_costs_on_a_column_without_bounds_prove_nothing(reduced, least):
    given = Own(*(np.zeros(0, dtype=np.int64) for _ in range(3)), sp.csc_array((0, 3)), sp.csc_array((1, 3)),
                np.array([-2.0, 0.0, -np.inf]), np.array([9.0, 5.0, np.inf]), np.zeros(3, dtype=bool), np.zeros(0), np.zeros(0))
    assert given.least(np.array(reduced)) == pytest.approx(least)


def test_a_price_pushes_only_against_a_bound_that_is_there():
    lower, upper = np.array([1.0, 1.0, -np.inf, -np.inf, 1.0]), np.array([2.0, np.inf, 2.0, np.inf, np.inf])
    assert right_sign(np.ones(5), lower, upper).tolist() == [1, 1, 0, 0, 1]
    assert right_sign(-np.ones(5), lower, upper).tolist() == [-1, 0, -1, 0, 0]
