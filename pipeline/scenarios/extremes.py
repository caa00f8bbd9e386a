"""Relative deviations from the forecast, and whether the representatives keep the largest of them. Book 003, (39) and errata 5."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.cases.case import Case
from pipeline.scenarios.features import hourly

Floats = NDArray[np.float64]

FORECAST_LEAST = 0.1  # of the series' largest forecast: below it (night, dusk, a price near zero) a share says nothing
EXTREMES_SHARE = 0.05  # delta: by so much the representatives' largest deviation may fall short of the draws'


def deviations(values: Floats, forecast: Floats, rows: Sequence[int] | None = None) -> Floats:
    """(N, F) hourly deviations of values (N, S, T) as shares of the forecast (S, T), of the series in `rows`, or all.

    Coordinates without a forecast worth a share are left out.
    """
    chosen = list(range(len(forecast))) if rows is None else list(rows)
    centre = hourly(forecast[chosen])
    worth = np.abs(centre) > FORECAST_LEAST * np.abs(centre).max(axis=1, keepdims=True)
    return np.asarray((hourly(values[:, chosen]) - centre)[:, worth] / np.abs(centre[worth]))


def extreme_gaps(case: Case, draws: Floats, kept: Floats, forecast: Floats) -> dict[str, float]:
    """Per kind of series: the draws' largest relative deviation less that of the representatives (K, S, T)."""
    found = {}
    for kind, rows in _kinds(case):
        full, few = deviations(draws, forecast, rows), deviations(kept, forecast, rows)
        if full.shape[1]:
            found[kind] = float(np.abs(full).max() - np.abs(few).max())
    return found


def representatives_keep_extremes(gaps: dict[str, float]) -> bool:
    """Test (39) in every class."""
    return all(gap <= EXTREMES_SHARE for gap in gaps.values())


def _kinds(case: Case) -> Iterator[tuple[str, list[int]]]:
    for kind in sorted({one.kind for one in case.series}):
        yield kind, [row for row, one in enumerate(case.series) if one.kind == kind]
