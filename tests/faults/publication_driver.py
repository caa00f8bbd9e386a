"""Publishes in child processes and kills them; run by test_publication_crash, because forking wants a process without threads.

`publication_driver.py HOME named CASE POINT ..` publishes one day per point, killed there.
`publication_driver.py HOME random CASE COUNT` publishes a chain of runs, killed COUNT times at random moments.
Prints one JSON object.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from pipeline.publish.ledger import publish, published_tables, read_current, reconcile
from pipeline.store.lake import Lake
from pipeline.store.publications import Day
from pipeline.store.warehouse import Warehouse
from tests.publication import DATE, day_ahead_run, enter, real_time_run

CHAIN = 8


def in_child(work: Callable[[], None], kill_after_s: float | None = None) -> int:
    """Run in a forked child; returns its exit code, negative when a signal ended it."""
    child = os.fork()
    if child == 0:
        work()
        os._exit(0)
    if kill_after_s is not None:
        time.sleep(kill_after_s)
        os.kill(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def publish_pair(home: str, case: str, point: str | None) -> None:
    """An older run published in peace, then a newer one, killed at the point."""
    warehouse, lake = Warehouse.open(home), Lake(home)
    enter(warehouse, lake, day_ahead_run(f"{case}-old", 1, case=case))
    publish(warehouse, lake, f"{case}-old")
    if point is not None:
        os.environ["FEEDERFLOW_FAULT_POINT"] = point
    enter(warehouse, lake, day_ahead_run(f"{case}-new", 2, case=case))
    publish(warehouse, lake, f"{case}-new")


def publish_chain(home: str, case: str) -> None:
    """What a live day does: reconcile, then each run in turn; what stands already is found again."""
    warehouse, lake = Warehouse.open(home), Lake(home)
    reconcile(warehouse, lake, case=case)
    before: list[str] = []
    for number in range(1, CHAIN + 1):
        run = real_time_run(f"{case}-{number}", (number, number), before, case=case)
        enter(warehouse, lake, run)
        publish(warehouse, lake, run.run_id)
        before = [run.run_id]


def read_whole(home: str, case: str) -> None:
    """What a reader sees right after a crash: every file is readable, and its steps are those of one run's chain."""
    lake = Lake(home)
    day = Day(case, "default", DATE)
    tables = published_tables(lake, day)
    assert set(tables) in (set(), {"costs", "states"}), sorted(tables)
    if tables:
        steps = tables["states"]["step"].to_pylist()
        named = len(read_current(lake, day)["runs"]["real_time"]["chain"])
        assert steps == list(range(1, len(steps) + 1)), steps
        assert len(steps) in (named, named + 1), (steps, named)


def kill_at_random(home: str, case: str, count: int) -> dict[str, object]:
    draw, codes, readings = random.Random(7), [], []
    for _ in range(count):
        codes.append(in_child(lambda: publish_chain(home, case), kill_after_s=draw.uniform(0.0, 0.35)))
        readings.append(in_child(lambda: read_whole(home, case)))
    return {"codes": codes, "readings": readings, "last": in_child(lambda: publish_chain(home, case))}


def main() -> None:
    home, mode, case, *rest = sys.argv[1:]
    in_child(lambda: Warehouse.open(home).close())
    if mode == "named":
        work = [partial(publish_pair, home, f"{case}{number}", point) for number, point in enumerate(rest)]
        result: object = dict(zip(rest, map(in_child, work), strict=True))
    else:
        result = kill_at_random(home, case, int(rest[0]))
    sys.stdout.write(json.dumps(result))


if __name__ == "__main__":
    main()
