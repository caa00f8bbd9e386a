"""How the day was decided: bounds per iteration, and the law that a treatment guarded against."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pipeline.publish.report.axis import Floats
from pipeline.publish.report.figure import BLUE, MIST, ORANGE, VERMILLION, Figure, View, esc, layout, plain, value_axis
from pipeline.publish.report.frames import DayTables, numbers, records

MANY = 40  # scenarios; above it their numbers no longer stand side by side


def treatment(day: DayTables) -> Figure:
    """Bounds and laws as published. Without either the section is left out: one solve was enough, over the scenarios as drawn."""
    views = []
    bounds = day.table("bounds")
    if bounds.num_rows:
        iteration = numbers(bounds, "iteration")
        views.append(bounds_view(iteration, numbers(bounds, "lower"), numbers(bounds, "upper"), currency=day.case.currency))
    if day.table("distribution").num_rows:
        views += _law(day)
    return Figure(
        "treatment", "How it was decided: bounds and the law guarded against",
        "The schedule is as good as proven where both bounds meet. The law says which scenarios the schedule was priced for.",
        views, why_empty="",
    )


def bounds_view(iteration: Floats, lower: Floats, upper: Floats, *, currency: str, label: str = "bounds per iteration") -> View:
    """Lower and upper bound over the iterations; a bound that is not there yet is not drawn."""
    traces = [
        {
            "type": "scatter", "mode": "lines+markers", "x": plain(iteration), "y": plain(values, 8), "name": name,
            "line": {"color": colour, "width": 2, "shape": "hv"}, "marker": {"size": 7, "symbol": symbol},
            "hovertemplate": f"%{{y:,.2f}} {esc(currency)}",
        }
        for values, name, colour, symbol in (
            (upper, "best decision so far", ORANGE, "circle"), (lower, "nothing costs less (proven)", BLUE, "diamond"))
    ]
    plot = layout(None, f"objective of the treatment, {esc(currency)}", margin={"l": 90, "r": 24, "t": 36, "b": 56})
    plot["xaxis"] = value_axis("iteration", zeroline=False, **whole_ticks(iteration))
    return View(label, traces, plot, _bounds_said(lower, upper, currency))


def whole_ticks(values: Floats) -> dict[str, object]:
    """An axis of counts shows whole numbers only."""
    first, last = (float(values.min()), float(values.max())) if len(values) else (1.0, 1.0)
    return {"range": [first - 0.5, last + 0.5], "dtick": max(1, round((last - first) / 12)), "tick0": 0}


def _bounds_said(lower: Floats, upper: Floats, currency: str) -> str:
    if len(lower) and np.isfinite(lower[-1]) and not np.isfinite(upper[-1]):
        return f"No decision costs less than {lower[-1]:,.2f} {currency}. How much more the one found may cost at its worst is not proven."
    if not len(lower) or not np.isfinite(lower[-1]):
        return "No bound is proven: how far the schedule is from the optimum is not known."
    gap = max(0.0, upper[-1] - lower[-1]) / max(abs(lower[-1]), 1e-9)
    return (f"After {len(lower)} iteration{'' if len(lower) == 1 else 's'}: between {lower[-1]:,.2f} and {upper[-1]:,.2f} {currency}, "
            f"a proven gap of {100 * gap:.3g} %.")


def _law(day: DayTables) -> list[View]:
    """Weight of each scenario under the law of the decision, beside its probability."""
    rows = records(day.table("distribution"))
    iterations = sorted({row["iteration"] for row in rows})
    shown = 0 if 0 in iterations else iterations[-1]
    law = {row["scenario"]: row["weight"] for row in rows if row["iteration"] == shown}
    names = sorted(law, key=lambda name: (len(name), name))
    drawn = {row["scenario"]: row["weight"] for row in day.table("scenarios").group_by(["scenario", "weight"]).aggregate([]).to_pylist()}
    return [law_view(names, [law[name] for name in names], [drawn.get(name, np.nan) for name in names])]


def law_view(names: Sequence[str], law: Sequence[float], drawn: Sequence[float]) -> View:
    """Bars in pairs: probability as drawn, weight as priced."""
    traces = [
        {"type": "bar", "x": [esc(name) for name in names], "y": plain([100 * one for one in values]), "name": name,
         "marker": {"color": colour}, "hovertemplate": "%{y:,.3~g} %"}
        for values, name, colour in ((drawn, "probability", MIST), (law, "weight under the law guarded against", VERMILLION))
        if np.isfinite(values).any()
    ]
    plot = layout(None, "weight, %", bargap=0.25, bargroupgap=0.06)
    plot["xaxis"] = {"type": "category", "title": {"text": "scenario"}, "showticklabels": len(names) <= MANY, "automargin": True}
    moved = 0.5 * float(np.nansum(np.abs(np.asarray(law) - np.asarray(drawn)))) if np.isfinite(drawn).all() else np.nan
    said = f"{len(names)} scenarios"
    if np.isfinite(moved):
        elsewhere = f"{100 * moved:.1f} % of the probability lies elsewhere than drawn"
        said += ": the law is that of the scenarios as drawn" if moved < 1e-9 else f": {elsewhere}"
    return View("law guarded against", traces, plot, f"{said}.")
