"""What one re-dispatch decided, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pipeline.program.linear_program import Floats
from pipeline.schedule.findings import Finding
from pipeline.schedule.state import State


@dataclass(frozen=True)
class Dispatch:
    """Decided for interval `step` (1-based) before it began.

    columns: (J,) of the first interval, the set-points. duals: (B,) of its balance rows, None in a fallback.
    source: `incumbent` and `fallback` are flagged.
    """

    step: int
    columns: Floats
    duals: Floats | None
    source: Literal["optimal", "incumbent", "fallback"]
    objective: float
    gap: float
    seconds: float
    iterations: int
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class Settled:
    """Interval `step` as realised: the dispatch held, the mismatch at the balancing tie.

    columns: (J,), inputs: (I,) realised. unmet: kW per network that no device could take (0 on every sane day).
    """

    step: int
    columns: Floats
    inputs: Floats
    unmet: Floats
    before: State
