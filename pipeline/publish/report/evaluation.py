"""The page of an evaluation study: its tables in, one HTML file out, with the machinery of the day's report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa

from pipeline.cases.case import Case
from pipeline.publish.report import page
from pipeline.publish.report.build import document
from pipeline.publish.report.comparison import OTHER_DAYS, WORDS, Compared, Row, distributions, means
from pipeline.publish.report.figure import esc
from pipeline.publish.report.sweeps import against_parameter, bounds, convergence, times
from pipeline.publish.report.verdict import Card, counted

FIGURES = (means, distributions, against_parameter, bounds, convergence, times)
# Column of `summary`, words, digits after the point.
COLUMNS = (
    ("day_count", "days", 0),
    ("mean_cost", "mean", 2), ("mean_low_cost", "from", 2), ("mean_high_cost", "to", 2), ("difference_cost", "to reference", 2),
    ("difference_low_cost", "from", 2), ("difference_high_cost", "to", 2), ("q95_cost", "95 %", 2), ("worst_cost", "worst", 2),
    ("perfect_cost", "perfect foresight", 2), ("planned_cost", "expected when planned", 2), ("shed_kwh", "shed, kWh", 3),
    ("unserved_kwh", "vehicles unserved, kWh", 3), ("other_slack_kwh", "other slack, kWh", 3),
    ("starts_stops_count", "starts and stops", 2), ("commitment_changes_count", "commitments changed", 2),
    ("warning_count", "warnings", 0),
)


def build_evaluation(title: str, case: Case, *, days: Sequence[str], reference: str, order: Sequence[str], tables: Mapping[str, pa.Table],
                     missing: Sequence[str] = (), failed: Mapping[str, str] | None = None) -> str:
    """The page as text. tables: evaluation, summary, bounds, timings, warnings.

    missing: items not done; failed: why, of those that were tried.
    """
    of = Compared(dict(tables), case.currency, reference, tuple(order))
    figures = [figure for figure in (make(of) for make in FIGURES) if figure.views or figure.why_empty]
    parts = (
        '<a class="skip" href="#main">Skip to the plots</a>',
        _header(title, case, of, days, missing),
        page.toc([("summary", "Summary"), *page.links_to(figures), ("reading", "How to read this")]),
        '<main class="wrap" id="main">',
        "<noscript><p>The plots need JavaScript; the summary does not.</p></noscript>",
        _summary(of), _unfinished(missing, failed or {}), _warned(of),
        *(page.plot_section(figure) for figure in figures),
        _reading(of),
        "<footer>Made from the tables of the study alone. This file needs no network.</footer></main>",
    )
    return document(f"{title}: {case.name}", "\n".join(parts), page.data_block(figures, {}))


def _header(title: str, case: Case, of: Compared, days: Sequence[str], missing: Sequence[str]) -> str:
    against = of.against()[0]
    rows = [row for row in of.summary if row["against"] == against]
    best, calm = min(rows, key=lambda row: float(row["mean_cost"])), min(rows, key=lambda row: float(row["worst_cost"]))
    grade, headline = ("degraded", "Not complete") if missing else ("good", _headline(best, of))
    words = f"{counted(len(missing), 'item')} of the study not done; the rest is shown." if missing else _words(best, of)
    words, cards = (words, _cards(best, calm, of)) if of.same_days else (f"{words} {OTHER_DAYS}", ())
    shown = "".join(page.card(one) for one in cards)
    span = days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"
    return f"""<header class="page wrap">
