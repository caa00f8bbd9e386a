"""Ramps of generators, converters, stores and ties, from the power that is published."""

from __future__ import annotations

import numpy as np

from pipeline.core.errors import Mistake
from pipeline.validate.check import POWER_KW, Check, UnitRows
from pipeline.validate.frame import Floats, Key


def ramp_mistakes(
    check: Check, key: Key, power: Floats, *, ramp_kw_per_h: float | None, excess: Floats, before: float | None,
    unit: UnitRows | None = None, least_kw: float = 0.0,
) -> list[Mistake]:
    """Changes of `power` (S, T) beyond the ramp and the excess that is told; `before`: at the first step, None where it is not known.

    unit: a start may reach, and a stop leave, the larger of ramp and least power. Steps under a person's word are let go.
    """
    if ramp_kw_per_h is None:
        return []
    ramp = ramp_kw_per_h * check.grid.step_h
    edge = max(ramp, least_kw)
    on = np.ones(power.shape[1], dtype=bool) if unit is None else unit.on
    known = before is not None and check.long.steps[0] == 1
    was = np.concatenate([[on[0]], on[:-1]])
    found = check.taken.get((key[0], "on_share"))
    was = was if found is None else np.where(np.isfinite(found), found > 0.5, was)
    if unit is not None and known:
        measured = found is not None and np.isfinite(found[0])
        was[0] = was[0] if measured else check.context.before.get((key[0], "on_share"), float(on[0])) > 0.5
    up = ramp * was + edge * (on.astype(float) - was)
    down = ramp * on + edge * (was.astype(float) - on)
    quantity = next((name for device, name in check.taken if device == key[0] and name.startswith(("power_", "exchange_"))), "")
    change = power - check.begun(key[0], quantity, power, first=before if before is not None and known else np.nan)
    bad = (change > up + excess + POWER_KW) | (-change > down + excess + POWER_KW)
    return check.long.mistakes(key, bad & ~check.overridden(key[0]), "{:.6g} breaks the ramp from the step before", power)
