"""Electric vehicles as cumulative energy envelopes per cohort: what came, what is expected, and both mixed in the day.

Arrays per fleet: power_high_kw, energy_low_kwh, energy_high_kwh, each (cohorts, T). Energies are stored energy since the start
of the delivery day, at the END of an interval: the highest when every vehicle charges at once on arrival, the lowest when each
charges as late as it can. A cohort is the sum over its vehicles, a relaxation where their needs differ.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pipeline.cases.case import Case
from pipeline.core.clock import DeliveryDay, Instants, local_hour, local_seconds, utc_offsets
from pipeline.core.errors import InputError, Mistake
from pipeline.equipment import EvFleet
from pipeline.equipment.ev_fleet import EvWindow

if TYPE_CHECKING:
    from pipeline.store.sessions import Sessions

Floats = NDArray[np.float64]
FleetEnvelopes = tuple[Floats, Floats, Floats]
Envelopes = dict[str, FleetEnvelopes]

PAST_DAYS = 14
ENVELOPE_DIGITS = 9


@dataclass(frozen=True)
class Visits:
    """Sessions of one fleet as arrays of shape (n,); `weight` is the share of a vehicle that each stands for."""

    arrival: Instants
    departure: Instants
    need_kwh: Floats
    charger_kw: Floats
    known_at: Instants
    superseded_at: Instants
    weight: Floats

    def taken(self, keep: NDArray[np.bool_]) -> Visits:
        return Visits(self.arrival[keep], self.departure[keep], self.need_kwh[keep], self.charger_kw[keep], self.known_at[keep],
                      self.superseded_at[keep], self.weight[keep])


def visits_of(sessions: Sessions, fleet: str) -> Visits:
    """All sessions of a fleet, each weighing 1."""
    if fleet not in sessions.fleets:
        raise InputError(Mistake(f"fleet {fleet}", "its sessions were not read", "read the sessions of every fleet of the case"))
    keep = np.asarray(sessions.fleet_index) == sessions.fleets.index(fleet)
    return Visits(sessions.arrival[keep], sessions.departure[keep], sessions.need_kwh[keep], sessions.charger_kw[keep],
                  sessions.known_at[keep], sessions.superseded_at[keep], np.ones(int(keep.sum())))


def fleets_of(case: Case) -> tuple[EvFleet, ...]:
    return tuple(device for device in case.devices if isinstance(device, EvFleet))


def vehicle_envelopes(fleet: EvFleet, visits: Visits, day: DeliveryDay, step_min: int = 15) -> FleetEnvelopes:
    """Per vehicle: power_high_kw, energy_low_kwh, energy_high_kwh, each (n, T).

    A quarter in which the vehicle is present in part offers that part of its power. Of a session that reaches over an end of the
    delivery day, the need is split by time present. A need that cannot be met keeps its lower envelope, above the upper one:
    what is missing is unserved energy. The lower envelope is met `ready_before_min` before the departure: summed over vehicles whose
    needs differ it promises too much without that room.
    """
    edges = np.append(day.starts(step_min), day.end)
    begin, end = np.clip(visits.arrival, day.start, day.end), np.clip(visits.departure, day.start, day.end)
    present_s = np.clip(end[:, None], edges[:-1], edges[1:]) - np.clip(begin[:, None], edges[:-1], edges[1:])
    share = (end - begin) / np.maximum(visits.departure - visits.arrival, 1)
    need = (visits.need_kwh * share)[:, None]
    gain_kw = (visits.charger_kw * fleet.charge_efficiency_share)[:, None]
    charged = gain_kw * np.cumsum(present_s, axis=1) / 3600.0
    high = np.minimum(charged, need)
    due = np.maximum(end - 60.0 * fleet.ready_before_min * (end == visits.departure), begin)
    early = np.clip(need - np.maximum(gain_kw * (due - begin)[:, None] / 3600.0 - charged, 0.0), 0.0, high)
    latest = np.clip(need - (gain_kw * (end - begin)[:, None] / 3600.0 - charged), 0.0, need)
    power = visits.charger_kw[:, None] * present_s / np.diff(edges)
    here = edges[1:][None, :] > begin[:, None]  # before it arrives a vehicle owes nothing, even if its need cannot be met
    return power, np.where(here, np.maximum(early, latest), 0.0), high


def cohort_of(fleet: EvFleet, departure: Instants, time_zone: str) -> NDArray[np.int64]:
    """(n,) cohort 0..C-1: it leaves in ]previous, hour] of the local clock; the last one takes the rest."""
    hour = local_seconds(departure, time_zone) % 86400 / 3600.0
    place = np.searchsorted(np.array(fleet.departure_hours, dtype=np.float64), hour, side="left")
    return np.minimum(place, len(fleet.departure_hours) - 1)


def cohort_envelopes(fleet: EvFleet, visits: Visits, day: DeliveryDay, step_min: int = 15) -> FleetEnvelopes:
    """Weighted sums of the vehicles' envelopes over each cohort, three arrays (C, T)."""
    member = _members(fleet, visits, day.time_zone) * visits.weight
    power, low, high = vehicle_envelopes(fleet, visits, day, step_min)
    power, low, high = (np.round(member @ part, ENVELOPE_DIGITS) for part in (power, low, high))
    return power, low, high


