"""Vehicles that leave early as deviations of a box: book 003, section 4, equations (12) to (14), and case 2."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp

from pipeline.core.errors import InputError, Mistake
from pipeline.equipment import EvAggregator
from pipeline.program.linear_program import Floats
from pipeline.schedule.desk import Desk
from pipeline.schedule.outlook import CONNECTION
from pipeline.uncertainty.deviations import Deviations

_WITHDRAWN, _RESERVE = CONNECTION.index("withdrawn_count"), CONNECTION.index("reserve_kwh")
NOBODY_LEAVES = Mistake("settings.method.early_departures", "no vehicle of the case can leave early",
                        "leave it out, or give an ev_aggregator early_departure_h and an early_departure_budget_count of at least 2")


@dataclass(frozen=True)
class Leavers:
    """Vehicles of an aggregator due in one slot that may leave early. change: (5, T) of its connections, at the program's step, by each."""

    aggregator: str
    due_slot: int  # from 1
    vehicle_count: int
    change: Floats


def with_early_departures(desk: Desk, deviations: Deviations, leavers: Sequence[Leavers] | None) -> Deviations:
    """The set, and vehicles that leave early: one deviation, 0 or 1, per vehicle that may; one budget group per aggregator.

    At most `early_departure_budget_count` departures move: each vehicle that leaves early is missing in one slot and counts in another,
    so half as many leave. Raises InputError where no vehicle of the case can.
    """
    if leavers is None:
        raise ValueError("early departures are those of leavers, and nobody said who may")
    devices = [device for device in desk.case.devices if isinstance(device, EvAggregator)]
    parts = [_of(desk, device, [one for one in leavers if one.aggregator == device.id], group)
             for group, device in enumerate(devices, start=deviations.budget.size)]
    if not sum(part.count for part in parts):
        raise InputError(NOBODY_LEAVES)
    every = [deviations, *parts]
    return replace(
        deviations, directions=sp.csr_array(sp.hstack([one.directions for one in every], format="csr")),
        low=np.concatenate([one.low for one in every]), high=np.concatenate([one.high for one in every]),
        slot=np.concatenate([one.slot for one in every]), entity=np.concatenate([one.entity for one in every]),
        group=np.concatenate([one.group for one in every]), budget=np.concatenate([one.budget for one in every]),
        names=tuple(name for one in every for name in one.names))


def _of(desk: Desk, device: EvAggregator, leavers: Sequence[Leavers], group: int) -> Deviations:
    """Of one aggregator: as many equal deviations per slot due as vehicles of it may leave early, and the budget allows."""
    most, size = device.early_departure_budget_count // 2, len(desk.program.input_names)
    network = desk.roster.networks.index(desk.case.network_of_bus[device.bus])
    found, slots, names = [], [], []
    for one in leavers:
        direction, leaves = _direction(desk, one)
        for vehicle in range(min(one.vehicle_count, most) if direction.nnz else 0):
            found.append(direction)
            slots.append(leaves)
            names.append(f"{device.id}.early[{one.due_slot},{vehicle + 1}]")
    count = len(found)
    return Deviations(
        centre=np.zeros(size), directions=sp.csr_array(sp.hstack(found, format="csr")) if found else sp.csr_array((size, 0)),
        low=np.zeros(count), high=np.ones(count), slot=np.array(slots, dtype=np.int64), entity=np.full(count, network),
        group=np.full(count, group), budget=np.array([float(most)]), names=tuple(names))


def _direction(desk: Desk, one: Leavers) -> tuple[sp.csr_array, int]:
    """(m, 1) by which inputs move when one of the vehicles leaves early, and the position in which it leaves.

    All but the power that may fall away are sums over vehicles. That one is a fall cut at 0: only its lessening is taken, so that the sum
    over any vehicles never allows more than there is.
    """
    plan, index = desk.binder.plan, desk.layout.inputs.index
    change = one.change.copy()
    change[_WITHDRAWN] = np.minimum(change[_WITHDRAWN], 0.0)
    change[_RESERVE, :-1] = 0.0  # the day's end alone reserves
    mine = np.flatnonzero(plan.connection_row[0] == plan.aggregators.index(one.aggregator))
    places, values = index[:, plan.connection_entry[mine]], change[plan.connection_row[1, mine]].T
    at = np.nonzero(values)
    direction = sp.csr_array((values[at], (places[at], np.zeros(at[0].size, dtype=np.int64))), shape=(len(desk.program.input_names), 1))
    return direction, int(at[0].min()) if at[0].size else 0
