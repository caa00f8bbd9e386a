"""The nightly forecast of every series of a case for one delivery day, with what it takes to update it in the day."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pipeline.cases.case import Case
from pipeline.cases.error_law import ErrorLaw
from pipeline.cases.sources import Series
from pipeline.core.clock import QUARTER_S, DeliveryDay, Instants
from pipeline.core.errors import InputError, Mistake
from pipeline.forecast.calendar import grid_start
from pipeline.forecast.distribution import Distribution
from pipeline.forecast.fit import fit_models, window_days
from pipeline.forecast.given import Told, as_issued, follow, told_of
from pipeline.forecast.history import History, latest
from pipeline.forecast.predict import predict
from pipeline.forecast.recent import recent_scores
from pipeline.forecast.regressors import Fitted, with_regressors
from pipeline.forecast.simulate import Innovations, innovations_of
from pipeline.forecast.state import ForecastState
from pipeline.forecast.table_model import Tables

if TYPE_CHECKING:
    import pyarrow as pa

    from pipeline.store.observations import Observations

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class DayAheadForecast:
    """Quarter-hourly forecast of all series of a case in the case's order, in original units.

    mean, sd: (S, T); quantiles: (7, S, T) at `distribution.QUANTILES`; known: (S, T), values that were published or measured by the
    issue time and are used as they are; scores: series -> score -> value.
    """

    series: tuple[str, ...]
    units: tuple[str, ...]
    day: DeliveryDay
    issued_at: int
    starts: Instants
    mean: Floats
    sd: Floats
    quantiles: Floats
    rungs: tuple[str, ...]
    known: NDArray[np.bool_]
    scores: dict[str, dict[str, float]]
    state: ForecastState

    @property
    def table_error(self) -> ErrorLaw | None:
        """Law of the relative errors of a table forecast; None for a fitted one."""
        tables = self.state.tables
        return None if tables is None else tables.error

    @property
    def box(self) -> tuple[Floats, Floats] | None:
        """Lowest and highest values (S, T) that the errors of a table forecast admit; None for a fitted one."""
        error = self.table_error
        return None if error is None else error.box(self.mean)

    def blocks(self, history: Observations) -> Innovations:
        """Past innovations to draw scenarios from, as known at the issue time."""
        return innovations_of(self.state, history.as_of(self.issued_at), issued_at=self.issued_at, day=self.day)

    def table(self, run_id: str) -> pa.Table:
        from pipeline.forecast.publication import day_ahead_table

        return day_ahead_table(self, run_id)

    def score_table(self, run_id: str) -> pa.Table:
        from pipeline.forecast.publication import score_table

        return score_table(self, run_id)


def history_start(case: Case, issued_at: int) -> int:
    """First instant whose observations a forecast issued then may use."""
    longest = max((window_days(case, one) for one in case.series), default=0)
    return issued_at - (longest + 1) * 86400


def forecast(case: Case, history: Observations, *, issued_at: int, day: DeliveryDay, given: Observations | None = None) -> DayAheadForecast:
    """Forecast of the delivery day as issued at `issued_at`; the gap to the day's start is filled by the models.

    given: forecasts of others, which stand in place of ours or are regressors as `settings.forecast` says.

    Raises InputError naming every series without any history. Model `table` returns the case's tables.
    """
    starts = day.starts()
    if case.settings.forecast.model == "table":
        tables = Tables.of(case)
        state = ForecastState.of(case, tables=tables)
        return _assembled(day, issued_at, tables.distribution(starts), ("table",) * len(case.series),
                          np.zeros((len(case.series), len(starts)), dtype=np.bool_), {}, state)
    known: History = history.as_of(issued_at)
    _refuse_missing(case, known, issued_at)
    mean, sd = np.empty((len(case.series), len(starts))), np.empty((len(case.series), len(starts)))
    quantiles, rungs, sure = np.empty((7, *mean.shape)), [""] * len(case.series), np.zeros(mean.shape, dtype=np.bool_)
    scores: dict[str, dict[str, float]] = {}
    fitted = [_fit_group(case, tuple(case.series[i] for i in members), known, issued_at=issued_at, day=day)
              for members in by_resolution(case.series)]
    told = as_issued(case, given, start=min(one.start for one in fitted), issued_at=issued_at, day=day)
    fitted = [_following(case, one, told, issued_at=issued_at, day=day) for one in fitted]
    fitted = with_regressors(case, fitted, told, issued_at=issued_at)
    for members, one in zip(by_resolution(case.series), fitted, strict=True):
        step_s, first = one.models.step_s, _first(one, day)
        found = predict(one.models, one.values.T, start=one.start, first=first)
        repeat = _positions(starts, day, step_s)
        mean[members], sd[members] = found.mean.T[:, repeat], found.sd.T[:, repeat]
        sure[members] = np.isfinite(one.values)[:, first:][:, repeat]
        quantiles[:, members] = np.swapaxes(found.quantiles, 1, 2)[:, :, repeat]
        for place, index in enumerate(members):
            rungs[index] = one.models.rungs[place]
        scores |= recent_scores(case, one.models, one.series, one.values, start=one.start, issued_at=issued_at, day=day, told=told)
    state = ForecastState.of(case, groups=tuple(one.models for one in fitted))
    return _assembled(day, issued_at, Distribution(mean, sd, quantiles), tuple(rungs), sure, scores, state)


def by_resolution(series: tuple[Series, ...]) -> list[list[int]]:
    """Positions of the series of each resolution, finest first."""
    return [[i for i, one in enumerate(series) if one.resolution_min == minutes]
            for minutes in sorted({one.resolution_min for one in series})]


def _fit_group(case: Case, series: tuple[Series, ...], history: History, *, issued_at: int, day: DeliveryDay) -> Fitted:
    """Models of one resolution on a grid from the start of the longest window to the end of the delivery day."""
    step_s = 60 * series[0].resolution_min
    first_day = grid_start(day.start, step_s, case.time_zone)
    count = -(-(issued_at - history_start(case, issued_at)) // step_s)
    start = first_day - (count + (first_day - issued_at) // step_s) * step_s
    total = (day.end - start + step_s - 1) // step_s
    values = latest(history, tuple(one.id for one in series), start=start, step_s=step_s, count=total, known_by=issued_at)
    return Fitted(series, fit_models(case, series, values, start=start, step_s=step_s, issued_at=issued_at), values, start)


def _first(group: Fitted, day: DeliveryDay) -> int:
    """Interval of the group's grid that holds the day's start."""
    return (grid_start(day.start, group.models.step_s, day.time_zone) - group.start) // group.models.step_s


def _following(case: Case, group: Fitted, told: dict[str, Told], *, issued_at: int, day: DeliveryDay) -> Fitted:
    """The group with the forecasts of others that stand in place of ours."""
    said = told_of(case, group.series, told, start=group.start, count=group.values.shape[1])
    models = follow(case, group.series, group.models, group.values, said, start=group.start, issued_at=issued_at, first=_first(group, day))
    return replace(group, models=models)


def _positions(starts: Instants, day: DeliveryDay, step_s: int) -> NDArray[np.int64]:
    """Interval of the group's grid that holds each quarter-hour."""
    return (starts - grid_start(day.start, step_s, day.time_zone)) // step_s


