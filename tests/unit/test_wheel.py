"""The wheel carries what it needs: outside the checkout it makes a case, checks one and runs a day."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from pipeline.core.shipped import DATA, PACKAGE

ROOT = PACKAGE.parent
TABLES = DATA / "cases" / "tables"  # of the books; the scripts that make the cases read them
BUILD = "from setuptools.build_meta import build_wheel; print(build_wheel('..'))"
COMMANDS = """
import sys; sys.path.insert(0, {!r})
from pipeline.core.shipped import PACKAGE; print(PACKAGE)
from pipeline.cli import main; main()
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the unpacked wheel, which was built from a copy, so that the checkout is neither written to nor read later."""
    where = tmp_path_factory.mktemp("wheel")
    source = where / "source"
    shutil.copytree(PACKAGE, source / "pipeline", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy2(ROOT / name, source)
    subprocess.run([sys.executable, "-c", BUILD], cwd=source, check=True, capture_output=True)
    with zipfile.ZipFile(next(where.glob("*.whl"))) as wheel:
        wheel.extractall(where / "site")
    shutil.rmtree(source)
    return where / "site"


def _run(installed: Path, cwd: Path, *words: str, code: int = 0) -> str:
    done = subprocess.run([sys.executable, "-I", "-c", COMMANDS.format(str(installed)), *words], cwd=cwd, capture_output=True, text=True)
    assert done.returncode == code, done.stderr
    assert done.stdout.splitlines()[0] == str(installed / "pipeline")
    return done.stdout


def test_it_holds_every_shipped_file_and_no_script_that_makes_data(installed: Path) -> None:
    shipped = [file.relative_to(PACKAGE) for file in PACKAGE.rglob("*")
               if file.is_file() and file.suffix not in (".py", ".pyc") and TABLES not in file.parents]
    assert len(shipped) > 100
    missing = [str(file) for file in shipped if not (installed / "pipeline" / file).is_file()]
    assert missing == []
    assert list((installed / "pipeline" / "data").rglob("*.py")) == []
    named = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]["feederflow"]
    assert f"feederflow = {named}" in next(installed.glob("*.dist-info/entry_points.txt")).read_text()


def test_it_makes_a_case_checks_it_and_runs_a_day(installed: Path, tmp_path: Path) -> None:
    _run(installed, tmp_path, "case", "new", "mine")
    assert "mine: good" in _run(installed, tmp_path, "case", "check", "mine")
    said = _run(installed, tmp_path, "run", "tiny", "--home", "home")
    assert "published" in said.lower()
    assert (tmp_path / "home" / "published" / "dispatch").is_dir()
