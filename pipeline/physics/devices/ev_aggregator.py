"""An aggregator of vehicles as one energy level. Who is connected, arrives and leaves are inputs; energy stands at the end of a slot."""

from __future__ import annotations

from typing import Any

from pipeline.equipment import EvAggregator
from pipeline.physics.block import Setting, add_column, add_law, declare_input, offer_of, rate
from pipeline.physics.devices.ramp import RAMP_PRICE_PER_KWH


def build(block: Any, device: EvAggregator, setting: Setting) -> None:
    """injection = discharge - charge. Lack and surplus of energy are priced, so that no coming and going makes a program infeasible."""
    steps, step_h, offer = setting.steps, setting.step_h, offer_of(block)
    most_kw = device.vehicle_count * device.charger_kw
    charge = add_column(block, "charge_kw", steps, high=most_kw)
    discharge = add_column(block, "discharge_kw", steps, high=most_kw)

    def count(name: str) -> Any:
        return declare_input(block, name, steps, role="connection", device=device.id, aggregator=device.id)

    arrivals, departures, connected = count("arrivals_count"), count("departures_count"), count("connected_count")
    add_law(block, "power_limit", steps, rule=lambda t: charge[t] + discharge[t] <= device.charger_kw * connected[t])
    _power_limits(block, device, setting, charge, discharge)
    _energy(block, device, setting, (charge, discharge), (arrivals, departures, connected))
    if device.ramp_kw_per_h is not None:
        _ramps(block, device, setting, (charge, discharge), connected)
    if device.discharge_cost_per_kwh:
        offer.add_cost("storage_wear_cost", rate(step_h * device.discharge_cost_per_kwh, discharge))
    offer.injection["active"] = lambda t: discharge[t] - charge[t]


def _energy(block: Any, device: EvAggregator, setting: Setting, power: tuple[Any, Any], counts: tuple[Any, Any, Any]) -> None:
    """Balance, limits, what leaving vehicles take, and the end of the day."""
    steps, step_h, offer = setting.steps, setting.step_h, offer_of(block)
    (charge, discharge), (arrivals, departures, connected) = power, counts
    energy = add_column(block, "energy_kwh", steps, low=None)
    slack = add_column(block, "ev_slack_kwh", steps)
    surplus = add_column(block, "ev_surplus_kwh", steps)
    gain, drain = step_h * device.charge_efficiency_share, step_h / device.discharge_efficiency_share
    brought, taken = device.battery_kwh * device.arrival_energy_share, device.battery_kwh * device.departure_energy_share
    least, most = device.battery_kwh * device.energy_min_share, device.battery_kwh * device.energy_max_share
    start = _start(block, device, setting)

    def moved(t: Any) -> Any:
        return gain * charge[t] - drain * discharge[t] + slack[t]

    def after(t: Any) -> Any:
        return connected[t] + arrivals[t] - departures[t]

    balance = add_law(
        block, "energy_balance", steps,
        rule=lambda t: energy[t] - energy[t - 1] - moved(t) + surplus[t] - brought * arrivals[t] + taken * departures[t] == 0,
    )
    balance[1] = energy[1] - start - moved(1) + surplus[1] - brought * arrivals[1] + taken * departures[1] == 0
    add_law(block, "energy_limits_low", steps, rule=lambda t: energy[t] >= least * after(t))
    add_law(block, "energy_limits_high", steps, rule=lambda t: energy[t] <= most * after(t))
    _departures(block, device, setting, (energy, start), (moved, slack), (departures, connected))
    if device.cross_cycle:
        reserve = declare_input(block, "reserve_kwh", steps, role="connection", device=device.id, aggregator=device.id)
        add_law(block, "cross_cycle_reserve", steps, rule=lambda t: energy[t] >= reserve[t])
    if _decides_start(device, setting):
        last = setting.positions
        add_law(block, "cyclic_energy", rule=lambda: energy[last] - block.energy_start_kwh >= 0)
    price = setting.slack_price_per_kwh if device.unserved_price_per_kwh is None else device.unserved_price_per_kwh
    offer.add_cost("penalty_cost", rate(price, slack))
    offer.add_cost("penalty_cost", rate(price, surplus))
    if setting.rolling:
        _terminal(block, device, energy[setting.positions])


def _decides_start(device: EvAggregator, setting: Setting) -> bool:
    return device.start == "cyclic" and not setting.rolling


