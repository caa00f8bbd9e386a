"""SQL over what is published: one DuckDB view per table, with the partition keys as columns, and the marts of `sql/queries/marts`."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipeline.core.errors import Damaged, InputError, Mistake
from pipeline.core.shipped import SQL
from pipeline.store.files import Files
from pipeline.tables import TABLES, Table

ANALYZE = re.compile(r"\banaly[sz]e\b", re.IGNORECASE)
PARTITIONS = (("case_name", pa.string()), ("variant", pa.string()), ("delivery_date", pa.date32()))


def query(home: str | Path, sql: str, *, without: Collection[str] = ()) -> pa.Table:
    """Result of one SQL statement over the published tables and marts of a home, `without` some of their files (paths below home).

    Every table of the data dictionary is a view, empty when nothing was published; the case is the column `case_name`.
    Raises InputError for SQL that DuckDB refuses, and for anything but one statement that reads; Damaged where it fails while
    DuckDB reads, which a damaged file makes it do.
    """
    import duckdb

    connection = None
    try:
        connection = connect(home, without=without)
        _check_reads(connection, sql)
        relation = connection.sql(sql)
        return _with_names_of_their_own(connection, relation.to_arrow_table()) if relation is not None else pa.table({})
    except duckdb.Error as error:
        asked_wrongly = isinstance(error, duckdb.ParserException | duckdb.CatalogException | duckdb.BinderException)
        refused = InputError if asked_wrongly else Damaged
        raise refused(Mistake("query", str(error), f"tables are {', '.join(TABLES)}; marts are {', '.join(marts())}")) from error
    finally:
        if connection is not None:
            connection.close()


def _with_names_of_their_own(connection: Any, rows: pa.Table) -> pa.Table:
    """Columns that are called alike get the names that DuckDB gives them in a subquery: `a`, `a_1`. Rows by name would lose one."""
    return rows.rename_columns(connection.from_arrow(rows.slice(0, 0)).project("*").columns) if rows.num_columns else rows


def _check_reads(connection: Any, sql: str) -> None:
    """InputError unless `sql` is one statement that writes neither tables nor files."""
    import duckdb

    remedy = "write one SELECT, WITH, FROM, DESCRIBE, SUMMARIZE, SHOW or EXPLAIN; --csv writes the result to a file"
    statements = connection.extract_statements(sql)
    if len(statements) != 1:
        raise InputError(Mistake("query", f"holds {len(statements)} statements", remedy))
    kind, text = statements[0].type, statements[0].query
    if kind not in (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN):
        raise InputError(Mistake("query", f"{kind.name.replace('_', ' ')} does not only read", remedy))
    if kind == duckdb.StatementType.EXPLAIN and ANALYZE.search(text):  # runs what it explains, a COPY too
        raise InputError(Mistake("query", "EXPLAIN ANALYZE does not only read", remedy))


def marts() -> list[str]:
    """Names of the marts, sorted."""
    return sorted(file.stem for file in (SQL / "queries" / "marts").glob("*.sql"))


def connect(home: str | Path, *, without: Collection[str] = ()) -> Any:
    """DuckDB connection, in memory, with all views."""
    import duckdb

    connection = duckdb.connect()
    connection.sql("SET TimeZone = 'UTC'")
    files = Files(home)
    if not files.is_local:
        connection.register_filesystem(files.filesystem)
    for table in TABLES.values():
        connection.sql(f"CREATE VIEW {table.name} AS {_view(connection, files, table, without)}")
    for name in marts():
        connection.sql(f"CREATE VIEW {name} AS {(SQL / 'queries' / 'marts' / f'{name}.sql').read_text()}")
    return connection


def _view(connection: Any, files: Files, table: Table, without: Collection[str]) -> str:
    found = (path for path in files.find(f"published/{table.name}", ".parquet") if path not in without)
    paths = [files.url(path).replace("'", "''") for path in found]
    if not paths:
        fields = [*((name, kind) for name, kind in PARTITIONS), *((field.name, field.type) for field in table.schema)]
        connection.register(f"_empty_{table.name}", pa.schema(fields).empty_table())
        return f"SELECT * FROM _empty_{table.name}"
    listed = ", ".join(f"'{path}'" for path in paths)
    types = "{'case': VARCHAR, 'variant': VARCHAR, 'delivery_date': DATE}"
    return (f'SELECT "case" AS case_name, variant, delivery_date, * EXCLUDE ("case", variant, delivery_date) '
            f"FROM read_parquet([{listed}], hive_partitioning = true, hive_types = {types})")
