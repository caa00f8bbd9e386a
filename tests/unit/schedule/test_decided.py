"""What is published of a decision: its rounds, its laws, what is proven in figures and words."""

from __future__ import annotations

import dataclasses

import numpy as np

from pipeline.program.solve import Status
from pipeline.schedule.decided import decision_figures, decision_findings, decision_tables
from pipeline.schedule.read_out import day_ahead_tables
from pipeline.uncertainty.two_stage import Decision, Iteration
from pipeline.validate.treatment import check_bounds, check_distribution
from tests.unit.schedule.tiny_day import setting

INF = float("inf")
ROUNDS = (
    Iteration(1, -INF, 30.6, 0.4, np.array([1.0, 0.0])), Iteration(2, 30.1, 30.8, 0.2, np.array([0.5, 0.5])), Iteration(3, 30.0, 30.2, 0.1),
)
FOUND = Decision(np.zeros(1), 30.2, 30.1, Status.optimal, "column_and_constraint", law=np.array([0.5, 0.5 - 1e-17]), iterations=ROUNDS,
                 seconds=0.7)


def test_the_best_bounds_so_far_are_written_and_pass_the_gates() -> None:
    tables = decision_tables(FOUND, "da-1", currency="EUR")
    assert tables["bounds"]["lower"].to_pylist() == [None, 30.1, 30.1]
    assert tables["bounds"]["upper"].to_pylist() == [30.6, 30.6, 30.2]
    assert tables["bounds"]["gap_share"].to_pylist() == [None, (30.6 - 30.1) / 30.1, (30.2 - 30.1) / 30.1]
    assert check_bounds(tables["bounds"]) == []
    assert tables["distribution"]["iteration"].to_pylist() == [0, 0, 1, 1, 2, 2]
    assert tables["distribution"]["weight"].to_pylist() == [0.5, 0.5, 1.0, 0.0, 0.5, 0.5]
    assert check_distribution(tables["distribution"], None) == []


def test_what_a_round_did_not_prove_is_no_bound() -> None:
    """The optimum of a forecast that is not the mean of the scenarios may lie above every bound that follows, and above the optimum."""
    rounds = (Iteration(1, 31.0, 31.5, 0.4, proven=False), *ROUNDS[1:])
    table = decision_tables(dataclasses.replace(FOUND, iterations=rounds), "da-1", currency="EUR")["bounds"]
    assert table["lower"].to_pylist() == [None, 30.1, 30.1] and table["gap_share"].to_pylist()[0] is None
    assert check_bounds(table) == []


def test_no_timing_is_in_a_published_table() -> None:
    again = dataclasses.replace(FOUND, seconds=9.0, iterations=tuple(dataclasses.replace(one, seconds=8.0) for one in ROUNDS))
    assert decision_tables(again, "da-1", currency="EUR") == decision_tables(FOUND, "da-1", currency="EUR")


def test_a_proven_gap_is_said_and_so_is_that_none_is() -> None:
    assert decision_figures(FOUND, currency="EUR") == {
        "treatment_objective": ("EUR", 30.2), "proven_lower_bound": ("EUR", 30.1), "proven_gap": ("1", FOUND.gap),
        "iteration_count": ("1", 3.0)}
    (said,) = decision_findings(FOUND, currency="EUR")
    assert said.severity == "info" and "column-and-constraint generation in 3 iterations" in said.message
    assert "under the treatment no decision costs less than 30.10 EUR: a gap of 0.332 % is proven" in said.message
    unproven = dataclasses.replace(FOUND, lower=-INF)
    assert set(decision_figures(unproven, currency="EUR")) == {"treatment_objective", "iteration_count"}
    assert "no bound is proven" in decision_findings(unproven, currency="EUR")[0].message


def test_a_day_ahead_run_writes_them() -> None:
    found = setting().plan()
    without = day_ahead_tables(dataclasses.replace(found, decision=None), "da-1")
    assert without["bounds"].num_rows == without["distribution"].num_rows == 0
    tables = day_ahead_tables(dataclasses.replace(found, decision=FOUND), "da-1")
    assert tables["bounds"].num_rows == 3 and tables["distribution"].num_rows == 6
    assert "proven_gap" in tables["kpis"]["kpi"].to_pylist() and "way" in tables["findings"]["check"].to_pylist()


def test_a_worst_that_was_only_found_is_no_bound():
    decision = Decision(np.zeros(1), 120.0, 100.0, Status.optimal, "column_and_constraint", proven=False, words="why")
    (finding,) = decision_findings(decision, currency="USD")
    assert finding.value is None and "nothing is worse is not proven" in finding.message and finding.message.endswith("why")
    assert "proven_gap" not in decision_figures(decision, currency="USD")
