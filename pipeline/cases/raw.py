"""Plain values with the place each came from, so that a mistake can name file, line and column."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

Path = tuple[str | int, ...]


@dataclass
class Raw:
    """A tree of dicts, lists and scalars, and for each path in it the place it was written at."""

    value: Any
    places: dict[Path, str] = field(default_factory=dict)

    def place(self, path: Path) -> str:
        """Where the value at `path` was written, or else what holds it."""
        for length in range(len(path), -1, -1):
            if path[:length] in self.places:
                return self.places[path[:length]]
        return "case.yaml"

    def at(self, *path: str | int) -> Raw | None:
        """The subtree at `path`, with its places; None where there is none."""
        value = self.value
        for key in path:
            try:
                value = value[key]
            except (KeyError, IndexError, TypeError):
                return None
        inner = {known[len(path) :]: place for known, place in self.places.items() if known[: len(path)] == path}
        inner.setdefault((), self.place(path))
        return Raw(value, inner)


def merge(base: Raw, over: Raw) -> Raw:
    """Mappings are merged key by key; anything else, and a mapping of another `kind`, is replaced. Places follow the values."""
    places = dict(base.places)
    return Raw(_merge(base.value, over.value, (), places, over), places)


def _merge(old: Any, new: Any, path: Path, places: dict[Path, str], over: Raw) -> Any:
    same_record = isinstance(old, dict) and isinstance(new, dict) and ("kind" not in new or new["kind"] == old.get("kind"))
    if not same_record:
        for known in [known for known in places if known[: len(path)] == path]:
            del places[known]
        places.update({known: place for known, place in over.places.items() if known[: len(path)] == path})
        return new
    merged = dict(old)
    for key, value in new.items():
        places[(*path, key)] = over.place((*path, key))
        merged[key] = _merge(old.get(key), value, (*path, key), places, over)
    return merged


def nearest(word: str, known: Iterable[str]) -> str:
    """Remedy in words: the most similar known word, or what there is."""
    names = list(dict.fromkeys(known))
    close = get_close_matches(word, names, n=1, cutoff=0.5) or get_close_matches(word.lower(), names, n=1, cutoff=0.5)
    if close:
        return f"did you mean '{close[0]}'?"
    if not names:
        return "none is declared"
    return f"known: {', '.join(names[:8])}" + (", .." if len(names) > 8 else "")
