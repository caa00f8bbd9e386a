"""Vehicles that may leave early, as a box needs them: what the connection matrix would be without one of them."""

from __future__ import annotations

import numpy as np

from pipeline.cases.case import Case
from pipeline.core.clock import DeliveryDay
from pipeline.equipment import EvAggregator
from pipeline.forecast.ev_connection import SLOTS, aggregators_of, cycle_of, expected_connections
from pipeline.program.linear_program import Floats
from pipeline.schedule.leaving import Leavers
from pipeline.schedule.outlook import coarse_connections


def leavers_of(case: Case, day: DeliveryDay, *, step_min: int) -> list[Leavers]:
    """Per aggregator and slot due, those who may leave early in this cycle: equation (13) of book 003."""
    found = []
    for device in aggregators_of(case):
        cap = cycle_of(device, case.ev_connections).early_departure_cap()
        cap[: device.early_departure_h] = 0  # nobody leaves before the cycle begins
        if device.early_departure_h:
            found += [Leavers(device.id, due + 1, int(cap[due]), _one_leaves(case, day, device, due, step_min))
                      for due in np.flatnonzero(cap).tolist()]
    return found


def _one_leaves(case: Case, day: DeliveryDay, device: EvAggregator, due: int, step_min: int) -> Floats:
    """(5, T) by which the aggregator's connections change when one vehicle due in slot `due`, from 0, leaves early."""
    leaves = np.zeros(SLOTS, dtype=np.int64)
    leaves[due] = 1
    planned, moved = (coarse_connections(expected_connections(case, day=day, step_min=step_min, early=early), step_min // 15)[device.id]
                      for early in ({}, {device.id: leaves}))
    return np.asarray(moved - planned)
