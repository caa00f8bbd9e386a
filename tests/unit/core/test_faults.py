"""A fault point kills where the environment names it, and nowhere else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

CODE = "from pipeline.core.faults import fault_point as f\nfor _ in range(3): f('a'); f('b'); print('passed', flush=True)"


@pytest.mark.parametrize(("named", "passed", "killed"), [
    (None, 3, False), ("c", 3, False), ("b", 0, True), ("b:3", 2, True), ("a:9", 3, False),
])
def test_kills_at_the_named_passage(named: str | None, passed: int, killed: bool) -> None:
    environment = {**os.environ, **({"FEEDERFLOW_FAULT_POINT": named} if named else {})}
    result = subprocess.run([sys.executable, "-c", CODE], env=environment, capture_output=True, text=True)
    assert result.stdout.split() == ["passed"] * passed
    assert result.returncode == (-signal.SIGKILL if killed else 0)
