"""One benchmark in this process; its rows as JSON on the last line."""

from __future__ import annotations

import json
import resource
import sys
from importlib import import_module

from pipeline.bench import Row
from pipeline.cli import leave

_HOMES = {
    "first_solve": "programs", "real_time_step": "programs", "fresh_redispatch": "days", "full_day": "days", "forecast": "forecasts",
    "study_year": "forecasts", "reduction": "forecasts", "extensive_form": "extensive", "wasserstein": "two_stage_ways",
    "decomposition": "two_stage_ways", "decomposition_96": "two_stage_ways", "integer_first_stage": "two_stage_ways",
    "robust_case4": "systems", "affine": "systems", "peer_extensive": "peer",
}


def peak_mb() -> float:
    """Peak resident memory of this process, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def at_most(benchmark: str, figure: str, value: float, unit: str, limit: float) -> Row:
    return Row(benchmark, figure, value, unit, f"<= {limit:g}", value <= limit)


def at_least(benchmark: str, figure: str, value: float, unit: str, limit: float) -> Row:
    return Row(benchmark, figure, value, unit, f">= {limit:g}", value >= limit)


def main(name: str) -> None:
    rows: list[Row] = getattr(import_module(f"pipeline.bench.{_HOMES[name]}"), name)()
    sys.stdout.write(json.dumps([row.as_dict() for row in rows]) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
    leave(0)
