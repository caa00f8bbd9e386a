"""Programs that fall apart without a few rows: units side by side, whose outputs share a limit per slot."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
import scipy.sparse as sp

from pipeline.bench.two_stage import networked
from pipeline.bench.two_stage import two_stage as networked_two_stage
from pipeline.program.linear_program import LinearProgram
from pipeline.uncertainty.two_stage import TwoStage
from tests.unit.uncertainty.small_programs import units

SLOTS = 4
LIMIT = 18.0


def coupled(seed: int, *, blocks: int = 6, scenarios: int = 4, switched: bool = False, limit: float = LIMIT) -> TwoStage:
    """`blocks` pairs of units; the sum of all outputs of a slot is limited. First stage: every unit's size or switch."""
    parts = [units(seed * 100 + k, slots=SLOTS, switched=switched) for k in range(blocks)]
    width = parts[0].matrix.shape[1]
    output = sp.csr_array((np.ones(2 * SLOTS), (np.repeat(np.arange(SLOTS), 2), 2 + np.arange(2 * SLOTS))), shape=(SLOTS, width))
    program = _joined(parts, sp.csr_array(sp.hstack([output] * blocks, format="csr")), limit)
    first = (width * np.arange(blocks)[:, None] + np.arange(2)).ravel()
    rng = np.random.default_rng(seed)
    weights = rng.uniform(0.2, 1, scenarios)
    return TwoStage(program, first, rng.uniform(1, 12, (scenarios, blocks * SLOTS)), weights / weights.sum())


def _joined(parts: list[LinearProgram], link: sp.csr_array, limit: float) -> LinearProgram:
    def all_of(name: str) -> np.ndarray:
        return np.concatenate([getattr(part, name) for part in parts])

    columns, inputs = (sum(len(getattr(part, name)) for part in parts) for name in ("column_names", "input_names"))
    by_input = sp.vstack([sp.block_diag([part.matrix_by_input for part in parts]), sp.csr_array((SLOTS, inputs))], format="csr")
    return replace(
        parts[0], cost=all_of("cost"), cost_by_input=sp.csr_array((columns, inputs)), offset=sum(part.offset for part in parts),
        offset_by_input=np.zeros(inputs), matrix=sp.csr_array(sp.vstack([sp.block_diag([p.matrix for p in parts]), link], format="csr")),
        matrix_by_input=sp.csr_array(by_input), row_lower=np.concatenate([all_of("row_lower"), np.full(SLOTS, -np.inf)]),
        row_upper=np.concatenate([all_of("row_upper"), np.full(SLOTS, limit)]), col_lower=all_of("col_lower"),
        col_upper=all_of("col_upper"), integer=all_of("integer"), column_term=all_of("column_term"),
        row_names=tuple(f"u{k}.{name[2:]}" for k, part in enumerate(parts) for name in part.row_names)
        + tuple(f"all.output_limit[{t}]" for t in range(SLOTS)),
        column_names=tuple(f"u{k}.{name[2:]}" for k, part in enumerate(parts) for name in part.column_names),
        input_names=tuple(f"u{k}.{name[2:]}" for k, part in enumerate(parts) for name in part.input_names),
        readout=sp.csr_array((0, columns)), readout_by_input=sp.csr_array((0, inputs)),
    )


@lru_cache(maxsize=1)
def microgrids() -> TwoStage:
    """Ten microgrids on a feeder of 66 buses, 24 steps, 3 scenarios."""
    return networked_two_stage(networked(10), steps=24, scenarios=3)


def tight(given: TwoStage, lower_kv: float) -> TwoStage:
    """The same with a higher floor under voltages."""
    program = given.program
    low = program.col_lower.copy()
    voltage = program.columns_like(["*.voltage_kv"])
    free = voltage[program.col_lower[voltage] < program.col_upper[voltage]]
    low[free] = lower_kv
    return replace(given, program=replace(program, col_lower=low))
