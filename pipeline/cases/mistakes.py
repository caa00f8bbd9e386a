"""Collects every mistake of a case, so that a person mends them in one go: one cause is one message."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pipeline.core.errors import Mistake

ALIKE = 3  # so many of one kind, with one remedy, are each said in full
MANY = 20  # and so many with a remedy of their own each
SHOWN = 6  # places of a kind that are named
_NAMES = re.compile(r"'[^']*'|\[[^]]*\]|[-+]?\d[\d.,e+-]*")


class Mistakes(list[Mistake]):
    """What was found so far."""

    def note(self, place: str, message: str, remedy: str = "") -> None:
        self.append(Mistake(place, message, remedy))


def grouped(found: Iterable[Mistake]) -> list[Mistake]:
    """Mistakes of one file that differ by names and numbers alone become one, that counts them and names where the others are."""
    by_kind: dict[tuple[str, ...], list[Mistake]] = {}
    for mistake in found:
        by_kind.setdefault((_file(mistake.place), _kind(mistake.message), _kind(mistake.remedy)), []).append(mistake)
    out: list[Mistake] = []
    for alike in by_kind.values():
        one_remedy = len({mistake.remedy for mistake in alike}) == 1
        out += [_counted(alike)] if len(alike) > (ALIKE if one_remedy else MANY) else alike
    return out


def _counted(alike: list[Mistake]) -> Mistake:
    first, *others = alike
    places = list(dict.fromkeys(_within(mistake.place) for mistake in others))
    where = ", ".join(places[:SHOWN]) + (f", .., {places[-1]}" if len(places) > SHOWN else "")
    return Mistake(first.place, f"{first.message} ({len(alike)} of this kind: also {where})", first.remedy)


def _kind(text: str) -> str:
    return _NAMES.sub("*", text)


def _file(place: str) -> str:
    return place.partition(",")[0]


def _within(place: str) -> str:
    """The place in its file."""
    return place.partition(", ")[2] or place
