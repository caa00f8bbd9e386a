"""SQLite's own file where it cannot work as it would: damaged, on a full disk, in a folder that takes no writes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from pipeline.core.errors import Damaged, FeederflowError, InputError, Mistake, StorageRefused
from pipeline.store.files import FREE_SPACE, MAKE_WRITABLE

MAKE_AGAIN = ("put a copy of it back; without one move it away: `feederflow ingest CASE` reads the histories again, and "
              "`feederflow run CASE --date D` makes a day again")
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_CLOSED = (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM)


@contextmanager
def answering(place: str) -> Iterator[None]:
    """Around a transaction: what SQLite says of its file and its disk, as an error with the remedy; anything else as it is."""
    try:
        yield
    except sa.exc.DBAPIError as error:
        known = _known(error, place)
        if known is None:
            raise
        raise known from error


def _known(error: sa.exc.DBAPIError, place: str) -> FeederflowError | None:
    code = getattr(error.orig, "sqlite_errorcode", None)
    if code is None:
        return None
    primary = int(code) & 0xFF
    if primary in _DAMAGED:
        return Damaged(Mistake(place, f"the warehouse is damaged ({error.orig})", MAKE_AGAIN))
    if primary == sqlite3.SQLITE_FULL:
        return StorageRefused(Mistake(place, f"the warehouse cannot store more ({error.orig})", FREE_SPACE))
    if primary in _CLOSED:
        return StorageRefused(Mistake(place, f"the warehouse may not be written to ({error.orig})", MAKE_WRITABLE))
    if primary == sqlite3.SQLITE_IOERR:
        return StorageRefused(Mistake(place, f"the warehouse cannot be read or stored ({error.orig})",
                                      f"look whether the disk is full or broken; {FREE_SPACE}"))
    return None


def looking_engine(path: Path) -> sa.Engine:
    """A file that nobody can write to now, to be read as it lies there: SQLite then needs no file of its own beside it.

    Raises InputError where a writer was cut off before its last words reached the file: they lie beside it, in the log.
    """
    log = path.with_name(path.name + "-wal")
    if log.exists() and log.stat().st_size:
        raise InputError(Mistake(str(path), "has a log beside it that must be written into it first", f"{FREE_SPACE}; or {MAKE_WRITABLE}"))
    return sa.create_engine(f"sqlite:///file:{quote(str(path))}?mode=ro&immutable=1&uri=true", poolclass=NullPool)
