"""Decomposition against the same program in one piece: its bounds hold the optimum between them, under every measure."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest

from pipeline.program.solve import SolveOptions, Status
from pipeline.uncertainty import choose, monolith
from pipeline.uncertainty.choose import decide
from pipeline.uncertainty.cvar import MeanCvar
from pipeline.uncertainty.decomposition import decompose as module
from pipeline.uncertainty.decomposition import integers
from pipeline.uncertainty.decomposition.check import check_solution
from pipeline.uncertainty.decomposition.decompose import NotDecomposable, decompose
from pipeline.uncertainty.expectation import recourse_of
from pipeline.uncertainty.measure import Expectation, WorstCase, value_of
from pipeline.uncertainty.monolith import solve_monolith
from pipeline.uncertainty.two_stage import Decision, TwoStage
from pipeline.uncertainty.wasserstein import Wasserstein
from tests.unit.uncertainty.coupled_programs import coupled, microgrids, tight
from tests.unit.uncertainty.small_programs import distances, two_stage

MEASURES = ["mean", "cvar", "wasserstein", "worst"]


def measure(name: str, given: TwoStage):
    apart = distances(given)
    return {"mean": Expectation(), "cvar": MeanCvar(0.5, 0.3), "wasserstein": Wasserstein(apart, 0.2 * float(np.median(apart[apart > 0]))),
            "worst": WorstCase()}[name]


def brackets(found: Decision, optimum: float, share: float = 1e-7) -> None:
    """lower <= optimum <= objective, up to a solver's tolerance."""
    assert found.lower <= optimum + share * abs(optimum) and optimum <= found.objective + share * abs(optimum)


@pytest.mark.parametrize("name", MEASURES)
@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_bounds_bracket_the_program_in_one_piece(name, seed):
    given = coupled(seed)
    priced = measure(name, given)
    whole = solve_monolith(given, priced, SolveOptions(method="simplex"))
    found = decompose(given, priced, gap_share=1e-4)
    brackets(found, whole.objective)
    assert found.status is Status.optimal and found.gap <= 1e-4 and found.way == "decomposition"
    assert found.objective == pytest.approx(value_of(priced, found.costs, given.weights))
    assert found.law @ found.costs == pytest.approx(found.objective)


def test_networked_microgrids_are_bracketed_with_voltages_that_bind():
    """Voltages are lazy: with a floor that binds, pool rows and their priced slack come in."""
    given = tight(microgrids(), 12.24)
    whole = solve_monolith(given, Expectation(), SolveOptions(method="simplex"))
    loose = solve_monolith(microgrids(), Expectation(), SolveOptions(method="simplex"))
    assert whole.objective > loose.objective * (1 + 1e-4)  # the floor binds
    found = decompose(given, Expectation())
    brackets(found, whole.objective, 1e-6)
    assert found.status is Status.optimal and found.gap <= 1e-3


def test_the_recourse_met_again_costs_no_more():
    given = microgrids()
    found = decompose(given, Expectation())
    recourse = recourse_of(given.program, given.first_stage, SolveOptions())
    met = np.array([recourse.meet(found.first, inputs)[0].objective for inputs in given.scenarios])
    assert (met <= found.costs * (1 + 1e-9)).all()
    assert met @ given.weights >= found.lower * (1 - 1e-9)


def test_bounds_close_in_from_both_sides():
    found = decompose(coupled(5, blocks=12), Expectation(), gap_share=1e-6)
    lower, upper = np.array([[i.lower, i.upper] for i in found.iterations]).T
    assert (np.diff(lower) >= 0).all() and (upper[1:] <= upper[:-1]).all() and (lower <= upper * (1 + 1e-9)).all()


def test_the_same_inputs_give_the_same_bytes():
    one, other = (decompose(coupled(6), Expectation()) for _ in range(2))
    assert one.first.tobytes() == other.first.tobytes() and one.lower == other.lower


@pytest.mark.parametrize("what", ["row", "column", "first_stage"])
def test_the_last_check_finds_one_altered_cell(what):
    given = coupled(7)
    whole = np.array([recourse_of(given.program, given.first_stage, SolveOptions()).meet(np.full(given.first_stage.size, 5.0), u)[1]
                      for u in given.scenarios])
    good = check_solution(given, whole)
    assert good.violation <= 1e-9
    bad = whole.copy()
    place = {"row": (1, 3), "column": (2, 2), "first_stage": (3, int(given.first_stage[4]))}[what]
    bad[place] = -1.0 if what == "column" else bad[place] + 0.5
    found = check_solution(given, bad)
    assert found.violation > 1e-3 and found.where
    bad[0, 0] = np.nan
    assert check_solution(given, bad).violation == np.inf


def test_a_solution_that_fails_the_last_check_is_not_handed_on(monkeypatch):
    """The way falls back to one piece, and says so."""
    given = coupled(8)
    monkeypatch.setattr(choose, "BIG", 10)
    monkeypatch.setattr(module, "VIOLATION", -1.0)
    with pytest.raises(NotDecomposable, match="the last check"):
        decompose(given, Expectation())
    found = decide(given, Expectation(), SolveOptions(method="simplex"))
    assert found.way == "simplex" and "decomposition failed: the last check" in found.words


