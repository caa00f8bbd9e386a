"""Voltages over the feeder: decided (LinDistFlow) against the AC power flow, by bus and by time."""

from __future__ import annotations

import numpy as np

from pipeline.equipment import Network
from pipeline.publish.report.axis import TimeGrid
from pipeline.publish.report.figure import (
    INK,
    MIST,
    SKY,
    VERMILLION,
    Figure,
    Trace,
    View,
    layout,
    limit_lines,
    plain,
    time_axis,
    value_axis,
)
from pipeline.publish.report.frames import DayTables, rows_on, where

BUSES_PER_VIEW = 70
# Purple to orange over white: one hue per side of 1 p.u., safe for colour blindness (ColorBrewer PuOr).
DIVERGING = [[0.0, "#542788"], [0.25, "#998ec3"], [0.5, "#f7f7f7"], [0.75, "#f1a340"], [1.0, "#b35806"]]


def _networks(day: DayTables) -> list[Network]:
    return [network for network in day.case.networks if network.kind == "lindistflow"]


def _voltages(day: DayTables, network: Network) -> tuple[TimeGrid, list[str], np.ndarray, np.ndarray]:
    """Grid, buses in the case's order, decided and AC voltages (buses, T); AC is NaN where it was not computed."""
    stage = day.stage_of("bus_state")
    grid = day.grid_of(stage)
    table = where(day.table("bus_state"), stage=stage, network=network.id)
    decided, checked = (rows_on(grid, table, ("bus",), column) for column in ("voltage_pu", "voltage_ac_pu"))
    buses = [bus.id for bus in day.case.buses if (bus.id,) in decided]
    shape = (len(buses), len(grid))
    return grid, buses, np.array([decided[(b,)] for b in buses]).reshape(shape), np.array([checked[(b,)] for b in buses]).reshape(shape)


