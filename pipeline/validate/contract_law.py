"""What a declaration says of a column, as laws that two checkers apply: Great Expectations, and arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, assert_never

from pipeline.tables import Table

LARGEST = 1e300  # beyond it a number is infinite or a fault
Law = Literal["key", "present", "vocabulary", "worded", "range"]


@dataclass(frozen=True)
class Broken:
    """One law that rows of a table break. `column` is empty for the key."""

    law: Law
    column: str
    rows: tuple[int, ...]


def law_in_words(contract: Table, broken: Broken) -> str:
    """Say what a value breaks, after `value 3.2`."""
    column = next((one for one in contract.columns if one.name == broken.column), None)
    if broken.law == "key" or column is None:
        return "more than one row has this key"
    if broken.law == "present":
        return "is empty, and must not be"
    if broken.law == "vocabulary":
        return f"is not one of {', '.join(column.allowed)}"
    if broken.law == "worded":
        return "is an empty text"
    if broken.law == "range":
        if column.minimum is None and column.maximum is None:
            return "is not finite"
        return f"is outside [{'' if column.minimum is None else column.minimum}, {'' if column.maximum is None else column.maximum}]"
    assert_never(broken.law)
