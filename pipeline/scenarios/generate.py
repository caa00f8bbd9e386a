"""Scenarios of a delivery day: the forecast's models driven by blocks of their own past innovations.

A block is drawn over all series jointly, so that a windless day stays a day of high net load. Innovations are centred per slot
(else they are worse than independent series), chosen with recency weights, and mixed with 40 % of a second block of random sign
and size (else 10,000 draws hold as many distinct days as the window). Then every path is stretched to the band of the forecast.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from pipeline.cases.error_law import ErrorLaw
from pipeline.core.clock import DeliveryDay, Instants
from pipeline.core.errors import GateFailed, Mistake

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

NOISE_SHARE = 0.4
KEEP = float(np.sqrt(1 - NOISE_SHARE**2))
HALF_LIFE_DAYS = 28.0
CHUNK = 500  # scenarios held at once while simulating
REFERENCE = 500  # paths from which is read how far they must be stretched, whatever the number of draws


class Blocks(Protocol):
    """Past innovations that can be replayed: `days` to choose from, the horizon they must cover, and the simulation itself."""

    @property
    def days(self) -> int: ...
    @property
    def horizon_h(self) -> int: ...
    def shaped(self, first: Ints, second: Ints, size: Floats, *, keep: float, block_h: int) -> Blocks: ...
    def simulate(self, first: Ints, second: Ints, size: Floats, *, keep: float, block_h: int) -> Floats: ...


class Drawable(Protocol):
    """What is asked of a forecast: its series and day, its past innovations, or the error law of its tables."""

    @property
    def series(self) -> tuple[str, ...]: ...
    @property
    def day(self) -> DeliveryDay: ...
    @property
    def starts(self) -> Instants: ...
    @property
    def mean(self) -> Floats: ...
    @property
    def table_error(self) -> ErrorLaw | None: ...
    def blocks(self, history: Any) -> Blocks: ...


def draw(forecast: Drawable, history: Any, *, count: int, seed: int, block_h: int = 24, independent: bool = False) -> Floats:
    """`count` scenarios (N, S, T) of the forecast's delivery day in original units, quarter-hours.

    `history` is what the forecast was made from; nothing known after its issue time is used. independent: what plans are met with,
    never moved to the forecast's mean as what they are made for may be. Raises GateFailed where a value is not finite. Draws may be
    alike: those of a shop that is closed, of a tariff, of a single day of history.
    """
    rng = np.random.default_rng(seed)
    error = forecast.table_error
    if error is not None:
        draws = error.draws(forecast.mean, count, rng, independent=independent)
    else:
        source = forecast.blocks(history)
        source = source.shaped(*_chosen(source, REFERENCE, block_h, rng), keep=KEEP, block_h=block_h)
        draws = np.concatenate([_chunk(source, min(CHUNK, count - done), block_h, rng) for done in range(0, count, CHUNK)])
    _check(draws, forecast)
    return draws


def _chunk(source: Blocks, count: int, block_h: int, rng: np.random.Generator) -> Floats:
    """One batch of scenarios: choice of blocks, mixing, simulation."""
    return source.simulate(*_chosen(source, count, block_h, rng), keep=KEEP, block_h=block_h)


def _chosen(source: Blocks, count: int, block_h: int, rng: np.random.Generator) -> tuple[Ints, Ints, Floats]:
    """Past days (count, blocks) that drive each block, those mixed in, and the sign and size of these."""
    blocks = -(-source.horizon_h // block_h)
    chance = 0.5 ** (np.arange(source.days) / HALF_LIFE_DAYS)
    chance = chance / chance.sum()
    first = rng.choice(source.days, size=(count, blocks), p=chance)
    second = rng.choice(source.days, size=(count, blocks), p=chance)
    return first, second, NOISE_SHARE * rng.standard_normal((count, blocks))


def _check(draws: Floats, forecast: Drawable) -> None:
    place = f"scenarios of {forecast.day.date}"
    if not np.isfinite(draws).all():
        bad = forecast.series[int(np.argwhere(~np.isfinite(draws))[0][1])]
        raise GateFailed(Mistake(f"{place}, series {bad}", "a drawn value is not finite", "look at its history"))