def test_after_a_failed_decomposition_one_piece_gets_the_time_that_is_left(monkeypatch):
    def failed(*given, **more):
        time.sleep(0.05)
        raise NotDecomposable("of a test")

    given, seen, real = coupled(8), [], choose.solve_monolith
    monkeypatch.setattr(choose, "BIG", 10)
    monkeypatch.setattr(choose, "decompose", failed)
    monkeypatch.setattr(choose, "solve_monolith", lambda two, measure, options: seen.append(options) or real(two, measure, options))
    assert "of a test" in decide(given, Expectation(), SolveOptions(time_limit_s=100.0)).words
    assert seen[0].time_limit_s <= 99.95


def test_the_way_follows_size_and_structure(monkeypatch):
    assert decide(coupled(9, scenarios=1), Expectation()).way == "simplex"
    assert decide(coupled(9), Expectation()).way == "simplex"
    assert decide(coupled(9, switched=True), Expectation()).way == "mixed_integer"
    monkeypatch.setattr(choose, "BIG", 10)
    assert decide(coupled(9), Expectation()).way == "decomposition"
    assert decide(coupled(9, scenarios=1), Expectation()).way == "simplex"
    one_piece = decide(two_stage(1), Expectation())
    assert one_piece.way == "simplex" and "do not fall into blocks" in one_piece.words
    monkeypatch.setattr(monolith, "SIMPLEX_COLUMNS", 10)
    monkeypatch.setattr(choose, "BIG", 10**9)
    assert decide(coupled(9), Expectation()).way == "interior_point"


@pytest.mark.parametrize(("wanted", "status"), [(1e-5, Status.time_limit), (0.05, Status.optimal)])
def test_a_gap_that_whole_numbers_leave_is_said_where_no_time_limit_was_met(wanted, status):
    found = decompose(coupled(4, switched=True, limit=6.0), Expectation(), SolveOptions(time_limit_s=600.0), gap_share=wanted)
    assert found.status is status and (found.gap <= wanted) == (status is Status.optimal)
    assert ("choices of whole numbers" in found.words and "time was left" in found.ended) == (status is Status.time_limit)


def test_the_lower_bound_is_what_the_blocks_prove_and_no_more(monkeypatch):
    proven, real = [], integers._bounded

    def seen(*given, **named):
        proven.append(real(*given, **named))
        return proven[-1]

    monkeypatch.setattr(integers, "_bounded", seen)
    found = decompose(coupled(4, switched=True, limit=6.0), Expectation(), gap_share=1e-5)
    assert found.lower == pytest.approx(max(lower for lower, _ in proven), rel=1e-9)


def test_a_block_s_bound_is_proven_and_not_the_cost_of_what_it_found(monkeypatch):
    """Cut short, branch and bound has found something dearer than what it proves; the optimum lies between."""
    asked, real = [], integers._branch

    def both(block, costs, *, gap, time_limit_s, scale):
        exact, _ = real(block, costs, gap=0.0, time_limit_s=time_limit_s, scale=scale)
        loose, x = real(block, costs, gap=1e6, time_limit_s=time_limit_s, scale=scale)
        asked.append((loose, exact))
        return exact, x

    monkeypatch.setattr(integers, "_branch", both)
    decompose(coupled(4, switched=True, limit=6.0), Expectation(), gap_share=1e-3)
    loose, exact = np.array(asked).T
    assert (loose <= exact + 1e-7 * np.abs(exact)).all() and (loose < exact - 1e-6 * np.abs(exact)).any()


def test_the_same_whole_numbers_are_decomposed_once_whatever_else_the_blocks_say(monkeypatch):
    """Blocks also hold columns that are none: those may differ from one price to the next."""
    given, count, real = coupled(4, switched=True, limit=6.0), [], integers._bounded

    def said(loop, prices, **more):
        lower, fixed = real(loop, prices, **more)
        if not count:
            fixed_once.append(fixed)
        count.append(lower)
        return lower, np.where(loop.family.integer, fixed_once[0], fixed_once[0] + len(count))

    fixed_once: list[np.ndarray] = []
    monkeypatch.setattr(integers, "_bounded", said)
    found = decompose(given, Expectation(), gap_share=1e-9)
    assert len(count) > 1 and "after 1 choice of whole numbers" in found.words


def test_integer_recourse_is_left_to_branch_and_bound():
    given = coupled(10, switched=True)
    given = replace(given, first_stage=given.first_stage[:-1])
    assert not choose.is_big(given)
    with pytest.raises(NotDecomposable, match="after the scenario"):
        decompose(given, Expectation())


@pytest.mark.parametrize("seed", [11, 12, 13, 20, 22])  # of 11 to 30 the hardest are 20 and 22
def test_switches_of_the_first_stage_are_bracketed(seed):
    given = coupled(seed, switched=True, blocks=8)
    whole = solve_monolith(given, Expectation(), SolveOptions(mip_gap_share=0.0))
    found = decompose(given, Expectation())
    brackets(found, whole.objective)
    assert set(np.unique(found.first)) <= {0.0, 1.0}
    relaxed = solve_monolith(replace(given, program=replace(given.program, integer=np.zeros_like(given.program.integer))), Expectation(),
                             SolveOptions(method="simplex"))
    assert found.lower >= relaxed.objective * (1 - 2e-3)  # never far below the relaxation, whose own gap is 1e-3; mostly above it
    assert found.gap <= 0.01
    assert [one.iteration for one in found.iterations] == list(range(1, len(found.iterations) + 1))  # each round has a row of its own


def test_a_program_without_a_solution_is_said_to_have_none():
    """Outputs of all units together would have to be negative."""
    given = coupled(14, limit=-1.0)
    with pytest.raises(NotDecomposable):
        decompose(given, Expectation())
