"""What rules promise after a first stage of the box: each direction of a deviation is answered apart."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.program.solve import SolveOptions
from pipeline.uncertainty.box_rules import promised_cost
from tests.unit.uncertainty.written_programs import moving, written

INF = np.inf


def bought_or_spilt():
    """Two slots: what lacks is bought at 3, what is over is worth nothing; 10 kW may lack or be over, in one of the slots."""
    columns, rows = {}, {}
    for t in (1, 2):
        columns |= {f"g.buy_kw[{t}]": (3.0, 0, INF), f"g.spill_kw[{t}]": (0.0, 0, INF)}
        rows[f"g.balance[{t}]"] = (0, {f"g.buy_kw[{t}]": 1, f"g.spill_kw[{t}]": -1, f"g.load_kw[{t}]": -1}, 0)
    program = written(columns, rows, inputs=["g.load_kw[1]", "g.load_kw[2]"], positions=2)
    moves = [("g.load_kw[1]", 10.0, 0), ("g.load_kw[2]", 10.0, 1)]
    return program, moving(program, moves, [0.0, 0.0], budget=[1.0], two_sided=True)


def test_rules_that_answer_each_direction_apart_promise_the_worst_corner():
    """30 in the slot that lacks. A straight line through both directions buys 5 kW in each slot whatever comes: 45."""
    program, deviations = bought_or_spilt()
    found = promised_cost(program, np.array([], dtype=int), np.zeros(0), deviations, worst=30.0, gap_share=1e-6, sees=None,
                          options=SolveOptions())
    assert found == pytest.approx(30.0)


def test_one_sided_deviations_reach_the_same_inputs():
    """Sum of magnitudes and limits hold group by group; the down ones carry the names, slots and groups of their own."""
    _, deviations = bought_or_spilt()
    apart = deviations.one_sided()
    assert (apart.low == 0).all() and (apart.high == 1).all() and apart.count == 4
    assert apart.slot.tolist() == [0, 1, 0, 1] and apart.group.tolist() == [0, 0, 0, 0] and len(set(apart.names)) == 4
    assert apart.directions.toarray().tolist() == [[10, 0, -10, 0], [0, 10, 0, -10]]
    again = apart.one_sided()
    assert again.count == 4
