"""The unit is part of the name: every numeric field of every schema of a case ends in a known suffix."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel

from pipeline.cases.case import Case
from pipeline.cases.settings import Settings
from pipeline.cases.sources import AnySource, Series
from pipeline.core.units import has_unit
from pipeline.equipment import DEVICE_KINDS, Branch, Bus, Network, Tie

# Numbers without a dimension of their own, and numbers whose unit is another field of the same record.
WITHOUT_UNIT = {
    "first_hour", "last_hour", "departure_hours",  # local wall-clock hours, names of instants
    "by_local_hour", "minimum", "maximum",  # in the series' `unit`
    "profiles",  # ratios or the series' unit
    "mean", "sd", "low", "high",  # of a law, in the unit of the field that holds it (arrival_h, arrival_energy_share)
    "sigma", "truncate_sd",  # shares and multiples
    "seed", "days", "sign",
}  # fmt: skip


def _records(annotation: Any, seen: set[type[BaseModel]]) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        if annotation not in seen:
            seen.add(annotation)
            yield annotation
            for field in annotation.model_fields.values():
                yield from _records(field.annotation, seen)
        return
    for inner in typing.get_args(annotation):
        yield from _records(inner, seen)


def _numeric(annotation: Any) -> bool:
    if isinstance(annotation, type) and not isinstance(annotation, types.GenericAlias):
        return issubclass(annotation, int | float) and annotation is not bool
    if typing.get_origin(annotation) is typing.Literal:
        return any(isinstance(value, int | float) and not isinstance(value, bool) for value in typing.get_args(annotation))
    return any(_numeric(inner) for inner in typing.get_args(annotation))


def _all_records() -> list[type[BaseModel]]:
    seen: set[type[BaseModel]] = set()
    roots = (Case, Settings, Series, AnySource, Network, Bus, Branch, Tie, *DEVICE_KINDS.values())
    return [record for root in roots for record in _records(root, seen)]


@pytest.mark.parametrize("record", _all_records(), ids=lambda record: record.__name__)
def test_numeric_names_end_in_a_unit(record: type[BaseModel]) -> None:
    numeric = [name for name, field in record.model_fields.items() if _numeric(field.annotation)]
    assert [name for name in numeric if not has_unit(name) and name not in WITHOUT_UNIT] == []


def test_the_walk_reaches_nested_records() -> None:
    names = {record.__name__ for record in _all_records()}
    assert {"Market", "EvSampling", "EvWindow", "Normal", "Mapping", "ColumnMap", "Stochastic", "Store", "Tie", "Branch"} <= names


def test_the_walk_would_refuse_a_bare_number() -> None:
    class Bad(BaseModel):
        power: float

    assert _numeric(Bad.model_fields["power"].annotation) and not has_unit("power")
