"""Distances between representatives: each broken row is named."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from pipeline.tables import TABLES
from pipeline.validate.inputs import check_departures, check_distances

RUN = "da-00000000000000aa"
GOOD = np.array([[0.0, 0.1, 0.2], [0.1, 0.0, 0.3], [0.2, 0.3, 0.0]])


def table_of(distances: np.ndarray, *, without: int | None = None) -> pa.Table:
    rows = [(str(one + 1), str(other + 1), float(value)) for (one, other), value in np.ndenumerate(distances)]
    rows = [row for number, row in enumerate(rows) if number != without]
    return TABLES["scenario_distances"].build({"run_id": [RUN] * len(rows), "from_scenario": [row[0] for row in rows],
                                               "to_scenario": [row[1] for row in rows], "distance_share": [row[2] for row in rows]})


def scenarios(*names: str) -> pa.Table:
    count = len(names)
    return TABLES["scenarios"].build({"run_id": [RUN] * count, "scenario": list(names), "series": ["s"] * count, "step": [1] * count,
                                      "valid_from": [0] * count, "unit": ["kW"] * count, "value": [1.0] * count,
                                      "weight": [1 / count] * count})


def test_distances_of_a_run_pass() -> None:
    assert check_distances(table_of(GOOD), scenarios("1", "2", "3")) == []
    assert check_distances(table_of(GOOD), None) == []
    assert check_distances(table_of(GOOD[:0]), scenarios("1")) == []


@pytest.mark.parametrize(("one", "other", "value", "words"), [
    (0, 0, 0.1, "to itself is not zero"), (0, 1, 0.4, "and 0.1 back"), (1, 2, -0.3, "is no distance"), (1, 2, np.nan, "is no distance")])
def test_a_broken_distance_is_named(one: int, other: int, value: float, words: str) -> None:
    distances = GOOD.copy()
    distances[one, other] = value
    mistakes = check_distances(table_of(distances), scenarios("1", "2", "3"))
    place = f"table scenario_distances, row from_scenario={one + 1} to_scenario={other + 1}, column distance_share"
    assert any(mistake.place == place and words in mistake.message for mistake in mistakes)


def test_each_representative_is_there_and_nobody_else() -> None:
    assert "row is missing" in check_distances(table_of(GOOD, without=1), None)[-1].message
    assert "row is missing" in check_distances(table_of(GOOD[:2, :2]), scenarios("1", "2", "3"))[0].message
    assert "no such scenario" in check_distances(table_of(GOOD), scenarios("1", "2"))[0].message


def test_vehicles_leave_early_in_scenarios_that_there_are() -> None:
    table = TABLES["scenario_departures"].build({"run_id": [RUN] * 2, "scenario": ["1", "4"], "aggregator": ["park"] * 2,
                                                 "due_step": [9, 9], "early_count": [1, 0]})
    assert check_departures(table, None) == []
    assert [mistake.place for mistake in check_departures(table, scenarios("1", "2"))] == [
        "table scenario_departures, row scenario=4 aggregator=park due_step=9, column scenario"]
