"""Whole runs in fresh processes: what an operator waits for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from pipeline.bench import BenchmarkFailed, Row
from pipeline.bench.worker import at_most

CASE = "networked_microgrids_66_simbench"

_MEASURE = """
import json, os, resource, sys
{body}
used = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps({{"cpu_s": used.ru_utime + used.ru_stime, "peak_mb": used.ru_maxrss / 1024,
    "heavy": sorted({{"pyomo", "pandas", "statsmodels", "great_expectations"}} & set(sys.modules)), "more": more}}), flush=True)
os._exit(0)
"""

_INGEST = f"""
from pipeline import stages
stages.ingest_sources({CASE!r}); more = {{}}
"""

_DAY = f"""
from pipeline import stages
asked = stages.request({{"case": {CASE!r}}})
first = stages.run_day_ahead(asked); second = stages.run_real_time(asked)
more = {{"status": second["status"], **{{k: second["kpis"][k] for k in ("perfect_foresight_cost", "rolling_cost", "no_redispatch_cost")}}}}
"""

_DAY_AHEAD = f"""
from pipeline import stages
stages.run_day_ahead(stages.request({{"case": {CASE!r}}})); more = {{}}
"""

_STEP = f"""
from pipeline import stages
asked = stages.request({{"case": {CASE!r}, "steps": "1:1", "replace": True}})
more = {{"run": stages.redispatch(stages.open_real_time(asked))}}
"""


def _fresh(body: str, home: Path) -> dict[str, object]:
    """CPU seconds of a fresh process, imports included."""
    environment = {**os.environ, "FEEDERFLOW_HOME": str(home)}
    done = subprocess.run([sys.executable, "-c", _MEASURE.format(body=body)], env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchmarkFailed(done.stderr.strip()[-2000:])
    found: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return found


def full_day() -> list[Row]:
    """Hourly stochastic day-ahead with 7 representatives, all quarter-hours, gates, AC check, Parquet, report; nothing compiled before."""
    name = "full_day"
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        ingest = _fresh(_INGEST, home)
        day = _fresh(_DAY, home)
    more = day["more"]
    assert isinstance(more, dict)
    return [
        at_most(name, "full day in one process, imports, compilation and report included", float(str(day["cpu_s"])), "CPU s", 60.0),
        Row(name, "first import of the case's year", float(str(ingest["cpu_s"])), "CPU s"),
        Row(name, "peak memory", float(str(day["peak_mb"])), "MB"),
        *(Row(name, kpi, more[kpi], "USD") for kpi in ("perfect_foresight_cost", "rolling_cost", "no_redispatch_cost")),
    ]


def fresh_redispatch() -> list[Row]:
    """One step from the cached program: read what is known, bind, solve, settle, write; without Pyomo."""
    name = "fresh_redispatch"
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        _fresh(_INGEST, home)
        _fresh(_DAY_AHEAD, home)
        _fresh(_STEP, home)  # compiles and caches the rolling program
        home_runs = [_fresh(_STEP, home) for _ in range(3)]
    seconds = sorted(float(str(run["cpu_s"])) for run in home_runs)
    heavy = {str(module) for run in home_runs for module in run["heavy"]}  # type: ignore[attr-defined]
    return [
        Row(name, "re-dispatch as a fresh process, imports included", seconds[1], "CPU s"),
        at_most(name, "Pyomo imported (1: yes)", float("pyomo" in heavy), "", 0.0),
        # pyarrow itself imports pandas when it takes a numpy array: a third of a second that we cannot save.
        Row(name, f"other heavy modules imported ({', '.join(sorted(heavy)) or 'none'})", float(len(heavy - {"pyomo"})), ""),
    ]
