"""What no dispatch can charge: the bound beside which a fleet's unserved energy is read."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy.sparse as sp
from scipy.optimize import Bounds, LinearConstraint, milp

from pipeline.cases.case import Case
from pipeline.core.clock import DeliveryDay
from pipeline.equipment import Chp, Converter, EvFleet, Generator, Source, Store
from pipeline.validate.context import Bound
from pipeline.validate.frame import Floats

STEP_S = 900


def least_unserved_kwh(need_kwh: Floats, room_kwh: Floats, limit_kwh: Floats) -> float:
    """The least stored energy of what is wanted, (n,), that is left unserved, with all foresight.

    room_kwh: (n, T) most that each vehicle can store in each step. limit_kwh: (T,) most that all can together. Alone, a vehicle stores
    at most the sum of its room; where together they exceed the limit, it is the largest flow from vehicles over their steps.
    """
    alone = np.minimum(need_kwh, room_kwh.sum(axis=1))
    if (room_kwh.sum(axis=0) <= limit_kwh + 1e-9).all():
        return float((need_kwh - alone).sum())
    vehicle, step = np.nonzero(room_kwh)
    n = np.arange(vehicle.size)
    rows = sp.vstack([sp.csr_array((np.ones(n.size), (place, n)), shape=(count, n.size))
                      for place, count in zip((vehicle, step), room_kwh.shape, strict=True)])
    limits = LinearConstraint(rows, -np.inf, np.concatenate([alone, limit_kwh]))
    flow = milp(-np.ones(n.size), bounds=Bounds(0.0, room_kwh[vehicle, step]), constraints=limits)
    return float(need_kwh.sum() + flow.fun)


def most_kw(case: Case, fleet: EvFleet, words: Sequence[Bound], day: DeliveryDay) -> Floats:
    """(T,) what a fleet can draw at all: its chargers, what a person allows, and all that could feed it."""
    found = np.full(day.steps(), min(fleet.vehicle_count * fleet.charger_kw, _supply_kw(case)))
    for word in words:
        if word.target == fleet.id and word.quantity in ("out", "limit_low_kw"):
            touched = (day.starts() < word.valid_to) & (day.starts() + STEP_S > word.valid_from)
            found[touched] = np.minimum(found[touched], 0.0 if word.quantity == "out" else max(-word.value, 0.0))
    return found


def _supply_kw(case: Case) -> float:
    """Largest import and generation together; without limit where a source has no capacity."""
    capacity = {series.id: series.capacity_kw for series in case.series}
    total = sum(max(tie.exchange_max_kw, 0.0) for tie in case.ties if tie.market is not None)
    for device in case.devices:
        if isinstance(device, Generator | Chp) or (isinstance(device, Converter) and device.output_carrier == "active"):
            total += device.power_max_kw
        elif isinstance(device, Store) and device.carrier == "active":
            total += device.discharge_max_kw
        elif isinstance(device, Source):
            size = capacity.get(device.series)
            total += np.inf if size is None else size * device.series_share
    return float(total)
