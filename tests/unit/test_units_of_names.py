"""The unit is part of the name: every numeric field of every schema, and every numeric column of every table, ends in a known suffix."""

from __future__ import annotations

import importlib
import pkgutil
import types
import typing
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel

import pipeline
from pipeline.core.units import SUFFIXES, has_unit
from pipeline.tables import TABLES

# Numbers without a dimension, names of instants of the clock, and numbers whose unit is another field of the same record.
BARE_FIELDS = {
    "first_hour", "last_hour", "departure_hours",  # local wall-clock hours
    "by_local_hour", "minimum", "maximum",  # in the series' `unit`
    "profiles",  # ratios or the series' unit
    "mean", "sd", "low", "high",  # of a law, in the unit of the field that holds it (arrival_h, arrival_energy_share)
    "sigma", "truncate_sd",  # shares and multiples
    "seed", "days", "sign",
    "start_cost", "stop_cost",  # money per event, in the case's currency
    "hours_in_state_initially",
    "connect_slot",  # place in the day
    "skip_rows", "header", "units_row", "footer", "missing",  # lines of a file, and marks in it
}  # fmt: skip
# Numbers whose unit stands in the row, weights and money (in the case's currency).
BARE_COLUMNS = {"mean", "sd", "value", "measured_value", "weight", "limit", "lower", "upper", "energy_cost", "deviation_cost",
                *(f"q{level}" for level in ("05", "10", "25", "50", "75", "90", "95"))}
COUNTS = {"step", "due_step", "lead", "iteration"}  # integers: places in the day, or in a row of rounds


def modules() -> Iterator[types.ModuleType]:
    """Every module of the package, but the command line and what needs Airflow."""
    for found in pkgutil.walk_packages(pipeline.__path__, "pipeline."):
        if not found.name.startswith(("pipeline.cli", "pipeline.bench")):
            yield importlib.import_module(found.name)


def records() -> list[type[BaseModel]]:
    found = {value for module in modules() for value in vars(module).values()
             if isinstance(value, type) and issubclass(value, BaseModel) and value.__module__.startswith("pipeline.")}
    return sorted(found, key=lambda record: (record.__module__, record.__name__))


def numeric(annotation: Any) -> bool:
    if isinstance(annotation, type) and not isinstance(annotation, types.GenericAlias):
        return issubclass(annotation, int | float) and annotation is not bool
    if typing.get_origin(annotation) is typing.Literal:
        return any(isinstance(value, int | float) and not isinstance(value, bool) for value in typing.get_args(annotation))
    return any(numeric(inner) for inner in typing.get_args(annotation))


def bare_fields(record: type[BaseModel]) -> list[str]:
    names = [name for name, field in record.model_fields.items() if numeric(field.annotation)]
    return [name for name in names if not has_unit(name) and name not in BARE_FIELDS]


def test_every_numeric_field_names_its_unit() -> None:
    walked = records()
    names = {record.__name__ for record in walked}
    assert {"Case", "Settings", "Store", "Tie", "Branch", "Study", "EvSampling", "Stochastic", "FileSource"} <= names
    assert {f"{record.__name__}.{name}" for record in walked for name in bare_fields(record)} == set()


def bare_columns(columns: dict[str, str]) -> list[str]:
    """Of columns and their kinds."""
    return [
        name for name, kind in columns.items()
        if (kind == "number" and not has_unit(name) and name not in BARE_COLUMNS)
        or (kind == "integer" and not has_unit(name) and name not in COUNTS)
    ]


@pytest.mark.parametrize("name", TABLES)
def test_every_numeric_column_names_its_unit(name: str) -> None:
    assert bare_columns({column.name: column.kind for column in TABLES[name].columns}) == []


@pytest.mark.parametrize("name", TABLES)
def test_the_unit_of_a_column_agrees_with_its_suffix(name: str) -> None:
    units = {"_kw": "kW", "_kwh": "kWh", "_kvar": "kvar", "_pu": "p.u.", "_kwth": "kWth", "_per_kwh": "currency/kWh"}
    for column in TABLES[name].columns:
        suffix = max((end for end in SUFFIXES if column.name.endswith(end)), key=len, default="")
        if column.kind == "number" and suffix in units:
            assert column.unit == units[suffix], f"{name}.{column.name} says {column.unit}"


def test_a_bare_number_is_refused() -> None:
    class Bad(BaseModel):
        power: float
        limits: tuple[float, ...] | None
        power_kw: float

    assert bare_fields(Bad) == ["power", "limits"]
    assert bare_columns({"power": "number", "load_kw": "number", "vehicles": "integer", "step": "integer"}) == ["power", "vehicles"]
