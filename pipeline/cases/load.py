"""Case folders -> `Case`. Every mistake is reported at once, with its place and remedy."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from pipeline.cases.case import Case
from pipeline.cases.checks import check_case
from pipeline.cases.folder import Folder, read_folder
from pipeline.cases.mistakes import Mistakes, grouped
from pipeline.cases.raw import Raw, nearest
from pipeline.cases.records import build
from pipeline.cases.settings import Settings
from pipeline.cases.sources import (
    ErrorSampleSource,
    FileSource,
    FolderSource,
    GivenForecast,
    Series,
    SessionFileSource,
    SessionSampleSource,
    SqlSource,
    StateSource,
)
from pipeline.cases.yaml_file import read_yaml
from pipeline.core.errors import InputError, Mistake
from pipeline.core.shipped import DATA
from pipeline.equipment import DEVICE_KINDS, Branch, Bus, EvConnection, Network, Record, Tie

_LABELS = {
    "networks": "network", "buses": "bus", "branches": "branch", "ties": "tie", "series": "series", "given_forecasts": "given forecast",
    "devices": "device",
    "ev_connections": "ev_connection",
}  # fmt: skip
_MODELS: dict[str, type[Record]] = {
    "networks": Network, "buses": Bus, "branches": Branch, "ties": Tie, "series": Series,
    "given_forecasts": GivenForecast, "ev_connections": EvConnection,
}  # fmt: skip
_SCALARS = ("name", "title", "currency", "time_zone", "day_start_local", "default_date", "balancing_tie", "balancing_chain", "tie_flows")


_SOURCES: dict[str, type[Record]] = {
    "file": FileSource,
    "folder": FolderSource,
    "sql": SqlSource,
    "error_samples": ErrorSampleSource,
    "ev_sessions": SessionSampleSource,
    "sessions": SessionFileSource,
    "states": StateSource,
}


def case_folders(data_dir: Path | None = None) -> list[Path]:
    """Folders that hold cases: FEEDERFLOW_CASES first, then the project's own."""
    extra = [Path(part) for part in os.environ.get("FEEDERFLOW_CASES", "").split(os.pathsep) if part]
    return [*extra, (data_dir or DATA) / "cases"]


def list_cases(data_dir: Path | None = None) -> list[str]:
    """Names that `load_case` finds, sorted."""
    found = {path.parent.name for folder in case_folders(data_dir) for path in folder.glob("*/case.yaml")}
    return sorted(found)


def find_case(name_or_folder: str | Path, data_dir: Path | None = None) -> Path:
    """The folder of a case by name, or a path to one; InputError with the nearest name."""
    for folder in case_folders(data_dir):
        if (folder / name_or_folder / "case.yaml").is_file() and Path(name_or_folder).name == str(name_or_folder):
            return folder / name_or_folder
    path = Path(name_or_folder)
    if (path / "case.yaml").is_file():
        return path
    if path.is_dir():
        remedy = "give a folder that `feederflow case new` wrote, or a name of `feederflow case list`"
        raise InputError(Mistake(str(name_or_folder), "holds no case.yaml", remedy))
    raise InputError(
        Mistake(str(name_or_folder), "no case of this name, and no folder", nearest(str(name_or_folder), list_cases(data_dir)))
    )


def variants(name_or_folder: str | Path, *, data_dir: Path | None = None) -> list[str]:
    """Names of the case's variants, `default` first."""
    given = read_yaml(find_case(name_or_folder, data_dir) / "case.yaml").value.get("variants")
    return ["default", *(name for name in given or () if name != "default")] if isinstance(given, dict) else ["default"]


def load_case(name_or_folder: str | Path, *, variant: str | None = None, data_dir: Path | None = None) -> Case:
    """One variant of a case, every reference checked; InputError carries every mistake found."""
    folder = find_case(name_or_folder, data_dir)
    mistakes = Mistakes()
    read = read_folder(folder, variant, mistakes)
    _link_profiles(read, mistakes)
    _expand_sources(read)
    _normalise(read, mistakes)
    content = _content(read, mistakes)
    content.update(variant=variant or "default", folder=folder.resolve(), profiles=read.profiles)
    check_case(content, read, data_dir or DATA, mistakes)
    if mistakes:
        raise InputError(grouped(sorted(set(mistakes), key=lambda mistake: (_order(mistake.place), mistake.message))))
    return Case(**content)


def _order(place: str) -> tuple[str, int]:
    file, _, rest = place.partition(", line ")
    digits = rest.split(",")[0]
    return file, int(digits) if digits.isdigit() else 0


def _content(read: Folder, mistakes: Mistakes) -> dict[str, Any]:
    """Typed fields of the case; what could not be read is left out, and its mistakes noted."""
    content: dict[str, Any] = {}
    for name, model in _MODELS.items():
        content[name] = tuple(record for raw in read.tables[name] if (record := build(model, raw, _label(name, raw), mistakes)) is not None)
    content["devices"] = tuple(
        device
        for raw in read.tables["devices"]
        if (device := build(DEVICE_KINDS[raw.value["kind"]], raw, _label("devices", raw), mistakes)) is not None
    )
    content["settings"] = build(Settings, read.top.at("settings") or Raw({}), "settings", mistakes) or Settings()
    content["sources"] = _sources(read.top, mistakes)
    for name in _SCALARS:
        _scalar(name, read.top, content, mistakes)
    return content


