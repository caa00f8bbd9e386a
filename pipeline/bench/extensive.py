"""What the big scenario programs cost before anybody solves them."""

from __future__ import annotations

import time

from pipeline.bench import Row
from pipeline.bench.two_stage import networked, two_stage
from pipeline.bench.worker import at_most, peak_mb
from pipeline.uncertainty.extensive import extensive_form as build

REPEATS = 3


def extensive_form() -> list[Row]:
    """50 microgrids, 96 steps, 10 scenarios as one program; peak memory with the compilation of the program that it repeats."""
    name, given, seconds = "extensive_form", two_stage(networked(50), steps=96, scenarios=10), []
    columns = 0
    for _ in range(REPEATS):
        started = time.process_time()
        bound, _ = build(given.program, first_stage=given.first_stage, scenarios=given.scenarios, weights=given.weights)
        seconds.append(time.process_time() - started)
        columns = bound.program.matrix.shape[1]
        del bound
    return [
        at_most(name, f"building {columns / 1e6:.2f} million columns", sorted(seconds)[REPEATS // 2], "CPU s", 2.0),
        at_most(name, "peak memory of the process", peak_mb(), "MB", 1500.0),
    ]
