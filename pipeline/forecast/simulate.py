"""Past innovations of the models on a common clock, and the models driven by chosen blocks of them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.core.clock import DeliveryDay
from pipeline.forecast.calendar import grid_start
from pipeline.forecast.history import History, latest
from pipeline.forecast.kalman import ORDER, run_filter
from pipeline.forecast.models import Level, SeriesModels
from pipeline.forecast.state import ForecastState

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

POOL_DAYS = 56
HALF_LIFE_DAYS = 28.0
WARM_UP_DAYS = 8  # and room to step back to the hour up to which every series is known
UNKNOWN_H_MAX = 48
FULL_DAYS_MIN = 7
BAND = (0.05, 0.5, 0.95)
NORMAL_BAND = 1.6448536269514722  # standard deviations from the middle to either end of the band
SCALE_MAX = 2.0  # beyond that the models are wrong, and scaling would hide it
FULL_DAY_SHARE = 0.9  # a past day with fewer known values is no block


@dataclass(frozen=True)
class Shape:
    """Of standardised paths over the delivery day, all (steps, S): their middle goes to `centre`, either side of it by a factor."""

    centre: Floats
    middle: Floats
    below: Floats
    above: Floats

    def of(self, path: Floats) -> Floats:
        """(steps, N, S) paths, stretched."""
        apart = path - self.middle[:, None]
        return np.asarray(self.centre[:, None] + apart * np.where(apart < 0, self.below[:, None], self.above[:, None]))


@dataclass(frozen=True)
class Track:
    """One resolution's part: innovations and what the simulation starts from.

    pool: (days, slots, S) innovations of past days, day 0 the last 24 h before the issue time, slot 0 the issue time's own.
    residual, states: what the filter knows at each step of the horizon (n, S) and (n, 3, S); NaN where unknown.
    """

    models: SeriesModels
    columns: Ints  # positions in the case's series
    pool: Floats
    start_state: Floats
    variance: Floats  # (n, S) what the filter expects of each step
    residual: Floats
    known: Floats  # (n, S) values that are known already, in original units; NaN elsewhere
    states: Floats
    level: Level
    tail: int  # steps of the horizon before the delivery day
    repeat: Ints  # (T,) step of the day's own grid that holds each quarter-hour
    shape: Shape | None = None  # how its paths are stretched; None: as they come


@dataclass(frozen=True)
class Innovations:
    """All resolutions, on days counted back from one issue time. `days` is the number of past days to choose from."""

    tracks: tuple[Track, ...]
    days: int
    horizon_h: int
    shape: tuple[int, int]

    def shaped(self, first: Ints, second: Ints, size: Floats, *, keep: float, block_h: int) -> Innovations:
        """The same, with paths stretched so that a sample of them has the band of the forecast at every step. Arguments as `simulate`."""
        return replace(self, tracks=tuple(
            replace(track, shape=_shape(track, first, second, size, keep=keep, block_h=block_h)) for track in self.tracks))

    def simulate(self, first: Ints, second: Ints, size: Floats, *, keep: float, block_h: int) -> Floats:
        """(N, S, T) paths of the delivery day in original units.

        first, second: (N, blocks) past days whose innovations drive each block of `block_h` hours, `keep` x the first plus
        `size` (N, blocks) x the second.
        """
        out = np.empty((len(first), *self.shape))
        for track in self.tracks:
            values = _simulate_track(track, first, second, size, keep=keep, block_h=block_h)
            out[:, track.columns] = np.moveaxis(values, 1, 2)[:, :, track.repeat]
        return out


def innovations_of(state: ForecastState, history: History, *, issued_at: int, day: DeliveryDay) -> Innovations:
    """Filtered residuals of the window and the state where knowledge ends, for every series."""
    anchor = grid_start(issued_at, 3600, day.time_zone)  # a whole hour, so that all resolutions share it
    filtered = [_filter(models, history, anchor=anchor, issued_at=issued_at, day=day) for models in state.groups]
    # Of a day that has begun, its hours so far are part of the horizon.
    begun_h = -((grid_start(day.start, 3600, day.time_zone) - anchor) // 3600)
    lag_h = max((one.unknown_h for one in filtered), default=0)
    lag_h = max(lag_h, begun_h)
    tracks = tuple(_track(state, one, anchor=anchor, lag_h=lag_h, day=day) for one in filtered)
    share = np.min([np.isfinite(track.pool).mean(axis=(1, 2)) for track in tracks], axis=0)
    good = share > FULL_DAY_SHARE
    if good.sum() < FULL_DAYS_MIN:  # a short or broken history: what there is, missing innovations count as 0
        good = np.arange(len(share)) < max(1, int((share > 0).sum()))
    tracks = tuple(replace(track, pool=np.nan_to_num(_centred(track.pool[good]))) for track in tracks)
    horizon_h = -(-(day.end - anchor) // 3600) + lag_h
    return Innovations(tracks, int(good.sum()), int(horizon_h), (len(state.series), day.steps()))


@dataclass(frozen=True)
class _Filtered:
    models: SeriesModels
    start: int
    level: Level
    values: Floats
    residual: Floats
    error: Floats
    variance: Floats
    states: Floats
    unknown_h: int


def _filter(models: SeriesModels, history: History, *, anchor: int, issued_at: int, day: DeliveryDay) -> _Filtered:
    step_s = models.step_s
    past = (POOL_DAYS + WARM_UP_DAYS) * models.slot_count
    start, end = anchor - past * step_s, day.end + (-(day.end - anchor)) % step_s
    values = latest(history, models.ids, start=start, step_s=step_s, count=int((end - start) // step_s), known_by=issued_at)
    level = models.level(start + step_s * np.arange(values.shape[1], dtype=np.int64))
    residual = models.standardise(values.T, level)
    filtered = run_filter(residual, models.arma, active=level.active)
    error = np.where(level.active, residual - filtered.mean, 0.0)
    known = np.isfinite(residual[:past]) | ~level.active[:past]
    last_known = past - np.argmax(known[::-1], axis=0)  # (S,) end of the last known interval
    unknown_h = int(min(UNKNOWN_H_MAX, -(-(past - last_known.min()) * step_s // 3600)))
    return _Filtered(models, start, level, values.T, residual, error, filtered.variance, filtered.states, unknown_h)


def _track(state: ForecastState, one: _Filtered, *, anchor: int, lag_h: int, day: DeliveryDay) -> Track:
    """Pool and horizon counted from the hour up to which every series is known."""
    step_s, per_day = one.models.step_s, one.models.slot_count
    back = (anchor - 3600 * lag_h - one.start) // step_s
    pool = one.error[back - POOL_DAYS * per_day: back].reshape(POOL_DAYS, per_day, -1)[::-1]
    ahead = slice(back, None)
    first_day = grid_start(day.start, step_s, day.time_zone)
    return Track(
        models=one.models, columns=np.array([state.series.index(name) for name in one.models.ids], dtype=np.int64), pool=pool,
        start_state=one.states[back - 1], variance=one.variance[ahead], residual=one.residual[ahead],
        known=one.values[ahead], states=one.states[ahead], level=one.level.part(ahead),
        tail=int((first_day - one.start) // step_s) - back, repeat=(day.starts() - first_day) // step_s)


def _centred(pool: Floats) -> Floats:
    """Innovations minus their recency-weighted mean per slot; (days, slots, S)."""
    weight = 0.5 ** (np.arange(len(pool)) / HALF_LIFE_DAYS)[:, None, None] * np.isfinite(pool)
    mean = np.nansum(np.nan_to_num(pool) * weight, axis=0) / np.maximum(weight.sum(axis=0), 1e-12)
    return np.asarray(pool - mean)


def _shape(track: Track, first: Ints, second: Ints, size: Floats, *, keep: float, block_h: int) -> Shape:
    """How paths are stretched, from a sample of them, so that each step's band is the forecast's.

    Real innovations are not independent: replayed in blocks they add up to less (or more) than their variance promises, by hours of
    the day that are not alike, and to a skewed law. Stretched on either side of its middle a path keeps its rank among the others,
    and so what ties hours and series together.
    """
    low, middle, high = np.quantile(_paths(track, first, second, size, keep=keep, block_h=block_h), BAND, axis=1)
    none = np.zeros(first[:1].shape)
    centre = _paths(track, first[:1], second[:1], none, keep=0.0, block_h=block_h)[:, 0]
    expected = NORMAL_BAND * np.sqrt(track.variance[track.tail:] * track.models.widen)
    return Shape(centre, middle, _stretch(expected, middle - low), _stretch(expected, high - middle))


def _stretch(expected: Floats, found: Floats) -> Floats:
    """Factor on what was found, 1 where nothing moves."""
    factor = np.where(found > 0, expected / np.maximum(found, 1e-300), 1.0)
    return np.asarray(np.clip(factor, 1 / SCALE_MAX, SCALE_MAX))


def _simulate_track(track: Track, first: Ints, second: Ints, size: Floats, *, keep: float, block_h: int) -> Floats:
    """(N, steps of the day, S) in original units."""
    path = _paths(track, first, second, size, keep=keep, block_h=block_h)
    if track.shape is not None:
        path = track.shape.of(path)
    values, known = track.models.restore(np.moveaxis(path, 1, 0), track.level.part(slice(track.tail, None))), track.known[track.tail:]
    return np.where(np.isfinite(known), known, values)


def _paths(track: Track, first: Ints, second: Ints, size: Floats, *, keep: float, block_h: int) -> Floats:
    """(steps of the day, N, S) standardised residuals."""
    models, per_block = track.models, block_h * 3600 // track.models.step_s
    lanes = (len(first), len(models.ids))
    a = [np.broadcast_to(track.start_state[i], lanes).copy() for i in range(ORDER)]
    phi, shock = models.arma.ar.T, np.concatenate([np.ones((len(models.ids), 1)), models.arma.ma], axis=1).T
    a = _ahead(a, phi)
    slots = track.pool.shape[1]
    path = np.empty((len(track.residual) - track.tail, *lanes))
    for step in range(len(track.residual)):
        block = min(step // per_block, first.shape[1] - 1)
        error = keep * track.pool[first[:, block], step % slots] + size[:, block, None] * track.pool[second[:, block], step % slots]
        moves, known = track.level.active[step], np.isfinite(track.residual[step])
        drive = np.where(moves, error * np.sqrt(models.widen), 0.0)
        a = [np.where(known, track.states[step, i], a[i] + shock[i] * drive) for i in range(ORDER)]
        if step >= track.tail:
            path[step - track.tail] = a[0]
        a = [np.where(moves, new, old) for new, old in zip(_ahead(a, phi), a, strict=True)]
    return path


def _ahead(a: list[Floats], phi: Floats) -> list[Floats]:
    """a' = T a, T the companion matrix of the AR part."""
    return [phi[i] * a[0] + (a[i + 1] if i + 1 < ORDER else 0.0) for i in range(ORDER)]

