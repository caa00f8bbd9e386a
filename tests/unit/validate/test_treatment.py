"""Bounds enclose, laws are laws: each broken row is named."""

from __future__ import annotations

import pyarrow as pa
import pytest

from pipeline.core.errors import Mistake
from pipeline.tables import TABLES
from pipeline.validate.treatment import check_bounds, check_distribution

RUN = "da-00000000000000aa"


def bounds(lower: list[float | None], upper: list[float | None], gap: list[float | None] | None = None) -> pa.Table:
    def share(low: float | None, high: float | None) -> float | None:
        return None if low is None or high is None else max(0.0, high - low) / abs(low)

    gaps = [share(low, high) for low, high in zip(lower, upper, strict=True)] if gap is None else gap
    count = len(lower)
    return TABLES["bounds"].build({"run_id": [RUN] * count, "iteration": list(range(1, count + 1)), "lower": lower, "upper": upper,
                                   "gap_share": gaps, "currency": ["EUR"] * count})


def law(weights: dict[int, list[float]]) -> pa.Table:
    rows = [(iteration, str(s), weight) for iteration, one in weights.items() for s, weight in enumerate(one, start=1)]
    return TABLES["distribution"].build({"run_id": [RUN] * len(rows), "iteration": [row[0] for row in rows],
                                         "scenario": [row[1] for row in rows], "weight": [row[2] for row in rows]})


def test_good_rounds_and_laws_pass() -> None:
    assert check_bounds(bounds([None, 90.0, 99.0], [120.0, 110.0, 110.0])) == []
    assert check_bounds(bounds([118418.0, 119288.0], [828909.0, 119323.0])) == []
    assert check_distribution(law({0: [0.25, 0.75], 3: [0.0, 1.0]}), None) == []
    assert check_bounds(TABLES["bounds"].empty()) == [] and check_distribution(TABLES["distribution"].empty(), None) == []


@pytest.mark.parametrize(("table", "place", "said"), [
    (bounds([90.0, 111.0], [120.0, 110.0]), "row iteration=2, column lower", "above upper"),
    (bounds([90.0, 89.0], [120.0, 110.0]), "row iteration=2, column lower", "90 was proven before"),
    (bounds([90.0, None], [120.0, 110.0]), "row iteration=2, column lower", "90 was proven before"),
    (bounds([90.0, 95.0], [120.0, 120.5]), "row iteration=2, column upper", "120 was found before"),
    (bounds([90.0], [120.0], [0.3]), "row iteration=1, column gap_share", "0.333333333"),
    (bounds([90.0], [120.0], [None]), "row iteration=1, column gap_share", "0.333333333"),
    (bounds([None], [120.0], [0.3]), "row iteration=1, column gap_share", "0.3"),
])  # fmt: skip
def test_a_broken_bound_is_named(table: pa.Table, place: str, said: str) -> None:
    found = check_bounds(table)
    assert found and found[0].place == f"table bounds, {place}" and said in found[0].message


def test_rounds_count_from_one() -> None:
    table = bounds([1.0, 2.0], [5.0, 4.0])
    moved = table.set_column(1, table.schema.field("iteration"), pa.array([1, 4], pa.int32()))
    assert check_bounds(moved) == [Mistake("table bounds, row iteration=4, column iteration", "is number 2 of the rounds")]


def test_a_law_that_does_not_sum_to_one_is_named() -> None:
    found = check_distribution(law({0: [0.25, 0.75], 2: [0.5, 0.5 + 1e-8]}), None)
    assert {mistake.place for mistake in found} == {
        "table distribution, row iteration=2 scenario=1, column weight", "table distribution, row iteration=2 scenario=2, column weight"}


def test_a_law_over_other_scenarios_is_named() -> None:
    found = check_distribution(law({0: [0.5, 0.5], 1: [1.0]}), None)
    assert [mistake.place for mistake in found] == ["table distribution, row iteration=1 scenario=2"]
    scenarios = pa.table({"scenario": ["1"]})
    assert "not one of the run's" in check_distribution(law({0: [0.5, 0.5]}), scenarios)[0].message
