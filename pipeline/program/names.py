"""Names of a program that repeats another: written when somebody asks, because millions of them cost more than the numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import SupportsIndex, overload


class RepeatedNames(Sequence[str]):
    """`shared` once, then `repeated` behind each other `count` times as `name@s`, s from 1, then `last`.

    Equal to the tuple of the same names.
    """

    def __init__(self, shared: tuple[str, ...], repeated: tuple[str, ...], count: int, last: tuple[str, ...] = ()) -> None:
        self._shared, self._repeated, self._count, self._last = shared, repeated, count, last

    def __len__(self) -> int:
        return len(self._shared) + len(self._repeated) * self._count + len(self._last)

    @overload
    def __getitem__(self, place: SupportsIndex) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[str, ...]: ...
    def __getitem__(self, place: SupportsIndex | slice) -> str | tuple[str, ...]:
        if isinstance(place, slice):
            return tuple(self._at(i) for i in range(*place.indices(len(self))))
        at = place.__index__()
        if not -len(self) <= at < len(self):
            raise IndexError(f"name {at} of {len(self)}")
        return self._at(at % len(self))

    def _at(self, place: int) -> str:
        behind = place - len(self._shared)
        if behind < 0:
            return self._shared[place]
        if behind >= len(self._repeated) * self._count:
            return self._last[behind - len(self._repeated) * self._count]
        scenario, which = divmod(behind, len(self._repeated))
        return f"{self._repeated[which]}@{scenario + 1}"

    def __iter__(self) -> Iterator[str]:
        yield from self._shared
        for scenario in range(1, self._count + 1):
            for name in self._repeated:
                yield f"{name}@{scenario}"
        yield from self._last

    def __add__(self, more: tuple[str, ...]) -> RepeatedNames:
        return RepeatedNames(self._shared, self._repeated, self._count, self._last + more)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, RepeatedNames):
            return self.__dict__ == other.__dict__ or tuple(self) == tuple(other)
        return isinstance(other, tuple) and len(self) == len(other) and tuple(self) == other

    def __hash__(self) -> int:
        return hash(tuple(self))


# Either kind: indexed, sliced, iterated, added to and compared alike.
Names = tuple[str, ...] | RepeatedNames
