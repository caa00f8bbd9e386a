"""The worst corner of a box: by hand, against all extreme points of small systems, and what it refuses."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.errors import InputError
from pipeline.program.solve import SolveOptions, Status, solve
from pipeline.uncertainty.box_robust import box_robust
from pipeline.uncertainty.box_rules import promised_cost
from pipeline.uncertainty.deviations import Deviations
from pipeline.uncertainty.dual_bounds import DualBound, bounds_of, dual_intervals
from pipeline.uncertainty.expectation import recourse_of
from pipeline.uncertainty.measure import WorstCase
from pipeline.uncertainty.monolith import NoDecision, solve_monolith
from pipeline.uncertainty.two_stage import TwoStage
from pipeline.uncertainty.worst_corner import choices_of, greedy, search_corner
from tests.unit.uncertainty.small_programs import SHORTAGE_PRICE, program_of, units, worded_masters

TIGHT = SolveOptions(mip_gap_share=1e-9)
FEW = settings(max_examples=15)


def deviations(centre, half_width, *, budget, two_sided=False, group=None) -> Deviations:
    """Each input up and down by its half-width: one two-sided deviation each, or an up and a down one in the same group."""
    centre, count = np.asarray(centre, dtype=float), len(centre)
    wide = np.diag(np.asarray(half_width, dtype=float))
    group = np.zeros(count, dtype=np.int64) if group is None else np.asarray(group)
    directions = wide if two_sided else np.hstack([wide, -wide])
    each = directions.shape[1]
    groups = group if two_sided else np.tile(group, 2)
    return Deviations(
        centre=centre, directions=sp.csr_array(directions), low=np.full(each, -1.0 if two_sided else 0.0), high=np.ones(each),
        slot=np.zeros(each, dtype=np.int64), entity=np.full(each, -1), group=groups, budget=np.atleast_1d(np.asarray(budget, dtype=float)),
        names=tuple(f"d[{k}]" for k in range(each)))


def extreme_points(given_set: Deviations) -> list[np.ndarray]:
    """Every way to spend the budgets with limits and one broken part per group; a superset is harmless, all lie inside."""
    sizes = np.bincount(given_set.group, minlength=given_set.budget.size)
    part = np.minimum(given_set.budget, sizes) % 1
    values = [{0.0, low, high, low * part[g], high * part[g]} for low, high, g in
              zip(given_set.low, given_set.high, given_set.group, strict=True)]
    points = []
    for point in product(*values):
        spent = np.bincount(given_set.group, np.abs(point), given_set.budget.size)
        if (spent <= given_set.budget + 1e-9).all():
            points.append(np.array(point))
    return points


def by_enumeration(program, first, given_set: Deviations) -> float:
    scenarios = np.array([given_set.centre + given_set.directions @ point for point in extreme_points(given_set)])
    return solve_monolith(TwoStage(program, first, scenarios, np.full(len(scenarios), 1 / len(scenarios))), WorstCase(), TIGHT).objective


def close(value):
    return pytest.approx(value, rel=1e-6, abs=1e-6)


def load_and_wind():
    """Generator .3 up to 80 kW, fuel cell .55, wind free up to what blows; inputs load and wind."""
    return program_of(np.array([0.3, 0.55, 0.0]), np.array([[1.0, 1.0, 1.0], [0.0, 0.0, 1.0]]), np.array([[-1.0, 0.0], [0.0, -1.0]]),
                      row_lower=[0.0, -np.inf], row_upper=[0.0, 0.0], col_upper=[80.0, np.inf, np.inf])


def test_DRMG_BOX_1_load_up_and_wind_down():
    program, none = load_and_wind(), np.zeros(0, dtype=np.int64)
    assert box_robust(program, none, deviations([100, 40], [15, 12], budget=0)).decision.objective == pytest.approx(18.0)
    found = box_robust(program, none, deviations([100, 40], [15, 12], budget=2))
    assert found.decision.objective == pytest.approx(27.85)
    assert found.inputs[0] == pytest.approx([115, 28]) and found.decision.iterations[0].lower == pytest.approx(18.0)


SYSTEMS = st.tuples(st.integers(0, 300), st.booleans(), st.booleans(), st.sampled_from([0.0, 0.4, 1.0, 1.5, 2.0, 2.7, 3.0]))


def system(drawn):
    seed, switched, two_sided, budget = drawn
    program, rng = units(seed, slots=3, switched=switched), np.random.default_rng(seed)
    centre = rng.uniform(3, 9, 3)
    return program, np.arange(2), deviations(centre, centre * rng.uniform(0.1, 0.6, 3), budget=budget, two_sided=two_sided)


@FEW
@given(SYSTEMS)
def test_the_worst_of_all_extreme_points(drawn):
    program, first, given_set = system(drawn)
    found = box_robust(program, first, given_set, TIGHT, gap_share=1e-7)
    assert found.decision.objective == close(by_enumeration(program, first, given_set))
    assert found.worst_cost == close(found.decision.objective) and found.decision.lower == close(found.decision.objective)
    lower, upper = [i.lower for i in found.decision.iterations], [i.upper for i in found.decision.iterations]
    assert lower == sorted(lower) and upper == sorted(upper, reverse=True)
    assert found.decision.iterations[0].lower == close(solve(program.bind(given_set.centre), TIGHT).objective)


@FEW
@given(SYSTEMS, st.sampled_from([(0.5, 1.0), (1.3, 0.0), (2.0, 0.7)]))
def test_each_group_spends_its_own_budget(drawn, budgets):
    program, first, given_set = system(drawn)
    grouped = deviations(given_set.centre, given_set.centre * 0.3, budget=budgets, group=[0, 1, 0], two_sided=drawn[2])
    found = box_robust(program, first, grouped, TIGHT, gap_share=1e-7)
    assert found.decision.objective == close(by_enumeration(program, first, grouped))


@FEW
@given(SYSTEMS)
def test_no_budget_is_the_deterministic_program(drawn):
    program, first, given_set = system(drawn)
    none = replace(given_set, budget=np.zeros(1))
    certain = solve(program.bind(none.centre), TIGHT).objective
    assert box_robust(program, first, none, TIGHT, gap_share=1e-8).decision.objective == close(certain)


@FEW
@given(SYSTEMS, st.floats(0.0, 2.0))
def test_more_budget_never_costs_less(drawn, more):
    program, first, given_set = system(drawn)
    wider = replace(given_set, budget=given_set.budget + more)
    cost, dearer = (box_robust(program, first, one, TIGHT, gap_share=1e-7).decision.objective for one in (given_set, wider))
    assert cost <= dearer * (1 + 1e-6) + 1e-6


@FEW
@given(SYSTEMS, st.integers(0, 20))
def test_the_greedy_corner_gains_most(drawn, seed):
    _, _, given_set = system(drawn)
    worth = np.random.default_rng(seed).integers(-3, 4, given_set.count).astype(float)
    found = greedy(given_set, choices_of(given_set), worth)
    assert worth @ found == pytest.approx(max(worth @ point for point in extreme_points(given_set)))
    assert np.abs(found).sum() <= given_set.budget[0] + 1e-9


def test_bounds_on_prices_follow_from_what_relieves_a_row():
    """Balance: shortage at 50, surplus at 5. Limit: what one more kW saves cannot be told from the dual's feasibility alone."""
    program = units(0, slots=2)
    lower, upper = dual_intervals(program, program.cost)
    balance = program.row_index["a.balance"]
    assert upper[balance] == pytest.approx(SHORTAGE_PRICE) and lower[balance] == pytest.approx(-5.0)
    rows = np.array([*balance, program.row_index["a.limit"][0]])
    bounds = {bound.family: bound for bound in bounds_of(program, program.cost, rows, (lower, upper))}
    assert bounds["balance"].kind == "provable" and bounds["balance"].high == pytest.approx(SHORTAGE_PRICE / 0.95)
    assert bounds["limit"].kind == "stated" and "stated" in str(bounds["limit"])


