"""The report of a delivery day: published tables in, one HTML file out. Same tables, same bytes."""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

import pyarrow as pa

from pipeline.cases.case import Case
from pipeline.core.clock import DeliveryDay
from pipeline.publish.report import page
from pipeline.publish.report.balance import balances
from pipeline.publish.report.figure import esc
from pipeline.publish.report.figures_table import figures_section
from pipeline.publish.report.frames import DayTables
from pipeline.publish.report.market import price_and_power
from pipeline.publish.report.money import by_term, settlement, yardstick
from pipeline.publish.report.outlook import fans, scenarios
from pipeline.publish.report.script import JS
from pipeline.publish.report.storage import stores
from pipeline.publish.report.style import CSS
from pipeline.publish.report.treatment import treatment
from pipeline.publish.report.verdict import RunInfo, judge
from pipeline.publish.report.voltage import heatmap, profile

__all__ = ["RunInfo", "build_report", "report_path", "write_report"]

# The browser itself then refuses every request to the outside.
POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:"
SECTIONS = (yardstick, price_and_power, balances, stores, profile, heatmap, fans, scenarios, treatment, by_term, settlement)


def build_report(case: Case, tables: Mapping[str, pa.Table], *, day: DeliveryDay, variant: str, run_info: RunInfo | None = None) -> str:
    """The page as text. `tables` are the published tables of the day by name; what is missing is said, not hidden."""
    info = run_info or RunInfo()
    frames = DayTables(case, day, tables)
    figures = [figure for figure in (section(frames) for section in SECTIONS) if figure.views or figure.why_empty]
    shared = {**frames.quarters.coordinates(), **frames.plan_grid.coordinates()}
    verdict = judge(frames, info)
    body = "\n".join(
        (
            '<a class="skip" href="#main">Skip to the plots</a>',
            page.header(frames, verdict, variant),
            page.contents(figures),
            '<main class="wrap" id="main">',
            "<noscript><p>The plots need JavaScript; verdict, findings and units do not.</p></noscript>",
            page.findings_section(frames),
            *(page.plot_section(figure) for figure in figures),
            figures_section(frames),
            page.runs_section(frames, info),
            page.units_section(frames),
            "<footer>Made from the published tables alone. This file needs no network.</footer></main>",
        )
    )
    title = f"{verdict.headline}: {day.date.isoformat()}, {case.name}"
    return document(title, body, page.data_block(figures, shared))


def document(title: str, body: str, data: str) -> str:
    """One HTML file that needs nothing else."""
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<link rel="icon" href="data:,"><title>{esc(title)}</title><style>{CSS}</style></head>
<body>
{body}
<script type="application/json" id="report-data">{data}</script>
<script>{_plotly()}</script>
<script>{JS}</script>
</body></html>
"""


def _plotly() -> str:
    """plotly.js as the plotly package ships it: its only bundle, 4.8 MB."""
    return (files("plotly") / "package_data" / "plotly.min.js").read_text(encoding="utf-8").replace("</script", "<\\/script")


def report_path(home: Path, case: str, variant: str, delivery_date: str) -> Path:
    """Where the page of a day lives: `<home>/reports/<case>/<variant>/<date>.html`."""
    return home / "reports" / case / variant / f"{delivery_date}.html"


def write_report(text: str, path: Path) -> Path:
    """Write whole or not at all: a reader never sees half a page."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with temporary.open("w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(path)
    return path
