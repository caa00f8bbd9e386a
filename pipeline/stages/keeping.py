"""What a run keeps beside its tables for the runs after it: plans and states, as arrays."""

from __future__ import annotations

import numpy as np

from pipeline.core.errors import InputError, Mistake
from pipeline.schedule.state import State
from pipeline.stages.opening import Run, load_run
from pipeline.store.cache import ArrayCache


def plans(run: Run) -> ArrayCache:
    """Day-ahead plans as arrays, for the re-dispatch."""
    return ArrayCache(run.home.path / "runs" / run.record.run_id)


def handed_on(run: Run) -> State | None:
    """The state in which the run before ended, of the day before at step 1; None where there is none."""
    parent = run.parent("real_time")
    if parent is None:
        return None
    before = load_run(parent.run_id)
    step = run.steps[0] - 1 or before.day.steps()
    stored = plans(before).load(f"state-{step}")
    if stored is None:
        raise InputError(Mistake(f"run {parent.run_id}, {before.day.date}", f"its state after step {step} is not in {plans(before).folder}",
                                 "run real time of that day again with --replace, or set start_state: initial"))
    return State.from_arrays(stored[0])


def began(run: Run, name: str) -> dict[str, np.ndarray]:
    """What the run before kept of the day so far: `state-0`, where it began, or `dispatched`, the set-points since."""
    parent = run.parent("real_time")
    stored = None if parent is None else plans(load_run(parent.run_id)).load(name)
    if stored is None:
        raise InputError(Mistake(f"run {run.record.run_id}, {run.day.date}", f"the run before it kept no {name}",
                                 "run real time of the day again from step 1"))
    return dict(stored[0])
