"""Early departures as deviations of a box, on the robust system: aggregators of 12 and 18 moved departures, two hours early."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pipeline.cases.settings import BoxRobust
from pipeline.core.errors import InputError
from pipeline.forecast.ev_connection import aggregators_of, cycle_of, expected_connections
from pipeline.schedule.day_ahead import plan_day
from pipeline.schedule.desk import Desk
from pipeline.schedule.deviations import box_deviations
from pipeline.schedule.leaving import Leavers
from pipeline.schedule.outlook import Outlook, coarse_connections, coarsen
from pipeline.stages.leavers import leavers_of
from tests.unit.schedule.tiny_day import QUIET, setting

ROBUST = ("distributionally_robust_microgrids", "reference")
QUANTITIES = ("arrivals_count", "departures_count", "connected_count", "withdrawn_count", "reserve_kwh")


@pytest.fixture(scope="module")
def box():
    """Desk, inputs, and the set with vehicles that may leave early."""
    desk, outlook, inputs = a_day(*ROBUST)
    return desk, inputs, box_deviations(desk, outlook, inputs, BoxRobust(early_departures=True), leavers=leavers(desk))


def leavers(desk: Desk) -> list[Leavers]:
    return leavers_of(desk.case, desk.day, step_min=60)


def a_day(name: str, variant: str | None) -> tuple[Desk, Outlook, np.ndarray]:
    day = setting(name, variant)
    outlook = coarsen(replace(day.truth(), connections=expected_connections(day.case, day=day.day, step_min=60)), 4)
    plan = plan_day(day.case, day.day, day.hourly, [outlook], np.ones(1), options=QUIET)
    inputs = np.zeros(len(plan.desk.program.input_names))
    inputs[plan.desk.layout.inputs.index] = plan.inputs[0]
    return plan.desk, outlook, inputs


def moved(desk: Desk, directions: np.ndarray, aggregator: str) -> dict[str, np.ndarray]:
    """(m,) as rows by quantity (24,)."""
    labels, index = desk.layout.inputs.labels, desk.layout.inputs.index
    return {label.quantity: directions[index[:, j]] for j, label in enumerate(labels) if label.device == aggregator}


def test_one_vehicle_due_at_twelve_leaves_at_ten(box):
    """Slot 12 is the hour from 11 on: counted in slot 10, missing in 12, and no longer there in 11 and 12."""
    desk, _, found = box
    rows = moved(desk, found.directions[:, [found.names.index("eva1.early[12,1]")]].toarray().ravel(), "eva1")
    assert rows["departures_count"].nonzero()[0].tolist() == [9, 11] and rows["departures_count"][[9, 11]].tolist() == [1.0, -1.0]
    assert rows["connected_count"].nonzero()[0].tolist() == [10, 11] and rows["connected_count"][[10, 11]].tolist() == [-1.0, -1.0]
    assert not any(rows[name].any() for name in rows if name not in ("departures_count", "connected_count", "withdrawn_count"))


def test_who_may_leave_and_within_which_budget(box):
    desk, _, found = box
    off = sum("early" not in name for name in found.names)
    assert found.budget[-2:].tolist() == [6.0, 9.0] and not found.low[off:].any() and (found.high[off:] == 1).all()
    for group, device in enumerate(aggregators_of(desk.case), start=len(found.budget) - 2):
        cap = np.minimum(cycle_of(device, desk.case.ev_connections).early_departure_cap(), device.early_departure_budget_count // 2)
        assert np.count_nonzero(found.group == group) == cap.sum()
    assert found.slot[found.names.index("eva1.early[12,1]")] == 9  # known when it leaves


def test_the_sum_over_vehicles_is_the_matrix_with_them_gone(box):
    """But for the power that may fall away, of which the set allows no more than there is."""
    desk, inputs, found = box
    rng = np.random.default_rng(5)
    for _ in range(5):
        some = rng.random(len(found.names)) < 0.2
        some &= np.array(["early" in name for name in found.names])
        early = {device.id: np.zeros(24, dtype=np.int64) for device in aggregators_of(desk.case)}
        for name in np.array(found.names)[some]:
            early[name.partition(".")[0]][int(name.partition("[")[2].partition(",")[0]) - 1] += 1
        met = inputs + found.directions @ some.astype(float)
        truth = coarse_connections(expected_connections(desk.case, day=desk.day, step_min=60, early=early), 4)
        for aggregator, counts in truth.items():
            rows = moved(desk, met, aggregator)
            for quantity, expected in zip(QUANTITIES, counts, strict=True):
                if quantity == "withdrawn_count":
                    assert (rows[quantity] <= expected + 1e-9).all()
                elif quantity in rows:
                    at = slice(-1, None) if quantity == "reserve_kwh" else slice(None)
                    assert rows[quantity][at] == pytest.approx(expected[at])


def test_without_it_the_set_is_that_of_the_series(box):
    desk, outlook, inputs = a_day(*ROBUST)
    plain, wider = box_deviations(desk, outlook, inputs, BoxRobust()), box[2]
    count = plain.count
    assert 0 < count < wider.count and wider.names[:count] == plain.names and not any("early" in name for name in plain.names)
    assert (wider.directions[:, :count] != plain.directions).nnz == 0 and (wider.budget[: plain.budget.size] == plain.budget).all()


def test_a_case_whose_vehicles_cannot_leave_early_is_refused():
    desk, outlook, inputs = a_day("tiny", "two_price")
    with pytest.raises(InputError, match=r"settings.method.early_departures: no vehicle of the case can leave early.*early_departure_h"):
        box_deviations(desk, outlook, inputs, BoxRobust(early_departures=True), leavers=leavers(desk))


def test_vehicles_that_leave_early_cost_no_less_and_the_gap_is_proven():
    """Nothing else deviates: 15 vehicles of 300."""
    desk, outlook, _ = a_day(*ROBUST)
    case = desk.case.model_copy(update={"settings": desk.case.settings.model_copy(
        update={"method": BoxRobust(budget_share=0.0, early_departures=True)})})
    certain, guarded = (plan_day(one, desk.day, setting(*ROBUST).hourly, [outlook], np.ones(1), options=QUIET,
                                  leavers=leavers(desk)) for one in (desk.case, case))
    decision = guarded.decision
    assert decision is not None and decision.proven and decision.lower >= certain.objective * (1 - 1e-6)
    assert certain.objective < decision.objective <= decision.lower * (1 + 1e-3)
