"""The page of an evaluation study: its words follow its numbers, and what comes from data is text."""

from __future__ import annotations

import pytest

from pipeline.publish.report.evaluation import build_evaluation
from tests.unit.report.made_day import made_case
from tests.unit.report.made_study import DAYS, ORDER, made_study
from tests.unit.report.test_report import EVIL, data_of, views_of, words_of

CASE = made_case()


def build(title: str = "Treatments", reference: str = "plain", **more: object) -> str:
    return build_evaluation(title, CASE, days=DAYS, reference=reference, order=ORDER, tables=made_study(), **more)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def text() -> str:
    return build()


def test_the_cheapest_is_named_with_its_interval(text: str) -> None:
    words = words_of(text)
    assert "mean is cheapest on the mean" in words or "guarded radius_share=0 is cheapest on the mean" in words
    assert "-2.00 USD a day against plain, beyond chance (95 % interval -3.00 to -1.00)." in words


def test_the_reference_may_be_the_cheapest() -> None:
    tables = made_study()
    best = min(tables["summary"].to_pylist(), key=lambda row: row["mean_cost"])
    name = best["treatment"] if best["parameter"] is None else f"{best['treatment']} {best['parameter']}={best['parameter_value']:g}"
    words = words_of(build(reference=name))
    assert f"{name} is the reference, and nothing is cheaper on the mean" in words
    assert "Dearer beyond chance (95 %): guarded radius_share=0.1." in words


def test_every_figure_has_its_views(text: str) -> None:
    figures = data_of(text)["figures"]
    assert list(figures) == ["means", "distributions", "parameter", "bounds", "convergence", "times"]
    assert [view["label"] for view in figures["parameter"]["views"]] == ["guarded: held-out scenarios", "guarded: time"]
    assert len(figures["bounds"]["views"]) == 4
    assert figures["bounds"]["views"][0]["says"].endswith("a proven gap of 0.098 %.")


def test_plots_show_the_tables(text: str) -> None:
    mean, difference = views_of(text, "means")
    assert mean["traces"][0]["y"] == list(reversed(ORDER))
    assert difference["traces"][0]["x"] == [3, -2, -2, 0]
    assert difference["traces"][0]["error_x"]["array"] == [1, 1, 1, 1]
    below = views_of(text, "distributions")[2]["traces"][0]
    assert below["y"][-1] == 100 and below["x"] == sorted(below["x"])


def test_what_is_not_done_is_said_with_its_reason() -> None:
    page = build(missing=["2016-03-26/plain", "2016-03-27/plain"], failed={"2016-03-26/plain": EVIL})
    words = words_of(page)
    assert "2 items of the study not done" in words and "not run yet" in words
    assert EVIL not in page and "&lt;b&gt;" in page


def test_costs_of_different_days_are_ranked_nowhere(text: str) -> None:
    """A treatment that failed on a dear day would look cheap."""
    page = build_evaluation("Treatments", CASE, days=DAYS, reference="plain", order=ORDER, tables=made_study(lost="guarded"),
                            missing=["2016-03-27/guarded radius_share=0"])
    words = words_of(page)
    assert "Treatments have different days: their costs do not compare" in words
    assert "heapest" not in words and "least" not in words and "what not knowing costs" not in words
    assert all("heapest" not in view["says"] for figure in data_of(page)["figures"].values() for view in figure["views"])
    assert page.count('<td class="num" data-sort="1">1</td>') == page.count('<td class="num" data-sort="2">2</td>') == 2, "days"
    assert "different days" not in text and "Cheapest on the mean" in text


def test_warnings_stand_on_the_page_where_there_are_any(text: str) -> None:
    page = build_evaluation("Treatments", CASE, days=DAYS, reference="plain", order=ORDER, tables=made_study(warning=EVIL))
    assert 'id="warnings"' not in text
    assert 'id="warnings"' in page and EVIL not in page and "<td>2016-03-27</td><td>planned</td><td>schedule</td><td>&lt;" in page
    assert page.count('<td class="num" data-sort="1">1</td>') == 1, "the count of guarded radius_share=0.1"


def test_names_are_text() -> None:
    page = build(title=EVIL)
    assert EVIL not in page and "<script>alert(1)" not in page and "&lt;script&gt;alert(1)" in page


def test_the_same_tables_give_the_same_page(text: str) -> None:
    assert build() == text
