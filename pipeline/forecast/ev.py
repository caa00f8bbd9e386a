"""Electric vehicles as cumulative energy envelopes per cohort: what came, what is expected, and both mixed in the day.

A cohort is the sum over its vehicles (see `physics/vehicles`), a relaxation where their needs differ.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pipeline.cases.case import Case
from pipeline.core.clock import DeliveryDay, Instants, local_hour
from pipeline.core.errors import InputError, Mistake
from pipeline.equipment import EvFleet
from pipeline.equipment.ev_fleet import EvSampling, EvWindow
from pipeline.forecast.visits import Visits, drawn_visits, idle_days, past_visits, stays_of, touching, visits_of
from pipeline.physics.vehicles import FleetEnvelopes, Stays, chosen_envelopes, cohort_envelopes

if TYPE_CHECKING:
    from pipeline.store.sessions import Sessions

Floats = NDArray[np.float64]
Envelopes = dict[str, FleetEnvelopes]


def fleets_of(case: Case) -> tuple[EvFleet, ...]:
    return tuple(device for device in case.devices if isinstance(device, EvFleet))


def fleet_envelopes(fleet: EvFleet, visits: Visits, day: DeliveryDay, step_min: int = 15) -> FleetEnvelopes:
    """Weighted sums of the visits' envelopes over each cohort, (C, T)."""
    return cohort_envelopes(stays_of(fleet, visits, day, step_min))


def realised_envelopes(case: Case, sessions: Sessions, *, day: DeliveryDay, step_min: int = 15) -> Envelopes:
    """What came, of every fleet: for what is decided at once."""
    found = {}
    for fleet in fleets_of(case):
        if isinstance(fleet.sessions, EvWindow):
            found[fleet.id] = window_envelopes(fleet, fleet.sessions, day, step_min)
        else:
            found[fleet.id] = fleet_envelopes(fleet, touching(visits_of(sessions, fleet.id), day), day, step_min)
    return found


def expected_envelopes(case: Case, sessions: Sessions, *, issued_at: int, day: DeliveryDay, step_min: int = 15) -> Envelopes:
    """Mean over up to 14 whole past delivery days that were known at the issue time (see `past_visits`), else the fleet's own law.

    Raises InputError naming every observed fleet of which no past day is known.
    """
    found, mistakes = {}, []
    for fleet in fleets_of(case):
        if isinstance(fleet.sessions, EvWindow):
            found[fleet.id] = window_envelopes(fleet, fleet.sessions, day, step_min)
            continue
        visits = visits_of(sessions, fleet.id)
        past = _past(fleet, visits.taken(visits.known_at <= issued_at), day, issued_at)
        if not past.arrival.size:
            mistakes.append(Mistake(f"case {case.name}, fleet {fleet.id}",
                                    "no session of a whole past delivery day was known at the issue time",
                                    "import its sessions, or give the fleet a window or a sampling law"))
            continue
        found[fleet.id] = fleet_envelopes(fleet, past, day, step_min)
    if mistakes:
        raise InputError(mistakes)
    return found


def realised_stays(case: Case, sessions: Sessions, *, day: DeliveryDay) -> dict[str, Stays]:
    """Vehicle by vehicle what came, of every fleet that has sessions: settlement hands its energy out to them."""
    return {fleet.id: stays_of(fleet, touching(visits_of(sessions, fleet.id), day), day)
            for fleet in fleets_of(case) if not isinstance(fleet.sessions, EvWindow)}


@dataclass(frozen=True)
class Intraday:
    """Vehicles at K issue times. expected: envelopes (K, C, T) of those to come; a window fleet's are its own. here: who has come."""

    expected: Envelopes
    here: dict[str, tuple[Stays, ...]]


def intraday_vehicles(case: Case, sessions: Sessions, *, issue_times: Instants, day: DeliveryDay) -> Intraday:
    """For K issue times who has arrived by then, as declared, and of the rest the mean of past days.

    `sessions` with all versions: each issue time believes the one that was known last.
    """
    issue_times = np.asarray(issue_times, dtype=np.int64)
    expected, present = {}, {}
    for fleet in fleets_of(case):
        if isinstance(fleet.sessions, EvWindow):
            same = window_envelopes(fleet, fleet.sessions, day)
            expected[fleet.id] = FleetEnvelopes(*(np.repeat(part[None], len(issue_times), axis=0) for part in same))
            continue
        visits = visits_of(sessions, fleet.id)
        here, past = touching(visits, day), _past(fleet, visits, day, day.start)
        come = ((np.maximum(here.known_at, here.arrival)[None, :] <= issue_times[:, None])
                & (here.superseded_at[None, :] > issue_times[:, None]))
        believed = (past.known_at[None, :] <= issue_times[:, None]) & (past.superseded_at[None, :] > issue_times[:, None])
        to_come = ((past.arrival[None, :] > issue_times[:, None]) & believed) * past.weight
        expected[fleet.id] = chosen_envelopes(stays_of(fleet, past, day), to_come)
        stays = stays_of(fleet, here, day)
        present[fleet.id] = tuple(stays.taken(one) for one in come)
    return Intraday(expected, present)


def unlike_yesterday(case: Case, sessions: Sessions, *, issued_at: int, day: DeliveryDay) -> dict[str, int | None]:
    """Fleets of which the last 14 days knew no session: days since the one that stands in for them; None where the law does."""
    found = {}
    for fleet in fleets_of(case):
        if isinstance(fleet.sessions, EvWindow):
            continue
        visits = visits_of(sessions, fleet.id)
        idle = idle_days(visits.taken(visits.known_at <= issued_at), day, issued_at)
        if idle != 0:
            found[fleet.id] = idle
    return found


def window_envelopes(fleet: EvFleet, window: EvWindow, day: DeliveryDay, step_min: int = 15) -> FleetEnvelopes:
    """The books' sum row: every vehicle stores the same energy inside one window of the day. One cohort holds them all.

    Where the clock skips an hour of the window, what no longer fits into it is unreachable.
    """
    starts = day.starts(step_min)
    hours = local_hour(starts, day.time_zone)
    length = (window.last_hour - window.first_hour) % 24 + 1
    inside = (hours - window.first_hour) % 24 < length
    power_kw = fleet.vehicle_count * fleet.charger_kw * inside
    charged = np.cumsum(power_kw) * fleet.charge_efficiency_share * step_min / 60
    wanted = fleet.vehicle_count * window.need_kwh
    need = min(wanted, float(charged[-1]))
    power, low, high, beyond = (np.zeros((len(fleet.departure_hours), len(starts))) for _ in range(4))
    leaves = (window.last_hour + 1) % 24
    cohort = min(int(np.searchsorted(np.array(fleet.departure_hours), leaves, side="left")), len(fleet.departure_hours) - 1)
    power[cohort], high[cohort] = power_kw, np.minimum(charged, need)
    low[cohort] = np.clip(need - (charged[-1] - charged), 0.0, high[cohort])
    beyond[cohort] = np.where(charged > 0, wanted - need, 0.0)
    return FleetEnvelopes(power, low, high, beyond)


def _past(fleet: EvFleet, visits: Visits, day: DeliveryDay, before: int) -> Visits:
    """Sessions of past days on the clock of `day`: of a fleet that has none, and a law, those that the law draws."""
    past = past_visits(visits, day, before)
    if past.arrival.size or not isinstance(fleet.sessions, EvSampling):
        return past
    return past_visits(drawn_visits(fleet, fleet.sessions, day), day, before)
