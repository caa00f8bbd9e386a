"""YAML with line numbers. 07:00 stays text, and only true and false are booleans: YAML 1.1 would read 420, and `on` as True."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from pipeline.cases.mistakes import Mistakes
from pipeline.cases.raw import Path as Keys
from pipeline.cases.raw import Raw
from pipeline.core.errors import InputError, Mistake

MOST_VALUES = 1_000_000
_INTEGER = re.compile(r"^[-+]?\d+$")
_DECIMAL = re.compile(r"^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$")


def read_yaml(path: Path) -> Raw:
    """The file's mapping with a place per value; InputError names the line of a syntax fault or a repeated key."""
    try:
        node = yaml.compose(path.read_text(encoding="utf-8-sig"), Loader=yaml.SafeLoader)
    except UnicodeDecodeError as error:
        raise InputError(Mistake(path.name, f"is not UTF-8 text (byte {error.start})", "save it as UTF-8")) from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        problem = " ".join(part for part in (error.context, error.problem) if part)
        remedy = "indent with blanks" if "'\\t'" in problem else "check indentation, quotes and brackets there"
        raise InputError(Mistake(f"{path.name}, line {line}", f"is no valid YAML: {problem}", remedy)) from error
    except yaml.YAMLError as error:
        raise InputError(Mistake(path.name, f"is no valid YAML: {error}", "save it as plain UTF-8 text")) from error
    except RecursionError as error:
        raise InputError(Mistake(path.name, "is nested too deeply to be read", "take the excess brackets or indentation out")) from error
    if not isinstance(node, yaml.MappingNode):
        raise InputError(Mistake(f"{path.name}, line 1", "holds no mapping of fields", "start with `name: my_case`"))
    places: dict[Keys, str] = {(): path.name}
    mistakes = Mistakes()
    _refuse_endless(node, path.name)
    value = _value(node, (), path.name, places, mistakes)
    if mistakes:
        raise InputError(mistakes)
    return Raw(value, places)


def _refuse_endless(root: yaml.Node, file: str) -> None:
    """Raises InputError for an alias inside what it names, and for aliases of aliases that multiply to more values than a case has.

    Both are small in the file: what they stand for is counted on the graph, each anchor once.
    """
    sizes: dict[int, int] = {}
    inside: set[int] = set()

    def size(node: yaml.Node) -> int:
        if id(node) in inside:
            place = f"{file}, line {node.start_mark.line + 1}"
            raise InputError(Mistake(place, "an alias (*name) stands inside what it names, without end", "write the value in its place"))
        if id(node) not in sizes:
            inside.add(id(node))
            sizes[id(node)] = 1 + sum(size(child) for child in _children(node))
            inside.discard(id(node))
        return sizes[id(node)]

    if (count := size(root)) > MOST_VALUES:
        raise InputError(Mistake(file, f"its aliases stand for {count:,} values, and a case has at most {MOST_VALUES:,}",
                                 "write out what is meant, with fewer aliases of aliases"))


def _children(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [part for pair in node.value for part in pair]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def _value(node: yaml.Node, keys: Keys, file: str, places: dict[Keys, str], mistakes: Mistakes) -> Any:
    if keys:
        places[keys] = f"{file}, line {node.start_mark.line + 1}"
    if isinstance(node, yaml.MappingNode):
        mapping: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            place = f"{file}, line {key_node.start_mark.line + 1}"
            if key in mapping:
                mistakes.note(place, f"'{key}' is given twice", "keep one of them")
                continue
            mapping[key] = _value(value_node, (*keys, key), file, places, mistakes)
            places[(*keys, key)] = place
        return mapping
    if isinstance(node, yaml.SequenceNode):
        return [_value(item, (*keys, index), file, places, mistakes) for index, item in enumerate(node.value)]
    return _scalar(node)


def _scalar(node: yaml.Node) -> Any:
    text = str(node.value)
    if getattr(node, "style", None) in ("'", '"', "|", ">"):
        return text
    if text in ("", "~", "null"):
        return None
    if text in ("true", "false"):
        return text == "true"
    if _INTEGER.match(text):
        return int(text)
    return float(text) if _DECIMAL.match(text) else text
