"""A case folder -> one raw tree: case.yaml, the CSV tables beside it, and one variant merged in."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from pipeline.cases.case import Case
from pipeline.cases.csv_file import Row, Table, check_columns, read_csv
from pipeline.cases.mistakes import Mistakes
from pipeline.cases.overrides import apply
from pipeline.cases.raw import Raw, merge, nearest
from pipeline.cases.records import is_tuple
from pipeline.cases.sources import GivenForecast, Series
from pipeline.cases.yaml_file import read_yaml
from pipeline.core.errors import InputError, Mistake
from pipeline.equipment import DEVICE_KINDS, Branch, Bus, Device, EvConnection, Network, Tie

# Tables that may come as CSV, in the YAML, or both.
TABLES: dict[str, type[BaseModel]] = {
    "networks": Network, "buses": Bus, "branches": Branch, "ties": Tie, "series": Series,
    "given_forecasts": GivenForecast, "ev_connections": EvConnection,
}
TABLE_FILES = frozenset(f"{name}.csv" for name in (*TABLES, *DEVICE_KINDS, "profiles"))
# Fields of case.yaml that are not fields of the case: how to read it.
READING = ("variants", "slot_start_hour", "normalise_load_ratio")
FIELDS = tuple(name for name in Case.model_fields if name not in ("variant", "folder", "profiles")) + READING


@dataclass
class Folder:
    """What was read: the scalars and settings of case.yaml, records by table (devices of all kinds in one), profiles by local hour."""

    top: Raw
    path: Path
    tables: dict[str, list[Raw]] = field(default_factory=dict)
    profiles: dict[str, tuple[float, ...]] = field(default_factory=dict)
    slot_start_hour: int = 0


def read_folder(folder: Path, variant: str | None, mistakes: Mistakes) -> Folder:
    """Everything in the folder with one variant applied. Raises where nothing can be read."""
    top = read_yaml(folder / "case.yaml")
    for key in top.value:
        if key not in FIELDS:
            mistakes.note(top.place((key,)), f"no such field '{key}'", nearest(key, FIELDS))
    read = Folder(top, folder)
    _add_profiles(read, folder, mistakes)
    for name, model in TABLES.items():
        read.tables[name] = [*_from_yaml(top, name, mistakes), *_from_csv(folder / f"{name}.csv", model, {}, mistakes)]
    read.tables["devices"] = _devices(top, folder, mistakes)
    _check_files(read, mistakes)
    chosen = _variant(top, variant, mistakes)
    if chosen is not None:
        apply(read, chosen, mistakes)
    return read


def _check_files(read: Folder, mistakes: Mistakes) -> None:
    folder, histories = read.path, _named_in_sources(read.top)
    known = TABLE_FILES
    stems = {Path(name).stem.rstrip("s").lower(): name for name in known}
    # Histories may lie in the folder under any name: only what is nearly a table's name is taken for a slip.
    for path in sorted(folder.glob("*.csv")):
        stem = path.stem.rstrip("s").lower()
        if path.name not in known and stem in stems:
            mistakes.note(path.name, "no table of a case has this name", f"did you mean '{stems[stem]}'?")
        elif path.name in known and path.is_dir():
            mistakes.note(path.name, "is a folder, and a table of the case is a file", "move it away, or put the table in its place")
        elif path.name not in known and path.name not in histories and (table := _table_like(path)) is not None:
            remedy = f"name it {table}.csv if it is one, or move it out of the case's folder"
            mistakes.note(path.name, "looks like a table of the case, which knows none of this name", remedy)


def _named_in_sources(top: Raw) -> set[str]:
    sources = top.value.get("sources")
    return {Path(str(source.get("path"))).name for source in (sources if isinstance(sources, list) else ()) if isinstance(source, dict)}


def _table_like(path: Path) -> str | None:
    """The table whose columns a file has: an id and what places it. A history has a stamp instead."""
    if not path.is_file():
        return None
    with path.open(encoding="utf-8-sig", errors="replace") as lines:
        header = next((line for line in lines if line.strip() and not line.startswith("#")), "")
    columns = {cell.strip().strip('"') for cell in re.split("[,;\t]", header)}
    models: dict[str, type[BaseModel]] = {**TABLES, **DEVICE_KINDS}
    fitting = {name: len(columns & set(model.model_fields)) for name, model in models.items() if not issubclass(model, Series)}
    placed = {"bus", "network", "from_bus", "to_bus", "lower_bus", "upper_bus"} & columns
    return max(fitting, key=lambda name: fitting[name]) if "id" in columns and placed else None


def _from_yaml(top: Raw, name: str, mistakes: Mistakes) -> list[Raw]:
    given = top.at(name)
    if given is None or given.value is None:
        return []
    if not isinstance(given.value, list):
        mistakes.note(given.place(()), f"'{name}' must be a list of records", f"write `- id: ..` lines, or {name}.csv")
        return []
    return [record for index in range(len(given.value)) if (record := given.at(index)) is not None]


def _from_csv(path: Path, model: type[BaseModel], defaults: dict[str, Any], mistakes: Mistakes) -> list[Raw]:
    if not path.is_file():
        return []
    table = read_csv(path, mistakes)
    required = {name for name, info in model.model_fields.items() if info.is_required() and name not in defaults}
    known = set(model.model_fields)
    if issubclass(model, Series):
        known.add("profile")
    elif issubclass(model, Device):
        known.remove("kind")
    check_columns(table, required, known, mistakes)
    return [_record(row, model) for row in table.rows]


def _record(row: Row, model: type[BaseModel]) -> Raw:
    record = Raw({}, {(): row.place()})
    for column, text in row.cells.items():
        *outer, last = column.split(".")
        target = record.value
        for key in outer:
            target = target.setdefault(key, {})
        target[last] = text.replace(";", " ").split() if not outer and is_tuple(model, last) else text
        record.places[(*outer, last)] = row.place(column)
    return record


def _devices(top: Raw, folder: Path, mistakes: Mistakes) -> list[Raw]:
    """One CSV per kind; `devices: {kind: fields}` of case.yaml fills what a row leaves open."""
    given = top.at("devices") or Raw({}, {(): "case.yaml"})
    if not isinstance(given.value, dict):
        mistakes.note(given.place(()), "'devices' must be a mapping from kind to fields", "devices themselves stand in <kind>.csv")
        given = Raw({}, {(): "case.yaml"})
    for kind, fields in given.value.items():
        if kind not in DEVICE_KINDS:
            mistakes.note(given.place((kind,)), f"no such kind of device '{kind}'", nearest(kind, DEVICE_KINDS))
        elif not isinstance(fields, dict):
            mistakes.note(given.place((kind,)), f"'{kind}' must be a mapping of fields", "write `field: value` lines")
    devices = []
    for kind, model in DEVICE_KINDS.items():
        defaults = given.at(kind)
        if defaults is None or not isinstance(defaults.value, dict):
            defaults = Raw({}, {})
        for row in _from_csv(folder / f"{kind}.csv", model, defaults.value, mistakes):
            base = Raw({"kind": kind, **defaults.value}, {**defaults.places, (): row.place(())})
            devices.append(merge(base, row))
    return devices


def _add_profiles(read: Folder, folder: Path, mistakes: Mistakes) -> None:
    """profiles.csv has one row per slot; slot 1 starts at `slot_start_hour` local time. Tuples by local hour 0..23."""
    path = folder / "profiles.csv"
    if not path.is_file():
        return
    start = read.top.value.get("slot_start_hour")
    if not isinstance(start, int) or not 0 <= start <= 23:
        remedy = "give slot_start_hour: 0..23"
        mistakes.note(read.top.place(("slot_start_hour",)), "profiles.csv needs the local hour at which slot 1 starts", remedy)
        start = 0
    read.slot_start_hour = start
    table = read_csv(path, mistakes)
    check_columns(table, {"slot"}, {"slot", *(column.split(".")[0] for column in table.columns)}, mistakes)
    if "slot" not in table.columns:
        return
    by_slot = _by_slot(table, mistakes)
    for column in table.columns:
        if column and column != "slot":
            values = [_number(by_slot[slot], column, mistakes) if slot in by_slot else 0.0 for slot in range(1, 25)]
            read.profiles[column] = tuple(values[(hour - start) % 24] for hour in range(24))


def _by_slot(table: Table, mistakes: Mistakes) -> dict[int, Row]:
    rows: dict[int, Row] = {}
    for row in table.rows:
        text = row.cells.get("slot", "")
        if not text.isdigit() or not 1 <= int(text) <= 24:
            mistakes.note(row.place("slot"), f"'{text}' is no slot", "slots are 1 to 24")
        elif int(text) in rows:
            mistakes.note(row.place("slot"), f"slot {text} is there twice", "keep one of them")
        else:
            rows[int(text)] = row
    absent = [str(slot) for slot in range(1, 25) if slot not in rows]
    if absent:
        mistakes.note(table.file, f"slots {', '.join(absent)} are missing", "a profile has 24 slots")
    return rows


def _number(row: Row, column: str, mistakes: Mistakes) -> float:
    text = row.cells.get(column, "")
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if number != number or number in (float("inf"), float("-inf")):
        remedy = f"write {text.replace(',', '.')}" if text.count(",") == 1 else "give a number"
        mistakes.note(row.place(column), f"'{text}' is not a number", remedy)
        return 0.0
    return number


def _variant(top: Raw, variant: str | None, mistakes: Mistakes) -> Raw | None:
    """The overrides of the variant; None for the plain default."""
    variants = top.value.get("variants") or {}
    if not isinstance(variants, dict):
        remedy = "write `reference:` and what differs below it"
        mistakes.note(top.place(("variants",)), "'variants' must be a mapping from name to overrides", remedy)
        return None
    for name, overrides in variants.items():
        if not re.fullmatch(r"[a-z0-9][a-z0-9_]*", name):
            mistakes.note(top.place(("variants", name)), f"'{name}' is no name of a variant", "use a-z, 0-9 and _ only")
        if overrides is not None and not isinstance(overrides, dict):
            place = top.place(("variants", name))
            mistakes.note(place, f"the variant '{name}' must be a mapping of overrides", "write what differs below it")
    name = variant or "default"
    if name == "default" and name not in variants:
        return None
    if name not in variants:
        place = top.place(("variants",))
        raise InputError([*mistakes, Mistake(place, f"the case has no variant '{name}'", nearest(name, ["default", *variants]))])
    chosen = top.at("variants", name)
    return chosen if chosen is not None and isinstance(chosen.value, dict) else None
