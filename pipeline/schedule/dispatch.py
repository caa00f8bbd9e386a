"""What one re-dispatch decided, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.program.linear_program import Floats
from pipeline.schedule.findings import Finding
from pipeline.schedule.state import State


@dataclass(frozen=True)
class Dispatch:
    """Decided for interval `step` (1-based) before it began.

    columns: (J,) of the first interval, the set-points. duals: (B,) of its balance rows, None in a fallback.
    source: `incumbent` and `fallback` are flagged; `held` was decided by an earlier run.
    """

    step: int
    columns: Floats
    duals: Floats | None
    source: Literal["optimal", "incumbent", "fallback", "held"]
    objective: float
    gap: float
    seconds: float
    iterations: int
    findings: tuple[Finding, ...] = ()


def to_arrays(dispatches: Sequence[Dispatch]) -> dict[str, NDArray[np.generic]]:
    """Set-points and duals of consecutive steps, for a later run that settles them with what is known then."""
    width = max((each.duals.size for each in dispatches if each.duals is not None), default=0)
    duals = [np.full(width, np.nan) if each.duals is None else each.duals for each in dispatches]
    steps = np.array([each.step for each in dispatches], dtype=np.int64)
    return {"step": steps, "columns": np.array([each.columns for each in dispatches]), "duals": np.array(duals)}


def held_from(arrays: Mapping[str, NDArray[np.generic]], *, before: int) -> tuple[Dispatch, ...]:
    """The dispatches of `to_arrays` of the steps before `before`."""
    columns, duals = arrays["columns"].astype(float), arrays["duals"].astype(float)
    return tuple(
        Dispatch(int(step), columns[k], None if not duals[k].size or np.isnan(duals[k]).all() else duals[k], "held", np.nan, np.inf, 0.0, 0)
        for k, step in enumerate(arrays["step"].astype(np.int64)) if step < before
    )


@dataclass(frozen=True)
class Settled:
    """Interval `step` as realised: the dispatch held, the mismatch at the balancing tie.

    columns: (J,), inputs: (I,) realised. unmet: per network what no device could take, kW, kWth and m3/h together (0 on every sane day).
    """

    step: int
    columns: Floats
    inputs: Floats
    unmet: Floats
    before: State
