"""The page in a real browser, offline: what a person sees and can do."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from pipeline.publish.report.build import RunInfo, build_report, write_report
from pipeline.publish.report.evaluation import build_evaluation
from tests.unit.report.made_day import DAY, made_case, made_tables
from tests.unit.report.made_study import DAYS, ORDER, made_study

pytestmark = pytest.mark.chromium
PLOTS = ("yardsticks", "market", "balance", "storage", "voltage_profile", "voltage_heat", "forecast", "scenarios", "treatment",
         "costs", "settlement")


@dataclass
class Opened:
    page: Any
    trouble: list[str] = field(default_factory=list)  # console errors and failed scripts
    asked: list[str] = field(default_factory=list)  # requests beyond the file itself


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    found = os.environ.get("FEEDERFLOW_TEST_CHROMIUM") or next(
        filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome")))
    )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def opened(chromium: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    """The page of a degraded day, every plot drawn."""
    case = made_case()
    day = case.day(DAY)
    info = RunInfo(
        overrides=(
            {
                "target": "f01_generator",
                "quantity": "out",
                "value": None,
                "valid_from": day.start,
                "valid_to": day.end,
                "author": "desk",
                "reason": "<img src=x onerror=alert(1)>",
            },
        )
    )
    text = build_report(case, made_tables(case, day, warnings=2), day=day, variant="default", run_info=info)
    path = write_report(text, tmp_path_factory.mktemp("page") / "report.html")
    yield from _open(chromium, path)


def _open(chromium: Any, path: Path) -> Iterator[Opened]:
    context = chromium.new_context(viewport={"width": 1280, "height": 800}, offline=True)
    found = Opened(context.new_page())
    found.page.on("console", lambda message: found.trouble.append(message.text) if message.type in ("error", "warning") else None)
    found.page.on("pageerror", lambda error: found.trouble.append(str(error)))
    found.page.on(
        "request", lambda request: found.asked.append(request.url) if not request.url.startswith(("file:", "data:", "blob:")) else None
    )
    found.page.goto(path.as_uri())
    found.page.wait_for_selector("body[data-ready=yes]", timeout=60_000)
    yield found
    context.close()


def test_it_opens_offline_without_a_complaint(opened: Opened) -> None:
    assert opened.trouble == [] and opened.asked == []


def test_the_verdict_is_above_the_fold(opened: Opened) -> None:
    box = opened.page.locator("#verdict").bounding_box()
    cards = opened.page.locator(".cards").bounding_box()
    assert box["y"] >= 0 and cards["y"] + cards["height"] <= 800
    assert opened.page.locator("#verdict strong").inner_text() == "Degraded"


@pytest.mark.parametrize("name", PLOTS)
def test_every_section_has_a_drawn_plot_with_data(opened: Opened, name: str) -> None:
    drawn = opened.page.evaluate(
        """name => { const box = document.getElementById("plot-" + name);
        const marks = box.querySelectorAll(".scatterlayer .trace path, .barlayer .point path, .heatmaplayer image").length;
        const values = box._fullData.reduce((n, t) => n + ((t.z || [t.y || []])).flat().filter(v => v !== null).length, 0);
        return { marks, values, ready: box.dataset.ready, label: box.getAttribute("aria-label") }; }""",
        name,
    )
    assert drawn["ready"] == "yes" and drawn["marks"] > 0 and drawn["values"] > 2
    assert len(drawn["label"]) > 30


def test_the_select_changes_the_microgrid(opened: Opened) -> None:
    page = opened.page
    before = page.evaluate("document.getElementById('plot-balance')._fullData.length")
    page.select_option("#select-balance", label="mg_f01_b04")
    page.wait_for_function("document.getElementById('plot-balance').dataset.view === 'mg_f01_b04'")
    title = page.evaluate("document.getElementById('plot-balance')._fullLayout.yaxis2.title.text")
    assert title == "heat, kWth" and "Heat fed in" in page.locator("#says-balance").inner_text() and before > 3
    page.select_option("#select-balance", index=0)
    page.wait_for_function("document.getElementById('plot-balance').dataset.view === 'Whole system'")
    assert page.evaluate("document.getElementById('plot-balance')._fullData.length") == before
    assert page.evaluate("document.getElementById('plot-balance')._fullLayout.yaxis2") is None


@pytest.mark.parametrize("name", ["balance", "storage", "voltage_heat", "forecast", "scenarios", "treatment"])
def test_every_view_of_every_select_draws(opened: Opened, name: str) -> None:
    page = opened.page
    for label in page.locator(f"#select-{name} option").all_inner_texts():
        page.select_option(f"#select-{name}", label=label)
        page.wait_for_function("([name, label]) => document.getElementById('plot-' + name).dataset.view === label", arg=[name, label])
        assert page.evaluate("name => document.getElementById('plot-' + name)._fullData.filter(t => t.visible === true).length", name) > 0
    assert opened.trouble == []


def test_findings_sort_by_keyboard(opened: Opened) -> None:
    page = opened.page
    cells = "#findings tbody tr td:first-child"
    assert page.locator(cells).all_inner_texts() == ["warning", "warning", "info", "info"]
    page.focus("#findings th:first-child button")
    page.keyboard.press("Enter")
    assert page.locator("#findings th").first.get_attribute("aria-sort") == "descending"
    assert page.locator(cells).all_inner_texts() == ["info", "info", "warning", "warning"]
    page.locator("#findings th button", has_text="value").click()
    assert page.locator("#findings tbody td:nth-child(6)").all_inner_texts() == ["0.9482", "3", "3.2", "4.2"]


def test_hovering_tells_the_local_time(opened: Opened) -> None:
    page = opened.page
    page.locator("#plot-market").scroll_into_view_if_needed()
    box = page.locator("#plot-market .nsewdrag").first.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.5)
    page.wait_for_selector("#plot-market .hoverlayer .legend")
    said = page.locator("#plot-market .hoverlayer").text_content()
    assert "local time" in said and "19:00 to 19:15" in said


def test_an_override_reason_is_shown_as_text(opened: Opened) -> None:
    assert opened.page.locator("#runs td", has_text="<img src=x onerror=alert(1)>").count() == 1
    assert opened.page.locator("#runs img").count() == 0


def test_nothing_spills_over_the_width(opened: Opened) -> None:
    assert opened.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_it_prints_with_every_plot_inside_the_paper(opened: Opened) -> None:
    width = "document.querySelector('#plot-balance .main-svg').getBoundingClientRect().width"
    wide = opened.page.evaluate(width)
    opened.page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    opened.page.wait_for_function(width + " <= 700")
    opened.page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    opened.page.wait_for_function(f"{width} === {wide}")
    assert len(opened.page.pdf(format="A4")) > 50_000 and opened.trouble == []


# ------------------------------------------------------------------ the page of an evaluation study


@pytest.fixture(scope="module")
def study(chromium: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    text = build_evaluation("Treatments", made_case(), days=DAYS, reference="plain", order=ORDER, tables=made_study())
    yield from _open(chromium, write_report(text, tmp_path_factory.mktemp("study") / "report.html"))


@pytest.mark.parametrize("name", ["means", "distributions", "parameter", "bounds", "convergence", "times"])
def test_every_view_of_a_study_draws(study: Opened, name: str) -> None:
    page = study.page
    select = page.locator(f"#select-{name} option")
    for label in select.all_inner_texts():
        page.select_option(f"#select-{name}", label=label)
        page.wait_for_function("([name, label]) => document.getElementById('plot-' + name).dataset.view === label", arg=[name, label])
        marks = f"#plot-{name} .scatterlayer .trace path, #plot-{name} .barlayer .point path, #plot-{name} .boxlayer .trace path"
        assert page.locator(marks).count() > 0
    assert page.locator(f"#plot-{name}").get_attribute("data-ready") == "yes"
    assert study.trouble == [] and study.asked == []


def test_a_study_sorts_and_fits_the_width(study: Opened) -> None:
    page = study.page
    page.locator("#summary th button", has_text="to reference").click()
    assert page.locator("#summary tbody th").all_inner_texts()[-1] == "guarded radius_share=0.1"
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert page.locator("#verdict").bounding_box()["y"] >= 0
