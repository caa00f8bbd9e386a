"""On and off of a unit: starts and stops, what they cost, and how long each state lasts at least."""

from __future__ import annotations

from math import ceil
from typing import Any

from pipeline.equipment import Generator
from pipeline.equipment.generator import Commitment
from pipeline.physics.block import Setting, add_column, add_law, declare_input, offer_of, rate
from pipeline.physics.devices.ramp import Committed


def least_steps(hours: float, step_h: float) -> int:
    """Intervals that a state lasts at least."""
    return ceil(hours / step_h - 1e-9)


def add_commitment(block: Any, device: Generator, setting: Setting) -> Committed:
    """Columns on, start and stop with their cost. Where they are decided already, the program holds no rows that bind them."""
    own = device.commitment
    assert own is not None
    steps, step_h, offer = setting.steps, setting.step_h, offer_of(block)
    on = add_column(block, "on_share", steps, binary=True)
    start = add_column(block, "start_share", steps, high=1.0)
    stop = add_column(block, "stop_share", steps, high=1.0)
    before = declare_input(block, "on_before_share", role="state", device=device.id, default=float(own.on_initially))
    declare_input(block, "in_state_before_h", role="state", device=device.id, default=own.hours_in_state_initially)
    offer.add_cost("commitment_cost", rate(own.start_cost, start))
    offer.add_cost("commitment_cost", rate(own.stop_cost, stop))
    if device.cost_constant_per_h:
        offer.add_cost("generator_cost", rate(step_h * device.cost_constant_per_h, on))
    if not setting.held:
        _switching(block, device, setting, on, start, stop, before)
        _least_times(block, own, setting, on, before)
    return Committed(on, before, device.power_min_kw)


def _switching(block: Any, device: Generator, setting: Setting, on: Any, start: Any, stop: Any, before: Any) -> None:
    """A start or a stop is a change of state; with on binary both are whole without being asked to."""
    steps = setting.steps
    low = declare_input(block, "on_low_share", steps, role="limit", device=device.id, default=0.0, side="low")
    high = declare_input(block, "on_high_share", steps, role="limit", device=device.id, default=1.0, side="high")
    add_law(block, "on_limits_low", steps, rule=lambda t: on[t] >= low[t])
    add_law(block, "on_limits_high", steps, rule=lambda t: on[t] <= high[t])
    change = add_law(block, "switching", steps, rule=lambda t: on[t] - on[t - 1] - start[t] + stop[t] == 0)
    change[1] = on[1] - before - start[1] + stop[1] == 0
    add_law(block, "start_limit", steps, rule=lambda t: start[t] <= on[t])
    add_law(block, "stop_limit", steps, rule=lambda t: stop[t] <= 1 - on[t])


def _least_times(block: Any, own: Commitment, setting: Setting, on: Any, before: Any) -> None:
    """After a start on for its least time, after a stop off; at the end of the horizon as long as it lasts."""
    for law, hours, up in (("minimum_up", own.min_up_h, True), ("minimum_down", own.min_down_h, False)):
        count, last = least_steps(hours, setting.step_h), setting.positions
        if count < 2:
            continue

        def lasting(t: Any, previous: Any, number: int, up: bool = up) -> Any:
            """sum of the state over `number` intervals from t on >= number x change into it."""
            state = sum([on[t + k] for k in range(number)])
            return state >= number * (on[t] - previous) if up else number - state >= number * (previous - on[t])

        rows = add_law(block, law, setting.steps, rule=lambda t, count=count, lasting=lasting: lasting(t, on[t - 1], count))
        for t in range(1, last + 1):
            if t == 1 or t + count - 1 > last:
                rows[t] = lasting(t, before if t == 1 else on[t - 1], min(count, last - t + 1))
