"""Paths that a person gives: what cannot be used is said with place and remedy, ends with 2, and nothing is made by looking."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.whole_day import shell

LOOKING = (("status",), ("setpoints", "tiny"), ("report", "tiny"), ("query", "select 1"))


def refused(*words: str, home: Path | None = None) -> str:
    said = shell(*words, home=home)
    assert said.returncode == 2, said.stderr
    assert "Traceback" not in said.stderr and said.stdout == ""
    assert len(said.stderr.splitlines()) == 1
    return said.stderr


def test_a_folder_without_a_case(tmp_path: Path) -> None:
    for command in ("check", "show"):
        said = refused("case", command, str(tmp_path))
        assert f"{tmp_path}: holds no case.yaml" in said and "feederflow case new" in said


def test_a_home_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    said = refused("ingest", "tiny", "--home", str(tmp_path / "file"))
    assert f"home {tmp_path / 'file'}: is a file" in said and "--home" in said
    refused("ingest", "tiny", "--home", str(tmp_path / "file" / "below"))


def test_a_home_that_cannot_be_made() -> None:
    said = refused("ingest", "tiny", "--home", "/proc/ff")
    assert "home /proc/ff: cannot be made (" in said and "FEEDERFLOW_HOME" in said


def test_a_home_that_may_not_be_written_to(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir(mode=0o500)
    with pytest.MonkeyPatch.context() as patch:  # root may write anywhere: the system's answer is given for it
        from pipeline.core.errors import InputError
        from pipeline.stages import home

        patch.setenv("FEEDERFLOW_HOME", str(folder))
        patch.setattr(home.os, "access", lambda *_: False)
        with pytest.raises(InputError, match="may not be written to; name a folder"):
            home.open_home()


def test_csv_into_a_folder_that_is_not_there(home: Path) -> None:
    assert shell("ingest", "tiny", home=home).returncode == 0
    target = home / "nodir" / "x.csv"
    said = refused("query", "select 1", "--csv", str(target), home=home)
    assert f"--csv {target}: cannot be written (No such file or directory)" in said


@pytest.mark.parametrize("words", LOOKING, ids=lambda words: words[0])
def test_looking_makes_nothing(words: tuple[str, ...], tmp_path: Path) -> None:
    home = tmp_path / "nowhere"
    assert "holds nothing" in refused(*words, home=home)
    assert not home.exists()
    assert "feederflow run" in refused(*words, home=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_the_system_refuses_of_a_path_on_the_command_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    said = refused("case", "new", str(tmp_path / "file" / "case"))
    assert str(tmp_path / "file" / "case") in said