<p class="eyebrow">feederflow &middot; evaluation of treatments</p>
<h1>{esc(title)}</h1>
<p class="sub"><code>{esc(case.name)}</code>, variant <code>{esc(case.variant)}</code>; {esc(span)} ({counted(len(days), 'day')});
{esc(counted(len(of.order), 'treatment'))}, met with {esc(' and '.join(_met(of, one) for one in of.against()))}</p>
<div class="verdict {grade}" id="verdict" role="status"><span class="mark" aria-hidden="true">{page.MARKS[grade]}</span>
<div><strong>{esc(headline)}</strong><p>{esc(words)}</p></div></div>
<ul class="cards">{shown}</ul>
</header>"""


def _cards(best: Row, calm: Row, of: Compared) -> tuple[Card, ...]:
    """Of treatments over the same days: the cheapest on the mean, and in the worst scenario."""
    return (
        Card("Cheapest on the mean", f"{best['mean_cost']:,.2f} {of.currency}", best["name"]),
        Card("Cheapest worst case", f"{calm['worst_cost']:,.2f} {of.currency}", calm["name"]),
        Card("Perfect foresight", f"{best['perfect_cost']:,.2f} {of.currency}",
             f"{best['mean_cost'] - best['perfect_cost']:,.2f} {of.currency} below the cheapest: what not knowing costs"),
    )


def _met(of: Compared, against: str) -> str:
    count = next(row["scenario_count"] for row in of.summary if row["against"] == against)
    return f"{counted(count, 'held-out scenario')} a day" if against == "held_out" else WORDS[against]


def _headline(best: Row, of: Compared) -> str:
    return f"{best['name']} is the reference, and nothing is cheaper on the mean" if best["name"] == of.reference else (
        f"{best['name']} is cheapest on the mean")


def _words(best: Row, of: Compared) -> str:
    share = f"{100 * best['confidence_share']:g} %"
    if best["name"] == of.reference:
        dearer = [row["name"] for row in of.summary if row["against"] == best["against"] and (row["difference_low_cost"] or 0.0) > 0]
        return f"Dearer beyond chance ({share}): {', '.join(dearer) or 'none'}."
    if best["difference_low_cost"] is None:
        return f"{best['difference_cost'] or 0.0:+,.2f} {of.currency} a day against {of.reference}; one value says nothing of chance."
    sure = "beyond chance" if best["difference_high_cost"] < 0 else "which may be chance"
    return (f"{best['difference_cost']:+,.2f} {of.currency} a day against {of.reference}, {sure} "
            f"({share} interval {best['difference_low_cost']:+,.2f} to {best['difference_high_cost']:+,.2f}).")


def _summary(of: Compared) -> str:
    """Every treatment in one sortable table."""
    heads = [("treatment", ""), ("met with", ""), *((words, "num") for _, words, _ in COLUMNS), ("largest gap, %", "num"),
             ("CPU s a day", "num")]
    cells = (f'class="{kind}" aria-sort="none"><button type="button">{esc(words)}</button></th>' for words, kind in heads)
    head = "".join(f'<th scope="col" {cell}' for cell in cells)
    body = "".join(f"<tr>{_row(of, row)}</tr>" for row in of.summary)
    table = f'<table class="sortable"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
    lead = f'<p class="lead">Costs in {esc(of.currency)} a day. Reference: <code>{esc(of.reference)}</code>.</p>'
    return page.section("summary", "Treatments side by side",
                        f'{lead}<div class="scroll" tabindex="0" role="region" aria-label="Treatments side by side">{table}</div>')


def _row(of: Compared, row: Row) -> str:
    spent = [one["cpu_s"] for one in of.timings if one["name"] == row["name"]]
    gap = "not proven" if row["gap_share"] is None else f"{100 * row['gap_share']:.3g}"
    return (f'<th scope="row">{esc(row["name"])}</th><td>{esc(WORDS[row["against"]])}</td>'
            f"{''.join(_number(row[column], digits) for column, _, digits in COLUMNS)}"
            f'<td class="num">{gap}</td>{_number(sum(spent) / len(spent), 3)}')


def _number(value: float | None, digits: int) -> str:
    return '<td class="num"></td>' if value is None else f'<td class="num" data-sort="{value!r}">{value:,.{digits}f}</td>'


def _unfinished(missing: Sequence[str], failed: Mapping[str, str]) -> str:
    """What is not there, and why as far as it is known."""
    if not missing:
        return ""
    rows = "".join(f"<tr><td><code>{esc(item)}</code></td><td>{esc(failed.get(item, 'not run yet'))}</td></tr>" for item in missing)
    return page.section("unfinished", "Not done", '<p class="lead">Running the study again takes these up.</p>'
                        f'<div class="scroll" tabindex="0" role="region" aria-label="Not done"><table><tbody>{rows}</tbody></table></div>')


def _warned(of: Compared) -> str:
    """What was not as asked, by treatment and day."""
    if not of.warnings:
        return ""
    rows = "".join(f"<tr><td><code>{esc(row['name'])}</code></td><td>{esc(row['delivery_date'])}</td><td>{esc(row['stage'])}</td>"
                   f"<td>{esc(row['place'])}</td><td>{esc(row['message'])}</td></tr>" for row in of.warnings)
    return page.section("warnings", "Warnings", '<p class="lead">A plan or a cost below is not all that its treatment asks for.</p>'
                        f'<div class="scroll" tabindex="0" role="region" aria-label="Warnings"><table><tbody>{rows}</tbody></table></div>')


def _reading(of: Compared) -> str:
    share = f"{100 * of.summary[0]['confidence_share']:g} %"
    items = (
        ("cost", "First stage as planned and frozen, then the best recourse of the day-ahead program to each scenario."),
        ("held-out scenarios", "Drawn from the same forecast with another seed: no treatment planned with them, all meet the same."),
        ("what came", "Realised series and vehicles of the day, met in the same way: no re-dispatch, no forecast in between."),
        ("perfect foresight", "The same program with nothing frozen, scenario by scenario: no treatment can be below it."),
        ("intervals", f"{share}. Means and differences: Student's, over the days' means (of a single day over its scenarios). Quantile: "
                      "bootstrap of days and scenarios."),
        ("expected when planned", "What the plan promised on its own scenarios. Far below the mean: it fitted them too closely."),
        ("commitments changed", f"Units times steps a day that are on here and off under {of.reference}, or the other way."),
    )
    body = "".join(f"<dt>{esc(term)}</dt><dd>{esc(text)}</dd>" for term, text in items)
    return page.section("reading", "How to read this", f'<dl class="units">{body}</dl>')

