"""Charging sessions of one fleet as arrays: which count on a delivery day, and those of past days moved to its clock."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import date, timedelta
from itertools import count
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pipeline.cases.session_law import draw_day
from pipeline.core.clock import DeliveryDay, Instants, local_seconds, utc_offsets
from pipeline.core.errors import InputError, Mistake
from pipeline.equipment import EvFleet
from pipeline.equipment.ev_fleet import EvSampling
from pipeline.physics.vehicles import Stays

if TYPE_CHECKING:
    from pipeline.store.sessions import Sessions

Floats = NDArray[np.float64]

PAST_DAYS = 14
DAY_S = 86400
EPOCH = date(1970, 1, 1)
NEVER = int(np.iinfo(np.int64).max)


@dataclass(frozen=True)
class Visits:
    """Sessions of one fleet as arrays of shape (n,); `weight` is the share of a vehicle that each stands for."""

    name: NDArray[np.str_]
    arrival: Instants
    departure: Instants
    need_kwh: Floats
    charger_kw: Floats
    known_at: Instants
    superseded_at: Instants
    weight: Floats

    def taken(self, keep: NDArray[np.bool_] | NDArray[np.int64]) -> Visits:
        """Those of a mask, or at these places."""
        return Visits(**{field.name: getattr(self, field.name)[keep] for field in fields(self)})


def visits_of(sessions: Sessions, fleet: str) -> Visits:
    """All sessions of a fleet, each weighing 1."""
    if fleet not in sessions.fleets:
        raise InputError(Mistake(f"fleet {fleet}", "its sessions were not read", "read the sessions of every fleet of the case"))
    keep = np.flatnonzero(np.asarray(sessions.fleet_index) == sessions.fleets.index(fleet))
    names = np.array([sessions.session[row] for row in keep.tolist()], dtype=np.str_)
    return Visits(names, sessions.arrival[keep], sessions.departure[keep], sessions.need_kwh[keep], sessions.charger_kw[keep],
                  sessions.known_at[keep], sessions.superseded_at[keep], np.ones(keep.size))


def touching(visits: Visits, day: DeliveryDay) -> Visits:
    """Those at a charger during the day; one that leaves as it comes counts where it comes."""
    return visits.taken((visits.arrival < day.end) & ((visits.departure > day.start) | (visits.arrival >= day.start)))


def cohort_of(fleet: EvFleet, departure: Instants, time_zone: str) -> NDArray[np.int64]:
    """(n,) cohort 0..C-1: it leaves in ]previous, hour] of the local clock; the last one takes the rest."""
    hour = local_seconds(departure, time_zone) % DAY_S / 3600.0
    place = np.searchsorted(np.array(fleet.departure_hours, dtype=np.float64), hour, side="left")
    return np.minimum(place, len(fleet.departure_hours) - 1)


def stays_of(fleet: EvFleet, visits: Visits, day: DeliveryDay, step_min: int = 15) -> Stays:
    """The visits over the intervals of a day.

    Of a session that reaches over an end of the day, the need is split by time present.
    """
    edges = np.append(day.starts(step_min), day.end)
    begin, end = np.clip(visits.arrival, day.start, day.end), np.clip(visits.departure, day.start, day.end)
    stay = visits.departure - visits.arrival
    share = np.where(stay > 0, (end - begin) / np.maximum(stay, 1), (visits.arrival >= day.start) & (visits.arrival < day.end))
    due = np.maximum(end - 60.0 * fleet.ready_before_min * (end == visits.departure), begin)
    return Stays(
        names=tuple(visits.name.tolist()), cohort=cohort_of(fleet, visits.departure, day.time_zone), need_kwh=visits.need_kwh * share,
        charger_kw=visits.charger_kw, weight=visits.weight, arrives=np.searchsorted(edges[1:], begin, side="right"),
        present_h=_hours(begin, end, edges), due_h=_hours(begin, due, edges), after_h=np.zeros(stay.size),
        due_after_h=np.zeros(stay.size), step_h=step_min / 60,
        efficiency_share=fleet.charge_efficiency_share, cohorts=len(fleet.departure_hours), most_kw=fleet.vehicle_count * fleet.charger_kw)


def _hours(begin: Floats | Instants, end: Floats | Instants, edges: Instants) -> Floats:
    """(n, T) hours of each interval between `begin` and `end`."""
    inside = np.clip(end[:, None], edges[:-1], edges[1:]) - np.clip(begin[:, None], edges[:-1], edges[1:])
    return np.asarray(inside / 3600.0)


def past_visits(visits: Visits, day: DeliveryDay, before: int) -> Visits:
    """Sessions of the last 14 delivery days that ended by `before`, moved to the wall clock of `day`; weights sum to a mean day.

    A session counts on every day that it touches: of vehicles that stay over the start of the day the morning is expected too. Where
    those days know no session, the 14 up to the fleet's last one stand in (see `idle_days`).
    """
    back, ended, nearest = _days_touched(visits, day, before)
    if not ended.any():
        return visits.taken(np.zeros(0, dtype=np.int64))
    newest = nearest if (back[ended] < nearest + PAST_DAYS).any() else int(back[ended].min())
    copy, row = np.nonzero(ended & (back < newest + PAST_DAYS))
    moved, past = back[copy, row], visits.taken(row)
    days = int(moved.max()) - newest + 1  # days before the first session are not days without vehicles
    arrival, departure = (_to_utc(local_seconds(moments, day.time_zone) + moved * DAY_S, day.time_zone)
                          for moments in (past.arrival, past.departure))
    stay = past.departure - past.arrival  # who comes in an hour that the clock skips leaves after it
    return replace(past, arrival=arrival, departure=np.where(departure < arrival, arrival + stay, departure), weight=past.weight / days)


def idle_days(visits: Visits, day: DeliveryDay, before: int) -> int | None:
    """Days without a vehicle between the last that ended by `before` and the one that stands in for it; None: no day has any."""
    back, ended, nearest = _days_touched(visits, day, before)
    if not ended.any():
        return None
    idle = int(back[ended].min()) - nearest
    return idle if idle >= PAST_DAYS else 0


def _days_touched(visits: Visits, day: DeliveryDay, before: int) -> tuple[Instants, NDArray[np.bool_], int]:
    """(copies, n) days back of each delivery day that a session touches, which of them had ended, and the last day that had."""
    offset = local_seconds(np.array([day.start]), day.time_zone)[0]
    first = -((local_seconds(visits.arrival, day.time_zone) - offset) // DAY_S)  # 0 is `day`
    last = np.minimum(first, -((local_seconds(visits.departure, day.time_zone) - offset - 1) // DAY_S))
    nearest = next(back for back in count(1) if day.shifted(-back).end <= before)
    back = first[None, :] - np.arange(int((first - last).max(initial=0)) + 1)[:, None]
    return back, (back >= last[None, :]) & (back >= nearest), nearest


def drawn_visits(fleet: EvFleet, law: EvSampling, day: DeliveryDay) -> Visits:
    """Sessions of the 14 days before `day` as the fleet's law draws them, known ever since."""
    dates = [day.date - timedelta(days=back) for back in range(1, PAST_DAYS + 2)]  # whole days: who came the evening before counts
    drawn = np.stack([draw_day(fleet, law, one) for one in dates])  # (days, 3, vehicles)
    midnights = np.array([(one - EPOCH).days for one in dates])[:, None] * DAY_S
    arrival, departure = (_to_utc((midnights + more + np.rint(3600 * hours).astype(np.int64)).ravel(), day.time_zone)
                          for more, hours in ((0, drawn[:, 0]), (DAY_S, drawn[:, 1])))
    n = arrival.size
    return Visits(np.array([str(number) for number in range(n)], dtype=np.str_), arrival, departure, drawn[:, 2].ravel(),
                  np.full(n, fleet.charger_kw), np.zeros(n, dtype=np.int64), np.full(n, NEVER), np.ones(n))


def _to_utc(local: Instants, time_zone: str) -> Instants:
    """UTC instants of local wall-clock seconds; a skipped hour moves on, a repeated one is its second."""
    return np.asarray(local - utc_offsets(local - utc_offsets(local, time_zone), time_zone))
