"""The page as text: verdict, escaping, what is missing, size, and the numbers behind the plots."""

from __future__ import annotations

import html
import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from pipeline.cases.case import Case
from pipeline.publish.report.build import RunInfo, build_report, report_path, write_report
from pipeline.publish.report.frames import DayTables
from pipeline.publish.report.outlook import came
from pipeline.publish.report.verdict import judge
from pipeline.tables import TABLES
from tests.unit.report.made_day import DAY, made_case, made_tables

CASE = made_case()
EVIL = "</script><script>alert(1)</script><b>\"&'"


def build(tables: dict[str, pa.Table], case: Case = CASE, day: date = DAY, **info: Any) -> str:
    return build_report(case, tables, day=case.day(day), variant="default", run_info=RunInfo(**info))


def data_of(text: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="report-data">(.*?)</script>', text, re.DOTALL)
    assert found is not None
    content: dict[str, Any] = json.loads(found.group(1))
    return content


def views_of(text: str, figure: str) -> list[dict[str, Any]]:
    """Views as the page sees them: after the first, each is a change of the first."""
    views = data_of(text)["figures"][figure]["views"]
    first = views[0]["traces"]

    def merged(base: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in {**base, **change}.items() if value is not None}

    rest = [
        {**view, "traces": [merged(first[i] if i < len(first) else {}, trace) for i, trace in enumerate(view["traces"])]}
        for view in views[1:]
    ]
    return [views[0], *rest]


def words_of(text: str) -> str:
    """What a person reads: no scripts, no styles, no tags."""
    return html.unescape(re.sub(r"<[^>]+>", " ", re.sub(r"<(script|style).*?</\1>", " ", text, flags=re.DOTALL)))


@pytest.fixture(scope="module")
def tables() -> dict[str, pa.Table]:
    return made_tables(CASE, CASE.day(DAY))


@pytest.fixture(scope="module")
def text(tables: dict[str, pa.Table]) -> str:
    return build(tables)


def test_a_good_day_says_so_with_its_cost(text: str) -> None:
    words = words_of(text)
    assert "All 96 quarter-hours dispatched; nothing needs your attention." in words
    assert "2,934.52 USD" in words and "44.41 USD more" in words and "77.38 USD less" in words
    assert 'class="verdict good"' in text


def test_warnings_make_it_degraded_and_the_worst_comes_first() -> None:
    text = build(made_tables(CASE, CASE.day(DAY), warnings=3))
    assert 'class="verdict degraded"' in text and "with 3 warnings" in text
    assert text.index("5.2 kW of load were not served") < text.index("3.2 kW of load were not served")


def test_a_day_of_which_values_are_missing_is_never_good(tables: dict[str, pa.Table]) -> None:
    """24 quarter-hours settled with forecasts, or 88 not re-dispatched: said first, before anything else."""
    kpis = tables["kpis"].to_pylist()
    row = {**kpis[0], "stage": "real_time", "kpi": "unsettled_intervals", "unit": "1", "value": 24.0}
    missing = build({**tables, "kpis": pa.Table.from_pylist([*kpis, row], tables["kpis"].schema)})
    assert 'class="verdict degraded"' in missing and "Provisional" in words_of(missing)
    assert "24 of 96 quarter-hours are not settled, so the cost is provisional; all 96 quarter-hours dispatched" in words_of(missing)
    assert "Cost of the day, 24 quarter-hours by forecast" in words_of(missing)
    begun = tables["dispatch"].filter(pc.less_equal(tables["dispatch"]["step"], 8))
    early = words_of(build({**tables, "dispatch": begun}))
    assert "Provisional" in early and "88 of 96 quarter-hours are not re-dispatched" in early
    none = pa.Table.from_pylist([*kpis, {**row, "value": 0.0}], tables["kpis"].schema)
    assert "Provisional" not in words_of(build({**tables, "kpis": none}))


def test_a_cost_outside_its_scenarios_is_not_good(tables: dict[str, pa.Table]) -> None:
    """The page says the range beside the expected cost; outside of it the day is degraded, and its card says so too."""
    kpis, findings = tables["kpis"].to_pylist(), tables["findings"].to_pylist()
    ends = [{**kpis[0], "stage": "day_ahead", "kpi": f"scenario_cost_{end}", "value": value}
            for end, value in (("lowest", 2700.0), ("highest", 2900.5))]
    ranged = {**tables, "kpis": pa.Table.from_pylist([*kpis, *ends], tables["kpis"].schema)}
    good = build(ranged)
    assert "expected the day before, its scenarios from 2,700.00 to 2,900.50" in words_of(good) and 'class="verdict good"' in good
    found = {**findings[0], "stage": "real_time", "severity": "warning", "check": "cost_range", "place": "settlement", "message": "dear"}
    said = build({**ranged, "findings": pa.Table.from_pylist([*findings, found], tables["findings"].schema)})
    assert 'class="verdict degraded"' in said and "with 1 warning" in words_of(said) and "dear (settlement)" in words_of(said)
    assert said.count('class="card tone-degraded"') == good.count('class="card tone-degraded"') + 2


def test_a_failed_run_and_an_empty_day_are_failed() -> None:
    assert "balance broken at f01_b02" in words_of(
        build(made_tables(CASE, CASE.day(DAY)), status="failed", failure="balance broken at f01_b02")
    )
    empty = build({name: table.empty() for name, table in TABLES.items()})
    assert 'class="verdict failed"' in empty and "There is no published schedule for this day." in words_of(empty)


@pytest.mark.parametrize("name", sorted(TABLES))
def test_any_table_may_be_missing(name: str, tables: dict[str, pa.Table]) -> None:
    text = build({key: table for key, table in tables.items() if key != name})
    assert len(data_of(text)["figures"]) == 11


def test_before_real_time_the_page_shows_the_schedule() -> None:
    text = build(made_tables(CASE, CASE.day(DAY), dispatched=False))
    assert "real time has not begun" in words_of(text) and "not yet settled" in words_of(text)
    figures = data_of(text)["figures"]
    assert figures["market"]["views"] and figures["balance"]["views"] and not figures["yardsticks"]["views"]


def test_half_a_day_counts_what_is_done(tables: dict[str, pa.Table]) -> None:
    half = {**tables, "dispatch": tables["dispatch"].filter(pc.less_equal(tables["dispatch"]["step"], 40))}
    assert "40 of 96 quarter-hours dispatched so far" in words_of(build(half))


def test_text_from_data_is_escaped(tables: dict[str, pa.Table]) -> None:
    case = made_case(title=EVIL, currency=f"<i>{EVIL}")
    findings = tables["findings"].to_pylist()
    findings[0] |= {"message": EVIL, "place": EVIL, "severity": "warning"}
    evil = {**tables, "findings": pa.Table.from_pylist(findings, TABLES["findings"].schema)}
    override = {"target": EVIL, "quantity": "out", "value": None, "valid_from": 0, "valid_to": 1, "author": EVIL, "reason": EVIL}
    text = build(evil, case, status=None, failure=EVIL, method=EVIL, overrides=(override,))
    assert "<" not in text.split('id="report-data">')[1].split("</script>")[0]
    assert "alert(1)</script>" not in text and '<b>"' not in text and "<i>" not in text.split("<script type")[0]
    assert text.count("<script") - text.split('<script type="application/json"')[1].count("<script") == 1  # none before the data block
    data_of(text)


def test_nothing_is_asked_from_outside(text: str) -> None:
    head, _, rest = text.partition('<script type="application/json"')
    own = head + rest[rest.rindex("<script>") :]
    assert not re.search(r"""(src|href|url)\s*[=(]\s*["']?(https?:)?//""", own)
    assert "default-src 'none'" in head


def test_synthetic_series_are_marked_wherever_shown(text: str) -> None:
    figures = data_of(text)["figures"]
    assert {
        view["label"] for name in ("forecast", "scenarios") for view in figures[name]["views"] if view["label"].startswith("price")
    } == {"price (synthetic)"}
    names = [trace["name"] for trace in figures["market"]["views"][0]["traces"] if "price" in trace["name"]]
    assert names and all("(synthetic)" in name for name in names)
    assert "synthetic: price" in words_of(text)


def test_same_tables_same_bytes(tables: dict[str, pa.Table], text: str) -> None:
    assert build(dict(reversed(tables.items()))) == text


def test_the_page_of_two_feeders_stays_small(text: str) -> None:
    assert len(text.encode()) < 6_000_000


def test_what_came_is_read_back_from_the_dispatch(tables: dict[str, pa.Table]) -> None:
    frames = DayTables(CASE, CASE.day(DAY), tables)
    found = came(frames)
    assert set(found) == {series.id for series in CASE.series}
    load = [
        -values
        for key, values in frames.settled.items()
        if key[1].startswith("f01_b") and key[1].endswith("_load") and key[3:] == ("active", "injection")
    ]
    np.testing.assert_allclose(found["f01_load"], np.sum(load, axis=0))


def test_shed_load_is_shown_as_not_served_and_counted_in_what_came(tables: dict[str, pa.Table]) -> None:
    row = next(r for r in tables["dispatch"].to_pylist() if r["device"] == "mg_f01_b04_load")
    shed = pa.Table.from_pylist([{**row, "quantity": "shed_kw", "value": 4.0}], TABLES["dispatch"].schema)
    changed = {**tables, "dispatch": pa.concat_tables([tables["dispatch"], shed])}
    view = next(view for view in views_of(build(changed), "balance") if view["label"] == "mg_f01_b04")
    assert "load not served" in {trace["name"] for trace in view["traces"]}
    before, after = (came(DayTables(CASE, CASE.day(DAY), each))["mg_f01_b04_load"] for each in (tables, changed))
    assert (after - before)[row["step"] - 1] == pytest.approx(4.0) and np.isclose(after, before).sum() == 95


def test_balances_close_in_every_view(text: str) -> None:
    """What is stacked above zero equals what is stacked below, to the four digits that are plotted."""
    views = views_of(text, "balance")
    assert [view["label"] for view in views] == ["Whole system", "distribution", *(f"mg_f0{f}_b0{b}" for f in (1, 2) for b in (4, 7))]
    for view in views:
        for axis in {trace.get("yaxis", "y") for trace in view["traces"]}:
            bars = [trace["y"] for trace in view["traces"] if trace["type"] == "bar" and trace.get("yaxis", "y") == axis]
            assert len(bars) > 1
            np.testing.assert_allclose(np.sum(bars, axis=0), 0, atol=2e-3 * np.max(np.abs(bars)))


@pytest.mark.parametrize(("day", "steps"), [("2016-03-26", 92), ("2016-10-29", 100)])
def test_days_when_the_clock_changes(day: str, steps: int) -> None:
    when = date.fromisoformat(day)
    text = build(made_tables(CASE, CASE.day(when)), day=when)
    assert f"{steps} quarter-hours" in words_of(text) and f"All {steps} quarter-hours dispatched" in words_of(text)
    assert len(data_of(text)["shared"]["q_edges"]) == steps + 1


def test_freshness_and_runs_are_told(tables: dict[str, pa.Table]) -> None:
    day = CASE.day(DAY)
    words = words_of(build(tables, newest_observation=day.start - 1200, last_issue=day.start))
    assert "20 min old when the last run was issued" in words
    assert "da-00000000000000aa" in words and "21 Mar 2016, 11:00 CET" in words
    assert judge(DayTables(CASE, day, tables), RunInfo(status="degraded")).grade == "degraded"


def test_a_page_is_written_whole(tmp_path: Path, text: str) -> None:
    path = report_path(tmp_path, "made_up", "default", "2016-03-22")
    assert write_report(text, path) == tmp_path / "reports/made_up/default/2016-03-22.html"
    assert path.read_text(encoding="utf-8") == text and [p.name for p in path.parent.iterdir()] == ["2016-03-22.html"]


# ------------------------------------------------------------------ how it was decided


def test_bounds_and_the_law_are_drawn_as_published() -> None:
    tables = made_tables(CASE, CASE.day(DAY))
    rounds, law = views_of(build(tables), "treatment")
    assert [trace["y"] for trace in rounds["traces"]] == [[3120.4, 2950.2, 2934.52], [None, 2895, 2931.6]]
    assert rounds["says"] == f"After 3 iterations: between 2,931.60 and 2,934.52 {CASE.currency}, a proven gap of 0.0996 %."
    assert law["traces"][1]["y"] == [20, 20, 16, 14, 12, 8, 10] and law["traces"][0]["y"] == [24, 20, 16, 14, 12, 8, 6]
    assert law["says"] == "7 scenarios: 4.0 % of the probability lies elsewhere than drawn."


def test_a_day_without_rounds_has_no_section_of_them() -> None:
    tables = made_tables(CASE, CASE.day(DAY)) | {name: TABLES[name].empty() for name in ("bounds", "distribution")}
    text = build(tables)
    assert "treatment" not in data_of(text)["figures"] and 'href="#treatment"' not in text


@pytest.mark.parametrize(("figures", "said"), [
    ({}, "method wasserstein"), ({"treatment_objective": 1.0}, "method wasserstein, gap not proven"),
    ({"treatment_objective": 1.0, "proven_gap": 0.00031}, "method wasserstein, gap 0.031 % proven"),
])  # fmt: skip
def test_the_card_says_what_is_proven(figures: dict[str, float], said: str) -> None:
    tables = made_tables(CASE, CASE.day(DAY))
    count = len(figures)
    tables["kpis"] = TABLES["kpis"].build({"run_id": ["da-1"] * count, "stage": ["day_ahead"] * count, "kpi": list(figures),
                                           "unit": ["1"] * count, "value": list(figures.values())})
    assert words_of(build(tables, method="wasserstein")).count(f"; {said}") == 1
    assert (said + ",") not in words_of(build(tables, method="wasserstein"))
