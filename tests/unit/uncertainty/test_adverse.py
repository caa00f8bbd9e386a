"""The schedule at an adverse deviation: what it costs bounds every affine policy from below, and its integers are a second choice."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest

from pipeline.program.solve import SolveOptions, solve
from pipeline.uncertainty import adverse as adverse_module
from pipeline.uncertainty import affine as module
from pipeline.uncertainty.adverse import Adverse
from pipeline.uncertainty.affine import affine
from tests.unit.uncertainty.written_programs import moving, written

INF = np.inf
UNITS, SLOTS = 2, 2


def committed(rng):
    """Two units with a switch each per slot, slack at 20, demand of each slot an input with a centre of 10."""
    columns, rows = {}, {}
    for t in range(1, SLOTS + 1):
        supply = {f"s.slack_kw[{t}]": 1.0, f"s.demand_kw[{t}]": -1.0}
        columns[f"s.slack_kw[{t}]"] = (20.0, 0, INF)
        for unit in range(UNITS):
            most = float(rng.uniform(4, 12))
            columns[f"u{unit}.on_share[{t}]"] = (float(rng.uniform(1, 12)), 0, 1)
            columns[f"u{unit}.power_kw[{t}]"] = (float(rng.uniform(0.5, 3)), 0, INF)
            rows[f"u{unit}.most[{t}]"] = (-INF, {f"u{unit}.power_kw[{t}]": 1, f"u{unit}.on_share[{t}]": -most}, 0)
            supply[f"u{unit}.power_kw[{t}]"] = 1.0
        rows[f"s.covers[{t}]"] = (0, supply, INF)
    switches = [name for name in columns if "on_share" in name]
    program = written(columns, rows, inputs=[f"s.demand_kw[{t}]" for t in range(1, SLOTS + 1)], positions=SLOTS, integer=switches)
    moves = [(f"s.demand_kw[{t}]", float(rng.uniform(1, 6)), t - 1) for t in range(1, SLOTS + 1)]
    return program, moving(program, moves, [10.0] * SLOTS, budget=[float(rng.choice([0.5, 1.0, 1.5, 2.0]))])


def switches_of(program):
    return np.flatnonzero(program.integer)


@pytest.fixture
def held(monkeypatch):
    """Programs of any size count as big: integers are those of a schedule."""
    monkeypatch.setattr(module, "_BRANCHED_COLUMNS", 4)


@pytest.fixture
def solves(monkeypatch):
    """Every solve of the adverse search: (bound program, options)."""
    calls = []
    monkeypatch.setattr(adverse_module, "solve", lambda bound, options: calls.append((bound, options)) or solve(bound, options))
    return calls


def test_no_policy_promises_less_than_the_lower_bound(monkeypatch):
    """Branch and bound over all integers, 20 random programs; the bound comes near it, or it would be worth nothing."""
    rng, near = np.random.default_rng(3), 0
    for _ in range(20):
        program, deviations = committed(rng)
        best = affine(program, deviations, first_stage=switches_of(program)).decision
        assert best.way == "mixed_integer"
        with monkeypatch.context() as patched:
            patched.setattr(module, "_BRANCHED_COLUMNS", 4)
            found = affine(program, deviations, first_stage=switches_of(program)).decision
        assert found.lower <= best.objective * (1 + 1e-7) <= found.objective * (1 + 2e-7)
        schedule = solve(program.bind(deviations.centre)).x
        adverse = Adverse(program, deviations, deviations.centre).schedule(switches_of(program), schedule, SolveOptions(mip_gap_share=0.0))
        assert adverse.bound <= best.objective * (1 + 1e-7)
        near += found.lower >= best.objective * 0.99
    assert near >= 10


def cyclic_store():
    """One slot: demand 10 + 4 d, a unit at 1 with a switch at 5, and a row of the nominal trajectory alone, power <= limit.

    The limit is an input: 11 at the centre, and so far off it that nothing is limited.
    """
    columns = {"g.on_share[1]": (5.0, 0, 1), "g.power_kw[1]": (1.0, 0, INF), "g.slack_kw[1]": (20.0, 0, INF)}
    rows = {"g.covers[1]": (0, {"g.power_kw[1]": 1, "g.slack_kw[1]": 1, "g.demand_kw[1]": -1}, INF),
            "g.most[1]": (-INF, {"g.power_kw[1]": 1, "g.on_share[1]": -20}, 0),
            "g.nominal[1]": (-INF, {"g.power_kw[1]": 1, "g.limit_kw[1]": -1}, 0)}
    program = written(columns, rows, inputs=["g.demand_kw[1]", "g.limit_kw[1]"], integer=["g.on_share[1]"])
    return program, moving(program, [("g.demand_kw[1]", 4.0, 0)], [10.0, 11.0], budget=[1.0])


def test_rows_of_the_nominal_trajectory_alone_raise_no_bound():
    """At a demand of 14: 5 + 14 where the limit of 11 does not hold, 5 + 11 + 3 x 20 where it would."""
    program, deviations = cyclic_store()
    schedule = solve(program.bind(deviations.centre)).x
    found = Adverse(program, deviations, np.array([10.0, 1000.0])).schedule(np.array([0]), schedule, SolveOptions())
    assert found.bound == pytest.approx(19.0)
    assert Adverse(program, deviations, deviations.centre).schedule(np.array([0]), schedule, SolveOptions()).bound == pytest.approx(76.0)


def test_the_search_begins_with_what_moves_and_ends_at_the_dearest_corner(solves):
    """A budget of one over demands of two slots: the one that moves more is dearer."""
    program, _ = committed(np.random.default_rng(5))
    moves = [("s.demand_kw[1]", 1.0, 0), ("s.demand_kw[2]", 5.0, 1)]
    deviations = moving(program, moves, [10.0, 10.0], budget=[1.0])
    schedule = solve(program.bind(deviations.centre)).x
    found = Adverse(program, deviations, deviations.centre).schedule(switches_of(program), schedule, SolveOptions())
    at = program.bind(np.array([10.0, 15.0]))
    assert found.objective == pytest.approx(solve(at).objective)
    assert np.array_equal(solves[-1][0].row_lower, at.row_lower) and len(solves) <= adverse_module.STEPS + 1


def test_all_solves_share_one_time_limit(solves, monkeypatch):
    """Each takes 10 of 25 s: what is left falls from solve to solve and never below nought."""
    clock = [0.0]

    def slow(bound, options):
        solves.append((bound, options))
        clock[0] += 10.0
        return solve(bound, replace(options, time_limit_s=60.0))

    monkeypatch.setattr(adverse_module, "solve", slow)
    monkeypatch.setattr(time, "perf_counter", lambda: clock[0])
    program, deviations = committed(np.random.default_rng(1))
    schedule = solve(program.bind(deviations.centre)).x
    Adverse(program, deviations, deviations.centre).schedule(switches_of(program), schedule, SolveOptions(time_limit_s=25.0))
    limits = [options.time_limit_s for _, options in solves]
    assert limits == [25.0, 15.0, 5.0, 0.0][: len(limits)] and len(limits) >= 3


def test_a_climb_out_of_time_keeps_the_corner_it_has(monkeypatch):
    """The second solve ends without time: the corner is that of the first, the centre, and never one that nobody priced."""
    program, deviations = committed(np.random.default_rng(1))
    schedule = solve(program.bind(deviations.centre)).x
    seen = []

    def once(bound, options):
        seen.append(bound)
        return solve(bound, replace(options, time_limit_s=0.0 if len(seen) == 2 else 60.0))

    monkeypatch.setattr(adverse_module, "solve", once)
    found = Adverse(program, deviations, deviations.centre).schedule(switches_of(program), schedule, SolveOptions())
    assert found.objective == pytest.approx(solve(program.bind(deviations.centre)).objective)


def rules_solved(monkeypatch):
    calls = []
    inner = module._rules_under

    def counting(bound, columns, schedule, place, options):
        calls.append(place)
        return inner(bound, columns, schedule, place, options)

    monkeypatch.setattr(module, "_rules_under", counting)
    return calls


def test_the_same_integers_are_not_solved_twice_and_said_to_be_the_same(held, monkeypatch):
    """A reserve that costs 38 to open would save 2 x 17 at the adverse demand: shut there as well, though its price leaves a gap."""
    columns = {"g.on_share[1]": (5.0, 0, 1), "g.open_share[1]": (38.0, 0, 1), "g.power_kw[1]": (1.0, 0, INF),
               "g.reserve_kw[1]": (3.0, 0, INF), "g.slack_kw[1]": (20.0, 0, INF)}
    rows = {"g.covers[1]": (0, {"g.power_kw[1]": 1, "g.reserve_kw[1]": 1, "g.slack_kw[1]": 1, "g.demand_kw[1]": -1}, INF),
            "g.most[1]": (-INF, {"g.power_kw[1]": 1, "g.on_share[1]": -12}, 0),
            "g.opened[1]": (-INF, {"g.reserve_kw[1]": 1, "g.open_share[1]": -8}, 0)}
    program = written(columns, rows, inputs=["g.demand_kw[1]"], integer=["g.on_share[1]", "g.open_share[1]"])
    deviations = moving(program, [("g.demand_kw[1]", 4.0, 0)], [10.0], budget=[1.0])
    calls = rules_solved(monkeypatch)
    found = affine(program, deviations, first_stage=np.array([0, 1])).decision
    assert calls == ["at the forecast"] and "that at an adverse deviation has the same" in found.words
    assert found.objective == pytest.approx(57.0) == found.lower  # 5 + 12 + 2 x 20


def test_without_a_gap_no_adverse_deviation_is_looked_for(held, solves):
    """Less demand costs less: the forecast's schedule is the worst that can come, and its cost the bound."""
    program, _ = cyclic_store()
    less = moving(program, [("g.demand_kw[1]", -4.0, 0)], [10.0, 11.0], budget=[1.0])
    found = affine(program, less, first_stage=np.array([0])).decision
    assert found.way == "interior_point" and not solves and "adverse" not in found.words
    assert found.lower == pytest.approx(found.objective) == pytest.approx(15.0)


def test_integers_freed_prove_no_more_than_branch_and_bound_finds(held):
    """Prices of the program with integers held, by interior point and by simplex; its own objective stands a little above its bound."""
    rng = np.random.default_rng(11)
    for _ in range(10):
        program, deviations = committed(rng)
        best = solve(program.bind(deviations.centre)).objective
        still = program.held(switches_of(program), np.ones(switches_of(program).size))
        alone = replace(still, integer=np.zeros_like(still.integer)).bind(deviations.centre)
        for options in (SolveOptions(), SolveOptions(method="ipm", crossover=False)):
            freed = module._freed(program.bind(deviations.centre), solve(alone, options))
            assert -INF < freed.value <= best * (1 + 1e-9) and not freed.words


def test_what_interior_point_s_bound_takes_for_granted_is_said(monkeypatch):
    """Rules by interior point carry the words of their bound."""
    program, deviations = cyclic_store()
    real = module.solve
    monkeypatch.setattr(module, "solve", lambda bound, options: replace(real(bound, options), words="the bound takes for granted"))
    relaxed = replace(program, integer=np.zeros_like(program.integer))
    assert "takes for granted" in affine(relaxed, deviations, first_stage=np.array([0])).decision.words