def scarce():
    """Only a thin source serves the load: a thousandth of a kW for each unit that costs 50, at most 1e6 of it."""
    return program_of(np.array([1.0, 50.0]), np.array([[1.0, 0.001]]), np.array([[-1.0]]), row_lower=[0.0], row_upper=[0.0],
                      col_upper=[10.0, 1e6])


def test_a_price_near_its_bound_widens_it_and_is_said():
    """One more kW costs 50000: far above twice the dearest cost, which is what was stated."""
    said: list[str] = []
    found = box_robust(scarce(), np.zeros(0, dtype=np.int64), deviations([9.0], [3.0], budget=1), TIGHT, report=said.append)
    (bound,) = found.bounds
    assert found.decision.objective == pytest.approx(10 + 2 * 50000) and found.inputs[0] == pytest.approx([12])
    assert bound.kind == "stated" and bound.widened == 3 and bound.high == pytest.approx(1e5) and bound.largest == pytest.approx(5e4)
    assert not found.proven
    assert any(line.endswith(": widened") for line in said) and said[-1].startswith("row: price from -100000 to 100000")


@pytest.mark.parametrize("centre", [0.5, 0.9, 1.0])
def test_a_steep_cost_far_off_widens_the_bound_that_hides_it(centre):
    """Less load falls in cost until a sink that takes a hundredth per unit must run, at a price of 100 where 2 was stated."""
    program = program_of(np.array([1.0, 1.0]), np.array([[1.0, -0.01]]), np.array([[-1.0]]), row_lower=[0.0], row_upper=[0.0],
                         col_upper=[1000.0, 1e6])
    box = deviations([centre], [1.5], budget=1, two_sided=True)
    found = box_robust(program, np.zeros(0, dtype=np.int64), box, TIGHT)
    assert found.decision.objective == close(100 * (1.5 - centre)) == close(by_enumeration(program, np.zeros(0, dtype=np.int64), box))
    assert found.bounds[0].widened and found.bounds[0].largest == close(100.0)


