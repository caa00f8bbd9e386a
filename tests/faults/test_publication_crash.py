"""A process killed anywhere in a publication leaves what was published readable; running again completes it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from pipeline.publish.ledger import damaged, publish, published_tables, read_current, reconcile
from pipeline.store.lake import Lake
from pipeline.store.publications import Day
from pipeline.store.warehouse import Warehouse
from tests.publication import DATE, enter, real_time_run

DRIVER = Path(__file__).with_name("publication_driver.py")
# Point -> the run that is current once the crash is mended. `:3` and `:2` are the passages of the newer run.
POINTS = {
    "lake-table": "old", "lake-table:2": "old", "publish-start": "old", "published-sql": "new", "published-file": "new",
    "published-file:2": "new", "published-files": "new", "published-current": "new",
}


def drive(home: Path, *arguments: str) -> Any:
    result = subprocess.run([sys.executable, str(DRIVER), str(home), *arguments], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def published(home: Path, day: Day) -> dict[str, bytes]:
    files = (path for path in (home / "published").rglob(f"case={day.case}/*/*/*") if path.is_file())
    return {str(path.relative_to(home)): path.read_bytes() for path in files}


def test_killed_at_every_named_point(warehouse: Warehouse, lake: Lake, home: Path) -> None:
    codes = drive(home, "named", "day", *POINTS)
    assert codes == dict.fromkeys(POINTS, -signal.SIGKILL)
    for number, (point, wanted) in enumerate(POINTS.items()):
        case = f"day{number}"
        day = Day(case, "default", DATE)
        tables = published_tables(lake, day)
        assert {run for table in tables.values() for run in table["run_id"].to_pylist()} <= {f"{case}-old", f"{case}-new"}, point
        assert set(tables) == {"costs", "states"}, point
        if wanted == "old":
            assert damaged(lake, read_current(lake, day)) == [], point
        mended = reconcile(warehouse, lake, case=case)
        assert mended == ([] if wanted == "old" else [day]), point
        assert reconcile(warehouse, lake, case=case, deep=True) == [], point
        stored = read_current(lake, day)
        assert stored["runs"]["day_ahead"]["run_id"] == f"{case}-{wanted}", point
        assert damaged(lake, stored) == [], point
        assert set(published_tables(lake, day)["states"]["run_id"].to_pylist()) == {f"{case}-{wanted}"}, point


def test_killed_at_random_moments_ends_as_if_never_killed(warehouse: Warehouse, lake: Lake, home: Path) -> None:
    result = drive(home, "random", "killed", "20")
    assert result["readings"] == [0] * 20
    assert result["last"] == 0
    assert result["codes"].count(-signal.SIGKILL) >= 5, "too few of the kills met a running process"
    reconcile(warehouse, lake)
    day, chain = Day("killed", "default", DATE), [f"killed-{number}" for number in range(1, 9)]
    stored = read_current(lake, day)
    assert damaged(lake, stored) == []
    assert stored["runs"]["real_time"]["chain"] == chain
    assert published_tables(lake, day)["states"]["run_id"].to_pylist() == chain
    assert not list((home / "published").rglob("*.tmp"))
    calm_home = home.parent / "calm"  # the same runs in peace, in a home of their own: the published bytes are the same
    calm_warehouse, calm = Warehouse.open(calm_home), Lake(calm_home)
    for number, run_id in enumerate(chain, start=1):
        enter(calm_warehouse, calm, real_time_run(run_id, (number, number), chain[number - 2:number - 1], case="killed"))
    publish(calm_warehouse, calm, chain[-1])
    assert published(calm_home, day) == published(home, day)
