"""Commitments and ramps of a window, from the state that it starts in: inputs of the program, by one pass over its positions.

Where commitments are decided, units follow the schedule as far as outages and least times let them: an outage trips a unit, it
comes back when its least time off is over and the schedule still wants it, and what started late stays its least time. Where they are
not, the state only says what must stay on or off. A ramp may be exceeded by what the state and the limits force, and by nothing else.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from pipeline.program.linear_program import Floats
from pipeline.schedule.units import Flags, Ramps, Units

# window: what a re-dispatch or a schedule decides on; interval: one that is settled; bound: on days that were settled.
Purpose = Literal["window", "interval", "bound"]

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


def let_go(ramps: Ramps, filled: Floats, state: Floats, on_before: Flags, on: Flags, purpose: Purpose) -> None:
    """Ramps of each position: released where something is out, to be exceeded where nothing else is possible. In place.

    What a person asks for is followed as fast as the ramp lets it: such limits give way, those of the device do not. A bound on days
    that were settled leaves them out, and lets ramps be exceeded at their price wherever that pays.
    """
    out = (filled[:, ramps.low] <= 0.0) & (filled[:, ramps.high] <= 0.0) & (filled[:, ramps.low] >= 0.0)
    filled[:, ramps.release] = np.where(out, ramps.widest_kw, 0.0)
    if purpose == "bound":
        filled[:, ramps.low] = np.where(out, filled[:, ramps.low], np.minimum(filled[:, ramps.low], ramps.least_kw))
        filled[:, ramps.high] = np.where(out, filled[:, ramps.high], np.maximum(filled[:, ramps.high], ramps.most_kw))
        return
    lowest = highest = state[ramps.before]
    for t, row in enumerate(filled):
        up, down = ramps.reach(on_before, on[t])
        below, above = lowest - down - row[ramps.release], highest + up + row[ramps.release]
        runs = ramps.runs(on[t])
        row[ramps.low] = np.where(runs, np.minimum(row[ramps.low], np.maximum(above, ramps.least_kw)), row[ramps.low])
        row[ramps.high] = np.where(runs & ~out[t], np.maximum(row[ramps.high], np.minimum(below, ramps.most_kw)), row[ramps.high])
        low, high = limits(ramps, row, on[t])
        if purpose == "window":  # by how much each must be exceeded: from what can be reached to what limits ask for
            gap = np.maximum(np.maximum(low - above, below - high), 0.0)
            row[ramps.excess_high] = np.where(gap > 0.0, gap + _EXACT_KW, 0.0)
        lowest, highest, on_before = np.clip(below, low, high), np.clip(above, low, high), on[t]


def limits(ramps: Ramps, row: Floats, on: Flags) -> tuple[Floats, Floats]:
    """Lowest and highest power (n,) of one interval's inputs: nothing of a unit that is off."""
    runs = ramps.runs(on)
    high = np.where(runs, row[ramps.high], 0.0)
    return np.minimum(np.where(runs, row[ramps.low], 0.0), high), high
