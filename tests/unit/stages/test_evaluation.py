"""The file of an evaluation study: what it means, and every slip of it named with place and remedy."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.core.errors import InputError
from pipeline.stages.evaluating import cell_path
from pipeline.stages.evaluation import Plan
from pipeline.stages.study import load_study, open_study
from pipeline.tables.studies import name_of

GOOD = """\
kind: evaluation
title: Two treatments
case: tiny
days: 2
treatments:
  plain: {kind: deterministic}
  guarded: {kind: wasserstein, gap_share: 0.01, sweep: {radius_share: [0, 0.5]}}
"""


def written(tmp_path: Path, text: str) -> str:
    path = tmp_path / "s.yaml"
    path.write_text(text)
    return str(path)


def plan_of(tmp_path: Path, text: str = GOOD) -> Plan:
    found = load_study(written(tmp_path, text))
    assert isinstance(found, Plan)
    return found


def test_a_treatment_is_part_of_a_record_and_the_rest_is_the_cases_own(tmp_path: Path) -> None:
    plan = plan_of(tmp_path)
    assert [cell.name for cell in plan.cells] == ["plain", "guarded radius_share=0", "guarded radius_share=0.5"]
    assert plan.reference.name == "plain"
    method = json.loads(plan.cells[2].settings)["method"]
    assert method["radius_share"] == 0.5 and method["gap_share"] == 0.01
    assert method["draw_count"] == 100 and method["representative_count"] == 3, "tiny's own, not the record's default"
    assert method["representative"] == "worst_member", "the record's default: tiny says nothing of it"
    assert "budgeted_prices" not in json.loads(plan.cells[2].settings)


def test_values_that_agree_to_six_digits_are_two_treatments(tmp_path: Path) -> None:
    """By name a cell has its file, its item of the study and its rows in the tables."""
    plan = plan_of(tmp_path, GOOD.replace("[0, 0.5]", "[0.1234561, 0.1234564]"))
    names = [cell.name for cell in plan.cells]
    assert names == ["plain", "guarded radius_share=0.1234561", "guarded radius_share=0.1234564"]
    assert [plan.cell(name) for name in names] == list(plan.cells)
    assert len({cell_path(tmp_path, "2016-06-15", cell) for cell in plan.cells}) == 3
    heads = [{"treatment": cell.treatment, "parameter": cell.parameter, "parameter_value": cell.value} for cell in plan.cells]
    assert [name_of(head) for head in heads] == names, "the page calls them the same"


def test_items_are_days_times_treatments(tmp_path: Path) -> None:
    assert open_study(written(tmp_path, GOOD)) == [
        f"{day}/{cell}" for day in ("2016-06-15", "2016-06-16") for cell in ("plain", "guarded radius_share=0", "guarded radius_share=0.5")]


def test_the_reference_of_a_sweep_is_its_first_value(tmp_path: Path) -> None:
    assert plan_of(tmp_path, GOOD + "reference: guarded\n").reference.name == "guarded radius_share=0"


def test_budgeted_prices_go_on_top_of_any_treatment(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, GOOD.replace("{kind: deterministic}", "{kind: deterministic, budgeted_prices: {budget_share: 0.5}}"))
    assert json.loads(plan.cells[0].settings)["budgeted_prices"] == {"budget_share": 0.5, "half_width_share": 0.1}


BAD = {
    "unknown field of a treatment": (("gap_share: 0.01", "radus: 1"), "s.yaml, line 7", "guarded: no such field", "radius_share"),
    "unknown treatment": (("{kind: deterministic}", "{kind: determinist}"), "s.yaml, line 6", "'determinist' is not one", "deterministic"),
    "a treatment without kind": (("{kind: deterministic}", "{}"), "s.yaml, line 6", "treatment plain: method has no kind", "kind:"),
    "a value out of range": (("[0, 0.5]", "[0, -1]"), "s.yaml, line 7", "radius_share is '-1'", "at least 0"),
    "a swept field that the record lacks": (("radius_share: [", "radus_share: ["), "s.yaml, line 7", "no such field", "radius_share"),
    "an empty sweep": (("[0, 0.5]", "[]"), "s.yaml, line 7", "no list of different numbers", "[0, 0.05, 0.1]"),
    "a value twice": (("[0, 0.5]", "[0.5, 0.5]"), "s.yaml, line 7", "no list of different numbers", "[0, 0.05, 0.1]"),
    "two swept fields": (("[0, 0.5]", "[0, 0.5], gap_share: [1, 2]"), "s.yaml, line 7", "must name one field", "sweep:"),
    "given and swept": (("gap_share: 0.01", "radius_share: 0.01"), "s.yaml, line 7", "given and swept", "leave one"),
    "one held-out scenario": (("days: 2", "days: 2\nheld_out_count: 1"), "s.yaml, line 5", "held_out_count is '1'", "at least 2"),
    "no day": (("days: 2", "days: 0"), "s.yaml, line 4", "days is '0'", "above 0"),
    "no confidence": (("days: 2", "confidence_share: 1"), "s.yaml, line 4", "confidence_share is '1'", "below 1"),
    "unknown reference": (("days: 2", "days: 2\nreference: plane"), "s.yaml, line 5", "no treatment 'plane'", "plain"),
    "no treatment": ((GOOD[GOOD.index("treatments:"):], "treatments: {}\n"), "s.yaml, line 5", "treatments", ""),
    "met with nothing": (("days: 2", "against: []"), "s.yaml, line 4", "against", ""),
    "met with something unknown": (("days: 2", "against: [tomorrow]"), "s.yaml, line 4", "tomorrow", "held_out"),
    "met twice": (("days: 2", "against: [held_out, held_out]"), "s.yaml, line 4", "stands twice", "once"),
    "nothing came of a table": (("days: 2", "variant: reference\nagainst: [realised]"), "s.yaml, line 5", "tables are the forecast",
                                "held_out"),
    "a name with a blank": (("plain:", "not plain:"), "s.yaml, line 6", "no identifier", "a-z"),
    "not a number": (("[0, 0.5]", "[0, .nan]"), "s.yaml, line 7", "", ""),
    "an unknown kind of study": (("kind: evaluation", "kind: evaluate"), "s.yaml, line 1", "kind 'evaluate' is not one of", "evaluation"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_slip_is_named_with_its_place_and_remedy(tmp_path: Path, name: str) -> None:
    (before, after), place, said, remedy = BAD[name]
    assert before in GOOD
    with pytest.raises(InputError) as caught:
        load_study(written(tmp_path, GOOD.replace(before, after)))
    first = caught.value.mistakes[0]
    assert first.place == place and said in first.message and remedy in first.remedy, str(first)


def test_an_empty_period_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="last_date 2016-06-14 is before first_date 2016-06-15; swap them"):
        open_study(written(tmp_path, GOOD.replace("days: 2", "first_date: 2016-06-15\nlast_date: 2016-06-14")))


def test_every_slip_of_a_file_comes_at_once(tmp_path: Path) -> None:
    text = GOOD.replace("gap_share: 0.01", "gap_share: 0").replace("[0, 0.5]", "[-1, -2]").replace("days: 2", "reference: x")
    with pytest.raises(InputError) as caught:
        load_study(written(tmp_path, text))
    assert len(caught.value.mistakes) >= 4