def _start(block: Any, device: EvAggregator, setting: Setting) -> Any:
    """Energy before the first position: handed on, and where the day is a cycle what is decided on top (then nothing is handed on)."""
    decided = _decides_start(device, setting)
    own_kwh = 0.0 if decided else device.energy_initial_kwh
    before = declare_input(block, "energy_before_kwh", role="state", device=device.id, default=own_kwh)
    return before + add_column(block, "energy_start_kwh") if decided else before


def _departures(block: Any, device: EvAggregator, setting: Setting, energy: tuple[Any, Any], moved: tuple[Any, Any],
                counts: tuple[Any, Any]) -> None:
    """Who leaves holds what it takes: with the power of its last slot, or, stricter, before it."""
    (level, start), (gained, slack), (departures, connected) = energy, moved, counts
    strict = device.departure_form == "start_of_slot"
    taken = device.battery_kwh * device.departure_energy_share
    staying = device.battery_kwh * (device.remaining_energy_share if strict else device.energy_min_share)

    def more(t: Any) -> Any:
        return slack[t] if strict else gained(t)

    rows = add_law(
        block, "departure_energy_before" if strict else "departure_energy", setting.steps,
        rule=lambda t: level[t - 1] + more(t) >= taken * departures[t] + staying * (connected[t] - departures[t]),
    )
    rows[1] = start + more(1) >= taken * departures[1] + staying * (connected[1] - departures[1])


def _ramps(block: Any, device: EvAggregator, setting: Setting, power: tuple[Any, Any], connected: Any) -> None:
    """Of charging and of discharging alike; what leaving vehicles drew or fed may fall away at once. Elastic as a generator's."""
    assert device.ramp_kw_per_h is not None
    steps, each_kw = setting.steps, device.ramp_kw_per_h * setting.step_h
    withdrawn = declare_input(block, "withdrawn_count", steps, role="connection", device=device.id, aggregator=device.id)
    usable = declare_input(block, "connected_before_count", role="state", device=device.id, default=device.vehicle_count)
    excess = add_column(block, "ramp_excess_kw", steps)
    for name, column in zip(("charge", "discharge"), power, strict=True):
        before = declare_input(block, f"{name}_before_kw", role="state", device=device.id, default=0.0)
        up = add_law(
            block, f"{name}_ramp_up", steps, rule=lambda t, p=column: p[t] - p[t - 1] - excess[t] <= each_kw * connected[t - 1],
        )
        down = add_law(
            block, f"{name}_ramp_down", steps,
            rule=lambda t, p=column: p[t - 1] - p[t] - excess[t] <= each_kw * connected[t - 1] + device.charger_kw * withdrawn[t],
        )
        up[1] = column[1] - before - excess[1] <= each_kw * usable
        down[1] = before - column[1] - excess[1] <= each_kw * usable + device.charger_kw * withdrawn[1]
    offer_of(block).add_cost("penalty_cost", rate(setting.step_h * RAMP_PRICE_PER_KWH, excess))


def _power_limits(block: Any, device: EvAggregator, setting: Setting, charge: Any, discharge: Any) -> None:
    """A person's word on the net power, elastic as a store's."""
    steps, most_kw = setting.steps, device.vehicle_count * device.charger_kw
    below, above = add_column(block, "power_below_kw", steps), add_column(block, "power_above_kw", steps)
    low = declare_input(block, "power_low_kw", steps, role="limit", device=device.id, default=-most_kw, side="low")
    high = declare_input(block, "power_high_kw", steps, role="limit", device=device.id, default=most_kw, side="high")
    add_law(block, "power_limits_low", steps, rule=lambda t: discharge[t] - charge[t] + below[t] >= low[t])
    add_law(block, "power_limits_high", steps, rule=lambda t: discharge[t] - charge[t] - above[t] <= high[t])
    offer = offer_of(block)
    offer.add_cost("penalty_cost", rate(setting.step_h * setting.slack_price_per_kwh, below))
    offer.add_cost("penalty_cost", rate(setting.step_h * setting.slack_price_per_kwh, above))


def _terminal(block: Any, device: EvAggregator, energy_end: Any) -> None:
    """|energy at the end of the window - that of the day-ahead schedule| at a price that is an input."""
    reference = declare_input(block, "energy_reference_kwh", role="reference", device=device.id)
    price = declare_input(block, "terminal_price_per_kwh", role="reference", device=device.id)
    short, over = add_column(block, "terminal_short_kwh"), add_column(block, "terminal_over_kwh")
    add_law(block, "terminal_energy", rule=lambda: energy_end + short - over == reference)
    offer_of(block).add_cost("terminal_cost", price * short + price * over)
