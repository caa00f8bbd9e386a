"""The time axis of a model: positions, not dates."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Horizon:
    """`positions` intervals of `step_h` hours each. `rolling`: stores carry a terminal row against a reference energy.

    `held`: the day-ahead schedule is decided, so its commitments need no rows of their own and what leaves its positions is priced. A
    rolling window always is.
    """

    positions: int
    step_h: float
    rolling: bool = False
    held: bool = False

    def __post_init__(self) -> None:
        if self.positions < 1 or self.step_h <= 0:
            raise ValueError(f"a horizon needs positions >= 1 and step_h > 0, not {self.positions} and {self.step_h}")
