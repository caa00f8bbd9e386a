"""Where a column stands, from its name alone."""

from __future__ import annotations

from pipeline.program.positions import positions_of


def test_positions_end_a_name_except_where_they_lead():
    names = ["b.charge_kw[3]", "ev.charge_kw[2,7]", "feeder.branch_kw[f01_b02,4]", "g.segment_kw[5,2]", "b.terminal_kwh", "x.parts[a]"]
    assert positions_of(names).tolist() == [2, 6, 3, 4, -1, -1]
