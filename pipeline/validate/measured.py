"""Measured states: what the table `states` says that steps began with, against what was measured and what was moved since."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import pyarrow as pa

from pipeline.core.errors import Mistake
from pipeline.equipment import Store
from pipeline.validate.balances import rows_of_stage
from pipeline.validate.check import ENERGY_KWH, SUFFIX, Check
from pipeline.validate.context import Measured, wide
from pipeline.validate.frame import Floats, first, place

Taken = Mapping[tuple[str, str], Floats]  # (device, quantity) -> (T,) what steps began with where it was measured, else NaN


def read_taken(table: pa.Table | None, *, stage: str, steps: np.ndarray) -> Taken:
    """Columns `measured_value` of `states` by device and quantity at these steps; only those with a value."""
    if table is None or not table.num_rows:
        return {}
    mine = table.filter(pa.array(rows_of_stage(table, stage)))
    if mine["measured_value"].null_count == mine.num_rows:
        return {}
    found = {}
    for (device, quantity), row in wide(mine, ("device", "quantity"), "measured_value").items():
        cells = np.full(int(steps.max()), np.nan)
        cells[: len(row)] = row[: len(cells)]
        if np.isfinite(cells).any():
            found[device, quantity] = cells[steps - 1]
    return found


def check_measured(check: Check) -> list[Mistake]:
    """Every measured state is where the run says that it began, carried there by what was moved since; and nothing else is called so."""
    known = check.context.measured
    if known is None:
        return []
    mistakes: list[Mistake] = []
    stores = {device.id: device for device in check.case.devices if isinstance(device, Store)}
    for device in stores.values():
        suffix = SUFFIX[device.carrier][1]
        key = (device.id, f"energy_{suffix}")
        ends = check.long.get(device.id, device.bus, device.carrier, f"energy_{suffix}")
        if ends is not None:
            mistakes += _energy(check, key, ends[check.operating])
    told = {(one.device, one.quantity) for step in known for one in step}
    for key, row in check.taken.items():
        # A unit's hours and power follow from finding it on or off.
        if key not in told and (key[0], "on_share") not in told and key[0] not in _withdrawn(check):
            step = int(check.long.steps[np.flatnonzero(np.isfinite(row))[0]])
            mistakes.append(Mistake(place("states", "measured_value", stage=check.stage, device=key[0], quantity=key[1], step=step),
                                    "nothing was measured of it"))
    for key in sorted(told):
        mistakes += _present(check, key)
    return mistakes


def _withdrawn(check: Check) -> set[str]:
    """Devices of which something was known at one step and no longer at a later one."""
    assert check.context.measured is not None
    steps = [{one.device for one in step} for step in check.context.measured]
    return {device for earlier, later in pairwise(steps) for device in earlier - later}


def _newest(step: tuple[Measured, ...], key: tuple[str, str], start: int) -> Measured | None:
    mine = [one for one in step if (one.device, one.quantity) == key and one.applies_at <= start]
    return max(mine, key=lambda one: one.measured_at) if mine else None


def _energy(check: Check, key: tuple[str, str], ends: Floats) -> list[Mistake]:
    """What a store began each step with: the end of the one before, or the measurement that came with it and what was moved since."""
    known, starts = check.context.measured or (), check.grid.starts
    taken = check.taken.get(key, np.full(len(ends), np.nan))
    begun = np.concatenate([[check.context.before.get(key, np.nan)], ends[:-1]])
    begun = np.where(np.isfinite(taken), taken, begun)
    moved, bad, wanted = ends - begun, np.zeros(len(ends), dtype=bool), np.full(len(ends), np.nan)
    held: Measured | None = None
    for t, step in enumerate(check.long.steps.tolist()):
        now = _newest(known[step - 1], key, int(starts[step - 1])) if step <= len(known) else held
        if now is not None and now != held:
            share = (int(starts[step - 1]) - now.applies_at) / (60 * check.grid.step_min)
            whole, part = int(share), share - int(share)
            since = moved[t - whole : t].sum() + (part * moved[t - whole - 1] if part > 0 else 0.0)
            wanted[t] = max(0.0, now.value + since)
            bad[t] = not abs(taken[t] - wanted[t]) <= ENERGY_KWH
        held = now
    return first((Mistake(place("states", "measured_value", stage=check.stage, device=key[0], quantity=key[1],
                                step=int(check.long.steps[t])), f"{taken[t]:.6g}, measured and moved since make {wanted[t]:.6g}")
                  for t in np.flatnonzero(bad)), of=int(bad.sum()))


def _present(check: Check, key: tuple[str, str]) -> list[Mistake]:
    """A unit that was found on or off, or for how long, begins so."""
    if key[1] not in ("on_share", "in_state_h"):
        return []
    known, taken = check.context.measured or (), check.taken.get(key, np.full(len(check.long.steps), np.nan))
    held: Measured | None = None
    for t, step in enumerate(check.long.steps.tolist()):
        start = int(check.grid.starts[step - 1])
        now = _newest(known[step - 1], key, start) if step <= len(known) else held
        if now is not None and now != held:
            wanted = now.value + ((start - now.applies_at) / 3600 if key[1] == "in_state_h" else 0.0)
            if not abs(taken[t] - wanted) <= 1e-6:
                return [Mistake(place("states", "measured_value", stage=check.stage, device=key[0], quantity=key[1], step=step),
                                f"{taken[t]:.6g}, measured was {wanted:.6g}")]
        held = now
    return []
