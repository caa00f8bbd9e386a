"""Costs by term, settlement over the day, and the yardsticks: perfect foresight, what was done, no re-dispatch."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from pipeline.publish.holding import dearer_than_holding
from pipeline.publish.report.figure import (
    BLUE,
    GREEN,
    INK,
    ORANGE,
    SLATE,
    VERMILLION,
    Figure,
    View,
    esc,
    layout,
    plain,
    step_line,
    value_axis,
)
from pipeline.publish.report.frames import DayTables, records, rows_on

# What the figures are called in `kpis`; the first name found wins.
YARDSTICKS: dict[str, tuple[str, ...]] = {
    "perfect": ("perfect_foresight_cost", "cost_perfect_foresight", "perfect_foresight", "perfect_cost"),
    "rolling": ("rolling_cost", "cost_rolling", "rolling", "settled_cost"),
    "none": ("no_redispatch_cost", "cost_no_redispatch", "cost_without_redispatch", "no_redispatch", "none_cost"),
}
WORDS = {"perfect": "perfect foresight", "rolling": "what was done (rolling)", "none": "no re-dispatch"}


def kpis(day: DayTables) -> dict[tuple[str, str], float]:
    """(stage, kpi) -> value."""
    return {(row["stage"], row["kpi"]): row["value"] for row in records(day.table("kpis")) if row["value"] is not None}


def costs(day: DayTables) -> dict[str, dict[str, float]]:
    """Stage -> term -> cost."""
    found: dict[str, dict[str, float]] = {"day_ahead": {}, "real_time": {}}
    for row in records(day.table("costs")):
        found[row["stage"]][row["term"]] = row["value"]
    return found


def total(terms: dict[str, float]) -> float | None:
    """The row `total` where there is one, else the sum; None without terms."""
    if not terms:
        return None
    return terms["total"] if "total" in terms else sum(terms.values())


def yardsticks(day: DayTables) -> dict[str, float]:
    """The three comparable totals, as far as they were computed."""
    values = {name: value for (_, name), value in kpis(day).items()}
    found = {key: values[name] for key, names in YARDSTICKS.items() for name in _first(names, values)}
    settled = total(costs(day)["real_time"])
    if "rolling" not in found and settled is not None and found:
        found["rolling"] = settled
    return {key: found[key] for key in YARDSTICKS if key in found}


def _first(names: Iterable[str], values: dict[str, float]) -> list[str]:
    return [name for name in names if name in values][:1]


def words_of(term: str) -> str:
    return term.removesuffix("_cost").replace("_", " ")


def by_term(day: DayTables) -> Figure:
    """Expected the day before against settled, per term."""
    found = costs(day)
    terms = [term for term in dict.fromkeys([*found["day_ahead"], *found["real_time"]]) if term != "total"]
    shown = [term for term in terms if any(abs(found[stage].get(term, 0.0)) > 0.005 for stage in found)]
    views = []
    if shown:
        shown.sort(key=lambda term: max(abs(found[stage].get(term, 0.0)) for stage in found))
        sides = (("real_time", "settled", ORANGE), ("day_ahead", "expected, day ahead", BLUE))
        traces = [
            {
                "type": "bar",
                "orientation": "h",
                "y": [words_of(term) for term in shown],
                "x": plain([found[stage].get(term, 0.0) for term in shown], 7),
                "name": name,
                "marker": {"color": colour},
                "text": [f"{found[stage].get(term, 0.0):,.2f}" for term in shown],
                "textposition": "auto",
                "cliponaxis": False,
                "hovertemplate": f"%{{x:,.2f}} {esc(day.case.currency)}",
            }
            for stage, name, colour in sides
            if found[stage]
        ]
        plot = layout(
            None,
            "",
            height=max(260, 120 + 56 * len(shown)),
            hovermode="y unified",
            bargap=0.3,
            bargroupgap=0.08,
            margin={"l": 130, "r": 40, "t": 36, "b": 56},
        )
        plot["legend"] = {**plot["legend"], "traceorder": "reversed"}
        plot["xaxis"] = value_axis(f"cost of the delivery day, {esc(day.case.currency)} (negative is income)", tickformat=",")
        plot["yaxis"] = {"automargin": True, "type": "category"}
        totals = "; ".join(f"{name} {value:,.2f}" for stage, name, _ in reversed(sides) if (value := total(found[stage])) is not None)
        views.append(
            View("cost by term", traces, plot, f"Total in {day.case.currency}: {totals}. Terms that are zero on both sides are left out.")
        )
    return Figure("costs", "Costs by term", "Where the money went, as expected the day before and as settled.", views, height_px=340)


def settlement(day: DayTables) -> Figure:
    """Cumulated energy and deviation cost of each market tie."""
    table = day.table("settlement")
    energy, deviation = (rows_on(day.quarters, table, ("tie",), column) for column in ("energy_cost", "deviation_cost"))
    views = []
    for key, values in energy.items():
        extra = deviation[key]
        traces = [
            step_line("q", _running(values + extra), "energy and deviation", day.case.currency, colour=INK, width=2.4),
            step_line("q", _running(values), "energy", day.case.currency, colour=BLUE, dash="dash"),
            step_line("q", _running(extra), "deviation from schedule", day.case.currency, colour=VERMILLION),
        ]
        open_rows = [row for row in records(table) if row["tie"] == key[0] and not row["settled"]]
        said = f"Energy {np.nansum(values):,.2f}, deviation {np.nansum(extra):,.2f} {day.case.currency}"
        said += (
            f"; {len(open_rows)} quarter-hours are provisional until realised values arrive."
            if open_rows
            else "; every quarter-hour is settled."
        )
        views.append(View(key[0], traces, layout(day.day, f"cost since the day start, {esc(day.case.currency)}"), said))
    return Figure("settlement", "Settlement over the day", "Running total at the market; falling means selling.", views, choose="Tie")


def _running(values: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(values), np.cumsum(np.nan_to_num(values)), np.nan)


def yardstick(day: DayTables) -> Figure:
    """Three totals on one line: the further right, the dearer."""
    found = yardsticks(day)
    views = []
    if len(found) > 1:
        colours = {"perfect": GREEN, "rolling": ORANGE, "none": SLATE}
        names = list(reversed(found))
        traces = [
            {
                "type": "scatter",
                "mode": "markers+text",
                "y": [WORDS[name] for name in names],
                "x": plain([found[name] for name in names], 8),
                "showlegend": False,
                "marker": {
                    "size": 17,
                    "color": [colours[name] for name in names],
                    "symbol": [{"perfect": "diamond", "rolling": "circle", "none": "square"}[n] for n in names],
                },
                "text": [f"{found[name]:,.2f}" for name in names],
                "textposition": "top center",
                "hovertemplate": f"%{{x:,.2f}} {esc(day.case.currency)}<extra></extra>",
            }
        ]
        spread = max(found.values()) - min(found.values()) or max(1.0, 0.01 * abs(max(found.values())))
        plot = layout(None, "", height=230, hovermode="closest", margin={"l": 170, "r": 48, "t": 16, "b": 56})
        zero = "" if min(found.values()) < 0 < max(found.values()) else " (axis does not start at zero)"
        plot["xaxis"] = value_axis(
            f"total cost of the day, {esc(day.case.currency)}{zero}",
            range=[min(found.values()) - 0.2 * spread, max(found.values()) + 0.2 * spread],
            tickformat=",",
        )
        plot["yaxis"] = {"type": "category", "automargin": True, "range": [-0.6, len(names) - 0.2], "gridcolor": "#c9d1d8"}
        views.append(View("yardsticks", traces, plot, _ordered(found, day.case.currency)))
    return Figure(
        "yardsticks",
        "How good was it? Against the best and against doing nothing",
        "Perfect foresight is the least that any re-dispatch could have paid. "
        "No re-dispatch holds the day-ahead set-points and settles the rest at the grid.",
        views,
        why_empty="The yardsticks are computed once the day is complete.",
        height_px=230,
    )


def _ordered(found: dict[str, float], currency: str) -> str:
    said = "; ".join(f"{WORDS[name]} {value:,.2f}" for name, value in found.items()) + "."
    slack = 1e-6 * max(1.0, *(abs(value) for value in found.values()))
    if "perfect" in found and min(found.values()) < found["perfect"] - slack:
        said += " Something beat perfect foresight: that cannot be, so one of the figures is wrong."
    elif dearer := dearer_than_holding(found.get("rolling"), found.get("none"), currency=currency):
        said += f" {dearer} It is decided from forecasts, so a single day can turn out so; judge by the mean of many (`feederflow study`)."
    return said