def test_deviations_that_leave_no_recourse_shape_the_first_stage():
    """y <= x, y = demand in 3 .. 7: x must cover 7."""
    program = program_of(np.array([1.0, 0.1]), np.array([[0.0, 1.0], [-1.0, 1.0]]), np.array([[-1.0], [0.0]]), row_lower=[0.0, -np.inf],
                         row_upper=[0.0, 0.0], col_upper=[8.0, np.inf])
    found = box_robust(program, np.array([0]), deviations([5.0], [2.0], budget=1), TIGHT)
    assert found.decision.first == pytest.approx([7.0]) and found.decision.objective == pytest.approx(7.7)


def test_what_a_box_cannot_carry_is_refused():
    program, first = units(1, switched=True), np.arange(2)
    box = deviations([4.0, 5.0], [1.0, 1.0], budget=1)
    priced = np.zeros((program.cost.size, 2))
    priced[2, 1] = 1.0
    with pytest.raises(InputError, match=r"uncertain price a\.demand_kw\[1\].*price: expected.*budgeted_prices"):
        box_robust(replace(program, cost_by_input=sp.csr_array(priced)), first, box)
    with pytest.raises(InputError, match=r"the box cannot decide a\.column_kw\[0\] after the fact: it is integer"):
        box_robust(program, np.array([1]), box)
    for budget in (-1.0, np.nan):
        with pytest.raises(InputError, match=r"settings\.method\.budget_share"):
            box_robust(program, first, replace(box, budget=np.array([budget])))
    with pytest.raises(InputError, match=r"settings\.method\.half_widths"):
        box_robust(program, first, replace(box, directions=box.directions * np.nan))
    with pytest.raises(InputError, match=r"a\.demand_kw\[0\] is nan"):
        box_robust(program, first, replace(box, centre=np.array([np.nan, 1.0])))


@FEW
@given(SYSTEMS, st.floats(0.0, 10.0), st.floats(0.0, 10.0))
def test_the_exact_search_needs_no_climbing(drawn, one, other):
    """At any first stage: its bound is the largest cost over the extreme points, without binaries it lies above."""
    program, first, given_set = system(drawn)
    choices, values = choices_of(given_set), np.minimum([one, other], program.col_upper[:2])
    recourse = recourse_of(program, first, TIGHT)
    bound = recourse.frozen.bind(np.concatenate([given_set.centre, values]))
    costs = [recourse.meet(values, given_set.centre + given_set.directions @ point)[0].objective for point in extreme_points(given_set)]
    if not choices.value.size:
        return
    slope = sp.csr_array(program.matrix_by_input @ given_set.directions)
    intervals = dual_intervals(recourse.frozen, bound.cost)
    bounds = bounds_of(recourse.frozen, bound.cost, np.flatnonzero(np.diff(slope.indptr)), intervals)
    exact, relaxed = (search_corner(bound, slope, np.zeros(given_set.count), given_set, choices=choices, bounds=bounds,
                                    intervals=intervals, options=TIGHT, relaxed=relaxed) for relaxed in (False, True))
    assert exact is not None and relaxed is not None
    assert exact.bound == close(max(costs)) and relaxed.bound >= max(costs) - 1e-6
    assert recourse.meet(values, given_set.centre + given_set.directions @ exact.deviation)[0].objective == close(max(costs))
    assert (np.abs(exact.prices) <= 0.99 * np.where(np.diff(slope.indptr) > 0, bounds[0].high, np.inf)).all()


