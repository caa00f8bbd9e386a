"""One file shipped with the case, or named by a path of its own."""

from __future__ import annotations

from pathlib import Path

from pipeline.cases.case import Case
from pipeline.cases.sources import FileSource
from pipeline.core.errors import InputError, Mistake
from pipeline.ingest.unit import Unit, unit_of_file

SERIES_FOLDER = Path(__file__).resolve().parents[2] / "data" / "series"


def units(case: Case, source: FileSource, *, data_dir: Path) -> list[Unit]:
    """The one file. Looked for in the case folder, then in `data_dir`, then among the shipped series."""
    folders = [folder for folder in (case.folder, data_dir, data_dir / "series", SERIES_FOLDER, SERIES_FOLDER.parent) if folder is not None]
    tried = (
        [Path(source.path).expanduser()] if Path(source.path).expanduser().is_absolute() else [folder / source.path for folder in folders]
    )
    found = next((path for path in tried if path.is_file()), None)
    if found is None and any(path.is_dir() for path in tried):
        raise InputError(Mistake(f"source {source.id}", f"{source.path!r} is a folder", "name the file in it, or give kind: folder"))
    if found is None:
        raise InputError(
            Mistake(
                f"source {source.id}",
                f"the file {source.path!r} is not there (looked in {', '.join(str(path.parent) for path in tried)})",
                "mend path in the case, or put the file there",
            )
        )
    return [unit_of_file(source.id, found, source.mapping)]
