"""A first mixture: every scenario met with the trial's first stage. Its answers make the master feasible, and nearly optimal, at once."""

from __future__ import annotations

import numpy as np

from pipeline.program.linear_program import Floats
from pipeline.uncertainty.decomposition.one_scenario import TrialFailed
from pipeline.uncertainty.decomposition.pricing import Answer, Block
from pipeline.uncertainty.decomposition.trial import Reduced


def met_answers(reduced: Reduced, blocks: list[Block]) -> list[Answer]:
    """One answer of each block, or none where a scenario has no recourse to that first stage."""
    try:
        x = _met(reduced)
    except TrialFailed:
        return []
    finally:
        reduced.live.close()
    return [block.answer(block.flat(x)) for block in blocks]


def _met(reduced: Reduced) -> Floats:
    """(S, n) columns of the family."""
    family, found = reduced.family, np.empty_like(reduced.family.cost)
    lower = np.where(family.shared, reduced.trial, family.col_lower)
    upper = np.where(family.shared, reduced.trial, family.col_upper)
    for s in range(family.scenarios):
        found[s], _ = reduced.live.solve(family.cost[s], lower[s], upper[s], family.row_lower[s], family.row_upper[s])
    return found
