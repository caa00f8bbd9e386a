"""How the sessions of a fleet with a sampling law are drawn: one per vehicle and day. Nothing depends on the days drawn before."""

from __future__ import annotations

from datetime import date

import numpy as np
from numpy.typing import NDArray

from pipeline.core.ids import seed_from
from pipeline.equipment.ev_fleet import EvFleet, EvSampling, Normal


def truncated_normal(law: Normal, count: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Draws within [low, high] by rejection, shape (count,)."""
    draws = rng.normal(law.mean, law.sd, count)
    outside = np.flatnonzero((draws < law.low) | (draws > law.high))
    while len(outside):
        draws[outside] = rng.normal(law.mean, law.sd, len(outside))
        again = draws[outside]
        outside = outside[(again < law.low) | (again > law.high)]
    return draws


def draw_day(fleet: EvFleet, law: EvSampling, day: date) -> NDArray[np.float64]:
    """Arrival (h), departure (h of the next day) and energy wanted (stored kWh) of every vehicle; shape (3, vehicles)."""
    rng = np.random.default_rng(seed_from(fleet.id, day.isoformat(), str(law.seed)))
    arrival, departure, share = (
        truncated_normal(part, fleet.vehicle_count, rng) for part in (law.arrival_h, law.departure_h, law.arrival_energy_share)
    )
    return np.stack([arrival, departure, np.maximum(law.departure_energy_share - share, 0.0) * fleet.battery_kwh])
