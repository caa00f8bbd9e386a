"""Names that are written when asked for, against the same names written at once."""

from __future__ import annotations

import pytest

from pipeline.program.names import RepeatedNames

SHARED, REPEATED = ("tie.schedule_kw[1]", "tie.schedule_kw[2]"), ("a.charge_kw[1]", "a.charge_kw[2]", "b.shed_kw[1]")
eager = SHARED + tuple(f"{name}@{s}" for s in (1, 2, 3, 4) for name in REPEATED)
lazy = RepeatedNames(SHARED, REPEATED, 4)


def test_lazy_names_equal_the_names_written_at_once():
    assert len(lazy) == len(eager) and tuple(lazy) == eager
    assert [lazy[i] for i in range(len(lazy))] == list(eager)
    assert lazy == eager and lazy == RepeatedNames(SHARED, REPEATED, 4) and hash(lazy) == hash(eager)
    assert lazy == RepeatedNames(eager, (), 1)  # the same names, told in another way
    assert lazy != eager[:-1] and lazy != RepeatedNames(SHARED, REPEATED, 3) and lazy != list(eager)


@pytest.mark.parametrize("place", [slice(None), slice(1, 9, 3), slice(-3, None), slice(None, None, -1), slice(20, 40)])
def test_slices_are_tuples(place):
    assert lazy[place] == eager[place] and isinstance(lazy[place], tuple)


def test_places_count_from_both_ends_and_end_there():
    assert lazy[-1] == eager[-1] and lazy[-len(eager)] == eager[0]
    for beyond in (len(eager), -len(eager) - 1):
        with pytest.raises(IndexError):
            lazy[beyond]


def test_more_names_may_follow():
    more = ("c.mode_share[1]", "d.on_share[1]")
    longer = lazy + more[:1] + more[1:]
    assert longer == eager + more and list(longer) == list(eager + more) and longer[-1] == more[-1] and longer[len(eager)] == more[0]
