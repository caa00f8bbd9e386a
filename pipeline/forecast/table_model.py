"""The case's own slot tables as the forecast: value per local wall-clock hour, multiplicative errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.cases.case import Case
from pipeline.cases.error_law import ErrorLaw, law_of
from pipeline.core.clock import Instants, local_hour
from pipeline.core.errors import InputError, Mistake
from pipeline.forecast.distribution import NORMAL_QUANTILES, Distribution


@dataclass(frozen=True)
class Tables:
    """by_local_hour (S, 24), and the law of the error e in value = table x (1 + e)."""

    by_local_hour: NDArray[np.float64]
    time_zone: str
    error: ErrorLaw

    @classmethod
    def of(cls, case: Case) -> Tables:
        """Raises InputError naming every series without a table."""
        missing = [one.id for one in case.series if one.by_local_hour is None]
        if missing:
            raise InputError(Mistake(f"case {case.name}, series {one}", "settings.forecast.model is table but the series has none",
                                     "give by_local_hour, or use model: arima") for one in missing)
        return cls(np.array([one.by_local_hour for one in case.series], dtype=np.float64), case.time_zone, law_of(case))

    def values(self, starts: Instants) -> NDArray[np.float64]:
        """(S, T) table values: a repeated hour repeats, a skipped one drops."""
        return self.by_local_hour[:, local_hour(starts, self.time_zone)]

    def distribution(self, starts: Instants) -> Distribution:
        """Mean and sd (S, T), quantiles (7, S, T) within the box of the errors."""
        mean = self.values(starts)
        sd = self.error.sd_share[:, None] * np.abs(mean)
        low, high = self.error.box(mean)
        return Distribution(mean, sd, np.clip(mean[None] + NORMAL_QUANTILES[:, None, None] * sd[None], low, high))

    def to_arrays(self) -> dict[str, NDArray[np.generic]]:
        return {"by_local_hour": self.by_local_hour, "table_zone": np.array([self.time_zone], dtype=np.str_), **self.error.to_arrays()}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.generic]]) -> Tables:
        return cls(np.asarray(arrays["by_local_hour"], dtype=np.float64), str(arrays["table_zone"][0]), ErrorLaw.from_arrays(arrays))
