"""The schema of `pipeline/sql/schema` and its names in Python agree on both servers; opening is safe and says what is wrong."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa

from pipeline.core.errors import InputError
from pipeline.core.shipped import SQL
from pipeline.store.observations import ObservationBatch
from pipeline.store.schema import ALL_TABLES
from pipeline.store.warehouse import SQLITE_NAME, Warehouse

FAR = 10**10


def one_value(valid_from: int, value: float, known_at: int = 0) -> ObservationBatch:
    one = (np.array([array]) for array in (valid_from, known_at, value))
    return ObservationBatch(("load",), np.zeros(1, np.int32), *one, quality=np.zeros(1, np.int16))


def test_the_names_in_python_are_those_of_the_schema(warehouse: Warehouse) -> None:
    inspector = sa.inspect(warehouse.engine)
    assert set(inspector.get_table_names()) == {table.name for table in ALL_TABLES}
    for table in ALL_TABLES:
        assert [column["name"] for column in inspector.get_columns(table.name)] == [column.name for column in table.columns]


def test_opening_again_keeps_what_is_there(warehouse: Warehouse, home: Path) -> None:
    warehouse.add_observations("case", one_value(0, 1.0), source="test", ingested_at=0)
    assert len(Warehouse.open(home).observations("case", ("load",), 0, 900, FAR)) == 1


def test_a_warehouse_of_before_gets_what_has_come_since(tmp_path: Path) -> None:
    """Its indexes too: without the one of stays every quarter-hour reads all sessions that there ever were."""
    made = Warehouse.open(tmp_path)
    with made.writing() as connection:
        for statement in ("DROP INDEX sessions_by_stay", "ALTER TABLE sessions DROP COLUMN withdrawn", "DROP TABLE measured_states"):
            connection.exec_driver_sql(statement)
        connection.exec_driver_sql("INSERT INTO sessions VALUES ('case', 'ev', 'a', 1000, 2000, 9, 7, 1000, 1)")
    opened = Warehouse.open(tmp_path)
    assert opened.sessions("case", ["ev"], 0, FAR, FAR).departure.tolist() == [2000]
    with opened.reading() as connection:
        plan = "EXPLAIN QUERY PLAN SELECT session FROM sessions WHERE namespace = 'a' AND fleet = 'b' AND departure > 5"
        assert "sessions_by_stay" in str(connection.exec_driver_sql(plan).all())
    test_the_names_in_python_are_those_of_the_schema(opened)


def test_a_new_file_that_another_process_is_switching_is_waited_for(tmp_path: Path) -> None:
    """Two runs that begin a home at once: SQLite refuses the later switch to its journal at once, whatever the timeout."""
    other = sqlite3.connect(tmp_path / SQLITE_NAME, isolation_level=None, check_same_thread=False)
    other.execute("CREATE TABLE begun (x)")
    other.execute("BEGIN IMMEDIATE")
    done = threading.Timer(0.3, lambda: other.execute("ROLLBACK"))
    done.start()
    try:
        assert len(Warehouse.open(tmp_path).observations("case", ("load",), 0, 900, FAR)) == 0
    finally:
        done.join()
        other.close()


def test_opening_and_reading_wait_for_no_writer(warehouse: Warehouse, home: Path) -> None:
    warehouse.add_observations("case", one_value(0, 1.0), source="test", ingested_at=0)
    with warehouse.writing() as connection:
        connection.exec_driver_sql("DELETE FROM observations")
        assert len(Warehouse.open(home).observations("case", ("load",), 0, 900, FAR)) == 1


def test_writers_wait_for_each_other(warehouse: Warehouse, home: Path) -> None:
    def write(worker: int) -> None:
        mine = Warehouse.open(home)
        for number in range(5):
            batch = one_value(900 * number, worker, known_at=worker)
            mine.add_observations("case", batch, source=str(worker), ingested_at=100 * worker + number)

    threads = [threading.Thread(target=write, args=(worker,)) for worker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with warehouse.reading() as connection:
        sequences = connection.exec_driver_sql("SELECT ingest_seq FROM ingests ORDER BY ingest_seq").scalars().all()
    assert sequences == list(range(1, 21))


@pytest.mark.parametrize("file", sorted((SQL / "queries").glob("*.sql")), ids=lambda file: file.stem)
def test_the_queries_for_people_run(warehouse: Warehouse, file: Path) -> None:
    warehouse.add_observations("case", one_value(0, 1.0), source="test", ingested_at=10)
    warehouse.add_observations("case", one_value(0, 2.0), source="test", ingested_at=20)
    statement = sa.text(file.read_text())
    given = {"namespace": "case", "series": "load", "start": 0, "end": 900, "as_of": 19}
    with warehouse.reading() as connection:
        rows = connection.execute(statement, {name: given[name] for name in statement.compile().params}).mappings().all()
    assert len(rows) == 1
    assert rows[0]["value" if file.stem == "observations_as_of" else "spread"] == 1.0


def test_another_kind_of_server_is_refused(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FEEDERFLOW_WAREHOUSE_URL", "mysql://localhost/x")
    with pytest.raises(InputError, match="not supported"):
        Warehouse.open(home)


def test_a_server_that_does_not_answer_is_named_without_its_password(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FEEDERFLOW_WAREHOUSE_URL", "postgresql://someone:secret@127.0.0.1:1/x")
    with pytest.raises(InputError, match="cannot be opened") as caught:
        Warehouse.open(home)
    assert "secret" not in str(caught.value)


def test_sqlite_needs_a_local_home() -> None:
    with pytest.raises(InputError, match="FEEDERFLOW_WAREHOUSE_URL"):
        Warehouse.open("memory://somewhere")
