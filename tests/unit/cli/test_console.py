"""The process ends when everything is said, whatever threads are still at work in libraries."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.whole_day import ROOT

# A destructor at the end of the interpreter that aborts, as a C++ pool with a running thread does.
ABORTS = "import atexit, os; atexit.register(os.abort); from pipeline.cli import console; console()"

# What native code does that prints although it was told to be quiet, before and after the command's own words.
NOISY = """
import ctypes, os
import pipeline.cli as cli
def noise(whole=cli.main):
    os.write(1, b"written below Python\\n")
    libc = ctypes.CDLL(None)
    libc.puts(b"printed by C")
    libc.fflush(None)
    try:
        whole()
    finally:
        libc.puts(b"printed by C")
        libc.fflush(None)
cli.main = noise
cli.console()
"""


def typed(code: str, *words: str, home: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "FEEDERFLOW_HOME": str(home)}
    return subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, env=environment, cwd=ROOT)


@pytest.mark.parametrize(("words", "code"), [(("case", "list"), 0), (("run", "tyni"), 2), (("fly",), 2), (("--help",), 0)])
def test_nothing_is_torn_down_after_the_last_word(words: tuple[str, ...], code: int, home: Path) -> None:
    done = typed(ABORTS, *words, home=home)
    assert done.returncode == code
    assert done.stderr if code else "tiny" in done.stdout or "Usage" in done.stdout


def test_a_bug_still_shows_its_traceback(home: Path) -> None:
    broken = "import pipeline.cli as cli; cli.main = lambda: 1 / 0; cli.console()"
    done = typed(broken, home=home)
    assert done.returncode == 1 and "ZeroDivisionError" in done.stderr


def test_what_a_library_prints_is_not_in_our_output(home: Path) -> None:
    done = typed(NOISY, "case", "list", "--json", home=home)
    assert done.returncode == 0 and "tiny" in json.loads(done.stdout)
    assert done.stderr.count("printed by C") == 2 and "written below Python" in done.stderr


def test_closed_output_is_no_bug(home: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "FEEDERFLOW_HOME": str(home)}
    command = f"{sys.executable} -m pipeline.cli case show tyni >&-"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, env=environment, cwd=ROOT)
    assert done.returncode == 2 and "Traceback" not in done.stderr


def test_a_reader_that_had_enough_is_no_error_message(home: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        ["bash", "-c", f"{sys.executable} -m pipeline.cli case list | true; exit ${{PIPESTATUS[0]}}"],
        capture_output=True, text=True, env=environment, cwd=ROOT,
    )
    assert done.returncode in (0, 1) and done.stderr == ""  # 1 where Typer saw it first


def test_the_installed_command_ends_that_way() -> None:
    assert 'feederflow = "pipeline.cli:console"' in (ROOT / "pyproject.toml").read_text()
