"""The warehouse's tables as SQLAlchemy Core names, and the loader of `pipeline/sql/schema/*.sql`, which defines them."""

from __future__ import annotations

import re

import sqlalchemy as sa
from sqlalchemy import column, table

from pipeline.core.errors import InputError, Mistake
from pipeline.core.shipped import SQL

LOCK_SCHEMA, LOCK_WRITE = 7_310_001, 7_310_002  # PostgreSQL advisory locks: any two numbers of our own

TABLE, INDEX = (re.compile(rf"CREATE {kind} IF NOT EXISTS (\w+)") for kind in ("TABLE", "INDEX"))

BIG, REAL, TEXT, INT = sa.BigInteger, sa.Float, sa.Text, sa.Integer

SERIES = table("series", column("series_id", INT), column("namespace", TEXT), column("series", TEXT), column("resolution_s", INT))
INGESTS = table(
    "ingests", column("ingest_seq", BIG), column("namespace", TEXT), column("source", TEXT), column("ingested_at", BIG),
    column("rows_added", BIG), column("versions_added", BIG), column("unchanged", BIG),
)
INGESTED_FILES = table(
    "ingested_files", column("namespace", TEXT), column("source", TEXT), column("sha256", TEXT), column("path", TEXT),
    column("ingest_seq", BIG),
)
SEEN_FILES = table(
    "seen_files", column("namespace", TEXT), column("source", TEXT), column("path", TEXT), column("size_bytes", BIG),
    column("mtime_ns", BIG), column("mapping", TEXT), column("sha256", TEXT),
)
OBSERVATIONS = table(
    "observations", column("series_id", INT), column("valid_from", BIG), column("known_at", BIG), column("ingest_seq", BIG),
    column("value", REAL), column("quality", sa.SmallInteger),
)
COUNTER_SPANS = table(
    "counter_spans", column("namespace", TEXT), column("source", TEXT), column("series", TEXT), column("first_at", BIG),
    column("first_count", REAL), column("last_at", BIG), column("last_count", REAL), column("factor", REAL), column("said_at", BIG),
    column("ingest_seq", BIG),
)
SESSIONS = table(
    "sessions", column("namespace", TEXT), column("fleet", TEXT), column("session", TEXT), column("arrival", BIG), column("departure", BIG),
    column("need_kwh", REAL), column("charger_kw", REAL), column("known_at", BIG), column("ingest_seq", BIG),
    column("withdrawn", sa.SmallInteger),
)
OVERRIDES = table(
    "overrides", column("override_id", TEXT), column("namespace", TEXT), column("target", TEXT), column("quantity", TEXT),
    column("value", REAL), column("valid_from", BIG), column("valid_to", BIG), column("author", TEXT), column("reason", TEXT),
    column("known_at", BIG), column("withdrawn", sa.SmallInteger), column("entry", BIG),
)
RUNS = table(
    "runs", column("run_id", TEXT), column("product", TEXT), column("case_name", TEXT), column("variant", TEXT), column("method", TEXT),
    column("delivery_date", TEXT), column("issued_at", BIG), column("as_of", BIG), column("parents", TEXT), column("parameters", TEXT),
    column("status", TEXT), column("seconds", REAL), column("objective", REAL), column("gap", REAL), column("timings", TEXT),
    column("started_at", BIG), column("finished_at", BIG),
)
PUBLICATIONS = table(
    "publications", column("publication", BIG), column("case_name", TEXT), column("product", TEXT), column("variant", TEXT),
    column("delivery_date", TEXT), column("run_id", TEXT), column("issued_at", BIG), column("replaced", sa.SmallInteger),
    column("published_at", BIG),
)
PUBLISHED_FILES = table(
    "published_files", column("path", TEXT), column("case_name", TEXT), column("variant", TEXT), column("delivery_date", TEXT),
    column("table_name", TEXT), column("sha256", TEXT), column("row_count", BIG), column("publication", BIG),
)
MEASURED_STATES = table(
    "measured_states", column("namespace", TEXT), column("device", TEXT), column("quantity", TEXT), column("measured_at", BIG),
    column("value", REAL), column("author", TEXT), column("known_at", BIG), column("withdrawn", sa.SmallInteger), column("entry", BIG),
    column("ingest_seq", BIG),
)
ALL_TABLES = (
    SERIES, INGESTS, INGESTED_FILES, SEEN_FILES, OBSERVATIONS, COUNTER_SPANS, SESSIONS, OVERRIDES, RUNS, PUBLICATIONS, PUBLISHED_FILES,
    MEASURED_STATES,
)


def statements(dialect: str) -> list[str]:
    """Every statement of `pipeline/sql/schema/*.sql` in order, for `sqlite` or `postgresql`."""
    files = sorted((SQL / "schema").glob("*.sql"))
    if not files:
        raise InputError(Mistake(str(SQL / "schema"), "holds no schema files", "install the package again: it carries them"))
    found = []
    for file in files:
        lines = (line.partition("--")[0] for line in file.read_text().splitlines())
        text = "\n".join(lines).replace("/* clustered */", "WITHOUT ROWID" if dialect == "sqlite" else "")
        found += [statement.strip() for statement in text.split(";") if statement.strip()]
    return found


def is_complete(connection: sa.Connection) -> bool:
    """True when every table, column and index is there, so that opening needs no write lock and waits for no import."""
    found = sa.inspect(connection)
    columns = {name: {one["name"] for one in held} for (_, name), held in found.get_multi_columns().items()}
    indexes = {str(one["name"]) for held in found.get_multi_indexes().values() for one in held}
    wanted = (INDEX.match(statement) for statement in statements(connection.dialect.name))
    return (all(set(table.c.keys()) <= columns.get(table.name, set()) for table in ALL_TABLES)
            and {index[1] for index in wanted if index} <= indexes)


def apply_schema(connection: sa.Connection) -> None:
    """Create what is missing: tables, columns of tables that were made before they came, indexes. Safe when several do it at once."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK_SCHEMA)))
    every = statements(connection.dialect.name)
    tables = {made[1]: statement for statement in every if (made := TABLE.match(statement))}
    for statement in tables.values():
        connection.exec_driver_sql(statement)
    for (_, name), held in sa.inspect(connection).get_multi_columns().items():
        there = {one["name"] for one in held}
        for line in tables.get(name, "").splitlines():
            word = line.split(maxsplit=1)
            if word and word[0].islower() and word[0] not in there:
                connection.exec_driver_sql(f"ALTER TABLE {name} ADD COLUMN {line.strip().removesuffix(',')}")
    for statement in every:
        if not TABLE.match(statement):
            connection.exec_driver_sql(statement)
