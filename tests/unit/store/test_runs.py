"""A run is entered once; what ended with a result is reused, what was killed is open again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.store.runs import RunConflict, RunRecord
from pipeline.store.warehouse import Warehouse

RUN = RunRecord("da-1", "day_ahead", "tiny", "default", "stochastic", "2016-06-15", 1000, 1000, ("in-1",), {"native_method": "stochastic"})


def test_what_is_entered_is_read_back(warehouse: Warehouse) -> None:
    assert warehouse.register_run(RUN) == RUN
    assert warehouse.run("da-1") == RUN
    assert warehouse.run("none") is None


def test_a_finished_run_is_returned_as_it_ended(warehouse: Warehouse) -> None:
    warehouse.register_run(RUN)
    figures = {"seconds": 1.5, "objective": 2.25, "gap": 0.01, "timings": {"solve": 1.0}, "parameters": {"x": 1}}
    closed = warehouse.finish_run("da-1", status="time_limit", **figures)
    assert closed.parameters == {"native_method": "stochastic", "x": 1}
    assert warehouse.register_run(RUN) == closed == warehouse.run("da-1")
    assert closed.finished


@pytest.mark.parametrize("status", ["running", "failed"])
def test_a_run_without_a_result_is_open_again(warehouse: Warehouse, status: str) -> None:
    warehouse.register_run(RUN)
    warehouse.finish_run("da-1", status=status)
    assert not warehouse.register_run(RUN).finished


def test_one_id_names_one_run(warehouse: Warehouse) -> None:
    warehouse.register_run(RUN)
    with pytest.raises(RunConflict, match="as_of"):
        warehouse.register_run(replace(RUN, as_of=999))
    with pytest.raises(RunConflict, match="never registered"):
        warehouse.finish_run("da-2", status="done")
    with pytest.raises(RunConflict, match="colour"):
        warehouse.finish_run("da-1", status="done", colour="red")


def test_runs_are_found_in_the_order_of_issue(warehouse: Warehouse) -> None:
    for number, issued in (("b", 2000), ("a", 2000), ("c", 1000)):
        warehouse.register_run(replace(RUN, run_id=number, issued_at=issued))
    warehouse.register_run(replace(RUN, run_id="d", case="other"))
    assert [run.run_id for run in warehouse.runs(case="tiny", product="day_ahead")] == ["c", "a", "b"]
