"""Plots of an evaluation study: treatments side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa

from pipeline.publish.report.axis import Floats
from pipeline.publish.report.figure import (
    BLUE,
    DASHES,
    GREEN,
    ORANGE,
    PURPLE,
    SKY,
    VERMILLION,
    Figure,
    Trace,
    View,
    esc,
    layout,
    plain,
    value_axis,
)
from pipeline.tables.studies import name_of, same_days

COLOURS = (BLUE, ORANGE, GREEN, VERMILLION, PURPLE, SKY, "#7a5c00")
WORDS = {"held_out": "held-out scenarios", "realised": "what came"}
OTHER_DAYS = "Treatments have different days: their costs do not compare, their differences to the reference do (on common days)."
Row = dict[str, Any]


@dataclass(frozen=True)
class Compared:
    """The tables of a study as rows, and the order of its treatments."""

    tables: dict[str, pa.Table]
    currency: str
    reference: str
    order: tuple[str, ...]  # names of the cells as the study's file has them

    @cached_property
    def summary(self) -> list[Row]:
        return self._named("summary")

    @cached_property
    def costs(self) -> list[Row]:
        return self._named("evaluation")

    @cached_property
    def bounds(self) -> list[Row]:
        return self._named("bounds")

    @cached_property
    def timings(self) -> list[Row]:
        return self._named("timings")

    @cached_property
    def warnings(self) -> list[Row]:
        return self._named("warnings")

    def _named(self, table: str) -> list[Row]:
        place = {name: at for at, name in enumerate(self.order)}
        rows: list[Row] = [{**row, "name": name_of(row)} for row in self.tables[table].to_pylist()]
        return sorted(rows, key=lambda row: place.get(row["name"], len(place)))

    @cached_property
    def same_days(self) -> bool:
        return same_days(self.timings)

    def against(self) -> list[str]:
        return list(dict.fromkeys(row["against"] for row in self.summary))

    def colour(self, name: str) -> str:
        return COLOURS[self.order.index(name) % len(COLOURS)]

    def dash(self, name: str) -> str:
        return DASHES[self.order.index(name) // len(COLOURS) % len(DASHES)]


def means(of: Compared) -> Figure:
    """Mean with its interval, and the paired difference to the reference."""
    views = []
    for against in of.against():
        rows = [row for row in of.summary if row["against"] == against]
        views.append(_mean_view(of, rows, against))
        views.append(_difference_view(of, rows, against))
    return Figure("means", "Mean cost, with its confidence interval",
                  "The difference is taken scenario by scenario: its interval says whether one treatment is cheaper, even where those of "
                  "the means overlap.", views)


def _mean_view(of: Compared, rows: Sequence[Row], against: str) -> View:
    names = [row["name"] for row in rows][::-1]
    back = list(rows)[::-1]
    traces = [
        _dots(names, [row["mean_cost"] for row in back], "mean", of.currency, colour=BLUE, symbol="circle",
              low=[row["mean_low_cost"] for row in back], high=[row["mean_high_cost"] for row in back]),
        _dots(names, [row["q95_cost"] for row in back], "95 % quantile", of.currency, colour=ORANGE, symbol="square"),
        _dots(names, [row["worst_cost"] for row in back], "worst", of.currency, colour=VERMILLION, symbol="x"),
        _dots(names, [row["perfect_cost"] for row in back], "perfect foresight", of.currency, colour=GREEN, symbol="diamond"),
    ]
    best = min(rows, key=lambda row: float(row["mean_cost"]))
    said = (f"Cheapest on the mean of {WORDS[against]}: {best['name']} with {best['mean_cost']:,.2f} {of.currency}; "
            f"perfect foresight {best['perfect_cost']:,.2f}.") if of.same_days else OTHER_DAYS
    return View(f"{WORDS[against]}: cost", traces, sideways(len(names), f"cost of a day, {esc(of.currency)}"), said)


def _difference_view(of: Compared, rows: Sequence[Row], against: str) -> View:
    known = [row for row in rows if row["difference_cost"] is not None][::-1]
    names = [row["name"] for row in known]
    trace = _dots(names, [row["difference_cost"] for row in known], f"mean difference to {of.reference}", of.currency, colour=BLUE,
                  symbol="circle", low=[row["difference_low_cost"] for row in known], high=[row["difference_high_cost"] for row in known])
    plot = sideways(len(names), f"difference to {esc(of.reference)}, {esc(of.currency)} (left of zero: cheaper)")
    sure = [row for row in known if row["difference_high_cost"] is not None and row["difference_high_cost"] < 0]
    cheaper = ", ".join(f"{row['name']} ({row['difference_cost']:+,.2f} {of.currency})" for row in sure[::-1])
    said = f"Cheaper than {of.reference} beyond chance: {cheaper or 'none'}."
    return View(f"{WORDS[against]}: difference to {of.reference}", [trace], plot, said)


def _dots(names: Sequence[str], values: Sequence[float], name: str, currency: str, *, colour: str, symbol: str,
          low: Sequence[float | None] = (), high: Sequence[float | None] = ()) -> Trace:
    trace: Trace = {
        "type": "scatter", "mode": "markers", "y": [esc(one) for one in names], "x": plain(np.array(values, dtype=float), 9), "name": name,
        "marker": {"size": 10, "color": colour, "symbol": symbol}, "hovertemplate": f"%{{x:,.2f}} {esc(currency)}",
    }
    if any(one is not None for one in low):
        ends = [(0.0 if a is None else value - a, 0.0 if b is None else b - value) for value, a, b in zip(values, low, high, strict=True)]
        trace["error_x"] = {"type": "data", "symmetric": False, "array": plain([b for _, b in ends]), "color": colour,
                            "arrayminus": plain([a for a, _ in ends]), "thickness": 2, "width": 6}
    return trace


def sideways(count: int, title: str) -> dict[str, Any]:
    plot = layout(None, "", height=max(240, 130 + 34 * count), hovermode="y unified", margin={"l": 210, "r": 36, "t": 40, "b": 56})
    plot["xaxis"] = value_axis(title, tickformat=",")
    plot["yaxis"] = {"type": "category", "automargin": True, "gridcolor": "#c9d1d8", "range": [-0.7, count - 0.3]}
    return plot


def distributions(of: Compared) -> Figure:
    """Every cost of every treatment: boxes, cumulative shares, and what was lost to perfect foresight."""
    views = []
    for against in of.against():
        rows = [row for row in of.costs if row["against"] == against]
        samples = {name: np.array([row["cost"] for row in rows if row["name"] == name]) for name in of.order}
        lost = {name: np.array([row["cost"] - row["perfect_cost"] for row in rows if row["name"] == name]) for name in of.order}
        samples, lost = ({name: values for name, values in some.items() if len(values)} for some in (samples, lost))
        views += [_boxes(of, samples, f"{WORDS[against]}: cost", f"cost of a day, {esc(of.currency)}"),
                  _boxes(of, lost, f"{WORDS[against]}: above perfect foresight", f"cost above perfect foresight, {esc(of.currency)}"),
                  _cumulative(of, lost, f"{WORDS[against]}: share of scenarios below", f"cost above perfect foresight, {esc(of.currency)}")]
    return Figure("distributions", "Distribution of the cost over days and scenarios",
                  "A treatment that guards against bad days has a higher middle and a shorter right tail.", views, height_px=420)


def _boxes(of: Compared, samples: dict[str, Floats], label: str, title: str) -> View:
    traces = [
        {"type": "box", "orientation": "h", "x": plain(values, 7), "y": [esc(name)] * len(values), "name": esc(name), "boxmean": True,
         "boxpoints": "outliers", "marker": {"color": of.colour(name), "size": 4}, "line": {"width": 1.6}, "showlegend": False,
         "hoverinfo": "x+name"}
        for name, values in reversed(samples.items())
    ]
    plot = sideways(len(samples), title)
    plot["hovermode"] = "closest"
    widest = max(samples, key=lambda name: float(np.ptp(samples[name])))
    said = f"{len(next(iter(samples.values())))} costs each; line: median, dashed line: mean. Widest: {widest}."
    return View(label, traces, plot, said)


def _cumulative(of: Compared, samples: dict[str, Floats], label: str, title: str) -> View:
    traces = []
    for name, values in samples.items():
        ordered = np.sort(values)
        share = 100 * np.arange(1, len(ordered) + 1) / len(ordered)
        traces.append({"type": "scatter", "mode": "lines", "x": plain(ordered, 6), "y": plain(share), "name": esc(name),
                       "line": {"color": of.colour(name), "dash": of.dash(name), "width": 2, "shape": "hv"},
                       "hovertemplate": "%{y:.3~g} % below %{x:,.2f}"})
    plot = layout(None, "share of scenarios, %", height=420, hovermode="closest")
    plot["xaxis"] = value_axis(title, tickformat=",")
    return View(label, traces, plot, "The further up and left a line, the less was lost to not knowing.")
