"""Where a run lives: warehouse, lake and cache under one folder; and what identifies the code that ran."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path

from pipeline.core.errors import InputError, Mistake, StorageRefused
from pipeline.core.ids import digest
from pipeline.core.shipped import DATA, PACKAGE
from pipeline.store.lake import Lake
from pipeline.store.warehouse import SQLITE_NAME, Warehouse

# What can change a number; the rest of the environment cannot.
PINNED = (
    "duckdb", "great-expectations", "highspy", "holidays", "minisom", "numpy", "pandas", "power-grid-model", "pyarrow", "pydantic",
    "pyomo", "scipy", "statsmodels", "tzdata",
)


@dataclass(frozen=True)
class Home:
    """What a folder of results holds: warehouse, lake and the cache of programs."""

    path: Path
    warehouse: Warehouse
    lake: Lake

    @property
    def cache(self) -> Path:
        return self.path / "cache"


@cache
def _open(path: Path, warehouse_url: str | None) -> Home:
    return Home(path, Warehouse.open(path), Lake(path))


@cache
def _look_at(path: Path, warehouse_url: str | None) -> Home:
    """The same for who only reads: where the folder takes no writes, as it lies there."""
    try:
        return _open(path, warehouse_url)
    except StorageRefused:
        return Home(path, Warehouse.open(path, looking=True), Lake(path))


def open_home(*, create: bool = True) -> Home:
    """The home named by FEEDERFLOW_HOME, default `.feederflow` in the working folder; opened once per process.

    Without `create` nothing is made where nothing is, and a full disk or a read-only folder is read all the same. Raises InputError
    for a path that cannot be a home, or is none yet.
    """
    path = Path(os.environ.get("FEEDERFLOW_HOME", ".feederflow")).expanduser().resolve()
    url = os.environ.get("FEEDERFLOW_WAREHOUSE_URL")
    if create:
        _make(path)
    elif not (path.is_dir() if url else (path / SQLITE_NAME).is_file()):
        raise InputError(Mistake(f"home {path}", "holds nothing: no run was made there",
                                 "`feederflow run CASE` makes a day; or name another folder by --home or FEEDERFLOW_HOME"))
    else:
        return _look_at(path, url)
    return _open(path, url)


def _make(path: Path) -> None:
    """The folder of a home, writable; the operating system's own words where it refuses."""
    remedy = "name a folder that you may write to by --home or FEEDERFLOW_HOME"
    try:
        path.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise InputError(Mistake(f"home {path}", "is a file, not a folder", remedy)) from error
    except OSError as error:
        raise InputError(Mistake(f"home {path}", f"cannot be made ({error.strerror})", remedy)) from error
    if not os.access(path, os.W_OK | os.X_OK):
        raise InputError(Mistake(f"home {path}", "may not be written to", remedy))


@cache
def code_digest() -> str:
    """Hash of every source file of the package and of the versions that can change a number; scripts that make data are no part of it."""
    files = sorted(file for file in PACKAGE.rglob("*.py") if DATA not in file.parents)
    sources = [part for file in files for part in (file.relative_to(PACKAGE).as_posix(), file.read_bytes())]
    return digest(*sources, *(f"{name}=={version(name)}" for name in PINNED))
