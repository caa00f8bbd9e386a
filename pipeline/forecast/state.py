"""What the night hands to the day: fitted models as small arrays, loaded by a re-dispatch without statsmodels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.cases.case import Case
from pipeline.core.clock import QUARTER_S, Instants
from pipeline.forecast.models import SeriesModels
from pipeline.forecast.table_model import Tables


@dataclass(frozen=True)
class ForecastState:
    """Series in the case's order; models by resolution, or the case's tables where the table model is used."""

    series: tuple[str, ...]
    units: tuple[str, ...]
    lead_min: int
    groups: tuple[SeriesModels, ...] = ()
    tables: Tables | None = None

    @classmethod
    def of(cls, case: Case, *, groups: tuple[SeriesModels, ...] = (), tables: Tables | None = None) -> ForecastState:
        names, units = tuple(one.id for one in case.series), tuple(one.unit for one in case.series)
        return cls(names, units, case.settings.real_time_lead_min, groups, tables)

    def first_intervals(self, issue_times: Instants) -> Instants:
        """Start of lead 1: the first quarter-hour at or after the issue time plus the time a decision takes to act."""
        return -(-(np.asarray(issue_times, dtype=np.int64) + 60 * self.lead_min) // QUARTER_S) * QUARTER_S

    def to_arrays(self) -> dict[str, NDArray[np.generic]]:
        """For one .npz or the array cache."""
        arrays: dict[str, NDArray[np.generic]] = {
            "series": np.array(self.series, dtype=np.str_), "units": np.array(self.units, dtype=np.str_),
            "lead_min": np.array([self.lead_min]), "groups": np.array([len(self.groups)])}
        if self.tables is not None:
            arrays |= self.tables.to_arrays()
        for index, models in enumerate(self.groups):
            arrays |= models.to_arrays(f"g{index}_")
        return arrays

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.generic]]) -> ForecastState:
        groups = tuple(SeriesModels.from_arrays(arrays, f"g{index}_") for index in range(int(arrays["groups"][0])))
        tables = Tables.from_arrays(arrays) if "by_local_hour" in arrays else None
        series, units = (tuple(str(value) for value in arrays[name]) for name in ("series", "units"))
        return cls(series, units, int(arrays["lead_min"][0]), groups, tables)