def realised_envelopes(case: Case, sessions: Sessions, *, day: DeliveryDay, step_min: int = 15) -> Envelopes:
    """What came, of every fleet: for settlement and for perfect foresight."""
    found = {}
    for fleet in fleets_of(case):
        if isinstance(fleet.sessions, EvWindow):
            found[fleet.id] = window_envelopes(fleet, fleet.sessions, day, step_min)
        else:
            found[fleet.id] = cohort_envelopes(fleet, _touching(visits_of(sessions, fleet.id), day), day, step_min)
    return found


def expected_envelopes(case: Case, sessions: Sessions, *, issued_at: int, day: DeliveryDay, step_min: int = 15) -> Envelopes:
    """Mean over up to 14 whole past delivery days that were known at the issue time.

    Raises InputError naming every observed fleet of which no past day is known.
    """
    found, mistakes = {}, []
    for fleet in fleets_of(case):
        if isinstance(fleet.sessions, EvWindow):
            found[fleet.id] = window_envelopes(fleet, fleet.sessions, day, step_min)
            continue
        visits = visits_of(sessions, fleet.id)
        past = past_visits(visits.taken(visits.known_at <= issued_at), day, issued_at)
        if not past.arrival.size:
            mistakes.append(Mistake(f"case {case.name}, fleet {fleet.id}",
                                    "no session of a whole past delivery day was known at the issue time",
                                    "import its sessions, or give the fleet a window or a sampling law"))
            continue
        found[fleet.id] = cohort_envelopes(fleet, past, day, step_min)
    if mistakes:
        raise InputError(mistakes)
    return found


def intraday_envelopes(case: Case, sessions: Sessions, *, issue_times: Instants, day: DeliveryDay, step_min: int = 15) -> Envelopes:
    """For K issue times, arrays (K, C, T): who has arrived by then as declared, and of the rest the mean of past days.

    `sessions` with all versions: each issue time believes the one that was known last.
    """
    issue_times = np.asarray(issue_times, dtype=np.int64)
    found = {}
    for fleet in fleets_of(case):
        if isinstance(fleet.sessions, EvWindow):
            power, low, high = window_envelopes(fleet, fleet.sessions, day, step_min)
            found[fleet.id] = tuple(np.repeat(part[None], len(issue_times), axis=0) for part in (power, low, high))
            continue
        visits = visits_of(sessions, fleet.id)
        here, past = _touching(visits, day), past_visits(visits, day, day.start)
        come = ((np.maximum(here.known_at, here.arrival)[None, :] <= issue_times[:, None])
                & (here.superseded_at[None, :] > issue_times[:, None])).astype(np.float64)
        believed = (past.known_at[None, :] <= issue_times[:, None]) & (past.superseded_at[None, :] > issue_times[:, None])
        to_come = ((past.arrival[None, :] > issue_times[:, None]) & believed) * past.weight
        now = _summed(fleet, here, come, day, step_min)
        later = _summed(fleet, past, to_come, day, step_min)
        found[fleet.id] = tuple(one + other for one, other in zip(now, later, strict=True))
    return {name: (parts[0], parts[1], parts[2]) for name, parts in found.items()}


