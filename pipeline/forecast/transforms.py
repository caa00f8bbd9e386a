"""Transforms that make each kind of series nearly Gaussian, vectorised over series."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.cases.sources import Series

Floats = NDArray[np.float64]

IDENTITY, LOG, SQRT, LOGIT, ASINH = range(5)
LOGIT_MARGIN = 0.01  # shares 0 and 1 are mapped so far inside
LOGGED_SHARE = 0.99  # of the values of a load must be positive for its logarithm to be taken
LOAD_GROWTH = 2.0  # a logged load goes beyond the largest of the window by so much: the exponential makes a wide night into any number
PRICE_SCALE = 1.5  # mean deviations from the median, where asinh turns from a straight line into a logarithm
PRICE_MARGIN = 0.1  # a price goes beyond what the window held by so much of its range: sinh makes a wide night into any number


@dataclass(frozen=True)
class Transforms:
    """One transform per series, arrays of shape (S,). What is made of a series lies in [low, high]: see `clip`."""

    code: NDArray[np.int64]
    centre: Floats
    scale: Floats
    low: Floats
    high: Floats

    def forward(self, value: Floats) -> Floats:
        """(..., S) original -> transformed; NaN stays NaN."""
        out = np.empty(value.shape)
        for code in np.unique(self.code):
            pick = self.code == code
            out[..., pick] = _forward(int(code), value[..., pick], self.centre[pick], self.scale[pick])
        return out

    def inverse(self, z: Floats) -> Floats:
        """(..., S) transformed -> original units, as wide as the transform throws it: `clip` it."""
        out = np.empty(z.shape)
        for code in np.unique(self.code):
            pick = self.code == code
            out[..., pick] = _inverse(int(code), z[..., pick], self.centre[pick], self.scale[pick])
        return out

    def clip(self, value: Floats) -> Floats:
        """(..., S) in original units, inside what the case and the window allow: the only place where anything is clipped."""
        return np.asarray(np.clip(value, self.low, self.high))


def _forward(code: int, value: Floats, centre: Floats, scale: Floats) -> Floats:
    if code == LOG:
        return np.log(np.maximum(value / scale, 0.02))
    if code == SQRT:
        return np.sqrt(np.maximum(value / scale, 0.0))
    if code == LOGIT:
        share = LOGIT_MARGIN + (1 - 2 * LOGIT_MARGIN) * np.clip(value / scale, 0.0, 1.0)
        return np.log(share / (1 - share))
    if code == ASINH:
        return np.arcsinh((value - centre) / scale)
    return value / scale


def _inverse(code: int, z: Floats, centre: Floats, scale: Floats) -> Floats:
    if code == LOG:
        return np.exp(np.minimum(z, 50.0)) * scale
    if code == SQRT:
        return np.maximum(z, 0.0) ** 2 * scale
    if code == LOGIT:
        return (1 / (1 + np.exp(-np.clip(z, -50.0, 50.0))) - LOGIT_MARGIN) / (1 - 2 * LOGIT_MARGIN) * scale
    if code == ASINH:
        return centre + scale * np.sinh(np.clip(z, -12.0, 12.0))
    return z * scale


def choose(series: tuple[Series, ...], values: Floats) -> Transforms:
    """Transforms by kind, scaled by what the window (S, T) holds and bounded by what the case says of each series.

    A load that is often zero or negative cannot be logged and stays as it is. A capacity that the case leaves out is read
    as 1.05 x the largest value seen.
    """
    count = len(series)
    code, centre, scale = np.zeros(count, dtype=np.int64), np.zeros(count), np.ones(count)
    low, high = np.array([one.bounds for one in series]).reshape(-1, 2).T.copy()
    for s, one in enumerate(series):
        known = values[s][np.isfinite(values[s])]
        peak = float(np.max(np.abs(known), initial=0.0)) or 1.0
        if one.kind == "price":
            code[s] = ASINH
            centre[s], scale[s] = _spread_of(known)
            reach = _reach(known, PRICE_MARGIN)
            low[s], high[s] = np.clip(reach, low[s], high[s])
        elif one.kind in ("pv", "wind"):
            code[s] = LOGIT if one.kind == "wind" else IDENTITY
            scale[s] = one.capacity_kw if one.capacity_kw is not None else 1.05 * peak
            high[s] = min(high[s], scale[s])
        elif one.kind == "heat":
            code[s], scale[s] = SQRT, peak
        elif one.kind == "load" and known.size and (known > 0).mean() > LOGGED_SHARE:
            code[s], scale[s] = LOG, float(np.median(known[known > 0]))
            high[s] = min(high[s], max(low[s], LOAD_GROWTH * peak))
        else:
            scale[s] = peak
    return Transforms(code, centre, scale, low, high)


def _spread_of(known: Floats) -> tuple[float, float]:
    """Centre and scale of the prices of a window. Twice the money makes twice of both: nothing here is an amount of any currency.

    The mean deviation, not the median one: that one is zero where a tariff stands still most of the time.
    """
    if not known.size:
        return 0.0, 1.0
    centre = float(np.median(known))
    return centre, PRICE_SCALE * float(np.mean(np.abs(known - centre))) or abs(centre) or 1.0


def _reach(known: Floats, margin: float) -> tuple[float, float]:
    """From the least to the largest of a window, and a share of the way between them beyond."""
    if not known.size:
        return -np.inf, np.inf
    beyond = margin * float(known.max() - known.min())
    return float(known.min()) - beyond, float(known.max()) + beyond
