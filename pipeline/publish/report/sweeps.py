"""Plots of an evaluation study: cost against a parameter, how bounds closed, and how long it took."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pipeline.core.numbers import told_apart
from pipeline.publish.report.comparison import OTHER_DAYS, WORDS, Compared, Row, sideways
from pipeline.publish.report.figure import (
    BLUE,
    GREEN,
    ORANGE,
    PURPLE,
    SKY,
    SLATE,
    VERMILLION,
    Figure,
    Trace,
    View,
    esc,
    layout,
    plain,
    value_axis,
)
from pipeline.publish.report.treatment import bounds_view, whole_ticks

MOST_VIEWS = 60  # of one figure: a reader chooses from a list, and the page stays small


def against_parameter(of: Compared) -> Figure:
    """Cost and time against the swept parameter of each treatment."""
    views = []
    for treatment, parameter in dict.fromkeys((row["treatment"], row["parameter"]) for row in of.summary if row["parameter"]):
        for against in of.against():
            rows = [row for row in of.summary if (row["treatment"], row["parameter"], row["against"]) == (treatment, parameter, against)]
            if len(rows) > 1:
                views.append(_sweep_view(of, treatment, parameter, against, rows))
        spent = [row for row in of.timings if (row["treatment"], row["parameter"]) == (treatment, parameter)]
        if len({row["parameter_value"] for row in spent}) > 1:
            views.append(_time_view(treatment, parameter, spent))
    return Figure("parameter", "Cost against the parameter: what guarding costs, and what it saves",
                  "What the treatment minimised never falls with radius, budget or aversion; what its plans really cost may.", views,
                  choose="Sweep", why_empty="")


def _sweep_view(of: Compared, treatment: str, parameter: str, against: str, rows: Sequence[Row]) -> View:
    rows = sorted(rows, key=lambda row: float(row["parameter_value"]))
    x = np.array([row["parameter_value"] for row in rows])
    traces: list[Trace] = []
    if all(row["mean_low_cost"] is not None for row in rows):
        for column, more in (("mean_low_cost", {}), ("mean_high_cost", {"fill": "tonexty", "fillcolor": "rgba(86,180,233,0.25)"})):
            traces.append({"type": "scatter", "mode": "lines", "x": plain(x), "y": plain([row[column] for row in rows], 9),
                           "hoverinfo": "skip", "line": {"width": 0, "color": SKY}, "showlegend": bool(more),
                           "name": f"{100 * rows[0]['confidence_share']:g} % interval of the mean", **more})
    lines = (
        ("mean_cost", "mean", BLUE, "circle"), ("q95_cost", "95 % quantile", ORANGE, "square"), ("worst_cost", "worst", VERMILLION, "x"),
        ("objective_cost", "what the treatment minimised", PURPLE, "triangle-up"),
        ("perfect_cost", "perfect foresight", GREEN, "diamond"),
    )
    traces += [
        {"type": "scatter", "mode": "lines+markers", "x": plain(x), "y": plain([row[column] for row in rows], 9), "name": name,
         "line": {"color": colour, "width": 2}, "marker": {"symbol": symbol, "size": 8}, "hovertemplate": f"%{{y:,.2f}} {esc(of.currency)}"}
        for column, name, colour, symbol in lines
    ]
    plot = layout(None, f"cost of a day, {esc(of.currency)}", height=440, margin={"l": 96, "r": 24, "t": 36, "b": 56})
    plot["xaxis"] = value_axis(esc(f"{parameter} of {treatment}"), zeroline=False)
    first, best = rows[0], min(rows, key=lambda row: float(row["mean_cost"]))
    least, low, high = (told_apart(row["parameter_value"]) for row in (best, first, rows[-1]))
    said = (f"Mean {first['mean_cost']:,.2f} {of.currency} at {low}, least {best['mean_cost']:,.2f} at {least}; "
            f"worst {first['worst_cost']:,.2f} at {low}, {rows[-1]['worst_cost']:,.2f} at {high}.") if of.same_days else OTHER_DAYS
    return View(f"{treatment}: {WORDS[against]}", traces, plot, said)


def _time_view(treatment: str, parameter: str, rows: Sequence[Row]) -> View:
    values = sorted({row["parameter_value"] for row in rows})
    spent = [float(np.mean([row["cpu_s"] for row in rows if row["parameter_value"] == value])) for value in values]
    trace = {"type": "scatter", "mode": "lines+markers", "x": plain(values), "y": plain(spent), "name": "deciding a day",
             "line": {"color": SLATE, "width": 2}, "marker": {"size": 8}, "hovertemplate": "%{y:,.3~g} s"}
    plot = layout(None, "processor time of a day, s")
    plot["xaxis"] = value_axis(esc(f"{parameter} of {treatment}"), zeroline=False)
    plot["yaxis"]["rangemode"] = "tozero"
    said = f"{spent[0]:.2g} s at {told_apart(values[0])}, {spent[-1]:.2g} s at {told_apart(values[-1])}."
    return View(f"{treatment}: time", [trace], plot, said)


def times(of: Compared) -> Figure:
    """Processor time of deciding a day."""
    found = {name: [row["cpu_s"] for row in of.timings if row["name"] == name] for name in of.order}
    spent = {name: float(np.mean(values)) for name, values in found.items() if values}
    names = list(spent)[::-1]
    trace = {"type": "bar", "orientation": "h", "y": [esc(name) for name in names], "x": plain([spent[name] for name in names]),
             "marker": {"color": SLATE}, "text": [f"{spent[name]:.3g} s" for name in names], "textposition": "auto", "cliponaxis": False,
             "showlegend": False, "hovertemplate": "%{x:,.3~g} s<extra></extra>"}
    plot = sideways(len(names), "processor time of a day, s")
    plot |= {"hovermode": "closest", "bargap": 0.35}
    slowest = max(spent, key=lambda name: spent[name])
    return Figure("times", "Time to decide a day", "Mean over the days, on the machine that ran the study, whatever else it was doing.",
                  [View("time", [trace], plot, f"Longest: {slowest}, {spent[slowest]:.3g} s a day.")])


def bounds(of: Compared) -> Figure:
    """Bounds per iteration, one view per treatment and day."""
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in of.bounds:
        groups.setdefault((row["name"], row["delivery_date"]), []).append(row)
    views = []
    for (name, day), rows in list(groups.items())[:MOST_VIEWS]:
        rows.sort(key=lambda row: int(row["iteration"]))
        low, high = (np.array([np.nan if row[side] is None else row[side] for row in rows], dtype=float) for side in ("lower", "upper"))
        views.append(bounds_view(np.array([row["iteration"] for row in rows], dtype=float), low, high, currency=of.currency,
                                 label=f"{name}, {day}"))
    return Figure("bounds", "Bounds per iteration", "The decision is proven as good as the gap between the lines.", views,
                  choose="Treatment and day", why_empty="")


def convergence(of: Compared) -> Figure:
    """Gap per iteration on a logarithmic axis, a line per treatment and day."""
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in of.bounds:
        if row["gap_share"] is not None:
            groups.setdefault((row["name"], row["delivery_date"]), []).append(row)
    if not groups:
        return Figure("convergence", "Convergence", "", why_empty="")
    traces, shown = [], set[str]()
    for (name, _), rows in groups.items():
        rows.sort(key=lambda row: int(row["iteration"]))
        gap = np.maximum(np.array([row["gap_share"] for row in rows], dtype=float), 1e-9)
        traces.append({"type": "scatter", "mode": "lines+markers", "x": plain([row["iteration"] for row in rows]), "y": plain(100 * gap),
                       "name": esc(name), "legendgroup": esc(name), "showlegend": name not in shown, "marker": {"size": 6},
                       "line": {"color": of.colour(name), "dash": of.dash(name), "width": 1.8}, "hovertemplate": "%{y:.3~g} %"})
        shown.add(name)
    plot = layout(None, "proven gap, %", hovermode="closest")
    plot["yaxis"] |= {"type": "log", "zeroline": False, "exponentformat": "power"}
    plot["xaxis"] = value_axis("iteration", zeroline=False, **whole_ticks(np.array([row["iteration"] for row in of.bounds], dtype=float)))
    most = max(int(rows[-1]["iteration"]) for rows in groups.values())  # the first ones may prove no gap and are no points
    return Figure("convergence", "Convergence: the proven gap per iteration", "A line that ends early met its stopping gap.",
                  [View("gap", traces, plot, f"Last iteration: {most}; gaps below 1e-7 % are drawn there.")])
