"""Vehicles that leave early as deviations of a box: book 003, section 4, equations (12) to (14), and case 2."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import scipy.sparse as sp

from pipeline.core.errors import InputError, Mistake
from pipeline.equipment import EvAggregator
from pipeline.forecast.ev_connection import SLOTS, aggregators_of, cycle_of, expected_connections
from pipeline.schedule.desk import Desk
from pipeline.schedule.outlook import coarse_connections
from pipeline.uncertainty.deviations import Deviations

_WITHDRAWN, _RESERVE = 3, 4  # rows of a connection


def with_early_departures(desk: Desk, deviations: Deviations) -> Deviations:
    """The set, and vehicles that leave early: one deviation, 0 or 1, per vehicle that may; one budget group per aggregator.

    At most `early_departure_budget_count` departures move: each vehicle that leaves early is missing in one slot and counts in another,
    so half as many leave. Raises InputError where no vehicle of the case can.
    """
    parts = [_of(desk, device, group) for group, device in enumerate(aggregators_of(desk.case), start=deviations.budget.size)]
    if not sum(part.count for part in parts):
        raise InputError(Mistake("settings.method.early_departures", "no vehicle of the case can leave early",
                                 "leave it out, or give an ev_aggregator early_departure_h and an early_departure_budget_count of at "
                                 "least 2"))
    every = [deviations, *parts]

    return replace(
        deviations, directions=sp.csr_array(sp.hstack([one.directions for one in every], format="csr")),
        low=np.concatenate([one.low for one in every]), high=np.concatenate([one.high for one in every]),
        slot=np.concatenate([one.slot for one in every]), entity=np.concatenate([one.entity for one in every]),
        group=np.concatenate([one.group for one in every]), budget=np.concatenate([one.budget for one in every]),
        names=tuple(name for one in every for name in one.names))


def _of(desk: Desk, device: EvAggregator, group: int) -> Deviations:
    """Of one aggregator: as many equal deviations per slot due as vehicles of it may leave early, and the budget allows."""
    most = device.early_departure_budget_count // 2
    cap = np.minimum(cycle_of(device, desk.case.ev_connections).early_departure_cap(), most)
    cap[: device.early_departure_h] = 0  # nobody leaves before the cycle begins
    network = desk.roster.networks.index(desk.case.network_of_bus[device.bus])
    found, slots, names = [], [], []
    for due in np.flatnonzero(cap if device.early_departure_h else 0 * cap):
        direction, known = _one_leaves(desk, device, int(due))
        for vehicle in range(cap[due] if direction.nnz else 0):
            found.append(direction)
            slots.append(known)
            names.append(f"{device.id}.early[{due + 1},{vehicle + 1}]")
    count, size = len(found), len(desk.program.input_names)
    return Deviations(
        centre=np.zeros(size), directions=sp.csr_array(sp.hstack(found, format="csr")) if found else sp.csr_array((size, 0)),
        low=np.zeros(count), high=np.ones(count), slot=np.array(slots, dtype=np.int64), entity=np.full(count, network),
        group=np.full(count, group), budget=np.array([float(most)]), names=tuple(names))


def _one_leaves(desk: Desk, device: EvAggregator, due: int) -> tuple[sp.csr_array, int]:
    """(m, 1) by which inputs move when one vehicle due in slot `due`, from 0, leaves early, and the position in which it leaves.

    All but the power that may fall away are sums over vehicles. That one is a fall cut at 0: only its lessening is taken, so that the sum
    over any vehicles never allows more than there is.
    """
    step_min, plan, index = round(60 * desk.program.step_h), desk.binder.plan, desk.layout.inputs.index
    leaves = np.zeros(SLOTS, dtype=np.int64)
    leaves[due] = 1
    planned, moved = (coarse_connections(expected_connections(desk.case, day=desk.day, step_min=step_min, early=early), step_min // 15)
                      for early in ({}, {device.id: leaves}))
    change = moved[device.id] - planned[device.id]  # (5, T)
    change[_WITHDRAWN] = np.minimum(change[_WITHDRAWN], 0.0)
    change[_RESERVE, :-1] = 0.0  # the day's end alone reserves
    mine = np.flatnonzero(plan.connection_row[0] == plan.aggregators.index(device.id))
    places, values = index[:, plan.connection_entry[mine]], change[plan.connection_row[1, mine]].T
    at = np.nonzero(values)
    direction = sp.csr_array((values[at], (places[at], np.zeros(at[0].size, dtype=np.int64))), shape=(len(desk.program.input_names), 1))
    return direction, int(at[0].min()) if at[0].size else 0
