"""Commands with a number among their words: a negative one is written as it is, `-20`, and is no option."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from typer.core import TyperCommand


class CommandWithNumbers(TyperCommand):
    """Takes negative numbers as arguments; an option that there is not is refused all the same."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the words of a command line. Raises the usage error of an option that is unknown."""
        if any(map(_is_negative, args)):
            self.make_parser(ctx).parse_args(["0" if _is_negative(word) else word for word in args])
            ctx.ignore_unknown_options = True  # the unknown ones are refused by now: what is left are numbers
        return super().parse_args(ctx, args)


def _is_negative(word: str) -> bool:
    with suppress(ValueError):
        return word.startswith("-") and bool(float(word) <= 0)
    return False
