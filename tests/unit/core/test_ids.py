"""Identifiers follow from content alone."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.ids import canonical_json, digest, run_id, seed_from

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3), max_leaves=8,
)


@given(st.dictionaries(st.text(), json_values, max_size=4))
def test_order_of_keys_does_not_matter(content: dict[str, object]) -> None:
    assert run_id("day_ahead", content) == run_id("day_ahead", dict(reversed(content.items())))


def test_every_part_matters() -> None:
    base = {"case": "tiny", "as_of": 1}
    ids = {run_id("real_time", base), *(run_id("day_ahead", content) for content in (base, {**base, "as_of": 2}, {"case": "tiny"}))}
    assert len(ids) == 4


def test_parts_are_not_run_together() -> None:
    assert digest("ab", "c") != digest("a", "bc") != digest("abc")


def test_an_id_is_the_same_in_another_process() -> None:
    code = "from pipeline.core.ids import run_id, seed_from; print(run_id('real_time', {'b': 1.5, 'a': [1, None]}), seed_from('x', 'y'))"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert other == [run_id("real_time", {"a": [1, None], "b": 1.5}), str(seed_from("x", "y"))]


def test_a_seed_fits_in_63_bits() -> None:
    assert 0 <= seed_from("any") < 2**63


def test_a_number_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        canonical_json(float("nan"))
