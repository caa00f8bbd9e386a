"""A table or query by an address from the environment."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from pipeline.cases.case import Case
from pipeline.cases.sources import ColumnMap, SqlSource
from pipeline.core.errors import InputError
from pipeline.ingest.receipt import Receipt
from pipeline.store.warehouse import Warehouse
from tests.unit.ingest.support import case_with, epoch, everything, mapping_of, run, values

ROWS = [("2016-03-01 00:00:00+00:00", "A", "0.15"), ("2016-03-01 00:15:00+00:00", "A", "0.25"), ("2016-03-01 00:15:00+00:00", "B", "40")]
LONG = mapping_of(ColumnMap(column="A", series="load", unit="MW"), time_column="stamp", series_column="meter", value_column="reading")


def source(query: str) -> Case:
    return case_with(SqlSource(kind="sql", id="scada", url_env="FEEDERFLOW_TEST_SCADA", query=query, mapping=LONG))


@pytest.fixture
def scada(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> sa.Engine:
    url = f"sqlite:///{tmp_path / 'scada.sqlite'}"
    monkeypatch.setenv("FEEDERFLOW_TEST_SCADA", url)
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE readings (stamp TEXT, meter TEXT, reading NUMERIC)"))
        connection.execute(sa.text("INSERT INTO readings VALUES (:a, :b, :c)"), [dict(zip("abc", row, strict=True)) for row in ROWS])
    return engine


@pytest.mark.parametrize("query", ["readings", "SELECT * FROM readings WHERE stamp >= '2016-03-01 00:00:00+00:00'"])
def test_a_table_or_a_query(tmp_path: Path, scada: sa.Engine, query: str) -> None:
    warehouse = Warehouse.open(tmp_path)
    receipts: list[Receipt] = run(source(query), warehouse)
    assert values(warehouse, source(query)) == {epoch("2016-03-01T00:00+00:00"): 150.0, epoch("2016-03-01T00:15+00:00"): 250.0}
    assert receipts[0].messages == ("scada (query): series without a mapping were left out: 'B'",)
    assert run(source(query), warehouse)[0].status == "already_imported"
    with scada.begin() as connection:
        connection.execute(sa.text("UPDATE readings SET reading = 0.35 WHERE meter = 'A' AND reading = 0.25"))
    assert run(source(query), warehouse)[0].versions_added == 1


@pytest.mark.parametrize("query", ["DELETE FROM readings", "DELETE FROM readings RETURNING stamp, meter, reading"])
def test_a_source_is_read_and_never_written(tmp_path: Path, scada: sa.Engine, query: str) -> None:
    if "RETURNING" in query:
        run(source(query), Warehouse.open(tmp_path))
    else:
        with pytest.raises(InputError):
            run(source(query), Warehouse.open(tmp_path))
    with scada.connect() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM readings")).scalar() == len(ROWS)


def test_a_bad_value_is_named_by_its_row(tmp_path: Path, scada: sa.Engine) -> None:
    with scada.begin() as connection:
        connection.execute(sa.text("UPDATE readings SET reading = 'open' WHERE meter = 'A' AND reading = 0.25"))
    warehouse = Warehouse.open(tmp_path)
    before = everything(warehouse)
    with pytest.raises(InputError, match=r"scada \(query\), row 2, column reading: 'open' is not a number"):
        run(source("readings"), warehouse)
    assert everything(warehouse) == before


@pytest.mark.parametrize(
    ("address", "query", "says"),
    [
        ("", "readings", "the environment variable FEEDERFLOW_TEST_SCADA is not set"),
        ("no address", "readings", "cannot be used"),
        ("postgresql+nodriver://reader:verysecret@nowhere/db", "readings", "cannot be used"),
        ("postgresql+psycopg://reader:verysecret@127.0.0.1:1/db", "readings", "the database refused the query"),
        (None, "SELECT * FROM nothing_there", "no such table: nothing_there"),
        (None, "SELECT * FROM readings WHERE meter = 'Z'", "the query gives no rows"),
        (None, "SELECT stamp, stamp, meter, reading FROM readings", "'stamp' is there twice"),
    ],
)
def test_what_can_go_wrong_is_said_without_secrets(
    tmp_path: Path, scada: sa.Engine, monkeypatch: pytest.MonkeyPatch, address: str | None, query: str, says: str
) -> None:
    if address is not None:
        monkeypatch.setenv("FEEDERFLOW_TEST_SCADA", address)
    with pytest.raises(InputError) as caught:
        run(source(query), Warehouse.open(tmp_path))
    assert says in str(caught.value)
    assert "verysecret" not in str(caught.value)
    assert "scada (query)" in caught.value.mistakes[0].place
