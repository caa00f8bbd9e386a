"""Whole days through the pipeline, for tests: a home, its runs, what it published."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from pipeline.stages.asked import request
from pipeline.stages.home import Home, open_home
from pipeline.store.parquet import from_parquet

ROOT = Path(__file__).resolve().parents[1]
CLI = "from pipeline.cli import console; console()"


@contextmanager
def at_home(path: Path) -> Iterator[Home]:
    """A home as the environment names it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FEEDERFLOW_HOME", str(path))
        yield open_home()


def run_day_ahead(home: Path, **asked: Any) -> dict[str, Any]:
    from pipeline import stages

    with at_home(home):
        return stages.run_day_ahead(request(asked))


def run_real_time(home: Path, **asked: Any) -> dict[str, Any]:
    from pipeline import stages

    with at_home(home):
        return stages.run_real_time(request(asked))


def run_day(home: Path, **asked: Any) -> dict[str, Any]:
    """Day-ahead and real time of one day, with both results under `first` and `second`."""
    from pipeline import stages

    first = run_day_ahead(home, **asked)
    second = run_real_time(home, **asked)
    return {**stages.combine(first, second), "first": first, "second": second}


def copied(home: Path, target: Path) -> Path:
    """A home as it stands, elsewhere."""
    shutil.copytree(home, target)
    return target


def published(home: Path) -> dict[str, bytes]:
    """Every published file by its path below home."""
    return {str(path.relative_to(home)): path.read_bytes() for path in sorted((home / "published").rglob("*")) if path.is_file()}


def table(home: Path, name: str, *, case: str = "*", variant: str = "*") -> pa.Table:
    """The one published file of a table."""
    (path,) = (home / "published" / name).glob(f"case={case}/variant={variant}/*/part-0.parquet")
    return from_parquet(path.read_bytes())


def shell(*arguments: str, home: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    """`feederflow ARGUMENTS` in a fresh process."""
    variables = {**os.environ, "PYTHONPATH": str(ROOT), **({"FEEDERFLOW_HOME": str(home)} if home else {}), **environment}
    return subprocess.run([sys.executable, "-c", CLI, *arguments], capture_output=True, text=True, env=variables, cwd=ROOT)


def shell_json(*arguments: str, home: Path | None = None, expected: int = 0) -> dict[str, Any]:
    """What `feederflow ARGUMENTS --json` prints."""
    done = shell(*arguments, "--json", home=home)
    assert done.returncode == expected, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result
