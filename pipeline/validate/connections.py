"""EV aggregators: vehicles against the connection matrix of the case, powers and energies against the vehicles."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from pipeline.core.clock import local_hour
from pipeline.core.errors import Mistake
from pipeline.equipment import EvAggregator
from pipeline.validate.balances import rows_of_stage
from pipeline.validate.check import ENERGY_KWH, POWER_KW, Check, outside
from pipeline.validate.context import wide
from pipeline.validate.frame import Floats, first, place

SLOTS = 24
WHOLE = 1e-9
COLUMNS = ("arrivals_count", "departures_count", "expected_departures_count", "connected_count", "energy_kwh")
Vehicles = Mapping[str, Floats]  # column -> (S, T) in the order of the long table


def check_connections(check: Check, table: pa.Table | None) -> list[Mistake]:
    """Every aggregator of the case has its vehicles in `ev_connection`, and moves no more power and energy than they can."""
    devices = [device for device in check.case.devices if isinstance(device, EvAggregator)]
    if not devices:
        return []
    if table is None or not table.num_rows:
        return [Mistake(place("ev_connection", stage=check.stage), "has no row")]
    mine = table.filter(pa.array(rows_of_stage(table, check.stage)))
    cells = {column: wide(mine, ("scenario", "aggregator"), column) for column in COLUMNS}
    mistakes: list[Mistake] = []
    for device in devices:
        vehicles = {}
        for column in COLUMNS:
            grids = [cells[column].get((scenario, device.id), np.zeros(0)) for scenario in check.long.scenarios]
            width = int(check.long.steps[-1])
            vehicles[column] = np.array([np.pad(grid, (0, max(width - grid.size, 0)), constant_values=np.nan)[:width] for grid in grids])
            vehicles[column] = vehicles[column][:, check.long.steps - 1]
        found = _counts(check, device, vehicles)
        mistakes += found or _device(check, device, vehicles)
    return mistakes


def matrix_by_slot(check: Check, device: EvAggregator) -> tuple[Floats, Floats, int]:
    """Arrivals and departures (24,) by slot, and who is connected when the cycle begins. Counted vehicle by vehicle."""
    arrivals, departures, begun = np.zeros(SLOTS), np.zeros(SLOTS), 0
    for one in check.case.ev_connections:
        if one.aggregator == device.id:
            leaves = one.connect_slot + one.dwell_h
            arrivals[one.connect_slot - 1] += one.vehicle_count
            departures[(leaves - 1) % SLOTS] += one.vehicle_count
            begun += one.vehicle_count * (leaves > SLOTS)
    return arrivals, departures, begun


def by_step(check: Check, by_slot: Floats, *, late: bool) -> Floats:
    """(24,) by slot -> per step of the stage, over the whole day: a skipped hour's vehicles move on, a repeated hour has them once.

    What does not divide by the steps of an hour comes in its first ones, or leaves in its last.
    """
    hours = local_hour(check.grid.day.starts(60), check.case.time_zone)
    slots = (hours - hours[0]) % SLOTS
    hourly = np.zeros(len(hours))
    for slot in range(SLOTS):
        later = [position for position, have in enumerate(slots) if have >= slot]
        hourly[later[0] if later else -1] += by_slot[slot]
    parts = 60 // check.grid.step_min
    order = range(parts - 1, -1, -1) if late else range(parts)
    return np.concatenate([[count // parts + (part < count % parts) for part in order] for count in hourly])


def _counts(check: Check, device: EvAggregator, vehicles: Vehicles) -> list[Mistake]:
    """Whole vehicles; connected follows from who comes and leaves; nobody is lost; early departures within their budget."""
    arrivals, departures, begun = matrix_by_slot(check, device)
    at = check.long.steps - 1
    mistakes = _differs(check, device, "arrivals_count", vehicles, by_step(check, arrivals, late=False)[at])
    planned = by_step(check, departures, late=True)[at]
    mistakes += _differs(check, device, "expected_departures_count", vehicles, planned)
    connected, coming, leaving = (vehicles[name] for name in ("connected_count", "arrivals_count", "departures_count"))
    wanted = connected.copy()
    consecutive = np.diff(check.long.steps) == 1
    wanted[:, 1:] = np.where(consecutive, (connected + coming - leaving)[:, :-1], connected[:, 1:])
    if check.long.steps[0] == 1:
        wanted[:, 0] = begun
    mistakes += _differs(check, device, "connected_count", vehicles, wanted)
    for s, scenario in enumerate(check.long.scenarios):
        where = place("ev_connection", "departures_count", stage=check.stage, scenario=scenario, aggregator=device.id)
        if check.single[s] and np.any(np.abs(leaving[s] - np.rint(leaving[s])) > WHOLE):
            mistakes.append(Mistake(where, "holds parts of vehicles"))
        if len(at) == check.grid.count:
            moved = leaving[s] - planned
            if abs(moved.sum()) > WHOLE * len(at):
                mistakes.append(Mistake(where, f"sums to {leaving[s].sum():g}, by the matrix {planned.sum():g} vehicles leave"))
            if np.abs(moved).sum() > device.early_departure_budget_count + WHOLE * len(at):
                said = f"{np.abs(moved).sum():g} departures are moved, the budget is {device.early_departure_budget_count}"
                mistakes.append(Mistake(where, said))
    return mistakes


def _differs(check: Check, device: EvAggregator, column: str, vehicles: Vehicles, wanted: Floats) -> list[Mistake]:
    given = vehicles[column]
    wanted = np.broadcast_to(wanted, given.shape)
    found = np.argwhere(~(np.abs(given - wanted) <= WHOLE * np.maximum(1.0, np.abs(wanted))))
    return first([
        Mistake(place("ev_connection", column, stage=check.stage, scenario=check.long.scenarios[s], aggregator=device.id,
                      step=int(check.long.steps[t])), f"{given[s, t]:.9g}, recomputed {wanted[s, t]:.9g}")
        for s, t in found])


def _device(check: Check, device: EvAggregator, vehicles: Vehicles) -> list[Mistake]:
    long, at = check.long, (device.id, device.bus, "active")
    charge, discharge, energy = (long.get(*at, name) for name in ("charge_kw", "discharge_kw", "energy_kwh"))
    injection = long.values.get((*at, "injection"))
    if charge is None or discharge is None or energy is None or injection is None:
        return [Mistake(place(long.table, device=device.id), "lacks charge_kw, discharge_kw, energy_kwh or injection")]
    coming, leaving, connected = (vehicles[name] for name in ("arrivals_count", "departures_count", "connected_count"))
    mistakes = long.mistakes((*at, "injection"), np.abs(discharge - charge - injection) > POWER_KW,
                             "{:.6g}, discharging {:.6g} less charging {:.6g} is another number", injection, discharge, charge)
    mistakes += long.mistakes((*at, "energy_kwh"), np.abs(vehicles["energy_kwh"] - energy) > ENERGY_KWH,
                              "{:.6g}, ev_connection says {:.6g}", energy, vehicles["energy_kwh"])
    chargers = device.charger_kw * connected
    for name, power in (("charge_kw", charge), ("discharge_kw", discharge)):
        mistakes += outside(check, (*at, name), power, 0.0, chargers)
    mistakes += outside(check, (*at, "charge_kw"), charge + discharge, 0.0, chargers)
    after, battery = connected + coming - leaving, device.battery_kwh
    mistakes += outside(check, (*at, "energy_kwh"), energy, battery * device.energy_min_share * after,
                        battery * device.energy_max_share * after, ENERGY_KWH)
    mistakes += _ramps(check, device, {"charge_kw": charge, "discharge_kw": discharge}, vehicles)
    return mistakes + _energy(check, device, (charge, discharge, energy), vehicles)


def _ramps(check: Check, device: EvAggregator, powers: Mapping[str, Floats], vehicles: Vehicles) -> list[Mistake]:
    """Charging and discharging change by no more than the vehicles of the step before can, and the excess that is told.

    What leaving vehicles drew or fed may fall away at once; who left as the day began is not in its table: no fall is judged there.
    """
    if device.ramp_kw_per_h is None:
        return []
    at, connected = (device.id, device.bus, "active"), vehicles["connected_count"]

    def shifted(values: Floats, quantity: str) -> Floats:
        handed_on = check.context.before.get((device.id, quantity), np.nan) if check.long.steps[0] == 1 else np.nan
        return np.concatenate([np.full((len(values), 1), handed_on), values[:, :-1]], axis=1)

    usable = device.ramp_kw_per_h * check.grid.step_h * shifted(connected, "connected_count")
    usable = usable + check.long.zero_or(*at, "ramp_excess_kw")
    fallen = device.charger_kw * np.maximum(-np.diff(connected, axis=1, prepend=np.nan), 0.0)
    mistakes: list[Mistake] = []
    for quantity, power in powers.items():
        change = power - shifted(power, quantity)
        bad = (change > usable + POWER_KW) | (-change > usable + fallen + POWER_KW)
        said = "{:.6g} changes by {:.6g} kW, the ramp and what is told beyond it allow {:.6g}"
        mistakes += check.long.mistakes((*at, quantity), bad, said, power, change, usable)
    return mistakes


def _energy(check: Check, device: EvAggregator, power: tuple[Floats, Floats, Floats], vehicles: Vehicles) -> list[Mistake]:
    """Energy follows from the step before; who leaves held what it takes; the day ends with its reserve, and as it began."""
    long, at, (charge, discharge, energy) = check.long, (device.id, device.bus, "active"), power
    coming, leaving, connected = (vehicles[name] for name in ("arrivals_count", "departures_count", "connected_count"))
    slack, surplus = long.zero_or(*at, "ev_slack_kwh"), long.zero_or(*at, "ev_surplus_kwh")
    moved = check.grid.step_h * (device.charge_efficiency_share * charge - discharge / device.discharge_efficiency_share) + slack
    carried = device.battery_kwh * (device.arrival_energy_share * coming - device.departure_energy_share * leaving)
    before = check.begun(device.id, "energy_kwh", energy, first=check.context.before.get((device.id, "energy_kwh"), np.nan))
    begun = energy[:, 0] - (moved - surplus + carried)[:, 0]
    unknown = np.isnan(before[:, 0])
    before[unknown, 0] = begun[unknown]
    wanted = before + moved - surplus + carried
    mistakes = long.mistakes((*at, "energy_kwh"), np.abs(energy - wanted) > ENERGY_KWH,
                             "{:.6g}, the step before, the power and the vehicles make {:.6g}", energy, wanted)
    strict = device.departure_form == "start_of_slot"
    stays = device.remaining_energy_share if strict else device.energy_min_share
    due = device.battery_kwh * (device.departure_energy_share * leaving + stays * (connected - leaving))
    held = before + (slack if strict else moved)
    mistakes += long.mistakes((*at, "energy_kwh"), held < due - ENERGY_KWH, "{:.6g}: leaving vehicles found {:.6g} kWh of {:.6g}",
                              energy, held, due)
    if long.steps[-1] == check.grid.count and device.cross_cycle:
        least = np.zeros(energy.shape)
        least[:, -1] = reserve_kwh(check, device)
        mistakes += long.mistakes((*at, "energy_kwh"), energy < least - ENERGY_KWH, "ends the day at {:.6g}, the next one needs {:.6g}",
                                  energy, least)
    if check.stage == "day_ahead" and device.start == "cyclic":
        start = np.zeros(energy.shape)
        start[:, -1] = begun
        mistakes += long.mistakes((*at, "energy_kwh"), energy < start - 10 * ENERGY_KWH, "ends the day at {:.6g}, started at {:.6g}",
                                  energy, start)
        if np.ptp(begun) > 10 * ENERGY_KWH:
            mistakes.append(Mistake(place(long.table, device=device.id, quantity="energy_kwh", step=1),
                                    f"the day starts at {begun.min():.6g} to {begun.max():.6g} kWh: its start is one for all scenarios"))
    return mistakes


def reserve_kwh(check: Check, device: EvAggregator) -> float:
    """What vehicles that connected in this cycle and leave in the next one need at its end."""
    total = 0.0
    for one in check.case.ev_connections:
        left_h = one.connect_slot + one.dwell_h - SLOTS
        if one.aggregator == device.id and left_h > 0:
            still = left_h * device.charge_efficiency_share * device.charger_kw
            total += one.vehicle_count * max(device.battery_kwh * device.energy_min_share,
                                             device.battery_kwh * device.departure_energy_share - still)
    return total
