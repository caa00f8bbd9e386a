"""SQL over what is published: one DuckDB view per table, with the partition keys as columns, and the marts of `sql/queries/marts`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa

from pipeline.core.errors import InputError, Mistake
from pipeline.store.files import Files
from pipeline.store.schema import SQL_FOLDER
from pipeline.tables import TABLES, Table

PARTITIONS = (("case_name", pa.string()), ("variant", pa.string()), ("delivery_date", pa.date32()))


def query(home: str | Path, sql: str) -> pa.Table:
    """Result of one SQL statement over the published tables and marts of a home.

    Every table of the data dictionary is a view, empty when nothing was published; the case is the column `case_name`.
    Raises InputError for SQL that DuckDB refuses.
    """
    import duckdb

    connection = connect(home)
    try:
        relation = connection.sql(sql)
        return relation.to_arrow_table() if relation is not None else pa.table({})
    except duckdb.Error as error:
        raise InputError(Mistake("query", str(error), f"tables are {', '.join(TABLES)}; marts are {', '.join(marts())}")) from error
    finally:
        connection.close()


def marts() -> list[str]:
    """Names of the marts, sorted."""
    return sorted(file.stem for file in (SQL_FOLDER / "queries" / "marts").glob("*.sql"))


def connect(home: str | Path) -> Any:
    """DuckDB connection, in memory, with all views."""
    import duckdb

    connection = duckdb.connect()
    connection.sql("SET TimeZone = 'UTC'")
    files = Files(home)
    if not files.is_local:
        connection.register_filesystem(files.filesystem)
    for table in TABLES.values():
        connection.sql(f"CREATE VIEW {table.name} AS {_view(connection, files, table)}")
    for name in marts():
        connection.sql(f"CREATE VIEW {name} AS {(SQL_FOLDER / 'queries' / 'marts' / f'{name}.sql').read_text()}")
    return connection


def _view(connection: Any, files: Files, table: Table) -> str:
    paths = [files.url(path).replace("'", "''") for path in files.find(f"published/{table.name}", ".parquet")]
    if not paths:
        fields = [*((name, kind) for name, kind in PARTITIONS), *((field.name, field.type) for field in table.schema)]
        connection.register(f"_empty_{table.name}", pa.schema(fields).empty_table())
        return f"SELECT * FROM _empty_{table.name}"
    listed = ", ".join(f"'{path}'" for path in paths)
    types = "{'case': VARCHAR, 'variant': VARCHAR, 'delivery_date': DATE}"
    return (f'SELECT "case" AS case_name, variant, delivery_date, * EXCLUDE ("case", variant, delivery_date) '
            f"FROM read_parquet([{listed}], hive_partitioning = true, hive_types = {types})")
