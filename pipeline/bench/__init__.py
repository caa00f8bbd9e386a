"""The performance table: every benchmark in a process of its own, ratios within one run on one machine, CPU seconds throughout."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass

from pipeline.core.errors import FeederflowError, InputError, Mistake

BENCHMARKS = {
    "first_solve": "compile and first solve, 330 buses, 50 microgrids, 96 steps",
    "real_time_step": "a real-time step at 10, 25 and 50 microgrids",
    "fresh_redispatch": "a re-dispatch of the default case as a fresh process",
    "full_day": "a full day in one process, 66 buses",
    "forecast": "forecast skill over the year, shipped series",
    "study_year": "forecast skill on the study data, where they are present (reported, no target)",
    "reduction": "scenario reduction",
    "extensive_form": "building the scenario program of 50 microgrids, 96 steps, 10 scenarios",
    "wasserstein": "a Wasserstein program in one piece over HiGHS alone",
    "decomposition": "big two-stage programs by price decomposition, three measures",
    "decomposition_96": "the same at 96 steps: 3.4 million columns",
    "integer_first_stage": "the same with commitments in the first stage",
    "robust_case4": "the robust system, Case 4 complete, against Case 3 with the whole sample",
    "affine": "affine rules on the hydrogen microgrids, 24 and 96 steps",
    "peer_extensive": "the same two-stage problem through mpi-sppy, where it is installed",
}


@dataclass(frozen=True)
class Row:
    """One figure. `target` and `met` are empty where the figure is only shown."""

    benchmark: str
    figure: str
    value: float
    unit: str
    target: str = ""
    met: bool | None = None

    def as_dict(self) -> dict[str, object]:
        return asdict(self)

    def text(self) -> str:
        verdict = "" if self.met is None else "  met" if self.met else "  NOT MET"
        return f"{self.benchmark:<17} {self.figure:<64} {self.value:10.4g} {self.unit:<7} {self.target:<10}{verdict}"


class BenchmarkFailed(FeederflowError):
    """A benchmark's process ended in error; carries its last words."""


def run(name: str | None = None, *, report: Callable[[str], None] | None = None) -> list[Row]:
    """Run one benchmark, or all; each finished row is reported at once. Raises InputError for an unknown name."""
    if name is not None and name not in BENCHMARKS:
        raise InputError(Mistake("bench", f"'{name}' is no benchmark", f"take one of {', '.join(BENCHMARKS)}"))
    rows = []
    for one in [name] if name is not None else BENCHMARKS:
        for row in _in_own_process(one):
            rows.append(row)
            if report is not None:
                report(row.text())
    return rows


def _in_own_process(name: str) -> list[Row]:
    done = subprocess.run([sys.executable, "-m", "pipeline.bench.worker", name], capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchmarkFailed(f"benchmark {name} failed: {done.stderr.strip()[-2000:]}")
    return [Row(**row) for row in json.loads(done.stdout.splitlines()[-1])]
