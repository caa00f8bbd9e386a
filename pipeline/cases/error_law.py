"""How values lie around the expectation tables of a case: the law of its synthetic histories and of the scenarios of a table forecast."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.cases.case import Case
from pipeline.cases.sources import ErrorSampleSource, Series
from pipeline.core.errors import InputError, Mistake

Floats = NDArray[np.float64]

QUARTERS_PER_HOUR = 4
CENTRED = 1e-12  # of the largest value: as near to the mean as re-centring goes
ROUNDS = 100


@dataclass(frozen=True)
class ErrorLaw:
    """value = table x (1 + e). sd_share, most_share: (S,) standard deviation of e, and where it is cut. low, high: (S,) values' bounds.

    day: how the errors of a day hang together, (persistence from hour to hour, share of the deviation that all series have in
    common); None: they do not, and every interval has noise of its own.
    """

    sd_share: Floats
    most_share: Floats
    low: Floats
    high: Floats
    day: tuple[float, float] | None = None

    def of_normals(self, own: Floats, common: Floats) -> Floats:
        """(N, S, H) errors of hours from standard normals: own (N, S, H), and common (N,), one a day for all series.

        sd x (sqrt(1 - c^2) a + c common), where a is the AR(1) of unit variance that starts anew every day. Book 003, section 7.
        """
        assert self.day is not None
        persistence, share = self.day
        wander = np.empty_like(own)
        wander[..., 0] = own[..., 0]
        for hour in range(1, own.shape[-1]):
            wander[..., hour] = persistence * wander[..., hour - 1] + np.sqrt(1 - persistence**2) * own[..., hour]
        together = np.sqrt(1 - share**2) * wander + share * common[:, None, None]
        return np.asarray(np.clip(self.sd_share[:, None] * together, -self.most_share[:, None], self.most_share[:, None]))

    def draws(self, mean: Floats, count: int, rng: np.random.Generator, *, independent: bool = False) -> Floats:
        """`count` days (N, S, T) of quarter-hours around `mean` (S, T); errors that hang together are re-centred to it.

        independent: they are not, and no draw depends on another: what comes on a day does not either.
        """
        if self.day is None:
            noise = self.sd_share[:, None] * rng.standard_normal((count, *mean.shape))
            errors = np.clip(noise, -self.most_share[:, None], self.most_share[:, None])
            return self.clip(mean[None] * (1 + errors))
        hours = -(-mean.shape[1] // QUARTERS_PER_HOUR)
        errors = self.of_normals(rng.standard_normal((count, len(mean), hours)), rng.standard_normal(count))
        low, high = self.reach(mean[:, ::QUARTERS_PER_HOUR])
        # Re-centring moves all draws at once: a sample mean of them is the forecast, and has no standard error.
        errors = np.clip(errors, low, high) if independent else recentred(
            errors, np.full(count, 1 / count), np.zeros_like(low), low=low, high=high)
        return self.clip(mean[None] * (1 + np.repeat(errors, QUARTERS_PER_HOUR, axis=2)[..., : mean.shape[1]]))

    def clip(self, values: Floats) -> Floats:
        """(..., S, T) values inside their bounds."""
        return np.asarray(np.clip(values, self.low[:, None], self.high[:, None]))

    def reach(self, mean: Floats) -> tuple[Floats, Floats]:
        """Lowest and highest error (S, H) around `mean` (S, H): the cut, and what the bounds leave of it."""
        ends = []
        for bound in (self.low, self.high):
            left = np.full_like(mean, np.inf)
            np.divide(bound[:, None], mean, out=left, where=mean != 0)
            ends.append(left - 1)
        most = np.repeat(self.most_share[:, None], mean.shape[1], axis=1)
        below, above = (np.where(mean > 0, *pair) for pair in ((ends[0], ends[1]), (ends[1], ends[0])))
        free = mean == 0  # no error moves it
        return (np.where(free, -most, np.maximum(-most, np.minimum(below, 0.0))),
                np.where(free, most, np.minimum(most, np.maximum(above, 0.0))))

    def box(self, mean: Floats) -> tuple[Floats, Floats]:
        """Lowest and highest values (S, T) around `mean` (S, T)."""
        reach = self.most_share[:, None] * np.abs(mean)
        return np.maximum(mean - reach, np.minimum(mean, self.low[:, None])), np.minimum(mean + reach, np.maximum(mean, self.high[:, None]))

    def to_arrays(self) -> dict[str, NDArray[np.generic]]:
        return {"error_sd": self.sd_share, "error_most": self.most_share, "error_low": self.low, "error_high": self.high,
                "error_day": np.array(self.day or (), dtype=np.float64)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.generic]]) -> ErrorLaw:
        sd, most, low, high, day = (np.asarray(arrays[f"error_{name}"], dtype=np.float64) for name in ("sd", "most", "low", "high", "day"))
        return cls(sd, most, low, high, (float(day[0]), float(day[1])) if day.size else None)


def law_of(case: Case) -> ErrorLaw:
    """The law of the case's error samples; without a source of them there are no errors."""
    for source in case.sources:
        if isinstance(source, ErrorSampleSource):
            return law_of_series(source, case.series)
    nothing = np.zeros(len(case.series))
    return ErrorLaw(nothing, nothing, *_bounds(case.series))


def law_of_series(source: ErrorSampleSource, series: tuple[Series, ...]) -> ErrorLaw:
    """The law of one source for these series."""
    hangs = source.correlated
    if hangs is None:
        sd = np.full(len(series), source.sigma)
        return ErrorLaw(sd, source.truncate_sd * sd, *_bounds(series))
    kinds = [getattr(hangs, one.kind) for one in series]
    return ErrorLaw(np.array([0.0 if kind is None else kind.sd_share for kind in kinds]),
                    np.array([0.0 if kind is None else kind.most_share for kind in kinds]),
                    *_bounds(series), (hangs.persistence_share, hangs.common_share))


def _bounds(series: tuple[Series, ...]) -> tuple[Floats, Floats]:
    low, high = np.array([one.bounds for one in series]).reshape(-1, 2).T
    return low, high


def recentred(values: Floats, weights: Floats, mean: Floats, *, low: Floats, high: Floats) -> Floats:
    """Values (N, ...) moved so that their weighted mean is `mean` (...), none beyond `low` or `high` (...). Book 003, section 7.

    Clipping moves the mean again, so a few rounds. Raises InputError where `mean` is not between them.
    """
    close = CENTRED * np.maximum(1.0, np.abs(mean))
    if ((mean < low - close) | (mean > high + close)).any():
        raise InputError(Mistake("scenarios", "the forecast lies outside the range that its errors are cut to",
                                 "widen the range, or mend the forecast"))
    for _ in range(ROUNDS):
        shift = mean - np.tensordot(weights, values, axes=1)
        if (np.abs(shift) <= close).all():
            break
        values = np.clip(values + shift, low, high)
    return values
