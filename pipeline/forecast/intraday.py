"""Every quarter-hour: the nightly models, filtered with what has come in. numpy only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pipeline.core.clock import QUARTER_S, DeliveryDay, Instants, floor_local
from pipeline.forecast.distribution import Distribution, distribution, with_known
from pipeline.forecast.history import History, ahead_of_time, as_known
from pipeline.forecast.kalman import run_filter
from pipeline.forecast.models import Level, SeriesModels
from pipeline.forecast.state import ForecastState
from pipeline.forecast.table_model import Tables

if TYPE_CHECKING:
    import pyarrow as pa

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

BURN_IN_DAYS = 4  # an invertible filter has forgotten its start long before


@dataclass(frozen=True)
class Outlooks:
    """Forecasts of all series of a case at K issue times, in original units; lead 1 starts at `firsts[k]`.

    mean, sd: (K, S, leads); quantiles: (7, K, S, leads); known: (K, S, leads), values that were published or measured by then.
    """

    series: tuple[str, ...]
    units: tuple[str, ...]
    issue_times: Instants
    firsts: Instants
    mean: Floats
    sd: Floats
    quantiles: Floats
    rungs: tuple[str, ...]
    known: Bools

    def table(self, run_id: str, day: DeliveryDay) -> pa.Table:
        from pipeline.forecast.publication import outlook_table

        return outlook_table(self, run_id, day)


def update(state: ForecastState, history: History, *, issue_times: Instants, leads: int, firsts: Instants | None = None,
           given: History | None = None) -> Outlooks:
    """Outlooks at each issue time from what was known then. One issue time gives the same numbers alone or among many.

    `firsts` (K,) overrides the start of lead 1, which by default follows the issue time. given: the forecasts of others; where the
    night's models follow one, its newest issue counts.
    """
    issue_times = np.asarray(issue_times, dtype=np.int64)
    firsts = state.first_intervals(issue_times) if firsts is None else np.asarray(firsts, dtype=np.int64)
    names, shape = state.series, (len(issue_times), len(state.series), leads)
    if state.tables is not None:
        found = _tables(state.tables, firsts, leads)
        return Outlooks(names, state.units, issue_times, firsts, found.mean, found.sd, found.quantiles, ("table",) * len(names),
                        np.zeros(shape, dtype=np.bool_))
    mean, sd, quantiles, rungs = np.empty(shape), np.empty(shape), np.empty((7, *shape)), [""] * len(names)
    known = np.zeros(shape, dtype=np.bool_)
    for models in state.groups:
        members = [names.index(one) for one in models.ids]
        found, known[:, members] = _group(models, history, given, issue_times=issue_times, firsts=firsts, leads=leads)
        mean[:, members], sd[:, members], quantiles[:, :, members] = found.mean, found.sd, found.quantiles
        for place, index in enumerate(members):
            rungs[index] = models.rungs[place]
    return Outlooks(names, state.units, issue_times, firsts, mean, sd, quantiles, tuple(rungs), known)


def _group(models: SeriesModels, history: History, given: History | None, *, issue_times: Instants, firsts: Instants,
           leads: int) -> tuple[Distribution, Bools]:
    """Distribution (K, S, leads) of one resolution's series, and which values were known already."""
    step_s, count = models.step_s, len(models.ids)
    burn_in = BURN_IN_DAYS * models.slot_count
    ahead = -(-leads * QUARTER_S // step_s) + (1 if step_s > QUARTER_S else 0)
    held = floor_local(firsts, step_s, models.time_zone)
    begins = held - burn_in * step_s
    values = as_known(history, models.ids, firsts=begins, step_s=step_s, count=burn_in + ahead, issue_times=issue_times)
    level = _levels(models, begins, step_s, burn_in + ahead)
    if models.given and given is not None:
        level = _following(models, level, given, begins=begins, issue_times=issue_times)
    residual = models.standardise(values, level)
    lanes = np.tile(np.arange(count), len(issue_times))
    shape = residual.shape
    filtered = run_filter(residual.reshape(shape[0], -1), models.arma.take(lanes), active=level.active.reshape(shape[0], -1))
    tail = slice(burn_in, None)
    sure = np.isfinite(residual[tail])
    mean = np.where(sure, residual[tail], filtered.mean.reshape(shape)[tail])
    variance = np.where(sure, 0.0, filtered.variance.reshape(shape)[tail])
    found = with_known(distribution(models, level.part(tail), mean, variance), values[tail])
    known = np.isfinite(values[tail])
    hold = (firsts[:, None] + QUARTER_S * np.arange(leads) - held[:, None]) // step_s  # (K, leads)
    each = np.arange(len(issue_times))[:, None]
    by_lead = Distribution(np.swapaxes(found.mean[hold, each], 1, 2), np.swapaxes(found.sd[hold, each], 1, 2),
                        np.swapaxes(found.quantiles[:, hold, each], 2, 3))
    return by_lead, np.swapaxes(known[hold, each], 1, 2)


def _levels(models: SeriesModels, begins: Instants, step_s: int, count: int) -> Level:
    """Profile at every lane's intervals, (count, K, S)."""
    origin = int(begins.min())
    whole = models.level(np.arange(origin, int(begins.max()) + count * step_s, step_s, dtype=np.int64))
    index = (begins - origin)[None, :] // step_s + np.arange(count)[:, None]
    return Level(whole.mean[index], whole.sd[index], whole.ceiling[index], whole.active[index])


def _following(models: SeriesModels, level: Level, given: History, *, begins: Instants, issue_times: Instants) -> Level:
    """The level (count, K, S) by the newest issues of others' forecasts; where these say nothing, what the night knew stays."""
    named = [place for place, name in enumerate(models.given) if name]
    ids = tuple(models.given[place] for place in named)
    count = len(level.mean)
    told = np.full(level.mean.shape, np.nan)
    told[..., named] = as_known(ahead_of_time(given), ids, firsts=begins, step_s=models.step_s, count=count, issue_times=issue_times)
    starts = begins + models.step_s * np.arange(count, dtype=np.int64)[:, None]
    types, places = models.bins(starts.ravel())
    return models.following(level, told, types.reshape(told.shape), places.reshape(told.shape))


def _tables(tables: Tables, firsts: Instants, leads: int) -> Distribution:
    starts = firsts[:, None] + QUARTER_S * np.arange(leads)
    found = tables.distribution(starts.ravel())
    shape = (len(tables.by_local_hour), len(firsts), leads)
    return Distribution(np.swapaxes(found.mean.reshape(shape), 0, 1), np.swapaxes(found.sd.reshape(shape), 0, 1),
                        np.swapaxes(found.quantiles.reshape(7, *shape), 1, 2))
