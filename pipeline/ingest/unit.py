"""What is imported as a whole or not at all: one file, or the answer to one query."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pipeline.cases.sources import Mapping
from pipeline.core.errors import InputError, Mistake
from pipeline.core.ids import canonical_json, digest
from pipeline.ingest.reading import EMPTY, RawTable, read_bytes
from pipeline.store.seen_files import SeenFile


@dataclass(frozen=True)
class Unit:
    """`content` is the hash of bytes and mapping; `read` gives the raw table or raises `InputError`: nothing is parsed before."""

    name: str
    content: str
    read: Callable[[], RawTable]
    seen: SeenFile | None = None  # of a file: how it lay there before it was read


def unit_of_file(source: str, path: Path, mapping: Mapping, *, when_empty: str = EMPTY) -> Unit:
    """A file by its content; `when_empty` is the remedy where it has no row."""
    try:
        stat = path.stat()  # before it is read: what changes meanwhile is read again
        content = path.read_bytes()
    except OSError as error:
        raise InputError(Mistake(path.name, f"cannot be read ({error.strerror})", "check the rights on the file")) from error
    known = content_hash(source, content, mapping)
    seen = SeenFile(str(path), stat.st_size, stat.st_mtime_ns, mapping_hash(mapping), known)
    return Unit(path.name, known, lambda: read_bytes(path.name, content, mapping, when_empty=when_empty), seen)


def mapping_hash(mapping: Mapping) -> str:
    """Changes with what is declared."""
    return digest(canonical_json(mapping.model_dump(mode="json", exclude_defaults=True)))


def content_hash(source: str, content: bytes, mapping: Mapping) -> str:
    """Changes with the bytes and with the mapping: what was read under another mapping was not read."""
    return digest(source, canonical_json(mapping.model_dump(mode="json", exclude_defaults=True)), content)
