"""The log of ingests: what came when, from which source and file, and what it changed."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from pipeline.core.errors import InputError, Mistake
from pipeline.store.schema import INGESTED_FILES, INGESTS, SEEN_FILES

PREFIX = "withdrawal of "  # and the number, as source of the entry of a withdrawal in the log


@dataclass(frozen=True)
class IngestedFile:
    """A file that a batch came from, so that a drop folder reads each content once."""

    path: str
    sha256: str


@dataclass(frozen=True)
class Receipt:
    """What a batch changed: intervals seen for the first time, further versions, rows that said nothing new."""

    rows_added: int
    versions_added: int
    unchanged: int
    sequence: int = 0  # number of the import, by which it can be withdrawn


def next_sequence(connection: sa.Connection) -> int:
    """The next ingest sequence number; writers wait for each other, so it only grows."""
    return int(connection.execute(sa.select(sa.func.coalesce(sa.func.max(INGESTS.c.ingest_seq), 0))).scalar_one()) + 1


def log_ingest(
    connection: sa.Connection, namespace: str, sequence: int, *, source: str, ingested_at: int, receipt: Receipt, file: IngestedFile | None,
) -> None:
    """Enter an ingest and the file it came from."""
    connection.execute(sa.insert(INGESTS), {
        "ingest_seq": sequence, "namespace": namespace, "source": source, "ingested_at": int(ingested_at),
        "rows_added": receipt.rows_added, "versions_added": receipt.versions_added, "unchanged": receipt.unchanged,
    })
    if file is not None and not has_file(connection, namespace, source, file.sha256):
        connection.execute(sa.insert(INGESTED_FILES), {
            "namespace": namespace, "source": source, "sha256": file.sha256, "path": file.path, "ingest_seq": sequence,
        })


def has_file(connection: sa.Connection, namespace: str, source: str, sha256: str) -> bool:
    """True when a file of this content was ingested from this source before."""
    f = INGESTED_FILES.c
    found = connection.execute(sa.select(f.ingest_seq).where(f.namespace == namespace, f.source == source, f.sha256 == sha256)).first()
    return found is not None


def withdrawn_imports(connection: sa.Connection, namespace: str) -> list[int]:
    """Imports that were taken back before."""
    i = INGESTS.c
    found = connection.execute(sa.select(i.source).where(i.namespace == namespace, i.source.like(f"{PREFIX}%")))
    return [int(row.source.removeprefix(PREFIX)) for row in found]


def withdrawn_files(connection: sa.Connection, namespace: str, source: str) -> dict[str, int]:
    """Contents of a source that the log knows as read although their import was taken back -> the number of that import."""
    f, gone = INGESTED_FILES.c, set(withdrawn_imports(connection, namespace))
    asked = sa.select(f.sha256, f.ingest_seq).where(f.namespace == namespace, f.source == source)
    return {row.sha256: int(row.ingest_seq) for row in connection.execute(asked) if row.ingest_seq in gone}


def read_again(connection: sa.Connection, namespace: str, sequence: int) -> str:
    """Forget that the file of a withdrawn import was read, so that the next import reads it; returns its source.

    Raises InputError for an import that stands, that is unknown, or whose file is to be read anyway.
    """
    f, seen = INGESTED_FILES.c, SEEN_FILES.c
    mine = sa.and_(f.namespace == namespace, f.ingest_seq == sequence)
    found = connection.execute(sa.select(f.source, f.sha256).where(mine)).first()
    gone = withdrawn_imports(connection, namespace)
    if found is None or sequence not in gone:
        which = "`feederflow ingest CASE` says which are withdrawn"
        said, remedy = "is not withdrawn", f"`--withdraw {sequence}` takes it back first"
        if found is None:
            said, remedy = ("was read again since" if sequence in gone else f"is no import of the case {namespace}"), which
        raise InputError(Mistake(f"import {sequence}", said, remedy))
    connection.execute(sa.delete(SEEN_FILES).where(seen.namespace == namespace, seen.source == found.source, seen.sha256 == found.sha256))
    connection.execute(sa.delete(INGESTED_FILES).where(mine))
    return str(found.source)
