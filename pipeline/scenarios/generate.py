"""Scenarios of a delivery day: the forecast's models driven by blocks of their own past innovations.

A block is drawn over all series jointly, so that a windless day stays a day of high net load. Innovations are centred per slot
(else they are worse than independent series), chosen with recency weights, and mixed with 40 % of a second block of random sign
and size (else 10,000 draws hold as many distinct days as the window).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pipeline.core.errors import GateFailed, Mistake
from pipeline.forecast.simulate import Innovations, innovations_of, simulate
from pipeline.forecast.state import ForecastState
from pipeline.forecast.table_model import Tables

if TYPE_CHECKING:
    from pipeline.forecast.day_ahead import DayAheadForecast
    from pipeline.store.observations import Observations

Floats = NDArray[np.float64]

NOISE_SHARE = 0.4
HALF_LIFE_DAYS = 28.0
DISTINCT_SHARE_MIN = 0.99
CHUNK = 500


def draw(forecast: DayAheadForecast, history: Observations, *, count: int, seed: int, block_h: int = 24) -> Floats:
    """`count` scenarios (N, S, T) of the forecast's delivery day in original units, quarter-hours.

    Uses only what was known when the forecast was issued. Raises GateFailed when fewer than 99 % of the rows are distinct or a value
    is not finite.
    """
    rng = np.random.default_rng(seed)
    state: ForecastState = forecast.state
    if state.tables is not None:
        draws = _from_tables(state.tables, forecast, count, rng)
    else:
        source = innovations_of(state, history.as_of(forecast.issued_at), issued_at=forecast.issued_at, day=forecast.day)
        chunks = [_chunk(source, min(CHUNK, count - done), block_h, rng) for done in range(0, count, CHUNK)]
        draws = np.concatenate(chunks)
    _check(draws, forecast)
    return draws


def _chunk(source: Innovations, count: int, block_h: int, rng: np.random.Generator) -> Floats:
    """One batch of scenarios: block choice, mixing, simulation."""
    blocks = -(-source.horizon_h // block_h)
    chance = 0.5 ** (np.arange(source.days) / HALF_LIFE_DAYS)
    chance = chance / chance.sum()
    first = rng.choice(source.days, size=(count, blocks), p=chance)
    second = rng.choice(source.days, size=(count, blocks), p=chance)
    size = NOISE_SHARE * rng.standard_normal((count, blocks))
    return simulate(source, first, second, size, keep=float(np.sqrt(1 - NOISE_SHARE**2)), block_h=block_h)


def _from_tables(tables: Tables, forecast: DayAheadForecast, count: int, rng: np.random.Generator) -> Floats:
    """Independent multiplicative errors of the case's error samples, truncated."""
    error = np.clip(rng.standard_normal((count, *forecast.mean.shape)), -tables.truncate_sd, tables.truncate_sd) if tables.sigma else 0.0
    return np.asarray(tables.values(forecast.starts)[None] * (1 + tables.sigma * error))


def _check(draws: Floats, forecast: DayAheadForecast) -> None:
    if not np.isfinite(draws).all():
        bad = forecast.series[int(np.argwhere(~np.isfinite(draws))[0][1])]
        raise GateFailed(Mistake(f"scenarios of {forecast.day.date}, series {bad}", "a drawn value is not finite", "look at its history"))
    rows = draws.reshape(len(draws), -1)
    distinct = len({row.tobytes() for row in rows}) / len(rows)
    if distinct < DISTINCT_SHARE_MIN:
        raise GateFailed(Mistake(f"scenarios of {forecast.day.date}", f"only {distinct:.1%} of the draws are distinct",
                                 "lengthen the history, or give the case an error_samples source with sigma > 0"))
