"""Figures of the day, forecast scores and scenario quality as tables: for those who read on after the plots."""

from __future__ import annotations

from collections.abc import Callable

from pipeline.publish.report.figure import esc
from pipeline.publish.report.frames import DayTables, records


def figures_section(day: DayTables) -> str:
    """One section; each table appears when it was published."""
    parts = [_kpis(day), _scores(day), _quality(day)]
    body = "".join(part for part in parts if part) or '<p class="empty">No figures were published.</p>'
    return f'<section id="figures" aria-labelledby="figures-title"><h2 id="figures-title">Figures of the day</h2>{body}</section>'


def _kpis(day: DayTables) -> str:
    """Figure by stage. Names of ties stay as they are, the rest reads as words."""
    stages = ("day_ahead", "real_time")
    found: dict[tuple[str, str], dict[str, float | None]] = {}
    for row in records(day.table("kpis")):
        found.setdefault((row["kpi"], row["unit"]), {})[row["stage"]] = row["value"]
    shown = {key: values for key, values in sorted(found.items()) if not _inner_tie(day, key[0])}
    if not shown:
        return ""
    body = "".join(
        f'<tr><th scope="row">{esc(name.replace("_", " "))}</th><td>{esc(unit.removeprefix("1"))}</td>'
        f"{''.join(_cell(values.get(stage)) for stage in stages)}</tr>"
        for (name, unit), values in shown.items()
    )
    return _table("Figures of the day", ("figure", "unit", "day ahead", "real time"), body, numeric=2)


def _inner_tie(day: DayTables, name: str) -> bool:
    """One row per microgrid would drown the rest; the table `kpis` and the balances have them."""
    return any(name.endswith(f"_{tie.id}") for tie in day.case.ties if tie.upper_bus is not None)


def _scores(day: DayTables) -> str:
    return _grid(day, "forecast_scores", title="Forecast scores on past days", down="series", across="score",
                 head=lambda series: f"<code>{esc(series)}</code>")


def _quality(day: DayTables) -> str:
    return _grid(day, "scenario_quality", title="Quality of the scenarios", down="measure", across="method",
                 head=lambda measure: esc(measure.replace("_", " ")))


def _grid(day: DayTables, table: str, *, title: str, down: str, across: str, head: Callable[[str], str]) -> str:
    """Values of a table laid out by two of its columns, folded; empty when there are none."""
    found: dict[str, dict[str, float | None]] = {}
    for row in records(day.table(table)):
        found.setdefault(row[down], {})[row[across]] = row["value"]
    if not found:
        return ""
    names = sorted({name for values in found.values() for name in values})
    body = "".join(
        f'<tr><th scope="row">{head(key)}</th>{"".join(_cell(values.get(name)) for name in names)}</tr>' for key, values in found.items()
    )
    return _folded(title, _table(title, (down, *names), body, numeric=1))


def _folded(title: str, table: str) -> str:
    return f"<details><summary>{esc(title)}</summary>{table}</details>"


def _table(label: str, heads: tuple[str, ...], body: str, *, numeric: int) -> str:
    """`numeric`: columns from this place on hold numbers."""
    cells = "".join(
        f'<th scope="col"{" class=num" if place >= numeric else ""}>{esc(head.replace("_", " "))}</th>' for place, head in enumerate(heads)
    )
    table = f"<table><thead><tr>{cells}</tr></thead><tbody>{body}</tbody></table>"
    return f'<div class="scroll" tabindex="0" role="region" aria-label="{esc(label)}">{table}</div>'


def _cell(value: float | None) -> str:
    return '<td class="num"></td>' if value is None else f'<td class="num">{value:,.5g}</td>'
