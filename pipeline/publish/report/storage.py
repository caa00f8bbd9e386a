"""Every store: the energy planned the day before against the energy that was, and the power between."""

from __future__ import annotations

import numpy as np

from pipeline.equipment import EvAggregator, EvFleet, Store
from pipeline.publish.report.figure import (
    BLUE,
    MIST,
    ORANGE,
    Figure,
    Trace,
    View,
    end_line,
    layout,
    limit_lines,
    step_line,
    time_axis,
    value_axis,
)
from pipeline.publish.report.frames import DayTables, Rows, rows_on, where

UNITS = {"active": ("kW", "kWh"), "heat": ("kWth", "kWhth"), "hydrogen": ("m3/h", "m3")}


def stores(day: DayTables) -> Figure:
    """One view per store, then per EV aggregator and per electric-vehicle fleet."""
    energy = {stage: _states(day, stage) for stage in ("day_ahead", "real_time")}
    views = [view for device in day.case.devices if isinstance(device, Store) if (view := _store(day, device, energy)) is not None]
    parks = [device for device in day.case.devices if isinstance(device, EvAggregator)]
    views += [view for park in parks if (view := _aggregator(day, park, energy)) is not None]
    views += [view for device in day.case.devices if isinstance(device, EvFleet) if (view := _fleet(day, device)) is not None]
    return Figure(
        "storage",
        "Storage, day-ahead against real time",
        "Top: energy at the end of each interval, with its limits. Bottom: power at the bus, positive when the store feeds in.",
        views,
        choose="Store or fleet",
        height_px=480,
    )


def _states(day: DayTables, stage: str) -> Rows:
    """Energy by (device, quantity): from `states`, where the handed-on state is."""
    return rows_on(day.grid_of(stage), where(day.table("states"), stage=stage), ("device", "quantity"))


def _energy(day: DayTables, stage: str, device: str, energy: dict[str, Rows]) -> np.ndarray | None:
    """(T,) from the long table's `energy_*` rows, else from the handed-on states."""
    rows = day.plan if stage == "day_ahead" else day.settled
    for key, values in rows.items():
        if (key[1] == device and key[4].startswith("energy_k")) or (key[1] == device and key[4] == "energy_m3"):
            return values
    return next((values for key, values in energy[stage].items() if key[0] == device and key[1].startswith("energy")), None)


def _injection(rows: Rows, device: str, carrier: str) -> np.ndarray | None:
    return next((values for key, values in rows.items() if key[1] == device and key[3] == carrier and key[4] == "injection"), None)


def _pair(day: DayTables, device: str, carrier: str, unit: str) -> list[Trace]:
    """Power planned and settled, on the lower axis."""
    traces = []
    for rows, key, name, colour, dash in ((day.plan, "p", "day-ahead", BLUE, "dash"), (day.settled, "q", "real time", ORANGE, "solid")):
        values = _injection(rows, device, carrier)
        if values is not None:
            traces.append(step_line(key, values, name, unit, colour=colour, dash=dash, yaxis="y2", showlegend=False))
    return traces


def _axes(day: DayTables, top: str, bottom: str) -> dict[str, object]:
    plot = layout(
        day.day,
        "",
        height=480,
        yaxis=value_axis(top, domain=[0.42, 1.0], rangemode="tozero"),
        yaxis2=value_axis(bottom, domain=[0.0, 0.34], anchor="x"),
    )
    plot["xaxis"] = {**time_axis(day.day), "anchor": "y2"}
    return plot


def _store(day: DayTables, store: Store, energy: dict[str, Rows]) -> View | None:
    power_unit, energy_unit = UNITS[store.carrier]
    traces, ends = _levels(day, store.id, energy_unit, energy)
    traces += _pair(day, store.id, store.carrier, power_unit)
    if not traces:
        return None
    said = (
        f"{store.id}: {', '.join(ends)}; capacity {store.energy_max_kwh:,.0f} {energy_unit}, at the start {store.energy_initial_kwh:,.1f}."
    )
    plot = {
        **_axes(day, f"stored energy, {energy_unit}", f"power, {power_unit}"),
        "shapes": limit_lines((store.energy_min_kwh, store.energy_max_kwh), colour=MIST, width=1.4, dash="dot"),
    }
    return View(store.id, traces, plot, said)


def _levels(day: DayTables, device: str, unit: str, energy: dict[str, Rows]) -> tuple[list[Trace], list[str]]:
    """Energy planned and settled, on the upper axis, and where each ends."""
    traces: list[Trace] = []
    ends: list[str] = []
    for stage, key, name, colour, dash in (("day_ahead", "p", "day-ahead", BLUE, "dash"), ("real_time", "q", "real time", ORANGE, "solid")):
        values = _energy(day, stage, device, energy)
        if values is not None and np.isfinite(values).any():
            traces.append(end_line(key, values, name, unit, colour=colour, dash=dash))
            ends.append(f"{name} ends at {values[np.isfinite(values)][-1]:,.1f} {unit}")
    return traces, ends


def _aggregator(day: DayTables, device: EvAggregator, energy: dict[str, Rows]) -> View | None:
    """Energy of all connected vehicles: it rises and falls with who comes and leaves, too."""
    traces, ends = _levels(day, device.id, "kWh", energy)
    traces += _pair(day, device.id, "active", "kW")
    if not traces:
        return None
    moved = f"vehicles bring {device.arrival_energy_share:.0%} of a battery and take {device.departure_energy_share:.0%}"
    said = f"{device.id}: {', '.join(ends)}; {moved}."
    return View(device.id, traces, _axes(day, "energy of connected vehicles, kWh", "power, kW"), said)


def _fleet(day: DayTables, fleet: EvFleet) -> View | None:
    """Cumulative energy charged, from the power: a fleet's state is per cohort and means little to a reader."""
    traces: list[Trace] = []
    said = ""
    sides = ((day.plan, day.plan_grid, "day-ahead", BLUE, "dash"), (day.settled, day.quarters, "real time", ORANGE, "solid"))
    for rows, grid, name, colour, dash in sides:
        values = _injection(rows, fleet.id, "active")
        if values is None:
            continue
        charged = np.where(np.isfinite(values), np.cumsum(-np.nan_to_num(values)) * grid.step_h, np.nan)
        traces.append(end_line(grid.key, charged, name, "kWh", colour=colour, dash=dash))
        said += f" {name} {np.nanmax(charged):,.0f} kWh;"
    if not traces:
        return None
    traces += _pair(day, fleet.id, "active", "kW")
    return View(
        fleet.id,
        traces,
        _axes(day, "charged energy, kWh", "power, kW"),
        f"{fleet.id} ({fleet.vehicle_count} vehicles):{said.rstrip(';')}.",
    )
