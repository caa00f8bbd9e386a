"""The measured state of the plant as a run knows it: per step, and carried over midnight by what the schedule of that day still does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np
import pyarrow.compute as pc

from pipeline.equipment import Store
from pipeline.program.linear_program import Floats
from pipeline.schedule.measured import Course, Key, Measurement, state_key
from pipeline.schedule.state import State
from pipeline.stages.keeping import began, plans
from pipeline.stages.opening import Run, load_run
from pipeline.stages.parents import DAY_BEFORE
from pipeline.store.measured import MeasuredState, standing


class Path:
    """States of a schedule over its day, (T + 1,) each: at the day's start and at the end of every step."""

    def __init__(self, times: Floats, values: Mapping[Key, Floats]) -> None:
        self.times, self.values = times, values

    def change(self, key: Key, moment: int) -> float:
        """From a moment to the end of the day; 0 for a state that the schedule does not know."""
        found = self.values.get(key)
        if found is None or not np.isfinite(found).all():
            return 0.0
        return float(found[-1] - np.interp(moment, self.times, found))

    def at(self, key: Key, moment: int) -> float | None:
        """On or off in the step that holds a moment."""
        found = self.values.get(key)
        place = int(np.searchsorted(self.times, moment, side="right"))
        return None if found is None else float(found[min(place, len(found) - 1)])


def day_before(run: Run) -> Run | None:
    """The schedule of the day before that the run starts from, or None."""
    record = run.named(DAY_BEFORE)
    return None if record is None else load_run(record.run_id)


@lru_cache(maxsize=8)
def _path_of(run: Run) -> Path:
    table = run.home.lake.read(run.record.run_id, "states")
    table = table.filter(pc.equal(table["stage"], "day_ahead"))
    step_s = 60 * run.case.settings.day_ahead_step_min
    count = run.day.steps(run.case.settings.day_ahead_step_min)
    stored = plans(run).load("state-0")
    begin = {} if stored is None else {
        state_key(name): value for name, value in zip(State.from_arrays(stored[0]).names, stored[0]["values"].astype(float), strict=True)}
    values: dict[Key, Floats] = {}
    for device, quantity, step, value in zip(*(table[name].to_pylist() for name in ("device", "quantity", "step", "value")), strict=True):
        row = values.setdefault((device, quantity), np.full(count + 1, np.nan))
        row[step] = value
    for key, row in values.items():
        row[0] = begin.get(key, np.nan)
    return Path(run.day.start + step_s * np.arange(count + 1, dtype=float), values)


def known_per_step(run: Run, issue_times: Sequence[int]) -> list[list[Measurement]]:
    """Per issue time, the measured states in force then; of the day before, those that its own real time had no use of."""
    states = run.knowledge.measured
    used_until = measured_until(run)
    before = day_before(run) if any(state.measured_at < run.day.start for state in states) else None
    path = None if before is None else _path_of(before)
    carried = {state: _carried(run, state, path) for state in states}
    found: list[list[Measurement]] = []
    for moment in issue_times:
        now = standing(state for state in states if state.known_at <= moment)
        fresh = [state for state in now if state.measured_at >= run.day.start or state.known_at > used_until]
        found.append([one for state in fresh if (one := carried[state]) is not None])
    return found


def measured_until(run: Run) -> int:
    """The issue time up to which the state that is handed on has met what was measured; -1 where nothing is handed on."""
    if run.record.product == "day_ahead":
        return -1
    parent = run.parent("real_time")
    if parent is None:
        return -1
    if run.steps[0] == 1:
        return parent.issued_at
    return int(began(run, "measured-until")["issued_at"][0])


def _carried(run: Run, state: MeasuredState, path: Path | None) -> Measurement | None:
    """A state of the day before as the day begins, by what the schedule did from then on; None where the schedule knows better."""
    key, value, at = (state.device, state.quantity), state.value, state.measured_at
    if at >= run.day.start or path is None:
        applies = at if at >= run.day.start or not state.quantity.startswith("energy_") else run.day.start
        return Measurement(state.device, state.quantity, at, applies, value)
    if state.quantity in ("on_share", "in_state_h"):
        planned, last = path.at((state.device, "on_share"), at), path.at((state.device, "on_share"), run.day.start)
        if state.quantity == "on_share" and planned == value:
            return None
        return None if state.quantity == "in_state_h" and planned != last else Measurement(state.device, state.quantity, at, at, value)
    if not state.quantity.startswith("energy_"):
        return Measurement(state.device, state.quantity, at, at, value)
    ends = value + path.change(key, at)
    store = next((one for one in run.case.devices if isinstance(one, Store) and one.id == state.device), None)
    if store is not None:  # at its limits the schedule ends, but what is outside already stays there
        ends = min(max(ends, min(store.energy_min_kwh, value)), max(store.energy_max_kwh, value))
    return Measurement(state.device, state.quantity, at, run.day.start, max(0.0, ends), read=value)


def course_of(run: Run, names: tuple[str, ...], issue_times: Sequence[int]) -> Course | None:
    """The states of the run's day, where any was measured. A day-ahead run has one step: the start of the day."""
    if not run.knowledge.measured:
        return None
    known = known_per_step(run, issue_times)
    return Course(run.case, run.day.starts()[: len(known)], names, known) if any(known) else None
