"""Network and microgrids coordinated by cuts, by hand and against the whole program."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import scipy.sparse as sp

from pipeline.core.errors import InputError
from pipeline.program.solve import SolveOptions, Status, solve
from pipeline.uncertainty.affine import affine
from pipeline.uncertainty.affine_check import check_policy, extreme_points, worst_points
from pipeline.uncertainty.affine_counterpart import counterpart
from pipeline.uncertainty.affine_roles import Information
from pipeline.uncertainty.coordination import coordinate
from pipeline.uncertainty.coordination_parts import extract, parts_of
from pipeline.uncertainty.coordination_search import CutOptions
from pipeline.uncertainty.coordination_sides import Side
from tests.unit.uncertainty.written_programs import moving, written

INF = np.inf
EXACT = CutOptions(gap_share=1e-9)


def network_and_microgrid():
    """The network sells 60 kW at .5, then at .9; the microgrid needs 100 and makes up to 80 at .8, the rest is shed at 20."""
    return written(
        {"net.cheap_kw[1]": (0.5, 0, 60), "net.dear_kw[1]": (0.9, 0, INF), "mg_tie.exchange_kw[1]": (0.0, 0, 200),
         "mg.own_kw[1]": (0.8, 0, 80), "mg.shed_kw[1]": (20.0, 0, INF)},
        {"net.balance[1]": (0, {"net.cheap_kw[1]": 1, "net.dear_kw[1]": 1, "mg_tie.exchange_kw[1]": -1}, 0),
         "mg.balance[1]": (100, {"mg_tie.exchange_kw[1]": 1, "mg.own_kw[1]": 1, "mg.shed_kw[1]": 1, "mg.pv_kw[1]": 1}, 100)},
        inputs=["mg.pv_kw[1]"], elastic=["mg.shed_kw[1]"])


def still(program, *, budget=0.0, amount=-10.0, centre=0.0):
    return moving(program, [("mg.pv_kw[1]", amount, 0)], [centre], budget=[budget])


TIE = np.array([2])


def test_H2_COORD_1_the_cuts_find_an_import_of_60_and_a_cost_of_62():
    program = network_and_microgrid()
    found = coordinate(program, still(program), ties=TIE, first_stage=TIE, start=np.array([20.0]), cuts=EXACT)
    assert found.decision.objective == pytest.approx(62.0) and found.decision.lower == pytest.approx(62.0)
    assert found.ties == pytest.approx([60.0]) and found.part_costs == pytest.approx([32.0])
    assert found.decision.way == "decomposition"


def test_H2_COORD_1_the_first_cut_says_64_and_falls_by_08_per_kW():
    program = network_and_microgrid()
    parts = parts_of(program, TIE)
    assert program.column_names[parts.master.columns[0]] == "net.cheap_kw[1]"
    part = parts.parts[0]
    whole = counterpart(extract(program, part, constants=False, priced_ties=False), still(program),
                        first_stage=np.searchsorted(part.columns, part.ties), information=Information())
    side = Side.of(part, whole, parts.master, SolveOptions())
    answer = side.answer(np.array([20.0]))
    assert answer.feasible and answer.value == pytest.approx(64.0)
    assert -20 <= answer.slope[0] <= -0.8 + 1e-9  # its unit is just full: on one side of 20 the last kW is shed
    assert side.answer(np.array([25.0])).slope == pytest.approx([-0.8])


def test_a_schedule_that_a_part_cannot_meet_is_cut_off_by_how_far_it_is_out_of_reach():
    """Without slack the microgrid needs 20 from the network at least, and can take 100 at most."""
    program = network_and_microgrid()
    firm = replace(program, col_upper=np.where([n == "mg.shed_kw[1]" for n in program.column_names], 0.0, program.col_upper))
    part = parts_of(firm, TIE).parts[0]
    whole = counterpart(extract(firm, part, constants=False, priced_ties=False), still(firm),
                        first_stage=np.searchsorted(part.columns, part.ties), information=Information())
    side = Side.of(part, whole, parts_of(firm, TIE).master, SolveOptions())
    for wanted, distance, slope in ((5.0, 15.0, -1.0), (130.0, 30.0, 1.0)):
        answer = side.answer(np.array([wanted]))
        assert not answer.feasible and answer.value == pytest.approx(distance) and answer.slope == pytest.approx([slope])
    for start in (0.0, 200.0):
        found = coordinate(firm, still(firm), ties=TIE, first_stage=TIE, start=np.array([start]), cuts=EXACT)
        assert found.decision.objective == pytest.approx(62.0)


@pytest.mark.parametrize("centre", [0.0, 20.0])
def test_money_of_a_deviation_counts_in_the_part_that_it_moves(centre):
    """10 kW less sun cost 8 to 9 in energy and 20 in money that no decision changes."""
    program = replace(network_and_microgrid(), offset_by_input=np.array([-2.0]))
    deviations = still(program, budget=1.0, centre=centre)
    whole = affine(program, deviations, first_stage=TIE)
    found = coordinate(program, deviations, ties=TIE, first_stage=TIE, cuts=EXACT)
    costs = check_policy(program, found.policy, deviations, worst_points(program, found.policy, deviations)).costs
    assert found.decision.objective == pytest.approx(whole.decision.objective) == pytest.approx(costs.max())
    assert found.decision.lower == pytest.approx(whole.decision.objective)


def test_money_of_a_deviation_that_moves_no_row_counts_once():
    program = network_and_microgrid()
    program = replace(program, input_names=(*program.input_names, "net.fee_kw[1]"), offset_by_input=np.array([-2.0, 3.0]),
                      matrix_by_input=sp.csr_array(np.pad(program.matrix_by_input.toarray(), ((0, 0), (0, 1)))),
                      cost_by_input=sp.csr_array((5, 2)), readout_by_input=sp.csr_array((0, 2)))
    deviations = moving(program, [("mg.pv_kw[1]", -10.0, 0), ("net.fee_kw[1]", 4.0, 0)], [0.0, 1.0], budget=[1.0, 1.0], group=[0, 1])
    whole = affine(program, deviations, first_stage=TIE)
    found = coordinate(program, deviations, ties=TIE, first_stage=TIE, cuts=EXACT)
    assert found.decision.objective == pytest.approx(whole.decision.objective) == pytest.approx(found.decision.lower)
    with pytest.raises(InputError, match=r"one budget \(group 1\) spans several parts"):
        coordinate(program, replace(deviations, group=np.zeros(2, dtype=np.int64)), ties=TIE, first_stage=TIE, cuts=EXACT)


def district(seed, *, steps=4, microgrids=3):
    """A network with a cheap limited and a dear supply over one limit, and microgrids with a unit, a store, sun and shedding."""
    random = np.random.default_rng(seed)
    columns, rows = {}, {}
    for t in range(1, steps + 1):
        columns |= {f"net.cheap_kw[{t}]": (random.uniform(0.3, 0.6), 0, 60), f"net.dear_kw[{t}]": (random.uniform(0.8, 1.2), 0, 150)}
        rows[f"net.balance[{t}]"] = (0, {f"net.cheap_kw[{t}]": 1, f"net.dear_kw[{t}]": 1,
                                         **{f"m{i}_tie.exchange_kw[{t}]": -1 for i in range(microgrids)}}, 0)
        if t > 1:
            rows[f"net.ramp[{t}]"] = (-40, {f"net.dear_kw[{t}]": 1, f"net.dear_kw[{t - 1}]": -1}, 40)
        for i in range(microgrids):
            m = f"m{i}"
            columns |= {
                f"{m}_tie.exchange_kw[{t}]": (0.0, -50, 80), f"{m}.unit_kw[{t}]": (random.uniform(0.5, 1.5), 0, 50),
                f"{m}.curtailed_kw[{t}]": (0.1, 0, INF), f"{m}.charge_kw[{t}]": (0.01, 0, 20), f"{m}.discharge_kw[{t}]": (0.01, 0, 20),
                f"{m}.energy_kwh[{t}]": (0.0, -INF, INF), f"{m}.shed_kw[{t}]": (20.0, 0, INF)}
            load = random.uniform(40, 90)
            rows[f"{m}.balance[{t}]"] = (load, {f"{m}_tie.exchange_kw[{t}]": 1, **{
                f"{m}.{name}_kw[{t}]": sign for name, sign in (("unit", 1), ("curtailed", -1), ("charge", -1), ("discharge", 1),
                                                               ("shed", 1), ("sun", 1))}}, load)
            rows[f"{m}.curtailment_limit[{t}]"] = (-INF, {f"{m}.curtailed_kw[{t}]": 1, f"{m}.sun_kw[{t}]": -1}, 0)
            before = {f"{m}.energy_kwh[{t - 1}]": -1} if t > 1 else {}
            start = 0.0 if t > 1 else 15.0
            rows[f"{m}.energy_balance[{t}]"] = (start, {f"{m}.energy_kwh[{t}]": 1, **before, f"{m}.charge_kw[{t}]": -0.9,
                                                        f"{m}.discharge_kw[{t}]": 1.1}, start)
            rows[f"{m}.energy_limits[{t}]"] = (3, {f"{m}.energy_kwh[{t}]": 1}, 30)
    names = [f"m{i}.sun_kw[{t}]" for i in range(microgrids) for t in range(1, steps + 1)]
    elastic = [name for name in columns if ".shed_kw" in name]
    return written(columns, rows, inputs=names, positions=steps, elastic=elastic)


def suns(program, share):
    moves, group, entity = [], [], []
    for i, name in enumerate(program.input_names):
        slot = int(name.partition("[")[2][:-1]) - 1
        moves += [(name, 8.0, slot), (name, -8.0, slot)]
        group += [i, i]
        entity += [int(name[1])] * 2
    count = len(program.input_names)
    return moving(program, moves, [25.0] * count, budget=[2 * share] * count, group=group, entity=entity)


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_5_decomposed_is_central_and_the_bounds_close_in_from_both_sides(seed, share):
    program = district(seed)
    deviations, ties = suns(program, share), program.columns_like(["*_tie.exchange_kw"])
    central = affine(program, deviations, first_stage=ties).decision.objective
    found = coordinate(program, deviations, ties=ties, first_stage=ties)
    curve = found.decision.iterations
    assert found.decision.gap <= 1e-3
    assert found.decision.objective == pytest.approx(central, rel=1e-3)
    assert found.decision.lower <= central + 1e-6 <= found.decision.objective + 2e-6
    assert all(a.lower <= b.lower and a.upper >= b.upper for a, b in pairwise(curve))
    points = np.vstack([extreme_points(deviations, 50), worst_points(program, found.policy, deviations)])
    checked = check_policy(program, found.policy, deviations, points)
    assert checked.worst_violation <= 1e-6, checked.worst_place
    assert checked.costs.max() <= found.decision.objective * (1 + 1e-9)


def test_whole_numbers_are_decided_with_the_schedule_held_and_their_cost_is_said():
    """The unit of the microgrid runs in lumps: 0 or 40 more; the network only sees the relaxation."""
    program = network_and_microgrid()
    lump = replace(program, integer=np.array([False, False, False, True, False]),
                   matrix=program.matrix.tolil().tocsr(), col_upper=program.col_upper.copy(), cost=program.cost.copy())
    own = program.column_names.index("mg.own_kw[1]")
    lump.matrix[1, own] = 32.0  # one of at most 2 units of 32 kW each
    lump.cost[own], lump.col_upper[own] = 0.8 * 32, 2.0
    found = coordinate(lump, still(lump), ties=TIE, first_stage=np.array([2, 3]), cuts=EXACT)
    relaxed = solve(replace(lump, integer=np.zeros(5, dtype=bool)).bind(np.zeros(1))).objective
    assert found.decision.objective - found.integrality_loss == pytest.approx(relaxed)
    assert found.integrality_loss > 1.0
    assert found.decision.gap > EXACT.gap_share and found.decision.status is Status.time_limit
    assert "whole numbers decided under the schedule of the ties" in found.decision.ended and found.decision.ended in found.decision.words
    assert found.policy.nominal[own] == pytest.approx(round(found.policy.nominal[own]))


def test_cuts_that_end_before_their_gap_say_after_how_many_schedules():
    program = district(1)
    ties = program.columns_like(["*_tie.exchange_kw"])
    one = CutOptions(gap_share=1e-9, iterations_max=2)
    found = coordinate(program, suns(program, 0.3), ties=ties, first_stage=ties, cuts=one)
    assert found.decision.status is Status.time_limit and "after 2 schedules of the ties" in found.decision.ended
    done = coordinate(program, suns(program, 0.3), ties=ties, first_stage=ties)
    assert done.decision.status is Status.optimal and not done.decision.words


def test_what_cannot_be_taken_apart_is_refused_with_the_remedy():
    program = network_and_microgrid()
    with pytest.raises(InputError, match="no tie couples two parts of this program; take solution: monolith"):
        coordinate(program, still(program), ties=np.array([0]), first_stage=TIE)
    with pytest.raises(InputError, match=r"mg_tie\.exchange_kw\[1\] couples two parts that deviations reach, and is not decided ahead"):
        coordinate(program, still(program, budget=1.0, centre=20.0), ties=TIE, first_stage=np.array([], dtype=int))
    wide = district(1)
    ties = wide.columns_like(["*_tie.exchange_kw"])
    shared = suns(wide, 0.5)
    with pytest.raises(InputError, match=r"one budget \(group 1\) spans several parts"):
        coordinate(wide, replace(shared, group=np.zeros(shared.count, dtype=np.int64), budget=np.array([3.0])), ties=ties, first_stage=ties)
    both = shared.directions.tolil()
    both[4, 0] = 8.0
    with pytest.raises(InputError, match=r"m0\.sun_kw\[1\]\+ moves several parts"):
        coordinate(wide, replace(shared, directions=both.tocsr()), ties=ties, first_stage=ties)
