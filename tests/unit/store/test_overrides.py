"""A person's word is dated: it binds from when it was said until it is withdrawn, and both stay on record."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.core.errors import InputError
from pipeline.store.overrides import Override
from pipeline.store.warehouse import Warehouse

FAR = 10**10
OUT = Override("case", "f01_generator", "out", 1.0, 100, 200, "Ada", "bearing is hot", 50)


def test_binds_from_when_it_was_said(warehouse: Warehouse) -> None:
    warehouse.add_override(OUT)
    assert warehouse.overrides("case", 0, 1000, 49) == []
    assert warehouse.overrides("case", 0, 1000, 50) == [OUT]
    assert warehouse.overrides("other", 0, 1000, 50) == []


@pytest.mark.parametrize(("start", "end", "binds"), [(0, 100, False), (0, 101, True), (199, 300, True), (200, 300, False)])
def test_only_what_overlaps_is_read(warehouse: Warehouse, start: int, end: int, binds: bool) -> None:
    warehouse.add_override(OUT)
    assert bool(warehouse.overrides("case", start, end, FAR)) is binds


def test_a_withdrawal_ends_it_and_leaves_the_past_as_it_was(warehouse: Warehouse) -> None:
    warehouse.add_override(OUT)
    warehouse.add_override(replace(OUT, author="Bob", reason="bearing replaced", known_at=120, withdrawn=True))
    assert warehouse.overrides("case", 0, 1000, 119) == [OUT]
    assert warehouse.overrides("case", 0, 1000, 120) == []
    again = replace(OUT, author="Ada", reason="hot again", known_at=150)
    assert warehouse.add_override(again) == OUT.override_id
    assert warehouse.overrides("case", 0, 1000, 150) == [again]


def test_the_same_word_twice_is_one_word(warehouse: Warehouse) -> None:
    warehouse.add_override(OUT)
    warehouse.add_override(replace(OUT, known_at=60, reason="said again"))
    assert warehouse.overrides("case", 0, 1000, FAR) == [OUT]


def test_the_later_word_comes_last(warehouse: Warehouse) -> None:
    first = Override("case", "f01_battery", "set_point_kw", 10.0, 100, 200, "Ada", "test", 50)
    second = replace(first, value=20.0, known_at=60)
    warehouse.add_override(second)
    warehouse.add_override(first)
    assert warehouse.overrides("case", 0, 1000, FAR) == [first, second]


@pytest.mark.parametrize(("wrong", "said"), [
    ({"valid_to": 100}, "ends before"), ({"author": " "}, "no author"), ({"reason": ""}, "no reason"), ({"quantity": "off"}, "no quantity"),
    ({"value": float("nan")}, "finite"), ({"withdrawn": True}, "not in force"),
])
def test_what_is_incomplete_is_refused(warehouse: Warehouse, wrong: dict[str, object], said: str) -> None:
    with pytest.raises(InputError, match=said):
        warehouse.add_override(replace(OUT, **wrong))  # type: ignore[arg-type]
    assert warehouse.overrides("case", 0, 1000, FAR) == []


def test_all_mistakes_come_at_once(warehouse: Warehouse) -> None:
    with pytest.raises(InputError) as caught:
        warehouse.add_override(replace(OUT, author="", reason="", valid_to=0))
    assert len(caught.value.mistakes) == 3
