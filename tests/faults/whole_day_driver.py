"""Runs whole days in forked children and kills them; run by test_killed_run, so that what is slow to import is imported once.

`whole_day_driver.py BASE WORK` prints one JSON object. BASE holds the day as it was published before.
"""

from __future__ import annotations

import json
import os
import random
import resource
import shutil
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import great_expectations  # noqa: F401
import plotly  # noqa: F401
import pyomo.environ  # noqa: F401

from pipeline.cases.load import load_case
from pipeline.publish.ledger import damaged, read_current, reconcile
from pipeline.publish.report import build  # noqa: F401
from pipeline.scenarios import reduce  # noqa: F401
from pipeline.stages import redispatching, results, study, validating  # noqa: F401
from pipeline.stages.asked import Request
from pipeline.stages.home import code_digest, open_home
from pipeline.store.parquet import from_parquet
from pipeline.store.publications import Day
from pipeline.validate import gates

CASE, VARIANT = "tiny", "reference"
KILLS, LANES = 20, 4
# Passages count in the process: the day-ahead publishes first, then real time, each with a dozen files.
POINTS = ("publish-start", "published-sql", "published-file:20", "published-files:2")


def asked() -> Request:
    case = load_case(CASE, variant=VARIANT)
    return Request(case=CASE, date=case.default_date, variant=VARIANT, replace=True)


def run_day() -> None:
    results.run_day_ahead(asked())
    results.run_real_time(asked())


def in_child(home: Path, work: Callable[[], None], *, killed_at_cpu_s: float = 0.0, point: str = "") -> int:
    """Exit code of a forked child, negative when a signal ended it.

    Killed by the processor time it has used: by the clock, a machine that was busy when the calm day was timed meets few processes alive.
    """
    child = os.fork()
    if child == 0:
        os.environ.update(FEEDERFLOW_HOME=str(home), FEEDERFLOW_FAULT_POINT=point)
        signal.signal(signal.SIGPROF, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_PROF, killed_at_cpu_s)  # SIGPROF, of which no Python is told; 0 is never
        code = 1
        try:
            work()
            code = 0
        finally:  # never back into the parent's loop
            traceback.print_exc() if code else None
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def day() -> Day:
    return Day(CASE, VARIANT, asked().date.isoformat())


def read_whole() -> None:
    """What a reader meets right after the crash, before anything heals: every file readable, every table that of one run, whole."""
    home = open_home()
    stored = read_current(home.lake, day())
    for file in stored["files"]:
        table = from_parquet(home.lake.files.read(file["path"]))
        for run_id in set(table["run_id"].to_pylist()):
            kept = table.filter([row == run_id for row in table["run_id"].to_pylist()])
            assert kept.equals(home.lake.read(run_id, file["table"]).cast(kept.schema)), (file["path"], run_id)


def heal() -> None:
    """Reconciled, `_current.json` says what lies on disk, and every gate passes."""
    home = open_home()
    reconcile(home.warehouse, home.lake)
    assert damaged(home.lake, read_current(home.lake, day())) == []
    case = asked().load()
    mistakes = gates.check_published(home.warehouse, home.lake, case, day().delivery_date, variant=VARIANT)
    assert mistakes == [], mistakes


def main() -> None:
    base, work = map(Path, sys.argv[1:])
    code_digest()  # paid once, not by every child
    gates.check_contracts = lambda tables, by: []  # Great Expectations takes half of a small day's time, and writes nothing
    calm = Path(shutil.copytree(base, work / "calm"))
    told: dict[str, object] = {"calm": in_child(calm, run_day)}
    used = resource.getrusage(resource.RUSAGE_CHILDREN)  # of the one child that has ended
    length_s = used.ru_utime + used.ru_stime
    draw = random.Random(20160615)
    codes, readings, healed, last = [], [], [], []
    home = Path(shutil.copytree(base, work / "lane0"))
    for kill in range(1, KILLS + 1):
        codes.append(in_child(home, run_day, killed_at_cpu_s=draw.uniform(0.0, length_s)))
        readings.append(in_child(home, read_whole))
        if kill % 3 == 0:  # else the next run heals by itself
            healed.append(in_child(home, heal))
        if codes[-1] == 0 or kill % (KILLS // LANES) == 0:  # done, or killed often enough: finish, and begin another
            last.append(in_child(home, run_day))
            home = Path(shutil.copytree(base, work / f"lane{kill}"))
    points = {}
    for number, point in enumerate(POINTS):
        home = Path(shutil.copytree(base, work / f"point{number}"))
        points[point] = [in_child(home, run_day, point=point), in_child(home, read_whole), in_child(home, heal), in_child(home, run_day)]
    sys.stdout.write(json.dumps({**told, "codes": codes, "readings": readings, "healed": healed, "last": last, "points": points}))


if __name__ == "__main__":
    main()
