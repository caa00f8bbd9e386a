"""What is clustered: standardised net load, half-weighted price and the daily net sum (49 numbers on hours)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.cases.case import Case
from pipeline.cases.net_load import net_load, price_series
from pipeline.core.errors import InputError, Mistake

Floats = NDArray[np.float64]

QUARTERS_PER_HOUR = 4
PRICE_WEIGHT = 0.5


def hourly(values: Floats) -> Floats:
    """(..., T) quarter-hours -> (..., hours) means; a last part of an hour is its own mean."""
    rest = -values.shape[-1] % QUARTERS_PER_HOUR
    if rest:
        values = np.concatenate([values, np.repeat(values[..., -1:], rest, axis=-1)], axis=-1)
    return np.asarray(values.reshape(*values.shape[:-1], -1, QUARTERS_PER_HOUR).mean(axis=-1))


def features(case: Case, draws: Floats) -> Floats:
    """(N, F) features of draws (N, S, T). Raises InputError where a draw is not finite: a map fed NaN learns NaN silently."""
    refuse_gaps(draws)
    net = hourly(net_load(case, draws))
    parts = [_standard(net)]
    price = price_series(case)
    if price is not None:
        parts.append(PRICE_WEIGHT * _standard(hourly(draws[:, price])))
    total = net.sum(axis=1, keepdims=True)
    parts.append(_standard(total))
    return np.concatenate(parts, axis=1)


def refuse_gaps(draws: Floats) -> None:
    """Raises InputError where a draw (N, S, T) is not finite."""
    bad = np.argwhere(~np.isfinite(draws))
    if bad.size:
        raise InputError(Mistake(f"scenario draws, row {int(bad[0][0])}", f"{len(bad)} values are not finite",
                                 "draw them from a forecast without gaps"))


def _standard(values: Floats) -> Floats:
    """Centred per column, scaled by one standard deviation over all columns: hours that vary more weigh more."""
    centred = values - values.mean(axis=0)
    scale = float(np.sqrt(np.mean(centred**2)))
    return np.asarray(centred / scale) if scale > 0 else centred
