"""Stacked balance of the whole system and of each network: who fed in, who took, quarter-hour by quarter-hour."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from pipeline.equipment import Converter, EvAggregator, Network, Source
from pipeline.publish.report.axis import Floats, TimeGrid
from pipeline.publish.report.figure import (
    BLUE,
    GREEN,
    INK,
    MIST,
    ORANGE,
    PURPLE,
    SKY,
    VERMILLION,
    YELLOW,
    Figure,
    Trace,
    View,
    bars,
    layout,
    step_line,
    time_axis,
    value_axis,
)
from pipeline.publish.report.frames import DayTables, Rows

# group -> (words, colour); the order is the order of stacking.
GROUPS: dict[str, tuple[str, str]] = {
    "demand": ("load", "#8794a1"),
    "unserved": ("load not served", "#000000"),
    "ev_fleet": ("electric vehicles", PURPLE),
    "store": ("storage", GREEN),
    "wind": ("wind", SKY),
    "pv": ("PV", YELLOW),
    "other": ("other source", "#bfe3f5"),
    "chp": ("cogeneration", ORANGE),
    "boiler": ("boiler", "#d8893b"),
    "electrolyser": ("electrolyser", "#7fb8a4"),
    "fuel_cell": ("fuel cell", "#2f7f6f"),
    "generator": ("generator", VERMILLION),
    "tie": ("exchange", BLUE),
    "rest": ("other", MIST),
}
CARRIER_WORDS = {"active": ("electricity", "kW", "kWh"), "heat": ("heat", "kWth", "kWhth"), "hydrogen": ("hydrogen", "m3/h", "m3")}

# Parts of the height, from the top, by the number of carriers that are shown.
DOMAINS = {0: [], 1: [[0.0, 1.0]], 2: [[0.46, 1.0], [0.0, 0.38]], 3: [[0.56, 1.0], [0.29, 0.49], [0.0, 0.22]]}


def balances(day: DayTables) -> Figure:
    """The system, then every network; a network with heat or hydrogen shows them below the electricity."""
    rows, grid, source = day.best
    views = [_system(day, rows, grid)] if rows else []
    views += [_network(day, network, rows, grid) for network in day.case.networks if rows]
    return Figure(
        "balance",
        "Power balance",
        f"Above zero feeds the bus, below zero draws from it; the two sides mirror each other where nothing is lost. Shown: {source}.",
        [view for view in views if view.traces],
        choose="Network",
        height_px=560,
    )


def _system(day: DayTables, rows: Rows, grid: TimeGrid) -> View:
    """All networks together; exchange between them cancels, the market's stays."""
    markets = {tie.id for tie in day.case.ties if tie.upper_bus is None}
    inner = {tie.id for tie in day.case.ties} - markets
    chosen = {key: values for key, values in rows.items() if key[3] == "active" and key[1] not in inner}
    groups = _grouped(day, chosen)
    traces = _stack(groups, grid, "kW", exchange="grid")
    return View(
        "Whole system",
        traces,
        layout(day.day, "power, kW", height=560, barmode="relative"),
        _said("Electricity", groups, grid, "kWh", "grid"),
    )


def _network(day: DayTables, network: Network, rows: Rows, grid: TimeGrid) -> View:
    carriers = [carrier for carrier in network.carriers if carrier in CARRIER_WORDS]
    traces: list[Trace] = []
    axes: dict[str, object] = {}
    said: list[str] = []
    axis = "y"
    domains = DOMAINS[len(carriers)]
    for place, carrier in enumerate(carriers):
        words, unit, energy_unit = CARRIER_WORDS[carrier]
        groups = _grouped(day, {key: values for key, values in rows.items() if key[0] == network.id and key[3] == carrier})
        axis = "y" if place == 0 else f"y{place + 1}"
        traces += [
            {**trace, "yaxis": axis, "showlegend": place == 0 or not _named(trace, traces)}
            for trace in _stack(groups, grid, unit, exchange="exchange")
        ]
        axes["yaxis" if place == 0 else f"yaxis{place + 1}"] = value_axis(f"{words}, {unit}", domain=domains[place], anchor="x")
        said.append(_said(words.capitalize(), groups, grid, energy_unit))
    plot = layout(day.day, "", height=560, barmode="relative", **axes)
    plot["xaxis"] = {**time_axis(day.day), "anchor": axis}
    return View(network.id, traces, plot, " ".join(said))


def _named(trace: Trace, before: Iterable[Trace]) -> bool:
    return any(other["name"] == trace["name"] and other.get("showlegend", True) for other in before)


def _grouped(day: DayTables, rows: Rows) -> dict[str, Floats]:
    """Injections summed by group; load that was not served is shown as such, and the load in full below it."""
    kinds = group_of_devices(day)
    groups: dict[str, Floats] = {}
    for (_, device, _, _, quantity), values in rows.items():
        group = kinds.get(device, "rest")
        known = np.nan_to_num(values)
        if quantity == "injection":
            groups[group] = groups.get(group, 0.0) + known
        elif group == "demand" and quantity.startswith("shed_kw"):
            groups["unserved"] = groups.get("unserved", 0.0) + known
            groups["demand"] = groups.get("demand", 0.0) - known
    return {name: groups[name] for name in GROUPS if name in groups and np.abs(groups[name]).max() > 1e-6}


def group_of_devices(day: DayTables) -> dict[str, str]:
    """Device or tie -> group of the balance; a source by the kind of its series."""
    groups: dict[str, str] = {tie.id: "tie" for tie in day.case.ties}
    for device in day.case.devices:
        if isinstance(device, Source):
            series = day.case.series_by_id.get(device.series)
            kind_of_series = series.kind if series is not None else "other"
            groups[device.id] = kind_of_series if kind_of_series in ("pv", "wind") else "other"
        elif isinstance(device, Converter):
            groups[device.id] = _conversion(device)
        elif isinstance(device, EvAggregator):
            groups[device.id] = "ev_fleet"
        else:
            groups[device.id] = device.kind
    return groups


def _conversion(device: Converter) -> str:
    """What a converter is called: by what it makes."""
    return {"heat": "boiler", "hydrogen": "electrolyser"}.get(device.output_carrier, "fuel_cell")


def _stack(groups: dict[str, Floats], grid: TimeGrid, unit: str, *, exchange: str) -> list[Trace]:
    traces = []
    for name, values in groups.items():
        words, colour = GROUPS[name]
        words = exchange if name == "tie" else words
        traces.append(bars(grid.key, values, words, unit, colour=colour, width_h=grid.step_h))
    if groups and len(groups) > 1:
        taken = sum((values.clip(max=0) for values in groups.values()), np.zeros(len(grid)))
        traces.append(step_line(grid.key, -taken, "sum of what is drawn, mirrored", unit, colour=INK, dash="dot", width=1.2))
    return traces


def _said(what: str, groups: dict[str, Floats], grid: TimeGrid, unit: str, exchange: str = "exchange") -> str:
    parts = [
        (grid.step_h * values.clip(0).sum(), f"{exchange if name == 'tie' else GROUPS[name][0]} {grid.step_h * values.clip(0).sum():,.0f}")
        for name, values in groups.items()
    ]
    fed = [text for energy, text in sorted(parts, reverse=True) if energy > 0.5]
    return f"{what} fed in, {unit}: " + ", ".join(fed) + "." if fed else f"No {what.lower()} was fed in."