def _sources(top: Raw, mistakes: Mistakes) -> tuple[Record, ...] | None:
    """None where one could not be read: what it would deliver is then not known."""
    given = top.at("sources")
    if given is None or given.value is None:
        return ()
    if not isinstance(given.value, list):
        mistakes.note(given.place(()), "'sources' must be a list of records", "write `- kind: file` lines")
        return None
    built = []
    for index, value in enumerate(given.value):
        raw = given.at(index) or Raw(value)
        kind = value.get("kind") if isinstance(value, dict) else None
        label = f"source '{value.get('id', index + 1)}'" if isinstance(value, dict) else f"source {index + 1}"
        if kind in _SOURCES:
            built.append(build(_SOURCES[kind], raw, label, mistakes))
        else:
            mistakes.note(raw.place(("kind",)), f"{label}: kind '{kind}' is not one of {', '.join(_SOURCES)}", nearest(str(kind), _SOURCES))
            built.append(None)
    sources = tuple(source for source in built if source is not None)
    return sources if len(sources) == len(built) else None


def _scalar(name: str, top: Raw, content: dict[str, Any], mistakes: Mistakes) -> None:
    field = Case.model_fields[name]
    if top.value.get(name) is None:
        if field.is_required():
            mistakes.note(top.place(()), f"the case has no {name}", f"give {name}")
        return
    try:
        value = top.value[name]
        adapter: TypeAdapter[Any] = TypeAdapter(field.rebuild_annotation())
        content[name] = adapter.validate_python(str(value) if isinstance(value, int | float) else value)
    except ValidationError as error:
        detail = error.errors(include_url=False)[0]["msg"]
        remedies = {"default_date": "write YYYY-MM-DD, a real day", "day_start_local": "write HH:MM", "name": "use a-z, 0-9 and _ only"}
        mistakes.note(top.place((name,)), f"{name} is '{top.value[name]}': {detail[:1].lower()}{detail[1:]}", remedies.get(name, ""))


def _label(table: str, raw: Raw) -> str:
    value = raw.value if isinstance(raw.value, dict) else {}
    word = value.get("kind", "device") if table == "devices" else _LABELS[table]
    return f"{word} '{value['id']}'" if value.get("id") else str(word)


def _link_profiles(read: Folder, mistakes: Mistakes) -> None:
    """A series may name its expectation table: `profile`, a column of profiles.csv."""
    for raw in (*read.tables["series"], *read.tables["given_forecasts"]):
        if not isinstance(raw.value, dict) or "profile" not in raw.value:
            continue
        name = raw.value.pop("profile")
        if name in read.profiles:
            raw.value["by_local_hour"] = list(read.profiles[name])
            raw.places[("by_local_hour",)] = raw.place(("profile",))
        else:
            remedy = nearest(str(name), read.profiles)
            mistakes.note(raw.place(("profile",)), f"{_label('series', raw)} follows profile '{name}', which profiles.csv lacks", remedy)


def _expand_sources(read: Folder) -> None:
    """`columns: every_series` stands for one column per series of the mapping's resolution, of the series' own name and unit."""
    sources = read.top.value.get("sources")
    for source in sources if isinstance(sources, list) else ():
        mapping = source.get("mapping") if isinstance(source, dict) else None
        if isinstance(mapping, dict) and mapping.get("columns") == "every_series":
            resolution = str(mapping.get("resolution_min", 15))
            known = [raw.value for raw in read.tables["series"] if isinstance(raw.value, dict) and raw.value.get("id")]
            series = [one for one in known if str(one.get("resolution_min", 15)) == resolution]
            mapping["columns"] = [{"column": one["id"], "series": one["id"], "unit": one.get("unit", "kW")} for one in series]


def _normalise(read: Folder, mistakes: Mistakes) -> None:
    """`normalise_load_ratio: true` divides the shares of each series by their sum, so that they add up to one."""
    wanted = read.top.value.get("normalise_load_ratio", False)
    if not isinstance(wanted, bool):
        mistakes.note(read.top.place(("normalise_load_ratio",)), f"normalise_load_ratio is '{wanted}'", "write true or false")
    if wanted is not True:
        return
    demands = [raw.value for raw in read.tables["devices"] if raw.value.get("kind") == "demand"]
    sums: dict[str, float] = {}
    try:
        for demand in demands:
            sums[demand["series"]] = sums.get(demand["series"], 0.0) + float(demand.get("series_share", 1.0))
        for demand in demands:
            demand["series_share"] = float(demand.get("series_share", 1.0)) / sums[demand["series"]]
    except (KeyError, ValueError, ZeroDivisionError):
        return  # the record itself is reported where it is built


def mistakes_of(name_or_folder: str | Path, *, data_dir: Path | None = None) -> list[Mistake]:
    """Mistakes of all variants of a case, each once; empty where all is well."""
    found: dict[Mistake, None] = {}
    try:
        names = variants(name_or_folder, data_dir=data_dir)
    except InputError as error:
        return list(error.mistakes)
    for name in names:
        try:
            load_case(name_or_folder, variant=name, data_dir=data_dir)
        except InputError as error:
            found |= dict.fromkeys(error.mistakes)
    return list(found)
