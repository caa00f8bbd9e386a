"""Raw values -> typed records; what pydantic refuses is said in words, with the place and a remedy."""

from __future__ import annotations

import typing
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from pipeline.cases.mistakes import Mistakes
from pipeline.cases.raw import Path, Raw, nearest
from pipeline.core.errors import Mistake

R = TypeVar("R", bound=BaseModel)
_BOUNDS = {
    "greater_than": ("gt", "above"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "below"),
    "less_than_equal": ("le", "at most"),
}


def build(model: type[R], raw: Raw, label: str, mistakes: Mistakes) -> R | None:
    """The record, or None after its mistakes were noted. `label` names it to a person."""
    value = raw.value
    if not isinstance(value, dict):
        mistakes.note(raw.place(()), f"{label} must be a mapping of fields, not {_shown(value)}", "write `field: value` lines")
        return None
    try:
        return model.model_validate(value)
    except ValidationError as error:
        for detail in _of_likeliest_member(error.errors(include_url=False)):
            mistakes.append(_in_words(detail, model, raw, label))
        return None


def _of_likeliest_member(details: list[ErrorDetails]) -> list[ErrorDetails]:
    """A union of records reports every member: keep, per field, the one that came closest."""
    groups: dict[Any, dict[Any, list[ErrorDetails]]] = {}
    kept = []
    for detail in details:
        loc = detail["loc"]
        if len(loc) > 1 and isinstance(loc[1], str) and (loc[1][:1].isupper() or loc[1].startswith("literal")):
            groups.setdefault(loc[0], {}).setdefault(loc[1], []).append(detail)
        else:
            kept.append(detail)
    for members in groups.values():
        records = {name: errors for name, errors in members.items() if not any(_of_another_shape(error) for error in errors)}
        kept.extend(sorted((records or members).values(), key=len)[0])
    return kept


def _of_another_shape(error: ErrorDetails) -> bool:
    """A word where this member wants a mapping, or the other way round."""
    return error["type"] == "model_type" or (error["type"] == "literal_error" and isinstance(error["input"], dict))


def _in_words(detail: ErrorDetails, model: type[BaseModel], raw: Raw, label: str) -> Mistake:
    value = raw.value
    where: Path = ()
    names: list[str] = []
    name = ""
    for part in detail["loc"]:
        inside = (isinstance(value, dict) and part in value) or (
            isinstance(value, list | tuple) and isinstance(part, int) and part < len(value)
        )
        if inside:
            value, where = value[part], (*where, part)
        if isinstance(part, str) and (inside or part == detail["loc"][-1]):
            names.append(part)
        name = str(part)
    place, given, field = raw.place(where), _shown(detail["input"]), ".".join(names) or label
    match detail["type"]:
        case "missing":
            return Mistake(place, f"{label} has no {field}", f"give {field}")
        case "extra_forbidden":
            return Mistake(place, f"{label}: no such field {field}", nearest(name, _fields_at(model, detail["loc"][:-1])))
        case "float_parsing" | "int_parsing" | "float_type" | "int_type" | "int_from_float":
            whole = "a whole number" if detail["type"].startswith("int") else "a number"
            return Mistake(place, f"{label}: {field} is {given}, not {whole}", _number_remedy(detail["input"]))
        case "tuple_type" | "list_type":
            return Mistake(place, f"{label}: {field} is {given}", "write a list: [..]")
        case "finite_number":
            return Mistake(place, f"{label}: {field} is {given}, not a finite number", "give a number, or leave it empty for its default")
        case kind if kind.startswith("date_"):
            return Mistake(place, f"{label}: {field} is {given}, no date", "write YYYY-MM-DD, a real day")
        case "string_pattern_mismatch":
            return Mistake(place, f"{label}: {field} {given} is no identifier", "use a-z, 0-9 and _ only, first a letter or digit")
        case "literal_error":
            words = [word.strip(" '") for word in str(detail["ctx"]["expected"]).replace(" or ", ", ").split(",")]
            return Mistake(place, f"{label}: {field} {given} is not one of {', '.join(words)}", nearest(str(detail["input"]), words))
        case "union_tag_invalid":
            tag, words = str(detail["ctx"]["tag"]), [word.strip(" '") for word in str(detail["ctx"]["expected_tags"]).split(",")]
            place = raw.place((*where, "kind"))
            return Mistake(place, f"{label}: {field}.kind '{tag}' is not one of {', '.join(words)}", nearest(tag, words))
        case "union_tag_not_found":
            return Mistake(place, f"{label}: {field} has no kind", "give `kind:`")
        case "greater_than" | "greater_than_equal" | "less_than" | "less_than_equal" as kind:
            key, word = _BOUNDS[kind]
            return Mistake(place, f"{label}: {field} is {given}", f"it must be {word} {detail['ctx'][key]:g}")
        case _:
            return Mistake(place, f"{label}: {field} {given}: {detail['msg'][:1].lower()}{detail['msg'][1:]}", "")


def _shown(value: Any) -> str:
    if isinstance(value, dict | list | tuple):
        return f"a {'mapping' if isinstance(value, dict) else 'list'}"
    return "empty" if value is None else f"'{value}'"


def _number_remedy(value: Any) -> str:
    text = str(value)
    if text.count(",") == 1 and text.replace(",", "").replace(".", "").lstrip("-+").isdigit():
        return f"write {text.replace('.', '').replace(',', '.')} with a decimal point"
    if any(character.isdigit() for character in text) and any(character.isalpha() for character in text):
        return "write the number alone: the unit is part of the column's name"
    return "give a number"


def models_in(annotation: Any) -> list[type[BaseModel]]:
    """Record types that an annotation may hold."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for inner in typing.get_args(annotation) for model in models_in(inner)]


def _fields_at(model: type[BaseModel], loc: tuple[int | str, ...]) -> list[str]:
    models = [model]
    for part in loc:
        deeper = [inner for known in models if part in known.model_fields for inner in models_in(known.model_fields[str(part)].annotation)]
        models = deeper or [known for known in models if known.__name__ == part or _kind_of(known) == part] or models
    return [name for known in models for name in known.model_fields]


def _kind_of(model: type[BaseModel]) -> Any:
    return model.model_fields["kind"].default if "kind" in model.model_fields else None


def is_tuple(model: type[BaseModel], name: str) -> bool:
    """True where a cell holds several values, separated by blanks."""
    field = model.model_fields.get(name)
    return field is not None and typing.get_origin(field.annotation) is tuple
