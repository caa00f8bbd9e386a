"""HTML of the page: everything that comes from data is escaped here."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from pipeline.core.clock import from_epoch
from pipeline.publish.report.axis import local_label, zone_title
from pipeline.publish.report.figure import Figure, View, esc
from pipeline.publish.report.frames import DayTables
from pipeline.publish.report.verdict import Card, RunInfo, Verdict, counted, findings_of, issue_time, moment, run_ids

MARKS = {"good": "&#10003;", "degraded": "!", "failed": "&#10007;"}
FINDINGS_SHOWN = 400


def header(day: DayTables, verdict: Verdict, variant: str) -> str:
    """Title, verdict and cards: all that a person reads in ten seconds."""
    case, first = day.case, from_epoch(day.day.start).astimezone(day.day.zone)
    ends = f"{local_label(day.day.start, day.day, zone_name=True)} to {local_label(day.day.end, day.day, zone_name=True)} the next day"
    synthetic = sorted({series.kind for series in case.series if series.synthetic})
    note = f' <span class="synthetic">synthetic: {esc(", ".join(synthetic))}</span>' if synthetic else ""
    cards = "".join(card(one) for one in verdict.cards)
    return f"""<header class="page wrap">
<p class="eyebrow">feederflow &middot; delivery day</p>
<h1>{first:%A}, {first.day} {first:%B %Y} &mdash; {esc(case.title or case.name)}</h1>
<p class="sub"><code>{esc(case.name)}</code>, variant <code>{esc(variant)}</code>; {esc(ends)}, {len(day.quarters)} quarter-hours{note}</p>
<div class="verdict {verdict.grade}" id="verdict" role="status"><span class="mark" aria-hidden="true">{MARKS[verdict.grade]}</span>
<div><strong>{esc(verdict.headline)}</strong><p>{esc(verdict.words)}</p></div></div>
<ul class="cards">{cards}</ul>
</header>"""


def card(one: Card) -> str:
    """One number of the top of a page."""
    value = f"<code>{esc(one.value)}</code>" if one.title == "Runs" else esc(one.value)
    words = f'<h2>{esc(one.title)}</h2><p class="value">{value}</p><p class="note">{esc(one.note)}</p>'
    return f'<li class="card tone-{one.tone}">{words}</li>'


def contents(figures: Sequence[Figure]) -> str:
    """Links to the sections of a day's page."""
    return toc([("findings", "Findings"), *links_to(figures), ("figures", "Figures"), ("runs", "Runs and overrides"),
                ("units", "How to read units")])


def links_to(figures: Sequence[Figure]) -> list[tuple[str, str]]:
    """The id of each figure and the first words of its title."""
    return [(figure.id, figure.title.split(",")[0].split(":")[0].split("?")[0]) for figure in figures]


def toc(links: Sequence[tuple[str, str]]) -> str:
    """Links to sections: ids and words."""
    items = "".join(f'<li><a href="#{id}">{esc(title)}</a></li>' for id, title in links)
    return f'<nav class="toc" aria-label="Sections"><ul class="wrap">{items}</ul></nav>'


def plot_section(figure: Figure) -> str:
    """One figure in HTML: heading, lead, choice of views, the empty plot that the script fills."""
    head = f'<h2 id="{figure.id}-title">{esc(figure.title)}</h2><p class="lead">{esc(figure.lead)}</p>'
    opening = f'<section class="fig" id="{figure.id}" aria-labelledby="{figure.id}-title">'
    if not figure.views:
        return f'{opening}{head}<p class="empty">{esc(figure.why_empty)}</p></section>'
    choose = ""
    if len(figure.views) > 1:
        options = "".join(f"<option>{esc(view.label)}</option>" for view in figure.views)
        select = f'<select id="select-{figure.id}" autocomplete="off">{options}</select>'
        choose = f'<label class="choose" for="select-{figure.id}">{esc(figure.choose)} {select}</label>'
    height = figure.views[0].layout["height"]
    says = esc(figure.views[0].says)
    label = f"{esc(figure.title)}. {says}"
    return f"""{opening}{head}{choose}
<figure><div class="plot" id="plot-{figure.id}" role="img" style="min-height:{height}px" aria-label="{label}"></div>
<figcaption class="says" id="says-{figure.id}" aria-live="polite">{says}</figcaption></figure></section>"""


def findings_section(day: DayTables) -> str:
    """The table of findings, worst first, sortable by every column."""
    rows = findings_of(day)
    if not rows:
        return section("findings", "Findings", '<p class="lead">Every check passed and nothing was noted.</p>')
    warnings = sum(row["severity"] == "warning" for row in rows)
    cut = f" Shown are the first {FINDINGS_SHOWN}; all are in the table <code>findings</code>." if len(rows) > FINDINGS_SHOWN else ""
    words = f"{counted(warnings, 'warning')}, {len(rows) - warnings} for information, worst first. A warning makes the day degraded."
    lead = f'<p class="lead">{words}{cut}</p>'
    columns = (("severity", ""), ("stage", ""), ("check", ""), ("place", ""), ("message", ""), ("value", "num"), ("limit", "num"))
    heads = "".join(
        f'<th scope="col" class="{kind}" aria-sort="{_sorted_at_first(name)}"><button type="button">{name}</button></th>'
        for name, kind in columns
    )
    body = "".join(_finding(row) for row in rows[:FINDINGS_SHOWN])
    table = f'<table class="sortable"><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>'
    return section("findings", "Findings", f'{lead}<div class="scroll" tabindex="0" role="region" aria-label="Findings">{table}</div>')


