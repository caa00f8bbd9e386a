"""Files that an import has seen, by path, size and time of change: what is as it was is not even opened again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from pipeline.store.schema import INGESTED_FILES, SEEN_FILES


@dataclass(frozen=True)
class SeenFile:
    """One file as it was when it was imported. `mapping`: hash of how it was read; `sha256`: the content the log of imports knows it by."""

    path: str
    size_bytes: int
    mtime_ns: int
    mapping: str
    sha256: str


def read(connection: sa.Connection, namespace: str, source: str) -> dict[str, SeenFile]:
    """What was seen of a source, by path."""
    s = SEEN_FILES.c
    asked = sa.select(s.path, s.size_bytes, s.mtime_ns, s.mapping, s.sha256).where(s.namespace == namespace, s.source == source)
    return {row.path: SeenFile(*row) for row in connection.execute(asked)}


def contents(connection: sa.Connection, namespace: str, source: str) -> set[str]:
    """Every content that was ingested from a source."""
    f = INGESTED_FILES.c
    return {row.sha256 for row in connection.execute(sa.select(f.sha256).where(f.namespace == namespace, f.source == source))}


def mark(connection: sa.Connection, namespace: str, source: str, files: Sequence[SeenFile]) -> None:
    """Enter files as they are now, in place of what was seen of them before."""
    s = SEEN_FILES.c
    by_path = {"namespace": namespace, "source": source}
    gone = sa.delete(SEEN_FILES).where(s.namespace == namespace, s.source == source, s.path == sa.bindparam("gone"))
    connection.execute(gone, [{"gone": one.path} for one in files])
    connection.execute(sa.insert(SEEN_FILES), [by_path | vars(one) for one in files])
