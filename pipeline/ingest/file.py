"""One file shipped with the case, or named by a path of its own."""

from __future__ import annotations

from pathlib import Path

from pipeline.cases.case import Case
from pipeline.cases.source_files import candidates
from pipeline.cases.sources import FileSource
from pipeline.core.errors import InputError, Mistake
from pipeline.ingest.unit import Unit, unit_of_file


def units(case: Case, source: FileSource, *, data_dir: Path) -> list[Unit]:
    """The one file of a source."""
    return [unit_of_file(source.id, found_file(case, source.id, source.path, data_dir=data_dir), source.mapping)]


def found_file(case: Case, source: str, name: str, *, data_dir: Path) -> Path:
    """Looked for in the case folder, then in `data_dir`, then among the shipped series. Raises InputError."""
    tried = candidates(name, folder=case.folder, data_dir=data_dir)
    found = next((path for path in tried if path.is_file()), None)
    if found is None and any(path.is_dir() for path in tried):
        raise InputError(Mistake(f"source {source}", f"{name!r} is a folder", "name the file in it, or give kind: folder"))
    if found is None:
        raise InputError(
            Mistake(
                f"source {source}",
                f"the file {name!r} is not there (looked in {', '.join(str(path.parent) for path in tried)})",
                "mend path in the case, or put the file there",
            )
        )
    return found
