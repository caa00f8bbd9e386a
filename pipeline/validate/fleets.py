"""What the sessions of a fleet allow, recomputed from them: powers and energies per cohort, and what must go unserved."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from pipeline.cases.case import Case
from pipeline.core.clock import DeliveryDay, local_seconds
from pipeline.equipment import EvFleet
from pipeline.equipment.ev_fleet import EvWindow
from pipeline.validate.ev import FleetSessions, day_sessions
from pipeline.validate.frame import Floats

Limits = tuple[Floats, Floats, Floats, Floats]  # highest power, lowest and highest energy, unreachable energy; each (cohorts, T)


def fleet_limits(case: Case, sessions: Mapping[str, FleetSessions], day: DeliveryDay) -> dict[str, Limits]:
    """Limits of every fleet over the day's quarter-hours, of the sessions that came.

    Outer ones: each vehicle by its own charger and stay, charged to the last second of it. Energies at the end of an interval.
    """
    found = {}
    for fleet in (device for device in case.devices if isinstance(device, EvFleet)):
        mine = day_sessions(fleet, sessions, day, case.time_zone)
        if mine is not None:
            member = _cohorts(fleet, mine, case.time_zone)[None, :] == np.arange(len(fleet.departure_hours))[:, None]
            power, low, high, beyond = (member.astype(float) @ part for part in _of_vehicles(fleet, mine, day))
            found[fleet.id] = (power, low, high, beyond)
    return found


def _of_vehicles(fleet: EvFleet, sessions: FleetSessions, day: DeliveryDay) -> Limits:
    """The same of each vehicle, (n, T)."""
    starts = day.starts()[None, :]
    ends = np.append(day.starts()[1:], day.end)[None, :]
    come, gone = sessions.arrival[:, None], sessions.departure[:, None]
    charger, need = sessions.charger_kw[:, None], sessions.need_kwh[:, None]
    per_s = charger * fleet.charge_efficiency_share / 3600
    stored = per_s * np.clip(np.minimum(ends, gone) - come, 0, None)
    still = per_s * np.clip(gone - np.maximum(ends, come), 0, None)
    most = np.minimum(need, per_s * (gone - come))
    here = np.clip(np.minimum(ends, gone) - np.maximum(starts, come), 0, None) / (ends - starts)
    high = np.minimum(stored, most)
    return charger * here, np.clip(most - still, 0.0, high), high, np.where(ends > come, need - most, 0.0)


def _cohorts(fleet: EvFleet, sessions: FleetSessions, time_zone: str) -> NDArray[np.int64]:
    """(n,) the first departure hour of the fleet that is not before the vehicle's own; the last takes the rest."""
    if isinstance(fleet.sessions, EvWindow):
        left_at = np.full(len(sessions.left_at), 3600 * ((fleet.sessions.last_hour + 1) % 24))
    else:
        left_at = local_seconds(sessions.left_at, time_zone) % 86400
    waits = left_at[:, None] > 3600 * np.array(fleet.departure_hours)[None, :]
    return np.asarray(np.minimum(waits.sum(axis=1), len(fleet.departure_hours) - 1))
