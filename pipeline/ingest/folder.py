"""A drop folder: each new CSV or Parquet file is read once, known by its content."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from pipeline.cases.sources import FolderSource
from pipeline.ingest.unit import Unit, mapping_hash, unit_of_file
from pipeline.store.seen_files import SeenFile

UNFINISHED = (".tmp", ".part", ".partial", ".crdownload", ".swp", "~")  # what writers call a file that is not whole yet


SETTLED_NS = 2_000_000_000  # a file changed more recently may change again within the grain of its clock


def units(source: FolderSource, *, places: Sequence[Path], seen: Mapping[str, SeenFile]) -> tuple[list[Unit], int]:
    """Files that match the pattern, in order of name, and how many more are as they were when they were imported: these are not opened.

    A relative path counts from the first of `places` that has it; a folder that nobody has made yet holds nothing.
    """
    path = Path(source.path).expanduser()
    folder = next((place / path for place in places if (place / path).is_dir()), None)
    if folder is None:
        return [], 0
    mapping, fresh, known = mapping_hash(source.mapping), [], 0
    for entry in sorted(folder.glob(source.pattern)):
        if entry.name.startswith(".") or entry.name.lower().endswith(UNFINISHED):
            continue
        before = seen.get(str(entry))
        if before is not None and before.mapping == mapping and _is_as_it_was(entry, before):
            known += 1
        elif entry.is_file():
            fresh.append(unit_of_file(source.id, entry, source.mapping))
    return fresh, known


def _is_as_it_was(entry: Path, before: SeenFile) -> bool:
    try:
        stat = entry.stat()
    except OSError:
        return False
    return (stat.st_size, stat.st_mtime_ns) == (before.size_bytes, before.mtime_ns)


def to_be_marked(units: Sequence[Unit], known: Mapping[str, SeenFile]) -> list[SeenFile]:
    """Imported files that need not be opened again as long as they lie there unchanged."""
    now = time.time_ns()
    return [unit.seen for unit in units
            if unit.seen is not None and now - unit.seen.mtime_ns > SETTLED_NS and known.get(unit.seen.path) != unit.seen]
