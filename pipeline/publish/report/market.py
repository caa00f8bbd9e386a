"""Price and grid power: what was sold the day before, what was dispatched, what came."""

from __future__ import annotations

import numpy as np

from pipeline.core.clock import QUARTER_H
from pipeline.equipment import Tie
from pipeline.publish.report.axis import Floats
from pipeline.publish.report.figure import (
    BLUE,
    GREEN,
    INK,
    ORANGE,
    SLATE,
    Figure,
    Trace,
    View,
    esc,
    layout,
    step_line,
    time_axis,
    value_axis,
)
from pipeline.publish.report.frames import DayTables, rows_on, where


def price_and_power(day: DayTables) -> Figure:
    """One view per tie with a market."""
    ties = [tie for tie in day.case.ties if tie.market is not None]
    views = [view for tie in ties if (view := _view(day, tie)) is not None]
    return Figure(
        "market",
        "Price and grid power",
        "Power is positive when the system buys. The gap between day-ahead position and realised power is what the imbalance costs.",
        views,
        choose="Tie",
        height_px=520,
    )


def _view(day: DayTables, tie: Tie) -> View | None:
    assert tie.market is not None
    series = day.case.series_by_id.get(tie.market.price_series)
    unit = f"{day.case.currency}/kWh"
    mark = " (synthetic)" if series is not None and series.synthetic else ""
    price = [*_forecast_price(day, tie.market.price_series, unit, mark), *_realised_price(day, tie.id, unit, mark)]
    power, said = _power(day, tie)
    if not power:
        return None
    for trace in price:
        trace.update(yaxis="y2")
    time = time_axis(day.day)
    plot = layout(
        day.day,
        "grid power, kW",
        height=520,
        xaxis={**time, "anchor": "y"},
        yaxis=value_axis("grid power, kW", domain=[0.0, 0.60]),
        yaxis2=value_axis(f"price, {esc(unit)}", domain=[0.68, 1.0], anchor="x", zeroline=False),
    )
    return View(tie.id, power + price, plot, said)


def _forecast_price(day: DayTables, series: str, unit: str, mark: str) -> list[Trace]:
    rows = rows_on(day.quarters, where(day.table("forecasts"), stage="day_ahead", series=series), ("series",), "mean")
    return [step_line("q", values, f"price forecast, day ahead{mark}", unit, colour=SLATE, dash="dot") for values in rows.values()]


def _realised_price(day: DayTables, tie: str, unit: str, mark: str) -> list[Trace]:
    rows = rows_on(day.quarters, where(day.table("settlement"), tie=tie), ("tie",), "price_per_kwh")
    return [step_line("q", values, f"price realised{mark}", unit, colour=INK) for values in rows.values()]


def _power(day: DayTables, tie: Tie) -> tuple[list[Trace], str]:
    table = where(day.table("settlement"), tie=tie.id)
    if not table.num_rows:
        plan = [v for k, v in day.plan.items() if k[1] == tie.id and k[2] == tie.lower_bus and k[3:] == ("active", "injection")]
        traces = [step_line("p", v, "day-ahead position", "kW", colour=BLUE, dash="dash") for v in plan]
        return traces, "Day-ahead position only: nothing has been dispatched yet." if traces else ""
    columns = {
        name: next(iter(rows_on(day.quarters, table, ("tie",), name).values())) for name in ("scheduled_kw", "dispatched_kw", "realised_kw")
    }
    traces = [
        step_line("q", columns["realised_kw"], "realised", "kW", colour=ORANGE, width=2.4),
        step_line("q", columns["dispatched_kw"], "dispatched", "kW", colour=GREEN, width=1.6),
        step_line("q", columns["scheduled_kw"], "day-ahead position", "kW", colour=BLUE, dash="dash", width=2.2),
    ]
    return traces, _said(day, columns["realised_kw"], columns["scheduled_kw"])


def _said(day: DayTables, realised: Floats, scheduled: Floats) -> str:
    known = np.isfinite(realised)
    bought, sold = QUARTER_H * np.sum(realised[known].clip(0)), QUARTER_H * np.sum((-realised[known]).clip(0))
    peak = int(np.nanargmax(realised))
    off = QUARTER_H * np.nansum(np.abs(realised - scheduled))
    return (
        f"Bought {bought:,.0f} kWh and sold {sold:,.0f} kWh; largest import {realised[peak]:,.0f} kW at {day.quarters.labels[peak]}; "
        f"{off:,.0f} kWh off the day-ahead position."
    )
