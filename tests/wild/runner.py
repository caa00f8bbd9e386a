"""Cases of this folder, run as a person runs them: copied, fields of case.yaml changed, one command typed, everything looked at."""

from __future__ import annotations

import io
import json
import os
import shutil
import sys
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import yaml
from numpy.typing import NDArray

from pipeline.cases.yaml_file import read_yaml
from pipeline.cli import main
from pipeline.store.observations import Observations
from pipeline.store.warehouse import Warehouse

WILD = Path(__file__).parent
FOREVER = 1 << 40  # after every stamp


@dataclass(frozen=True)
class Outcome:
    """What one command did."""

    code: int
    out: str
    err: str
    case: Path  # the folder of the case it ran on
    home: Path

    @property
    def name(self) -> str:
        """The case's own name, as the warehouse knows it."""
        return str(read_yaml(self.case / "case.yaml").value["name"])

    @property
    def json(self) -> Any:
        """What `--json` printed."""
        return json.loads(self.out)

    @property
    def messages(self) -> list[str]:
        """Lines on standard error: one per mistake."""
        return self.err.splitlines()

    def observations(self, series: str) -> Observations:
        """Every stored value of a series, its latest version."""
        warehouse = Warehouse.open(self.home)
        try:
            return warehouse.observations(self.name, [series], 0, FOREVER, FOREVER).latest()
        finally:
            warehouse.close()

    def values(self, series: str) -> NDArray[np.float64]:
        """Stored values in order of time, shape (n,)."""
        read = self.observations(series)
        return read.value[np.argsort(read.valid_from)]


def copied(name: str, folder: Path, changes: Mapping[str, Any] | None = None) -> Path:
    """A case of this folder, copied into `folder` with some fields of case.yaml changed."""
    target = folder / name
    if not target.exists():
        shutil.copytree(WILD / name, target)
    change(target, changes or {})
    return target


def change(case: Path, changes: Mapping[str, Any]) -> None:
    """Sets fields of case.yaml by dotted paths, as `sources.f.mapping.decimal`; a list is entered by id or by position.

    A value of None takes the field away."""
    path = case / "case.yaml"
    content = read_yaml(path).value
    for dotted, value in changes.items():
        *way, last = dotted.split(".")
        record: Any = content
        for part in way:
            record = _entered(record, part)
        if value is None:
            record.pop(last, None)
        else:
            record[last] = value
    path.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True), encoding="utf-8")


def _entered(record: Any, part: str) -> Any:
    if isinstance(record, list):
        return record[int(part)] if part.isdigit() else next(one for one in record if one["id"] == part)
    return record.setdefault(part, {})


def typed(case: Path, command: str, *arguments: str, home: Path | None = None) -> Outcome:
    """Runs `feederflow COMMAND <case> ARGUMENTS` in this process with a home beside the case unless one is given."""
    home = home or case.parent / "home"
    words = ["feederflow", *command.split(), str(case), *arguments]
    out, err = io.StringIO(), io.StringIO()
    environment = patch.dict(os.environ, {"FEEDERFLOW_HOME": str(home)})
    with patch.object(sys, "argv", words), environment, redirect_stdout(out), redirect_stderr(err):
        try:
            main()
            code: object = 0
        except SystemExit as left:
            code = left.code
    assert isinstance(code, int), code
    return Outcome(code, out.getvalue(), err.getvalue(), case, home)


def tried(name: str, command: str, folder: Path, changes: Mapping[str, Any] | None = None, *arguments: str) -> Outcome:
    """`copied` and `typed` in one."""
    return typed(copied(name, folder, changes), command, *arguments)
