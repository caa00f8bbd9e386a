"""Dispatchable generator: a quadratic cost curve cut into chords of equal width, limits as inputs, ramps, on and off."""

from __future__ import annotations

from typing import Any

from pipeline.equipment import Generator
from pipeline.physics.block import Injection, Setting, add_column, add_law, declare_input, offer_of
from pipeline.physics.devices.commitment import add_commitment
from pipeline.physics.devices.ramp import Committed, add_ramps


def segment_slopes_per_kwh(device: Generator) -> list[float]:
    """Slope of chord i of a + b P + c P^2 over [0, Pmax] in G equal parts: b + c (2 i - 1) Pmax / G. Increasing, so no binaries."""
    width_kw = device.power_max_kw / device.segment_count
    numbers = range(1, device.segment_count + 1)
    return [device.cost_linear_per_kwh + device.cost_quadratic_per_kw2h * (2 * i - 1) * width_kw for i in numbers]


def build(block: Any, device: Generator, setting: Setting) -> None:
    """injection = sum of the segments; reactive power, ramps and commitment where the generator has them."""
    steps, step_h, offer = setting.steps, setting.step_h, offer_of(block)
    slopes = segment_slopes_per_kwh(device)
    segment_numbers = range(1, device.segment_count + 1)
    segment = add_column(block, "segment_kw", steps, list(segment_numbers), high=device.power_max_kw / device.segment_count)

    def power(t: Any) -> Any:
        return sum([segment[t, i] for i in segment_numbers])

    low = declare_input(block, "power_low_kw", steps, role="limit", device=device.id, default=device.power_min_kw, side="low")
    high = declare_input(block, "power_high_kw", steps, role="limit", device=device.id, default=device.power_max_kw, side="high")
    fuel = sum(step_h * slopes[i - 1] * segment[t, i] for t in steps for i in segment_numbers)
    committed = None
    if device.commitment is None:
        add_law(block, "power_limits_low", steps, rule=lambda t: power(t) >= low[t])
        fuel += step_h * device.cost_constant_per_h * setting.positions
    else:
        committed = _committed(block, device, setting, power, low)
    add_law(block, "power_limits_high", steps, rule=lambda t: power(t) <= high[t])
    offer.add_cost("generator_cost", fuel)
    offer.injection["active"] = power
    if device.reactive_max_kvar or device.reactive_min_kvar:
        _reactive(block, device, setting)
    if device.ramp_kw_per_h is not None:
        add_ramps(block, device.id, setting, power, ramp_kw_per_h=device.ramp_kw_per_h, initial_kw=device.power_initial_kw,
                  widest_kw=device.power_max_kw, committed=committed)


def _committed(block: Any, device: Generator, setting: Setting, power: Injection, low: Any) -> Committed:
    """Off it gives nothing, on at least its least power. An outage lowers the input to 0; a word above the least needs the unit on."""
    committed, least = add_commitment(block, device, setting), device.power_min_kw
    on = committed.on
    add_law(block, "commitment_limits_low", setting.steps, rule=lambda t: power(t) >= low[t] - least * (1 - on[t]))
    add_law(block, "commitment_limits_high", setting.steps, rule=lambda t: power(t) <= device.power_max_kw * on[t])
    return committed


def _reactive(block: Any, device: Generator, setting: Setting) -> None:
    steps = setting.steps
    reactive = add_column(block, "reactive_kvar", steps, low=min(0.0, device.reactive_min_kvar), high=max(0.0, device.reactive_max_kvar))
    low = declare_input(block, "reactive_low_kvar", steps, role="limit", device=device.id, default=device.reactive_min_kvar, side="low")
    high = declare_input(block, "reactive_high_kvar", steps, role="limit", device=device.id, default=device.reactive_max_kvar, side="high")
    add_law(block, "reactive_limits_low", steps, rule=lambda t: reactive[t] >= low[t])
    add_law(block, "reactive_limits_high", steps, rule=lambda t: reactive[t] <= high[t])
    offer_of(block).injection["reactive"] = lambda t: reactive[t]