def _sorted_at_first(column: str) -> str:
    return "ascending" if column == "severity" else "none"


def _finding(row: dict[str, Any]) -> str:
    severity = esc(row["severity"])
    return (
        f'<tr><td class="sev sev-{severity}" data-sort="{severity}">{severity}</td>'
        f"<td>{esc(row['stage'].replace('_', ' '))}</td><td>{esc(row['check'].replace('_', ' '))}</td>"
        f"<td><code>{esc(row['place'])}</code></td><td>{esc(row['message'])}</td>{_number(row['value'])}{_number(row['limit'])}</tr>"
    )


def _number(value: float | None) -> str:
    return '<td class="num"></td>' if value is None else f'<td class="num" data-sort="{value!r}">{value:,.5g}</td>'


def runs_section(day: DayTables, info: RunInfo) -> str:
    """Run ids in full, issue times, and the overrides in force with author and reason."""
    parts = []
    for product, ids in run_ids(day).items():
        shown = ", ".join(f"<code>{esc(name)}</code>" for name in ids[:4]) or "none"
        more = f" and {len(ids) - 4} more" if len(ids) > 4 else ""
        parts.append(f"<dt>{esc(product)}</dt><dd>{shown}{more}</dd>")
    issued = issue_time(day, info)
    for words, instant in (("day-ahead issued", issued), ("nothing read that was known after", info.as_of)):
        if instant is not None:
            parts.append(f"<dt>{words}</dt><dd>{esc(moment(instant, day.day))}</dd>")
    parts.append(f"<dt>case</dt><dd><code>{esc(day.case.digest[:16])}</code> (hash of its content)</dd>")
    return section("runs", "Runs and overrides", f'<dl class="units">{"".join(parts)}</dl>{_overrides(day, info)}')


def _overrides(day: DayTables, info: RunInfo) -> str:
    if info.overrides is None:
        return ""
    if not info.overrides:
        return '<p class="lead" style="margin-top:12px">No override was in force.</p>'
    names = ("target", "quantity", "value", "valid_from", "valid_to", "author", "reason")
    body = ""
    for row in info.overrides:
        cells = "".join(f"<td>{esc(_cell(row.get(name), name, day))}</td>" for name in names)
        body += f"<tr>{cells}</tr>"
    heads = "".join(f'<th scope="col">{name.replace("_", " ")}</th>' for name in names)
    table = f"<table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>"
    return f'<div class="scroll" style="margin-top:12px" tabindex="0" role="region" aria-label="Overrides">{table}</div>'


def _cell(value: Any, name: str, day: DayTables) -> str:
    if value is None:
        return ""
    return moment(int(value), day.day) if name.startswith("valid_") else str(value)


def units_section(day: DayTables) -> str:
    """How to read times, signs and units."""
    money = day.case.currency
    synthetic = ", ".join(series.id for series in day.case.series if series.synthetic) or "none"
    items = (
        ("time", f"{zone_title(day.day)}. An interval is named by its start; published tables store UTC."),
        ("sign", "Positive feeds into the bus, negative draws from it. At the grid tie positive is bought, negative is sold."),
        ("kW, kvar, kWth", "Active, reactive and heat power, mean over the interval (a quarter-hour in real time)."),
        ("kWh, kWhth", "Stored energy at the END of the interval; 1 kW over a quarter-hour is 0.25 kWh."),
        ("p.u.", "Voltage over its nominal value: 1 is nominal."),
        (money, f"Money, in the case's currency; prices in {money} per kWh. A negative cost is income."),
        ("settled", "After the realised values met the dispatch that was decided; before that a figure is expected or provisional."),
        ("synthetic", f"Made by a declared law, not measured: {synthetic}."),
    )
    body = "".join(f"<dt>{esc(term)}</dt><dd>{esc(text)}</dd>" for term, text in items)
    return section("units", "How to read units", f'<dl class="units">{body}</dl>')


def section(id: str, title: str, body: str) -> str:
    return f'<section id="{id}" aria-labelledby="{id}-title"><h2 id="{id}-title">{esc(title)}</h2>{body}</section>'


def _packed(view: View, first: View) -> dict[str, Any]:
    """A view as data; after the first only what differs from it, for most of a view is the same look again."""
    if view is first:
        return {"label": view.label, "says": view.says, "traces": view.traces, "layout": view.layout}
    bases = [*first.traces, *({} for _ in view.traces)]
    traces = [_change(trace, base) for trace, base in zip(view.traces, bases, strict=False)]
    return {"label": view.label, "says": view.says, "traces": traces, "layout": _change(view.layout, first.layout)}


def _change(wanted: dict[str, Any], base: dict[str, Any]) -> dict[str, Any]:
    gone = {key: None for key in base if key not in wanted}
    return {**{key: value for key, value in wanted.items() if key not in base or base[key] != value}, **gone}


def data_block(figures: Sequence[Figure], shared: dict[str, list[Any]]) -> str:
    """The plots' data as JSON. `<` is written as an escape, so that no text of the data can end the block."""
    content = {"shared": shared, "figures": {f.id: {"title": f.title, "views": [_packed(v, f.views[0]) for v in f.views]} for f in figures}}
    text = json.dumps(content, separators=(",", ":"), allow_nan=False, ensure_ascii=False)
    return (
        text.replace("<", "\\u003c")
        .replace(">", "\\u003e")
        .replace("&", "\\u0026")
        .replace("\u2028", "\\u2028")
        .replace("\u2029", "\\u2029")
    )
