"""The number that the book's own model gives, through the command that a stranger types."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.cli import main
from tests.whole_day import shell_json

PER_FEEDER = 1499.27774


def check(result: dict[str, object], case: str, feeders: int) -> None:
    assert {"run_id", "status", "objective", "gap", "seconds", "findings", "files"} <= set(result)
    assert result["objective"] == pytest.approx(feeders * PER_FEEDER, rel=1e-6)
    assert result["status"] == "done"
    assert str(result["run_id"]).startswith("da-")
    assert result["gap"] is None or abs(float(str(result["gap"]))) < 1e-6
    assert float(str(result["seconds"])) > 0
    files = result["files"]
    assert isinstance(files, list) and files
    assert all(Path(file).is_file() and f"case={case}/variant=reference/" in file for file in files)
    assert not [row for row in result["findings"] if row["severity"] == "warning"]  # type: ignore[attr-defined]


def test_two_feeders_in_a_fresh_process(tmp_path: Path) -> None:
    case = "networked_microgrids_66"
    check(shell_json("day-ahead", case, "--variant", "reference", home=tmp_path), case, 2)


@pytest.mark.parametrize(("case", "feeders"), [("networked_microgrids_165", 5), ("networked_microgrids_330", 10)])
def test_more_feeders(case: str, feeders: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.argv", ["feederflow", "day-ahead", case, "--variant", "reference", "--home", str(tmp_path), "--json"])
    monkeypatch.setenv("FEEDERFLOW_HOME", "")  # so that what --home sets is undone
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 0
    check(json.loads(capsys.readouterr().out), case, feeders)