def test_many_choices_are_searched_within_seen_prices():
    """72 of them: the bounds are narrowed to what corners showed, which is said, and the worst corner is found: all demands up."""
    program = units(7, slots=36)
    upper = np.where([name == "a.energy[0]" for name in program.row_names], 400.0, program.row_upper)  # scarce at the corner only
    program, box = replace(program, row_upper=upper), deviations(np.full(36, 6.0), np.full(36, 6.0), budget=72.0)
    said: list[str] = []
    found = box_robust(program, np.arange(2), box, SolveOptions(time_limit_s=20.0), gap_share=1e-5, report=said.append)
    dearest = solve(program.bind(np.full(36, 12.0)), TIGHT).objective
    assert {bound.kind for bound in found.bounds} == {"seen"} and not found.proven and "seen" in said[-1]
    assert found.decision.status.value == "optimal" and found.worst_cost == pytest.approx(dearest, rel=1e-4)
    assert found.decision.lower <= found.worst_cost + 1e-6 <= found.decision.objective + 2e-6


def test_seen_prices_have_room_and_widen():
    bound = DualBound("balance", -90.0, 90.0, "provable").narrowed(0.0, 0.4, 0.4)
    assert (bound.kind, bound.low, bound.high) == ("seen", pytest.approx(-0.02), pytest.approx(0.6))
    assert not bound.near(0.0, 0.55) and bound.near(0.0, 0.598) and bound.near(-0.02, 0.0)
    assert bound.wider(10.0).high > 3.0 and bound.wider(10.0).low < -2.0 and bound.wider(10.0).widened == 1
    assert DualBound("balance", -0.01, 0.5, "provable").narrowed(0.0, 0.4, 0.4).high == pytest.approx(0.5)


def test_rules_prove_what_bounds_on_prices_do_not():
    """Two units, one priced by a limit that no cost bounds: the search is not proven, the rules' limit is, and it is exact here."""
    program, box = load_and_wind(), deviations([100, 40], [15, 12], budget=2)
    none = np.zeros(0, dtype=np.int64)
    bare, found = box_robust(program, none, box), box_robust(program, none, box, promise=True)
    assert not bare.searched and not bare.proven and bare.upper == np.inf
    assert found.proven and found.upper == close(27.85) and found.decision.lower == close(27.85)


@pytest.mark.parametrize(("gap_share", "searches"), [(0.5, 0), (1e-3, 1)])
def test_with_many_choices_rules_are_asked_before_the_exact_search(monkeypatch, gap_share, searches):
    """72 choices: where rules close the gap no corner is searched exactly, else for no longer than all before took."""
    program = units(7, slots=36)
    upper = np.where([name == "a.energy[0]" for name in program.row_names], 500.0, program.row_upper)
    program, box = replace(program, row_upper=upper), deviations(np.full(36, 6.0), np.full(36, 6.0), budget=72.0)
    limits_s: list[float] = []

    def searched(*given, relaxed: bool = False, options: SolveOptions, **named):
        if not relaxed:
            limits_s.append(options.time_limit_s)
            return None  # cut off by that limit
        return search_corner(*given, relaxed=relaxed, options=options, **named)

    monkeypatch.setattr("pipeline.uncertainty.box_robust.search_corner", searched)
    found = box_robust(program, np.arange(2), box, SolveOptions(time_limit_s=1000.0), gap_share=gap_share, promise=True)
    assert len(limits_s) == searches and all(limit_s < 100.0 for limit_s in limits_s)
    dearest = solve(program.bind(np.full(36, 12.0)), TIGHT).objective
    assert found.decision.status.value == "optimal"  # the search ended, whatever gap the rules leave: more time would prove no more
    assert found.proven and found.worst_cost == pytest.approx(dearest, rel=1e-4) and found.upper >= dearest * (1 - 1e-6)


