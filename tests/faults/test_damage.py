"""What is damaged, full or closed is said once, with the remedy; running again heals it, and no day blocks another."""

from __future__ import annotations

import errno
import json
import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.cli import main
from pipeline.core.errors import Damaged, InputError, StorageRefused
from pipeline.stages import home as homes
from pipeline.store import files
from pipeline.store.cache import ArrayCache
from pipeline.store.lake import Lake
from pipeline.store.warehouse import SQLITE_NAME, Warehouse
from tests.whole_day import copied, published, run_day_ahead, run_real_time

ASKED = {"case": "tiny", "method": "deterministic"}
WORDS = ("tiny", "--method", "deterministic")
DAYS = ("2016-06-14", "2016-06-15")
STATUS = ("status", "--at", "2016-06-15T07:05+01:00")  # in the first interval of the second day
Feederflow = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def two_days(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two published days, one quarter-hour each; never written to."""
    home = tmp_path_factory.mktemp("days")
    for day in DAYS:
        run_day_ahead(home, **ASKED, date=day)
        run_real_time(home, **ASKED, date=day, steps="1:1")
    return home


@pytest.fixture
def days(two_days: Path, tmp_path: Path) -> Path:
    return copied(two_days, tmp_path / "days")


@pytest.fixture
def feederflow(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], days: Path) -> Feederflow:
    """Type a command: exit code, standard output, standard error. Every command opens its home anew, as a process does."""

    def type_in(*words: str) -> tuple[int, str, str]:
        homes._open.cache_clear()
        homes._look_at.cache_clear()
        monkeypatch.setenv("FEEDERFLOW_HOME", str(days))
        monkeypatch.setattr("sys.argv", ["feederflow", *words])
        with pytest.raises(SystemExit) as left:
            main()
        assert isinstance(left.value.code, int)
        return left.value.code, *capsys.readouterr()

    return type_in


def spoil(path: Path) -> None:
    """One byte in the middle turns over: as long as before, and another file."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(bytes(content))


def the(folder: Path, pattern: str) -> Path:
    (found,) = folder.glob(pattern)
    return found


def published_file(days: Path, table: str, date: str) -> Path:
    return the(days, f"published/{table}/*/*/delivery_date={date}/part-0.parquet")


HARMS: dict[str, Callable[[Path], object]] = {
    "spoiled": spoil, "cut off": lambda path: path.write_bytes(path.read_bytes()[:-20]), "empty": lambda path: path.write_bytes(b""),
    "gone": lambda path: path.unlink(),
}


@pytest.mark.parametrize(("kind", "harm"), [
    ("published/dispatch", "spoiled"), ("published/findings", "empty"), ("published/_current", "cut off"), ("lake", "gone"),
    ("lake", "spoiled"), ("plan", "spoiled"), ("state", "cut off"),
])
def test_status_says_what_is_damaged_and_running_again_heals(days: Path, feederflow: Feederflow, kind: str, harm: str) -> None:
    before = published(days)
    plan = next(days.glob("runs/da-*/plan.arrays"))
    run_id = plan.parent.name
    date = next(date for date in DAYS if run_id in the(days, f"published/_current/*/*/delivery_date={date}/*").read_text())
    path = {
        "published/dispatch": published_file(days, "dispatch", date), "published/findings": published_file(days, "findings", date),
        "published/_current": the(days, f"published/_current/*/*/delivery_date={date}/_current.json"),
        "lake": days / "runs" / run_id / "schedule.parquet", "plan": plan, "state": next(days.glob("runs/rt-*/state-1.arrays")),
    }[kind]
    HARMS[harm](path)
    code, out, err = feederflow(*STATUS, "--deep")
    assert code == 5 and err == ""
    assert out.count(str(path.relative_to(days))) == 1 and "`feederflow run tiny --variant default --method deterministic" in out
    rows = json.loads(feederflow(*STATUS, "--deep", "--json")[1])
    assert {row["whole"] for row in rows} == {True, False} and all(bool(row["damaged"]) != row["whole"] for row in rows)
    other = "rt" if kind == "state" else date
    asked = (*WORDS, "--date", date) if other == date else (*WORDS, "--date", _date_of(days, path.parent.name))
    for command in ("day-ahead", "real-time"):
        again = (command, *asked, *(("--steps", "1:1") if command == "real-time" else ()))
        assert feederflow(*again)[0] == 0
    assert feederflow(*STATUS, "--deep")[0] == 0
    assert published(days) == before


def _date_of(days: Path, run_id: str) -> str:
    return next(date for date in DAYS if run_id in the(days, f"published/_current/*/*/delivery_date={date}/*").read_text())


def test_a_damaged_day_blocks_no_other(days: Path, feederflow: Feederflow) -> None:
    bad, good = DAYS
    for path in days.glob("runs/*/costs.parquet"):
        if _date_of(days, path.parent.name) == bad:
            spoil(path)
    HARMS["cut off"](published_file(days, "costs", bad))
    code, out, err = feederflow("query", "select distinct delivery_date from costs")
    assert (code, good in out, bad in out) == (5, True, False)
    assert err.count("is damaged and left out") == 1
    assert feederflow("setpoints", "tiny", "--variant", "default~deterministic", "--date", good, "--step", "1")[0] == 0
    assert feederflow("report", "tiny", "--variant", "default~deterministic", "--date", good)[0] == 0
    assert feederflow("real-time", *WORDS, "--date", good, "--steps", "2:2")[0] == 0
    code, _, err = feederflow("report", "tiny", "--variant", "default~deterministic", "--date", bad)
    assert code == 2 and len(err.splitlines()) == 1 and "`feederflow run tiny" in err


def test_a_lost_plan_is_decided_again_by_the_next_redispatch(days: Path, feederflow: Feederflow) -> None:
    plans = {path: path.read_bytes() for path in days.glob("runs/da-*/plan.arrays")}
    for path in plans:
        path.unlink()
    assert feederflow("real-time", *WORDS, "--date", DAYS[1], "--steps", "2:2")[0] == 0
    healed = [path for path in plans if path.exists()]
    assert healed and all(path.read_bytes() == plans[path] for path in healed)


def test_a_damaged_program_is_compiled_again(days: Path, feederflow: Feederflow) -> None:
    for path in days.glob("cache/*/*.arrays"):
        spoil(path)
    assert feederflow("real-time", *WORDS, "--date", DAYS[1], "--steps", "2:2")[0] == 0


def test_a_cut_off_warehouse_says_so_and_its_days_can_be_made_again(days: Path, feederflow: Feederflow) -> None:
    path, day = days / SQLITE_NAME, DAYS[1]
    before, content = published(days), path.read_bytes()
    path.write_bytes(b"")  # which SQLite takes for a new one
    code, out, _ = feederflow(*STATUS)
    assert code == 5 and out.count("the warehouse was lost or replaced") == len(DAYS) and "feederflow ingest CASE" in out
    path.write_bytes(content[: len(content) // 2])
    code, _, err = feederflow(*STATUS, "--deep")
    assert code == 2 and len(err.splitlines()) == 1 and "the warehouse is damaged" in err and "feederflow ingest CASE" in err
    for left in days.glob(f"{SQLITE_NAME}*"):
        left.unlink()
    assert feederflow("day-ahead", *WORDS, "--date", day)[0] == 0
    assert feederflow("setpoints", "tiny", "--variant", "default~deterministic", "--date", day, "--step", "1")[0] == 0
    assert set(published(days)) <= set(before)


# ------------------------------------------------------------------ full and closed


def _full(*_: Any) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_is_one_message_and_leaves_what_was_published(
    days: Path, feederflow: Feederflow, monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = published(days)
    with monkeypatch.context() as full:
        full.setattr(files.os, "fsync", _full)
        code, _, err = feederflow("real-time", *WORDS, "--date", DAYS[1], "--steps", "2:2")
        assert code == 2 and len(err.splitlines()) == 1 and "no space left" in err and "free space and run the same again" in err
        assert not list(days.rglob("*.tmp"))
        code, out, _ = feederflow(*STATUS)
        assert code == 5 and "FAILED" in out and "DAMAGED" not in out  # the run that came to nothing
        assert feederflow("setpoints", "tiny", "--variant", "default~deterministic", "--step", "1")[0] == 0
    assert published(days) == before
    assert feederflow("real-time", *WORDS, "--date", DAYS[1], "--steps", "2:2")[0] == 0


def test_a_warehouse_that_cannot_grow_says_so(home: Path) -> None:
    warehouse = Warehouse.open(home)
    with pytest.raises(StorageRefused, match="free space"), warehouse.writing() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1")
        connection.exec_driver_sql("CREATE TABLE more AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<9999) "
                                   "SELECT i, randomblob(500) FROM n")


def test_a_closed_home_is_still_read(days: Path, feederflow: Feederflow, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that takes no writes: SQLite can make no file beside its own, so that it opens nothing as it usually does."""
    before = {path: path.read_bytes() for path in days.rglob("*") if path.is_file()}
    opened = Warehouse.open.__func__  # type: ignore[attr-defined]

    def closed(cls: type[Warehouse], path: Path, *, looking: bool = False) -> Warehouse:
        if not looking:
            raise StorageRefused([])
        return opened(cls, path, looking=True)  # type: ignore[no-any-return]

    monkeypatch.setattr(Warehouse, "open", classmethod(closed))
    monkeypatch.setattr(files.os, "fsync", _full)
    published_file(days, "costs", DAYS[0]).write_bytes(b"")  # nobody can mend it here, and it blocks nothing
    assert feederflow(*STATUS)[0] == 5
    code, out, _ = feederflow("setpoints", "tiny", "--variant", "default~deterministic", "--date", DAYS[1], "--step", "1")
    assert code == 0 and "grid" in out
    code, _, err = feederflow("setpoints", "tiny", "--variant", "default~deterministic", "--date", DAYS[0], "--step", "1")
    assert code == 2 and "costs" in err and len(err.splitlines()) == 1
    before[published_file(days, "costs", DAYS[0])] = b""
    assert {path: path.read_bytes() for path in days.rglob("*") if path.is_file()} == before


def test_a_log_that_was_not_written_home_is_not_read_past(home: Path) -> None:
    Warehouse.open(home).close()
    (home / f"{SQLITE_NAME}-wal").write_bytes(b"x")
    with pytest.raises(InputError, match="has a log beside it"):
        Warehouse.open(home, looking=True)


# ------------------------------------------------------------------ the parts


def test_what_a_run_lost_is_damaged_and_stored_anew(two_days: Path, home: Path) -> None:
    run = next(two_days.glob("runs/da-*"))
    shutil.copytree(run, home / "runs" / run.name)
    lake = Lake(home)
    costs = lake.read(run.name, "costs")
    spoilt = home / Lake.path(run.name, "costs")
    spoilt.write_bytes(b"PAR1 no more")
    with pytest.raises(Damaged, match=r"costs.parquet: is damaged \("):
        lake.read(run.name, "costs")
    lake.write(run.name, {"costs": costs})
    assert lake.read(run.name, "costs").equals(costs)
    with pytest.raises(Damaged, match="is missing"):
        lake.read(run.name, "nothing")


def test_a_damaged_entry_of_a_closed_cache_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = ArrayCache(tmp_path)
    cache.save("plan", {})
    assert cache.whole("plan") and cache.keys() == ["plan"]
    spoil(tmp_path / "plan.arrays")

    def closed(*_: Any, **__: Any) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(Path, "unlink", closed)
    assert not cache.whole("plan") and cache.load("plan") is None


def test_a_file_that_is_no_database(home: Path) -> None:
    (home / SQLITE_NAME).write_bytes(b"no database at all, and long enough to have a header of its own" * 20)
    with pytest.raises(Damaged, match="the warehouse is damaged"):
        Warehouse.open(home)
    assert sqlite3.SQLITE_NOTADB == 26
