"""Transforms that make each kind of series nearly Gaussian, vectorised over series."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

IDENTITY, LOG, SQRT, LOGIT, ASINH = range(5)
PRICE_CENTRE, PRICE_SCALE = 20.0, 15.0  # asinh((p - 20) / 15), p per MWh: negative prices live
LOGIT_MARGIN = 0.01  # shares 0 and 1 are mapped so far inside
PRICE_MARGIN = 0.1  # a price goes beyond what the window held by so much of its range: sinh makes a wide night into any number


@dataclass(frozen=True)
class Transforms:
    """One transform per series, arrays of shape (S,). Values are clipped to [low, high] on the way back."""

    code: NDArray[np.int64]
    scale: Floats
    low: Floats
    high: Floats

    def forward(self, value: Floats) -> Floats:
        """(..., S) original -> transformed; NaN stays NaN."""
        out = np.empty(value.shape)
        for code in np.unique(self.code):
            pick = self.code == code
            out[..., pick] = _forward(int(code), value[..., pick], self.scale[pick])
        return out

    def inverse(self, z: Floats) -> Floats:
        """(..., S) transformed -> original units, clipped."""
        out = np.empty(z.shape)
        for code in np.unique(self.code):
            pick = self.code == code
            out[..., pick] = _inverse(int(code), z[..., pick], self.scale[pick])
        return np.clip(out, self.low, self.high)


def _forward(code: int, value: Floats, scale: Floats) -> Floats:
    if code == LOG:
        return np.log(np.maximum(value / scale, 0.02))
    if code == SQRT:
        return np.sqrt(np.maximum(value / scale, 0.0))
    if code == LOGIT:
        share = LOGIT_MARGIN + (1 - 2 * LOGIT_MARGIN) * np.clip(value / scale, 0.0, 1.0)
        return np.log(share / (1 - share))
    if code == ASINH:
        return np.arcsinh((value * scale - PRICE_CENTRE) / PRICE_SCALE)
    return value / scale


def _inverse(code: int, z: Floats, scale: Floats) -> Floats:
    if code == LOG:
        return np.exp(np.minimum(z, 50.0)) * scale
    if code == SQRT:
        return np.maximum(z, 0.0) ** 2 * scale
    if code == LOGIT:
        return (1 / (1 + np.exp(-np.clip(z, -50.0, 50.0))) - LOGIT_MARGIN) / (1 - 2 * LOGIT_MARGIN) * scale
    if code == ASINH:
        return (PRICE_CENTRE + PRICE_SCALE * np.sinh(np.clip(z, -12.0, 12.0))) / scale
    return z * scale


def choose(kinds: tuple[str, ...], units: tuple[str, ...], capacities: tuple[float | None, ...], values: Floats) -> Transforms:
    """Transforms by kind, scaled by what the window (S, T) holds.

    A load that is often zero or negative cannot be logged and stays as it is. A capacity that the case leaves out is read
    as 1.05 x the largest value seen.
    """
    count = len(kinds)
    code, scale = np.zeros(count, dtype=np.int64), np.ones(count)
    low, high = np.full(count, -np.inf), np.full(count, np.inf)
    for s, kind in enumerate(kinds):
        known = values[s][np.isfinite(values[s])]
        peak = float(np.max(np.abs(known), initial=0.0)) or 1.0
        capacity = capacities[s]
        if kind == "price":
            code[s], scale[s] = ASINH, 1000.0 if units[s].endswith("/kWh") else 1.0
            if known.size:
                margin = PRICE_MARGIN * float(known.max() - known.min())
                low[s], high[s] = known.min() - margin, known.max() + margin
        elif kind in ("pv", "wind"):
            code[s] = LOGIT if kind == "wind" else IDENTITY
            scale[s] = capacity if capacity is not None else 1.05 * peak
            low[s], high[s] = 0.0, scale[s]
        elif kind == "heat":
            code[s], scale[s], low[s] = SQRT, peak, 0.0
        elif kind == "load" and (known > 0).mean() > 0.99:
            code[s], scale[s], low[s] = LOG, float(np.median(known[known > 0])), 0.0
        else:
            scale[s] = peak
    return Transforms(code, scale, low, high)
