"""Fitted models of the series of one resolution: small arrays, saved with the run and loaded without statsmodels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.forecast.calendar import day_types, slots
from pipeline.forecast.kalman import Arma
from pipeline.forecast.transforms import Transforms

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Level:
    """Profile at given intervals: mean, sd (transformed), ceiling (original units) and activity, all (T, S)."""

    mean: Floats
    sd: Floats
    ceiling: Floats
    active: Bools

    def part(self, steps: slice) -> Level:
        return Level(self.mean[steps], self.sd[steps], self.ceiling[steps], self.active[steps])


@dataclass(frozen=True)
class SeriesModels:
    """Models of S series on steps of `step_s` seconds.

    `mean`, `sd`: (S, 3, slots) profile of the transformed series. `active`, `ceiling`: (S, slots); a PV slot at night is
    inactive and exactly 0. `widen`: (S,) factor on the predictive variance because profile and spread are estimated.
    `shift`: (n, S) what regressors add to the standardised residual from `shift_start` on; empty without regressors.
    `given`: (S,) forecasts of others that stand in place of the profile where they reach, '' for none, empty without any; `told` (n, S)
    from `told_start` on: what these said in time for the night's forecast, NaN elsewhere; `error_mean`, `error_sd`: profile of how
    far off they were, transformed.
    """

    ids: tuple[str, ...]
    kinds: tuple[str, ...]
    units: tuple[str, ...]
    time_zone: str
    step_s: int
    holiday_days: Ints
    transforms: Transforms
    mean: Floats
    sd: Floats
    active: Bools
    ceiling: Floats
    widen: Floats
    arma: Arma
    rungs: tuple[str, ...]
    shift: Floats = field(default_factory=lambda: np.zeros((0, 0)))
    shift_start: int = 0
    given: tuple[str, ...] = ()
    told: Floats = field(default_factory=lambda: np.zeros((0, 0)))
    told_start: int = 0
    error_mean: Floats = field(default_factory=lambda: np.zeros((0, 0, 0)))
    error_sd: Floats = field(default_factory=lambda: np.zeros((0, 0, 0)))

    @property
    def slot_count(self) -> int:
        return 86400 // self.step_s

    def bins(self, starts: Ints) -> tuple[Ints, Ints]:
        """Day type and slot of each interval for each series, both (T, S)."""
        shape = (len(starts), len(self.ids))
        types, places = np.empty(shape, dtype=np.int64), np.empty(shape, dtype=np.int64)
        for kind in sorted(set(self.kinds)):
            pick = [index for index, other in enumerate(self.kinds) if other == kind]
            types[:, pick] = day_types(starts, kind, self.time_zone, self.holiday_days)[:, None]
            places[:, pick] = slots(starts, kind, self.time_zone, self.step_s)[:, None]
        return types, places

    def level(self, starts: Ints) -> Level:
        types, places = self.bins(starts)
        each = np.arange(len(self.ids))[None, :]
        mean, sd = self.mean[each, types, places], self.sd[each, types, places]
        if self.shift.size:
            index = (np.asarray(starts) - self.shift_start) // self.step_s
            inside = (index >= 0) & (index < len(self.shift))
            mean = mean + sd * np.where(inside[:, None], self.shift[np.clip(index, 0, len(self.shift) - 1)], 0.0)
        found = Level(mean, sd, self.ceiling[each, places], self.active[each, places])
        if not self.given:
            return found
        index = (np.asarray(starts) - self.told_start) // self.step_s
        inside = (index >= 0) & (index < len(self.told))
        return self.following(found, np.where(inside[:, None], self.told[np.clip(index, 0, len(self.told) - 1)], np.nan), types, places)

    def following(self, level: Level, told: Floats, types: Ints, places: Ints) -> Level:
        """The level where forecasts of others (..., S), NaN where there are none, stand in place of the profile."""
        there, each = np.isfinite(told), np.arange(len(self.ids))
        mean = np.where(there, self.transforms.forward(told) + self.error_mean[each, types, places], level.mean)
        return Level(mean, np.where(there, self.error_sd[each, types, places], level.sd), np.where(there, np.inf, level.ceiling),
                     level.active)

    def standardise(self, values: Floats, level: Level) -> Floats:
        """(..., S) original values -> standardised residuals; NaN where unknown or inactive."""
        residual = (self.transforms.forward(values) - level.mean) / level.sd
        return np.where(level.active, residual, np.nan)

    def restore(self, residual: Floats, level: Level) -> Floats:
        """(..., S) standardised residuals -> original units, clipped; inactive intervals are exactly 0 where the case allows it."""
        values = self.transforms.inverse(level.mean + level.sd * np.clip(residual, -8.0, 8.0))
        return self.transforms.clip(np.where(level.active, np.minimum(values, level.ceiling), 0.0))

    def to_arrays(self, prefix: str) -> dict[str, NDArray[np.generic]]:
        """Everything as arrays, for one .npz."""
        meta = {"ids": self.ids, "kinds": self.kinds, "units": self.units, "rungs": self.rungs, "given": self.given,
                "time_zone": (self.time_zone,)}
        arrays: dict[str, NDArray[np.generic]] = {name: np.array(value, dtype=np.str_) for name, value in meta.items()}
        arrays |= {"step_s": np.array([self.step_s]), "holiday_days": self.holiday_days, "mean": self.mean, "sd": self.sd,
                   "active": self.active, "ceiling": self.ceiling, "widen": self.widen, "ar": self.arma.ar, "ma": self.arma.ma,
                   "variance": self.arma.variance, "code": self.transforms.code, "centre": self.transforms.centre,
                   "scale": self.transforms.scale, "low": self.transforms.low, "high": self.transforms.high,
                   "shift": self.shift, "shift_start": np.array([self.shift_start]),
                   "told": self.told,
                   "told_start": np.array([self.told_start]), "error_mean": self.error_mean, "error_sd": self.error_sd}
        return {prefix + name: value for name, value in arrays.items()}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.generic]], prefix: str) -> SeriesModels:
        def text(name: str) -> tuple[str, ...]:
            return tuple(str(value) for value in arrays[prefix + name])

        def number(name: str) -> Floats:
            return np.asarray(arrays[prefix + name], dtype=np.float64)

        transforms = Transforms(np.asarray(arrays[prefix + "code"], dtype=np.int64), number("centre"), number("scale"),
                                number("low"), number("high"))
        return cls(
            ids=text("ids"), kinds=text("kinds"), units=text("units"), time_zone=text("time_zone")[0],
            step_s=int(arrays[prefix + "step_s"][0]), holiday_days=np.asarray(arrays[prefix + "holiday_days"], dtype=np.int64),
            transforms=transforms, mean=number("mean"), sd=number("sd"), active=np.asarray(arrays[prefix + "active"], dtype=np.bool_),
            ceiling=number("ceiling"), widen=number("widen"), arma=Arma(number("ar"), number("ma"), number("variance")),
            rungs=text("rungs"), shift=number("shift"), shift_start=int(arrays[prefix + "shift_start"][0]),
            given=text("given"), told=number("told"), told_start=int(arrays[prefix + "told_start"][0]), error_mean=number("error_mean"),
            error_sd=number("error_sd"))

    def with_arma(self, arma: Arma, rungs: tuple[str, ...]) -> SeriesModels:
        return replace(self, arma=arma, rungs=rungs)
