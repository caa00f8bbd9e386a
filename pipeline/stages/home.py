"""Where a run lives: warehouse, lake and cache under one folder; and what identifies the code that ran."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path

from pipeline.core.ids import digest
from pipeline.store.lake import Lake
from pipeline.store.warehouse import Warehouse

# What can change a number; the rest of the environment cannot.
PINNED = (
    "duckdb", "great-expectations", "highspy", "holidays", "minisom", "numpy", "pandas", "power-grid-model", "pyarrow", "pydantic",
    "pyomo", "scipy", "statsmodels", "tzdata",
)
PACKAGE = Path(__file__).resolve().parent.parent


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
    path.mkdir(parents=True, exist_ok=True)
    return Home(path, Warehouse.open(path), Lake(path))


def open_home() -> Home:
    """The home named by FEEDERFLOW_HOME, default `.feederflow` in the working folder; opened once per process."""
    path = Path(os.environ.get("FEEDERFLOW_HOME", ".feederflow")).expanduser().resolve()
    return _open(path, os.environ.get("FEEDERFLOW_WAREHOUSE_URL"))


@cache
def code_digest() -> str:
    """Hash of every source file of the package and of the versions that can change a number."""
    files = sorted(PACKAGE.rglob("*.py"))
    sources = [part for file in files for part in (file.relative_to(PACKAGE).as_posix(), file.read_bytes())]
    return digest(*sources, *(f"{name}=={version(name)}" for name in PINNED))
