"""Fast rows: binary COPY where psycopg is the driver, one prepared statement elsewhere. Columns are numpy arrays."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

CHUNK_ROWS = 100_000
_HEADER = b"PGCOPY\n\xff\r\n\0" + b"\0" * 8
_TRAILER = b"\xff\xff"
# Columns of `observations` with their PostgreSQL width: every value is fixed, so a COPY stream is one structured array.
FIELDS: tuple[tuple[str, str], ...] = (
    ("series_id", ">i4"), ("valid_from", ">i8"), ("known_at", ">i8"), ("ingest_seq", ">i8"), ("value", ">f8"), ("quality", ">i2"),
)
NATIVE = {name: np.dtype(code).newbyteorder("=") for name, code in FIELDS}
Columns = dict[str, NDArray[Any]]


def _wire_dtype() -> np.dtype[Any]:
    """One row of COPY BINARY: number of fields, then length and value of each, big-endian."""
    parts: list[tuple[str, str]] = [("fields", ">i2")]
    for name, code in FIELDS:
        parts += [(f"{name}_length", ">i4"), (name, code)]
    return np.dtype(parts)


WIRE = _wire_dtype()


def uses_copy(connection: sa.Connection) -> bool:
    """True where rows can be sent by COPY."""
    return connection.dialect.driver == "psycopg"


def insert_observations(connection: sa.Connection, columns: Columns) -> None:
    """Insert rows given as equally long columns named as in FIELDS."""
    count = columns["series_id"].size
    driver: Any = connection.connection.driver_connection
    if uses_copy(connection):
        names = ", ".join(name for name, _ in FIELDS)
        with driver.cursor() as cursor, cursor.copy(f"COPY observations ({names}) FROM STDIN (FORMAT BINARY)") as copy:
            copy.write(_HEADER)
            for start in range(0, count, CHUNK_ROWS):
                copy.write(_to_wire({name: columns[name][start:start + CHUNK_ROWS] for name, _ in FIELDS}))
            copy.write(_TRAILER)
        return
    mark = "?" if connection.dialect.name == "sqlite" else "%s"
    statement = f"INSERT INTO observations ({', '.join(n for n, _ in FIELDS)}) VALUES ({', '.join([mark] * len(FIELDS))})"
    cursor = driver.cursor()
    for start in range(0, count, CHUNK_ROWS):
        cursor.executemany(statement, list(zip(*(columns[name][start:start + CHUNK_ROWS].tolist() for name, _ in FIELDS), strict=True)))
    cursor.close()


def _to_wire(columns: Columns) -> bytes:
    rows = np.empty(columns["series_id"].size, WIRE)
    rows["fields"] = len(FIELDS)
    for name, code in FIELDS:
        rows[f"{name}_length"] = np.dtype(code).itemsize
        rows[name] = columns[name]
    return rows.tobytes()


def select_observations(connection: sa.Connection, statement: sa.Select[Any]) -> Columns:
    """Rows of a select of the columns FIELDS, as numpy columns."""
    compiled = statement.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True})
    if uses_copy(connection):
        driver: Any = connection.connection.driver_connection
        with driver.cursor() as cursor, cursor.copy(f"COPY ({compiled}) TO STDOUT (FORMAT BINARY)") as copy:
            data = b"".join(bytes(part) for part in copy)
        body = data[len(_HEADER):len(data) - len(_TRAILER)]
        rows = np.frombuffer(body, WIRE)
        return {name: rows[name].astype(NATIVE[name]) for name, _ in FIELDS}
    cursor = connection.connection.cursor()
    cursor.execute(str(compiled))
    parts: list[Columns] = []
    while chunk := cursor.fetchmany(CHUNK_ROWS):
        parts.append(_from_rows(chunk))
    cursor.close()
    if not parts:
        return {name: np.empty(0, NATIVE[name]) for name, _ in FIELDS}
    return {name: np.concatenate([part[name] for part in parts]) for name, _ in FIELDS}


def _from_rows(rows: Iterable[tuple[Any, ...]]) -> Columns:
    columns = zip(*rows, strict=True)
    return {name: np.array(values, NATIVE[name]) for (name, _), values in zip(FIELDS, columns, strict=True)}
