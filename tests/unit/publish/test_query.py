"""What is published can be asked with SQL, and its state seen at a glance."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.core.errors import InputError
from pipeline.publish.ledger import publish
from pipeline.publish.query import marts, query
from pipeline.publish.soundness import damages
from pipeline.publish.status import status
from pipeline.stages.desk import rows_as_json, rows_as_text, write_csv
from pipeline.store.lake import Lake
from pipeline.store.publications import Day
from pipeline.store.warehouse import Warehouse
from pipeline.tables import TABLES
from tests.publication import DATE, costs, day_ahead_run, enter, finding, real_time_run


def publish_a_day(warehouse: Warehouse, lake: Lake) -> None:
    enter(warehouse, lake, day_ahead_run("da-1", 1000),
          {"costs": costs("da-1", "day_ahead", 10.0), "findings": finding("da-1", "day_ahead", "warning")})
    enter(warehouse, lake, real_time_run("rt-1", (1, 1)), {"costs": costs("rt-1", "real_time", 12.5)})
    publish(warehouse, lake, "da-1")
    publish(warehouse, lake, "rt-1")


@pytest.mark.parametrize("name", [*TABLES, *marts()])
def test_every_table_and_mart_can_be_asked_even_when_empty(home: Path, name: str) -> None:
    assert query(home, f"SELECT * FROM {name}").num_rows == 0


def test_the_path_gives_columns(warehouse: Warehouse, lake: Lake, home: Path) -> None:
    publish_a_day(warehouse, lake)
    rows = query(home, "SELECT case_name, variant, delivery_date, value FROM costs WHERE stage = 'day_ahead'").to_pylist()
    assert [{**row, "delivery_date": row["delivery_date"].isoformat()} for row in rows] == [
        {"case_name": "tiny", "variant": "default", "delivery_date": DATE, "value": 10.0}]


def test_a_mart_compares_plan_and_day(warehouse: Warehouse, lake: Lake, home: Path) -> None:
    publish_a_day(warehouse, lake)
    row = query(home, "SELECT * FROM day_costs").to_pylist()[0]
    assert (row["day_ahead_cost"], row["real_time_cost"], row["difference_cost"], row["currency"]) == (10.0, 12.5, 2.5, "USD")
    assert query(home, "SELECT finding_count FROM day_findings").to_pylist() == [{"finding_count": 1}]


def test_columns_that_are_called_alike_get_names_of_their_own(home: Path) -> None:
    rows = query(home, "SELECT 1 AS a, 2 AS a, 3 AS A")
    assert rows.to_pylist() == [{"a": 1, "a_1": 2, "A_2": 3}]
    assert rows_as_json(rows) == rows.to_pylist() and rows_as_text(rows) == "a  a_1  A_2\n1  2    3"
    write_csv(rows, home / "rows.csv")
    assert (home / "rows.csv").read_text().splitlines() == ["a,a_1,A_2", "1,2,3"]


def test_wrong_sql_says_what_there_is(home: Path) -> None:
    with pytest.raises(InputError, match="day_costs"):
        query(home, "SELECT * FROM nothing")


def test_status_tells_age_and_warnings(warehouse: Warehouse, lake: Lake, home: Path) -> None:
    assert status(warehouse, lake, now=0) == []
    publish_a_day(warehouse, lake)
    by_product = {row.product: row for row in status(warehouse, lake, now=5000)}
    planned, steered = by_product["day_ahead"], by_product["real_time"]
    assert (planned.day, planned.run_id, planned.age_s, planned.degraded) == (Day("tiny", "default", DATE), "da-1", 4000, True)
    assert (planned.warning_count, planned.worst, planned.complete) == (1, "f01_b02: low", True)
    assert (steered.degraded, steered.worst) == (False, "")
    assert damages(warehouse, lake, home, deep=True) == []
    path = f"published/costs/case=tiny/variant=default/delivery_date={DATE}/part-0.parquet"
    (home / path).write_bytes(b"")
    assert [damage.place for damage in damages(warehouse, lake, home)] == [path]
    assert len(status(warehouse, lake, now=5000)) == 2
