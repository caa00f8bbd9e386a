"""The page of the case format `docs/case.md`: every field of every record, from the schemas; meanings are the comments beside them."""

from __future__ import annotations

import inspect
import re
import types
import typing
from pathlib import Path
from typing import Any

from case_words import HEAD, MEANINGS, READING_FIELDS
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from pipeline.cases import settings, sources, table_reading
from pipeline.cases.case import Case
from pipeline.cases.folder import READING
from pipeline.core.units import has_unit
from pipeline.equipment import DEVICE_KINDS, Branch, Bus, EvConnection, Network, Tie, ev_fleet
from pipeline.equipment import generator as generator_module
from pipeline.equipment import tie as tie_module
from pipeline.stages import evaluation, study

TARGET = Path(__file__).resolve().parents[1] / "docs" / "case.md"
CASE_LEFT_OUT = ("variant", "folder", "profiles")
UNITS = {
    "per_kwh": "currency/kWh", "per_kw2h": "currency/kW²h", "per_pu_h": "currency/(p.u. h)", "kw_per_h": "kW/h", "per_h": "currency/h",
    "kvar_per_kw": "kvar/kW", "kwhth": "kWhth", "kwth": "kWth", "kwh": "kWh", "kw": "kW", "kvar": "kvar", "kva": "kVA", "pu": "p.u.",
    "ohm": "ohm", "kv": "kV", "min": "min", "h": "h", "s": "s", "days": "days", "share": "share", "factor": "factor",
}  # fmt: skip


def records() -> dict[str, list[tuple[str, type[BaseModel]]]]:
    """Headings of the page and the records below them."""
    devices = [(f"{kind}.csv", model) for kind, model in DEVICE_KINDS.items()]
    fleets: list[tuple[str, type[BaseModel]]] = [
        ("sessions, sampled", ev_fleet.EvSampling), ("a law of `sessions`", ev_fleet.Normal), ("sessions, window", ev_fleet.EvWindow),
    ]
    kinds: tuple[type[BaseModel], ...] = typing.get_args(typing.get_args(sources.AnySource)[0])
    origins: list[tuple[str, type[BaseModel]]] = [(f"sources, kind: {model.model_fields['kind'].default}", model) for model in kinds]
    return {
        "case.yaml": [("case.yaml", Case)],
        "Networks and ties": [("networks.csv", Network), ("buses.csv", Bus), ("branches.csv", Branch), ("ties.csv", Tie),
                              ("market of a tie", tie_module.Market), ("wheeling of a tie", tie_module.Wheeling)],
        "Devices": [*devices, ("commitment of a generator", generator_module.Commitment), *fleets, ("ev_connections.csv", EvConnection)],
        "Series and their sources": [("series.csv", sources.Series), ("given_forecasts.csv", sources.GivenForecast), *origins,
                                     ("mapping of a source", sources.Mapping), ("time_columns of a mapping", table_reading.TimeColumns),
                                     ("a column of a mapping", sources.ColumnMap)],
        "Run settings": [("settings", settings.Settings), ("method: deterministic", settings.Deterministic),
                         ("method: stochastic", settings.Stochastic), ("method: cvar", settings.Cvar),
                         ("method: wasserstein", settings.Wasserstein), ("method: box_robust", settings.BoxRobust),
                         ("method: affine", settings.Affine), ("half_widths", settings.HalfWidths),
                         ("budgeted_prices", settings.BudgetedPrices), ("forecast", settings.ForecastSettings)],
        "Studies": [("a study, kind: replay", study.Study), ("a study, kind: evaluation", evaluation.Evaluation)],
    }  # fmt: skip


def comments(model: type[BaseModel]) -> dict[str, str]:
    """Trailing comment of each field, those of its base records included."""
    found: dict[str, str] = {}
    for owner in reversed(model.__mro__):
        if issubclass(owner, BaseModel) and owner.__module__.startswith("pipeline."):
            for line in inspect.getsource(owner).splitlines():
                field = re.match(r"    (\w+): .*?  # (.+)$", line)
                if field:
                    found[field[1]] = field[2]
    return found


