"""Questions of the operator change nothing, and say what they take."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.core.errors import InputError
from pipeline.publish.query import query
from tests.whole_day import shell

READS = (
    "select 1 as one",
    "with a as (select 1) select * from a", "from costs", "values (1);", "describe costs", "summarize costs", "show tables",
    "explain select * from costs", "select * from (pivot costs on term in ('total'))", "select 'copy', 'analysis'",
)
WRITES = (
    "copy (select 1) to '{file}'", "explain analyze copy (select 1) to '{file}'", "explain (analyze) copy (select 1) to '{file}'",
    "copy (pivot range(3) on range) to '{file}'", "create table a as select 1", "attach '{file}'", "export database '{file}'",
    "select 1; copy (select 1) to '{file}'", "install httpfs", "set threads = 1", "",
)


@pytest.mark.parametrize("sql", READS)
def test_what_reads_is_answered(home: Path, sql: str) -> None:
    query(home, sql)


@pytest.mark.parametrize("sql", WRITES)
def test_what_writes_is_refused_and_nothing_is_written(home: Path, sql: str) -> None:
    with pytest.raises(InputError, match="SELECT"):
        query(home, sql.format(file=home / "x"))
    assert list(home.iterdir()) == []


@pytest.mark.parametrize("words", [("setpoints", "tiny", "--date", "2024-13-05"), ("report", "tiny", "--date", "x")])
def test_no_date(home: Path, words: tuple[str, ...]) -> None:
    said = shell(*words, home=home)
    assert said.returncode == 2 and f"--date: '{words[-1]}' is no date; write YYYY-MM-DD" in said.stderr


@pytest.mark.parametrize(("command", "words"), [
    ("setpoints", "published day that holds the next interval"), ("report", "newest published day"), ("query", "case_name"),
])
def test_help_names_what_is_taken(command: str, words: str) -> None:
    said = " ".join(shell(command, "--help", COLUMNS="200").stdout.replace("│", " ").split())
    assert words in said and "default_date" not in said
