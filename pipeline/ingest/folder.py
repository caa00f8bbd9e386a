"""A drop folder: each new CSV or Parquet file is read once, known by its content."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pipeline.cases.sources import FolderSource
from pipeline.ingest.unit import Unit, unit_of_file

UNFINISHED = (".tmp", ".part", ".partial", ".crdownload", ".swp", "~")  # what writers call a file that is not whole yet


def units(source: FolderSource, *, places: Sequence[Path]) -> list[Unit]:
    """Files that match the pattern, in order of name. A relative path counts from the first of `places` that has it; a folder that
    nobody has made yet holds nothing."""
    path = Path(source.path).expanduser()
    folder = next((place / path for place in places if (place / path).is_dir()), None)
    if folder is None:
        return []
    files = sorted(entry for entry in folder.glob(source.pattern) if entry.is_file())
    return [
        unit_of_file(source.id, entry, source.mapping)
        for entry in files
        if not entry.name.startswith(".") and not entry.name.lower().endswith(UNFINISHED)
    ]
