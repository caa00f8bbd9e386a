"""The log of ingests: what came when, from which source and file, and what it changed."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from pipeline.store.schema import INGESTED_FILES, INGESTS


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
