"""Costs of many days met with the decision of one forecast."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pipeline.core.errors import NoSchedule
from pipeline.program.linear_program import Floats
from pipeline.program.solve import LiveSolver, Solution, SolveOptions, Status
from pipeline.schedule.outlook import coarsen
from pipeline.schedule.reference import recourse_costs
from pipeline.uncertainty.expectation import recourse_of
from tests.unit.schedule.tiny_day import setting


def test_the_forecast_costs_its_optimum_and_another_day_no_less_than_its_own() -> None:
    tiny = setting(variant="two_price")
    days = [coarsen(tiny.truth(error=0.2, seed=seed), 4) for seed in range(3)]
    reference = coarsen(tiny.truth(), 4)
    costs = recourse_costs(tiny.case, tiny.day, tiny.hourly, [reference, *days], reference=reference)
    assert costs is not None
    assert costs[0] == pytest.approx(tiny.plan().objective, rel=1e-9)
    alone = np.array([tiny.plan(tiny.truth(error=0.2, seed=seed)).objective for seed in range(3)])
    assert (costs[1:] > alone + 1e-3).all()


def test_the_first_stage_is_that_of_the_forecast() -> None:
    tiny = setting(variant="two_price")
    day, reference = coarsen(tiny.truth(error=0.2, seed=1), 4), coarsen(tiny.truth(), 4)
    found = recourse_costs(tiny.case, tiny.day, tiny.hourly, [day], reference=reference)
    plan = tiny.plan()
    program, layout = tiny.hourly, plan.desk.layout
    first = program.columns_like(tiny.case.settings.first_stage)
    x = np.zeros(program.matrix.shape[1])
    x[layout.columns.index] = plan.columns[0]
    inputs = plan.desk.binder.assemble(plan.desk.binder.fill(day, plan.desk.starts()), plan.state, day_ends=True)
    held, _ = recourse_of(program, first, SolveOptions()).meet(x[first], inputs)
    assert found is not None and found[0] == pytest.approx(held.objective, rel=1e-7)


def test_without_a_decision_in_time_there_are_no_costs() -> None:
    tiny = setting()
    day = coarsen(tiny.truth(), 4)
    assert recourse_costs(tiny.case, tiny.day, tiny.hourly, [day], reference=day, options=SolveOptions(time_limit_s=0.0)) is None


@pytest.mark.parametrize("status", [Status.infeasible, Status.time_limit, Status.failed])
def test_only_what_cannot_be_met_costs_infinitely(status: Status, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a solver could not tell makes no day the worst: without time no cost is known, and a failure is an error."""
    real = LiveSolver.solve

    def ended(self: LiveSolver, inputs: Floats) -> Solution:
        return replace(real(self, inputs), status=status, objective=np.nan, x=None)

    monkeypatch.setattr(LiveSolver, "solve", ended)
    tiny = setting()
    day = coarsen(tiny.truth(), 4)
    if status is Status.failed:
        with pytest.raises(NoSchedule, match=r"day 1 of the sample.*failed"):
            recourse_costs(tiny.case, tiny.day, tiny.hourly, [day], reference=day)
        return
    costs = recourse_costs(tiny.case, tiny.day, tiny.hourly, [day], reference=day)
    assert costs is None if status is Status.time_limit else costs is not None and np.isinf(costs).all()
