"""Where a case's histories come from, and how their columns map to its series."""

from __future__ import annotations

import math
from datetime import date, time
from typing import Annotated, Literal

from pydantic import Field, NonNegativeFloat, PositiveInt

from pipeline.cases.table_reading import TableReading, TimeColumns
from pipeline.core.errors import InputError, Mistake
from pipeline.equipment import Identifier, Record
from pipeline.equipment.base import POWER_MOST


class ColumnMap(Record):
    """One value column of a source -> one series."""

    column: str
    series: Identifier
    unit: str  # unit in the source; converted on import to the series' own; an energy is that of each interval
    reading: Literal["interval", "count"] = "interval"  # count: a meter's counter at the stamp; its differences are the energy
    sign: Literal[1, -1] = 1
    scale_factor: float = 1.0


class Mapping(TableReading):
    """Wide tables: `columns`. Long tables (a row per series and instant): `series_column`, `value_column`, `columns` by series name.

    In case.yaml `columns: every_series` maps each series of the mapping's resolution to the column of its own name and unit.
    """

    time_column: str = "valid_from"
    time_columns: TimeColumns | None = None  # in place of time_column, where date and hour stand apart
    time_is: Literal["start", "end"] = "start"
    time_shift_min: float = 0.0  # added to every stamp: -30 where hours are named by their middle
    resolution_min: PositiveInt = 15  # where stamps are too few to tell; stretches in another resolution are seen by their stamps
    columns: tuple[ColumnMap, ...] = ()
    series_column: str | None = None
    value_column: str | None = None
    available_after_min: NonNegativeFloat = 15.0
    known_at_column: str | None = None  # live sources may carry their own
    issued_at_column: str | None = None  # of forecasts of others: when each was issued; known `available_after_min` later
    published_local: time | None = None  # prices: known from this local time on, before their delivery day
    published_before_days: int = Field(default=1, ge=0, le=31)  # so many days before it
    published_time_zone: str | None = None  # of that time and of the day from midnight to midnight; null: the case's zone and day

    @property
    def known_by_column(self) -> str | None:
        """The column that says when a value was known, or issued."""
        return self.known_at_column or self.issued_at_column

    def knows_ahead(self, series: Series) -> bool:
        """Whether values of the series may be known before their interval is over: prices, forecasts, and tariffs where published."""
        return isinstance(series, GivenForecast) or series.kind == "price" or (series.kind == "other" and self.published_local is not None)


class FileSource(Record):
    """One file shipped with the case, or by path relative to the case folder or the project's data folder."""

    kind: Literal["file"] = "file"
    id: Identifier
    path: str
    mapping: Mapping


class FolderSource(Record):
    """A drop folder: every new CSV or Parquet file matching the pattern is read once."""

    kind: Literal["folder"] = "folder"
    id: Identifier
    path: str
    pattern: str = "*"
    mapping: Mapping


class SqlSource(Record):
    """A table or query. The connection string comes from an environment variable, never from the case."""

    kind: Literal["sql"] = "sql"
    id: Identifier
    url_env: str
    query: str
    mapping: Mapping


class SampledSource(Record):
    """Synthetic histories of a span of delivery days."""

    id: Identifier
    first_date: str

    @property
    def first_day(self) -> date:
        """The first delivery day. Raises InputError where `first_date` is no date."""
        try:
            return date.fromisoformat(self.first_date)
        except ValueError as error:
            place = f"source {self.id}, first_date"
            raise InputError(Mistake(place, f"{self.first_date!r} is not a date", "write it as 2015-01-01")) from error


class KindOfErrors(Record):
    """Relative errors of one kind of series."""

    sd_share: float = Field(ge=0, le=1)  # standard deviation, as a share of the expectation
    most_share: float = Field(gt=0, le=1)  # cut there


class CorrelatedErrors(Record):
    """Errors of a day that hang together, cut at a box and re-centred: the mean of the training days is the expectation.

    sd x (sqrt(1 - c^2) a + c g): a is an AR(1) of unit variance over the hours of the day, of each series its own; g is one normal of
    the day, the same for all series; c is `common_share`. A kind of series that is null has no errors.
    """

    load: KindOfErrors | None = KindOfErrors(sd_share=0.03, most_share=0.15)
    heat: KindOfErrors | None = KindOfErrors(sd_share=0.03, most_share=0.15)
    pv: KindOfErrors | None = KindOfErrors(sd_share=0.10, most_share=0.30)
    wind: KindOfErrors | None = KindOfErrors(sd_share=0.10, most_share=0.30)
    price: KindOfErrors | None = None
    other: KindOfErrors | None = None
    persistence_share: float = Field(default=0.8, ge=0, lt=1)  # of an hour's deviation that the next one keeps
    common_share: float = Field(default=0.6, ge=0, le=1)  # weight of the day's common normal; the rest keeps the variance