@FEW
@given(SYSTEMS)
def test_what_rules_promise_no_deviation_exceeds(drawn):
    """Over all extreme points, at the same first stage; the best recourse may lie below."""
    program, first, given_set = system(drawn)
    values = box_robust(program, first, given_set, TIGHT).decision.first
    upper = promised_cost(program, first, values, given_set, worst=0.0, gap_share=0.0, sees=None, options=TIGHT)
    recourse = recourse_of(program, first, TIGHT)
    costs = [recourse.meet(values, given_set.centre + given_set.directions @ point)[0].objective for point in extreme_points(given_set)]
    assert upper >= max(costs) - 1e-6 * (1 + abs(upper))


def test_rules_that_meet_no_deviation_promise_nothing():
    """y = demand is met by two units of 4 kW and 4 kW only: without room above 7 kW no rule reaches 9 kW."""
    program = program_of(np.array([1.0, 2.0]), np.array([[1.0, 1.0]]), np.array([[-1.0]]), row_lower=[0.0], row_upper=[0.0],
                         col_upper=[4.0, 3.0])
    none = np.zeros(0, dtype=np.int64)
    box = deviations([6.0], [3.0], budget=1)
    upper = promised_cost(program, none, np.zeros(0), box, worst=0.0, gap_share=0.0, sees=None, options=TIGHT)
    assert upper == np.inf


@pytest.mark.parametrize(("raised", "words"), [(0.0, "master 2"), (-1e3, "master 1")])
def test_what_the_bound_of_a_master_takes_for_granted_is_said_of_the_bound_that_is_used(monkeypatch, raised, words):
    """The second master's bound is the higher one, unless it is lowered."""
    count = worded_masters(monkeypatch, "box_robust", lambda number: raised if number > 1 else 0.0, "master {}")
    found = box_robust(load_and_wind(), np.zeros(0, dtype=np.int64), deviations([100, 40], [15, 12], budget=2), rounds_max=2)
    assert len(count) == 2 and found.decision.words == words and found.decision.lower == pytest.approx(27.85 if raised == 0 else 18.0)


def test_a_corner_that_was_only_climbed_to_proves_no_upper_bound(monkeypatch):
    """Where neither search finds anything in its time, the dearest corner known is no limit of the cost."""
    monkeypatch.setattr("pipeline.uncertainty.box_robust.search_corner", lambda *given, **named: None)
    with pytest.raises(NoDecision, match="in time") as refused:
        box_robust(load_and_wind(), np.zeros(0, dtype=np.int64), deviations([100, 40], [15, 12], budget=2))
    assert refused.value.status is Status.time_limit


@pytest.mark.parametrize(("cost", "amount", "worst"), [([1.0, 50.0, 50.0], 3.0, 12.0), ([-1.0, 50.0, 50.0], -3.0, -11.0)])
def test_a_range_row_has_a_price_on_either_side(cost, amount, worst):
    """demand <= y <= demand + 5 (more or less at 50): y costs 1 and demand rises from 9 to 12, or y earns 1 and it falls to 6."""
    program = program_of(np.array(cost), np.array([[1.0, 1.0, -1.0]]), np.array([[-1.0]]), row_lower=[0.0], row_upper=[5.0],
                         col_upper=[np.inf] * 3)
    given_set = deviations([9.0], [3.0], budget=1, two_sided=True)
    recourse = recourse_of(program, np.zeros(0, dtype=np.int64), TIGHT)
    bound = recourse.frozen.bind(given_set.centre)
    slope = sp.csr_array(program.matrix_by_input @ given_set.directions)
    intervals = dual_intervals(recourse.frozen, bound.cost)
    bounds = bounds_of(recourse.frozen, bound.cost, np.array([0]), intervals)
    found = search_corner(bound, slope, np.zeros(1), given_set, choices=choices_of(given_set), bounds=bounds, intervals=intervals,
                          options=TIGHT)
    assert found is not None and found.bound == close(worst) and given_set.directions @ found.deviation == pytest.approx([amount])
    assert found.prices == pytest.approx([cost[0]])


def test_a_set_without_room_is_proven_by_its_centre():
    found = box_robust(load_and_wind(), np.zeros(0, dtype=np.int64), deviations([100, 40], [15, 12], budget=0))
    assert found.searched and found.upper == close(18.0)
