"""What was expected and what came: forecast fans and weighted scenarios of every series."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pyarrow.compute as pc

from pipeline.cases.sources import Series
from pipeline.equipment import Demand, Source
from pipeline.publish.report.axis import Floats
from pipeline.publish.report.figure import (
    BLUE,
    DASHES,
    GREEN,
    INK,
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
    step_line,
)
from pipeline.publish.report.frames import DayTables, Rows, numbers, rows_on, where

BANDS = (("q05", "q95", "90 % band", "rgba(86,180,233,0.22)"), ("q25", "q75", "50 % band", "rgba(0,114,178,0.30)"))
MANY_SERIES = 60  # above it the page would outgrow 7 MB
SCENARIO_COLOURS = (BLUE, ORANGE, GREEN, VERMILLION, PURPLE, SKY, "#7a5c00")


def came(day: DayTables) -> dict[str, Floats]:
    """Realised value of each series (T quarter-hours), read back from the settled injections and shares, and the market's price.

    A source that was held down by an override shows what it was allowed, not what blew.
    """
    total: dict[str, Floats] = {}
    share: dict[str, float] = defaultdict(float)
    rows = {(key[1], key[3], key[4]): values for key, values in day.settled.items()}
    for device in day.case.devices:
        carrier = device.carrier if isinstance(device, Demand) else "active"
        injection = rows.get((device.id, carrier, "injection"))
        if not isinstance(device, Demand | Source) or not device.series_share or injection is None:
            continue
        unit = "kwth" if carrier == "heat" else "kw"
        value = injection
        for quantity, sign in ((f"shed_{unit}", -1.0), (f"dump_{unit}", 1.0), (f"curtailed_{unit}", 1.0)):
            value = value + sign * np.nan_to_num(rows.get((device.id, carrier, quantity), np.zeros(len(value))))
        sign = -1.0 if isinstance(device, Demand) else 1.0
        total[device.series] = total.get(device.series, 0.0) + sign * value
        share[device.series] += device.series_share
    found = {series: values / share[series] for series, values in total.items()}
    for tie in day.case.ties:
        if tie.market is not None:
            priced = rows_on(day.quarters, where(day.table("settlement"), tie=tie.id), ("tie",), "price_per_kwh")
            for values in priced.values():
                found[tie.market.price_series] = values
    return found


def label_of(series: Series) -> str:
    return f"{series.id} (synthetic)" if series.synthetic else series.id


def fans(day: DayTables) -> Figure:
    """One view per series: mean, bands, the last intraday update and what came."""
    table = where(day.table("forecasts"), stage="day_ahead")
    columns = {name: rows_on(day.quarters, table, ("series",), name) for name in ("mean", "q05", "q25", "q75", "q95")}
    update = where(day.table("forecasts"), stage="real_time")
    update = rows_on(day.quarters, update.filter(pc.equal(update["lead"], 1)), ("series",), "mean")
    realised = came(day)
    views = [
        _fan(day, series, {name: rows[(series.id,)] for name, rows in columns.items()}, update.get((series.id,)), realised.get(series.id))
        for series in day.case.series
        if (series.id,) in columns["mean"]
    ]
    return Figure(
        "forecast",
        "Forecasts, and what came",
        "The black line should leave the light band one time in ten. Leaving it for hours means the day was unlike its history.",
        views,
        choose="Series",
        height_px=420,
    )


def _fan(day: DayTables, series: Series, column: dict[str, Floats], update: Floats | None, realised: Floats | None) -> View:
    traces: list[Trace] = []
    for low, high, name, colour in BANDS:
        if np.isfinite(column[low]).any():
            traces.append(step_line("q", column[low], name, series.unit, colour=colour, width=0, showlegend=False, hoverinfo="skip"))
            traces.append(
                step_line("q", column[high], name, series.unit, colour=colour, width=0, fill="tonexty", fillcolor=colour, hoverinfo="skip")
            )
    for trace in traces:
        trace.pop("hovertemplate")
        trace["x"] = "@q_edges"
    traces.append(step_line("q", column["mean"], "forecast, day ahead", series.unit, colour=BLUE))
    if update is not None:
        traces.append(step_line("q", update, "forecast just before", series.unit, colour=GREEN, dash="dot", width=1.8))
    if realised is not None:
        traces.append(step_line("q", realised, "what came", series.unit, colour=INK, width=1.8))
    return View(
        label_of(series),
        traces,
        layout(day.day, f"{esc(label_of(series))}, {esc(series.unit)}", height=420),
        _fan_said(series, column, update, realised),
    )


def _fan_said(series: Series, column: dict[str, Floats], update: Floats | None, realised: Floats | None) -> str:
    if realised is None or not np.isfinite(realised).any():
        return f"{label_of(series)}: not yet known what came."
    known = np.isfinite(realised) & np.isfinite(column["mean"])
    rmse = float(np.sqrt(np.mean((realised[known] - column["mean"][known]) ** 2)))
    said = f"{label_of(series)}: root mean square error {rmse:,.4g} {series.unit} day ahead"
    if update is not None and (both := known & np.isfinite(update)).any():
        said += f", {float(np.sqrt(np.mean((realised[both] - update[both]) ** 2))):,.4g} just before"
    banded = known & np.isfinite(column["q05"]) & np.isfinite(column["q95"])
    if banded.any():
        # The band of a sure value (PV at night) has no width: a rounding error must not count as a miss.
        slack = 1e-6 * max(1.0, float(np.nanmax(np.abs(realised))))
        inside = (realised >= column["q05"] - slack) & (realised <= column["q95"] + slack)
        said += f"; {100 * float(np.mean(inside[banded])):.0f} % of the quarter-hours inside the 90 % band"
    return said + "."


def scenarios(day: DayTables) -> Figure:
    """Net load first: it is what the schedule must meet; then every series."""
    table = day.table("scenarios")
    views: list[View] = []
    if table.num_rows:
        weights = _weights(day)
        rows, key = _scenario_rows(day)
        realised = came(day)
        net = _net(day, rows, list(weights))
        if net:
            views.append(
                _scenario_view(day, "Net load of the system (load minus wind and PV)", "kW", net, weights, key, _net_of(day, realised))
            )
        for series in day.case.series:
            values = {name: rows[(name, series.id)] for name in weights if (name, series.id) in rows}
            if values:
                views.append(_scenario_view(day, label_of(series), series.unit, values, weights, key, realised.get(series.id)))
    return Figure(
        "scenarios",
        "Scenarios behind the schedule",
        "The day-ahead schedule hedges against these days. A line's thickness is its probability; the black line is what came.",
        views,
        choose="Series",
        height_px=440,
        why_empty="The schedule was deterministic: it has no scenarios.",
    )


def _scenario_rows(day: DayTables) -> tuple[Rows, str]:
    """(scenario, series) -> values, and the grid's key. With many series the means over the schedule's steps: what was decided on."""
    table = day.table("scenarios")
    hourly = len(np.unique(table["step"].to_numpy())) <= len(day.quarters) // 2
    rows = rows_on(day.plan_grid if hourly else day.quarters, table, ("scenario", "series"))
    per_step, rest = divmod(day.plan_grid.step_s, day.quarters.step_s)
    if not hourly and per_step > 1 and not rest and len(day.case.series) > MANY_SERIES:
        return {key: values.reshape(-1, per_step).mean(axis=1) for key, values in rows.items()}, "p"
    return rows, "p" if hourly else "q"


def _weights(day: DayTables) -> dict[str, float]:
    table = day.table("scenarios")
    found = dict(zip(table["scenario"].to_pylist(), numbers(table, "weight").tolist(), strict=True))
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))


def _shares(day: DayTables) -> dict[str, float]:
    """Series -> its weight in net load: electric demand counts up, sources count down."""
    shares: dict[str, float] = defaultdict(float)
    for device in day.case.devices:
        if isinstance(device, Demand) and device.carrier == "active":
            shares[device.series] += device.series_share
        elif isinstance(device, Source):
            shares[device.series] -= device.series_share
    return shares


def _net(day: DayTables, rows: Rows, names: list[str]) -> dict[str, Floats]:
    shares = _shares(day)
    complete = [name for name in names if shares and all((name, series) in rows for series in shares)]
    return {name: np.sum([share * rows[(name, series)] for series, share in shares.items()], axis=0) for name in complete}


def _net_of(day: DayTables, realised: dict[str, Floats]) -> Floats | None:
    shares = _shares(day)
    if not shares or any(series not in realised for series in shares):
        return None
    return np.asarray(np.sum([share * realised[series] for series, share in shares.items()], axis=0))


def _scenario_view(
    day: DayTables,
    label: str,
    unit: str,
    values: dict[str, Floats],
    weights: dict[str, float],
    key: str,
    realised: Floats | None,
) -> View:
    top = max(weights.values())
    traces = []
    for place, (name, row) in enumerate(values.items()):
        style = {"colour": SCENARIO_COLOURS[place % len(SCENARIO_COLOURS)], "dash": DASHES[place // len(SCENARIO_COLOURS) % len(DASHES)]}
        traces.append(
            step_line(key, row, f"{name}: {100 * weights[name]:.0f} %", unit, width=round(1 + 4 * weights[name] / top, 2), **style)
        )
        traces[-1]["y"] = plain(np.append(row, row[-1]), 4)
        traces[-1]["opacity"] = 0.85
    if realised is not None:
        traces.append(step_line("q", realised, "what came", unit, colour=INK, width=1.8))
    says = f"{label}: {len(values)} scenarios, probabilities from {100 * min(weights.values()):.1f} % to {100 * top:.1f} %."
    return View(label, traces, layout(day.day, f"{esc(unit)}", height=440), says)
