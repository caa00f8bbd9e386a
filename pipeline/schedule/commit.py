"""Commitments and ramps of a window, from the state that it starts in: inputs of the program, by one pass over its positions.

Where commitments are decided, units follow the schedule as far as outages and least times let them: an outage trips a unit, it
comes back when its least time off is over and the schedule still wants it, and what started late stays its least time. Where they are
not, the state only says what must stay on or off. A ramp may be exceeded by what the state and the limits force, and by nothing else.
"""

from __future__ import annotations

import numpy as np

from pipeline.program.linear_program import Floats
from pipeline.schedule.units import Flags, Ramps, Units

_EXACT_H = 1e-9
_EXACT_KW = 1e-6


def commit(units: Units, filled: Floats, state: Floats, step_h: float) -> Flags:
    """On or off of each position, (T, units), as decided; where it is not, what may be on. `filled` (T, I) is changed in place."""
    able = filled[:, units.high] >= units.least_kw - _EXACT_KW
    able &= filled[:, units.high] > _EXACT_KW
    on_before, hours = state[units.on_before] > 0.5, state[units.in_state]
    if units.decided:
        on = _followed(units, filled[:, units.on] > 0.5, able, on_before, hours, step_h)
        before = np.vstack([on_before, on[:-1]])
        filled[:, units.on], filled[:, units.start], filled[:, units.stop] = on, on & ~before, before & ~on
    else:
        elapsed = hours + step_h * np.arange(len(filled))[:, None]
        must_on = on_before & (elapsed < units.up_h - _EXACT_H) & np.logical_and.accumulate(able, axis=0)
        on = able & ~(~on_before & (elapsed < units.down_h - _EXACT_H))
        if (units.on_low >= 0).all():
            filled[:, units.on_low], filled[:, units.on_high] = must_on, on
    off = np.minimum(filled[:, units.low], units.least_kw)  # a word asks more of it than its least: it cannot follow while it is off
    filled[:, units.low] = np.where(on, filled[:, units.low], off)
    return on


def _followed(units: Units, wanted: Flags, able: Flags, before: Flags, hours: Floats, step_h: float) -> Flags:
    """The schedule as it can be followed, (T, n)."""
    on = np.empty_like(wanted)
    for t in range(len(wanted)):
        stays = before & (hours < units.up_h - _EXACT_H)
        rests = ~before & (hours < units.down_h - _EXACT_H)
        on[t] = able[t] & (stays | (wanted[t] & ~rests))
        hours = np.where(on[t] == before, hours + step_h, step_h)
        before = on[t]
    return on


def advance(units: Units, on: Flags, state: Floats, after: Floats, step_h: float) -> None:
    """The state after one interval in which units were on or off, (n,). In place."""
    same = on == (state[units.on_before] > 0.5)
    after[units.in_state] = np.where(same, state[units.in_state] + step_h, step_h)
    after[units.on_before] = on


def let_go(ramps: Ramps, units: Units, filled: Floats, state: Floats, on: Flags, *, elastic: bool) -> None:
    """Ramps of each position: released where something is out, to be exceeded where nothing else is possible. In place.

    elastic: the excess is bounded by nothing but its price, as a bound on days that were settled needs it.
    """
    out = (filled[:, ramps.low] <= 0.0) & (filled[:, ramps.high] <= 0.0) & (filled[:, ramps.low] >= 0.0)
    filled[:, ramps.release] = np.where(out, ramps.widest_kw, 0.0)
    if not elastic:
        filled[:, ramps.excess_high] = _forced(ramps, units, filled, state, on)


def _forced(ramps: Ramps, units: Units, filled: Floats, state: Floats, on: Flags) -> Floats:
    """By how much each ramp must be exceeded, (T, n): the distance from what can be reached to what limits ask for."""
    lowest = highest = state[ramps.before]
    on_before = state[units.on_before] > 0.5
    found = np.zeros((len(filled), len(ramps.names)))
    for t, row in enumerate(filled):
        up, down = ramps.reach(on_before, on[t])
        low, high = limits(ramps, row, on[t])
        below, above = lowest - down - row[ramps.release], highest + up + row[ramps.release]
        gap = np.maximum(np.maximum(low - above, below - high), 0.0)
        found[t] = np.where(gap > 0.0, gap + _EXACT_KW, 0.0)
        lowest, highest = np.clip(below, low, high), np.clip(above, low, high)
        on_before = on[t]
    return found


def limits(ramps: Ramps, row: Floats, on: Flags) -> tuple[Floats, Floats]:
    """Lowest and highest power (n,) of one interval's inputs: nothing of a unit that is off."""
    runs = np.ones(len(ramps.names), dtype=bool)
    runs[ramps.unit >= 0] = on[ramps.unit[ramps.unit >= 0]]
    high = np.where(runs, row[ramps.high], 0.0)
    return np.minimum(np.where(runs, row[ramps.low], 0.0), high), high
