"""A figure of the page: views a reader chooses from, each a list of traces and a layout, as plain data for plotly.js."""

from __future__ import annotations

import html
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pipeline.core.clock import DeliveryDay
from pipeline.publish.report.axis import Floats, ticks, zone_title

# Okabe and Ito (2008): told apart with every common colour blindness, and in grey by lightness.
BLUE, SKY, ORANGE, GREEN, VERMILLION, PURPLE, YELLOW = "#0072B2", "#56B4E9", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#F0E442"
INK, SLATE, MIST, RULE = "#1b2733", "#5b6b7a", "#aab4be", "#e3e8ec"
DASHES = ("solid", "dash", "dot", "dashdot")

Trace = dict[str, Any]


@dataclass(frozen=True)
class View:
    """One choice of a figure: Plotly traces and layout."""

    label: str
    traces: list[Trace]
    layout: dict[str, Any]
    says: str = ""  # what it shows in words: read aloud, and printed under the plot


@dataclass(frozen=True)
class Figure:
    """`views` empty: the reason is shown in place of a plot; without a reason the figure is left out."""

    id: str
    title: str
    lead: str  # what to look for, one or two sentences
    views: list[View] = field(default_factory=list)
    choose: str = "Show"
    why_empty: str = "Nothing was published for this plot."
    height_px: int = 380


def plain(values: Iterable[float] | Floats, digits: int = 4) -> list[float | None]:
    """Numbers at plotting precision (significant digits), None for NaN."""
    return [
        None if not np.isfinite(v) else _plain(v, digits)
        for v in np.asarray(list(values) if not isinstance(values, np.ndarray) else values)
    ]


def _plain(value: float, digits: int) -> float:
    short = float(f"{value:.{digits}g}")
    return int(short) if short == int(short) and abs(short) < 1e15 else short


def esc(text: object) -> str:
    """Text from data, safe in HTML and in plotly's labels."""
    return html.escape(str(text), quote=True)


def step_line(
    key: str, values: Floats, name: str, unit: str, *, colour: str, dash: str = "solid", width: float = 2.0, **more: Any
) -> Trace:
    """Values that hold over their interval, as a stair. `key` is the grid's: shared coordinates are filled in by the page."""
    held = np.append(values, values[-1:] if len(values) else [])
    return {
        "type": "scatter",
        "mode": "lines",
        "x": f"@{key}_edges",
        "y": plain(held),
        "customdata": f"@{key}_span",
        "name": esc(name),
        "line": {"shape": "hv", "color": colour, "dash": dash, "width": width},
        "hovertemplate": f"%{{y:,.4~g}} {esc(unit)}",
        **more,
    }


def end_line(key: str, values: Floats, name: str, unit: str, *, colour: str, dash: str = "solid", width: float = 2.0, **more: Any) -> Trace:
    """Values at the end of their interval (energies), joined straight."""
    return {
        "type": "scatter",
        "mode": "lines",
        "x": f"@{key}_ends",
        "y": plain(values),
        "customdata": f"@{key}_end_at",
        "name": esc(name),
        "line": {"color": colour, "dash": dash, "width": width},
        "hovertemplate": f"%{{y:,.4~g}} {esc(unit)}",
        **more,
    }


def bars(key: str, values: Floats, name: str, unit: str, *, colour: str, width_h: float, **more: Any) -> Trace:
    """Interval means stacked by sign."""
    return {
        "type": "bar",
        "x": f"@{key}_mids",
        "y": plain(values),
        "customdata": f"@{key}_span",
        "name": esc(name),
        "width": round(width_h, 4),
        "marker": {"color": colour, "line": {"width": 0}},
        "hovertemplate": f"%{{y:,.4~g}} {esc(unit)}",
        **more,
    }


def time_axis(day: DeliveryDay, *, title: bool = True) -> dict[str, Any]:
    """Hours since the start of the delivery day, ticks in local time."""
    positions, texts = ticks(day)
    return {
        "range": [0, (day.end - day.start) / 3600],
        "tickvals": positions,
        "ticktext": texts,
        "title": {"text": zone_title(day) if title else ""},
        "showgrid": True,
        "gridcolor": RULE,
        "zeroline": False,
        "unifiedhovertitle": {"text": " "},
        "ticks": "outside",
        "tickcolor": MIST,
        "linecolor": MIST,
        "showline": True,
    }


def value_axis(title: str, **more: Any) -> dict[str, Any]:
    return {
        "title": {"text": title, "standoff": 8},
        "gridcolor": RULE,
        "zeroline": True,
        "zerolinecolor": MIST,
        "automargin": True,
        "separatethousands": True,
        **more,
    }


def limit_lines(levels: Iterable[float], *, colour: str, width: float, dash: str) -> list[dict[str, Any]]:
    """Horizontal lines across the whole plot, as Plotly shapes."""
    line = {"color": colour, "width": width, "dash": dash}
    return [{"type": "line", "xref": "paper", "x0": 0, "x1": 1, "yref": "y", "y0": y, "y1": y, "line": line} for y in levels]


def layout(day: DeliveryDay | None, y_title: str, *, height: int = 380, **more: Any) -> dict[str, Any]:
    """The look shared by all plots; a time axis where a day is given."""
    base: dict[str, Any] = {
        "height": height,
        "margin": {"l": 72, "r": 24, "t": 36, "b": 66},
        "paper_bgcolor": "#ffffff",
        "plot_bgcolor": "#ffffff",
        "font": {"family": "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif", "size": 13, "color": INK},
        # Above the plot: however many lines it needs, it pushes the plot and covers no label.
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "xanchor": "left", "font": {"size": 12.5}},
        "hovermode": "x unified",
        "hoversubplots": "axis",
        "hoverlabel": {"bgcolor": "#ffffff", "bordercolor": MIST, "font": {"size": 12.5}},
        "yaxis": value_axis(y_title),
        "bargap": 0,
    }
    if day is not None:
        base["xaxis"] = time_axis(day)
    return {**base, **more}