class ErrorSampleSource(SampledSource):
    """Synthetic: expectation tables x (1 + e), e ~ N(0, sigma^2) iid, truncated, or `correlated`. Training days, then test days."""

    kind: Literal["error_samples"] = "error_samples"
    training_days: PositiveInt = 500
    test_days: PositiveInt = 100
    sigma: float = Field(default=0.01, ge=0)
    truncate_sd: float = Field(default=4.0, gt=0)
    correlated: CorrelatedErrors | None = None  # instead of sigma and truncate_sd
    seed: int = 0
    available_after_min: NonNegativeFloat = 15.0


class SessionSampleSource(SampledSource):
    """Synthetic EV sessions of every fleet with a sampling law, for a span of delivery days."""

    kind: Literal["ev_sessions"] = "ev_sessions"
    days: PositiveInt


class SessionFileSource(TableReading):
    """Real EV sessions: a CSV or Parquet file of columns fleet, arrival, departure, need_kwh and, where they differ, charger_kw."""

    kind: Literal["sessions"] = "sessions"
    id: Identifier
    path: str  # as in `file`

    @property
    def mapping(self) -> Mapping:
        """How its bytes are read."""
        return Mapping.model_validate({name: getattr(self, name) for name in TableReading.model_fields} | {"time_column": "arrival"})


class StateSource(TableReading):
    """The measured state of the plant: a CSV or Parquet file, or the answer of a query, of columns measured_at, device, quantity, value."""

    kind: Literal["states"] = "states"
    id: Identifier
    path: str | None = None  # as in `file`; or url_env and query
    url_env: str | None = None  # as in `sql`
    query: str | None = None

    @property
    def mapping(self) -> Mapping:
        """How its bytes are read."""
        return Mapping.model_validate({name: getattr(self, name) for name in TableReading.model_fields} | {"time_column": "measured_at"})


AnySource = Annotated[
    FileSource | FolderSource | SqlSource | ErrorSampleSource | SessionSampleSource | SessionFileSource | StateSource,
    Field(discriminator="kind"),
]


NEVER_NEGATIVE = frozenset({"pv", "wind", "heat"})  # a load may be: a meter behind a roof of PV


def lowest(kind: str) -> float | None:
    """The minimum of a series of this kind that says none: prices and temperatures go below zero, what is used or fed in does not."""
    return None if kind in ("price", "other") else 0.0


class Series(Record):
    """A history and its forecast. `by_local_hour`: the expectation table, value per local wall-clock hour 0..23."""

    id: Identifier
    kind: Literal["load", "heat", "pv", "wind", "price", "other"]
    unit: str = "kW"
    capacity_kw: float | None = Field(default=None, gt=0, le=POWER_MOST)  # no forecast is above it; pv and wind: the transform needs it
    by_local_hour: tuple[float, ...] | None = Field(default=None, min_length=24, max_length=24)
    resolution_min: PositiveInt = 15
    synthetic: bool = False  # marked wherever it is shown
    minimum: float | None = Field(  # plausible range: below is flagged or refused on import; 0, and none for price and other
        default_factory=lambda said: lowest(said.get("kind", "other")), ge=-POWER_MOST, le=POWER_MOST
    )
    maximum: float | None = Field(default=None, ge=-POWER_MOST, le=POWER_MOST)

    @property
    def bounds(self) -> tuple[float, float]:
        """Lowest and highest value, in the series' own unit: every forecast, quantile and draw of it lies between them."""
        low = -math.inf if self.minimum is None else self.minimum
        most = [one for one in (self.maximum, self.capacity_kw) if one is not None]
        return max(low, 0.0) if self.kind in NEVER_NEGATIVE else low, min(most, default=math.inf)


class GivenForecast(Series):
    """A forecast that others make, of weather or of what a series measures. Each value is known from its issue on; the newest counts."""
