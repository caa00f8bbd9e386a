"""A table or query of somebody's database. The address comes from an environment variable and is never shown."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import numpy as np

from pipeline.cases.sources import SqlSource
from pipeline.core.errors import InputError, Mistake
from pipeline.ingest.mistakes import Mistakes
from pipeline.ingest.reading import RawTable
from pipeline.ingest.unit import Unit, content_hash

_TABLE = re.compile(r"[A-Za-z_][\w$]*(\.[A-Za-z_][\w$]*)?")


def units(source: SqlSource) -> list[Unit]:
    """The answer of the query as one unit. The transaction is rolled back: a source is read, never written."""
    name = f"{source.id} (query)"
    columns, rows = _answer(source, name)
    content = repr((columns, rows)).encode()
    return [Unit(name, content_hash(source.id, content, source.mapping), lambda: _table(name, columns, rows))]


def _answer(source: SqlSource, name: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    import sqlalchemy as sa

    url = os.environ.get(source.url_env)
    if not url:
        raise InputError(Mistake(name, f"the environment variable {source.url_env} is not set", "set it to the database's address"))
    try:
        engine = sa.create_engine(url)
    except (sa.exc.SQLAlchemyError, ImportError, ValueError) as error:
        raise InputError(
            Mistake(
                name,
                f"the address in {source.url_env} cannot be used ({type(error).__name__})",
                "write it as postgresql+psycopg://user:password@host/database",
            )
        ) from error
    try:
        with engine.connect() as connection:
            result = connection.execute(_statement(source.query, engine))
            answer = list(result.keys()), [tuple(row) for row in result]
            connection.rollback()
    except sa.exc.SQLAlchemyError as error:
        said = str(getattr(error, "orig", None) or type(error).__name__).splitlines()[0][:200]
        raise InputError(
            Mistake(
                name,
                f"the database refused the query ({_without_secrets(said, url)})",
                f"check the query and the address in {source.url_env}",
            )
        ) from error
    finally:
        engine.dispose()
    return answer


def _statement(query: str, engine: Any) -> Any:
    """A query as it is; a plain name is a table. Colons are not parameters here."""
    import sqlalchemy as sa

    if _TABLE.fullmatch(query.strip()):
        quoted = ".".join(engine.dialect.identifier_preparer.quote(part) for part in query.strip().split("."))
        return sa.text(f"SELECT * FROM {quoted}")
    return sa.text(query.replace(":", r"\:"))


def _without_secrets(said: str, url: str) -> str:
    import sqlalchemy as sa

    password = sa.make_url(url).password
    return said.replace(str(password), "***") if password else said


def _table(name: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> RawTable:
    """Rows of Python values to a raw table; row 1 is the first row of the answer."""
    mistakes = Mistakes(name)
    if not rows:
        mistakes.add("the query gives no rows", "check its conditions")
    for column in sorted({column for column in columns if list(columns).count(column) > 1}):
        mistakes.add(f"the column {column!r} is there twice", "give every column its own name", column=column)
    mistakes.raise_if_any()
    cells = zip(*rows, strict=True)
    arrays = {column: _array(list(values)) for column, values in zip(columns, cells, strict=True)}
    return RawTable(name, arrays, np.arange(1, len(rows) + 1, dtype=np.int64))


def _array(values: list[Any]) -> Any:
    """Numbers stay numbers; stamps and whatever is mixed become text, which is read by the same rules as a file's."""
    import pyarrow as pa

    if all(value is None or (isinstance(value, int | float | Decimal) and not isinstance(value, bool)) for value in values):
        return pa.array([None if value is None else float(value) for value in values], pa.float64())
    return pa.array(
        [None if value is None else value.isoformat() if isinstance(value, date | datetime) else str(value) for value in values],
        pa.string(),
    )