def _refuse_missing(case: Case, history: History, issued_at: int) -> None:
    """Raises InputError naming every series without an observation inside its own window."""
    newest = np.full(len(history.series), np.iinfo(np.int64).min)
    np.maximum.at(newest, np.asarray(history.series_index), np.asarray(history.valid_from))
    known = {history.series[index]: int(newest[index]) for index in np.unique(np.asarray(history.series_index))}
    mistakes = []
    for one in case.series:
        days = window_days(case, one)
        if one.id not in known or known[one.id] < issued_at - 86400 * days:
            what = "no observation was known at the issue time" if one.id not in known else \
                f"no observation of the last {days} days was known at the issue time"
            mistakes.append(Mistake(f"case {case.name}, series {one.id}", what,
                                    "import its history (feederflow ingest), or set settings.forecast.model: table"))
    if mistakes:
        raise InputError(mistakes)


def _assembled(day: DeliveryDay, issued_at: int, found: Distribution, rungs: tuple[str, ...], known: NDArray[np.bool_],
               scores: dict[str, dict[str, float]], state: ForecastState) -> DayAheadForecast:
    return DayAheadForecast(
        series=state.series, units=state.units, day=day, issued_at=issued_at, starts=day.starts(), mean=found.mean, sd=found.sd,
        quantiles=found.quantiles, rungs=rungs, known=known, scores=scores, state=state)


def steps_ahead(starts: Instants, issued_at: int) -> NDArray[np.int64]:
    """Lead of each interval: 1 is the first one that starts at or after the issue time."""
    first = -(-issued_at // QUARTER_S) * QUARTER_S
    return np.asarray((starts - first) // QUARTER_S + 1)
