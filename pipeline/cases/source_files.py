"""Where the file of a source may lie: one rule for the check of a case and for what reads it."""

from __future__ import annotations

from pathlib import Path

from pipeline.core.shipped import DATA


def candidates(name: str, *, folder: Path | None, data_dir: Path) -> list[Path]:
    """In the order in which they are tried: the case's folder, the data folder and its `series`, what is shipped; or the path itself."""
    path = Path(name).expanduser()
    if path.is_absolute():
        return [path]
    folders = [folder, data_dir, data_dir / "series", DATA / "series", DATA]
    return list(dict.fromkeys(one / name for one in folders if one is not None))
