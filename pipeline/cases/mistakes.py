"""Collects every mistake of a case, so that a person mends them in one go."""

from __future__ import annotations

from pipeline.core.errors import Mistake


class Mistakes(list[Mistake]):
    """What was found so far."""

    def note(self, place: str, message: str, remedy: str = "") -> None:
        self.append(Mistake(place, message, remedy))
