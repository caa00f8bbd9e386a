"""Synthetic EV sessions: one per vehicle and delivery day, from the fleet's sampling law. Nothing depends on the days drawn before."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from pipeline.cases.case import Case
from pipeline.cases.session_law import draw_day
from pipeline.cases.sources import SessionSampleSource
from pipeline.core.clock import Instants
from pipeline.core.errors import InputError, Mistake
from pipeline.core.ids import canonical_json, digest
from pipeline.equipment.ev_fleet import EvFleet, EvSampling
from pipeline.ingest.local_clock import local_to_utc
from pipeline.ingest.stamp_text import DAY_S
from pipeline.store.sessions import SessionBatch

EPOCH = date(1970, 1, 1)


def sampled_fleets(case: Case) -> tuple[tuple[EvFleet, EvSampling], ...]:
    """The fleets that have a sampling law, with it."""
    return tuple(
        (device, device.sessions) for device in case.devices if isinstance(device, EvFleet) and isinstance(device.sessions, EvSampling)
    )


def content_of(case: Case, source: SessionSampleSource) -> str:
    """Hash of all that the sessions depend on."""
    fleets = [fleet.model_dump(mode="json") for fleet, _ in sampled_fleets(case)]
    return digest(canonical_json([source.model_dump(mode="json"), fleets, case.time_zone]))


def batch_of(case: Case, source: SessionSampleSource) -> SessionBatch:
    """All sessions of all fleets that have a law (a variant may have none); times to the second.

    A law that hardly ever falls inside its bounds is refused, not drawn for ever."""
    fleets = sampled_fleets(case)
    _check(fleets)
    first = source.first_day
    days = [first + timedelta(days=number) for number in range(source.days)]
    names: list[str] = []
    sessions: list[str] = []
    arrivals, departures, needs, chargers = [], [], [], []
    midnights = np.array([(day - EPOCH).days for day in days], dtype=np.int64) * DAY_S
    for fleet, law in fleets:
        drawn = np.stack([draw_day(fleet, law, day) for day in days])  # (days, 3, vehicles)
        arrivals.append(_instant(midnights, drawn[:, 0], case.time_zone))
        departures.append(_instant(midnights + DAY_S, drawn[:, 1], case.time_zone))
        needs.append(drawn[:, 2].ravel())
        count = fleet.vehicle_count
        chargers.append(np.full(len(days) * count, fleet.charger_kw))
        names += [fleet.id] * (len(days) * count)
        vehicles = [f".{number:04d}" for number in range(1, count + 1)]
        sessions += [day.isoformat() + vehicle for day in days for vehicle in vehicles]
    arrival, none = np.concatenate([np.empty(0, dtype=np.int64), *arrivals]), np.empty(0)
    departure = np.concatenate([none.astype(np.int64), *departures])
    return SessionBatch(names, arrival, departure, np.concatenate([none, *needs]), np.concatenate([none, *chargers]), arrival, sessions)


def _instant(midnights: Instants, hours: NDArray[np.float64], zone: str) -> Instants:
    """Local hours of local days -> UTC seconds, raveled. In a repeated hour the first reading; a skipped hour counts on from before it."""
    wall = (midnights[:, None] + np.rint(3600 * hours).astype(np.int64)).ravel()
    early, _ = local_to_utc(wall, zone)
    skipped = early < 0
    if skipped.any():
        early[skipped] = local_to_utc(wall[skipped] - 3600, zone)[0] + 3600
    return early


def _check(fleets: tuple[tuple[EvFleet, EvSampling], ...]) -> None:
    mistakes = []
    for fleet, law in fleets:
        for name, part in (
            ("arrival_h", law.arrival_h),
            ("departure_h", law.departure_h),
            ("arrival_energy_share", law.arrival_energy_share),
        ):
            low, high = (part.low - part.mean) / part.sd, (part.high - part.mean) / part.sd
            if not low < high or low > 4 or high < -4 or high - low < 1e-3:
                mistakes.append(
                    Mistake(
                        f"device {fleet.id}, {name}",
                        f"a normal of mean {part.mean:g} and sd {part.sd:g} hardly ever lies in [{part.low:g}, {part.high:g}]",
                        "widen the bounds around the mean",
                    )
                )
        if law.departure_h.low + 24 <= law.arrival_h.high:
            mistakes.append(
                Mistake(f"device {fleet.id}, departure_h", "a vehicle may leave before it has come", "departure is an hour of the next day")
            )
    if mistakes:
        raise InputError(mistakes)
