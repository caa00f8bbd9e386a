"""A number's word is short, and never another number's."""

from __future__ import annotations

import pytest

from pipeline.core.numbers import told_apart


@pytest.mark.parametrize(("value", "word"), [(0.0, "0"), (3.0, "3"), (0.05, "0.05"), (1e6, "1e+06"), (0.123456, "0.123456"),
                                             (0.1234561, "0.1234561"), (0.1234564, "0.1234564"), (1000001.0, "1000001.0")])
def test_six_digits_where_they_say_all_of_it(value: float, word: str) -> None:
    assert told_apart(value) == word and float(word) == value