def window_envelopes(fleet: EvFleet, window: EvWindow, day: DeliveryDay, step_min: int = 15) -> FleetEnvelopes:
    """The books' sum row: every vehicle stores the same energy inside one window of the day. One cohort holds them all."""
    starts = day.starts(step_min)
    hours = local_hour(starts, day.time_zone)
    length = (window.last_hour - window.first_hour) % 24 + 1
    inside = (hours - window.first_hour) % 24 < length
    power_kw = fleet.vehicle_count * fleet.charger_kw * inside
    need = fleet.vehicle_count * window.need_kwh
    charged = np.cumsum(power_kw) * fleet.charge_efficiency_share * step_min / 60
    power, low, high = (np.zeros((len(fleet.departure_hours), len(starts))) for _ in range(3))
    leaves = (window.last_hour + 1) % 24
    cohort = min(int(np.searchsorted(np.array(fleet.departure_hours), leaves, side="left")), len(fleet.departure_hours) - 1)
    power[cohort], high[cohort] = power_kw, np.minimum(charged, need)
    low[cohort] = np.clip(need - (charged[-1] - charged), 0.0, need)
    return power, low, high


def past_visits(visits: Visits, day: DeliveryDay, before: int) -> Visits:
    """Sessions of up to 14 delivery days that ended by `before`, moved to the wall clock of `day`; weights sum to a mean day."""
    offset = local_seconds(np.array([day.start]), day.time_zone)[0]
    local_arrival = local_seconds(visits.arrival, day.time_zone)
    local_departure = local_seconds(visits.departure, day.time_zone)
    days_back = -((local_arrival - offset) // 86400)  # of the delivery day it arrives in; 0 is `day`
    nearest = next(back for back in count(1) if day.shifted(-back).end <= before)
    kept = (days_back >= nearest) & (days_back < nearest + PAST_DAYS)
    if not kept.any():
        return visits.taken(kept)
    days = int(days_back[kept].max()) - nearest + 1  # days before the first session are not days without vehicles
    shift = days_back[kept] * 86400
    past = visits.taken(kept)
    return Visits(_to_utc(local_arrival[kept] + shift, day.time_zone), _to_utc(local_departure[kept] + shift, day.time_zone),
                  past.need_kwh, past.charger_kw, past.known_at, past.superseded_at, past.weight / days)


def _to_utc(local: Instants, time_zone: str) -> Instants:
    """UTC instants of local wall-clock seconds; a skipped hour moves on, a repeated one is its second."""
    return np.asarray(local - utc_offsets(local - utc_offsets(local, time_zone), time_zone))


def _touching(visits: Visits, day: DeliveryDay) -> Visits:
    return visits.taken((visits.arrival < day.end) & (visits.departure > day.start))


def _members(fleet: EvFleet, visits: Visits, time_zone: str) -> Floats:
    """(C, n) 1 where a session belongs to a cohort."""
    cohorts = np.arange(len(fleet.departure_hours))
    return np.asarray(cohort_of(fleet, visits.departure, time_zone)[None, :] == cohorts[:, None], dtype=np.float64)


def _summed(fleet: EvFleet, visits: Visits, chosen: Floats, day: DeliveryDay, step_min: int) -> FleetEnvelopes:
    """(K, C, T) sums over sessions with weights `chosen` (K, n).

    One issue time at a time and rounded far below a watt-hour: the answer must not depend on how many are asked for at once.
    """
    member, parts = _members(fleet, visits, day.time_zone), vehicle_envelopes(fleet, visits, day, step_min)
    power, low, high = (np.round(np.stack([(member * one) @ part for one in chosen]), ENVELOPE_DIGITS) for part in parts)
    return power, low, high