def profile(day: DayTables) -> Figure:
    """Lowest to highest voltage of the day at each bus."""
    views: list[View] = []
    for network in _networks(day):
        _, buses, decided, checked = _voltages(day, network)
        count = -(-len(buses) // BUSES_PER_VIEW)
        for part in np.array_split(np.arange(len(buses)), count) if buses else []:
            label = network.id if count == 1 else f"{network.id}: {buses[part[0]]} to {buses[part[-1]]}"
            views.append(_profile_view(network, label, [buses[i] for i in part], decided[part], checked[part]))
    return Figure(
        "voltage_profile",
        "Voltage by bus, range over the day",
        "Each bar spans the lowest to the highest voltage of the day at that bus. Bars must stay between the dashed limits; "
        "where the two colours part, the decision model and the AC power flow disagree.",
        views,
        choose="Buses",
        height_px=420,
    )


def _profile_view(network: Network, label: str, buses: list[str], decided: np.ndarray, checked: np.ndarray) -> View:
    traces = [_range_bar(buses, decided, "decided (LinDistFlow)", SKY, 0.8)]
    if np.isfinite(checked).any():
        traces.append(_range_bar(buses, checked, "AC power flow", VERMILLION, 0.3))
    limits = limit_lines((network.voltage_min_pu, network.voltage_max_pu), colour=INK, width=1.6, dash="dash")
    plot = layout(None, "voltage, p.u.", height=420, barmode="overlay", shapes=limits, bargap=0.1)
    both = np.concatenate([decided.ravel(), checked[np.isfinite(checked)]])
    low, high = min(np.nanmin(both), network.voltage_min_pu), max(np.nanmax(both), network.voltage_max_pu)
    plot["yaxis"] = value_axis("voltage, p.u.", range=[float(low) - 0.006, float(high) + 0.006], zeroline=False, tickformat=".3f")
    plot["xaxis"] = {
        "type": "category",
        "tickangle": -60,
        "tickfont": {"size": 10.5},
        "title": {"text": "bus"},
        "automargin": True,
        "dtick": 1 if len(buses) <= 40 else 2,
    }
    plot["margin"] = {"l": 72, "r": 24, "t": 36, "b": 96}
    return View(label, traces, plot, _said(buses, decided, checked, network))


def _range_bar(buses: list[str], values: np.ndarray, name: str, colour: str, width: float) -> Trace:
    low, high = np.nanmin(values, axis=1), np.nanmax(values, axis=1)
    return {
        "type": "bar",
        "x": buses,
        "base": plain(low, 5),
        "y": plain(np.maximum(high - low, 2e-4)),
        "name": name,
        "width": width,
        "marker": {"color": colour, "line": {"width": 0}},
        "customdata": [[f"{a:.4f}", f"{b:.4f}"] for a, b in zip(low, high, strict=True)],
        "hovertemplate": "%{customdata[0]} to %{customdata[1]} p.u.",
    }


def _said(buses: list[str], decided: np.ndarray, checked: np.ndarray, network: Network) -> str:
    values, how = (checked, "AC power flow") if np.isfinite(checked).any() else (decided, "decision model")
    low, high = np.unravel_index(np.nanargmin(values), values.shape), np.unravel_index(np.nanargmax(values), values.shape)
    gap = (
        f"; largest gap between the two {np.nanmax(np.abs(checked - decided)):.4f} p.u."
        if how == "AC power flow"
        else "; not yet checked by AC power flow."
    )
    return (
        f"By {how}: lowest {values[low]:.4f} p.u. at {buses[low[0]]}, highest {values[high]:.4f} p.u. at {buses[high[0]]}; "
        f"limits {network.voltage_min_pu:g} and {network.voltage_max_pu:g}{gap}"
    )


def heatmap(day: DayTables) -> Figure:
    """Bus by time: AC, decided, and their difference."""
    views: list[View] = []
    for network in _networks(day):
        grid, buses, decided, checked = _voltages(day, network)
        if not buses:
            continue
        prefix = f"{network.id}: " if len(_networks(day)) > 1 else ""
        if np.isfinite(checked).any():
            views.append(_heat_view(day, grid, buses, checked, prefix + "AC power flow", 1.0, network))
        views.append(_heat_view(day, grid, buses, decided, prefix + "decided (LinDistFlow)", 1.0, network))
        if np.isfinite(checked).any():
            views.append(_heat_view(day, grid, buses, checked - decided, prefix + "AC minus decided", 0.0, network))
    return Figure(
        "voltage_heat",
        "Voltage over the day",
        "White is nominal (or no difference), purple is low, orange is high. A dark band is a place and an hour to look at.",
        views,
        choose="Voltage",
        height_px=520,
    )


def _heat_view(day: DayTables, grid: TimeGrid, buses: list[str], values: np.ndarray, label: str, middle: float, network: Network) -> View:
    reach = float(np.nanmax(np.abs(values - middle))) or 1e-4
    if middle:
        reach = max(reach, network.voltage_max_pu - 1, 1 - network.voltage_min_pu)
    trace: Trace = {
        "type": "heatmap",
        "x": f"@{grid.key}_edges",
        "y": buses,
        "z": [plain(np.round(row, 4), 7) for row in values],
        "zmid": middle,
        "zmin": middle - reach,
        "zmax": middle + reach,
        "colorscale": DIVERGING,
        "colorbar": {
            "title": {"text": "p.u.", "side": "top"},
            "thickness": 14,
            "outlinewidth": 0,
            "tickformat": ".3f" if middle else ".4f",
        },
        "xgap": 0,
        "ygap": 0,
        "text": f"@rows:{grid.key}_span",
        "hovertemplate": "%{y}, %{text}<br>%{z:.4f} p.u.<extra></extra>",
        "hoverongaps": False,
    }
    plot = layout(
        day.day, "", height=max(420, min(900, 120 + 7 * len(buses))), hovermode="closest", margin={"l": 84, "r": 24, "t": 16, "b": 76}
    )
    plot["xaxis"] = {**time_axis(day.day), "showgrid": False}
    plot["yaxis"] = {
        "type": "category",
        "autorange": "reversed",
        "tickfont": {"size": 10.5},
        "automargin": True,
        "nticks": 34,
        "linecolor": MIST,
    }
    return View(label, [trace], plot, f"{label}: from {np.nanmin(values):.4f} to {np.nanmax(values):.4f} p.u. over {len(buses)} buses.")