def fields(model: type[BaseModel]) -> list[str]:
    names = [name for name in model.model_fields if not (model is Case and name in CASE_LEFT_OUT)]
    return [name for name in names if not (name == "kind" and model in DEVICE_KINDS.values())]


def meaning(model: type[BaseModel], name: str) -> str:
    """The comment beside the field, else the words of `tools/case_words.py`; empty where nobody has said anything."""
    return comments(model).get(name) or MEANINGS.get(f"{model.__name__}.{name}") or MEANINGS.get(name, "")


def _type(annotation: Any) -> str:
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _type(inner[0])
    if origin is typing.Literal:
        return ", ".join(f"`{value}`" for value in inner)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(dict.fromkeys(_type(part) for part in inner if part is not type(None)))
    if origin is tuple:
        return f"list of {_type(inner[0])}"
    if origin is dict:
        return "mapping"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "record"
    return {"float": "number", "int": "whole number", "str": "text", "bool": "true or false", "time": "HH:MM", "date": "YYYY-MM-DD"}.get(
        getattr(annotation, "__name__", ""), "text"
    )


def _unit(name: str) -> str:
    if not has_unit(name):
        return ""
    return next((unit for suffix, unit in UNITS.items() if name.endswith("_" + suffix) or name == suffix), "")


def _default(info: Any) -> str:
    if info.is_required():
        return "required"
    value = info.default
    if info.default_factory_takes_validated_data:
        return "by kind"
    if value is PydanticUndefined or isinstance(value, BaseModel):
        return "its defaults"
    if value is None or value == () or value == "":
        return "none"
    if isinstance(value, tuple):
        return f"`[{', '.join(value)}]`"
    return f"`{value:%H:%M}`" if hasattr(value, "hour") else f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _range(info: Any) -> str:
    bounds = {"gt": ">", "ge": ">=", "lt": "<", "le": "<="}
    every = [one for part in typing.get_args(info.annotation) for one in getattr(part, "__metadata__", ())]
    parts = [item for one in every for item in getattr(one, "metadata", [one])] + list(info.metadata)
    given = [(sign, getattr(part, key, None)) for key, sign in bounds.items() for part in parts]
    return " and ".join(f"{sign} {bound:g}" for sign, bound in given if bound is not None)


def section(title: str, model: type[BaseModel]) -> str:
    lines = [f"### {title}", "", inspect.cleandoc(model.__doc__ or ""), "", "| field | type | unit | default | range | meaning |",
             "|---|---|---|---|---|---|"]
    for name in fields(model):
        info = model.model_fields[name]
        said = meaning(model, name).replace("|", "\\|")
        kind = "mapping" if model is Case and name == "devices" else _type(info.annotation)
        lines.append(f"| `{name}` | {kind} | {_unit(name)} | {_default(info)} | {_range(info)} | {said} |")
    if model is Case:
        lines += [f"| `{name}` | {kind} |  | {default} |  | {said} |" for name, (kind, default, said) in READING_FIELDS.items()]
    return "\n".join(lines) + "\n"


def page() -> str:
    parts = [HEAD.strip() + "\n"]
    for heading, models in records().items():
        parts += [f"## {heading}\n", *(section(title, model) for title, model in models)]
    return "\n".join(parts)


def complaints() -> list[str]:
    """Fields without a meaning, and meanings without a field."""
    known = [(model, name) for models in records().values() for _, model in models for name in fields(model)]
    silent = [f"{model.__name__}.{name}: no comment beside it and no entry in tools/case_words.py"
              for model, name in known if not meaning(model, name)]
    names = {name for _, name in known} | {f"{model.__name__}.{name}" for model, name in known}
    missing = set(READING) ^ set(READING_FIELDS)
    return silent + [f"{name}: no such field" for name in MEANINGS if name not in names] + [f"{name}: how to read it" for name in missing]
